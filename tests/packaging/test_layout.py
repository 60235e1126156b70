"""Rules of the repository: size of files, tracked files, unfinished work, procedures as data."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SOURCES = (".py", ".pyi", ".pyx", ".pxd", ".rs")
MAX_LINES = 500
"""The aim is 400."""


def tracked():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout: nothing is tracked here")
    return [name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def test_the_protocol_knows_no_procedure_by_name():
    """A procedure is a row of data: the protocol implementation never asks which one it runs."""
    named = re.compile(r"\b(?:row|procedure)\.name|[\"'](?:sync-|h?mipv|pmipv)|PROCEDURES")
    protocol = [n for n in tracked() if n.startswith("handoff/protocol/") and "/procedures/" not in n]
    assert len(protocol) > 10
    assert [n for n in protocol if named.search((ROOT / n).read_text())] == []


def test_no_source_is_longer_than_the_limit():
    counts = {name: len((ROOT / name).read_text().splitlines()) for name in tracked() if name.endswith(SOURCES)}
    assert {name: count for name, count in counts.items() if count > MAX_LINES} == {}


def test_neither_build_products_nor_paths_of_a_machine_are_tracked():
    names = tracked()
    assert [n for n in names if re.search(r"(\.lock|\.so|\.pyc|\.o|_core\.c(pp)?)$|(^|/)(build|dist|target)/", n)] == []
    paths = re.compile("|".join(["/" + "work/", "/" + "root/", "/" + "home/[a-z]"]))
    texts = [n for n in names if not n.endswith((".pcap", ".pcapng"))]
    assert [n for n in texts if paths.search((ROOT / n).read_text(errors="replace"))] == []


def test_no_unfinished_work_is_left():
    marks = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error", "pragma: no " + "cover"]))
    sources = [n for n in tracked() if n.endswith(SOURCES)]
    assert [n for n in sources if marks.search((ROOT / n).read_text())] == []


def test_a_missing_compiler_is_reported_in_one_sentence(tmp_path):
    env = {k: v for k, v in os.environ.items() if k not in ("CC", "CXX")} | {"PATH": str(tmp_path), "CXX": "no-such-compiler"}
    command = [sys.executable, "setup.py", "-q"]
    done = subprocess.run([*command, "build_ext"], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "handoff needs a C++ compiler: install g++ (Debian: apt-get install g++) or clang, then try again."
    )
    done = subprocess.run([*command, "--version"], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{PROJECT['version']}\n")  # metadata needs no compiler


def test_texts_install_no_project_of_others():
    """The name ``handoff`` belongs to another project of the package index."""
    others = {"uv", "paramiko", "dask-jobqueue", "dpkt", "build", "abi3audit"}
    installed = set()
    for name in tracked():
        if name.endswith((*SOURCES, ".md", ".toml", ".ipynb", ".yml")) or name.startswith(".ci/"):
            installed |= set(re.findall(r"pip install ['\"]?([a-z][\w.-]*(?:\[\w+\])?)", (ROOT / name).read_text()))
    extras = {f"{PROJECT['name']}[{extra}]" for extra in PROJECT["optional-dependencies"]}
    assert installed - others - extras - {PROJECT["name"]} == set()
    assert installed & extras
    assert [n for n in tracked() if n.endswith((".py", ".md")) and re.search(r"\bhandoff\[clu", (ROOT / n).read_text())] == []
    assert version(PROJECT["name"]) == PROJECT["version"]


def test_modules_that_windows_lacks_are_imported_where_they_are_used():
    sources = [n for n in tracked() if n.startswith(("handoff/", "engine/", "traces/python/")) and n.endswith(".py")]
    posix = re.compile(r"^(?:import|from) (?:fcntl|grp|pwd|resource|termios)\b", re.MULTILINE)
    assert len(sources) > 100
    assert [n for n in sources if posix.search((ROOT / n).read_text())] == []
