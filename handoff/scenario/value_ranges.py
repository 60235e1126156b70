"""Values that a field takes one after the other: lists, ranges with a step, ranges with logarithmic steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Context, Decimal
from fractions import Fraction

from engine.quantities import Quantity
from handoff.scenario.units import COUNT, QUANTITIES

MAX_VALUES = 100_000
"""Values that a range may have; a range with more is taken for a mistake in its step."""

_NUMBER = r"([+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,2})?)\s*((?!step|log)[^\d\s.,:][^\s:]*?)?"
_RANGE = re.compile(rf"\s*{_NUMBER}\s*(?:\.\.|:)\s*{_NUMBER}(?:\s+step\s+{_NUMBER}|\s+log\s+(\d+))?\s*")
_SINGLE = re.compile(rf"\s*{_NUMBER}\s*")
_FOUR_DIGITS = Context(prec=4)
_FIFTY_DIGITS = Context(prec=50)
"""Decimal arithmetic instead of floats, so that logarithmic steps are the same on every machine."""


def expand_values(text: str) -> list[str]:
    """Return the values that a text lists, in its order and without repetitions.

    Parameters
    ----------
    text : str
        One or several of these, with commas between them: a value (``"20ms"``, ``"1k"`` is 1000, a word), a range with both
        ends (``"10..50 step 10"``, ``"1ms..1s step 1ms"``; the default step between whole numbers is 1; ``:`` is read like
        ``..``), or a range in
        equal ratios (``"1k..1M log 7"``: seven values, rounded to whole numbers between whole numbers, else to four
        significant digits).

    Returns
    -------
    list of str
        Each in the form that may follow ``--set name=``.

    Raises
    ------
    ValueError
        If a value is missing, or a range is malformed, descending, too long or of mixed units.
    """
    values = [value for part in text.split(",") for value in _expand_part(part.strip())]
    return list(dict.fromkeys(values))


def _expand_part(text: str) -> Iterator[str]:
    if not text:
        raise ValueError("a value is missing: write values with commas between them, or a range as in '10..50 step 10'")
    match = _RANGE.fullmatch(text)
    if not match and ".." not in text:
        yield _expand_suffix(text)
        return
    if not match:
        raise ValueError(f"{text!r} is not a range: write '10..50 step 10', '1ms..1s step 1ms' or '1k..1M log 7'")
    low, low_unit, high, high_unit, step, step_unit, points = match.groups(default="")
    quantity = _common_quantity(text, ((low, low_unit), (high, high_unit), (step, step_unit)))
    first, last = _scale(quantity, low, low_unit), _scale(quantity, high, high_unit)
    if first > last:
        raise ValueError(f"{text!r} goes down: write the smaller end first")
    unit = "" if quantity is COUNT else step_unit or low_unit or high_unit
    if points:
        yield from (_format(value, quantity, unit) for value in _logarithmic(text, first, last, int(points), quantity))
        return
    if not step and (quantity is not COUNT or first.denominator != 1):
        raise ValueError(f"{text!r} has no step: write one, as in '{text} step …', or 'log 7' for seven values in equal ratios")
    width = _scale(quantity, step, step_unit) if step else Fraction(1)
    if width <= 0:
        raise ValueError(f"{text!r} has a step of 0 or below: give one above 0")
    if (last - first) / width >= MAX_VALUES:
        raise ValueError(f"{text!r} has more than {MAX_VALUES:,} values: give a larger step")
    yield from (_format(first + i * width, quantity, unit) for i in range(int((last - first) / width) + 1))


def _expand_suffix(text: str) -> str:
    """Return ``"1k"`` as ``"1000"``, and any other value unchanged."""
    match = _SINGLE.fullmatch(text)
    if match is None or match[2] not in COUNT.units:
        return text
    return _format(_scale(COUNT, match[1], match[2]), COUNT, "")


def _common_quantity(text: str, numbers: tuple[tuple[str, str], ...]) -> Quantity:
    """Return the quantity that has the units of all numbers; a missing number and 0 fit every quantity."""
    units = {unit for number, unit in numbers if number and Decimal(number) != 0}
    for quantity in QUANTITIES:
        if all(map(quantity.has_unit, units)):
            return quantity
    raise ValueError(f"{text!r} mixes units, or has an unknown one: give both ends and the step in units of one kind")


def _scale(quantity: Quantity, number: str, unit: str) -> Fraction:
    return Fraction(Decimal(number)) * (quantity.size(unit) if quantity.has_unit(unit) else 1)  # 0 may have no unit


def _logarithmic(text: str, first: Fraction, last: Fraction, points: int, quantity: Quantity) -> Iterator[Fraction]:
    if first <= 0 or not 2 <= points <= MAX_VALUES:
        raise ValueError(f"{text!r}: a logarithmic range begins above 0 and has 2 to {MAX_VALUES:,} values")
    low, high = (_FIFTY_DIGITS.divide(Decimal(x.numerator), Decimal(x.denominator)) for x in (first, last))
    width = _FIFTY_DIGITS.ln(_FIFTY_DIGITS.divide(high, low))
    whole = quantity is not COUNT or first.denominator == last.denominator == 1
    yield first
    for i in range(1, points - 1):
        exponent = _FIFTY_DIGITS.divide(_FIFTY_DIGITS.multiply(width, Decimal(i)), Decimal(points - 1))
        exact = _FIFTY_DIGITS.multiply(low, _FIFTY_DIGITS.exp(exponent))
        value = Fraction(exact if quantity is COUNT and whole else _FOUR_DIGITS.plus(exact))
        yield Fraction(round(value)) if whole else value
    yield last


def _format(value: Fraction, quantity: Quantity, unit: str) -> str:
    """Return a value as a decimal number in a unit, or in the smallest unit if the decimals do not end."""
    for name in (unit, quantity.step):
        number = value / (quantity.size(name) if quantity.has_unit(name) else 1)
        decimal = _FIFTY_DIGITS.divide(Decimal(number.numerator), Decimal(number.denominator))
        if Fraction(decimal) == number:
            break
    return f"{decimal:f}{name}"


def toml_literal(value: object) -> str:
    """Return a value of a scenario file in the form that may follow ``--set name=``.

    Raises
    ------
    ValueError
        If it is a table or an array: neither can vary.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, str)):
        return str(value)
    raise ValueError(f"{value!r} is not a value that can vary: give text, a number, true or false")


def range_ends(text: str) -> tuple[str, str] | None:
    """Return the two ends of a range ``LOW..HIGH`` or ``LOW:HIGH``; None if the text has another form."""
    ends = re.split(r"\.\.|:", text)
    return (ends[0].strip(), ends[1].strip()) if len(ends) == 2 and all(end.strip() for end in ends) else None


__all__ = ["MAX_VALUES", "expand_values", "range_ends", "toml_literal"]
