"""What a plan has found, in words, as a table, and for JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from handoff.experiments.execution.task import Table
from handoff.experiments.planning.bisection import Bracket, non_monotone_measures
from handoff.experiments.planning.field_scale import Values
from handoff.experiments.planning.verdict import TargetResult, format_finding, verdict
from handoff.metrics.bottlenecks import bottlenecks
from handoff.theory.estimate import Comparison

BUSIEST = 3
"""Servers and links that are named."""


@dataclass(frozen=True)
class Utilisation:
    """How busy a server or link was, and what share of all that came it dropped: means over the replications of a value."""

    name: str
    utilisation: float
    dropped_ratio: float

    def __str__(self) -> str:
        drops = f" ({self.dropped_ratio:.2%} dropped)" if self.dropped_ratio else ""
        return f"{self.name} {self.utilisation:.2f}{drops}"


@dataclass
class Answer:
    """What was found for one procedure.

    Attributes
    ----------
    procedure : str
    name : str
        Of the field.
    values : Values
    bracket : Bracket
    busiest : list of Busy
        At the value where the targets begin to be missed, or else at the best one; the busiest first.
    beside : list of Beside
        Closed forms of servers and links there, and what was simulated.
    closed_form : str
        What theory says of the same question.
    closed_form_value : float or None
    complete : bool
        False if it was interrupted.
    replications : dict of int to int
        Of each value.
    """

    procedure: str
    name: str
    values: Values
    bracket: Bracket
    replications: dict[int, int]
    complete: bool = True
    busiest: list[Utilisation] = field(default_factory=list)
    beside: list[Comparison] = field(default_factory=list)
    closed_form: str = ""
    closed_form_value: float | None = None

    @property
    def found(self) -> bool:
        """Whether there is a value that clearly meets all targets."""
        return self.bracket.met is not None

    @property
    def unmet(self) -> bool:
        """Whether the targets are clearly missed wherever it was looked."""
        return self.complete and bool(self.bracket.verdicts) and len(self.bracket.decided("missed")) == len(self.bracket.verdicts)

    @property
    def width(self) -> int:
        """From one end of the answer to the other."""
        met, missed = self.bracket.met, self.bracket.missed
        return 0 if met is None or missed is None else abs(met - missed)

    @property
    def exact(self) -> bool:
        """Whether nothing lies between both ends of the answer that could be told from them."""
        met, missed, grain = self.bracket.met, self.bracket.missed, self.bracket.range.grain
        return met is not None and missed is not None and abs(met - missed) <= grain

    @property
    def estimate(self) -> float | None:
        """Where the line between both ends of the answer crosses the limit that gives way first; None if there are not both."""
        met, missed = self.bracket.met, self.bracket.missed
        if met is None or missed is None:
            return None
        if self.exact:
            return met
        share = 1.0
        for good, bad in zip(self.bracket.verdicts[met], self.bracket.verdicts[missed], strict=True):
            rise = bad.target.excess(bad.interval.mean) - good.target.excess(good.interval.mean)
            if bad.decision == "missed" and rise > 0:
                share = min(share, max(0.0, -good.target.excess(good.interval.mean) / rise))
        return met + share * (missed - met)

    @property
    def first_failing_value(self) -> int | None:
        """The value at which it is said what gives way: the first that misses, else the best one."""
        if self.bracket.missed is not None:
            return self.best if self.unmet else self.bracket.missed
        return self.bracket.met

    @property
    def best(self) -> int:
        """Where the targets are missed by least."""
        return min(self.bracket.values, key=lambda x: (_excess(self.bracket.verdicts[x]), x))

    @property
    def violated_targets(self) -> list[TargetResult]:
        """Targets that are missed at the edge."""
        return [] if self.first_failing_value is None else [f for f in self.bracket.verdicts[self.first_failing_value] if f.decision == "missed"]

    def summary_lines(self) -> list[str]:
        """A few sentences, one a line."""
        lines = [self._headline()]
        if self.violated_targets:
            at = "" if self.first_failing_value is None else self.values.display(self.first_failing_value)
            head = "missed by least" if self.unmet else "what breaks first"
            lines += [f"  {head}: {f.target}: {format_finding(f)} at {at}{_noted(f)}" for f in self.violated_targets]
        elif self.first_failing_value is not None:
            at = self.values.display(self.first_failing_value)
            lines += [f"  {f.target}: {format_finding(f)} at {at}{_noted(f)}" for f in self.bracket.verdicts[self.first_failing_value]]
        if self.busiest and self.first_failing_value is not None:
            lines.append(f"  utilisation there: {', '.join(map(str, self.busiest))}")
        lines += [f"  closed form: {self.closed_form}"] if self.closed_form else []
        return lines + [f"  {note}" for note in self.notes()]

    def _headline(self) -> str:
        said, found = self.values.display, self.bracket
        name, who = self.name, self.procedure
        if found.met is not None and found.missed is not None:
            ends = sorted((found.met, found.missed))
            if self.exact:
                line = f"{who}: {found.sense} {name} that meets the targets: {said(found.met)} ({said(found.missed)} misses them)"
                return line if self.complete else f"{line} (interrupted)"
            about = said(_rounded(self.estimate or found.met, self.width))
            line = f"{who}: {found.sense} {name} that meets the targets: {about} [{said(ends[0])}, {said(ends[1])}]"
        elif found.met is not None:
            least = "at least" if found.sense == "largest" else "at most"
            whole = found.met == (found.range.high if found.sense == "largest" else found.range.low)
            tail = "the end of the range meets the targets" if whole else "no value clearly misses the targets"
            line = f"{who}: {name} {least} {said(found.met)}: {tail}"
        elif self.unmet:
            line = f"{who}: the targets cannot be met by {name} from {said(found.range.low)} to {said(found.range.high)}"
            if len(found.verdicts) < 2 or found.values[-1] < found.range.high:
                line += f": beyond {said(found.values[-1])} it only gets worse"
        elif found.missed is not None:
            beyond = "below" if found.sense == "largest" else "above"
            line = f"{who}: if any, {name} {beyond} {said(found.missed)}; no value clearly meets the targets"
        else:
            line = f"{who}: undecided for {name} from {said(found.range.low)} to {said(found.range.high)}"
        return line if self.complete else f"{line} (interrupted: as far as is known)"

    def notes(self) -> list[str]:
        """What a reader has to know beside the answer."""
        found, said = self.bracket, self.values.display
        notes = []
        if not found.monotone:
            notes.append(
                "not monotone: " + ", ".join(said(x) for x in found.decided("met") if x not in self._good())
                + f" meets the targets beyond {said(found.missed or 0)}, which misses them: the answer is the conservative one"
            )  # fmt: skip
        notes += [f"{name} {way} between {said(a)} and {said(b)}: not monotone there" for name, a, b, way in non_monotone_measures(found)]
        if found.supposed and found.missed is None:
            notes.append(f"taken for the smallest, as {said(found.range.low)} is undecided: else ask for --find largest")
        for x in found.decided("open"):
            reasons = [f"{f.target.measure}: {f.note}" for f in found.verdicts[x] if f.decision == "open" and f.note]
            notes.append(f"undecided at {said(x)} after {self.replications[x]} replications" + "".join(f"; {r}" for r in reasons))
        return notes

    def _good(self) -> list[int]:
        found = self.bracket
        return [x for x in found.decided("met") if found.missed is None or (x < found.missed) == (found.sense == "largest")]

    def row(self) -> list[str]:
        """The answer in a table of procedures: procedure, field, value with its interval, what breaks first, closed form."""
        breaks = ", ".join(f.target.measure for f in self.violated_targets) or "-"
        form = "-" if self.closed_form_value is None else self.values.display(round(self.closed_form_value))
        return [self.procedure, self.name, self._cell(), breaks, form]

    def _cell(self) -> str:
        found, said = self.bracket, self.values.display
        if self.estimate is not None and found.met is not None and found.missed is not None:
            low, high = sorted((found.met, found.missed))
            return f"{said(_rounded(self.estimate, self.width))} [{said(low)}, {said(high)}]"
        if found.met is not None:
            return f"{'≥' if found.sense == 'largest' else '≤'} {said(found.met)}"
        return "none" if self.unmet else "undecided"

    def rows(self) -> list[list[str]]:
        """All values that were tried: value, replications, verdict, each target's measure with its interval."""
        return [
            [self.values.display(x), str(self.replications[x]), verdict(findings), *map(format_finding, findings)]
            for x, findings in sorted(self.bracket.verdicts.items())
        ]

    def document(self) -> dict[str, Any]:
        """The same for JSON; times in picoseconds, no infinities."""
        found, value = self.bracket, self.values.value
        return {
            "procedure": self.procedure,
            "field": self.name,
            "found": self.found,
            "complete": self.complete,
            "sense": found.sense,
            "met": None if found.met is None else value(found.met),
            "missed": None if found.missed is None else value(found.missed),
            "estimate": None if self.estimate is None else value(_rounded(self.estimate, self.width)),
            "monotone": found.monotone,
            "breaks_first": [_finding(f) for f in self.violated_targets],
            "at": None if self.first_failing_value is None else value(self.first_failing_value),
            "busiest": [asdict(b) for b in self.busiest],
            "closed_form": {"value": self.closed_form_value, "said": self.closed_form} if self.closed_form else None,
            "notes": self.notes(),
            "evaluations": [
                {"value": value(x), "replications": self.replications[x], "verdict": verdict(findings),
                 "targets": [_finding(f) for f in findings]}
                for x, findings in sorted(found.verdicts.items())
            ],
        }  # fmt: skip


