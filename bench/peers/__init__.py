"""Programs that run W1 and W2 only, built when they are used, each run in its own process.

``heap`` (an event heap in C++), ``ns-3`` (C++ against the PyPI wheel), ``SimPy`` (Python), and the project's own floor in
``bench/floor``. Each takes ``key=value`` arguments and prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FLOOR = HERE.parent / "floor" / "floor.cpp"
FLAGS = ["-std=c++20", "-O3", "-march=native"]

NS3 = "3.44.post0"  # the last release on PyPI
NS3_LIBRARIES = ("applications", "core", "internet", "network", "point-to-point", "traffic-control", "virtual-net-device")
NS3_BUILT_WITH = ("NS3_ASSERT_ENABLE", "NS3_BUILD_PROFILE_RELEASE", "NS3_LOG_ENABLE")  # objects differ in size without
SIMPY = "4.1.2"

Command = Sequence[str | Path]


class Missing(Exception):
    """A peer is not available; the message says why."""


def build(source: Path, folder: Path, *flags: str) -> Path:
    """Compile a source file into ``folder`` for this machine's processor; return the path of the program."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        raise Missing("a C++ compiler is needed: apt-get install g++")
    program = folder / f"{source.parents[1].name}-{source.stem}"
    _output([compiler, *FLAGS, "-o", str(program), str(source), *flags])
    return program


def heap(folder: Path) -> Command:
    return [build(HERE / "heap.cpp", folder)]


def floor(folder: Path) -> Command:
    return [build(FLOOR, folder)]


def ns3(folder: Path) -> Command:
    """Build the ns-3 program against the libraries and headers in the wheel.

    The wheel is installed without its dependencies: its Python bindings need cppyy, which compiles for minutes and is not used.
    The compile definitions of the wheel are repeated, because some objects of ns-3 differ in size without them.
    """
    if platform.system() != "Linux":
        raise Missing("the wheel of ns-3 is for Linux")
    wheels = folder / "ns3-wheel"
    _output([_uv(), "pip", "install", "--quiet", "--no-deps", "--python", sys.executable, "--target", wheels, f"ns3=={NS3}"])
    home = wheels / "ns3"
    version = NS3.partition(".post")[0]
    return [
        build(
            HERE / "ns3.cpp", folder, *(f"-D{name}" for name in NS3_BUILT_WITH), f"-I{home / 'include'}", f"-L{home / 'lib64'}",
            f"-Wl,-rpath,{home / 'lib64'}", "-Wl,--disable-new-dtags", *(f"-lns{version}-{name}" for name in NS3_LIBRARIES),
        )
    ]  # fmt: skip


def simpy(folder: Path) -> Command:
    """Return the command that runs SimPy in its own environment, which uv creates at the first run."""
    return [_uv(), "run", "--quiet", "--no-project", "--python", sys.executable, "--with", f"simpy=={SIMPY}", HERE / "events.py"]


def run(command: Command, **arguments: float | str | Path) -> dict[str, Any]:
    """Run a peer with ``key=value`` arguments and return its line of JSON."""
    figures: dict[str, Any] = json.loads(_output([*command, *(f"{k}={v}" for k, v in arguments.items())]))
    return figures


def _uv() -> str:
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise Missing("uv is needed to fetch it: pip install uv")
    return uv


def _output(command: Command) -> str:
    """Return the output of a command; raise Missing with the last line of its error output if it fails."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        errors = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Missing(f"{Path(command[0]).name}: {errors[-1]}")
    return done.stdout
