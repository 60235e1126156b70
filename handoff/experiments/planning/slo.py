"""Targets: a measure, a comparison, a limit in the measure's unit."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.quantities import format_duration, parse_duration, parse_size
from handoff.scenario.units import FREQUENCY

_FORM = re.compile(r"\s*(?P<measure>\S(?:.*\S)?)\s*(?P<relation><=|>=|<|>)\s*(?P<limit>[^<>=]+?)\s*\Z")
_HOW = "write MEASURE<=LIMIT (or <, >=, >), as in 'loss_ratio<=1e-4' or 'registration_delay_p99<=50ms'"


@dataclass(frozen=True)
class Target:
    """What is wanted of one measure.

    Attributes
    ----------
    measure : str
        A name that ``handoff.measures`` reads, as in ``ha.registration_wait_mean``.
    relation : {"<=", "<", ">=", ">"}
    limit : float
        In the unit of the measure.
    unit : str
        "ps", "ratio", "packets", "bytes", "1/s" or "".
    """

    measure: str
    relation: str
    limit: float
    unit: str

    @property
    def is_upper_bound(self) -> bool:
        """Whether small values meet it."""
        return self.relation[0] == "<"

    @property
    def is_at_extreme(self) -> bool:
        """Whether one replication that breaks it settles it: no measure is below 0, no ratio above 1.

        A mean can then not be clear of the limit on the good side, whatever the number of replications.
        """
        if self.is_upper_bound:
            return self.relation == "<=" and self.limit == 0
        return self.relation == ">=" and self.unit == "ratio" and self.limit == 1

    def holds(self, value: float) -> bool:
        """Whether a value meets it."""
        if self.is_upper_bound:
            return value < self.limit or (self.relation == "<=" and value == self.limit)
        return value > self.limit or (self.relation == ">=" and value == self.limit)

    def excess(self, value: float) -> float:
        """How far a value is on the wrong side, in the measure's unit; below 0 on the right one."""
        return value - self.limit if self.is_upper_bound else self.limit - value

    def __str__(self) -> str:
        return f"{self.measure} {self.relation} {format_value(self.limit, self.unit)}"


def format_value(value: float, unit: str) -> str:
    """A value of a measure as text, with its unit."""
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else "∞" if value > 0 else "-∞"
    if unit == "ps":
        return format_duration(round(float(f"{value:.4g}")))  # four digits are what an estimate has
    if unit in ("packets", "bytes", "") and abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.4g}"
    if unit in ("packets", "bytes") and value == 1:
        unit = unit.removesuffix("s")
    return f"{text}/s" if unit == "1/s" else f"{text} {unit}" if unit.startswith(("packet", "byte")) else text


def parse(text: str, unit_of: Callable[[str], str]) -> Target:
    """A target of its text.

    Parameters
    ----------
    text : str
        ``'registration_delay_p99<=50ms'``. The last comparison in it counts: links have a ``>`` in their names.
    unit_of : callable
        Unit of a measure by its name; raises ValueError, with what there is, for one that is unknown.

    Raises
    ------
    ValueError
        If it is no target, its measure is unknown, its limit has another unit, or any value meets it or none.
    """
    match = _FORM.match(text)
    if not match:
        raise ValueError(f"{text!r} is not a target: {_HOW}")
    measure, relation = match["measure"], match["relation"]
    unit = unit_of(measure)
    try:
        limit = _LIMITS[unit](match["limit"])
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None
    target = Target(measure, relation, limit, unit)
    most = 1.0 if unit == "ratio" else math.inf
    if not target.holds(0.0) and not target.holds(most):
        raise ValueError(f"{text!r}: no value of {measure} meets it: {_range(unit)}")
    if target.holds(0.0) and target.holds(most):
        raise ValueError(f"{text!r}: every value of {measure} meets it: {_range(unit)}")
    return target


def parse_all(texts: Iterable[str], unit_of: Callable[[str], str]) -> list[Target]:
    """Targets of their texts.

    Raises
    ------
    ValueError
        With everything that is wrong with them, one problem a line; also if two cannot be met together, or one stands twice.
    """
    found: list[Target] = []
    wrong: list[str] = []
    for text in texts:
        try:
            target = parse(text, unit_of)
        except ValueError as error:
            wrong.append(str(error))
            continue
        if target in found:
            wrong.append(f"target '{target}' stands twice: give it once")
        wrong += [f"targets '{a}' and '{target}' contradict each other: no value meets both" for a in found if _apart(a, target)]
        found.append(target)
    if wrong:
        raise ValueError("\n".join(wrong))
    return found


def _apart(a: Target, b: Target) -> bool:
    """Whether no value meets both."""
    if a.measure != b.measure or a.is_upper_bound == b.is_upper_bound:
        return False
    least, most = (b, a) if a.is_upper_bound else (a, b)
    return least.limit > most.limit or (least.limit == most.limit and not (least.holds(most.limit) and most.holds(least.limit)))


def _range(unit: str) -> str:
    return "a ratio lies between 0 and 1" if unit == "ratio" else "it is never below 0"


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a number")
    return value


def _ratio(text: str) -> float:
    try:
        return _number(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise ValueError(f"{text!r} is not a ratio: write a number from 0 to 1, or a percentage, as in 1e-4 or '0.1%'") from None


def _count(text: str) -> float:
    try:
        return _number(text.removesuffix("packets"))
    except ValueError:
        raise ValueError(f"{text!r} is not a number of packets: write a plain number") from None


def _plain(text: str) -> float:
    try:
        return _number(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number; this measure has no unit") from None


_LIMITS: dict[str, Callable[[str], float]] = {
    "ps": lambda text: float(parse_duration(text)), "ratio": _ratio, "packets": _count, "bytes": lambda text: float(parse_size(text)),
    "1/s": lambda text: FREQUENCY.parse(text) / FREQUENCY.units["/s"], "": _plain,
}  # fmt: skip

__all__ = ["Target", "format_value", "parse", "parse_all"]
