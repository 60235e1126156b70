"""The request for a sweep, and its plan: the points that a scenario and the request describe together."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from engine.quantities import NUMBER, parse_duration, parse_size
from handoff.experiments.sweep.grid import Combination, combinations, filter_combinations
from handoff.experiments.sweep.points import Point, RunSettings, group_failures, make_points
from handoff.experiments.sweep.summary import DEFAULT_MEASURES
from handoff.experiments.sweep.sweep_plan import SweepPlan
from handoff.metrics.catalogue import get_measure
from handoff.protocol.procedures import MIXTURE, name_errors, parse_names
from handoff.scenario import Scenario, ScenarioError
from handoff.scenario.experiment import Sweep
from handoff.scenario.load import read_tables, unknown_fields, validate
from handoff.scenario.numeric_field import NumericField
from handoff.scenario.option_errors import load_with_problems, parse_option, range_errors, seed_range_errors
from handoff.scenario.value_ranges import expand_values
from handoff.workload.build import build_network

_PLAIN_NUMBER = re.compile(NUMBER)


MAX_REPLICATIONS = 10**6
MAX_BATCHES = 10_000


@dataclass(frozen=True)
class SweepRequest:
    """A request for a sweep, with the texts of the command line. None or empty: the scenario's ``[sweep]`` decides.

    Attributes
    ----------
    scenario : Path
        Scenario file. Names of other files are relative to its folder.
    tables : dict or None
        Tables of the scenario, instead of the content of the file.
    vary : tuple of str
        Fields and their values, as in ``buffer=10,20``, in addition to the fields of ``[sweep]``.
    side_by_side : tuple of str
        Names of fields, separated by commas, that vary together.
    procedures : str or None
        Names of procedures, separated by commas.
    runs : int or None
        Replications of each point.
    condition : str or None
        SQL condition that the points have to fulfil.
    seed : int or None
        Seed of the first replication.
    changes : tuple of str
        Changes of the scenario, as in ``options.bicast=1s``.
    warmup : str or None
        Time that the measures leave out at the start of each run, as in ``2s``.
    batches : int or None
        Batches that each run is cut into.
    detail : bool or None
        If true, record every packet and compute all metrics.
    memory_limit : str or None
        Memory that a run may need, as in ``2GB``.
    measures : tuple of str
        Measures of the summary, instead of ``DEFAULT_MEASURES``.
    """

    scenario: Path
    tables: dict[str, Any] | None = field(default=None, kw_only=True)
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
    measures: tuple[str, ...] = ()


def plan_sweep(request: SweepRequest) -> tuple[SweepPlan, Sequence[str]]:
    """Return the plan of a sweep, and the measures of its summary.

    Raises
    ------
    ScenarioError
        With every mistake in the scenario and the request.
    """
    problems = [] if request.procedures is None else name_errors(parse_names(request.procedures))
    problems += [f"--metric: {p}" for name in dict.fromkeys(request.measures) if (p := _problem_of(get_measure, name))]
    problems += [f"--metric {name}: listed twice: give it once" for name, count in Counter(request.measures).items() if count > 1]
    warmup = parse_option("--warmup", parse_duration, request.warmup, problems)
    memory_limit = parse_option("--memory-limit", parse_size, request.memory_limit, problems)
    data, text = load_with_problems(problems, lambda: read_tables(request.scenario, request.changes, request.tables), last=False)
    scenario = load_with_problems(problems, lambda: validate(data, request.scenario, text, request.changes), last=False)
    base = scenario.sweep or Sweep()
    procedures = base.procedures or [] if request.procedures is None else parse_names(request.procedures)
    fields, field_problems = _parse_fields(request.vary, data)
    problems += field_problems
    if not procedures:
        problems.append("no procedure is named: give --procedures, or procedures = [...] in [sweep]")
    if MIXTURE in procedures and not scenario.mixture:
        problems.append(f"{MIXTURE}: the scenario has no groups: give each group a table [[{MIXTURE}]]")
    runs = base.runs if request.runs is None else request.runs
    seed = scenario.seed if request.seed is None else request.seed
    problems += range_errors(runs=(runs, 1, MAX_REPLICATIONS), batches=(request.batches, 1, MAX_BATCHES))
    problems += seed_range_errors(seed, runs)
    warmup = base.warmup if warmup is None else warmup
    if warmup >= scenario.duration:
        problems.append("the warm-up is not shorter than the scenario: nothing would be left to measure")
    try:
        selection = _select_combinations(request, base, base.fields | fields, procedures)
    except ValueError as error:
        problems += str(error).splitlines()
    if problems:
        raise ScenarioError(problems)
    if not selection:
        raise ScenarioError(["no point is left: the condition is true for none"])
    batches = base.batches if request.batches is None else request.batches
    settings = RunSettings(base.detail if request.detail is None else request.detail, warmup, batches)
    points, failures = make_points(data, request.scenario.parent, selection, settings)
    if not points:
        raise ScenarioError([f"{request.scenario}: no point can be run", *group_failures(failures)])
    if problems := _element_measure_problems(request.measures, points):
        raise ScenarioError(problems)
    seeds = tuple(range(seed, seed + runs))
    plan = SweepPlan(scenario, tuple(points), tuple(failures), seeds, request.scenario.parent.resolve(), memory_limit)
    return plan, request.measures or DEFAULT_MEASURES


def _select_combinations(
    request: SweepRequest, base: Sweep, fields: dict[str, tuple[str, ...]], procedures: Sequence[str]
) -> list[Combination]:
    groups = [*base.zip, *([name.strip() for name in text.split(",")] for text in request.side_by_side)]
    product = combinations(fields, groups, procedures)
    condition = base.where if request.condition is None else request.condition
    return product if condition is None else filter_combinations(product, condition)


def _parse_fields(texts: Sequence[str], data: dict[str, Any]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    fields: dict[str, tuple[str, ...]] = {}
    problems = []
    for text in texts:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not name:
            problems.append(f"--vary {text!r}: write NAME=VALUES, as in buffer=10..50 step 10")
        elif name in fields:
            problems.append(f"--vary {name}: listed twice")
        elif problem := _problem_of(expand_values, values):
            problems.append(f"--vary {name}: {problem}")
        else:
            fields[name] = tuple(expand_values(values))
    problems += [f"--vary {name}: {p}" for name, values in fields.items() if (p := _missing_unit_problem(data, name, values))]
    return fields, problems + [f"--vary {problem}" for problem in unknown_fields(data, fields).values()]


def _missing_unit_problem(data: dict[str, Any], name: str, values: Sequence[str]) -> str:
    # Each point would report it.
    try:
        quantity = NumericField.of(data, name).quantity
    except ValueError:
        return ""  # no such field, or one without units
    if quantity is None or "" in quantity.units or not all(_PLAIN_NUMBER.fullmatch(value) for value in values):
        return ""
    return f"{values[0]} has no unit: write values with one, as in {quantity.example!r}" if values != ("0",) else ""


def _element_measure_problems(measures: Sequence[str], points: Sequence[Point]) -> list[str]:
    # Measures of nodes or links, as in ha.registration_wait_mean, which no point of the sweep has.
    problems = {name: "" for name in measures if "." in name}
    for text in dict.fromkeys(p.scenario for p in points):
        if not problems:
            break
        network = build_network(Scenario.model_validate(json.loads(text)))
        nodes, links = [n.name for n in network.nodes], network.link_names()
        here = {name: _problem_of(partial(get_measure, nodes=nodes, links=links), name) for name in problems}
        problems = {name: problem for name, problem in here.items() if problem}
    return [f"--metric {problem}" for problem in problems.values()]


def _problem_of(read: Callable[[str], object], text: str) -> str:
    try:
        read(text)
    except ValueError as error:
        return str(error)
    return ""


__all__ = ["SweepRequest", "plan_sweep"]
