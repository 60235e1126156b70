"""``handoff sweep``: what it is asked to do, and what it says."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.quantities import parse_duration, parse_size
from handoff.cli.exit_codes import ExitCode
from handoff.cli.interrupt import InterruptHandler
from handoff.cli.sweep_progress import Progress
from handoff.experiments.execution.code_version import code_version
from handoff.experiments.sweep.dataset import DatasetContents, FinishedRun, Writer, contents_hash, open_writer, read_contents
from handoff.experiments.sweep.grid import combinations, filter_combinations
from handoff.experiments.sweep.points import Failure, Point, RunSettings, group_failures, make_points
from handoff.experiments.sweep.runner import BackgroundWriter, SweepPlan, SweepRunner
from handoff.metrics.catalogue import get_measure
from handoff.protocol.procedures import name_errors, parse_names
from handoff.scenario import Scenario, ScenarioError
from handoff.scenario.experiment import Sweep
from handoff.scenario.load import read_tables, unknown_fields, validate
from handoff.scenario.problems import load_with_problems, parse_option, seed_range_errors
from handoff.scenario.value_ranges import expand_values
from handoff.workload.build import build_network

if TYPE_CHECKING:
    from handoff.experiments.execution.task import Executor


@dataclass(frozen=True)
class SweepRequest:
    """What the command line says; None and nothing where the scenario's ``[sweep]`` decides."""

    scenario: Path
    vary: tuple[str, ...] = ()
    side_by_side: tuple[str, ...] = ()
    procedures: str | None = None
    runs: int | None = None
    condition: str | None = None
    seed: int | None = None
    changes: tuple[str, ...] = ()
    warmup: str | None = None
    batches: int | None = None
    detail: bool | None = None
    memory_limit: str | None = None
    measures: tuple[str, ...] = field(default=())


