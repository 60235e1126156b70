"""Summary of a sweep: the measures of each point, with confidence intervals over the replications."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from handoff.experiments.execution.task import Table
from handoff.experiments.sweep.dataset import DATASET_SCHEMAS, Run, StoredRun, read_table
from handoff.experiments.sweep.points import Point
from handoff.experiments.sweep.sweep_plan import SweepPlan
from handoff.metrics.batch_means import MIN_BATCHES, batch_means
from handoff.metrics.catalogue import Value, batch_values, evaluate, get_measure, has_enough_samples, possible_values
from handoff.metrics.confidence import EXACT, NO_SPREAD, Interval, mean_interval, unbounded_interval
from handoff.metrics.event_interval import FAY_FEUER, EventCount, event_interval

DEFAULT_MEASURES = ("loss_ratio", "disruption_p99", "delay_p99", "latency_p50", "signalling_messages")
TOO_FEW_SAMPLES = "too few samples"
NOTHING_MEASURED = "nothing measured"
TOO_SHORT = f"too short for an interval: its batches are correlated, or fewer than {MIN_BATCHES}"


@dataclass(frozen=True)
class Estimate:
    """A measure at a point.

    Attributes
    ----------
    unit : str
        Unit of the measure.
    interval : Interval or None
        Mean with its confidence interval; None if there is no value.
    note : str
        Reason why there is no value (``TOO_FEW_SAMPLES`` in a replication, ``NOTHING_MEASURED``, no such node or link), or why
        a run in batches has no interval (``TOO_SHORT``).
    samples : int
        Samples of the replication that has the fewest.
    resolution : float
        Largest distance of a replication's value from the true one, as a share of it; 0 for exact values.
    """

    unit: str
    interval: Interval | None
    note: str = ""
    samples: int = 0
    resolution: float = 0.0


@dataclass(frozen=True)
class PointSummary:
    """The measures of a point.

    Attributes
    ----------
    point : Point
    runs : int
        Complete replications.
    other_version : int
        Number of these that another version of the code made.
    estimates : dict of str to Estimate
        Estimates by the name of the measure.
    """

    point: Point
    runs: int
    other_version: int
    estimates: dict[str, Estimate] = field(default_factory=dict)


class LazyTables(Mapping[str, Table]):
    """Tables of a run, each read from the disk at its first use."""

    def __init__(self, stored: StoredRun) -> None:
        self.stored, self._tables = stored, {"runs": stored.row}

    def __getitem__(self, name: str) -> Table:
        if name not in self._tables:
            self._tables[name] = read_table(self.stored, name)
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(DATASET_SCHEMAS)

    def __len__(self) -> int:
        return len(DATASET_SCHEMAS)


def summarise(plan: SweepPlan, stored: Mapping[Run, StoredRun], measures: Sequence[str], code_version: str) -> list[PointSummary]:
    """Return a summary of each point of a plan that has a complete run.

    Parameters
    ----------
    plan : SweepPlan
        Plan of the sweep.
    stored : mapping of Run to StoredRun
        Complete runs of the dataset.
    measures : sequence of str
        Names in ``handoff.metrics.catalogue``.
    code_version : str
        Version of the code; runs of other versions are counted.
    """
    rows = []
    for point, tables in stored_tables(plan, stored).items():
        other = sum(t.stored.code_version != code_version for t in tables)
        rows.append(PointSummary(point, len(tables), other, {name: estimate_measure(name, tables) for name in measures}))
    return rows


def stored_tables(plan: SweepPlan, stored: Mapping[Run, StoredRun]) -> dict[Point, list[LazyTables]]:
    """Return the tables of the complete replications of each point of a plan that has any."""
    tables = {
        point: [LazyTables(stored[point.key, seed]) for seed in plan.seeds if (point.key, seed) in stored]
        for point in plan.points
    }  # fmt: skip
    return {point: runs for point, runs in tables.items() if runs}


def estimate_measure(name: str, runs: Sequence[Mapping[str, Table]]) -> Estimate:
    """Estimate a measure with its 95 % confidence interval.

    - Equal runs under different seeds: nothing is random, and the value is exact.
    - Numbers and ratios of events, such as lost packets: :func:`handoff.metrics.event_interval.event_interval`.
    - Other measures of several replications: Student's t. Equal values have no interval: they do not show how others may differ.
    - A single run with batches: batch means, unless events in bursts are so few that their number decides.

    Parameters
    ----------
    name : str
        Name in ``handoff.metrics.catalogue``.
    runs : sequence of mapping of str to table
        Tables of each replication, at least one.
    """
    unit = get_measure(name).unit
    try:
        values = [_evaluate(name, tables) for tables in runs]
    except ValueError as error:  # this point has no such node or link
        return Estimate(unit, None, str(error))
    samples, resolution = min(v.samples for v in values), max(v.resolution for v in values)
    if any(v.value is not None and not has_enough_samples(name, v.samples) for v in values):
        return Estimate(unit, None, TOO_FEW_SAMPLES, samples)
    numbers = [v.value for v in values if v.value is not None]
    if not numbers:
        return Estimate(unit, None, NOTHING_MEASURED, samples)
    if len({tables["runs"]["fingerprint"][0] for tables in runs}) < min(2, len(runs)):
        return Estimate(unit, Interval(numbers[0], numbers[0], numbers[0], len(runs), EXACT), "", samples, resolution)
    batches = _evaluate_batches(name, runs[0]) if len(runs) == 1 else []
    if not batches:
        interval = _interval(numbers, [v.events for v in values if v.value is not None])
        return Estimate(unit, interval.within(*possible_values(name, unit)), "", samples, resolution)
    numbers = [v.value for v in batches if v.value is not None]
    interval = _interval(numbers, [v.events for v in batches])
    if interval.method != FAY_FEUER:
        interval = batch_means(numbers).within(*possible_values(name, unit))
    return Estimate(unit, interval, "" if interval.known else TOO_SHORT, samples, resolution)


def _interval(numbers: Sequence[float], counts: Sequence[EventCount | None]) -> Interval:
    events = [c for c in counts if c is not None]
    if len(events) == len(numbers):
        return event_interval(events)
    interval = mean_interval(numbers)
    return replace(unbounded_interval(numbers), method=NO_SPREAD) if interval.low == interval.high else interval


def _evaluate(name: str, tables: Mapping[str, Table]) -> Value:
    if "." in name:
        return evaluate(tables, name)
    return get_measure(name).of(tables)  # may need no more than the row of the run, which is in memory


def _evaluate_batches(name: str, tables: Mapping[str, Table]) -> list[Value]:
    # Empty if the measure cannot be computed for each batch.
    try:
        values = batch_values(tables, name)
    except ValueError:  # a measure of nodes or links
        return []
    return values if all(v.value is not None for v in values) else []
