"""Numeric fields of a scenario: conversion between text and whole numbers of steps, so that a search can step between values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.quantities import DURATION, Quantity, is_unlimited, parse_fraction
from handoff.scenario.field_paths import is_count, validators_at
from handoff.scenario.field_types import DecimalReader, QuantityReader, read_probability
from handoff.scenario.handoff_times import parse_gap, parse_uniform
from handoff.scenario.overrides import resolve_paths
from handoff.scenario.units import COUNT, parse_count, parse_percent

_PROBABILITY_DIGITS = 12
_LONGEST_NUMBER = 64


@dataclass(frozen=True)
class NumericField:
    """A field whose values are whole numbers of steps.

    Attributes
    ----------
    name : str
        Name of the field, for messages.
    quantity : Quantity or None
        Units of the field; ``COUNT`` for a number of packets, mobile nodes or agents. None for a plain decimal number.
    digits : int
        Decimals of a plain number: 12 for a probability, 6 for a share. Its step is ``10**-digits``.
    unit : str
        Unit in which values are written if six decimals suffice; empty: the unit that suits each value.
    """

    name: str
    quantity: Quantity | None = None
    digits: int = 0
    unit: str = ""

    @classmethod
    def of(cls, data: dict[str, Any], name: str) -> NumericField:
        """Return the field with a short name or dotted path (``handoff.scenario.overrides.resolve_paths``).

        Raises
        ------
        ValueError
            If there is no such field, or its values are not numbers.
        """
        path = resolve_paths(data, name)[0].split(".")
        for reader in validators_at(path):
            if isinstance(reader, QuantityReader):
                return cls(name, reader.quantity)
            if reader in (parse_uniform, parse_gap):
                return cls(name, DURATION)
            if isinstance(reader, DecimalReader):
                return cls(name, digits=reader.digits)
            if reader is read_probability:
                return cls(name, digits=_PROBABILITY_DIGITS)
        if is_count(path):
            return cls(name, COUNT)
        raise ValueError(f"{name}: is not a number, a duration, a rate or a size that could vary")

    @property
    def is_count(self) -> bool:
        """If true, the field counts things and has no unit."""
        return self.quantity is COUNT

    def parse(self, text: str) -> int:
        """Return the number of steps of a text of a scenario file; a count may also be written as in ``10k``.

        Raises
        ------
        ValueError
            If the text has another form, or its value is no whole number of steps.
        """
        try:
            if is_unlimited(text):
                raise ValueError(f"{text.strip()!r} is no number to search or step between: give one")
            if self.quantity is None:
                return self._parse_decimal(text)
            if self.is_count:
                return parse_count(text)
            return 0 if text.strip() == "0" else self.quantity.read(text)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None

    def text(self, number: int) -> str:
        """Return the text that a scenario file and ``parse`` read as exactly this number of steps."""
        if self.quantity is None:
            sign, (integer, fraction) = "-" * (number < 0), divmod(abs(number), 10**self.digits)
            return f"{sign}{integer}.{fraction:0{self.digits}}".rstrip("0").removesuffix(".")
        return str(number) if self.is_count else self.quantity.format_exact(number, self.unit)

    def display(self, number: int) -> str:
        """Return a number of steps as text for a sentence, with separators between thousands; without ``unit``, the shortest."""
        if self.quantity is None:
            return self.text(number)
        return f"{number:,}" if self.is_count else self.quantity.format_shortest(number, self.unit)

    def _parse_decimal(self, text: str) -> int:
        try:
            number = parse_fraction(parse_percent(text)) * 10**self.digits if len(text) <= _LONGEST_NUMBER else None
        except (ValueError, ZeroDivisionError):
            raise ValueError(f"{text!r} is not a number") from None
        if number is None or number.denominator != 1:
            raise ValueError(f"{text!r} has more than {self.digits} decimals")
        return int(number)