def sweep(
    asked: SweepRequest, output: Path | None, begin: Callable[[], Executor], *, dry_run: bool, rerun_stale: bool, progress: bool | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Do the runs of a sweep that are missing, and say what all of them found; returns the exit code.

    Raises
    ------
    ValueError
        If scenario, sweep, options or dataset are wrong.
    """
    plan, measures = plan_sweep(asked)
    version = code_version()
    stale_is_missing = version if rerun_stale else None
    if dry_run or output is None:
        from handoff.cli.sweep_output import show_forecast
        from handoff.experiments.sweep.cost_estimate import forecast

        found = DatasetContents() if output is None else read_contents(output)
        missing = plan.missing(found.runs, stale_is_missing)
        show_forecast(plan, found, missing, forecast(plan, found.runs, missing), as_json)
        return 1 if plan.failures else 0
    executor = begin()
    for line in group_failures(plan.failures):
        print(f"handoff: left out: {line}", file=sys.stderr)
    with open_writer(output) as writer:
        found = read_contents(output)
        for damage in found.damaged:
            print(f"handoff: {damage}: done again if it is part of this sweep", file=sys.stderr)
        missing = plan.missing(found.runs, stale_is_missing)
        failures, interrupted = _work(plan, missing, found, writer, executor, version, progress)
        if missing:
            found = read_contents(output)
    left = len(plan.missing(found.runs))
    from handoff.cli.sweep_output import show_summary

    digest = contents_hash(found)
    show_summary(plan, found, measures, version, [*plan.failures, *failures], left, digest, interrupted, as_json)
    return ExitCode.INTERRUPTED if interrupted else 1 if plan.failures or failures else 0


def _work(
    plan: SweepPlan, missing: set[tuple[str, int]], found: DatasetContents, writer: Writer, executor: Executor, version: str,
    progress: bool | None,
) -> tuple[list[Failure], bool]:  # fmt: skip
    """Do what is missing; returns the points that failed, and whether it was interrupted."""
    if not missing:
        writer.add_points(plan.points)
        return [], False
    line = Progress(missing, found.runs, progress)
    interruption = InterruptHandler("finishing the runs under way", executor.stop)
    with executor, BackgroundWriter(writer, version) as keeper:
        writer.add_points(plan.points)

        def done(run: FinishedRun) -> None:
            keeper.put(run)
            line(run)

        def failed(failure: Failure) -> None:
            line.end()
            print(f"handoff: left out: {failure.told}", file=sys.stderr)

        work = SweepRunner(plan, missing, done, failed)
        work.run(executor, lambda: interruption.requested)
    line.end()
    return list(work.failures.values()), interruption.requested


def plan_sweep(asked: SweepRequest) -> tuple[SweepPlan, Sequence[str]]:
    """The plan that scenario and command line make together, and the measures that are asked for.

    Raises
    ------
    ScenarioError
        With everything that is wrong.
    """
    from handoff.experiments.sweep.summary import DEFAULT

    problems = [] if asked.procedures is None else name_errors(parse_names(asked.procedures))
    problems += [f"--metric: {p}" for name in asked.measures if (p := _problem(get_measure, name))]
    warmup = parse_option("--warmup", parse_duration, asked.warmup, problems)
    limit = parse_option("--memory-limit", parse_size, asked.memory_limit, problems)
    data, text = load_with_problems(problems, lambda: read_tables(asked.scenario, asked.changes), last=False)
    scenario = load_with_problems(problems, lambda: validate(data, asked.scenario, text, asked.changes), last=False)
    base = scenario.sweep or Sweep()
    varied, unknown = _varied(asked.vary, data)
    problems += unknown
    fields = base.fields | varied
    groups = [*base.zip, *([n.strip() for n in text.split(",")] for text in asked.side_by_side)]
    names = base.procedures or [] if asked.procedures is None else parse_names(asked.procedures)
    if not names:
        problems.append("no procedure is named: give --procedures, or procedures = [...] in [sweep]")
    runs = base.runs if asked.runs is None else asked.runs
    seed = scenario.seed if asked.seed is None else asked.seed
    problems += seed_range_errors(seed, runs)
    warmup = base.warmup if warmup is None else warmup
    if warmup >= scenario.duration:
        problems.append("the warm-up is not shorter than the scenario: nothing would be left to measure")
    found = []
    try:
        found = combinations(fields, groups, names)
        condition = base.where if asked.condition is None else asked.condition
        found = filter_combinations(found, condition) if condition is not None else found
    except ValueError as error:
        problems += str(error).splitlines()
    if problems:
        raise ScenarioError(problems)
    if not found:
        raise ScenarioError(["no point is left: the condition is true for none"])
    settings = RunSettings(
        base.detail if asked.detail is None else asked.detail, warmup, base.batches if asked.batches is None else asked.batches
    )
    points, failures = make_points(data, asked.scenario.parent, found, settings)
    if not points:
        raise ScenarioError([f"{asked.scenario}: no point can be run", *group_failures(failures)])
    if nowhere := _nowhere(asked.measures, points):
        raise ScenarioError(nowhere)
    plan = SweepPlan(tuple(points), tuple(failures), tuple(range(seed, seed + runs)), asked.scenario.parent.resolve(), limit)
    return plan, asked.measures or DEFAULT


def _varied(texts: Sequence[str], data: dict[str, Any]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Fields of --vary, and what is wrong with them."""
    fields: dict[str, tuple[str, ...]] = {}
    problems = []
    for text in texts:
        name, equals, given = (part.strip() for part in text.partition("="))
        if not equals or not name:
            problems.append(f"--vary {text!r}: write NAME=VALUES, as in buffer=10..50 step 10")
        elif name in fields:
            problems.append(f"--vary {name}: stands twice")
        elif p := _problem(expand_values, given):
            problems.append(f"--vary {name}: {p}")
        else:
            fields[name] = tuple(expand_values(given))
    return fields, problems + [f"--vary {said}" for said in unknown_fields(data, fields).values()]


def _nowhere(measures: Sequence[str], points: Sequence[Point]) -> list[str]:
    """Measures of nodes or links that no point has, before anything runs for them."""
    problems = {name: "" for name in measures if "." in name}
    for text in dict.fromkeys(p.scenario for p in points):
        if not problems:
            break
        network = build_network(Scenario.model_validate(json.loads(text)))
        nodes, links = [n.name for n in network.nodes], network.link_names()
        found = {name: _problem(partial(get_measure, nodes=nodes, links=links), name) for name in problems}
        problems = {name: problem for name, problem in found.items() if problem}
    return [f"--metric {problem}" for problem in problems.values()]


def _problem(read: Callable[[str], object], text: str) -> str:
    """What is wrong with a text, nothing if it can be read."""
    try:
        read(text)
    except ValueError as error:
        return str(error)
    return ""


__all__ = ["SweepRequest", "plan_sweep", "sweep"]
