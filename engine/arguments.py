"""Checks of arguments at the public interface: integers in a range, columns of integers, names."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
_LONGEST_BITS = 128


def check_integer(name: str, value: Any, low: int, high: int) -> int:
    """Return an integer argument as an int.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    value : object
        An int, or another object with ``__index__`` except a bool.
    low, high : int
        Smallest and largest allowed value.

    Raises
    ------
    TypeError
        If the value is no integer. A float is refused, because it would have to be rounded.
    ValueError
        If the value is out of range.
    """
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} is an integer, not {value!r}")
    try:
        number = index(value)
    except TypeError:  # an array of several elements has __index__ too
        raise TypeError(f"{name} is an integer, not {value!r}") from None
    if not low <= number <= high:
        text = str(number) if number.bit_length() <= _LONGEST_BITS else f"an integer of {number.bit_length():,} bits"
        raise ValueError(f"{name} is out of range: it is {low} to {high}, not {text}")
    return number


def check_integers(name: str, values: Any) -> npt.NDArray[np.int64] | npt.NDArray[np.uint64]:
    """Return integers as an array of an integer type, of zero or one dimension.

    Raises
    ------
    TypeError
        If a value is no integer.
    ValueError
        If a value does not fit int64, or the array has more dimensions.
    """
    array = np.asarray(values)
    if array.ndim > 1:
        raise ValueError(f"{name} is a number or a one-dimensional array, not an array of {array.ndim} dimensions")
    if array.size == 0:
        return np.zeros(array.shape, np.int64)
    if array.dtype.kind not in "iu":
        numbers = [check_integer(name, value, INT64_MIN, INT64_MAX) for value in np.atleast_1d(array).tolist()]
        array = np.array(numbers, np.int64).reshape(array.shape)
    return array


def check_column(name: str, values: Any, low: int, high: int) -> npt.NDArray[np.int64] | npt.NDArray[np.uint64]:
    """Return integers of a range as :func:`check_integers` does; a value out of range raises ValueError."""
    array = check_integers(name, values)
    if array.size:
        for extreme in (array.min(), array.max()):
            check_integer(name, extreme, low, high)
    return array


def check_name(what: str, name: Any) -> str:
    """Return a name. TypeError is raised if it is not text, and ValueError if it cannot be encoded as UTF-8."""
    if not isinstance(name, str):
        raise TypeError(f"{what} is text, not {name!r}")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} {name!r} contains half of a surrogate pair") from None
    return name
