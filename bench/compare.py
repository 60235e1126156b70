"""W1, W2 and their variants in the engine, all laws on, beside the peers in the same session: medians, and the ratios.

    uv run python -m bench.compare [CASE ...] [-o figures.json]

Every program must deliver the same packets with the same sum of delays before a time is believed; of exponential gaps the
shared programs draw others than the engine, so there the means only have to be near. Rounds take turns, so that a machine
that slows down slows all of them, and processor time is compared, so that other work on the machine matters less.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench import peers
from bench.w1 import HOPS, gap_draws, workload
from engine import Engine

SHARED = Path(__file__).resolve().parents[2] / "shared" / "floor"
MEAN_MS = 1e-4  # the shared programs print the mean delay to this
MEAN_MS_OF_OTHER_DRAWS = 1e-2


@dataclass(frozen=True)
class Case:
    """One workload; ``scale`` multiplies every rate."""

    name: str
    mobiles: int = 1000
    seconds: int = 60
    tunnel: bool = False
    scale: int = 1
    correspondents: int = 1
    poisson: bool = False
    few: bool = False


CASES = (
    Case("W1"),
    Case("W1 8 correspondents", correspondents=8),
    Case("W1 256 correspondents", correspondents=256),
    Case("W1 Poisson", poisson=True),
    Case("W2", tunnel=True),
    Case("W2 100,000", mobiles=100_000, seconds=3, tunnel=True, scale=100),
    Case("few packets", mobiles=10, seconds=50_000, few=True),
)

Program = Callable[[Case], dict[str, Any]]


def engine(case: Case) -> dict[str, Any]:
    """Run the workload in the engine; what it takes to describe and to build a network is not in the times."""
    ready = Engine(
        workload(
            case.mobiles, tunnel=case.tunnel, scale=case.scale, correspondents=case.correspondents, poisson=case.poisson,
            few=case.few,
        )
    )  # fmt: skip
    assert ready.window_ps > 0  # asking builds the run
    wall, cpu = time.perf_counter(), time.process_time()
    ready.advance(case.seconds * 10**12)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    flows = ready.result().flows
    delivered, dropped, delay = (int(flows[c].sum()) for c in ("delivered", "dropped", "delay_sum_ps"))
    return {"delivered": delivered, "dropped": dropped, "delay_sum_ps": delay, "wall_s": wall, "cpu_s": cpu}


def programs(folder: Path) -> Iterator[tuple[str, Program]]:
    """All that there is to compare, by name."""
    yield "engine", engine
    for name in ("heap", "floor"):
        yield name, _peer(peers.build(peers.HERE / f"{name}.cpp", folder), folder)
    for source in sorted(SHARED.glob("*.cpp")):
        yield f"shared {source.stem}", _shared(peers.build(source, folder))


def _peer(program: Path, folder: Path) -> Program:
    def work(case: Case) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if case.poisson:
            arguments["draws"] = folder / f"draws-{case.mobiles}"
            gap_draws(case.mobiles, case.correspondents).tofile(arguments["draws"])
        return peers.run(
            program, mobiles=case.mobiles, seconds=case.seconds, tunnel=int(case.tunnel), scale=case.scale,
            correspondents=case.correspondents, few=int(case.few), **arguments,
        )  # fmt: skip

    return work


def _shared(program: Path) -> Program:
    def work(case: Case) -> dict[str, Any]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        figures = peers.run(
            program, nmn=case.mobiles, sim=case.seconds, tunnel=int(case.tunnel), bwscale=case.scale, ncn=case.correspondents,
            poisson=2 * case.poisson,
        )  # fmt: skip
        return figures | {"cpu_s": resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before}

    return work


def fits(case: Case, name: str) -> bool:
    """Whether the program has such a workload."""
    return not name.startswith("shared") or not (case.few or (name == "shared heap" and case.correspondents > 1))


def disagreement(case: Case, one: dict[str, Any], other: dict[str, Any]) -> str | None:
    """What two runs of one workload do not agree on."""
    mean = one["delay_sum_ps"] / one["delivered"] / 1e9
    if case.poisson and "delay_sum_ps" not in other:
        near = 6 * one["delivered"] ** 0.5  # standard deviations of a Poisson count
        if abs(one["delivered"] - other["delivered"]) > near or abs(mean - other["mean_delay_ms"]) > MEAN_MS_OF_OTHER_DRAWS:
            return f"{one['delivered']} and {other['delivered']} packets, mean delays {mean} and {other['mean_delay_ms']} ms"
        return None
    if one["delivered"] != other["delivered"]:
        return f"{one['delivered']} and {other['delivered']} packets delivered"
    if "delay_sum_ps" in other:
        same = one["delay_sum_ps"] == other["delay_sum_ps"]
        return None if same else f"delays of {one['delay_sum_ps']} and {other['delay_sum_ps']} ps in all"
    return None if abs(mean - other["mean_delay_ms"]) < MEAN_MS else f"mean delays {mean} and {other['mean_delay_ms']} ms"


def compare(case: Case, rounds: int, works: dict[str, Program]) -> dict[str, dict[str, float]]:
    """Median times of each program, its rate, and how many times faster the engine is."""
    wall: dict[str, list[float]] = {}
    cpu: dict[str, list[float]] = {}
    hops = 0
    for _ in range(rounds):
        found = {name: work(case) for name, work in works.items() if fits(case, name)}
        hops = HOPS * found["engine"]["delivered"]
        for name, figures in found.items():
            if wrong := disagreement(case, found["engine"], figures):
                raise SystemExit(f"{case.name}: engine and {name} disagree: {wrong}")
            wall.setdefault(name, []).append(figures["wall_s"])
            cpu.setdefault(name, []).append(figures["cpu_s"])
    ours = statistics.median(cpu["engine"])
    return {
        name: {
            "wall_s": statistics.median(wall[name]),
            "cpu_s": statistics.median(cpu[name]),
            "cpu_s_least": min(cpu[name]),
            "hops_per_cpu_s": hops / statistics.median(cpu[name]),
            "engine_is_times": statistics.median(cpu[name]) / ours,
        }
        for name in cpu
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(repr(c.name) for c in CASES)} (all)")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median is taken (5)")
    parser.add_argument("-o", type=Path, metavar="FILE", help="write the figures as JSON")
    options = parser.parse_args()
    if unknown := set(options.cases) - {c.name for c in CASES}:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    cases = [c for c in CASES if not options.cases or c.name in options.cases]
    with tempfile.TemporaryDirectory() as folder:
        works = dict(programs(Path(folder)))
        figures = {case.name: compare(case, options.rounds, works) for case in cases}
    table = Table("workload", "program", "wall s", "processor s", "million hops/s", "engine is")
    for case_name, rows in figures.items():
        for name, row in rows.items():
            rate = row["hops_per_cpu_s"] / 1e6
            table.add_row(
                case_name, name, f"{row['wall_s']:.3f}", f"{row['cpu_s']:.3f}", f"{rate:.1f}", f"{row['engine_is_times']:.2f} ×"
            )
    Console().print(table)
    if options.o:
        given = {"rounds": options.rounds, "cases": [asdict(c) for c in cases], "numpy": np.__version__}
        options.o.write_text(json.dumps({"given": given, "figures": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
