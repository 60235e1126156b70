"""Numbers, names and lists as texts of a report."""

from __future__ import annotations

import math
from collections.abc import Sequence

from handoff.output.printable import printable

MAX_NAME = 60
"""Characters of a name that a report shows."""
DASH = "–"
"""Text of a value that was not measured."""
_DECIMAL_UNITS = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def show_name(text: object) -> str:
    """Return a name as printable text, shortened in the middle if it is long."""
    name = str(text)
    if len(name) > 2 * MAX_NAME:
        name = name[:MAX_NAME] + name[-MAX_NAME:]  # an escape is never shorter than its character
    name = printable(name)
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME // 2]}…{name[1 - MAX_NAME // 2 :]}"


def show_count(value: float | None) -> str:
    """Return a number of things, rounded to an integer."""
    return DASH if _is_unknown(value) else f"{round(value or 0):,}"


def show_number(value: float | None) -> str:
    """Return a number with three significant digits; an integer from 100 on."""
    if value is None or not math.isfinite(value):
        return DASH
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.3g}"


def show_ms(value: float | None) -> str:
    """Return a time in milliseconds."""
    return DASH if _is_unknown(value) else f"{show_number(value)} ms"


def show_share(value: float | None) -> str:
    """Return a share in percent with two significant digits below 10 %."""
    if value is None or not math.isfinite(value):
        return DASH
    percent = 100 * value
    return f"{percent:.1f} %" if percent >= 10 else "0 %" if percent == 0 else f"{percent:.2g} %"


def show_bytes(value: float | None) -> str:
    """Return a number of bytes in decimal units."""
    if value is None or not math.isfinite(value):
        return DASH
    for unit, size in _DECIMAL_UNITS:
        if abs(value) >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value:,.0f} bytes"


def join_words(words: Sequence[str]) -> str:
    """Return words as an enumeration, the last two joined by "and"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def plural(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _is_unknown(value: float | None) -> bool:
    return value is None or not math.isfinite(value)
