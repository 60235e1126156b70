"""Estimate of the packets, memory and time that a sweep takes, from scenarios that are built for it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.offered_load import expected_packets
from handoff.experiments.execution.code_version import code_version
from handoff.experiments.sweep.dataset import DatasetContents, Run, StoredRun, read_contents
from handoff.experiments.sweep.points import Point
from handoff.experiments.sweep.sweep_plan import SweepPlan
from handoff.protocol.mixture import compile_procedure
from handoff.protocol.setup import Setup
from handoff.scenario import Scenario
from handoff.simulation.initial_state import prepare_network
from handoff.simulation.run import StudyProgress, run_procedure
from handoff.simulation.study import estimate_memory
from handoff.workload.build import build_setup, message_path

BUILD_SECONDS = 5.0
"""Time for building scenarios other than the first and the last."""
PROBE_SECONDS = 1.0
"""Length of the run that the speed is measured with, in real time."""


@dataclass(frozen=True)
class RunCost:
    """Cost of one run of a scenario.

    Attributes
    ----------
    packets : int
        Approximate number of data packets sent.
    memory_bytes : int
        Upper bound, by ``engine.memory`` and the record of ``detail``.
    building_seconds : float
        Time before the run starts.
    """

    packets: int
    memory_bytes: int
    building_seconds: float


@dataclass(frozen=True)
class Forecast:
    """Cost of a sweep.

    Attributes
    ----------
    sizes : dict of str to RunCost or str
        By the text of a scenario, for each that was built: its cost, or the reason why it cannot be built.
    seconds : float or None
        Approximate time of the missing runs on one processor; None if nothing could be run.
    basis : str
        Runs that the time is estimated from.
    """

    sizes: dict[str, RunCost | str]
    seconds: float | None
    basis: str


@dataclass(frozen=True)
class SweepPreview:
    """State of a sweep before its runs.

    Attributes
    ----------
    contents : DatasetContents
        Complete runs of the dataset.
    missing : set of Run
        Runs to do.
    forecast : Forecast
        Their cost.
    """

    contents: DatasetContents
    missing: set[Run]
    forecast: Forecast


def preview_sweep(plan: SweepPlan, folder: Path | None, *, rerun_stale: bool = False) -> SweepPreview:
    """Return what :func:`handoff.experiments.sweep.runner.run_sweep` would do, without doing it.

    Parameters
    ----------
    plan : SweepPlan
        Plan of the sweep.
    folder : Path or None
        Folder of the dataset, which need not exist; None: as for an empty dataset.
    rerun_stale : bool
        If true, count the runs that another version of the code made as missing.
    """
    contents = DatasetContents() if folder is None else read_contents(folder)
    missing = plan.missing(contents.runs, code_version() if rerun_stale else None)
    return SweepPreview(contents, missing, forecast(plan, contents.runs, missing))


def forecast(plan: SweepPlan, stored: Mapping[Run, StoredRun], missing: set[Run]) -> Forecast:
    """Estimate the cost of the missing runs.

    The first and the last scenario are built, and others while that is quick. The time is estimated from stored runs, else from
    a short run of the smallest scenario.

    Parameters
    ----------
    plan : SweepPlan
        Plan of the sweep.
    stored : mapping of Run to StoredRun
        Complete runs of the dataset.
    missing : set of Run
        Runs to do.
    """
    points_by_scenario: dict[str, list[Point]] = {}
    for point in plan.points:
        points_by_scenario.setdefault(point.scenario, []).append(point)
    texts = list(points_by_scenario)
    sizes: dict[str, RunCost | str] = {}
    start = time.perf_counter()
    for index, text in enumerate([*texts[:1], *texts[:0:-1]]):
        if index > 1 and time.perf_counter() - start > BUILD_SECONDS:
            break
        sizes[text] = _estimate_cost(plan, points_by_scenario[text][0])
    costs = {text: size for text, size in sizes.items() if isinstance(size, RunCost)}
    if not costs or not missing:
        return Forecast(sizes, None if missing else 0.0, "")
    mean_packets = sum(c.packets for c in costs.values()) / len(costs)
    packets = {p.key: costs[p.scenario].packets if p.scenario in costs else mean_packets for p in plan.points}
    measured = [(s.wall_seconds, packets[key]) for (key, _), s in stored.items() if key in packets]
    if measured:
        packet_seconds = sum(w for w, _ in measured) / max(sum(p for _, p in measured), 1)
        basis = f"{len(measured):,} runs that are there"
    else:
        smallest = min(costs, key=lambda text: costs[text].packets)
        packet_seconds = _probe_speed(plan, points_by_scenario[smallest][0], costs[smallest])
        basis = f"{PROBE_SECONDS:g} s of the smallest point"
    run_seconds: dict[str, list[float]] = {}
    for (key, _), s in stored.items():
        run_seconds.setdefault(key, []).append(s.wall_seconds)
    building = sum(c.building_seconds for c in costs.values()) / len(costs)
    tasks = len({(p.scenario, seed) for p in plan.points for seed in plan.seeds if (p.key, seed) in missing})
    mean_seconds = {key: sum(seconds) / len(seconds) for key, seconds in run_seconds.items()}
    running = sum(mean_seconds[key] if key in mean_seconds else packet_seconds * packets[key] for key, _ in missing)
    return Forecast(sizes, running + tasks * building, basis)


def _build(plan: SweepPlan, point: Point) -> Setup:
    scenario = Scenario.model_validate(json.loads(point.scenario))
    return build_setup(scenario, message_path(plan.folder, scenario), plan.seeds[0], plan.memory_limit_bytes)


def _estimate_cost(plan: SweepPlan, point: Point) -> RunCost | str:
    start = time.perf_counter()
    try:
        setup = _build(plan, point)
        building = time.perf_counter() - start
        network, _ = prepare_network(setup, compile_procedure(setup, point.procedure), plan.seeds[0])
        packets = int(expected_packets(setup.network, setup.duration_ps).sum())
        memory = estimate_memory(network, setup.duration_ps, packets, bool(point.settings.detail))
        return RunCost(packets, memory, building)
    except (ValueError, OSError, MemoryError) as error:
        return "; ".join(str(error).splitlines())


def _probe_speed(plan: SweepPlan, point: Point, cost: RunCost) -> float:
    # Returns seconds per packet, from a run that is stopped after PROBE_SECONDS.
    start = time.perf_counter()
    share_done = 0.0

    def keep_going(at: StudyProgress) -> bool:
        nonlocal share_done
        share_done = at.time_ps / at.until_ps
        return time.perf_counter() - start < PROBE_SECONDS

    setup = _build(plan, point)
    start = time.perf_counter()
    run = run_procedure(setup, point.procedure, seed=plan.seeds[0], progress=keep_going, detail=point.settings.detail)
    share = share_done if run.interrupted_ps is not None else 1.0
    return (time.perf_counter() - start) / max(share * cost.packets, 1)
