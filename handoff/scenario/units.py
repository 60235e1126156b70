"""Quantities of a scenario file besides durations, rates and sizes (``engine.quantities``): counts, lengths, powers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from engine.quantities import DURATION, RATE, SIZE, Quantity

_LONGEST_PERCENTAGE = 32

COUNT = Quantity("count", "10k", {"": 1, "k": 10**3, "M": 10**6, "G": 10**9})
LENGTH = Quantity("length", "50m", {"mm": 1, "m": 10**3, "km": 10**6})
SPEED = Quantity(
    "speed", "1.5m/s", {"mm/s": 1, "m/s": 10**3, "km/s": 10**6}, aliases={"km/h": Fraction(10**6, 3600)}
)
FREQUENCY = Quantity("rate of events", "75/h", {"/Mh": 1, "/h": 10**6, "/min": 60 * 10**6, "/s": 3600 * 10**6})
"""Events in a million hours: the step is fine enough for rates in events per second, minute and hour to be whole numbers."""
DECIBELS = Quantity("ratio", "3dB", {"mdB": 1, "dB": 10**3}, signed=True)
POWER = Quantity("power level", "-95dBm", {"mdBm": 1, "dBm": 10**3}, signed=True)
"""A sent or received power, relative to 1 mW."""

PERCENT = Quantity("percentage", "1%", {"%": 1})
"""Unit of shares and probabilities in ranges; single values are decimal numbers of any precision (``parse_percent``)."""

QUANTITIES = (COUNT, DURATION, RATE, SIZE, LENGTH, SPEED, FREQUENCY, DECIBELS, POWER, PERCENT)
"""Every quantity of a scenario file."""

MEGAHOUR_PS = 10**6 * DURATION.units["h"]
"""Period of a ``FREQUENCY`` of 1, in picoseconds."""


def parse_count(text: str) -> int:
    """Return the whole number of a text such as "10k", "1.5M" or "2G".

    Raises
    ------
    ValueError
        If the text is no number, negative, or no whole number.
    """
    try:
        return COUNT.parse(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a count: give a whole number from 0, as in 10000, '10k' or '1.5M'") from None


def parse_percent(text: str) -> str:
    """Return a percentage such as "1.5%" as a decimal number, "0.015", and any other text unchanged."""
    number, percent, rest = text.strip().partition("%")
    if not percent or rest or len(number) > _LONGEST_PERCENTAGE:
        return text
    try:
        return f"{Decimal(number.strip()).scaleb(-2):f}"
    except ArithmeticError:
        return text
