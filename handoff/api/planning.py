"""Plans of the Python interface: how much a scenario can carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from handoff.api.arguments import as_ranges, as_tuple
from handoff.api.display import html_table, text_table
from handoff.api.errors import named_errors
from handoff.api.scenario import load, value_text
from handoff.api.study import Source
from handoff.api.waiting import Report, reporting
from handoff.experiments.execution.factory import make_executor
from handoff.experiments.planning.answer import Answer
from handoff.experiments.planning.request import PlanRequest, validate_request
from handoff.experiments.planning.run import run_plan
from handoff.experiments.planning.value_search import Sense
from handoff.experiments.planning.verdict import overall_decision
from handoff.output.seconds import PS_PER_S
from handoff.protocol.procedures import parse_names
from handoff.scenario.errors import ScenarioError

if TYPE_CHECKING:
    from handoff.api.plots import PlanPlots

CONFIDENCE, PRECISION, MOST_RUNS = 0.95, 0.01, 12
"""Defaults of ``handoff plan``."""


class PlanResults:
    """Answers of a plan, one for each procedure and field.

    Attributes
    ----------
    answers : list of Answer
        The answers with all that they are based on.
    targets : list of str
        The targets.
    """

    def __init__(self, answers: Sequence[Answer], targets: Sequence[str]) -> None:
        self.answers, self.targets = list(answers), list(targets)

    @property
    def plot(self) -> PlanPlots:
        """Charts of the plan: ``plot.search()``."""
        from handoff.api.plots import PlanPlots

        return PlanPlots(self.answers)

    @property
    def passed(self) -> bool:
        """True if every answer is certain (``Answer.is_certain``)."""
        return all(answer.is_certain for answer in self.answers)

    @property
    def summary(self) -> pa.Table:
        """One row for each answer: the last value that meets the targets and the first that misses one; null if there is none.

        ``estimate`` is where a straight line between both crosses the limit, ``closed_form`` where theory expects it.
        """
        rows = [
            {
                "procedure": a.procedure, "field": a.field_name, "sense": a.bracket.sense, "met": _show(a, a.bracket.last_met),
                "missed": _show(a, a.bracket.first_missed), "estimate": _show(a, a.rounded_estimate),
                "breaks_first": ", ".join(r.target.measure for r in a.violated_targets) or None,
                "closed_form": _show(a, None if a.closed_form_value is None else round(a.closed_form_value)),
                "runs": sum(a.replications.values()), "complete": a.complete,
            }
            for a in self.answers
        ]  # fmt: skip
        return pa.Table.from_pylist(rows, _SUMMARY)

    @cached_property
    def values(self) -> pa.Table:
        """One row for each value that was tried and target: verdict, and the mean with both ends of its interval.

        Durations are in seconds. ``decision`` is the verdict on the target, ``verdict`` that on the value.
        """
        rows = []
        for a in self.answers:
            for x, results in sorted(a.bracket.verdicts.items()):
                for r in results:
                    scale = PS_PER_S if r.target.unit == "ps" else 1.0
                    ends = (r.interval.mean, r.interval.low, r.interval.high)
                    mean, low, high = (end / scale if isfinite(end) else None for end in ends)
                    rows.append({
                        "procedure": a.procedure, "field": a.field_name, "value": a.values.display(x), "runs": a.replications[x],
                        "verdict": overall_decision(results), "target": str(r.target), "decision": r.decision, "mean": mean,
                        "low": low, "high": high, "note": r.note or None,
                    })  # fmt: skip
        return pa.Table.from_pylist(rows, _VALUES)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the table ``values`` by the Arrow PyCapsule interface."""
        return self.values.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return len(self.answers)

    def __repr__(self) -> str:
        return f"<handoff.PlanResults {', '.join(self.targets)}>\n{text_table(self.summary)}"

    def _repr_html_(self) -> str:
        return html_table(self.summary, ", ".join(self.targets))


_TEXT, _INT, _FLOAT = pa.string(), pa.int64(), pa.float64()
_SUMMARY = pa.schema([
    *((n, _TEXT) for n in ("procedure", "field", "sense", "met", "missed", "estimate", "breaks_first", "closed_form")),
    ("runs", _INT), ("complete", pa.bool_()),
])  # fmt: skip
_VALUES = pa.schema([
    ("procedure", _TEXT), ("field", _TEXT), ("value", _TEXT), ("runs", _INT), ("verdict", _TEXT), ("target", _TEXT),
    ("decision", _TEXT), ("mean", _FLOAT), ("low", _FLOAT), ("high", _FLOAT), ("note", _TEXT),
])  # fmt: skip


def _show(answer: Answer, position: int | None) -> str | None:
    return None if position is None else answer.values.display(position)


def plan(
    scenario: Source, vary: Mapping[str, tuple[Any, Any]] | None = None, targets: str | Sequence[str] = (),
    procedures: str | Sequence[str] = ("sync-mipv4",), *, size: Literal["buffer", "lead", "agents"] | None = None,
    find: Sense | None = None, confidence: float = CONFIDENCE, precision: float = PRECISION, most_runs: int = MOST_RUNS,
    seed: int | None = None, warmup: str = "0s", folder: str | Path | None = None, jobs: int | None = None,
    memory_limit: str | None = None, progress: bool | Report | None = None,
) -> PlanResults:  # fmt: skip
    """Find the largest or smallest value of a field that meets targets, by simulation, with a stated confidence.

    Ctrl-C ends the search, and the answers have what is known.

    Parameters
    ----------
    scenario : str, Path, mapping or Scenario
        See :func:`handoff.load`.
    vary : mapping of one str to (low, high)
        Field and range, as in ``{"mobile_nodes": (1000, 100_000)}``.
    targets : str or sequence of str
        Such as ``"loss_ratio<=1e-4"``, in addition to those of ``[slo]``.
    procedures : str or sequence of str
        Names; each gets an answer.
    size : {"buffer", "lead", "agents"} or None
        Quantity to dimension, in place of ``vary``.
    find, confidence, precision, most_runs, seed, warmup, memory_limit
        As the options of ``handoff plan``.
    folder : str, Path or None
        Folder of a dataset that keeps the runs, so that a repeated plan continues.
    jobs : int or None
        Processes; None: one for each core.
    progress : bool, callable or None
        See :func:`handoff.compare`; a plan does not know the share of its work that is done.

    Raises
    ------
    HandoffError
        With every mistake of the scenario and the arguments, or if a run fails.
    """
    loaded = load(scenario)
    example = '{"mobile_nodes": (100, 1000)}'
    ranges = as_ranges(vary, example)
    problems = [
        f"vary {name} is {values!r}: give its lowest and its highest value, as in {example}"
        for name, values in ranges.items() if len(values) != 2
    ]  # fmt: skip
    if problems:
        raise ScenarioError(problems)
    request = PlanRequest(
        loaded.path, (), tuple(f"{name}={':'.join(map(value_text, ends))}" for name, ends in ranges.items()), size,
        as_tuple(targets),
        tuple(parse_names(procedures) if isinstance(procedures, str) else procedures), find, confidence, precision, most_runs,
        seed, warmup, False, None if folder is None else Path(folder), memory_limit, tables=loaded.tables,
    )  # fmt: skip
    with named_errors(), reporting(progress) as report:
        valid = validate_request(request)
        answers = run_plan(valid, make_executor(jobs), lambda line: report(line, 0.0))
    return PlanResults(answers, list(map(str, valid.targets)))


__all__ = ["PlanResults", "plan"]
