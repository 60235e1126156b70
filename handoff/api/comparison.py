"""Comparison of two results, A and B: differences with intervals, and what got worse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from handoff.api.arguments import as_tuple
from handoff.api.diff_origin import ChangedFields, changed_fields, diff_lines
from handoff.api.display import html_table, text_table
from handoff.api.errors import named_errors
from handoff.api.folder import read
from handoff.api.mobile_figures import MOBILE_MEASURES
from handoff.api.paired_samples import Sample, run_samples, sweep_samples
from handoff.api.results import Results
from handoff.api.sweeping import SweepResults
from handoff.metrics.confidence import Interval
from handoff.metrics.direction import better_values
from handoff.scenario.errors import ScenarioError

if TYPE_CHECKING:
    from handoff.api.plots import DiffPlots

MEASURES = (
    "loss_ratio", "disruption_mean", "disruption_p99", "delay_mean", "delay_p99", "duplicate_ratio", "reordered_ratio",
    "latency_mean", "seamless", "signalling_messages", "signalling_bytes", "extra_bytes",
)  # fmt: skip
"""Measures of a comparison of sweeps, unless others are named."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """Difference of one measure between A and B.

    Attributes
    ----------
    subject : str
        Procedure, or point and procedure.
    measure : str
    unit : str
    first, second : float
        Value in A and in B; times in seconds.
    interval : Interval
        ``second - first`` with its interval.
    verdict : str
        ``worse``, ``better`` or ``changed`` if the interval excludes everything within the tolerance; ``equal`` if nothing
        differs; ``unclear``; ``no interval``.
    """

    subject: str
    measure: str
    unit: str
    first: float
    second: float
    interval: Interval
    verdict: str

    @property
    def relative(self) -> float:
        """Difference as a share of the value in A."""
        return self.interval.mean / abs(self.first) if self.first else math.copysign(math.inf, self.interval.mean)

    @property
    def importance(self) -> tuple[int, float]:
        """Key to sort by: first what is certain, then the largest relative difference."""
        rank = ("worse", "better", "changed", "unclear", "no interval", "equal").index(self.verdict)
        return rank, -abs(self.relative) if self.interval.mean else 0.0


class DiffResults:
    """Differences between two results, the most important ones first.

    Attributes
    ----------
    differences : list of Difference
    confidence : float
        Probability that all intervals together contain the true differences.
    tolerance : float
        Share of the value in A that counts as no difference.
    notes : list of str
        What could not be compared, and why.
    changed_fields : dict of str to (str or None, str or None)
        Fields of the scenario that differ, also by ``--set``, with their values in A and B; None where there is no such field.
    """

    def __init__(
        self, differences: Sequence[Difference], confidence: float, tolerance: float, notes: Sequence[str], fields: ChangedFields
    ) -> None:
        self.differences = sorted(differences, key=lambda d: d.importance)
        self.confidence, self.tolerance, self.notes, self.changed_fields = confidence, tolerance, list(notes), fields

    @property
    def plot(self) -> DiffPlots:
        """Charts of the comparison: ``plot.changes()``."""
        from handoff.api.plots import DiffPlots

        return DiffPlots(diff_lines(self.table.to_pylist()))

    @property
    def passed(self) -> bool:
        """True if nothing is certain to be worse by more than the tolerance, or than the values are exact."""
        return not any(d.verdict == "worse" for d in self.differences)

    @property
    def table(self) -> pa.Table:
        """One row for each difference: values in A and B, their difference with both ends, the share, verdict and method."""
        rows = [
            {
                "subject": d.subject, "measure": d.measure, "unit": d.unit, "a": d.first, "b": d.second,
                "difference": d.interval.mean, "low": d.interval.low if d.interval.known else None,
                "high": d.interval.high if d.interval.known else None,
                "relative": d.relative if math.isfinite(d.relative) else None, "verdict": d.verdict, "n": d.interval.n,
                "method": d.interval.method or None,
            }
            for d in self.differences
        ]  # fmt: skip
        return pa.Table.from_pylist(rows, _SCHEMA)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the table by the Arrow PyCapsule interface."""
        return self.table.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<handoff.DiffResults {self.heading()}>\n{text_table(self.table)}"

    def _repr_html_(self) -> str:
        return html_table(self.table, self.heading())

    def heading(self) -> str:
        """Return how many differences there are, and what the intervals state."""
        worse = sum(d.verdict == "worse" for d in self.differences)
        return f"{worse} of {len(self.differences)} worse; all intervals together {self.confidence:.3g}"


