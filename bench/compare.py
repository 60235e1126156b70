"""Comparison of the engine, the capture files and the controllers with other programs: a table of ratios, and JSON.

    uv run bench/compare.py [WORK ...] [--all] [-o figures.json]
    uv run --group bench bench/compare.py --all --document       # all of docs/performance.md

Figures are medians of five alternating rounds. Without ``--all`` the comparison takes a few minutes; ``--all`` adds 10⁶ mobile
nodes, 10⁹ packets and the programs in ../shared/floor. ns-3 and SimPy are fetched with uv. A program that is not available has a
row with the reason.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for a run by path

from rich.console import Console
from rich.table import Table

from bench import growth, jobs, packets
from bench.rows import COLUMNS, DOCUMENT, Row, described, document, machine, markdown

WORKS = [case.name for case in packets.CASES] + [*jobs.QUICK, *jobs.LONG]


def chosen(names: list[str], everything: bool) -> list[str]:
    """Return the named works; if none is named, the quick ones or all."""
    quick = {case.name for case in packets.CASES if case.quick} | set(jobs.QUICK)
    return [work for work in WORKS if (work in names if names else everything or work in quick)]


def measure(works: list[str], rounds: int, everything: bool) -> Iterator[Row]:
    """Yield rows as soon as they are measured."""
    cases = [case for case in packets.CASES if case.name in works]
    with tempfile.TemporaryDirectory() as folder:
        plain = packets.SLOW if any(case.plain for case in cases) else ()
        programs, missing = packets.programs(Path(folder), (*packets.FAST, *plain, *(packets.SHARED_PEERS if everything else ())))
        for case in cases:
            yield from packets.compare(case, rounds, programs)
    for name, why in missing.items():
        yield Row("W1, W2", name, "", "", f"left out: {why}")
    for name, job in {**jobs.QUICK, **jobs.LONG}.items():
        if name in works:
            yield from job(rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("works", nargs="*", metavar="WORK", help=f"one of {', '.join(map(repr, WORKS))}")
    parser.add_argument("--all", action="store_true", help="measure everything, which takes half an hour")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts (5)")
    parser.add_argument("-o", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--document", action="store_true", help=f"write {DOCUMENT.name}: table, machine and growth")
    options = parser.parse_args()
    if unknown := set(options.works) - set(WORKS):
        parser.error(f"no such work: {', '.join(sorted(unknown))}")
    if options.document and find_spec("matplotlib") is None:
        parser.error("the plots need matplotlib: uv run --group bench bench/compare.py")
    where, rows = machine(), []
    for row in measure(chosen(options.works, options.all), options.rounds, options.all):
        print(*filter(None, row.cells()[:-1]), sep=" · ", file=sys.stderr, flush=True)
        rows.append(row)
    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*row.cells())
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    if options.o:
        given = {"rounds": options.rounds, "machine": where}
        options.o.write_text(json.dumps({"given": given, "rows": [asdict(row) for row in rows]}, indent=2) + "\n")
    if options.document:
        document("machine", textwrap.fill(f"{described(where)} Medians of {options.rounds} rounds.", 130))
        growth.publish(growth.measure(list(growth.CURVES), min(options.rounds, 3)))
        document("table", markdown(COLUMNS, (row.cells() for row in rows)))


if __name__ == "__main__":
    main()
