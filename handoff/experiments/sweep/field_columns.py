"""Table of the values that a sweep varies: numbers as numbers, and quantities also as whole numbers in the unit of the name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from engine.quantities import DURATION, RATE, SIZE, Quantity

_QUANTITY_SUFFIXES = {"_ps": DURATION, "_bit_s": RATE, "_bytes": SIZE}


def field_columns(rows: Sequence[Mapping[str, str]]) -> pa.Table:
    """Return one column for each field that any row varies; a row that does not vary a field has null there.

    The type of a column is whole numbers, numbers, booleans or text, whichever fits all its values. A field of durations,
    rates or sizes (``20ms``) has a second column of whole numbers beside the text: ``lead_time`` and ``lead_time_ps``, with
    the suffix ``_bit_s`` for rates and ``_bytes`` for sizes.

    Parameters
    ----------
    rows : sequence of mapping of str to str
        Text of each value by the name of its field.
    """
    columns: dict[str, pa.Array] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        texts = [row.get(name) for row in rows]
        numbers = _parse_column(texts, _parse_json_number)
        columns[name] = pa.array(texts, pa.string()) if numbers is None else numbers
        if numbers is None:
            for suffix, quantity in _QUANTITY_SUFFIXES.items():
                if (steps := _parse_column(texts, partial(_parse_steps, quantity))) is not None:
                    columns.setdefault(name + suffix, steps)
                    break
    return pa.table(columns)


def _parse_column(texts: Sequence[str | None], parse: Callable[[str], Any]) -> pa.Array | None:
    """Return None if ``parse`` refuses any text, or the values have no common type."""
    try:
        return pa.array([None if text is None else parse(text) for text in texts])
    except (ValueError, pa.ArrowException):
        return None


def _parse_steps(quantity: Quantity, text: str) -> int:
    return 0 if text == "0" else quantity.parse(text)


def _parse_json_number(text: str) -> int | float | bool:
    value = json.loads(text)
    if not isinstance(value, (bool, int, float)):
        raise ValueError(text)
    return value
