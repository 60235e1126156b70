"""Values of a scenario's field as whole numbers that a search can step between, and how they are told."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from handoff.experiments.planning.bisection import SearchRange
from handoff.scenario.load import unknown_fields
from handoff.scenario.numeric_field import NumericField
from handoff.scenario.overrides import resolve_paths

SECOND = 10**12
_STEPS = {"options.lifetime": SECOND}
"""Fields that are no finer than this (a lifetime: RFC 5944, 3.3)."""
_DECIMALS = 6


@dataclass(frozen=True)
class Values:
    """Positions of a search on a field's scale.

    Attributes
    ----------
    scale : Scale
    step : int
        Numbers of the scale from one position to the next.
    """

    scale: NumericField
    step: int = 1

    @classmethod
    def of(cls, data: dict[str, Any], name: str) -> Values:
        """Of a field, by its short name or path.

        Raises
        ------
        ValueError
            If there is no such field, or it is no number.
        """
        return cls(NumericField.of(data, name), _STEPS.get(resolve_paths(data, name)[0], 1))

    def text(self, position: int) -> str:
        """As a scenario file has it."""
        return self.scale.text(position * self.step)

    def display(self, position: int) -> str:
        """In a sentence: in the unit that needs the fewest digits, of several the largest; above 0 a unit is not more than it."""
        number = position * self.step
        if self.scale.whole:
            return f"{number:,}"
        if self.scale.quantity is None:
            return self.scale.text(number)
        units = sorted(self.scale.quantity.units.items(), key=lambda u: -u[1])
        found = []
        for unit, size in units:
            part = Fraction(number, size) * 10**_DECIMALS
            if part.denominator == 1 and (abs(number) >= size or size == units[-1][1]):
                whole, rest = divmod(abs(int(part)), 10**_DECIMALS)
                digits = f".{rest:0{_DECIMALS}d}".rstrip("0").removesuffix(".")
                told = f"{'-' if number < 0 else ''}{whole:,}{digits}{'' if unit[0] == '/' else ' '}{unit}"
                found.append((len(f"{whole}{digits}"), told))
        return min(found, key=lambda f: f[0])[1] if found else self.scale.text(number)

    def value(self, position: int) -> int | float | str:
        """For JSON: a number if it has no unit."""
        text = self.text(position)
        return text if self.scale.quantity is not None else int(text) if self.scale.whole else float(text)


def parse_range(data: dict[str, Any], name: str, text: str, precision: float) -> tuple[Values, SearchRange]:
    """The values of a field from ``LOW:HIGH``.

    Raises
    ------
    ValueError
        If there is no such field, the ends are no values of it, or the range does not go up.
    """
    ends = text.split(":")
    if strange := unknown_fields(data, {name: ends}):
        raise ValueError(strange[name])
    values = Values.of(data, name)
    if len(ends) != 2:
        raise ValueError(f"{name}: {text!r} is not a range: write LOW:HIGH, as in 1k:1M or 5ms:100ms")
    numbers = [values.scale.parse(end.strip()) for end in ends]
    if any(number % values.step for number in numbers):
        raise ValueError(f"{name}: {text!r} is finer than it can be: whole seconds")
    low, high = (number // values.step for number in numbers)
    if low > high:
        raise ValueError(f"{name}: {text!r} goes down: write the smaller value first")
    if low == high:
        raise ValueError(f"{name}: {text!r} is a single value: there is nothing to search ('handoff run' says how it does)")
    if low < 0:
        raise ValueError(f"{name}: {text!r}: values below 0 are not searched")
    fine = 1 if values.scale.whole else max(1, round(high * precision / 100))
    return values, SearchRange(low, high, precision, fine)


__all__ = ["SECOND", "Values", "parse_range"]
