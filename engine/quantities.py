"""Quantities as text with a unit, turned into exact integers: picoseconds, bits per second, bytes, loss thresholds."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

FOREVER = 2**63 - 1
"""The time that no run reaches (int64, picoseconds): "no end"."""

TIME = {"ps": 1, "ns": 10**3, "us": 10**6, "µs": 10**6, "ms": 10**9, "s": 10**12, "min": 60 * 10**12, "h": 3600 * 10**12}
RATE = {"bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9, "Tbit/s": 10**12}
SIZE = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_FORM = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?)\s*([^\d\s.]\S*)?\s*\Z")


def parse_quantity(text: str, units: dict[str, int], what: str, example: str, *, signed: bool = False) -> int:
    """An integer number of the smallest of ``units``, from text with one of them.

    Raises
    ------
    ValueError
        If it is no such text, finer than the smallest unit, past int64, or negative (unless ``signed``).
    """
    match = _FORM.match(text) if len(text) <= 64 else None
    if not match or (match[2] or "") not in units:
        raise ValueError(f"{text!r} is not a {what}: write a number and one of {', '.join(units)}, as in {example!r}")
    value = Fraction(Decimal(match[1])) * units[match[2] or ""]
    if value.denominator != 1:
        raise ValueError(f"{text!r} is finer than the smallest {what} there is, 1 {next(iter(units))}")
    if (value < 0 and not signed) or abs(value) >= FOREVER:
        least = "above -2**63" if signed else "at least 0"
        raise ValueError(f"{text!r} is out of range: a {what} is {least} and below 2**63 {next(iter(units))}")
    return int(value)


def parse_duration(value: int | str) -> int:
    """Picoseconds of ``value``: an int is picoseconds already, text carries a unit (``"20ms"``).

    Raises
    ------
    ValueError
        If the text has no known unit, is negative, past 106 days or finer than 1 ps.
    """
    return _integer(value, "duration") if not isinstance(value, str) else parse_quantity(value, TIME, "duration", "20ms")


def parse_rate(value: int | str) -> int:
    """Bits per second of ``value`` (``"10Mbit/s"``); 0 or ``"infinite"`` means no serialisation time."""
    if value == "infinite":
        return 0
    return _integer(value, "rate") if not isinstance(value, str) else parse_quantity(value, RATE, "rate", "10Mbit/s")


def parse_size(value: int | str) -> int:
    """Bytes of ``value`` (``"64kB"``); 0 means no limit where a limit is asked for."""
    return _integer(value, "size") if not isinstance(value, str) else parse_quantity(value, SIZE, "size", "64kB")


def loss_threshold(value: float | int | str) -> int:
    """Loss probability as ``floor(value * 2**64)``: a draw below it loses the packet (docs/model.md, 9)."""
    probability = Fraction(str(value))
    if not 0 <= probability < 1:
        raise ValueError(f"a loss probability is at least 0 and below 1, not {value!r}")
    return int(probability * 2**64)


def _integer(value: int, what: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ValueError(f"{value!r} is not a {what}: give an int or text with a unit")
    number = value.__index__()
    if not 0 <= number <= FOREVER:
        raise ValueError(f"{value!r} is out of range for a {what}")
    return number


def format_duration(ps: int) -> str:
    """Text of a duration with the largest unit that keeps it exact to three decimals (``"37 ms"``)."""
    for unit in ("s", "ms", "us", "ns"):
        if abs(ps) >= TIME[unit]:
            return f"{ps / TIME[unit]:.6g} {unit}"
    return f"{ps} ps"
