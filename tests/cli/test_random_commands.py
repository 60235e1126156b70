"""Random command lines: whatever a scenario contains, a command ends with a result or with errors that name what is wrong."""

from __future__ import annotations

import json
import re
import shlex
import signal
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings

from handoff.cli import command_group
from handoff.cli.main import main
from tests.cli.random_commands import Case, cases

KINDS = 8
"""Kinds of commands; a deep case has one of each."""
PATIENCE_SECONDS = 60
INNER = re.compile(
    r"Traceback|validation error|\b[A-Z]\w*(?:Error|Exception)\b|\(\w+\.py:\d+\)|<[\w.]+ object at|\b[a-z_]+\(\) |NoneType|"
    r"' object |division by zero|math domain|out of (?:range|bounds) |list index|could not convert|cannot convert|constrained"
)
"""Text of an inner error."""


def is_inner(error: BaseException) -> bool:
    """Return whether an error is not the result of a check: no statement of ``raise`` is its origin."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return type(error) is ValueError and not (frame.line or "").startswith("raise ")


class TookTooLong(BaseException):
    """No command of the cases takes long."""


@contextmanager
def time_limit() -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise TookTooLong

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def invoke(words: list[str]) -> tuple[Result, list[str]]:
    """Run a command; return its end, and what is wrong with it."""
    errors: list[ValueError] = []
    lines = command_group._lines
    with time_limit(), patch.object(command_group, "_lines", lambda error: errors.append(error) or lines(error)):
        done = CliRunner().invoke(main, words)
    return done, [f"inner error {error!r}" for error in errors if is_inner(error)] + find_faults(done, words)


def find_faults(done: Result, words: list[str]) -> list[str]:
    faults = [] if done.exit_code in (0, 1, 2, 3) else [f"exit code {done.exit_code}"]
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        faults.append(f"exception {done.exception!r}")
    if inner := INNER.search(done.output):
        faults.append(f"inner error {inner[0]!r}")
    if done.exit_code == 2 and not done.stderr.strip():
        faults.append("invalid input without a message")
    if done.exit_code in (0, 3) and "--json" in words:
        faults += find_json_faults(done.stdout)
    return faults


def find_json_faults(text: str) -> list[str]:
    """Return what is wrong with JSON output: numbers that JSON does not have, intervals of impossible values."""
    constants: list[str] = []
    document = json.loads(text, parse_constant=constants.append)
    return constants + [f"impossible interval {interval}" for interval in intervals(document) if not is_possible(interval)]


def intervals(document: Any, measure: str = "") -> Iterator[dict[str, Any]]:
    """Yield the objects with the ends of an interval. A plan names their measure inside, a sweep by its key."""
    if isinstance(document, list):
        for entry in document:
            yield from intervals(entry)
    elif isinstance(document, dict):
        if "low" in document and "high" in document:
            yield {"measure": measure, **document}
        for key, entry in document.items():
            yield from intervals(entry, key)


def is_possible(interval: dict[str, Any]) -> bool:
    low, mean, high = interval["low"], interval.get("mean", interval.get("value")), interval["high"]
    if low is None or mean is None or high is None:
        return True
    lowest = float("-inf") if interval["measure"].startswith("extra") else 0
    highest = max(1, mean) if interval["unit"] == "ratio" else float("inf")  # pooled queues have a sum of utilisations
    return lowest <= low <= mean <= high <= highest


def run_case(case: Case) -> None:
    """Run the commands of a case, and raise with all faults and the way to repeat them."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        case.write(Path(folder))
        for words in case.commands:
            done, faults = invoke(words)
            if faults:
                scenario = case.files["random.toml"].decode()
                raise AssertionError("\n".join([*faults, shlex.join(words), done.output, scenario])) from done.exception


FEW = settings(max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@FEW
@given(cases(1))
def test_a_random_command_has_a_result_or_a_named_error(case: Case) -> None:
    run_case(case)


@pytest.mark.long
@settings(FEW, max_examples=500, derandomize=False)
@given(cases(KINDS))
def test_every_command_on_a_random_scenario_has_a_result_or_a_named_error(case: Case) -> None:
    run_case(case)
