"""Targets (service-level objectives): a measure, a relation and a limit in the unit of the measure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.quantities import format_duration, parse_duration, parse_size
from handoff.metrics.catalogue import can_be_negative, possible_values
from handoff.scenario.units import FREQUENCY

_TARGET = re.compile(r"\s*(?P<measure>\S(?:.*\S)?)\s*(?P<relation><=|>=|<|>)\s*(?P<limit>[^<>=]+?)\s*\Z")
_LIMIT_DIGITS = 15
"""A limit is printed as it was given."""
_SYNTAX = "write MEASURE<=LIMIT (or <, >=, >), as in 'loss_ratio<=1e-4' or 'registration_delay_p99<=50ms'"


@dataclass(frozen=True)
class Target:
    """A limit for one measure.

    Attributes
    ----------
    measure : str
        Name in ``handoff.metrics.catalogue``, as in ``ha.registration_wait_mean``.
    relation : {"<=", "<", ">=", ">"}
    limit : float
        Limit in the unit of the measure.
    unit : str
        "ps", "ratio", "packets", "bytes", "1/s" or "".
    """

    measure: str
    relation: str
    limit: float
    unit: str

    @property
    def is_upper_bound(self) -> bool:
        """True if small values meet the target."""
        return self.relation[0] == "<"

    @property
    def is_at_extreme(self) -> bool:
        """True if the limit is the extreme of the measure: only extra bytes are ever below 0, and no ratio is above 1.

        One replication that violates the target then decides it. The interval of a mean never lies strictly on the good side of
        such a limit, whatever the number of replications.
        """
        if self.is_upper_bound:
            return self.relation == "<=" and self.limit == 0 and not can_be_negative(self.measure)
        return self.relation == ">=" and self.unit == "ratio" and self.limit == 1

    def holds(self, value: float) -> bool:
        """Return whether a value meets the target."""
        if self.is_upper_bound:
            return value < self.limit or (self.relation == "<=" and value == self.limit)
        return value > self.limit or (self.relation == ">=" and value == self.limit)

    def excess(self, value: float) -> float:
        """Return how far a value exceeds the limit, in the measure's unit; negative if it meets the target."""
        return value - self.limit if self.is_upper_bound else self.limit - value

    def __str__(self) -> str:
        return f"{self.measure} {self.relation} {format_value(self.limit, self.unit, _LIMIT_DIGITS)}"


def format_value(value: float, unit: str, digits: int = 4) -> str:
    """Return a value of a measure as text with its unit; an estimate has no more than four digits."""
    if not math.isfinite(value):
        return "no value" if math.isnan(value) else "∞" if value > 0 else "-∞"
    if unit == "ps":
        return format_duration(round(float(f"{value:.{digits}g}")), max(digits, 6))
    if unit in ("packets", "bytes", "") and abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.{digits}g}"
    if unit in ("packets", "bytes") and value == 1:
        unit = unit.removesuffix("s")
    return f"{text}/s" if unit == "1/s" else f"{text} {unit}" if unit.startswith(("packet", "byte")) else text


def parse_target(text: str, find_unit: Callable[[str], str]) -> Target:
    """Parse a target.

    Parameters
    ----------
    text : str
        Text as in ``'registration_delay_p99<=50ms'``. The last relation counts, because names of links contain a ``>``.
    find_unit : callable
        Returns the unit of a measure by its name; raises ValueError if there is no such measure.

    Raises
    ------
    ValueError
        If the text is not a target, the measure is unknown, the limit has another unit, or every value meets the target, or
        none does.
    """
    match = _TARGET.match(text)
    if not match:
        raise ValueError(f"{text!r} is not a target: {_SYNTAX}")
    measure, relation = match["measure"], match["relation"]
    unit = find_unit(measure)
    try:
        limit = _LIMITS[unit](match["limit"])
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None
    target = Target(measure, relation, limit, unit)
    lowest, highest = possible_values(measure, unit)
    if not target.holds(lowest) and not target.holds(highest):
        raise ValueError(f"{text!r}: no value of {measure} meets it: {_describe_range(unit)}")
    if target.holds(lowest) and target.holds(highest):
        raise ValueError(f"{text!r}: every value of {measure} meets it: {_describe_range(unit)}")
    return target


def parse_targets(texts: Iterable[str], find_unit: Callable[[str], str]) -> list[Target]:
    """Parse several targets; see :func:`parse_target`.

    Raises
    ------
    ValueError
        With all mistakes, one a line; also if two targets contradict each other or a target is listed twice.
    """
    targets: list[Target] = []
    errors: list[str] = []
    for text in texts:
        try:
            target = parse_target(text, find_unit)
        except ValueError as error:
            errors.append(str(error))
            continue
        if target in targets:
            errors.append(f"target '{target}' is listed twice: give it once")
        errors += [
            f"targets '{other}' and '{target}' contradict each other: no value meets both"
            for other in targets if _contradict(other, target)
        ]  # fmt: skip
        targets.append(target)
    if errors:
        raise ValueError("\n".join(errors))
    return targets


def _contradict(a: Target, b: Target) -> bool:
    if a.measure != b.measure or a.is_upper_bound == b.is_upper_bound:
        return False
    lower, upper = (b, a) if a.is_upper_bound else (a, b)
    if lower.limit == upper.limit:
        return not (lower.holds(lower.limit) and upper.holds(lower.limit))
    return lower.limit > upper.limit


def _describe_range(unit: str) -> str:
    return "a ratio lies between 0 and 1" if unit == "ratio" else "it is never below 0"


def _parse_number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a number")
    return value


def _parse_ratio(text: str) -> float:
    try:
        return _parse_number(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise ValueError(f"{text!r} is not a ratio: write a number from 0 to 1, or a percentage, as in 1e-4 or '0.1%'") from None


def _parse_packets(text: str) -> float:
    try:
        return _parse_number(text.removesuffix("packets"))
    except ValueError:
        raise ValueError(f"{text!r} is not a number of packets: write a plain number") from None


def _parse_plain_number(text: str) -> float:
    try:
        return _parse_number(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number; this measure has no unit") from None


_LIMITS: dict[str, Callable[[str], float]] = {
    "ps": lambda text: float(parse_duration(text)), "ratio": _parse_ratio, "packets": _parse_packets,
    "bytes": lambda text: float(parse_size(text)),
    "1/s": lambda text: FREQUENCY.parse(text) / FREQUENCY.units["/s"], "": _parse_plain_number,
}  # fmt: skip

__all__ = ["Target", "format_value", "parse_target", "parse_targets"]
