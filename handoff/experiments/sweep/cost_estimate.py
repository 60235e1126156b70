"""What a sweep would take: packets, memory and time of each scenario, from those that are built for it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.memory import memory_upper_bound
from engine.offered_load import expected_packets
from handoff.experiments.sweep.dataset import Run, StoredRun
from handoff.experiments.sweep.points import Point
from handoff.experiments.sweep.runner import SweepPlan
from handoff.protocol.program import compile_program
from handoff.protocol.setup import Setup
from handoff.scenario import Scenario
from handoff.simulation.initial_state import prepare_network
from handoff.simulation.run import StudyProgress, run_procedure
from handoff.workload.build import build_setup

BUILDING_SECONDS = 5.0
"""For building scenarios beyond the first and the last."""
PROBE_SECONDS = 1.0
RECORD_BYTES = 200
"""Of each packet with ``detail``."""


@dataclass(frozen=True)
class RunCost:
    """Of one run of a scenario.

    Attributes
    ----------
    packets : int
        Data packets that are sent, about.
    memory_bytes : int
        At most, by ``engine.memory`` and what ``detail`` adds.
    building_seconds : float
        Until the run begins.
    """

    packets: int
    memory_bytes: int
    building_seconds: float


@dataclass(frozen=True)
class Forecast:
    """Of a plan.

    Attributes
    ----------
    sizes : dict of str to Size or str
        By a scenario's text: those that were built, or why one cannot be.
    seconds : float or None
        That the missing runs take on one processor, about; None if nothing could be run.
    by : str
        What the time rests on.
    """

    sizes: dict[str, RunCost | str]
    seconds: float | None
    by: str


def forecast(plan: SweepPlan, stored: Mapping[Run, StoredRun], missing: set[Run]) -> Forecast:
    """Build the first and the last scenario, and others while that is quick; estimate the time from runs that are there, else
    from a short one of the smallest.

    Parameters
    ----------
    plan : Plan
        Of the sweep.
    stored, missing : as of ``Plan.missing``
        What there is, and what is to be done.
    """
    groups: dict[str, list[Point]] = {}
    for point in plan.points:
        groups.setdefault(point.scenario, []).append(point)
    order = list(groups)
    sizes: dict[str, RunCost | str] = {}
    begun = time.perf_counter()
    for at, text in enumerate([*order[:1], *order[:0:-1]]):
        if at > 1 and time.perf_counter() - begun > BUILDING_SECONDS:
            break
        sizes[text] = _size(plan, text, groups[text][0])
    known = {text: size for text, size in sizes.items() if isinstance(size, RunCost)}
    if not known or not missing:
        return Forecast(sizes, None if missing else 0.0, "")
    mean = sum(s.packets for s in known.values()) / len(known)
    packets = {p.key: known[p.scenario].packets if p.scenario in known else mean for p in plan.points}
    measured = [(s.wall_seconds, packets[key]) for (key, _), s in stored.items() if key in packets]
    if measured:
        each, by = sum(w for w, _ in measured) / max(sum(p for _, p in measured), 1), f"{len(measured):,} runs that are there"
    else:
        smallest = min(known, key=lambda text: known[text].packets)
        each, by = _probe(plan, groups[smallest][0], known[smallest]), f"{PROBE_SECONDS:g} s of the smallest point"
    own: dict[str, list[float]] = {}
    for (key, _), s in stored.items():
        own.setdefault(key, []).append(s.wall_seconds)
    building = sum(s.building_seconds for s in known.values()) / len(known)
    tasks = len({(p.scenario, seed) for p in plan.points for seed in plan.seeds if (p.key, seed) in missing})
    runs = sum(sum(own[key]) / len(own[key]) if key in own else each * packets[key] for key, _ in missing)
    return Forecast(sizes, runs + tasks * building, by)


def _setup(plan: SweepPlan, point: Point) -> Setup:
    scenario = Scenario.model_validate(json.loads(point.scenario))
    return build_setup(scenario, Path(plan.folder) / f"{scenario.name}.toml", plan.seeds[0])


def _size(plan: SweepPlan, text: str, point: Point) -> RunCost | str:
    begun = time.perf_counter()
    try:
        setup = _setup(plan, point)
        building = time.perf_counter() - begun
        network, _ = prepare_network(setup, compile_program(setup, point.procedure), plan.seeds[0])
        packets = int(expected_packets(setup.network, setup.duration_ps).sum())
        detail = RECORD_BYTES * packets if point.settings.detail else 0
        return RunCost(packets, memory_upper_bound(network, setup.duration_ps) + detail, building)
    except (ValueError, OSError, MemoryError) as error:
        return "; ".join(str(error).splitlines())


def _probe(plan: SweepPlan, point: Point, size: RunCost) -> float:
    """Seconds a packet of a run that is stopped soon."""
    begun = time.perf_counter()
    reached = [0.0]

    def go_on(at: StudyProgress) -> bool:
        reached[0] = at.time_ps / at.until_ps
        return time.perf_counter() - begun < PROBE_SECONDS

    setup = _setup(plan, point)
    begun = time.perf_counter()
    run = run_procedure(setup, point.procedure, seed=plan.seeds[0], progress=go_on, detail=point.settings.detail)
    share = reached[0] if run.interrupted_ps is not None else 1.0
    return (time.perf_counter() - begun) / max(share * size.packets, 1)
