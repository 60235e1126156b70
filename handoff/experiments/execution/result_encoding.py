"""Results of runs as bytes: numbers, text, arrays and five classes. Reading them calls nothing else, unlike a pickle."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from engine import Result
from handoff.simulation.baseline import ByteCounts
from handoff.simulation.handoff_metrics import PacketMetrics
from handoff.simulation.result import RunResult
from handoff.simulation.time_series import TimeSeries

_CLASSES: dict[str, Any] = {cls.__name__: cls for cls in (RunResult, Result, PacketMetrics, ByteCounts, TimeSeries)}
_PLAIN = (bool, int, float, str, type(None))
_KINDS = "biufU"
"""Kinds of the elements of arrays: truth values, integers, floating-point numbers, text."""
_LENGTH_BYTES = 8


def encode_result(run: RunResult, max_bytes: int) -> bytes:
    """Return a result as bytes: the length of a JSON text, this text, and the elements of the arrays in its order.

    Raises
    ------
    ValueError
        If they are more than ``max_bytes``.
    TypeError
        If the result has a value of another type.
    """
    arrays: list[npt.NDArray[Any]] = []
    text = json.dumps(_describe(run, arrays)).encode()
    size = _LENGTH_BYTES + len(text) + sum(array.nbytes for array in arrays)
    if size > max_bytes:  # before the arrays are copied
        raise ValueError(f"{size:,} bytes are more than {max_bytes:,}")
    return b"".join([len(text).to_bytes(_LENGTH_BYTES, "little"), text, *(array.tobytes() for array in arrays)])


def decode_result(data: bytes) -> RunResult:
    """Return the result of :func:`encode_result`; each array is a new one.

    Raises
    ------
    ValueError
        If the bytes are not those of a result.
    """
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
    decoder = _Decoder(data, end)
    try:
        run = decoder.value(json.loads(data[_LENGTH_BYTES:end]))
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise ValueError(f"no result: {type(error).__name__}: {error}") from None
    if not isinstance(run, RunResult) or decoder.position != len(data):
        raise ValueError("no result of a run")
    return run


def _describe(value: Any, arrays: list[npt.NDArray[Any]]) -> Any:
    """Return the JSON of a value. What JSON lacks is a list with its type first; the elements of arrays go to ``arrays``."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind in (list, tuple):
        return [kind.__name__, [_describe(item, arrays) for item in value]]
    if kind is dict and all(type(name) is str for name in value):
        return ["dict", {name: _describe(item, arrays) for name, item in value.items()}]
    if kind.__name__ in _CLASSES and kind is _CLASSES[kind.__name__]:
        fields = value._asdict() if kind is ByteCounts else vars(value)
        return [kind.__name__, {name: _describe(item, arrays) for name, item in fields.items()}]
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in _KINDS:
        arrays.append(np.asarray(value))
        return ["scalar" if isinstance(value, np.generic) else "array", value.dtype.str, list(value.shape)]
    if kind is np.ndarray and value.ndim == 1 and all(type(item) is int for item in value):  # sums of any size
        return ["integers", value.tolist()]
    raise TypeError(f"a result with a {kind.__name__} cannot be stored")


class _Decoder:
    """Decoder of JSON from :func:`_describe`, with the position of the elements of the next array in ``data``."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data, self.position = data, position

    def value(self, described: Any) -> Any:
        if not isinstance(described, list):
            if type(described) not in _PLAIN:
                raise ValueError("an object without a type")
            return described
        kind, content, *shape = described
        if kind in ("array", "scalar"):
            array = self._array(content, *shape)
            return array if kind == "array" else array[()]
        if kind == "integers":
            if not all(type(item) is int for item in content):
                raise ValueError("a sum that is no integer")
            return np.array(content, object)
        if kind in ("list", "tuple"):
            items = [self.value(item) for item in content]
            return items if kind == "list" else tuple(items)
        fields = {name: self.value(item) for name, item in content.items()}
        return fields if kind == "dict" else _CLASSES[kind](**fields)

    def _array(self, dtype_text: str, shape: list[int]) -> npt.NDArray[Any]:
        dtype, count = np.dtype(dtype_text), math.prod(shape)
        if dtype.kind not in _KINDS or any(type(length) is not int or length < 0 for length in shape):
            raise ValueError(f"an array of {dtype_text}")
        start, self.position = self.position, self.position + count * dtype.itemsize
        return np.frombuffer(self._data[start : self.position], dtype, count).reshape(shape).copy()
