"""Values of a field as numbers on the axis of a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from handoff.experiments.sweep.field_columns import parse_numbers

_MS_PER_S = 1000.0


def axis_numbers(texts: Sequence[str | None]) -> tuple[list[Any], str] | None:
    """Return the values of a field as numbers, None for None, and their unit (durations in ms); None if they are no numbers."""
    numbers = parse_numbers(texts)
    if numbers is None or pa.types.is_boolean(numbers.values.type):
        return None
    values = numbers.values.to_pylist()
    if numbers.suffix != "_s":
        return values, numbers.symbol
    return [None if value is None else _MS_PER_S * value for value in values], "ms"