_TEXT, _FLOAT = pa.string(), pa.float64()
_SCHEMA = pa.schema([
    ("subject", _TEXT), ("measure", _TEXT), ("unit", _TEXT), ("a", _FLOAT), ("b", _FLOAT), ("difference", _FLOAT),
    ("low", _FLOAT), ("high", _FLOAT), ("relative", _FLOAT), ("verdict", _TEXT), ("n", pa.int64()), ("method", _TEXT),
])  # fmt: skip


def diff(
    a: str | Path | Results | SweepResults, b: str | Path | Results | SweepResults | None = None, *,
    procedures: tuple[str, str] | None = None, measures: str | Sequence[str] = (), confidence: float = CONFIDENCE,
    tolerance: float = 0.0,
) -> DiffResults:  # fmt: skip
    """Compare two results, or two procedures.

    Sweeps are compared point by point, and replications with the same seed are paired. Single runs of one seed are
    compared by their mobile nodes. The intervals share the error: together they have the stated confidence.

    Parameters
    ----------
    a, b : str, Path, Results or SweepResults
        Results or their folders; without ``b``, two procedures of ``a``.
    procedures : (str, str) or None
        Compare this procedure in A with that one in B; None: each procedure with itself.
    measures : str or sequence of str
        Measures, in place of ``MEASURES`` (of single runs: ``MOBILE_MEASURES``).
    confidence : float
        Probability that all intervals contain the true differences.
    tolerance : float
        Share of the value in A by which B may be worse.

    Raises
    ------
    HandoffError
        If the results cannot be compared.
    """
    problems = []
    if b is None and procedures is None:
        problems.append("b is missing: give a second result, or two procedures of the first one")
    if not 0.5 <= confidence < 1:
        problems.append(f"confidence is {confidence}: give 0.5 or more, and less than 1")
    if not tolerance >= 0:
        problems.append(f"tolerance is {tolerance}: give 0 or more")
    if problems:
        raise ScenarioError(problems)
    first, second = (read(x) if isinstance(x, str | Path) else x for x in (a, a if b is None else b))
    problems += [
        f"{name} is {type(side).__name__}: give results of run, compare or sweep, or a folder; procedures=(A, B) names procedures"
        for name, side in (("a", first), ("b", second))
        if not isinstance(side, Results | SweepResults)
    ]
    if problems:
        raise ScenarioError(problems)
    notes: list[str] = []
    chosen = as_tuple(measures)
    samples: list[Sample]
    with named_errors():
        if isinstance(first, SweepResults) and isinstance(second, SweepResults):
            samples = sweep_samples(first, second, procedures, chosen or MEASURES, notes)
        elif isinstance(first, Results) and isinstance(second, Results):
            samples = run_samples(first, second, procedures, chosen or tuple(MOBILE_MEASURES), notes)
        else:
            raise ScenarioError(["a sweep and a single run cannot be compared: give two sweeps, or two runs"])
    if not samples:
        raise ScenarioError(["nothing can be compared", *notes])
    each = 1 - (1 - confidence) / len(samples)
    differences = [judge_sample(sample, each, tolerance) for sample in samples]
    return DiffResults(differences, confidence, tolerance, notes, changed_fields(first, second))


def judge_sample(sample: Sample, confidence: float, tolerance: float) -> Difference:
    """Return the difference of a sample with its verdict.

    Parameters
    ----------
    sample : Sample
        Values in A and B.
    confidence : float
        Confidence of the interval.
    tolerance : float
        Share of the value in A that counts as no difference.
    """
    first, second, interval = sample.compare(confidence)
    allowed = max(tolerance, sample.resolution) * abs(first)
    if interval.low == interval.high == 0:
        verdict = "equal"
    elif not interval.known:
        verdict = "no interval"
    elif interval.low > allowed or interval.high < -allowed:
        better = better_values(sample.measure)
        improves = better == ("higher" if interval.low > allowed else "lower")
        verdict = "changed" if not better else "better" if improves else "worse"
    else:
        verdict = "unclear"
    return Difference(sample.subject, sample.measure, sample.unit, first, second, interval, verdict)


__all__ = ["MEASURES", "DiffResults", "Difference", "diff"]
