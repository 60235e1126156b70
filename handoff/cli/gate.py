"""Targets of ``run``, ``compare``, ``sweep`` and ``plan`` as a gate: lines, JSON, JUnit and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.output_file import NewFile
from handoff.cli.exit_codes import ExitCode
from handoff.cli.terminal import show
from handoff.experiments.planning.outcome import Outcome
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.target_sources import parse_study_targets
from handoff.experiments.planning.verdict import needs_detail
from handoff.output.junit import JunitCase, render_junit
from handoff.protocol.setup import Setup
from handoff.scenario import Scenario, ScenarioError

NO_TARGET = "--junit: there is no target: give --slo 'MEASURE<=LIMIT', or [slo] in the scenario"


@dataclass
class Gate:
    """Targets of a command, and their outcomes.

    Attributes
    ----------
    targets : list of Target
        Targets of the scenario and of the command line.
    outcomes : list of Outcome
        Outcomes, once the runs are complete.
    """

    targets: list[Target]
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def needs_detail(self) -> bool:
        """True if a measure needs a record of every packet."""
        return needs_detail(self.targets)

    @property
    def passed(self) -> bool:
        """True if each target is met everywhere."""
        return all(outcome.passed for outcome in self.outcomes)

    @property
    def exit_code(self) -> int:
        """3 if a target is missed, else 0."""
        return ExitCode.OK if self.passed else ExitCode.TARGET_MISSED

    def show(self) -> None:
        """Print a line for each outcome."""
        for outcome in self.outcomes:
            show(str(outcome))

    def as_json(self) -> dict[str, Any]:
        """Return what a JSON document says about the targets."""
        return {"passed": self.passed, "targets": [outcome.as_json() for outcome in self.outcomes]}

    def write_junit(self, path: Path, suite: str) -> None:
        """Write the outcomes as JUnit, one case for each."""
        write_cases(path, suite, [
            JunitCase(o.subject, str(o.target), "" if o.passed else str(o).removeprefix("✗ ")) for o in self.outcomes
        ])  # fmt: skip


def open_gate(scenario: Scenario, slo: Sequence[str], setup: Setup | None, detail: bool | None, junit: Path | None) -> Gate:
    """Return the gate with the targets of a scenario and of ``--slo``.

    Parameters
    ----------
    scenario : Scenario
        Scenario with ``[slo]``.
    slo : sequence of str
        Targets of the command line.
    setup : Setup or None
        Setup with the nodes and links that measures may name.
    detail : bool or None
        What ``--detail`` says.
    junit : Path or None
        File of ``--junit``.

    Raises
    ------
    ScenarioError
        If a target is wrong, needs what ``--no-detail`` leaves out, or is missing.
    """
    problems: list[str] = []
    targets = parse_study_targets(scenario, slo, setup, detail, problems)
    if junit is not None and not targets and not problems:
        problems.append(NO_TARGET)
    if problems:
        raise ScenarioError(problems)
    return Gate(targets)


def write_cases(path: Path, suite: str, cases: Sequence[JunitCase]) -> None:
    """Write cases as JUnit."""
    with NewFile(path) as file:
        file.write(render_junit(suite, cases))


__all__ = ["NO_TARGET", "Gate", "open_gate", "write_cases"]
