"""Times in logs: decimal seconds, and dates in the notations of common programs, as exact picoseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

PS_PER_S = 10**12
_SECONDS = re.compile(r"(\d{1,18})(?:\.(\d{1,30}))?")
_DATE = re.compile(
    r"(\d{4})[-./](\d\d)[-./](\d\d)[T_ ](\d\d)[:.](\d\d)[:.](\d\d)(?:[.,](\d{1,30}))?\s*(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_NAMES_OF_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS = {name: i for i, name in enumerate(_NAMES_OF_MONTHS.split(), 1)}
_SYSLOG_DATE = re.compile(r"(?:(\d{4}) )?([A-Za-z]{3}) +(\d{1,2})(?: (\d{4}))? (\d\d):(\d\d):(\d\d)(?:\.(\d{1,30}))?", re.ASCII)
_YEAR_OF_UNDATED_LOG = 2000
"""RFC 3164 has no year; a leap year has every date."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_seconds(text: str) -> int | None:
    """Return decimal seconds in picoseconds, rounded down; None if the text is no such number."""
    match = _SECONDS.fullmatch(text)
    return None if match is None else int(match[1]) * PS_PER_S + _fraction_ps(match[2])


def parse_date(text: str) -> int | None:
    """Return a date and time in picoseconds since 1970; without a zone it is UTC. None if the text is no date.

    The notations are those of ISO 8601, G-NetTrack (``2020.01.01_00.00.00``) and syslog (``Jan  1 00:00:00``).
    """
    if match := _DATE.fullmatch(text):
        year, month, day, hour, minute, second = map(int, match.groups()[:6])
        return _date_ps(year, month, day, hour, minute, second, match[7], match[8])
    if match := _SYSLOG_DATE.fullmatch(text):
        first_year, name, day_text, last_year, hour_text, minute_text, second_text, fraction = match.groups()
        month = _MONTHS.get(name.lower(), 0)
        year = int(first_year or last_year or _YEAR_OF_UNDATED_LOG)
        return _date_ps(year, month, int(day_text), int(hour_text), int(minute_text), int(second_text), fraction, None)
    return None


def _date_ps(
    year: int, month: int, day: int, hour: int, minute: int, second: int, fraction: str | None, zone: str | None
) -> int | None:
    try:
        date = datetime(year, month, day, hour, minute, tzinfo=_zone(zone)) + timedelta(seconds=second)
        since = date - _EPOCH
    except (ValueError, OverflowError):
        return None
    if second > 60:  # 60 is a leap second
        return None
    return (since.days * 86_400 + since.seconds) * PS_PER_S + _fraction_ps(fraction)


def _zone(text: str | None) -> timezone:
    if text in (None, "Z"):
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def _fraction_ps(digits: str | None) -> int:
    return int((digits or "0")[:12].ljust(12, "0"))


def format_seconds(ps: int) -> str:
    """Return picoseconds as decimal seconds without trailing zeros."""
    return f"{ps // PS_PER_S}.{ps % PS_PER_S:012d}".rstrip("0").rstrip(".")
