"""Times at the border of the program: picoseconds inside (``_ps``), seconds in tables and JSON (``_s``)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

PS_PER_S = 10**12


def column_name(name: str) -> str:
    """Return the name that a column or figure of this name has in tables and JSON."""
    return f"{name.removesuffix('_ps')}_s" if name.endswith("_ps") else name


def to_seconds(ps: float | None) -> float | None:
    """Return a time in ps in seconds, as the nearest float; None for a time that was not measured."""
    return None if ps is None else ps / PS_PER_S


def json_values(unit: str, values: Iterable[float | None]) -> tuple[str, list[float | None]]:
    """Return the unit and the values of a measure for JSON: seconds for ps, None for infinities and NaN."""
    finite = [None if value is None or not math.isfinite(value) else value for value in values]
    return ("s", [*map(to_seconds, finite)]) if unit == "ps" else (unit, finite)


def row_in_seconds(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of figures with times in seconds and their names in tables and JSON."""
    return {column_name(name): to_seconds(value) if name.endswith("_ps") else value for name, value in row.items()}
