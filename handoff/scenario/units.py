"""Quantities of space, radio and time as text with a unit, turned into exact integers."""

from __future__ import annotations

from engine.quantities import parse_quantity

LENGTH = {"mm": 1, "m": 10**3, "km": 10**6}
SPEED = {"mm/s": 1, "m/s": 10**3, "km/s": 10**6}
FREQUENCY = {"/Mh": 1, "/h": 10**6, "/min": 60 * 10**6, "/s": 3600 * 10**6}
DECIBELS = {"mdB": 1, "dB": 10**3}
LEVEL = {"mdBm": 1, "dBm": 10**3}
MEGAHOUR_PS = 10**6 * 3600 * 10**12


def parse_length(value: int | str) -> int:
    """Millimetres of text with a unit (``"50m"``); an int is millimetres already."""
    return parse_quantity(value, LENGTH, "length", "50m") if isinstance(value, str) else value


def parse_speed(value: int | str) -> int:
    """Millimetres per second of text with a unit (``"1.5m/s"``); an int is that already."""
    return parse_quantity(value, SPEED, "speed", "1.5m/s") if isinstance(value, str) else value


def parse_frequency(value: int | str) -> int:
    """Events in a million hours of text with a unit (``"75/h"``); an int is that already."""
    return parse_quantity(value, FREQUENCY, "rate of events", "75/h") if isinstance(value, str) else value


def parse_decibels(value: int | str) -> int:
    """Thousandths of a decibel of text with a unit (``"3dB"``); an int is that already."""
    return parse_quantity(value, DECIBELS, "ratio", "3dB", signed=True) if isinstance(value, str) else value


def parse_power(value: int | str) -> int:
    """A received or sent power as thousandths of a decibel over 1 mW, of text with a unit (``"-95dBm"``)."""
    return parse_quantity(value, LEVEL, "level", "-95dBm", signed=True) if isinstance(value, str) else value
