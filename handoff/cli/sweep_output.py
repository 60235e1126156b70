"""What a sweep says: the table of what would be done, and the table of what was found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from handoff.cli.progress import format_remaining
from handoff.cli.tables import print_cells
from handoff.experiments.sweep.cost_estimate import Forecast, RunCost
from handoff.experiments.sweep.dataset import DatasetContents, Run
from handoff.experiments.sweep.points import Failure, Point, group_failures
from handoff.experiments.sweep.runner import SweepPlan
from handoff.experiments.sweep.summary import as_json as row_as_json
from handoff.experiments.sweep.summary import summary, told


def show_forecast(plan: SweepPlan, found: DatasetContents, missing: set[Run], expected: Forecast, as_json: bool) -> None:
    """Print each point with its seeds, what is there, what it takes; and what all takes."""
    sizes = [s for s in expected.sizes.values() if isinstance(s, RunCost)]
    memory = max((s.memory_bytes for s in sizes), default=None)
    rows = [(p, [s for s in plan.seeds if (p.key, s) not in missing], expected.sizes.get(p.scenario)) for p in plan.points]
    if as_json:
        print(json.dumps({
            "points": [
                _told(p) | {"seeds": list(plan.seeds), "done": done, "missing": [s for s in plan.seeds if s not in done]}
                | (asdict(s) if isinstance(s, RunCost) else {"problem": s} if s else {})
                for p, done, s in rows
            ],
            "failures": [asdict(f) for f in plan.failures],
            "damaged": found.damaged,
            "runs": len(plan.points) * len(plan.seeds),
            "missing": len(missing),
            "seconds_on_one_processor": expected.seconds,
            "largest_memory_bytes": memory,
        }, indent=2))  # fmt: skip
        return
    names = _names(plan.points)
    cells = [
        [*_values(p, names), p.procedure, _seeds(plan.seeds), f"{len(done)} of {len(plan.seeds)}", *_size(s)]
        for p, done, s in rows
    ]
    print_cells([*names, "procedure", "seeds", "done", "packets a run", "memory"], cells, left=(*names, "procedure"))
    for line in group_failures(plan.failures):
        print(f"left out: {line}")
    for damage in found.damaged:
        print(f"{damage}: to be done again")
    print(f"{len(plan.points) * len(plan.seeds):,} runs, {len(missing):,} of them missing")
    if missing and expected.seconds is not None:
        print(f"about {format_remaining(expected.seconds)} on one processor, by {expected.by}")
    if memory is not None:
        print(f"at most {memory / 1e6:,.0f} MB a run, of {len(sizes)} of {len({p.scenario for p in plan.points})} scenarios")


def show_summary(
    plan: SweepPlan, found: DatasetContents, measures: Sequence[str], version: str, failures: Sequence[Failure], left: int, digest: str,
    interrupted: bool, as_json: bool,
) -> None:  # fmt: skip
    """Print the measures of each point, and what failed or is missing."""
    rows = summary(plan, found.runs, measures, version)
    other = sum(row.other_version for row in rows)
    done = {row.point.key: row.runs for row in rows}
    if as_json:
        print(json.dumps({
            "points": [row_as_json(row) for row in rows],
            "failures": [asdict(f) for f in failures],
            "runs": len(plan.points) * len(plan.seeds),
            "missing": left,
            "runs_of_another_version": other,
            "dataset_hash": digest,
            "interrupted": interrupted,
        }, indent=2))  # fmt: skip
        return
    names = _names(plan.points)
    cells = [
        [*_values(r.point, names), r.point.procedure, f"{r.runs}{' *' * (r.other_version > 0)}", *map(told, r.figures.values())]
        for r in rows
    ]
    print_cells([*names, "procedure", "runs", *measures], cells, "mean ± half of the 95 % interval", (*names, "procedure"))
    if other:
        print(f"* {other:,} runs were made by another version of the code; --rerun-stale does them anew")
    failed = {(f.procedure, *f.values.items()) for f in failures}
    cannot = sum(len(plan.seeds) - done.get(p.key, 0) for p in plan.points if (p.procedure, *p.values.items()) in failed)
    if cannot:
        print(f"{_runs(cannot)} missing of points that cannot be run")
    if left > cannot:
        print(f"{_runs(left - cannot)} missing: the same command goes on with them")


def _runs(count: int) -> str:
    return f"{count:,} run{' is' if count == 1 else 's are'}"


def _told(point: Point) -> dict[str, Any]:
    return {"point": point.key, "values": dict(point.values), "procedure": point.procedure}


def _names(points: Sequence[Point]) -> list[str]:
    return list(dict.fromkeys(name for point in points for name in point.values))


def _values(point: Point, names: Sequence[str]) -> list[str]:
    return [point.values.get(name, "") for name in names]


def _seeds(seeds: Sequence[int]) -> str:
    return str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]}..{seeds[-1]}"


def _size(found: RunCost | str | None) -> list[str]:
    if isinstance(found, RunCost):
        return [f"{found.packets:,}", f"{found.memory_bytes / 1e6:,.0f} MB"]
    return [found or "", ""]
