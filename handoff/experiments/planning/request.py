"""The request for a plan, and its validation: all mistakes are reported before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.offered_load import expected_packets
from engine.quantities import parse_duration, parse_size
from handoff.experiments.execution.input_files import input_digests
from handoff.experiments.execution.task import Task, canonical_json
from handoff.experiments.planning.search_problems import (
    DEFAULT_TARGET,
    SearchProblem,
    SearchStep,
    scenario_errors,
    sizing_steps,
    vary_problem,
)
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.target_sources import parse_sources, target_sources
from handoff.experiments.planning.value_search import Sense
from handoff.experiments.planning.verdict import SloTest, needs_baseline, needs_detail, profits_from_detail
from handoff.protocol.mixture import unsupported_reasons
from handoff.protocol.procedures import MIXTURE, name_errors
from handoff.protocol.setup import Setup
from handoff.scenario import ScenarioError
from handoff.scenario.experiment import NOT_OF_A_POINT
from handoff.scenario.load import build_scenario, read_tables
from handoff.scenario.load import validate as validate_scenario
from handoff.scenario.option_errors import load_with_problems, parse_option, range_errors, seed_range_errors
from handoff.scenario.overrides import resolve_paths

MAX_RECORDED_PACKETS = 10**6
"""Packets of a run up to which a plan records them for an exact percentile of the delay: 200 MB for each run at a time."""


SIZES = ("buffer", "lead", "agents")
CONFIDENCE_RANGE, PRECISION_RANGE, RUNS_RANGE = (0.5, 0.9999), (1e-4, 0.5), (2, 1000)
"""Least and greatest values."""


@dataclass(frozen=True)
class PlanRequest:
    """A request for a plan, with the texts of the command line.

    Attributes
    ----------
    scenario : Path
        Scenario file. Names of other files are relative to its folder.
    tables : dict or None
        Tables of the scenario, instead of the content of the file.
    changes : tuple of str
        Changes of the scenario, as in ``options.bicast=1s``.
    vary : tuple of str
        Field and range, as in ``mobile_nodes=1k..1M``; exactly one, unless there is a ``size``.
    size : {"buffer", "lead", "agents"} or None
        Quantity to dimension, instead of a field.
    slo : tuple of str
        Targets, as in ``loss_ratio<=1e-4``, in addition to those of ``[slo]``.
    procedures : tuple of str
        Names of the procedures; each gets an answer.
    find : {"largest", "smallest"} or None
        Which of the values that meet the targets is searched; None: the search finds out.
    confidence : float
        Confidence of each answer.
    precision : float
        Relative width of the interval at which the search stops.
    most_runs : int
        Replications after which an undecided value stays open.
    seed : int or None
        Seed of the first replication, instead of the scenario's.
    warmup : str
        Time that the measures leave out at the start of each run, as in ``2s``.
    analytic : bool
        If true, closed forms alone are wanted, and vary and size may both be missing.
    output : Path or None
        Folder of the dataset that keeps the runs.
    memory_limit : str or None
        Memory that a run may need, as in ``2GB``.
    """

    scenario: Path
    tables: dict[str, Any] | None = field(default=None, kw_only=True)
    changes: tuple[str, ...] = ()
    vary: tuple[str, ...] = ()
    size: str | None = None
    slo: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ("sync-mipv4",)
    find: Sense | None = None
    confidence: float = 0.95
    precision: float = 0.01
    most_runs: int = 12
    seed: int | None = None
    warmup: str = "0s"
    analytic: bool = False
    output: Path | None = None
    memory_limit: str | None = None


@dataclass(frozen=True)
class ValidatedPlan:
    """A request without mistakes, and what follows from it.

    Attributes
    ----------
    request : PlanRequest
    data : dict
        Tables of the scenario that a run depends on.
    seed : int
        Seed of the first replication.
    warmup_ps : int
        Time in ps that the measures leave out.
    memory_limit_bytes : int or None
        Memory that a run may need.
    targets : list of Target
    steps : list of SearchStep
        Makers of the search problems, in their order; empty if nothing varies.
    low_setup : Setup
        Scenario at the low end of the first range; unchanged if nothing varies.
    detail : bool
        True if the runs record every packet: a target needs it, or is a percentile of the delay and the runs are small.
    """

    request: PlanRequest
    data: dict[str, Any]
    seed: int
    warmup_ps: int
    memory_limit_bytes: int | None
    targets: list[Target]
    steps: list[SearchStep]
    low_setup: Setup
    detail: bool = False

    def first_problem(self) -> SearchProblem:
        """Return the first search problem."""
        return self.steps[0]({})

    def make_task(self, problem: SearchProblem, position: int, replication: int, procedures: tuple[str, ...]) -> Task:
        """Return the task of one replication of a value; ``handoff run --seed`` with the same changes gives the same run."""
        tables, folder = problem.tables(self.data, position), self.request.scenario.parent
        return Task(
            canonical_json(tables), str(folder), self.seed + replication, procedures, self.detail, self.warmup_ps,
            memory_limit_bytes=self.memory_limit_bytes, inputs=input_digests(tables, folder),
            baseline=self.request.output is not None or needs_baseline(self.targets),
        )  # fmt: skip

    def find_errors(self, problem: SearchProblem, position: int) -> list[str]:
        """Return the mistakes in the scenario at a value. Only the ends of a range are checked with the request."""
        return scenario_errors(problem.tables(self.data, position))

    def setup_at(self, problem: SearchProblem, position: int) -> Setup:
        """Build the scenario at a value, with the first seed."""
        return _build_setup(self.request, problem.tables(self.data, position), self.seed, self.memory_limit_bytes)

    @property
    def may_end_early(self) -> bool:
        """True if no one reads the runs but the plan, and their measures start at time 0."""
        return self.request.output is None and not self.warmup_ps

    def make_slo_test(self, problem: SearchProblem) -> SloTest:
        """Return the test of one value, which has an equal share of the error of the answer."""
        error = (1 - self.request.confidence) / problem.range.max_values
        return SloTest(tuple(self.targets), 1 - error, self.request.most_runs)


def validate_request(request: PlanRequest) -> ValidatedPlan:
    """Check a request together with its scenario.

    Raises
    ------
    ScenarioError
        With all mistakes.
    """
    errors = name_errors(request.procedures)
    if request.analytic and MIXTURE in request.procedures:
        errors.append(f"--analytic: there is no closed form of a {MIXTURE}: name its procedures, or leave out --analytic")
    limit = parse_option("--memory-limit", parse_size, request.memory_limit, errors)
    warmup_ps = parse_option("--warmup", parse_duration, request.warmup, errors) or 0
    if len(request.vary) > 1:
        errors.append("--vary is given twice: a plan varies one field ('handoff sweep' varies several)")
    if bool(request.vary) == (request.size is not None) and not (request.analytic and not request.vary):
        errors.append("give either --vary NAME=LOW..HIGH or --size WHAT, to choose the quantity to search")
    tables, text = load_with_problems(errors, lambda: read_tables(request.scenario, request.changes, request.tables), last=False)
    scenario = load_with_problems(
        errors, lambda: validate_scenario(tables, request.scenario, text, request.changes), last=False
    )
    data = {name: table for name, table in tables.items() if name not in NOT_OF_A_POINT}
    if warmup_ps >= scenario.duration:
        errors.append(f"--warmup {request.warmup}: the run ends at {data['duration']}: nothing would be measured")
    seed = scenario.seed if request.seed is None else request.seed
    errors += range_errors(
        confidence=(request.confidence, *CONFIDENCE_RANGE), precision=(request.precision, *PRECISION_RANGE),
        most_runs=(request.most_runs, *RUNS_RANGE),
    )  # fmt: skip
    errors += seed_range_errors(seed, request.most_runs)
    if request.find not in (None, "largest", "smallest"):
        errors.append(f"find is {request.find!r}: give 'largest' or 'smallest'")
    if request.size not in (None, *SIZES):
        errors.append(f"size is {request.size!r}: give one of {', '.join(SIZES)}")
    steps, setup = _make_steps(request, data, scenario.seed, limit, errors)
    sources = target_sources(scenario, request.slo)
    if not any(texts for _, texts in sources) and request.size in DEFAULT_TARGET:
        sources.append((f"--size {request.size}", [DEFAULT_TARGET[request.size]]))
    targets = parse_sources(sources, setup, errors)
    if not any(texts for _, texts in sources) and steps:
        errors.append("no target: give --slo 'MEASURE<=LIMIT', or [slo] in the scenario")
    if setup is not None:
        errors += unsupported_reasons(setup, (name for name in request.procedures if not name_errors([name])))
    if errors or setup is None:
        raise ScenarioError(errors)
    detail = needs_detail(targets) or (bool(steps) and profits_from_detail(targets) and _are_runs_small(steps, setup, data))
    return ValidatedPlan(request, data, seed, warmup_ps, limit, targets, steps, setup, detail)


def _are_runs_small(steps: Sequence[SearchStep], setup: Setup, data: dict[str, Any]) -> bool:
    # Options do not change the packets sent. With another field they grow at most in proportion, or (intervals) fall.
    problem = steps[0]({})
    is_option = all(path.startswith("options.") for path in resolve_paths(data, problem.path))
    growth = 1.0 if is_option else problem.range.high / max(problem.range.low, 1)
    return int(expected_packets(setup.network, setup.duration_ps).sum()) * growth <= MAX_RECORDED_PACKETS


def _make_steps(
    request: PlanRequest, data: dict[str, Any], seed: int, limit: int | None, errors: list[str]
) -> tuple[list[SearchStep], Setup | None]:  # fmt: skip
    # Returns the search steps, and the scenario at the low end of the first range; None if there is a mistake.
    try:
        if request.vary:
            problem = vary_problem(request.vary[0], data, request.precision, request.find)
            steps: list[SearchStep] = [lambda answers: problem]
        elif request.size in SIZES:
            steps = sizing_steps(request.size, data)
            problem = steps[0]({})
        else:
            return [], _build_setup(request, data, seed, limit) if request.analytic else None
        if outside := problem.range_errors(data):
            option = "--vary" if request.vary else f"--size {request.size}:"
            raise ScenarioError([f"{option} {error}" for error in outside])
        return steps, _build_setup(request, problem.tables(data, problem.range.low), seed, limit)
    except ScenarioError as error:
        errors += error.problems
    except ValueError as error:
        errors.append(str(error))
    return [], None


def _build_setup(request: PlanRequest, data: dict[str, Any], seed: int, limit: int | None) -> Setup:
    from handoff.workload.build import build_setup

    return build_setup(build_scenario(data), request.scenario, seed, limit)


__all__ = ["PlanRequest", "ValidatedPlan", "validate_request"]
