"""Varied values as columns that can be compared: numbers as numbers, quantities also in the unit of their name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from engine.quantities import RATE, SIZE, TIME, parse_quantity

Column = list[Any]


def _quantity(units: Mapping[str, int], what: str) -> Callable[[str], int]:
    return lambda text: 0 if text == "0" else parse_quantity(text, dict(units), what, "", signed=True)


_SUFFIXES = (("_ps", _quantity(TIME, "duration")), ("_bit_s", _quantity(RATE, "rate")), ("_bytes", _quantity(SIZE, "size")))


def field_columns(rows: Sequence[Mapping[str, str]]) -> pa.Table:
    """Values of rows by name; a row that does not vary a field has no value there.

    A column is whole numbers, numbers, true and false or text, whatever fits all its values. A field of quantities
    (``20ms``) has beside its text a column of whole numbers: ``lead_time`` and ``lead_time_ps``; rates ``_bit_s``, sizes
    ``_bytes``.

    Parameters
    ----------
    rows : sequence of mapping of str to str
        Texts by name.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    found: dict[str, pa.Array] = {}
    for name in names:
        texts = [row.get(name) for row in rows]
        typed = _all(texts, _number)
        found[name] = pa.array(texts, pa.string()) if typed is None else typed
        if typed is None:
            for suffix, parse in _SUFFIXES:
                if (whole := _all(texts, parse)) is not None:
                    found.setdefault(name + suffix, whole)
                    break
    return pa.table(found)


def _all(texts: Sequence[str | None], parse: Callable[[str], Any]) -> pa.Array | None:
    """All of them parsed, as one column; None if that cannot be."""
    try:
        return pa.array([None if text is None else parse(text) for text in texts])
    except (ValueError, pa.ArrowException):
        return None


def _number(text: str) -> int | float | bool:
    value = json.loads(text)
    if not isinstance(value, (bool, int, float)):
        raise ValueError(text)
    return value
