"""W1, W2 and their variants in the engine, with all conservation checks, compared with the peers.

A time counts only if the program delivers the same packets with the same sum of delays as the engine. There are two exceptions.
The shared programs draw other exponential gaps than the engine, so that only the means have to be close. If mobile nodes begin at
the same picosecond, the programs differ in their order, so that the means have to agree to the picosecond.

The programs alternate, so that a slower machine slows all of them, and processor times are compared, so that other work on the
machine matters less. A slow program gets a shorter run. An engine run of that length checks its result, and the rates per
packet-hop are compared.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench import peers
from bench.rows import ROOT, Row, ratio
from bench.w1 import HOPS, gap_draws, phases_ps, workload
from engine import Engine

SHARED = ROOT.parent / "shared" / "floor"
MEAN_MS = 1e-4  # resolution of the mean delay that the shared programs print
MEAN_MS_OF_OTHER_DRAWS = 1e-2
PACE = {"heap": 4e6, "shared heap": 4e6, "SimPy": 0.4e6, "ns-3": 0.1e6}
"""Approximate packet-hops a second of the slow programs, which determine the length of their runs."""
LONG_S = 1.0  # duration of one run of a slow program


@dataclass(frozen=True)
class Case:
    """Workload; ``scale`` multiplies every rate, ``at_least`` holds the minimum ratio to a program."""

    name: str
    mobiles: int = 1000
    seconds: int = 60
    tunnel: bool = False
    scale: int = 1
    correspondents: int = 1
    poisson: bool = False
    few: bool = False
    quick: bool = True
    at_least: tuple[tuple[str, float], ...] = ()

    @property
    def plain(self) -> bool:
        """True for W1 and W2 without variations, which ns-3 and SimPy run too."""
        return self.mobiles == 1000 and self.correspondents == 1 and not self.poisson and not self.few

    @property
    def tied(self) -> bool:
        """True if some mobile nodes begin at the same picosecond, as among a million."""
        return not self.poisson and not np.diff(np.sort(phases_ps(self.mobiles))).all()

    def shorter(self, name: str) -> Case:
        """Return the case with a duration that suits the speed of a program."""
        hops_per_s = HOPS * self.mobiles * (1 if self.few else 50)
        return replace(self, seconds=min(self.seconds, max(1, round(LONG_S * PACE.get(name, 1e12) / hops_per_s))))


CASES = (
    Case("W1", at_least=(("floor", 0.5), ("heap", 8), ("ns-3", 300))),
    Case("W2", tunnel=True),
    Case("W1, 8 correspondents", correspondents=8, at_least=(("floor", 0.5),)),
    Case("W1, 256 correspondents", correspondents=256),
    Case("W1, Poisson", poisson=True, at_least=(("floor", 0.5),)),
    Case("W1, 100,000 MNs", mobiles=100_000, seconds=2, scale=100, quick=False),
    Case(
        "W2, 100,000 MNs", mobiles=100_000, seconds=2, scale=100, tunnel=True,
        at_least=(("floor", 0.5), ("heap", 3), ("threads", 1.7)),
    ),
    Case("W1, 1,000,000 MNs", mobiles=1_000_000, seconds=1, scale=1000, quick=False),
    Case("W2, 1,000,000 MNs", mobiles=1_000_000, seconds=1, scale=1000, tunnel=True, quick=False),
    Case("few packets", mobiles=10, seconds=50_000, few=True, at_least=(("heap", 0.9),)),
)
ENGINE, THREADS = "engine", "engine, 2 threads"
PEERS = {"floor": peers.floor, "heap": peers.heap, "SimPy": peers.simpy, "ns-3": peers.ns3}
FAST, SLOW = ("floor", "heap"), ("SimPy", "ns-3")
SHARED_PEERS = tuple(f"shared {source.stem}" for source in sorted(SHARED.glob("*.cpp")))
Program = Callable[[Case], dict[str, Any]]


def engine(case: Case, **options: Any) -> dict[str, Any]:
    """Run the workload in the engine; the times do not include the description and compilation of the network."""
    ready = Engine(
        workload(
            case.mobiles, tunnel=case.tunnel, scale=case.scale, correspondents=case.correspondents, poisson=case.poisson,
            few=case.few,
        ),
        **options,
    )  # fmt: skip
    assert ready.window_ps > 0  # this attribute compiles the network
    wall, cpu = time.perf_counter(), time.process_time()
    ready.advance(case.seconds * 10**12)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    flows = ready.result().flows
    delivered, dropped, delay = (sum(flows[c].tolist()) for c in ("delivered", "dropped", "delay_sum_ps"))
    return {"delivered": delivered, "dropped": dropped, "delay_sum_ps": delay, "wall_s": wall, "cpu_s": cpu}


def takes_threads() -> bool:
    """Return true if the engine has the option ``threads``."""
    try:
        Engine(workload(1), threads=1)
    except TypeError:
        return False
    return True


def programs(folder: Path, names: Iterable[str] = FAST) -> tuple[dict[str, Program], dict[str, str]]:
    """Return the engine and the peers by name, and the reasons why other peers are not available."""
    works: dict[str, Program] = {ENGINE: engine}
    missing = {}
    if takes_threads():
        works[THREADS] = partial(engine, threads=2)
    for name in names:
        try:
            if name in PEERS:
                works[name] = partial(_peer, PEERS[name](folder), folder)
            else:
                works[name] = partial(_shared, [peers.build(SHARED / f"{name.removeprefix('shared ')}.cpp", folder)])
        except peers.Missing as reason:
            missing[name] = str(reason)
    return works, missing


def _peer(command: peers.Command, folder: Path, case: Case) -> dict[str, Any]:
    arguments: dict[str, Any] = {"mobiles": case.mobiles, "seconds": case.seconds, "scale": case.scale}
    arguments["tunnel"] = int(case.tunnel)
    if case.poisson:
        arguments["draws"] = folder / f"draws-{case.mobiles}"
        gap_draws(case.mobiles, case.correspondents).tofile(arguments["draws"])
    if not case.plain:
        arguments |= {"correspondents": case.correspondents, "few": int(case.few)}
    return peers.run(command, **arguments)


def _shared(command: peers.Command, case: Case) -> dict[str, Any]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    figures = peers.run(
        command, nmn=case.mobiles, sim=case.seconds, tunnel=int(case.tunnel), bwscale=case.scale, ncn=case.correspondents,
        poisson=2 * case.poisson,
    )  # fmt: skip
    return figures | {"cpu_s": resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before}


def fits(case: Case, name: str) -> bool:
    """Return true if the program supports the workload and runs it in about a minute."""
    if name in SLOW:
        return case.plain
    if name == THREADS:
        return case.mobiles >= 100_000
    if case.few:
        return name in (ENGINE, "heap")
    if name.endswith("heap") and case.mobiles > 100_000:
        return False
    return name != "shared heap" or case.correspondents == 1


def disagreement(case: Case, one: dict[str, Any], other: dict[str, Any]) -> str | None:
    """Return a description of the first difference between two runs of one workload; None if they agree."""
    mean = one["delay_sum_ps"] / one["delivered"] / 1e9
    if case.poisson and "delay_sum_ps" not in other:
        tolerance = 6 * one["delivered"] ** 0.5  # six standard deviations of a Poisson count
        if abs(one["delivered"] - other["delivered"]) > tolerance or abs(mean - other["mean_delay_ms"]) > MEAN_MS_OF_OTHER_DRAWS:
            return f"{one['delivered']} and {other['delivered']} packets, mean delays {mean} and {other['mean_delay_ms']} ms"
        return None
    if one["delivered"] != other["delivered"]:
        return f"{one['delivered']} and {other['delivered']} packets delivered"
    if "delay_sum_ps" in other:
        difference = abs(one["delay_sum_ps"] - other["delay_sum_ps"])
        if difference == 0 or (case.tied and difference < one["delivered"]):
            return None
        return f"delays of {one['delay_sum_ps']} and {other['delay_sum_ps']} ps in all"
    return None if abs(mean - other["mean_delay_ms"]) < MEAN_MS else f"mean delays {mean} and {other['mean_delay_ms']} ms"


def compare(case: Case, rounds: int, works: dict[str, Program]) -> Iterator[Row]:
    """Yield the engine's rate compared with the rate of each program, by medians of ``rounds``."""
    names = [name for name in works if fits(case, name)]
    expected = {s: engine(replace(case, seconds=s)) for s in {case.shorter(name).seconds for name in names}}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            shorter = case.shorter(name)
            figures = works[name](shorter)
            if wrong := disagreement(case, expected[shorter.seconds], figures):
                raise SystemExit(f"{case.name}: engine and {name} disagree: {wrong}")
            runs[name].append(figures)
    ours = rate(runs[ENGINE])
    for name in names:
        facts = {key: [figures[key] for figures in runs[name]] for key in ("wall_s", "cpu_s")}
        facts["simulated_s"] = case.shorter(name).seconds
        at_least = dict(case.at_least)
        if name == THREADS:
            one, two = (rate(runs[n], "wall_s") for n in (ENGINE, THREADS))
            yield ratio(f"{case.name}, 2 threads", "1 thread", two, one, "hops", at_least=at_least.get("threads"), **facts)
        elif name != ENGINE:
            yield ratio(case.name, name, ours, rate(runs[name]), "hops", at_least=at_least.get(name), **facts)


def rate(runs: Iterable[dict[str, Any]], time_of: str = "cpu_s") -> float:
    """Return the median of packet-hops a second, in processor time or in another time of the figures."""
    return statistics.median(HOPS * int(figures["delivered"]) / float(figures[time_of]) for figures in runs)
