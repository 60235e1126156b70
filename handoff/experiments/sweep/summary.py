"""What a sweep found: of each point the measures with their intervals over replications."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handoff.experiments.execution.task import Table
from handoff.experiments.sweep.dataset import DATASET_SCHEMAS, Run, StoredRun, read_table
from handoff.experiments.sweep.points import Point
from handoff.experiments.sweep.runner import SweepPlan
from handoff.metrics.catalogue import Value, batch_values, evaluate, get_measure, has_enough_samples
from handoff.metrics.confidence import Interval, batch_means, mean_interval

DEFAULT = ("loss_ratio", "delay_p99", "disruption_p99", "latency_p50", "signalling_messages")
TOO_FEW = "too few samples"
NOTHING = "nothing measured"


@dataclass(frozen=True)
class Estimate:
    """A measure at a point.

    Attributes
    ----------
    unit : str
    interval : Interval or None
        None if there is no figure.
    note : str
        Why not: ``TOO_FEW`` in a replication for what the measure is, ``NOTHING``, or no such node or link.
    samples : int
        The fewest that a replication rests on.
    """

    unit: str
    interval: Interval | None
    note: str = ""
    samples: int = 0


@dataclass(frozen=True)
class PointSummary:
    """A point.

    Attributes
    ----------
    point : Point
    runs : int
        Replications that are complete.
    other_version : int
        Of these, made by another code version.
    figures : dict of str to Figure
    """

    point: Point
    runs: int
    other_version: int
    figures: dict[str, Estimate] = field(default_factory=dict)


class _Tables(Mapping[str, Table]):
    """Tables of a run, read from the disk when somebody wants them."""

    def __init__(self, stored: StoredRun) -> None:
        self._stored, self._read = stored, {"runs": stored.row}

    def __getitem__(self, name: str) -> Table:
        if name not in self._read:
            self._read[name] = read_table(self._stored, name)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(DATASET_SCHEMAS)

    def __len__(self) -> int:
        return len(DATASET_SCHEMAS)


def summary(plan: SweepPlan, stored: Mapping[Run, StoredRun], measures: Sequence[str], code_version: str) -> list[PointSummary]:
    """A row for each point of a plan that has a complete run.

    The interval (95 %) is Student's over replications; of a single run that was cut into batches it is that of batch means.
    """
    rows = []
    for point in plan.points:
        runs = [stored[point.key, seed] for seed in plan.seeds if (point.key, seed) in stored]
        if runs:
            tables = [_Tables(run) for run in runs]
            other = sum(run.code_version != code_version for run in runs)
            rows.append(PointSummary(point, len(runs), other, {name: figure(name, tables) for name in measures}))
    return rows


def figure(name: str, runs: Sequence[Mapping[str, Table]]) -> Estimate:
    """A measure over replications.

    Parameters
    ----------
    name : str
        Of ``handoff.measures``.
    runs : sequence of mapping of str to table
        One a replication, at least one.
    """
    unit = get_measure(name).unit
    try:
        found = [_value(name, tables) for tables in runs]
    except ValueError as error:  # a node or link that this point does not have
        return Estimate(unit, None, str(error))
    fewest = min(v.samples for v in found)
    if any(v.value is not None and not has_enough_samples(name, v.samples) for v in found):
        return Estimate(unit, None, TOO_FEW, fewest)
    values = [v.value for v in found if v.value is not None]
    if not values:
        return Estimate(unit, None, NOTHING, fewest)
    if len(runs) == 1 and (parts := _of_batches(name, runs[0])):
        return Estimate(unit, batch_means(parts), "", fewest)
    return Estimate(unit, mean_interval(values), "", fewest)


def _value(name: str, tables: Mapping[str, Table]) -> Value:
    if "." in name:
        return evaluate(tables, name)
    return get_measure(name).of(tables)  # which may need no more than the row of the run


def _of_batches(name: str, tables: Mapping[str, Table]) -> list[float]:
    """The measure in each batch; nothing if it cannot be told from the figures of batches."""
    try:
        found = [v.value for v in batch_values(tables, name)]
    except ValueError:  # of nodes or links
        return []
    known = [v for v in found if v is not None]
    return known if len(known) == len(found) else []


# -- shown ------------------------------------------------------------------------------------------------------------------


def told(found: Estimate) -> str:
    """A figure as text: mean and half the width of its interval."""
    if found.interval is None:
        return found.note
    mean, known = found.interval.mean, found.interval.known
    half = (found.interval.high - found.interval.low) / 2 if known else 0.0
    scale, unit = (1e9, " ms") if found.unit == "ps" else (1, "")
    text = _number(mean / scale) + (f" ± {_number(half / scale)}" if known else "")
    return text + unit


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def as_json(row: PointSummary) -> dict[str, Any]:
    """A row as JSON has it: figures in the units of their measures, null where an interval is not known."""
    return {
        "point": row.point.key,
        "values": dict(row.point.values),
        "procedure": row.point.procedure,
        "runs": row.runs,
        "runs_of_another_version": row.other_version,
        "measures": {name: _figure(found) for name, found in row.figures.items()},
    }


def _figure(found: Estimate) -> dict[str, Any]:
    if found.interval is None:
        return {"unit": found.unit, "mean": None, "note": found.note, "samples": found.samples}
    i = found.interval
    low, high = (i.low, i.high) if i.known else (None, None)
    return {"unit": found.unit, "mean": i.mean, "low": low, "high": high, "n": i.n, "samples": found.samples}
