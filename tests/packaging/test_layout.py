"""Rules of the repository: size of files, tracked files, unfinished work, procedures as data."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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
    command = [sys.executable, "setup.py", "--version"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "handoff needs a C++ compiler: install g++ (Debian: apt-get install g++) or clang, then try again."
    )
