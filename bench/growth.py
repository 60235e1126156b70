"""Growth of cost with mobile nodes, packets, links, routers, handoffs and threads: a plot of each, and a table.

    uv run --group bench bench/growth.py [CURVE ...] [--rounds 3]

Writes docs/growth-*.svg and the table in docs/performance.md. A point is the median of the rounds. The curve of threads is left
out if the engine has no option ``threads``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for a run by path

from bench import many, packets
from bench.packets import Case, Program
from bench.rows import DOCUMENT, document, markdown
from bench.small import line, ready, star
from bench.w1 import HOPS
from engine import Network

WORK_HOPS = 2 * 10**7
"""Approximate packet-hops of a point, for curves that may choose them."""


@dataclass
class Curve:
    """Varied quantity, measured quantity, and the points of each program."""

    name: str
    across: str
    up: str
    log: bool = True
    points: dict[str, dict[int, float]] = field(default_factory=dict)

    def take(self, rounds: int, at: Iterable[int], works: dict[str, Callable[[int], float]]) -> None:
        """Add the median of some rounds at each x; the programs alternate."""
        for x in at:
            runs = [{name: work(x) for name, work in works.items()} for _ in range(rounds)]
            for name in works:
                self.points.setdefault(name, {})[x] = statistics.median(run[name] for run in runs)

    def take_beside(self, rounds: int, at: Iterable[int], floor: Program, case: Callable[[int], Case]) -> None:
        """Add the nanoseconds per packet-hop of the engine and of the floor, whose results have to agree."""
        figures: dict[str, Any] = {}

        def cost(name: str, work: Program, x: int) -> float:
            figures[name] = work(case(x))
            if name == "floor" and (wrong := packets.disagreement(case(x), figures["engine"], figures["floor"])):
                raise SystemExit(f"{self.across}, {x}: engine and floor disagree: {wrong}")
            return 1e9 / packets.rate([figures[name]])

        self.take(rounds, at, {name: partial(cost, name, work) for name, work in (("engine", packets.engine), ("floor", floor))})

    def rows(self) -> list[list[str]]:
        return [
            [self.across, f"{x:,}", *(f"{self.points[name][x]:.3g}" for name in self.points), self.up]
            for x in next(iter(self.points.values()))
        ]  # fmt: skip


def mobiles(rounds: int, floor: Program, most: int) -> Iterable[Curve]:
    """Measure W1 and W2 with rates in proportion to the mobile nodes, in the engine and in the floor."""
    for name, tunnel in (("W1", False), ("W2", True)):
        curve = Curve(f"mobiles-{name.lower()}", f"mobile nodes, {name}", "ns of the processor a packet-hop")

        def case(count: int, tunnel: bool = tunnel) -> Case:
            seconds = max(1, WORK_HOPS // (HOPS * 50 * count))
            return Case("", mobiles=count, seconds=seconds, scale=max(1, count // 1000), tunnel=tunnel)

        curve.take_beside(rounds, [n for n in (10**3, 10**4, 10**5, 10**6) if n <= most], floor, case)
        yield curve


def sent(rounds: int, floor: Program, most: int) -> Iterable[Curve]:
    """Measure W1 for increasing durations."""
    curve = Curve("packets", "packets, W1", "ns of the processor a packet-hop")

    def case(count: int) -> Case:
        return Case("", seconds=count // (1000 * 50))

    curve.take_beside(rounds, [n for n in (10**5, 10**6, 10**7, 10**8) if n <= 100 * most], floor, case)
    yield curve


def hop_ns(network: Network, seconds: int) -> float:
    """Return the processor nanoseconds per packet-hop of a simulation of ``seconds``."""
    (engine,), _ = ready(network)
    begin = time.process_time()
    engine.advance(seconds * 10**12)
    cpu_s = time.process_time() - begin
    result = engine.result()
    assert set(result.fate_counts()) <= {"delivered", "in flight"}
    return cpu_s * 1e9 / result.events


def links(rounds: int, floor: Program, most: int) -> Iterable[Curve]:
    """Measure a line of links that every packet crosses."""
    curve = Curve("links", "links in a row", "ns of the processor a packet-hop")
    curve.take(rounds, [n for n in (1, 4, 16, 64, 256, 1024) if n <= most], {"engine": lambda count: hop_ns(line(count), 2)})
    yield curve


def routers(rounds: int, floor: Program, most: int) -> Iterable[Curve]:
    """Measure the same traffic, in both directions, over more routers: each handles fewer packets in a window."""
    curve = Curve("routers", "routers, 1,000 mobile nodes, both ways", "ns of the processor a packet-hop")
    seconds = max(1, WORK_HOPS // 10**6)
    curve.take(rounds, [n for n in (8, 64, 256, 1024) if n <= most], {"engine": lambda count: hop_ns(star(count), seconds)})
    yield curve


def handoffs(rounds: int, floor: Program, most: int) -> Iterable[Curve]:
    """Measure 20,000 mobile nodes for 2 s (bench/many.py); at the highest rate each of them moves once."""
    curve = Curve("handoffs", "handoffs a second, 20,000 mobile nodes, sync-mipv4", "s a simulated second", log=False)

    def cost(count: int) -> float:
        return float(many.study(20_000, 2, count)["run_s"]) / 2

    curve.take(rounds, [n for n in (0, 1000, 2000, 5000, 10_000) if n <= most], {"engine": cost})
    yield curve


def threads(rounds: int, floor: Program, most: int) -> Iterable[Curve]:
    """Measure the wall-clock speed of W2 with 100,000 mobile nodes on one thread and on two."""
    if not packets.takes_threads():
        return
    curve = Curve("threads", "threads, W2 with 100,000 mobile nodes", "times the speed of one", log=False)
    case = Case("", mobiles=min(100_000, most), seconds=2, scale=100, tunnel=True)
    alone = statistics.median(packets.engine(case, threads=1)["wall_s"] for _ in range(rounds))
    curve.take(rounds, (1, 2), {"engine": lambda count: alone / packets.engine(case, threads=count)["wall_s"]})
    yield curve


CURVES = {"mobiles": mobiles, "packets": sent, "links": links, "routers": routers, "handoffs": handoffs, "threads": threads}


def measure(names: Sequence[str], rounds: int, most: int = 10**6) -> list[Curve]:
    """Measure the named curves, up to ``most`` mobile nodes, links, routers or handoffs a second."""
    with tempfile.TemporaryDirectory() as folder:
        works, missing = packets.programs(Path(folder), ["floor"])
        if missing:
            raise SystemExit(missing["floor"])
        return [curve for name in names for curve in CURVES[name](rounds, works["floor"], most)]


def plot(curve: Curve, folder: Path) -> None:
    """Write a curve as SVG; the same points give the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": curve.name, "font.size": 9}):
        figure = Figure(figsize=(5, 3), layout="constrained")
        axes = figure.add_subplot(xlabel=curve.across, ylabel=curve.up)
        for name, points in curve.points.items():
            axes.plot(list(points), list(points.values()), marker="o", label=name)
        if curve.log:
            axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend()
        figure.savefig(folder / f"growth-{curve.name}.svg", metadata={"Date": None, "Creator": None})


def publish(curves: Sequence[Curve]) -> None:
    """Write the plots and the table into docs/."""
    for curve in curves:
        plot(curve, DOCUMENT.parent)
    head = ("with", "", "engine", "floor", "in")
    table = markdown(head, ([*row[:3], row[3] if len(row) == 5 else "", row[-1]] for curve in curves for row in curve.rows()))
    pictures = "".join(f"![{curve.across}](growth-{curve.name}.svg)\n" for curve in curves)
    document("growth", f"{pictures}\n{table}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("curves", nargs="*", metavar="CURVE", help=f"one of {', '.join(CURVES)}; without one, docs/ is written")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts (3)")
    options = parser.parse_args()
    if unknown := set(options.curves) - set(CURVES):
        parser.error(f"no such curve: {', '.join(sorted(unknown))}")
    if not options.curves and find_spec("matplotlib") is None:
        parser.error("the plots need matplotlib: uv run --group bench bench/growth.py")
    curves = measure(options.curves or list(CURVES), options.rounds)
    for curve in curves:
        for row in curve.rows():
            print(*row, sep="  ")
    if not options.curves:
        publish(curves)


if __name__ == "__main__":
    main()
