"""Table of the values that a sweep varies: numbers as numbers, and quantities also as numbers in the unit of the name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from engine.quantities import DURATION, RATE, SIZE, Quantity
from handoff.output.fields import ABOUT_KEY, UNIT_KEY
from handoff.scenario.units import DECIBELS, FREQUENCY, LENGTH, POWER, SPEED

_SUFFIXES = {
    "_s": (DURATION, "s", "s"), "_bit_s": (RATE, "bit/s", "bit/s"), "_bytes": (SIZE, "B", "bytes"), "_m": (LENGTH, "m", "m"),
    "_m_per_s": (SPEED, "m/s", "m/s"), "_per_h": (FREQUENCY, "/h", "1/h"), "_db": (DECIBELS, "dB", "dB"),
    "_dbm": (POWER, "dBm", "dBm"),
}  # fmt: skip
"""Suffix of a column of numbers: its quantity, and its unit in scenario files and as metadata."""


@dataclass(frozen=True)
class FieldNumbers:
    """Values of a field as numbers or booleans.

    Attributes
    ----------
    values : pyarrow.Array
        One for each row; null where the row does not vary the field.
    suffix : str
        Suffix of the unit of a quantity, as in ``_s``; empty if the texts are plain numbers or booleans.
    symbol : str
        The unit as metadata; empty if there is none.
    """

    values: pa.Array
    suffix: str = ""
    symbol: str = ""


def parse_numbers(texts: Sequence[str | None]) -> FieldNumbers | None:
    """Return the values of a field as numbers, quantities in the unit of the suffix; None if they are not all of one kind."""
    if (values := _parse_column(texts, _parse_json_number)) is not None:
        return FieldNumbers(values)
    for suffix, (quantity, unit, symbol) in _SUFFIXES.items():
        if (values := _parse_column(texts, partial(_parse_quantity, quantity, unit))) is not None:
            return FieldNumbers(values, suffix, symbol)
    return None


def field_columns(rows: Sequence[Mapping[str, str]]) -> pa.Table:
    """Return one column for each field that any row varies; a row that does not vary a field has null there.

    The type of a column is whole numbers, numbers, booleans or text, whichever fits all its values. A field of quantities
    (``20ms``) has a second column of numbers beside the text, in the unit of its suffix: ``lead_time`` and ``lead_time_s``.

    Parameters
    ----------
    rows : sequence of mapping of str to str
        Text of each value by the name of its field.
    """
    columns: dict[str, pa.Array] = {}
    units: dict[str, str] = {}
    names = dict.fromkeys(name for row in rows for name in row)
    for name in names:
        texts = [row.get(name) for row in rows]
        numbers = parse_numbers(texts)
        if numbers is not None and not numbers.suffix:
            columns[name] = numbers.values
            continue
        columns[name] = pa.array(texts, pa.string())
        if numbers is not None and (column := name + numbers.suffix) not in names:
            columns[column], units[column] = numbers.values, numbers.symbol
    fields = [
        pa.field(name, values.type, metadata={UNIT_KEY: units.get(name, ""), ABOUT_KEY: "Value of the varied field."})
        for name, values in columns.items()
    ]
    return pa.table(list(columns.values()), pa.schema(fields))


def _parse_column(texts: Sequence[str | None], parse: Callable[[str], Any]) -> pa.Array | None:
    """Return None if ``parse`` refuses any text, or the values have no common type."""
    try:
        return pa.array([None if text is None else parse(text) for text in texts])
    except (ValueError, pa.ArrowException):
        return None


def _parse_quantity(quantity: Quantity, unit: str, text: str) -> float:
    steps, steps_per_unit = 0 if text == "0" else quantity.parse(text), quantity.units[unit]
    return steps if steps_per_unit == 1 else steps / steps_per_unit


def _parse_json_number(text: str) -> int | float | bool:
    value = json.loads(text)
    if not isinstance(value, (bool, int, float)):
        raise ValueError(text)
    return value
