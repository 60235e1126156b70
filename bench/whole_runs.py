"""Whole runs of ``handoff run``, from the command to its table: user processor time of this checkout and of another one."""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.replay_large import write_study
from bench.rows import ROOT

EXAMPLES = ROOT / "examples"
BOLOGNA = ROOT.parent / "shared" / "data" / "bologna_acosta_600s.fcd.xml.gz"
CLOCK_COLUMNS = ("wall_seconds", "controller_seconds")
STORM = """\
name = "storm"
duration = "{seconds}s"
correspondent = {{ name = "cn" }}
home_agent = {{ name = "ha", registration = "10us", registration_queue = 5000 }}
link = [{{ between = ["cn", "ha"], rate = "10Gbit/s", delay = "5ms" }}]
movement = {{ associations = "moves.csv" }}
options = {{ lifetime = "600s", new_buffer_packets = 50 }}

[routers]
names = "r{{0..3}}"
wired_to = "ha"
wired = {{ rate = "1Gbit/s", delay = "5ms" }}
neighbours = {{ rate = "1Gbit/s", delay = "3ms" }}
cell = {{ rate = "1Gbit/s", delay = "2ms", shared = true }}

[[traffic]]
interval = "20ms"
size_bytes = 200
phase = "20ms"
"""


@dataclass(frozen=True)
class WholeRun:
    """A run; ``arguments`` writes its files into a folder and returns the arguments of ``handoff run``, or None without data."""

    name: str
    arguments: Callable[[Path, bool], list[str] | None]


def commute(folder: Path, quick: bool) -> list[str]:
    return [str(EXAMPLES / "commute.toml"), "--procedure", "sync-mipv6", *(["--set", "duration=20s"] if quick else [])]


def bologna(folder: Path, quick: bool) -> list[str] | None:
    if not BOLOGNA.exists():
        return None
    duration = ["--set", "duration=60s"] if quick else []
    return [
        str(EXAMPLES / "bologna.toml"), "--set", f"movement.trace={BOLOGNA}", "--procedure", "sync-mipv4", *duration
    ]  # fmt: skip


def metro(folder: Path, quick: bool) -> list[str]:
    mobiles = 500 if quick else 10_000
    return [
        str(EXAMPLES / "metro.toml"), "--set", f"movement.commuters.mobile_nodes={mobiles}", "--set", "duration=60s",
        "--procedure", "sync-mipv4",
    ]  # fmt: skip


def replay(folder: Path, quick: bool) -> list[str]:
    """Let 20 mobile nodes replay all of a capture."""
    capture = EXAMPLES / "captures" / "commute.pcap"
    write_study(capture, folder, capture.stat().st_size * (1 if quick else 5), 20)
    return [str(folder / "large.toml"), "--procedure", "sync-mipv4"]


def storm(folder: Path, quick: bool) -> list[str]:
    """Let a quarter of the mobile nodes leave one cell within 100 ms, half of them with both links for a while."""
    mobiles, draw = 400 if quick else 4000, random.Random(1)
    rows = ["mobile,router,up_s,down_s,predict_s,going_down_s"]
    for m in range(mobiles):
        if m % 4:
            rows.append(f"mn{m},r{m % 4},0,,,")
            continue
        down_ms = draw.uniform(1000, 1100)
        up_ms = down_ms + (draw.uniform(-100, -10) if m % 8 else draw.uniform(20, 100))
        times = (down_ms, down_ms - 150, down_ms - 30)
        rows += [f"mn{m},r0,0," + ",".join(f"{t / 1000:.6f}" for t in times), f"mn{m},r1,{up_ms / 1000:.6f},,,"]
    (folder / "moves.csv").write_text("\n".join(rows) + "\n")
    (folder / "storm.toml").write_text(STORM.format(seconds=3))
    return [str(folder / "storm.toml"), "--procedure", "sync-mipv4"]


RUNS = [
    WholeRun("commute, sync-mipv6", commute),
    WholeRun("bologna, sync-mipv4", bologna),
    WholeRun("metro, 10,000 MNs, 60 s, sync-mipv4", metro),
    WholeRun("replay of a capture, 20 MNs, sync-mipv4", replay),
    WholeRun("handoff storm, 1,000 in 100 ms, sync-mipv4", storm),
]


def checkout_environment(checkout: Path) -> dict[str, str]:
    """Return an environment in which Python imports the packages of a checkout."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (checkout, checkout / "traces" / "python")))}


def time_run(arguments: list[str], checkout: Path, cache: Path) -> tuple[float, Any]:
    """Run ``handoff run`` of a checkout; return its user time and its results, without those of the clock.

    Compiled captures and modules stay in ``cache``, as in an installed package.
    """
    command = [sys.executable, "-c", "from handoff.cli.main import main; main()", "run", *arguments, "--json"]
    folders = dict.fromkeys(("HANDOFF_CACHE", "PYTHONPYCACHEPREFIX"), str(cache))
    environment = checkout_environment(checkout) | folders | {"HANDOFF_NO_CACHE": "1"}  # no results
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(command, cwd=cache, env=environment, capture_output=True, text=True, check=False)
    user = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    if done.returncode:
        raise SystemExit(f"handoff run {' '.join(arguments)} of {checkout}: exit code {done.returncode}\n{done.stderr}")
    runs = json.loads(done.stdout)["runs"]
    return user, [{key: value for key, value in run.items() if key not in CLOCK_COLUMNS} for run in runs]


def measure(run: WholeRun, rounds: int, quick: bool, against: Path | None) -> list[float] | None:
    """Return the median user time of this checkout and of the other one, which take turns; None without data.

    The first run of each compiles captures and modules, and is not counted.
    """
    builds = [ROOT, *([against] if against else [])]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arguments = run.arguments(folder, quick)
        if arguments is None:
            return None
        times: list[list[float]] = [[] for _ in builds]
        for round_ in range(rounds + 1):
            results = []
            for i, build in enumerate(builds):
                (cache := folder / f"cache{i}").mkdir(exist_ok=True)
                user, result = time_run(arguments, build, cache)
                results.append(result)
                if round_:
                    times[i].append(user)
            if results[0] != results[-1]:
                raise SystemExit(f"{run.name}: the results of {against} differ from those of this checkout")
    return [statistics.median(values) for values in times]


def table(runs: Iterable[WholeRun], rounds: int, quick: bool, against: Path | None) -> Iterator[list[str]]:
    """Yield the head of the table, then a row for each run as soon as it is measured."""
    yield ["whole run", "this build", *(["the other build", "this / the other"] if against else [])]
    for run in runs:
        seconds = measure(run, rounds, quick, against)
        if seconds is None:
            yield [run.name, f"left out: no {BOLOGNA.name}", *(["", ""] if against else [])]
        else:
            ratio = [f"{seconds[0] / seconds[1]:.2f} ×"] if against else []
            yield [run.name + ", shortened" * quick, *(f"{s:.2f} s" for s in seconds), *ratio]