def busiest_resources(replications: Sequence[dict[str, Table]]) -> list[Utilisation]:
    """The servers and links that give way first, of some runs: by what they drop, then by utilisation."""
    sums: dict[str, list[float]] = {}
    for bound in (bound for tables in replications for bound in bottlenecks(tables)):
        at = sums.setdefault(bound.what, [0.0, 0.0])
        at[0] += bound.utilisation or 0.0
        at[1] += bound.dropped_ratio
    runs = len(replications)
    found = [Utilisation(what, utilisation / runs, dropped / runs) for what, (utilisation, dropped) in sums.items()]
    return sorted(found, key=lambda b: (-b.dropped_ratio, -b.utilisation, b.name))[:BUSIEST]


def _excess(findings: Sequence[TargetResult]) -> float:
    """By how much of its limit the worst target is missed."""
    worst = 0.0
    for f in findings:
        if f.decision == "missed":
            worst = max(worst, f.target.excess(f.interval.mean) / (abs(f.target.limit) or 1.0))
    return worst


def _noted(finding: TargetResult) -> str:
    return f" ({finding.note})" if finding.note else ""


def _rounded(value: float, width: int) -> int:
    """No more digits than the width of the interval has a use for."""
    step = int(10 ** max(0, len(str(width // 10)) - 1))
    return round(value / step) * step


def _finding(finding: TargetResult) -> dict[str, Any]:
    low, high = finding.interval.low, finding.interval.high
    return {
        "target": str(finding.target), "measure": finding.target.measure, "relation": finding.target.relation,
        "limit": finding.target.limit, "unit": finding.target.unit, "decision": finding.decision,
        "mean": _finite(finding.interval.mean), "low": _finite(low), "high": _finite(high), "note": finding.note,
    }  # fmt: skip


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

