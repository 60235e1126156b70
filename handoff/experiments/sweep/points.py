"""Points of a sweep and their identity: scenario, procedure, settings and input files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from handoff.experiments.execution.input_files import input_digests, unreadable_inputs
from handoff.experiments.execution.task import canonical_json
from handoff.experiments.sweep.grid import Combination
from handoff.output.printable import printable
from handoff.scenario.experiment import NOT_OF_A_POINT
from handoff.scenario.load import build_scenario
from handoff.scenario.overrides import set_value

_KEY_BYTES = 16

_Inputs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RunSettings:
    """Settings of each run, with the meanings of ``handoff.simulation.run.run_procedure``.

    Attributes
    ----------
    detail : bool
        If true, record every packet and compute all metrics.
    warmup_ps : int
        Time in ps that the measures leave out at the start.
    batches : int
        Number of batches that each run is cut into, for batch means.
    """

    detail: bool = False
    warmup_ps: int = 0
    batches: int = 1


@dataclass(frozen=True)
class Point:
    """One scenario with one procedure.

    Attributes
    ----------
    scenario : str
        Tables of the scenario as ``handoff.experiments.execution.task.canonical_json`` text, without the tables
        ``NOT_OF_A_POINT``.
    procedure : str
        Name of the procedure.
    settings : RunSettings
        Settings of each run.
    inputs : tuple of (str, str)
        Names and digests of the files that the scenario names: other contents make another point.
    values : mapping of str to str
        Text of each varied value by field; for display, not part of the identity.
    key : str
        Digest of all attributes but ``values``.
    """

    scenario: str
    procedure: str
    settings: RunSettings
    inputs: _Inputs
    values: Mapping[str, str] = field(compare=False)
    key: str = field(init=False)

    def __post_init__(self) -> None:
        facts = json.dumps([self.scenario, self.procedure, asdict(self.settings), self.inputs], sort_keys=True)
        object.__setattr__(self, "key", hashlib.blake2b(facts.encode(), digest_size=_KEY_BYTES).hexdigest())


@dataclass(frozen=True)
class Failure:
    """A point that cannot be run.

    Attributes
    ----------
    values : mapping of str to str
        Text of each varied value by field.
    procedure : str
        Name of the procedure.
    problem : str
        Reason, which may have several lines.
    """

    values: Mapping[str, str]
    procedure: str
    problem: str

    def describe(self) -> str:
        """Return the point and its problem in one line."""
        return printable(f"{describe_point(self.values, self.procedure)}: {'; '.join(self.problem.splitlines())}")


def describe_point(values: Mapping[str, str], procedure: str) -> str:
    """Return the varied values and the procedure of a point as text."""
    return " ".join([*(f"{name}={value}" for name, value in values.items()), procedure])


def group_failures(failures: Iterable[Failure]) -> list[str]:
    """Return a line for each problem: the first point that has it, and the number of other points."""
    groups: dict[str, list[Failure]] = {}
    for failure in failures:
        groups.setdefault(failure.problem, []).append(failure)
    more = {problem: f" (and {len(group) - 1:,} more points)" * (len(group) > 1) for problem, group in groups.items()}
    return [group[0].describe() + more[problem] for problem, group in groups.items()]


def make_points(
    tables: dict[str, Any], folder: Path, selection: Sequence[Combination], settings: RunSettings
) -> tuple[list[Point], list[Failure]]:
    """Return the points of combinations, each once, and the combinations whose scenario is wrong.

    Parameters
    ----------
    tables : dict
        Tables of the scenario file.
    folder : Path
        Folder of the scenario file, and of the files that it names.
    selection : sequence of Combination
        Combinations to run, in their order.
    settings : RunSettings
        Settings of every run.
    """
    base = {name: value for name, value in tables.items() if name not in NOT_OF_A_POINT}
    scenarios: dict[tuple[tuple[str, str], ...], tuple[str, _Inputs] | str] = {}
    points: dict[str, Point] = {}
    failures = []
    for combination in selection:
        values = tuple(combination.values.items())
        if values not in scenarios:
            scenarios[values] = _make_scenario(base, folder, values)
        scenario = scenarios[values]
        if isinstance(scenario, str):
            failures.append(Failure(combination.values, combination.procedure, scenario))
        else:
            point = Point(scenario[0], combination.procedure, settings, scenario[1], combination.values)
            points.setdefault(point.key, point)
    return list(points.values()), failures


def _make_scenario(base: dict[str, Any], folder: Path, values: Iterable[tuple[str, str]]) -> tuple[str, _Inputs] | str:
    # Returns the canonical text and the inputs, or the problems as one text.
    tables = base
    try:
        for name, value in values:
            tables = set_value(tables, name, value)
        build_scenario(tables)
    except ValueError as error:
        return str(error)
    if missing := unreadable_inputs(tables, folder):
        return "\n".join(missing)
    return canonical_json(tables), input_digests(tables, folder)
