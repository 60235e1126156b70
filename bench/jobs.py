"""Measurements other than W1 and W2: controllers, handoff storms, replay, capture files, start-up; each yields table rows."""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from bench import capture_reader, capture_writer, many, packets, replay_large
from bench.rows import ROOT, Row, ratio

CAPTURE = ROOT / "examples" / "captures" / "commute.pcap"
Job = Callable[[int], Iterator[Row]]


def medians(rounds: int, *works: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
    """Alternate the works for some rounds and return the median of each numeric figure."""
    runs = [[work() for work in works] for _ in range(rounds)]
    return [{k: _median([run[k] for run in of]) for k in of[0]} for of in zip(*runs, strict=True)]


def _median(values: list[Any]) -> Any:
    return statistics.median(values) if isinstance(values[0], (int, float)) else values[-1]


def controllers(rounds: int) -> Iterator[Row]:
    """Compare a run of 20,000 mobile nodes and 1,000 handoffs/s with the same run without handoffs."""
    work = partial(many.study, mobiles=20_000, seconds=5)
    without, with_them = medians(rounds, partial(work, handoffs=0), partial(work, handoffs=1000))
    name, (ours, theirs) = "controllers, 1,000 handoffs/s", (figures["packet_hops_per_s"] for figures in (with_them, without))
    yield ratio(name, "no handoffs", ours, theirs, "hops", study=with_them)
    each, share = f"{with_them['controller_us_per_handoff']:.0f} µs/handoff", f"{with_them['controller_share']:.1%} of the time"
    yield Row(name, "the whole run", each, "", share, figures=with_them)


def storm(rounds: int) -> Iterator[Row]:
    """Compare 1,000 handoffs out of one cell within 100 ms with as many spread over the run and all cells."""
    work = partial(many.study, mobiles=1000 * many.ROUTERS, seconds=2, handoffs=500)
    spread, crowd = medians(rounds, work, partial(work, crowd=True))
    ours, theirs = (1e6 / figures["controller_us_per_handoff"] for figures in (crowd, spread))
    yield ratio("handoff storm, 1,000 in 100 ms", "the same, spread", ours, theirs, "handoffs", storm=crowd, spread=spread)


def million(rounds: int) -> Iterator[Row]:
    """Measure a million mobile nodes for 10 s, once because it takes minutes, in its own process for the peak of memory."""
    argv = ["--mobiles", "1000000", "--seconds", "10", "--handoffs", "10000", "--procedure", "sync-mipv6"]
    done = subprocess.run([sys.executable, "-m", "bench.many", *argv], cwd=ROOT, check=True, capture_output=True, text=True)
    facts = json.loads(done.stdout)
    work = "1,000,000 MNs, 10 s, 10,000 handoffs/s"
    rate, each = f"{facts['packet_hops_per_s'] / 1e6:.3g} M hops/s", f"{facts['controller_us_per_handoff']:.0f} µs/handoff"
    gb, share = facts["peak_mb"] / 1000, facts["controller_share"]
    yield Row(work, "peak memory", rate, "", f"{gb:.2f} GB", "≤ 1 GB", gb <= 1, facts)
    yield Row(work, "controllers", each, "", f"{share:.1%} of the time", "≤ 10 %", share <= 0.1)


def soak(rounds: int) -> Iterator[Row]:
    """Measure 10⁹ packets of W1, once, in its own process."""
    argv = ["--packets", "1e9"]
    done = subprocess.run([sys.executable, "-m", "bench.soak", *argv], cwd=ROOT, check=False, capture_output=True, text=True)
    if not done.stdout:
        raise SystemExit(done.stderr)
    facts = json.loads(done.stdout)
    mb, change = facts["after_warm_up_bytes"] / 1e6, facts["largest_change"]
    work, rate = f"soak, {facts['packets']:,} packets", f"{facts['packet_hops_per_s'] / 1e6:.3g} M hops/s"
    met = done.returncode == 0
    yield Row(work, "memory after warm-up", rate, f"{mb:.1f} MB", f"changes by {change:.2%}", "≤ 1 %", met, facts)


def replay(rounds: int) -> Iterator[Row]:
    """Compare the replay of a capture by 20 mobile nodes with the sources of W1."""
    runs = [(replay_large.study(CAPTURE, 10**7, 20)["replay"], packets.engine(packets.CASES[0])) for _ in range(rounds)]
    ours = statistics.median(replayed["packet_hops"] / replayed["run_s"] for replayed, _ in runs)
    theirs = packets.rate(w1 for _, w1 in runs)
    yield ratio("replay of a capture, 20 MNs", "W1 in the engine", ours, theirs, "hops", replay=runs[-1][0])


def reader(rounds: int) -> Iterator[Row]:
    if shutil.which("capinfos") is None:
        yield Row("capture reader", "capinfos", "", "", "left out: apt-get install tshark")
        return
    figures = capture_reader.measure(CAPTURE, 2 * 10**8, jobs=("info", "compile"), runs=rounds)
    for job, name in (("info", "capture reader, facts"), ("compile", "capture reader, columns")):
        ours, theirs = (figures[k]["packets_per_s"] for k in (job, "capinfos"))
        yield ratio(name, "capinfos", ours, theirs, "packets", file_bytes=figures["file_bytes"])


def writer(rounds: int) -> Iterator[Row]:
    figures = capture_writer.measure(10**6, 1000, runs=rounds)
    names = {"floor": "as many bytes", "scapys": "scapy", "dpkts": "dpkt"}
    for key, name in names.items():
        if key in figures:
            ours, theirs = (figures[k]["packets_per_s"] for k in ("ours", key))
            yield ratio("capture writer", name, ours, theirs, "packets", found=figures)


def start(rounds: int) -> Iterator[Row]:
    """Measure wall-clock and processor time of a start from compiled modules, as in an installed package."""
    commands = {
        "import engine": ([sys.executable, "-c", "import engine"], 0.15),
        "import numpy": ([sys.executable, "-c", "import numpy"], None),
        "handoff --help": ([sys.executable, "-c", "from handoff.cli.main import main; main()", "--help"], 0.3),
    }
    with tempfile.TemporaryDirectory() as compiled:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPYCACHEPREFIX": compiled}
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for round_ in range(2 * rounds + 1):
            for name, (command, _) in commands.items():
                seconds = _time_start(command, environment)
                if round_:  # the first compiles
                    times[name].append(seconds)
    for name, (_, limit) in commands.items():
        wall, cpu = (statistics.median(t[i] for t in times[name]) for i in range(2))
        ours, figures = f"{cpu:.3f} s of the processor", {"wall_s": wall, "cpu_s": cpu}
        bound, met = ("", None) if limit is None else (f"≤ {limit} s", wall <= limit)
        yield Row(name, "the clock", ours, "", f"{wall:.3f} s", bound, met, figures)


def _time_start(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - begin, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


QUICK: dict[str, Job] = {
    "controllers": controllers, "storm": storm, "replay": replay, "reader": reader, "writer": writer, "start": start,
}  # fmt: skip
LONG: dict[str, Job] = {"million": million, "soak": soak}
