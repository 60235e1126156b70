"""Rows of the table of measurements, and the machine they were taken on."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "performance.md"
COLUMNS = ("work", "beside", "ours", "theirs", "result", "wanted", "met")


@dataclass(frozen=True)
class Row:
    """Comparison of two programs or with a bound; the texts are for readers, ``figures`` for programs.

    Attributes
    ----------
    work, beside : str
        Workload, and the other program or the quantity that is bounded.
    ours, theirs : str
        Rate or time of each, with its unit.
    result : str
        Ratio of ours to theirs (larger is faster), or the figure that has a bound.
    wanted : str
        Bound of the result; empty if there is none.
    met : bool or None
        True if the result is within the bound.
    figures : dict
        Unrounded figures.
    """

    work: str
    beside: str
    ours: str
    theirs: str
    result: str
    wanted: str = ""
    met: bool | None = None
    figures: dict[str, Any] = field(default_factory=dict)

    def cells(self) -> list[str]:
        met = "" if self.met is None else "yes" if self.met else "no"
        return [self.work, self.beside, self.ours, self.theirs, self.result, self.wanted, met]


def ratio(
    work: str, beside: str, ours: float, theirs: float, unit: str, *, at_least: float | None = None, **figures: Any
) -> Row:
    """Build a row that compares two rates in ``unit`` a second."""
    times = ours / theirs
    return Row(
        work, beside, f"{_rate(ours)}{unit}/s", f"{_rate(theirs)}{unit}/s", f"{_short(times)} ×",
        "" if at_least is None else f"≥ {at_least:g} ×", None if at_least is None else times >= at_least,
        {"ours_per_s": ours, "theirs_per_s": theirs, "ratio": times, "at_least": at_least, **figures},
    )  # fmt: skip


def _rate(value: float) -> str:
    for size, prefix in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{_short(value / size)} {prefix} "
    return f"{_short(value)} "


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Format a table in Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def document(name: str, text: str, file: Path = DOCUMENT) -> None:
    """Replace the text between ``<!-- name -->`` and ``<!-- end of name -->`` in a Markdown file."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before = file.read_text()
    after, places = re.subn(f"(?s){re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n{text}\n{end}", before)
    if places != 1:
        raise SystemExit(f"{file}: no place, or more than one, between {begin.strip()} and {end}")
    file.write_text(after)


def machine() -> dict[str, Any]:
    """Return the properties of the machine that the figures depend on."""
    facts = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    try:
        cpu = Path("/proc/cpuinfo").read_text()
        facts["processor"] = re.search(r"model name\s*: (.*)", cpu)[1]
        facts["memory_gb"] = round(int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())[1]) * 1024 / 1e9, 1)
        sizes = {p.parent.name: p.read_text().strip() for p in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")}
        facts["caches"] = " + ".join(sizes[index] for index in sorted(sizes))
    except (OSError, TypeError, KeyError):
        pass  # not Linux
    compiler = shutil.which("g++") or shutil.which("clang++")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout if compiler else ""
    return facts | {
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "compiler": version.partition("\n")[0],
        "busy": [round(load, 1) for load in os.getloadavg()],
    }


def described(facts: dict[str, Any]) -> str:
    """Describe the machine in a sentence."""
    return (
        f"{facts['processor']}, {facts['cores']} cores, caches {facts.get('caches', 'unknown')}, "
        f"{facts.get('memory_gb', '?')} GB, {facts['system']}, Python {facts['python']}, NumPy {facts['numpy']}, "
        f"{facts['compiler']}; load averages at the start {', '.join(map(str, facts['busy']))}."
    )
