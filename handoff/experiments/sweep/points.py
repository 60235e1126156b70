"""Points of a sweep and what identifies them: scenario, procedure, settings and the files that go in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from handoff.experiments.execution.input_files import input_digests, unreadable_inputs
from handoff.experiments.execution.task import canonical_json
from handoff.experiments.sweep.grid import Combination
from handoff.scenario import Scenario
from handoff.scenario.experiment import NOT_OF_A_POINT
from handoff.scenario.load import format_error
from handoff.scenario.overrides import set_value


@dataclass(frozen=True)
class RunSettings:
    """How each run is done.

    Attributes
    ----------
    detail : bool
    warmup_ps, batches : int
        As for ``handoff.simulation.run.run_procedure``.
    """

    detail: bool = False
    warmup_ps: int = 0
    batches: int = 1


@dataclass(frozen=True)
class Point:
    """One scenario under one procedure.

    Attributes
    ----------
    scenario : str
        Its tables as ``handoff.experiments.execution.task.canonical_json`` text, without ``NOT_OF_A_POINT``.
    procedure : str
    settings : Settings
    inputs : tuple of (str, str)
        Files that the scenario names, and digests of what they hold: another content is another point.
    values : mapping of str to str
        What was varied; for people, not part of the identity.
    key : str
        Digest of all but ``values``.
    """

    scenario: str
    procedure: str
    settings: RunSettings
    inputs: tuple[tuple[str, str], ...]
    values: Mapping[str, str] = field(compare=False)
    key: str = field(init=False)

    def __post_init__(self) -> None:
        facts = json.dumps([self.scenario, self.procedure, asdict(self.settings), self.inputs], sort_keys=True)
        object.__setattr__(self, "key", hashlib.blake2b(facts.encode(), digest_size=16).hexdigest())

@dataclass(frozen=True)
class Failure:
    """A point that cannot be run, and why.

    Attributes
    ----------
    values : mapping of str to str
    procedure : str
    problem : str
    """

    values: Mapping[str, str]
    procedure: str
    problem: str

    @property
    def told(self) -> str:
        """One line of it."""
        point = " ".join([*(f"{name}={value}" for name, value in self.values.items()), self.procedure])
        return f"{point}: {'; '.join(self.problem.splitlines())}"


def group_failures(failures: Iterable[Failure]) -> list[str]:
    """A line for each problem: the first point that has it, and how many more do."""
    groups: dict[str, list[Failure]] = {}
    for failure in failures:
        groups.setdefault(failure.problem, []).append(failure)
    more = {problem: f" (and {len(group) - 1:,} more points)" * (len(group) > 1) for problem, group in groups.items()}
    return [group[0].told + more[problem] for problem, group in groups.items()]


def make_points(
    tables: dict[str, Any], folder: Path, found: Sequence[Combination], settings: RunSettings
) -> tuple[list[Point], list[Failure]]:
    """Points of combinations, each once, and those whose scenario is wrong.

    Parameters
    ----------
    tables : dict
        Of the scenario file.
    folder : Path
        Where it stands, and the files that it names.
    found : sequence of Combination
        In their order.
    settings : Settings
        Of all.
    """
    base = {name: value for name, value in tables.items() if name not in NOT_OF_A_POINT}
    scenarios: dict[tuple[tuple[str, str], ...], tuple[str, tuple[tuple[str, str], ...]] | str] = {}
    points: dict[str, Point] = {}
    failures = []
    for one in found:
        values = tuple(one.values.items())
        if values not in scenarios:
            scenarios[values] = _scenario(base, folder, values)
        made = scenarios[values]
        if isinstance(made, str):
            failures.append(Failure(one.values, one.procedure, made))
        else:
            point = Point(made[0], one.procedure, settings, made[1], one.values)
            points.setdefault(point.key, point)
    return list(points.values()), failures


def _scenario(
    base: dict[str, Any], folder: Path, values: Iterable[tuple[str, str]]
) -> tuple[str, tuple[tuple[str, str], ...]] | str:
    """The tables of a point as text and the files that go in, or what is wrong with them."""
    tables = base
    try:
        for name, value in values:
            tables = set_value(tables, name, value)
        Scenario.model_validate(tables)
    except ValidationError as error:
        return "\n".join(format_error(e) for e in error.errors())
    except ValueError as error:
        return str(error)
    if missing := unreadable_inputs(tables, folder):
        return "\n".join(missing)
    return canonical_json(tables), input_digests(tables, folder)
