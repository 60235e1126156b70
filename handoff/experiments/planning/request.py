"""A plan as it was asked for, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.quantities import parse_duration, parse_size
from handoff.experiments.execution.input_files import input_digests
from handoff.experiments.execution.task import Task, canonical_json
from handoff.experiments.planning.bisection import Sense
from handoff.experiments.planning.readings import needs_detail
from handoff.experiments.planning.search_space import DEFAULT_TARGET, Ask, SearchProblem, sizing_problems, vary_problem
from handoff.experiments.planning.slo import Target, parse_all
from handoff.experiments.planning.verdict import SloTest
from handoff.protocol.setup import Setup
from handoff.scenario import Scenario, ScenarioError
from handoff.scenario.experiment import NOT_OF_A_POINT
from handoff.scenario.load import read_tables
from handoff.scenario.load import validate as checked
from handoff.scenario.problems import load_with_problems, parse_option, seed_range_errors


@dataclass(frozen=True)
class PlanRequest:
    """A plan as it was asked for.

    Attributes
    ----------
    scenario : Path
    changes : tuple of str
        Of ``--set``.
    vary : tuple of str
        One, if there is no ``size``.
    size : str or None
    slo : tuple of str
    procedures : tuple of str
    find : {"largest", "smallest"} or None
    confidence, precision : float
    most_runs : int
    seed : int or None
    warmup : str
    analytic : bool
        The closed forms alone.
    output : Path or None
        Of the dataset that keeps the runs.
    memory_limit : str or None
        Of a run.
    """

    scenario: Path
    changes: tuple[str, ...]
    vary: tuple[str, ...]
    size: str | None
    slo: tuple[str, ...]
    procedures: tuple[str, ...]
    find: Sense | None
    confidence: float
    precision: float
    most_runs: int
    seed: int | None
    warmup: str
    analytic: bool = False
    output: Path | None = None
    memory_limit: str | None = None


@dataclass(frozen=True)
class ValidatedPlan:
    """What is left to do when everything that was asked for is sound.

    Attributes
    ----------
    wanted : Wanted
    data : dict
        The scenario's tables that a run depends on.
    seed : int
        Of the first replication.
    warmup_ps : int
    memory_limit_bytes : int or None
        Of a run.
    targets : list of Target
    questions : list of Ask
    low : Setup
        The scenario at the low end of the first range; as it is if nothing varies.
    """

    wanted: PlanRequest
    data: dict[str, Any]
    seed: int
    warmup_ps: int
    memory_limit_bytes: int | None
    targets: list[Target]
    questions: list[Ask]
    low: Setup

    def first(self) -> SearchProblem:
        """The first question."""
        return self.questions[0]({})

    def task(self, question: SearchProblem, position: int, replication: int, procedures: tuple[str, ...]) -> Task:
        """One replication of a value: ``handoff run --seed`` with the same changes gives the same."""
        tables, folder = question.tables(self.data, position), self.wanted.scenario.parent
        return Task(
            canonical_json(tables), str(folder), self.seed + replication, procedures, needs_detail(self.targets), self.warmup_ps,
            memory_limit_bytes=self.memory_limit_bytes, inputs=input_digests(tables, folder),
        )  # fmt: skip

    def setup(self, question: SearchProblem, position: int) -> Setup:
        """The scenario at a value, under the first seed."""
        return _setup(self.wanted, question.tables(self.data, position), self.seed)

    def judge(self, question: SearchProblem) -> SloTest:
        """Every value has its share of the error."""
        error = (1 - self.wanted.confidence) / question.range.most_values
        return SloTest(tuple(self.targets), 1 - error, self.wanted.most_runs)


def validate_request(wanted: PlanRequest) -> ValidatedPlan:
    """Everything that is wrong with a plan, before anything runs.

    Raises
    ------
    ScenarioError
        With all of it.
    """
    from handoff.protocol.procedures import PROCEDURES, name_errors
    from handoff.simulation.run import unsupported_reasons

    wrong = name_errors(wanted.procedures)
    limit = parse_option("--memory-limit", parse_size, wanted.memory_limit, wrong)
    warmup_ps = parse_option("--warmup", parse_duration, wanted.warmup, wrong) or 0
    if len(wanted.vary) > 1:
        wrong.append("--vary is given twice: a plan varies one field ('handoff sweep' varies several)")
    if bool(wanted.vary) == (wanted.size is not None) and not (wanted.analytic and not wanted.vary):
        wrong.append("give either --vary NAME=LOW:HIGH or --size WHAT: one of them says what is to be found")
    read, text = load_with_problems(wrong, lambda: read_tables(wanted.scenario, wanted.changes), last=False)
    scenario = load_with_problems(wrong, lambda: checked(read, wanted.scenario, text, wanted.changes), last=False)
    data = {name: table for name, table in read.items() if name not in NOT_OF_A_POINT}
    if warmup_ps >= scenario.duration:
        wrong.append(f"--warmup {wanted.warmup}: the run ends at {data['duration']}: nothing would be measured")
    seed = scenario.seed if wanted.seed is None else wanted.seed
    wrong += seed_range_errors(seed, wanted.most_runs)
    questions, setup = _questions(wanted, data, scenario.seed, wrong)
    asked = [("[slo]", _of_scenario(scenario)), ("--slo", wanted.slo)]
    if not any(texts for _, texts in asked) and wanted.size in DEFAULT_TARGET:
        asked.append((f"--size {wanted.size}", [DEFAULT_TARGET[wanted.size]]))
    targets = _targets(asked, setup, wrong)
    if not any(texts for _, texts in asked) and questions:
        wrong.append("no target: give --slo 'MEASURE<=LIMIT', or [slo] in the scenario")
    if setup is not None:
        wrong += unsupported_reasons(setup, (name for name in wanted.procedures if name in PROCEDURES))
    if wrong or setup is None:
        raise ScenarioError(wrong)
    return ValidatedPlan(wanted, data, seed, warmup_ps, limit, targets, questions, setup)


def _of_scenario(scenario: Scenario) -> list[str]:
    """Targets of ``[slo]``."""
    return [] if scenario.slo is None else scenario.slo.targets


def _targets(asked: Sequence[tuple[str, Sequence[str]]], setup: Setup | None, wrong: list[str]) -> list[Target]:
    """The targets that are asked for, where each comes from beside it."""
    targets: list[Target] = []
    found: dict[str, str] = {}
    together: list[str] = []
    for where, texts in asked:
        together += texts
        try:
            targets = parse_all(together, _units(setup))
        except ValueError as error:
            for problem in str(error).split("\n"):
                found.setdefault(problem, f"{where} {problem}")
    wrong += found.values()
    return targets


def _questions(
    wanted: PlanRequest, data: dict[str, Any], seed: int, wrong: list[str]
) -> tuple[list[Ask], Setup | None]:
    """What is asked, and the scenario at the low end of the range if it is sound."""
    try:
        if wanted.vary:
            question = vary_problem(wanted.vary[0], data, wanted.precision, wanted.find)
            questions: list[Ask] = [lambda found: question]
        elif wanted.size is not None:
            questions = sizing_problems(wanted.size, data)
            question = questions[0]({})
        else:
            return [], _setup(wanted, data, seed) if wanted.analytic else None
        if found := question.problems(data):
            raise ScenarioError([f"{'--vary' if wanted.vary else f'--size {wanted.size}:'} {problem}" for problem in found])
        return questions, _setup(wanted, question.tables(data, question.range.low), seed)
    except ScenarioError as error:
        wrong += error.problems
    except ValueError as error:
        wrong.append(str(error))
    return [], None


def _setup(wanted: PlanRequest, data: dict[str, Any], seed: int) -> Setup:
    from handoff.workload.build import build_setup

    return build_setup(Scenario.model_validate(data), wanted.scenario, seed)


def _units(setup: Setup | None) -> Callable[[str], str]:
    """Units of measures by their names, those of agents and links as far as these are known."""
    from handoff.metrics.catalogue import get_measure

    if setup is None:
        return lambda name: get_measure(name).unit
    nodes, links = [n.name for n in setup.network.nodes], setup.network.link_names()
    return lambda name: get_measure(name, nodes, links).unit


__all__ = ["PlanRequest", "ValidatedPlan", "validate_request"]
