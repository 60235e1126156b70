"""The house keeps its rules: imports go down only, files can be read in one sitting, nothing of one machine is tracked."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN = {"engine": {"handoff", "handoff_traces"}, "traces": {"handoff", "engine"}, "handoff": {"tests", "bench"}}


def tracked():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout: nothing is tracked here")
    return [name for name in done.stdout.splitlines() if (ROOT / name).exists()]


def imports(path):
    text = path.read_text()
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".")[0]
    else:
        for match in re.finditer(r"^\s*(?:from\s+(\w+)[\w.]*\s+c?import|c?import\s+(\w+))", text, re.M):
            yield match[1] or match[2]


def test_imports_go_down_only():
    wrong = []
    for name in tracked():
        folder = name.split("/")[0]
        if folder in FORBIDDEN and name.endswith((".py", ".pyx", ".pxd")):
            wrong += [f"{name} imports {x}" for x in imports(ROOT / name) if x in FORBIDDEN[folder]]
    assert wrong == []


def test_the_machine_knows_no_procedure_by_name():
    """A procedure is a row: nothing in the machine asks which one it runs."""
    named = re.compile(r"row\.name|[\"'](?:sync-|h?mipv|pmipv)|PROCEDURES")
    machine = [n for n in tracked() if n.startswith("handoff/machine/")]
    assert len(machine) > 10
    assert [n for n in machine if named.search((ROOT / n).read_text())] == []


def test_every_source_can_be_read_in_one_sitting():
    long = {n: count for n in tracked() if n.endswith((".py", ".pyx", ".pxd", ".rs"))
            if (count := len((ROOT / n).read_text().splitlines())) > 520}  # fmt: skip
    assert long == {}


def test_nothing_built_and_nothing_of_one_machine_is_tracked():
    names = tracked()
    assert [n for n in names if re.search(r"(\.lock|\.so|\.pyc|\.o|_core\.c(pp)?)$|(^|/)(build|dist|target)/", n)] == []
    paths = re.compile("|".join(["/" + "work/", "/" + "root/", "/" + "home/[a-z]"]))
    texts = [n for n in names if not n.endswith((".pcap", ".pcapng"))]
    assert [n for n in texts if paths.search((ROOT / n).read_text(errors="replace"))] == []


def test_nothing_is_postponed_in_silence():
    marks = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error", "pragma: no " + "cover"]))
    sources = [n for n in tracked() if n.endswith((".py", ".pyx", ".pxd", ".rs"))]
    assert [n for n in sources if marks.search((ROOT / n).read_text())] == []


def test_a_missing_compiler_is_said_in_one_sentence(tmp_path):
    env = {k: v for k, v in os.environ.items() if k not in ("CC", "CXX")} | {"PATH": str(tmp_path), "CXX": "no-such-compiler"}
    command = [sys.executable, "setup.py", "--version"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "handoff needs a C++ compiler: install g++ (Debian: apt-get install g++) or clang, then try again."
    )
