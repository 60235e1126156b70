"""The claims of the seed document under varied conditions: the tables of docs/claims.md.

    uv run python -m bench.claims [--seeds 5] [--document]

The headline table is about ``examples/commute.toml``. The other tables are about ``examples/claims.toml``: all procedures by the
size of the buffers, then some of them with one condition changed at a time. All procedures see the same packets, movement and
draws, so that differences are paired by seed; intervals are 95 % t intervals over the seeds.
"""

from __future__ import annotations

import argparse
import math
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from handoff.metrics.confidence import mean_interval
from handoff.protocol.procedures import PROCEDURES
from handoff.protocol.setup import Setup
from handoff.scenario import load_scenario
from handoff.simulation.result import RunResult
from handoff.simulation.study import run_study
from handoff.workload.build import build_setup

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "claims.md"
COMMUTE, CLAIMS = (ROOT / "examples" / f"{name}.toml" for name in ("commute", "claims"))

Changes = tuple[str, ...]
Figures = dict[str, float]
Study = dict[str, Figures]
"""Figures of each procedure of one study."""

VARIED = (
    "mipv4", "mipv4-smooth", "mipv4-bicast", "sync-mipv4", "sync-mipv4-ro", "mipv6", "hmipv6-bicast", "sync-mipv6", "sync-hmipv6",
)  # fmt: skip
"""Procedures of the tables of conditions."""
PAIRS = (
    ("sync-mipv4-ro", "mipv4-smooth"), ("sync-mipv6", "mipv6"), ("sync-mipv4", "mipv4-bicast"), ("sync-hmipv6", "hmipv6-bicast"),
)  # fmt: skip
"""Differences that the tables of conditions print: a synchronized procedure less another one."""


def _buffers(packets: str) -> Changes:
    return f"options.new_buffer_packets={packets}", f"options.old_buffer_packets={packets}"


def _commuters(**values: str) -> Changes:
    return tuple(f"movement.commuters.{name}={value}" for name, value in values.items())


CONDITIONS: dict[str, Changes] = {
    "as in the file": (),
    "no buffers": _buffers("0"),
    "buffers of 5 packets": _buffers("5"),
    "buffers of 200 packets": _buffers("200"),
    "unlimited buffers": _buffers("unlimited"),
    "old routers keep nothing": ("options.old_buffer_packets=0",),
    "lead 20 ms": _commuters(lead="20ms", overlap="['5ms','20ms']"),
    "lead 1 s": _commuters(lead="1s"),
    "guard 2 ms": _commuters(guard="2ms"),
    "guard 60 ms": _commuters(guard="60ms"),
    "all announced": _commuters(announced="1"),
    "half announced": _commuters(announced="0.5"),
    "none announced": _commuters(announced="0"),
    "two radios only": _commuters(single_access="0"),
    "one radio only": _commuters(single_access="1"),
    "bicast 100 ms": ("options.bicast=100ms",),
    "bicast 400 ms": ("options.bicast=400ms",),
    "bicast linger 0": ("options.bicast_linger=0",),
    "bicast linger 1 s": ("options.bicast_linger=1s",),
    "request at predict": ("options.request=predict",),
    "request at going-down": ("options.request=going-down",),
    "discovery 10 ms": ("options.agent_discovery=10ms",),
    "upstream dropped": ("options.upstream_hold=false",),
}
"""Conditions of the tables, and the keys of the scenario that they change."""


BUFFERS = ("0", "50", "200", "unlimited")
"""Buffers of old and new routers, in packets, with which all procedures run."""


@dataclass(frozen=True)
class Job:
    """One study: a scenario file, changed keys, a seed, procedures."""

    path: Path
    changes: Changes
    seed: int
    procedures: tuple[str, ...]

    def run(self) -> Study:
        """Return the figures of each procedure, losses per 100 handoffs and bytes per handoff."""
        setup = build_setup(load_scenario(self.path, self.changes)[0], self.path, self.seed)
        return {run.procedure: figures(setup, run) for run in run_study(setup, self.procedures, seed=self.seed)}


def figures(setup: Setup, run: RunResult) -> Figures:
    """Return the figures of one run."""
    handoffs, summary = max(len(run.handoffs["mobile"]), 1), run.summary()
    up, lost = setup.network.flow_column("up").astype(bool), run.result.flows["lost"]
    assert run.extra is not None
    return {
        "lost": 100 * lost.sum() / handoffs,
        "lost_down": 100 * lost[~up].sum() / handoffs,
        "lost_up": 100 * lost[up].sum() / handoffs,
        "duplicate": 100 * run.result.flows["duplicate"].sum() / handoffs,
        "seamless": 100 * float(summary["seamless_ratio"]),
        "interruption": _milliseconds(summary["disruption_mean_ps"]),
        "interruption_p99": _milliseconds(summary["disruption_p99_ps"]),
        "air": run.extra.air / handoffs,
        "core": run.extra.core / handoffs,
        "simultaneous": run.simultaneous,
    }


