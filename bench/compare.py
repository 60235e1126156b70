"""W1 and W2 in the engine, all laws on, beside the peers in the same session: medians, and what they are to each other.

    uv run python -m bench.compare [-o figures.json]

Every program must deliver the same packets with the same sum of delays before a time is believed. Rounds take turns, so
that a machine that slows down slows all of them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import peers
from bench.w1 import HOPS, workload
from engine import Engine

SHARED = Path(__file__).resolve().parents[2] / "shared" / "floor"
MEAN_MS = 1e-4  # the shared programs print the mean delay to this


def engine(mobiles: int, seconds: int, tunnel: bool, scale: int) -> dict[str, Any]:
    """Run the workload in the engine; what it takes to describe and to build a network is not in ``wall_s``."""
    ready = Engine(workload(mobiles, tunnel=tunnel, scale=scale))
    assert ready.window_ps > 0  # asking builds the run
    begun = time.perf_counter()
    ready.advance(seconds * 10**12)
    wall = time.perf_counter() - begun
    result = ready.result()
    delivered, delay = int(result.flows["delivered"].sum()), int(result.flows["delay_sum_ps"].sum())
    dropped = int(result.flows["dropped"].sum())
    return {
        "delivered": delivered, "dropped": dropped, "delay_sum_ps": delay, "wall_s": wall, "hops_per_s": HOPS * delivered / wall
    }  # fmt: skip


def programs(folder: Path) -> Iterator[tuple[str, Callable[[int, int, bool, int], dict[str, Any]]]]:
    """All that there is to compare, by name."""
    yield "engine", engine
    for name in ("heap", "floor"):
        yield name, _peer(peers.build(peers.HERE / f"{name}.cpp", folder))
    for source in sorted(SHARED.glob("*.cpp")):
        yield f"shared {source.stem}", _shared(peers.build(source, folder))


def _peer(program: Path) -> Callable[[int, int, bool, int], dict[str, Any]]:
    return lambda mobiles, seconds, tunnel, scale: peers.run(
        program, mobiles=mobiles, seconds=seconds, tunnel=int(tunnel), scale=scale
    )


def _shared(program: Path) -> Callable[[int, int, bool, int], dict[str, Any]]:
    def work(mobiles: int, seconds: int, tunnel: bool, scale: int) -> dict[str, Any]:
        return peers.run(program, nmn=mobiles, sim=seconds, tunnel=int(tunnel), bwscale=scale)

    return work


def disagreement(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    """What two runs of one workload do not agree on."""
    if one["delivered"] != other["delivered"]:
        return f"{one['delivered']} and {other['delivered']} packets delivered"
    if "delay_sum_ps" in other:
        same = one["delay_sum_ps"] == other["delay_sum_ps"]
        return None if same else f"delays of {one['delay_sum_ps']} and {other['delay_sum_ps']} ps in all"
    mean = one["delay_sum_ps"] / one["delivered"] / 1e9
    return None if abs(mean - other["mean_delay_ms"]) < MEAN_MS else f"mean delays {mean} and {other['mean_delay_ms']} ms"


def compare(rounds: int, mobiles: int, seconds: int, tunnel: bool, scale: int) -> dict[str, dict[str, float]]:
    """Median figures of each program, and its rate as a share of the engine's."""
    walls: dict[str, list[float]] = {}
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        works = dict(programs(Path(folder)))
        for _ in range(rounds):
            found = {name: work(mobiles, seconds, tunnel, scale) for name, work in works.items()}
            for name, figures in found.items():
                if wrong := disagreement(found["engine"], figures):
                    raise SystemExit(f"engine and {name} disagree: {wrong}")
                walls.setdefault(name, []).append(figures["wall_s"])
                rates.setdefault(name, []).append(figures["hops_per_s"])
    ours = statistics.median(rates["engine"])
    return {
        name: {
            "wall_s": statistics.median(walls[name]),
            "hops_per_s": statistics.median(rates[name]),
            "engine_is_times": ours / statistics.median(rates[name]),
        }
        for name in rates
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mobiles", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=60, help="simulated (60)")
    parser.add_argument("--scale", type=int, default=1, help="times the rate of every link (100 for 100,000 mobile nodes)")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median is taken (5)")
    parser.add_argument("-o", type=Path, metavar="FILE", help="write the figures as JSON")
    options = parser.parse_args()
    figures = {
        name: compare(options.rounds, options.mobiles, options.seconds, tunnel, options.scale)
        for name, tunnel in (("W1", False), ("W2", True))
    }
    table = Table("workload", "program", "wall s", "million hops/s", "engine is")
    for workload_name, rows in figures.items():
        for name, row in rows.items():
            table.add_row(
                workload_name, name, f"{row['wall_s']:.3f}", f"{row['hops_per_s'] / 1e6:.1f}", f"{row['engine_is_times']:.2f} ×"
            )
    Console().print(table)
    if options.o:
        given = {k: v for k, v in vars(options).items() if k != "o"}
        options.o.write_text(json.dumps({"given": given, "figures": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
