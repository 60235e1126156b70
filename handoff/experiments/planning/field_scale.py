"""Values of a field as positions that a search can step between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from engine.quantities import Quantity
from handoff.experiments.planning.value_search import SearchRange
from handoff.scenario.load import unknown_fields
from handoff.scenario.numeric_field import NumericField
from handoff.scenario.overrides import resolve_paths
from handoff.scenario.value_ranges import range_ends

SECOND = 10**12
_STEPS = {"options.lifetime": SECOND}
"""Fields whose values are multiples of more than the smallest unit: a lifetime is whole seconds (RFC 5944, 3.3)."""

_RESOLUTION_SHARE = 1 / 100
"""Resolution near 0, where a relative precision asks for increasingly fine values: a share of the precision at the high end."""


@dataclass(frozen=True)
class Values:
    """Positions of a search on the values of a field.

    Attributes
    ----------
    scale : NumericField
        The field, whose values are whole numbers.
    step : int
        Difference of the numbers at two adjacent positions.
    """

    scale: NumericField
    step: int = 1

    @classmethod
    def of(cls, data: dict[str, Any], name: str) -> Values:
        """Return the positions of the field with a short name or path.

        Raises
        ------
        ValueError
            If there is no such field, or its values are not numbers.
        """
        return cls(NumericField.of(data, name), _STEPS.get(resolve_paths(data, name)[0], 1))

    def in_unit(self, unit: str, *numbers: int) -> Values:
        """Return positions that are decimal in a unit, with texts in this unit.

        A search tries values with few digits. Between 100/s and 2000/s these are round numbers a second, not an hour. The
        positions stay as they are if the field has a step of its own, or if one of ``numbers`` is no multiple of the new step.
        """
        assert self.scale.quantity is not None, "a field without units"
        step = self.scale.quantity.units[unit]
        while step % 10 == 0:
            step //= 10
        if self.step != 1 or any(number % step for number in numbers):
            return self
        return replace(self, scale=replace(self.scale, unit=unit), step=step)

    def text(self, position: int) -> str:
        """Return a value as a scenario file has it."""
        return self.scale.text(position * self.step)

    def display(self, position: int) -> str:
        """Return a value as text for a sentence."""
        return self.scale.display(position * self.step)

    def value(self, position: int) -> int | float | str:
        """Return a value for JSON: a number if the field has no unit, else text with the unit."""
        text = self.text(position)
        if self.scale.is_count:
            return int(text)
        return float(text) if self.scale.quantity is None else text


def parse_range(data: dict[str, Any], name: str, text: str, precision: float) -> tuple[Values, SearchRange]:
    """Return the values of a field and the range of positions from ``LOW..HIGH``.

    Parameters
    ----------
    data : dict
        Tables of the scenario.
    name : str
        Short name or path of the field.
    text : str
        ``LOW..HIGH``; ``LOW:HIGH`` is the same.
    precision : float
        Relative precision of the search, as in ``SearchRange``.

    Raises
    ------
    ValueError
        If there is no such field, the ends are not values of it, or the range is empty, negative or descending.
    """
    ends = range_ends(text)
    if problems := unknown_fields(data, {name: ends or (text,)}):
        raise ValueError(problems[name])
    values = Values.of(data, name)
    if ends is None:
        raise ValueError(f"{name}: {text!r} is not a range: write LOW..HIGH, as in 1k..1M or 5ms..100ms; the search has no step")
    numbers = [values.scale.parse(end) for end in ends]
    if unit := _common_unit(values.scale.quantity, *ends):
        values = values.in_unit(unit, *numbers)
    if any(number % values.step for number in numbers):
        raise ValueError(f"{name}: {text!r} is finer than {values.display(1)}, the smallest step of this field: give multiples")
    low, high = (number // values.step for number in numbers)
    if low > high:
        raise ValueError(f"{name}: {text!r} goes down: write the smaller value first")
    if low == high:
        raise ValueError(f"{name}: {text!r} is a single value, nothing to search: give two, or use 'handoff run' for one")
    if low < 0:
        raise ValueError(f"{name}: {text!r} has values below 0, which are not searched: begin at 0 or above")
    resolution = 1 if values.scale.is_count else max(1, round(high * precision * _RESOLUTION_SHARE))
    return values, SearchRange(low, high, precision, resolution)


def _common_unit(quantity: Quantity | None, low: str, high: str) -> str | None:
    """Return the unit of both ends of a range, of which the low one may be "0"; None if they have different ones, or none."""
    unit = None if quantity is None else quantity.unit_of(high)
    return unit if quantity is not None and quantity.unit_of(low) in (unit, None) else None


__all__ = ["SECOND", "Values", "parse_range"]