def _milliseconds(ps: int | float | str | None) -> float:
    return math.nan if ps is None else float(ps) / 1e9


def run_jobs(jobs: Sequence[Job]) -> list[Study]:
    """Run studies on all processors."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(Job.run, jobs))


def mean_text(values: Sequence[float], digits: int = 1) -> str:
    """Return a mean with the half-width of its 95 % interval; without it if all values are equal or there is one."""
    mean = float(np.mean(values))
    if len(values) < 2 or len(set(values)) == 1:
        return f"{mean:,.{digits}f}"
    interval = mean_interval(list(values))
    return f"{mean:,.{digits}f} ± {(interval.high - interval.low) / 2:,.{digits}f}"


def headline(studies: Sequence[Study]) -> Iterator[str]:
    """Yield the lines of the table about ``commute.toml``."""
    names = ("lost_down", "lost_up", "seamless", "interruption", "interruption_p99", "duplicate", "air", "core", "simultaneous")
    heads = (
        "lost down", "lost up", "seamless %", "interruption ms", "p99 ms", "duplicates", "air bytes", "core bytes",
        "simultaneous",
    )  # fmt: skip
    yield f"| procedure | {' | '.join(heads)} |"
    yield "|---" * (1 + len(heads)) + "|"
    for procedure in studies[0]:
        digits = {name: 0 if name in ("air", "core", "simultaneous") else 1 for name in names}
        cells = [mean_text([s[procedure][n] for s in studies], digits[n]) for n in names]
        yield f"| `{procedure}` | {' | '.join(cells)} |"


def buffer_table(studies: dict[str, Sequence[Study]]) -> Iterator[str]:
    """Yield the lines of the table of losses, downstream and upstream together, by the size of the buffers."""
    yield f"| procedure | {' | '.join(f'{packets} packets' if packets.isdecimal() else packets for packets in studies)} |"
    yield "|---" * (1 + len(studies)) + "|"
    for procedure in PROCEDURES:
        cells = [mean_text([s[procedure]["lost"] for s in of_seeds]) for of_seeds in studies.values()]
        yield f"| `{procedure}` | {' | '.join(cells)} |"


def condition_table(results: dict[str, list[Study]], name: str, digits: int = 1) -> Iterator[str]:
    """Yield the lines of a table of one figure: a row for each condition, a column for each procedure and paired difference."""
    pairs = [f"`{a}` − `{b}`" for a, b in PAIRS]
    yield f"| condition | {' | '.join(f'`{p}`' for p in VARIED)} | {' | '.join(pairs)} |"
    yield "|---" * (1 + len(VARIED) + len(PAIRS)) + "|"
    for condition, studies in results.items():
        means = [f"{np.mean([s[p][name] for s in studies]):,.{digits}f}" for p in VARIED]
        differences = [mean_text([s[a][name] - s[b][name] for s in studies], digits) for a, b in PAIRS]
        yield f"| {condition} | {' | '.join(means)} | {' | '.join(differences)} |"


def main() -> None:
    """Run all studies and print their tables, or write them into docs/claims.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds (5)")
    parser.add_argument("--document", action="store_true", help="replace the tables of docs/claims.md")
    arguments = parser.parse_args()
    seeds = range(1, arguments.seeds + 1)
    jobs = [Job(COMMUTE, (), seed, tuple(PROCEDURES)) for seed in seeds]
    jobs += [Job(CLAIMS, _buffers(packets), seed, tuple(PROCEDURES)) for packets in BUFFERS for seed in seeds]
    of_buffers = {_buffers(packets): packets for packets in BUFFERS}
    jobs += [Job(CLAIMS, changes, seed, VARIED) for changes in CONDITIONS.values() if changes not in of_buffers for seed in seeds]
    studies = run_jobs(jobs)
    of_seeds = iter([studies[i : i + len(seeds)] for i in range(0, len(studies), len(seeds))])
    commute = next(of_seeds)
    by_buffers = {packets: next(of_seeds) for packets in BUFFERS}
    results = {
        condition: by_buffers[of_buffers[changes]] if changes in of_buffers else next(of_seeds)
        for condition, changes in CONDITIONS.items()
    }
    tables = {
        "headline": headline(commute),
        "buffers": buffer_table(by_buffers),
        "lost": condition_table(results, "lost"),
        "seamless": condition_table(results, "seamless"),
        "interruption": condition_table(results, "interruption"),
        "core": condition_table(results, "core", 0),
    }
    text = DOCUMENT.read_text()
    for name, lines in tables.items():
        table = "\n".join(lines)
        if arguments.document:
            text, count = re.subn(rf"(<!-- table {name} -->\n).*?(\n<!-- end -->)", rf"\g<1>{table}\g<2>", text, flags=re.S)
            if count != 1:
                raise SystemExit(f"{DOCUMENT} has {count} tables {name!r}, not one")
        else:
            print(f"\n{name}\n\n{table}")
    if arguments.document:
        DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
