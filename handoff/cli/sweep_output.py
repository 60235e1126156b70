"""Output of ``handoff sweep``: the table of the runs to do, and the table of the results; also as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from handoff.cli.gate import Gate
from handoff.cli.progress import format_remaining
from handoff.cli.tables import print_cells
from handoff.cli.terminal import show, show_json
from handoff.experiments.sweep.cost_estimate import RunCost, SweepPreview
from handoff.experiments.sweep.points import Point, group_failures
from handoff.experiments.sweep.runner import SweepResult
from handoff.experiments.sweep.summary import Estimate, PointSummary, summarise
from handoff.experiments.sweep.sweep_plan import SweepPlan
from handoff.metrics.confidence import EXACT, STUDENT
from handoff.output.seconds import json_values

PS_PER_MS = 1e9
BYTES_PER_MB = 1e6
ONE_RUN = "no interval of a single run"
WHOLE_NUMBERS_FROM = 1000
"""Values from here on are printed without decimals."""


def show_forecast(plan: SweepPlan, preview: SweepPreview, as_json: bool) -> None:
    """Print each point with its seeds, its complete runs and its cost, then the cost of the sweep."""
    missing, costs = preview.missing, preview.forecast
    built = [s for s in costs.sizes.values() if isinstance(s, RunCost)]
    memory = max((s.memory_bytes for s in built), default=None)
    rows = [(p, [s for s in plan.seeds if (p.key, s) not in missing], costs.sizes.get(p.scenario)) for p in plan.points]
    if as_json:
        show_json({
            "points": [
                _point_json(p) | {"seeds": list(plan.seeds), "done": done, "missing": [s for s in plan.seeds if s not in done]}
                | (asdict(s) if isinstance(s, RunCost) else {"problem": s} if s else {})
                for p, done, s in rows
            ],
            "failures": [asdict(f) for f in plan.failures],
            "damaged": preview.contents.damaged,
            "runs": plan.run_count,
            "missing": len(missing),
            "seconds_on_one_processor": costs.seconds,
            "largest_memory_bytes": memory,
        })  # fmt: skip
        return
    fields = _varied_fields(plan.points)
    cells = [
        [*_values(p, fields), p.procedure, _format_seeds(plan.seeds), f"{len(done)} of {len(plan.seeds)}", *_format_cost(s)]
        for p, done, s in rows
    ]
    print_cells([*fields, "procedure", "seeds", "done", "packets a run", "memory"], cells, left=(*fields, "procedure"))
    for line in group_failures(plan.failures):
        show(f"left out: {line}")
    for damage in preview.contents.damaged:
        show(f"{damage}: to be done again")
    show(f"{plan.run_count:,} runs, {len(missing):,} of them missing")
    if missing and costs.seconds is not None:
        show(f"about {format_remaining(costs.seconds)} on one processor, by {costs.basis}")
    if memory is not None:
        scenarios = len({p.scenario for p in plan.points})
        show(f"at most {memory / BYTES_PER_MB:,.0f} MB a run, of {len(built)} of {scenarios} scenarios")


def show_summary(
    plan: SweepPlan, result: SweepResult, measures: Sequence[str], as_json: bool, gate: Gate | None = None
) -> None:
    """Print the measures of each point, and the number of runs that are missing."""
    rows = summarise(plan, result.contents.runs, measures, result.code_version)
    other = sum(row.other_version for row in rows)
    if as_json:
        show_json({
            "points": [_summary_json(row) for row in rows],
            "failures": [asdict(f) for f in result.failures],
            "runs": plan.run_count,
            "missing": len(result.missing),
            "runs_of_another_version": other,
            "dataset_hash": result.contents_hash,
            "interrupted": result.interrupted,
            **({} if gate is None else gate.as_json()),
        })  # fmt: skip
        return
    fields = _varied_fields(plan.points)
    cells = [
        [
            *_values(r.point, fields), r.point.procedure, f"{r.runs}{' *' * (r.other_version > 0)}",
            *map(format_estimate, r.estimates.values()),
        ]
        for r in rows
    ]  # fmt: skip
    title = "mean ± half of the 95 % interval, or [both ends]"
    print_cells([*fields, "procedure", "runs", *measures], cells, title, (*fields, "procedure"))
    for line in format_methods(measures, rows):
        show(line)
    if other:
        show(f"* {other:,} runs were made by another version of the code; --rerun-stale does them anew")
    done = {row.point.key: row.runs for row in rows}
    failed = {(f.procedure, *f.values.items()) for f in result.failures}
    failed_runs = sum(len(plan.seeds) - done.get(p.key, 0) for p in plan.points if (p.procedure, *p.values.items()) in failed)
    if failed_runs:
        show(f"{_count_runs(failed_runs)} missing of points that cannot be run")
    if gate is not None:
        gate.show()
    if len(result.missing) > failed_runs:
        show(f"{_count_runs(len(result.missing) - failed_runs)} missing: the same command continues with them")


def format_estimate(estimate: Estimate) -> str:
    """Return the mean with its interval, or the reason why there is no value.

    An interval that is not symmetric about the mean is printed with both ends, another with half of its width.
    """
    interval = estimate.interval
    if interval is None:
        return estimate.note
    scale, unit = (PS_PER_MS, " ms") if estimate.unit == "ps" else (1, "")
    text = _format_number(interval.mean / scale)
    if interval.known and interval.method in (STUDENT, EXACT) and interval.is_symmetric:
        text += f" ± {_format_number((interval.high - interval.low) / 2 / scale)}"
    elif interval.known:
        text += f" [{_format_number(interval.low / scale)}, {_format_number(interval.high / scale)}]"
    return text + unit


def format_methods(measures: Sequence[str], rows: Sequence[PointSummary]) -> list[str]:
    """Return a line for each measure with the methods of its intervals, and the reasons why intervals are missing."""
    lines = []
    for name in measures:
        counts: Counter[str] = Counter()
        for estimate in (row.estimates[name] for row in rows):
            if estimate.interval is not None:
                counts[estimate.interval.method or estimate.note or ONE_RUN] += 1
        methods = [method if len(counts) == 1 else f"{method} ({_count_points(n)})" for method, n in counts.items()]
        resolution = max((row.estimates[name].resolution for row in rows), default=0.0)
        if resolution:
            methods.append(f"each value within {resolution:.1%}, from a histogram (--detail: from the packets)")
        if methods:
            lines.append(f"{name}: {', '.join(methods)}")
    return lines


def _count_points(count: int) -> str:
    return f"{count} point{'s' * (count != 1)}"


def _format_number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= WHOLE_NUMBERS_FROM or value == int(value) else f"{value:.3g}"


def _summary_json(row: PointSummary) -> dict[str, Any]:
    return _point_json(row.point) | {
        "runs": row.runs,
        "runs_of_another_version": row.other_version,
        "measures": {name: _estimate_json(estimate) for name, estimate in row.estimates.items()},
    }


def _estimate_json(estimate: Estimate) -> dict[str, Any]:
    if estimate.interval is None:
        return {"unit": json_values(estimate.unit, ())[0], "mean": None, "note": estimate.note, "samples": estimate.samples}
    i = estimate.interval
    unit, (mean, low, high) = json_values(estimate.unit, (i.mean, *((i.low, i.high) if i.known else (None, None))))
    return {
        "unit": unit, "mean": mean, "low": low, "high": high, "n": i.n, "method": i.method or None,
        "note": estimate.note, "samples": estimate.samples, "resolution": estimate.resolution,
    }  # fmt: skip


def _point_json(point: Point) -> dict[str, Any]:
    return {"point": point.key, "values": dict(point.values), "procedure": point.procedure}


def _count_runs(count: int) -> str:
    return f"{count:,} run{' is' if count == 1 else 's are'}"


def _varied_fields(points: Sequence[Point]) -> list[str]:
    return list(dict.fromkeys(name for point in points for name in point.values))


def _values(point: Point, fields: Sequence[str]) -> list[str]:
    return [point.values.get(name, "") for name in fields]


def _format_seeds(seeds: Sequence[int]) -> str:
    return str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]}..{seeds[-1]}"


def _format_cost(cost: RunCost | str | None) -> list[str]:
    if isinstance(cost, RunCost):
        return [f"{cost.packets:,}", f"{cost.memory_bytes / BYTES_PER_MB:,.0f} MB"]
    return [cost or "", ""]
