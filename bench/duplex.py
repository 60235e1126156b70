"""Networks with traffic both ways, next to three exact schedules of the same networks; whole runs, next to another checkout.

    uv run bench/duplex.py [--quick] [--rounds N] [--against CHECKOUT] [--document] [NAME ...]

Times are user processor times, medians of rounds in which all programs take turns. Before any time is printed, every program
has to deliver as many packets as the engine, with the same packet-hops and the same sums of delays to the picosecond. With
``--against`` the engine and the command line of another checkout, with compiled modules, take turns too; their results have to
be the same.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for a run by path

from bench import peers, whole_runs
from bench.duplex_networks import BUILDERS, SAME, write
from bench.rows import DOCUMENT, ROOT, document, markdown

SOURCE = Path(__file__).parent / "peers" / "duplex" / "duplex.cpp"
SCHEDULES = ("wheel", "heap", "sorts")
ENGINE, BEFORE = "engine", "the other build"


@dataclass(frozen=True)
class Case:
    """A network: the builder in ``duplex_networks`` and its arguments; ``quick_s`` is the simulated time of a quick row."""

    name: str
    builder: str
    arguments: dict[str, Any] = field(default_factory=dict)
    seconds: float = 20
    quick_s: float = 2

    def options(self, quick: bool) -> dict[str, Any]:
        return {**self.arguments, "seconds": self.quick_s if quick else self.seconds}


CASES = [
    *(Case(f"star both ways, {n:,} routers", "star", {"routers": n}) for n in (8, 64, 256, 1024)),
    Case("star both ways, 1,000 routers, 100,000 MNs", "star", {"routers": 1000, "mobiles": 100_000}, 1, 0.2),
    *(Case(f"commute-like, {n} moves/s", "commute", {"moves_per_s": n}, 300, 20) for n in (9, 75)),
]


def run_engine(case: Case, quick: bool, checkout: Path = ROOT) -> dict[str, Any]:
    """Run a case in the engine of a checkout, in its own process."""
    argv = [sys.executable, str(ROOT / "bench" / "duplex_networks.py"), case.builder, json.dumps(case.options(quick))]
    environment = whole_runs.checkout_environment(checkout)
    done = subprocess.run(argv, env=environment, cwd=checkout, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{case.name}: the engine of {checkout} failed:\n{done.stderr}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def check_equal(name: str, figures: dict[str, dict[str, Any]]) -> None:
    """Stop if a program has another number than the engine."""
    ours = figures[ENGINE]
    for program, theirs in figures.items():
        wrong = [f"{key} {theirs[key]} instead of {ours[key]}" for key in SAME if theirs[key] != ours[key]]
        if wrong:
            raise SystemExit(f"{name}: {program} disagrees with the engine: {', '.join(wrong)}")


def measure(case: Case, rounds: int, quick: bool, program: Path, folder: Path, against: Path | None) -> dict[str, float]:
    """Return the median user time of a packet-hop of each program, in ns."""
    file = folder / "network"
    write(BUILDERS[case.builder](**case.options(quick)), file)
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        figures = {ENGINE: run_engine(case, quick)}
        if against is not None:
            figures[BEFORE] = run_engine(case, quick, against)
        for schedule in SCHEDULES:
            figures[schedule] = peers.run([program], schedule=schedule, network=file)
        check_equal(case.name, figures)
        for name, found in figures.items():
            times.setdefault(name, []).append(1e9 * found["user_s"] / found["hops"])
    return {name: statistics.median(values) for name, values in times.items()}


def table(cases: Iterable[Case], rounds: int, quick: bool, against: Path | None) -> Iterator[list[str]]:
    """Yield the head of the table, then a row for each case as soon as it is measured."""
    builds = [ENGINE, *([BEFORE] if against else [])]
    yield ["ns a packet-hop", *builds, *SCHEDULES, *(f"speed of {b} against {s}" for b in builds for s in ("wheel", "heap"))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = peers.build(SOURCE, folder)
        for case in cases:
            ns = measure(case, rounds, quick, program, folder, against)
            ratios = (f"{ns[schedule] / ns[build]:.2f} ×" for build in builds for schedule in ("wheel", "heap"))
            yield [case.name, *(f"{ns[name]:.1f}" for name in (*builds, *SCHEDULES)), *ratios]


def is_chosen(name: str, texts: list[str]) -> bool:
    return not texts or any(text in name for text in texts)


def print_rows(rows: Iterable[list[str]]) -> list[list[str]]:
    """Print rows as they come and return all."""
    out = []
    for row in rows:
        print(*row, sep=" · ", file=sys.stderr, flush=True)
        out.append(row)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="measure only works whose name contains one of these texts")
    parser.add_argument("--quick", action="store_true", help="short runs")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts (5)")
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout, with compiled modules")
    parser.add_argument("--document", action="store_true", help=f"write the tables into {DOCUMENT.name}")
    options = parser.parse_args()
    if options.document and (options.names or options.quick):
        parser.error("--document writes whole tables of full length: leave out NAME and --quick")
    against = options.against and options.against.resolve()
    measured = options.rounds, options.quick, against
    networks = [case for case in CASES if is_chosen(case.name, options.names)]
    runs = [run for run in whole_runs.RUNS if is_chosen(run.name, options.names)]
    names = [*(case.name for case in CASES), *(run.name for run in whole_runs.RUNS)]
    if not networks and not runs:
        parser.error(f"no work is named so; there are {', '.join(map(repr, names))}")
    try:
        tables = {"duplex": table(networks, *measured), "whole runs": whole_runs.table(runs, *measured)}
        for name, works in (("duplex", networks), ("whole runs", runs)):
            if works:
                head, *rows = print_rows(tables[name])
                print(text := markdown(head, rows))
                if options.document:
                    document(name, text)
    except peers.Missing as missing:
        raise SystemExit(str(missing)) from None


if __name__ == "__main__":
    main()
