"""Values that a field takes one after the other: lists, ranges with a step, ranges with logarithmic steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Context, Decimal
from fractions import Fraction

from engine.quantities import RATE, SIZE, TIME
from handoff.scenario.field_types import COUNTS
from handoff.scenario.units import DECIBELS, FREQUENCY, LENGTH, LEVEL, SPEED

MOST_VALUES = 100_000
"""Of one field: beyond it a step is a slip of the pen."""
_UNITS = (COUNTS, TIME, RATE, SIZE, LENGTH, SPEED, FREQUENCY, DECIBELS, LEVEL)
_QUANTITY = r"([+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,2})?)\s*((?!step|log)[^\d\s.,]\S*?)?"
_RANGE = re.compile(rf"\s*{_QUANTITY}\s*\.\.\s*{_QUANTITY}(?:\s+step\s+{_QUANTITY}|\s+log\s+(\d+))?\s*")
_SINGLE = re.compile(rf"\s*{_QUANTITY}\s*")
_DIGITS = Context(prec=4)
_EXACT = Context(prec=50)


def expand_values(text: str) -> list[str]:
    """The values that a text names, each once, in its order.

    Parameters
    ----------
    text : str
        One or several of these, with commas between them: a value (``"20ms"``, ``"1k"`` is 1000, a word), a range with both
        ends (``"10..50 step 10"``, ``"1ms..1s step 1ms"``; between whole numbers the step is 1 if none is given), or a range in
        equal ratios (``"1k..1M log 7"``: seven values; whole numbers stay whole, others get four significant digits).

    Returns
    -------
    list of str
        Each as it may stand behind ``--set name=``.

    Raises
    ------
    ValueError
        If a range is none.
    """
    found = [value for part in text.split(",") for value in _part(part.strip())]
    return list(dict.fromkeys(found))


def _part(text: str) -> Iterator[str]:
    if not text:
        raise ValueError("a value is missing: write some with commas between them, or a range as in '10..50 step 10'")
    if ".." not in text:
        yield _single(text)
        return
    match = _RANGE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a range: write '10..50 step 10', '1ms..1s step 1ms' or '1k..1M log 7'")
    low, low_unit, high, high_unit, step, step_unit, points = match.groups(default="")
    units = _common(text, {unit for number, unit in ((low, low_unit), (high, high_unit), (step, step_unit)) if _given(number)})
    first, last = (Fraction(Decimal(n)) * units.get(u, 1) for n, u in ((low, low_unit), (high, high_unit)))
    if first > last:
        raise ValueError(f"{text!r} falls: write its smaller end first")
    unit = "" if units is COUNTS else step_unit or low_unit or high_unit
    if points:
        yield from (_text(value, units, unit) for value in _ratios(text, first, last, int(points), units))
        return
    if not step and (units is not COUNTS or first.denominator != 1):
        raise ValueError(f"{text!r} has no step: write one, as in '{text} step …', or 'log 7' for seven values in equal ratios")
    width = Fraction(Decimal(step)) * units.get(step_unit, 1) if step else Fraction(1)
    if width <= 0:
        raise ValueError(f"{text!r} has a step that leads nowhere: give one above 0")
    if (last - first) / width >= MOST_VALUES:
        raise ValueError(f"{text!r} has more than {MOST_VALUES:,} values: give a larger step")
    yield from (_text(first + i * width, units, unit) for i in range(int((last - first) / width) + 1))


def _single(text: str) -> str:
    """A value; ``1k`` is 1000, everything else stays as it is."""
    match = _SINGLE.fullmatch(text)
    known = match is not None and match[2] in COUNTS
    return _text(Fraction(Decimal(match[1])) * COUNTS[match[2]], COUNTS, "") if match and known else text


def _given(number: str) -> bool:
    """Whether a number says by its unit what is meant: nothing and 0 do not."""
    return bool(number) and Decimal(number) != 0


def _common(text: str, named: set[str]) -> dict[str, int]:
    """The units of a range: of one kind."""
    for units in _UNITS:
        if named <= units.keys():
            return units
    raise ValueError(f"{text!r} mixes units, or has one that is not known: both ends and the step are of one kind")


def _ratios(text: str, first: Fraction, last: Fraction, points: int, units: dict[str, int]) -> Iterator[Fraction]:
    """Values in equal ratios, both ends among them; in decimals of 50 digits, so that they are the same on every machine."""
    if first <= 0 or not 2 <= points <= MOST_VALUES:
        raise ValueError(f"{text!r}: a logarithmic range begins above 0 and has 2 to {MOST_VALUES:,} values")
    low, high = (_EXACT.divide(Decimal(x.numerator), Decimal(x.denominator)) for x in (first, last))
    width = _EXACT.ln(_EXACT.divide(high, low))
    whole = units is not COUNTS or first.denominator == last.denominator == 1
    for i in range(points):
        exact = _EXACT.multiply(low, _EXACT.exp(_EXACT.divide(_EXACT.multiply(width, Decimal(i)), Decimal(points - 1))))
        rounded = exact if units is COUNTS and whole else _DIGITS.plus(exact)
        value = Fraction(rounded)
        yield first if i == 0 else last if i == points - 1 else Fraction(round(value)) if whole else value


def _text(value: Fraction, units: dict[str, int], unit: str) -> str:
    """As a decimal number of a unit; of the smallest one where that has no end."""
    for name in (unit, next(iter(units))):
        number = value / units.get(name, 1)
        decimal = _EXACT.divide(Decimal(number.numerator), Decimal(number.denominator))
        if Fraction(decimal) == number:
            break
    return f"{decimal:f}{name}" if name else f"{decimal:f}"


def toml_literal(value: object) -> str:
    """A value of a scenario file as it may stand behind ``--set name=``.

    Raises
    ------
    ValueError
        If it is a table or an array: neither varies.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, str)):
        return str(value)
    raise ValueError(f"{value!r} is not a value that can vary: give texts, numbers, true or false")


__all__ = ["MOST_VALUES", "expand_values", "toml_literal"]
