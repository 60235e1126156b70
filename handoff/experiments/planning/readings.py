"""Measures as targets use them: what they are called in a scenario, and readings of a run's tables."""

from __future__ import annotations

from collections.abc import Sequence

from handoff.experiments.execution.task import Table
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.verdict import Reading
from handoff.metrics.catalogue import evaluate, get_measure, has_enough_samples


def readings(targets: Sequence[Target], tables: dict[str, Table]) -> tuple[Reading, ...]:
    """The targets' measures of one run."""
    return tuple(_reading(tables, target.measure) for target in targets)


def _reading(tables: dict[str, Table], name: str) -> Reading:
    found = evaluate(tables, name)
    counted = name.endswith("_ratio") and (found.value or 0) <= 1  # of so many: no share of time, no more copies than packets
    return Reading(found.value, found.samples if counted else None, found.value is None or has_enough_samples(name, found.samples))


def needs_detail(targets: Sequence[Target]) -> bool:
    """Whether one of them is read off the record of every packet."""
    return any(get_measure(target.measure).detail for target in targets)
