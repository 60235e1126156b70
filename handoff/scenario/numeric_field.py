"""Numbers of a scenario's fields: text to a whole number of the smallest unit and back, so that a search can step between."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from handoff.scenario.field_paths import is_count, readers_at
from handoff.scenario.field_types import Decimals, Quantity, count, duration, probability
from handoff.scenario.movement import parse_uniform
from handoff.scenario.overrides import resolve_paths

_PROBABILITY_DIGITS = 12


@dataclass(frozen=True)
class NumericField:
    """The numbers that a field may have.

    Attributes
    ----------
    name : str
        Of the field.
    whole : bool
        Whether it counts things (packets, mobile nodes, agents); else it is measured, and 1 is the smallest unit there is.
    quantity : Quantity or None
        How text with a unit is read.
    digits : int
        Decimals of a plain number, where there is no unit: 12 of a probability, 6 of a share.
    """

    name: str
    whole: bool
    quantity: Quantity | None = None
    digits: int = 0

    @classmethod
    def of(cls, data: dict[str, Any], name: str) -> NumericField:
        """The scale of a field by its short name or dotted path (``handoff.scenario.overrides.resolve_paths``).

        Raises
        ------
        ValueError
            If there is no such field, or it is no number.
        """
        path = resolve_paths(data, name)[0].split(".")
        for reader in readers_at(path):
            if isinstance(reader, Quantity):
                return cls(name, False, reader)
            if reader is parse_uniform:
                return cls(name, False, duration)
            if isinstance(reader, Decimals):
                return cls(name, False, digits=reader.digits)
            if reader is probability:
                return cls(name, False, digits=_PROBABILITY_DIGITS)
        if is_count(path):
            return cls(name, True)
        raise ValueError(f"{name}: is not a number, a duration, a rate or a size that could vary")

    def parse(self, text: str) -> int:
        """Number of text as it stands in a scenario file; of a count also as in ``10k``.

        Raises
        ------
        ValueError
            If it is no such text, or finer than the smallest unit.
        """
        try:
            if self.whole:
                return count(text)
            if self.quantity is not None:
                return self.quantity(0 if text.strip() == "0" else text)
            return self._decimal(text)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None

    def text(self, number: int) -> str:
        """Text that a scenario file and ``parse`` read as exactly this number, in the largest unit that keeps it whole."""
        if self.whole:
            return str(number)
        if self.quantity is not None:
            fit = [unit for unit, size in self.quantity.units.items() if number % size == 0 and (number or size == 1)]
            unit = max(fit, key=self.quantity.units.__getitem__)
            return f"{number // self.quantity.units[unit]}{unit}"
        sign, (whole, part) = "-" * (number < 0), divmod(abs(number), 10**self.digits)
        return f"{sign}{whole}.{part:0{self.digits}}".rstrip("0").removesuffix(".")

    def _decimal(self, text: str) -> int:
        try:
            number = Fraction(text) * 10**self.digits if len(text) <= 64 else Fraction(1, 2)
        except (ValueError, ZeroDivisionError):
            raise ValueError(f"{text!r} is not a number") from None
        if number.denominator != 1:
            raise ValueError(f"{text!r} has more than {self.digits} decimals")
        return int(number)
