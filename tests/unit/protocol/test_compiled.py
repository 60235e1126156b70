"""Compiled copies of controllers: they give the results of the sources, and never hide an edited source."""

import json
import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import handoff
from handoff.protocol import COMPILED_PATH, compiled

PACKAGE = Path(handoff.__file__).parent
ORIGIN = "import handoff.protocol.agent, handoff.protocol.visitor_list as v; print(handoff.protocol.agent.__file__, v.__file__)"
COMPARE = "from handoff.cli.main import main; main()"

with_copies = pytest.mark.skipif(not COMPILED_PATH, reason="no copies of these sources: uv sync --reinstall-package handoff-sim")


def run_python(code, *arguments, copies="1", path=PACKAGE.parent):
    environment = {**os.environ, "HANDOFF_COMPILED_PROTOCOL": copies, "PYTHONPATH": str(path)}
    command = [sys.executable, "-P", "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120).stdout


@with_copies
def test_modules_with_a_copy_are_imported_from_it():
    agent, visitor_list = run_python(ORIGIN).split()
    assert agent.startswith(COMPILED_PATH[0])
    assert visitor_list.startswith(COMPILED_PATH[0])
    assert {Path(m).name.split(".")[0] for m in os.listdir(COMPILED_PATH[0])} == {*compiled.MODULES, compiled.LIBRARY}


@with_copies
@pytest.mark.parametrize(("example", "duration", "procedures"), [
    ("metro", "2s", "mobile-ip"), ("commute", "20s", "mobile-ip"), ("nr", "10s", "xn,n2-indirect,cho-early,daps,mipv6-ro"),
])  # fmt: skip
def test_copies_and_sources_give_the_same_results(example, duration, procedures):
    """Every procedure of a comparison, with fingerprints: the times of the processor alone differ."""
    scenario = PACKAGE.parent / "examples" / f"{example}.toml"
    options = ["--set", f"duration={duration}", "--procedures", procedures, "--no-cache", "--json", "--jobs=1"]
    of_copies, of_sources = (json.loads(run_python(COMPARE, "compare", str(scenario), *options, copies=c))["runs"] for c in "10")
    for run in (*of_copies, *of_sources):
        assert run.pop("wall_seconds") > 0
        assert run.pop("controller_seconds") > 0
    assert len(of_copies) > 3
    assert sum(run["handoffs"] for run in of_copies) > 0
    assert of_copies == of_sources


def test_the_environment_switches_copies_off():
    assert run_python(ORIGIN, copies="0").split() == [str(PACKAGE / "protocol" / f"{m}.py") for m in ("agent", "visitor_list")]


@with_copies
@pytest.mark.parametrize("edited", ["agent.py", "messages.py", "procedures/mipv4.py"])
def test_an_edited_source_is_not_hidden_by_copies(edited, tmp_path):
    """Copies of other sources are left alone, even if the edited module has none: compiled code relies on what it imports."""
    shutil.copytree(PACKAGE, tmp_path / "handoff", ignore=shutil.ignore_patterns("__pycache__"))
    agent = tmp_path / "handoff" / "protocol" / "agent.py"
    assert run_python(ORIGIN, path=tmp_path).split()[0] != str(agent)
    with (tmp_path / "handoff" / "protocol" / edited).open("a") as file:
        file.write("\n# edited\n")
    assert run_python(ORIGIN, path=tmp_path).split()[0] == str(agent)


def test_a_folder_without_the_library_is_no_copy(tmp_path, monkeypatch):
    monkeypatch.setenv("HANDOFF_COMPILED_PROTOCOL", "1")
    (tmp_path / "agent.py").write_text("")
    assert compiled.compiled_path(tmp_path) == []
    folder = compiled.folder_of_copies(tmp_path)
    folder.mkdir(parents=True)
    assert compiled.compiled_path(tmp_path) == []
    (folder / (compiled.LIBRARY + EXTENSION_SUFFIXES[0])).touch()
    assert compiled.compiled_path(tmp_path) == [str(folder)]
    monkeypatch.setenv("HANDOFF_COMPILED_PROTOCOL", "0")
    assert compiled.compiled_path(tmp_path) == []
