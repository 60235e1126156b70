"""A mutant of the engine differs from the oracle; a mutant of the protocol fails a test of the protocol."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tests.mutation.engine_mutants import ENGINE_MUTANTS
from tests.mutation.mutant import Mutant
from tests.mutation.oracle_mutants import ORACLE_MUTANTS
from tests.mutation.protocol_mutants import PROTOCOL_MUTANTS
from tests.mutation.runner import ROOT, Verdict, compare_scenarios, judge_engine_mutant, judge_protocol_mutant

SOURCES = {"engine": ENGINE_MUTANTS, "handoff": PROTOCOL_MUTANTS, "tests/differential": ORACLE_MUTANTS}


@pytest.mark.parametrize(
    ("folder", "mutant"), [pytest.param(folder, m, id=m.name) for folder, mutants in SOURCES.items() for m in mutants]
)
def test_text_of_a_mutant_occurs_once(folder: str, mutant: Mutant) -> None:
    assert (ROOT / folder / mutant.file).read_text().count(mutant.old) == 1
    assert mutant.old != mutant.new


@pytest.mark.parametrize("folder", SOURCES)
def test_no_two_mutants_of_a_file_give_the_same_text(folder: str) -> None:
    names: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for mutant in SOURCES[folder]:
        text = (ROOT / folder / mutant.file).read_text()
        names[mutant.file, text.replace(mutant.old, mutant.new)].append(mutant.name)
    assert [same for same in names.values() if len(same) > 1] == []


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("while True: pass", Verdict(True, "a scenario does not end within 0.1 s of processor time")),
        ("os.kill(os.getpid(), signal.SIGSEGV)", Verdict(True, "crashes with signal 11")),
        ("return [f'scenario {number} differs'] if number == 7 else []", Verdict(True, "scenario 7 differs")),
        ("return []", Verdict(False, "not noticed in 300 scenarios")),
    ],
)
def test_a_mutant_is_judged_by_its_scenarios(body: str, verdict: Verdict, tmp_path: Path) -> None:
    package = tmp_path / "tests" / "differential"
    package.mkdir(parents=True)
    (tmp_path / "engine").mkdir()
    for folder in (tmp_path / "engine", tmp_path / "tests", package):
        (folder / "__init__.py").touch()
    (package / "check.py").write_text(f"import os, signal\ndef differences(number):\n    {body}\n")
    assert compare_scenarios(tmp_path, "differences", cpu_seconds=0.1) == verdict


@pytest.mark.long
def test_engine_mutant_differs_from_the_oracle(engine_mutant: Mutant, tmp_path: Path) -> None:
    verdict = judge_engine_mutant(engine_mutant, tmp_path)
    assert verdict.killed, verdict.reason


@pytest.mark.long
def test_the_tests_of_the_protocol_pass_without_a_mutant(tmp_path: Path) -> None:
    verdict = judge_protocol_mutant(None, tmp_path)
    assert not verdict.killed, verdict.reason


@pytest.mark.long
def test_protocol_mutant_fails_a_test_of_the_protocol(protocol_mutant: Mutant, tmp_path: Path) -> None:
    verdict = judge_protocol_mutant(protocol_mutant, tmp_path)
    assert verdict.killed, verdict.reason
