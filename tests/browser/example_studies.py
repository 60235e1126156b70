"""Reports of every example, cut to a few seconds and nodes: a run, a comparison, a sweep, a plan and a diff."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from handoff.cli.main import main

ROOT = Path(__file__).parents[2]
CARS = ROOT.parent / "shared" / "data" / "bologna_acosta_600s.fcd.xml.gz"
"""Positions for the example bologna, which are not in the repository (docs/movement.md)."""
KINDS = ("run", "compare", "sweep", "plan", "diff")
TARGET = "loss_ratio<=1%"
CUTS: dict[str, tuple[str, ...]] = {
    "attack": (),
    "bicasting": ("duration=6s",),
    "bologna": ("duration=10s", f"movement.trace={CARS}"),
    "claims": ("duration=6s",),
    "commute": ("duration=15s",),
    "core": ("duration=6s", "mobile_nodes=200", "handoff_rate=600/h", "traffic.0.interval=1s", "traffic.0.phase=1s"),
    "figures": ("duration=8s",),
    "flood": ("duration=6s", "mobile_nodes=200"),
    "handover": (),
    "home_agent": ("duration=6s", "mobile_nodes=200", "handoff_rate=600/h", "traffic.0.interval=1s", "traffic.0.phase=1s"),
    "leo": ("duration=35s",),
    "metro": ("duration=10s", "mobile_nodes=100", "traffic.0.phase=5s"),
    "nr": ("duration=15s",),
    "restart": ("duration=20s", "mobile_nodes=200", "handoff_rate=60/h", "restart.0.at=10s"),
    "storm": ("duration=10s", "mobile_nodes=100", "handoff_rate=900/h"),
    "train": ("duration=30s", "mobile_nodes=20"),
}
"""Changes of each example that make its runs short."""
PROCEDURES = {name: ("n2-indirect", "xn") for name in ("core", "leo", "nr", "storm")}
"""Procedures of an example, if they are not those of Mobile IP."""


@dataclass(frozen=True)
class ExampleReport:
    """Report of an example, with the results that it is about.

    Attributes
    ----------
    path : Path
        The page.
    results : Any
        Folder of the tables of a run or comparison; decoded JSON output of the other commands.
    """

    path: Path
    results: Any


def make_reports(name: str, folder: Path) -> dict[str, ExampleReport]:
    """Perform the five commands on an example and return their reports by kind.

    Parameters
    ----------
    name : str
        Name of the example.
    folder : Path
        Empty folder for results and pages.
    """
    first, second = PROCEDURES.get(name, ("mipv4", "sync-mipv4"))
    scenario = [str(ROOT / "examples" / f"{name}.toml"), *(word for cut in CUTS[name] for word in ("--set", cut))]
    both = ["--procedures", f"{first},{second}"]
    lossy = "routers.cell.loss"
    pages = {kind: folder / f"{kind}.html" for kind in KINDS}
    a, b, together, points = (folder / part for part in ("a", "b", "together", "points"))
    _invoke(["run", *scenario, "--procedure", second, "-o", a, "--ladders", 1, "--report", pages["run"]])
    _invoke(["run", *scenario, "--procedure", second, "--set", f"{lossy}=0.02", "-o", b])
    _invoke(["compare", *scenario, *both, "--series", "1s", "-o", together, "--report", pages["compare"], "--slo", TARGET])
    few = ["--runs", 2, "--jobs", 1, "--json", "--vary", f"{lossy}=0,0.02"]
    sweep = _invoke(["sweep", *scenario, *both, *few, "-o", points])
    _invoke(["report", points, "-o", pages["sweep"], "--slo", TARGET])
    search = ["--vary", f"{lossy}=0..0.04", "--precision", 0.5, "--most-runs", 3, "--jobs", 1, "--json"]
    plan = _invoke(["plan", *scenario, *both, *search, "--slo", TARGET, "--report", pages["plan"]])
    diff = _invoke(["diff", a, b, "--json", "--report", pages["diff"]])
    results = {"run": a, "compare": together, "sweep": json.loads(sweep), "plan": json.loads(plan), "diff": json.loads(diff)}
    return {kind: ExampleReport(pages[kind], results[kind]) for kind in KINDS}


def _invoke(words: Sequence[object]) -> str:
    """Run a command that may miss its targets or leave a plan undecided; return its output."""
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exit_code in ((0, 1, 3) if words[0] == "plan" else (0, 3)), done.output
    return done.stdout
