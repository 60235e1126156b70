"""Programs that do W1 and nothing else, compiled where they are used: ``heap`` (event heap) and ``floor`` (bare loop)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FLAGS = ["-std=c++20", "-O3", "-march=native"]


def compiler() -> str | None:
    """A C++ compiler of this machine."""
    return shutil.which("g++") or shutil.which("clang++")


def build(source: Path, folder: Path) -> Path:
    """Compile one source file into ``folder`` with every instruction of this machine; returns the program."""
    found = compiler()
    if found is None:
        raise SystemExit("the peers need a C++ compiler: apt-get install g++")
    program = folder / f"{source.parent.name}-{source.stem}"
    subprocess.run([found, *FLAGS, "-o", str(program), str(source)], check=True)
    return program


def run(program: Path, **arguments: float | Path) -> dict[str, Any]:
    """Run a peer with ``key=value`` arguments and return its line of JSON."""
    line = subprocess.run([program, *(f"{k}={v}" for k, v in arguments.items())], check=True, capture_output=True, text=True)
    figures: dict[str, Any] = json.loads(line.stdout)
    return figures
