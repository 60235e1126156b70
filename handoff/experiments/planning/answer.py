"""The answer of a plan for one procedure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from handoff.experiments.execution.task import Table
from handoff.experiments.planning.field_scale import Values
from handoff.experiments.planning.value_search import Bracket, non_monotone_measures
from handoff.experiments.planning.verdict import TargetResult
from handoff.metrics.bottlenecks import bottlenecks
from handoff.theory.estimate import Comparison

MAX_BUSIEST = 3
"""Number of servers and links in ``Answer.busiest``."""


@dataclass(frozen=True)
class Utilisation:
    """Load of a server or link at a value: means over the replications.

    Attributes
    ----------
    name : str
        Name as in ``handoff.metrics.catalogue.Bottleneck``.
    utilisation : float
        Fraction of the time that it was busy.
    dropped_ratio : float
        Fraction of the arrivals that it dropped.
    """

    name: str
    utilisation: float
    dropped_ratio: float

    def __str__(self) -> str:
        drops = f" ({self.dropped_ratio:.2%} dropped)" if self.dropped_ratio else ""
        return f"{self.name} {self.utilisation:.2f}{drops}"


@dataclass
class Answer:
    """Answer to one search problem for one procedure.

    Attributes
    ----------
    procedure : str
        Name of the procedure.
    field_name : str
        Name of the field that varies.
    values : Values
        Scale of the field.
    bracket : Bracket
        Verdicts, and the ends of the answer.
    replications : dict of int to int
        Number of replications at each value.
    complete : bool
        False if the search was interrupted.
    problems : dict of int to str
        Values without a verdict, because the scenario is invalid there or a run failed; each with the reason.
    busiest : list of Utilisation
        Servers and links at the critical value, the busiest first.
    comparisons : list of Comparison
        Closed forms of servers and links at the critical value, compared with the simulation.
    closed_form : str
        Answer of theory to the same problem; empty if there is none.
    closed_form_value : float or None
        Position that theory finds.
    """

    procedure: str
    field_name: str
    values: Values
    bracket: Bracket
    replications: dict[int, int]
    complete: bool = True
    problems: dict[int, str] = field(default_factory=dict)
    busiest: list[Utilisation] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    closed_form: str = ""
    closed_form_value: float | None = None

    @property
    def is_found(self) -> bool:
        """True if a value clearly meets all targets."""
        return self.bracket.last_met is not None

    @property
    def is_infeasible(self) -> bool:
        """True if every value that was tried clearly misses the targets."""
        verdicts = self.bracket.verdicts
        return self.complete and bool(verdicts) and len(self.bracket.values_with("missed")) == len(verdicts)

    @property
    def rests_on_problems(self) -> bool:
        """True if the limit may lie at a value without a verdict."""
        return any(x in self.problems for x in self.bracket.undecided_between_ends())

    @property
    def is_certain(self) -> bool:
        """True if the answer is complete and was found, and its verdicts are in order and not replaced by problems."""
        return self.complete and self.is_found and self.bracket.is_monotone and not self.rests_on_problems

    @property
    def width(self) -> int:
        """Distance between both ends of the answer; 0 if it does not have two."""
        met, missed = self.bracket.last_met, self.bracket.first_missed
        return 0 if met is None or missed is None else abs(met - missed)

    @property
    def is_exact(self) -> bool:
        """True if both ends of the answer are as close as the field can resolve."""
        met, missed = self.bracket.last_met, self.bracket.first_missed
        return met is not None and missed is not None and abs(met - missed) <= self.bracket.range.resolution

    @property
    def estimate(self) -> float | None:
        """Position where a straight line between the ends crosses the limit that fails first; None without two ends."""
        met, missed = self.bracket.last_met, self.bracket.first_missed
        if met is None or missed is None:
            return None
        if self.is_exact:
            return met
        share = 1.0
        for good, bad in zip(self.bracket.verdicts[met], self.bracket.verdicts[missed], strict=True):
            rise = bad.target.excess(bad.interval.mean) - good.target.excess(good.interval.mean)
            if bad.decision == "missed" and rise > 0:
                share = min(share, max(0.0, -good.target.excess(good.interval.mean) / rise))
        return met + share * (missed - met)

    @property
    def rounded_estimate(self) -> int | None:
        """Estimate, rounded to the width of the answer."""
        return None if self.estimate is None else self.round_to_width(self.estimate)

    def round_to_width(self, position: float) -> int:
        """Return a position with no more digits than the width of the answer supports."""
        step = int(10 ** max(0, len(str(self.width // 10)) - 1))
        return round(position / step) * step

    @property
    def critical_value(self) -> int | None:
        """Value at which the answer names what fails: the first that misses a target, else the best one."""
        if self.bracket.first_missed is not None:
            return self.best_value if self.is_infeasible else self.bracket.first_missed
        return self.bracket.last_met

    @property
    def best_value(self) -> int:
        """Value where the targets are missed by least."""
        return min(self.bracket.values, key=lambda x: (_relative_excess(self.bracket.verdicts[x]), x))

    @property
    def critical_results(self) -> list[TargetResult]:
        """Results of all targets at the critical value."""
        return [] if self.critical_value is None else self.bracket.verdicts[self.critical_value]

    @property
    def violated_targets(self) -> list[TargetResult]:
        """Results of the targets that are missed at the critical value."""
        return [r for r in self.critical_results if r.decision == "missed"]

    def notes(self) -> list[str]:
        """Return what limits the answer: verdicts out of order, an assumed sense, values left out, undecided values."""
        bracket, display = self.bracket, self.values.display
        notes = []
        if not bracket.is_monotone:
            beyond = ", ".join(display(x) for x in bracket.values_with("met") if not self._is_before_first_missed(x))
            notes.append(
                f"not monotone: {beyond} meets the targets beyond {display(bracket.first_missed or 0)}, which misses them: "
                "the answer is the conservative one"
            )
        notes += [
            f"{name} {direction} between {display(a)} and {display(b)}: not monotone there"
            for name, a, b, direction in non_monotone_measures(bracket)
        ]
        if bracket.sense_assumed and bracket.first_missed is None:
            reason, other = ("meets the targets", "smallest") if bracket.sense == "largest" else ("is undecided", "largest")
            low = display(bracket.range.low)
            notes.append(f"assumed to be the {bracket.sense} value, because {low} {reason}: use --find {other} otherwise")
        for reason in dict.fromkeys(self.problems.values()):
            left_out = ", ".join(display(x) for x, text in self.problems.items() if text == reason)
            notes.append(f"left out {left_out}: {reason}")
        if self.rests_on_problems:
            notes.append("the limit may lie at a value that was left out")
        for x in bracket.values_with("open"):
            if x in self.problems:
                continue
            reasons = [f"{r.target.measure}: {r.note}" for r in bracket.verdicts[x] if r.decision == "open" and r.note]
            note = f"undecided at {display(x)} after {self.replications[x]} replications"
            notes.append("; ".join([note, *reasons]))
        return notes

    def _is_before_first_missed(self, x: int) -> bool:
        missed = self.bracket.first_missed
        return missed is None or (x < missed) == (self.bracket.sense == "largest")


def busiest_resources(replications: Sequence[dict[str, Table]]) -> list[Utilisation]:
    """Return the servers and links that fail first in some runs, ordered by what they drop and then by utilisation."""
    sums: dict[str, list[float]] = {}
    for bottleneck in (bottleneck for tables in replications for bottleneck in bottlenecks(tables)):
        total = sums.setdefault(bottleneck.what, [0.0, 0.0])
        total[0] += bottleneck.utilisation or 0.0
        total[1] += bottleneck.dropped_ratio
    runs = len(replications)
    resources = [Utilisation(name, utilisation / runs, dropped / runs) for name, (utilisation, dropped) in sums.items()]
    return sorted(resources, key=lambda u: (-u.dropped_ratio, -u.utilisation, u.name))[:MAX_BUSIEST]


def _relative_excess(results: Sequence[TargetResult]) -> float:
    # Excess of the target that is missed by most, as a fraction of its limit.
    worst = 0.0
    for r in results:
        if r.decision == "missed":
            worst = max(worst, r.target.excess(r.interval.mean) / (abs(r.target.limit) or 1.0))
    return worst
