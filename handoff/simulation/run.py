"""One run of a procedure on a setup: prepare it, advance its engine, collect its result."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from engine import Engine, LinkTrace, Network, Result
from engine.columns import Columns
from handoff.protocol.attacks import ATTACK_COUNTS, AttackCounts
from handoff.protocol.handoff_records import HandoffRecords
from handoff.protocol.mixture import Mixture, compile_procedure
from handoff.protocol.procedures import Procedure
from handoff.protocol.program import Program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Setup
from handoff.simulation.baseline import ByteCounts, baseline_bytes, baseline_key
from handoff.simulation.checkpoint import RunState, StudyCheckpoint
from handoff.simulation.cycle_collector import pause_cycle_collector
from handoff.simulation.early_end import CHECKS, EarlyEnd
from handoff.simulation.group_rows import group_rows
from handoff.simulation.handoff_metrics import (
    FlowMobiles,
    PacketRecords,
    compute_packet_metrics,
    handoff_columns,
    handoff_of_packets,
)
from handoff.simulation.initial_state import make_controllers, prepare_network
from handoff.simulation.measurement_window import Snapshot, WindowRecorder, window_result
from handoff.simulation.packets_around import count_packets_around
from handoff.simulation.path_delays import PathDelays
from handoff.simulation.result import RunResult
from handoff.simulation.run_parts import RunPart, anchor_tunnels, group_array, merge_controllers, procedure_name
from handoff.simulation.seamless import PathDifference, judge_handoffs, path_differences
from handoff.simulation.time_series import SeriesRecorder

MIN_SLICES = 50
"""Smallest number of slices of a run."""
SLICE_SECONDS = 0.5
"""Real time that a slice should take at most, so that a slow run can report progress, write a checkpoint and stop."""
FIRST_SLICE_DIVISOR = 64
"""The first slice of a run is the longest slice divided by this: the speed of the run is not known yet."""


class Recorder(Protocol):
    """Recorder of the packets on the links of a run (``handoff.output.pcap.recorder.Recorder`` writes a capture)."""

    @property
    def trace_links(self) -> list[str]:
        """Names of the links to record."""

    @property
    def slices(self) -> int:
        """Number of slices that keeps each slice small enough to be written at once."""

    def write(self, hops: LinkTrace) -> None:
        """Write the hops of one slice."""

    def state(self) -> Any:
        """Return the state for a checkpoint; a later recorder of the same run starts from it."""


RecorderFactory = Callable[[Network, Program | Mixture, RoleResolver, Any], AbstractContextManager[Recorder]]


@dataclass(frozen=True)
class StudyProgress:
    """Progress of a run: simulated time reached and to reach (ps), and packet-hops so far."""

    time_ps: int
    until_ps: int
    events: int


Progress = Callable[[StudyProgress], bool]


def run_procedure(
    setup: Setup,
    procedure: str | Procedure | Program | Mixture,
    *,
    seed: int = 1,
    scheduling: str = "auto",
    threads: int = 1,
    memory_limit_bytes: int | None = None,
    progress: Progress | None = None,
    reference: ByteCounts | None = None,
    wrap: Callable[[int, Any], Any] | None = None,
    detail: bool = False,
    record: RecorderFactory | None = None,
    checkpoints: StudyCheckpoint | None = None,
    warmup_ps: int = 0,
    batches: int = 1,
    early_ends: Sequence[EarlyEnd] = (),
    series_ps: int | None = None,
    packets_around: bool = False,
) -> RunResult:
    """Run one procedure, or the mixture of the setup, to the end of the setup.

    Parameters
    ----------
    setup : Setup
        Network with traffic, movement and options.
    procedure : str, Procedure, Program or Mixture
        A key of ``handoff.protocol.procedures.PROCEDURES``, ``mixture``, a procedure of the caller's own, or what
        ``compile_procedure`` made of one of them for this setup.
    seed : int
        Seed of every draw. All procedures of a comparison see the same draws.
    scheduling : str
        As for ``engine.Engine``; no result depends on it.
    threads : int
        As for ``engine.Engine``; no result depends on it.
    memory_limit_bytes : int or None
        Refuse a run that may take more memory.
    progress : callable or None
        Called after each slice of the run; returns False to stop there.
    reference : ByteCounts or None
        Result of ``handoff.simulation.baseline.baseline_bytes`` for the same bindings, if it is known already; then no baseline
        run takes place.
    wrap : callable or None
        Called with each node (-1 for the mobile nodes) and its controller; returns the controller to attach instead, for
        instance one that observes every event and action.
    detail : bool
        If true, keep a record of every packet, about 200 bytes each, and compute the metrics of ``handoff.metrics`` from it.
    record : callable or None
        Called with network, program and roles of the run, and with the state of its recorder at a checkpoint or None; returns a
        context manager around the run whose value is its recorder. In a mixture the roles are those of the first group.
    checkpoints : StudyCheckpoint or None
        Checkpoint to resume from and to renew; not together with a warm-up or batches.
    warmup_ps : int
        End of the warm-up: the result is about the time after it (``handoff.simulation.measurement_window``).
    batches : int
        Number of parts of that time that have results of their own.
    early_ends : sequence of EarlyEnd
        The run ends as soon as one of them is certain, and its result names the measure (``ended_by``). Such a run is like a
        stopped one: it has no baseline. Not together with a warm-up, batches or checkpoints.
    series_ps : int or None
        Interval of the time series, of the whole run (``handoff.simulation.time_series``); None: none. Not together with
        checkpoints.
    packets_around : bool
        If true, count the packets around handoffs (``handoff.simulation.packets_around``). Without ``detail`` there are none.

    Returns
    -------
    RunResult

    Raises
    ------
    ValueError
        If the procedure is unknown, the options are wrong, the network cannot be run, or there is no time for the batches.
    """
    program = compile_procedure(setup, procedure)
    if checkpoints is not None and (warmup_ps, batches) != (0, 1):
        raise ValueError("a run with checkpoints has no warm-up and no batches")
    if early_ends and (checkpoints is not None or (warmup_ps, batches) != (0, 1)):
        raise ValueError("a run that may end early has no checkpoints, no warm-up and no batches")
    if series_ps is not None and checkpoints is not None:
        raise ValueError("a run with checkpoints has no time series")
    run = _prepare_run(setup, program, seed, warmup_ps, batches, checkpoints)
    run.series = None if series_ps is None else SeriesRecorder(series_ps)
    run.packets_around = packets_around
    with _open_recorder(record, run) as recorder:
        engine = Engine(
            run.network, seed=seed, tunnel_limit=setup.options.tunnel_limit,
            scheduling="heap" if setup.options.forward_unacked else scheduling,  # type: ignore[arg-type]
            record="packets" if detail else "drops", memory_limit_bytes=memory_limit_bytes, threads=threads,
            trace_links=() if recorder is None else recorder.trace_links,
        )  # fmt: skip
        if memory_limit_bytes is not None:
            engine.check_memory(setup.duration_ps)
        _attach_controllers(engine, run.state, wrap)
        reached_ps = _advance_run(run, engine, progress, recorder, checkpoints, early_ends)
    if checkpoints is None:
        run.state.controllers.clear()
    engine.release_controllers()
    result = engine.result()
    if reference is None and reached_ps == setup.duration_ps:
        advance_baseline = partial(_advance_baseline, setup.duration_ps, warmup_ps, progress, checkpoints)
        reference = baseline_bytes(setup, [part.roles for part in run.parts], seed, advance_baseline)
    return _collect_result(run, result, reached_ps, reference, detail, engine.profile["controller_ns"] / 1e9)


def run_with_shared_baseline(
    setup: Setup, procedure: str | Procedure | Program | Mixture, references: dict[tuple[object, ...], ByteCounts], **options: Any
) -> RunResult:
    """Run one procedure of a comparison. Procedures with the same anchors and tunnels share one baseline run.

    Parameters
    ----------
    setup, procedure
        As for :func:`run_procedure`.
    references : dict of tuple to ByteCounts
        Bytes of the baseline runs, by ``handoff.simulation.baseline.baseline_key``; the baseline of this run is added.
    **options
        As for :func:`run_procedure`.
    """
    program = compile_procedure(setup, procedure)
    key = baseline_key(program)
    run = run_procedure(setup, program, reference=references.get(key), **options)
    if run.baseline is not None:
        references[key] = run.baseline
    return run


# -- prepare ------------------------------------------------------------------------------------------------------------------


@dataclass
class _PreparedRun:
    """A run before its engine exists. ``ended_by`` is the measure that ended it early."""

    setup: Setup
    program: Program | Mixture
    network: Network
    parts: list[RunPart]
    state: RunState
    windows: WindowRecorder
    series: SeriesRecorder | None = None
    packets_around: bool = False
    wall_seconds: float = 0.0
    ended_by: str = ""

    def simultaneous_bindings(self) -> int:
        """Return the number of bindings that anchors have made beside an existing one."""
        return sum(part.roles.simultaneous_bindings for part in self.parts)


def _prepare_run(
    setup: Setup, program: Program | Mixture, seed: int, warmup_ps: int, batches: int, checkpoints: StudyCheckpoint | None
) -> _PreparedRun:
    network, parts = prepare_network(setup, program, seed)
    groups = group_array(program)
    state = None if checkpoints is None else checkpoints.restore_run(_shared_objects(setup, parts, groups))
    if state is None:
        records = HandoffRecords(setup)
        controllers = [(part.group, make_controllers(setup, part, records)) for part in parts]
        messages = [0] * (len(program.programs) if isinstance(program, Mixture) else 0)
        state = RunState(records, list(merge_controllers(controllers, groups, messages)), messages)
    parts[0].roles.simultaneous_bindings = state.simultaneous
    for part in parts:
        part.roles.attack_counts = state.attack_counts
        part.roles.handoffs = state.records
    windows = WindowRecorder(
        setup.duration_ps, warmup_ps, batches, lambda: run.simultaneous_bindings(), lambda: tuple(run.state.group_messages),
        lambda: tuple(run.state.attack_counts.values()),
    )  # fmt: skip
    run = _PreparedRun(setup, program, network, parts, state, windows)
    return run


def _shared_objects(setup: Setup, parts: list[RunPart], groups: array[int]) -> dict[str, object]:
    """Name the objects that controllers refer to and that each run creates anew: a checkpoint refers to them by name."""
    shared: dict[str, object] = {
        "options": setup.options, "movement": setup.attachments, "network": setup.network, "groups": groups,
    }  # fmt: skip
    for i, part in enumerate(parts):
        shared |= {
            f"program {i}": part.program, f"procedure {i}": part.program.procedure, f"roles {i}": part.roles,
            f"message_hops {i}": part.message_hops,
        }  # fmt: skip
    return shared


def _open_recorder(record: RecorderFactory | None, run: _PreparedRun) -> AbstractContextManager[Recorder | None]:
    if record is None:
        return nullcontext()
    return record(run.network, run.program, run.parts[0].roles, run.state.capture)


def _attach_controllers(engine: Engine, state: RunState, wrap: Callable[[int, Any], Any] | None) -> None:
    for node, controller in state.controllers:
        attached = controller if wrap is None else wrap(node, controller)
        if node < 0:
            engine.attach_mobiles(attached)
        else:
            engine.attach(node, attached)


# -- advance ------------------------------------------------------------------------------------------------------------------


def _advance_run(
    run: _PreparedRun, engine: Engine, progress: Progress | None, recorder: Recorder | None, checkpoints: StudyCheckpoint | None,
    early_ends: Sequence[EarlyEnd],
) -> int:  # fmt: skip
    """Advance the engine of a run to the end of the setup; return the time reached, which is earlier if the run was stopped."""
    state, start_s = run.state, time.perf_counter() - run.state.wall_seconds

    def current_state() -> RunState:
        state.simultaneous, state.wall_seconds = run.simultaneous_bindings(), time.perf_counter() - start_s
        state.capture = None if recorder is None else recorder.state()
        return state

    def must_end() -> bool:
        run.ended_by = next((end.measure for end in early_ends if end.is_certain(state.records)), "")
        return bool(run.ended_by)

    if checkpoints is not None:
        checkpoints.track_engine(engine, current_state)
    ends = must_end if early_ends else None
    reached_ps = _advance(engine, run.setup.duration_ps, progress, recorder, checkpoints, run.windows, ends, run.series)
    run.wall_seconds = time.perf_counter() - start_s
    return reached_ps


def _advance_baseline(
    until_ps: int, warmup_ps: int, progress: Progress | None, checkpoints: StudyCheckpoint | None, engine: Engine
) -> ByteCounts | None:
    """Advance the engine of a baseline to the end; return its bytes after the warm-up, or None if it was stopped."""
    if checkpoints is not None:
        checkpoints.track_engine(engine)
    windows = WindowRecorder(until_ps, warmup_ps, 1, lambda: 0)
    if _advance(engine, until_ps, progress, None, checkpoints, windows) != until_ps:
        return None
    result = engine.result()
    return ByteCounts.of(window_result(windows.snapshots[0], Snapshot(until_ps, result), result))


def _advance(
    engine: Engine, until_ps: int, progress: Progress | None, recorder: Recorder | None, checkpoints: StudyCheckpoint | None,
    windows: WindowRecorder, must_end: Callable[[], bool] | None = None, series: SeriesRecorder | None = None,
) -> int:  # fmt: skip
    """Advance an engine in slices; after each, report progress, record hops and snapshots, and write a checkpoint if it is due.

    ``must_end`` is asked at ``CHECKS`` instants, whatever the slices; the run ends there if it returns true.

    A slice is half as long as the one before if that took too much real time, and twice as long if it took little. No result
    depends on the slices.
    """
    longest = max(1, until_ps // max(MIN_SLICES, 0 if recorder is None else recorder.slices))
    step = max(1, longest // FIRST_SLICE_DIVISOR)
    reached_ps = engine.time_ps
    check_ps = max(1, until_ps // CHECKS)
    while reached_ps < until_ps:
        start_s = time.perf_counter()
        stop_ps = windows.next_stop(min(reached_ps + step, until_ps))
        if must_end is not None:
            stop_ps = min(stop_ps, (reached_ps // check_ps + 1) * check_ps)
        with pause_cycle_collector():
            if series is None:
                engine.advance(stop_ps)
            else:
                series.advance(engine, stop_ps)
        reached_ps = engine.time_ps
        windows.record(engine)
        if recorder is not None:
            recorder.write(engine.take_trace())
        stop = progress is not None and not progress(StudyProgress(reached_ps, until_ps, engine.profile["events"]))
        if checkpoints is not None:  # the checkpoint precedes the end of the capture, which could not be resumed any more
            checkpoints.write_if_due(forced=stop or (reached_ps == until_ps and recorder is not None))
        if stop or (must_end is not None and reached_ps < until_ps and reached_ps % check_ps == 0 and must_end()):
            break
        slice_s = time.perf_counter() - start_s
        if slice_s > SLICE_SECONDS:
            step = max(1, step // 2)
        elif 2 * slice_s < SLICE_SECONDS:
            step = min(longest, step * 2)
    if series is not None:
        series.end(engine)
    return reached_ps


# -- collect ------------------------------------------------------------------------------------------------------------------


def _collect_result(
    run: _PreparedRun, result: Result, reached_ps: int, reference: ByteCounts | None, detail: bool, controller_seconds: float
) -> RunResult:
    """Compute the result of a run, and of each of its batches, from the result of its engine."""
    options, mobiles = run.setup.options, FlowMobiles.of(run.network)
    groups = run.program.groups if isinstance(run.program, Mixture) else None
    handoffs = handoff_columns(run.state.records, result, mobiles, reached_ps)
    packets = PacketRecords.from_result(result, mobiles, options.resequence_ps) if detail else None
    handoff_of_all = None
    if packets is not None:
        handoff_of_all = handoff_of_packets(packets, handoffs)
        handoffs["seamless"] = judge_handoffs(packets, handoffs, handoff_of_all, _path_difference(run, mobiles))
    interrupted_ps = None if reached_ps == run.setup.duration_ps else reached_ps
    nodes = run.network.nodes
    anchors = tuple(node for node in range(len(nodes)) if any(part.roles.is_anchor(node) for part in run.parts))
    servers = {name: np.array([getattr(n, name) for n in nodes], np.int64) for name in ("registration_ps", "service_ps")}

    tunnels = anchor_tunnels(run.program, mobiles.mobile)

    def collect_window(first: Snapshot, second: Snapshot) -> RunResult:
        began = (handoffs["open_ps"] >= first.time_ps) & (handoffs["open_ps"] < second.time_ps)
        window_handoffs = {name: values[began] for name, values in handoffs.items()}
        window = window_result(first, second, result)
        metrics = None
        if packets is not None:
            metrics = compute_packet_metrics(
                tunnels, window, packets, window_handoffs, first.time_ps, groups, handoff_of_all if began.all() else None
            )
        part = RunResult(
            procedure_name(run.program), window, window_handoffs, None, second.simultaneous - first.simultaneous, metrics,
            servers, run.wall_seconds, controller_seconds, interrupted_ps, first.time_ps, anchors=anchors,
            attack_counts=_attack_counts(first, second),
        )  # fmt: skip
        if groups is not None:
            earlier = first.group_messages or [0] * len(groups.procedures)
            messages = [after - before for after, before in zip(second.group_messages, earlier, strict=True)]
            if len(run.parts) == 1:  # without a dispatcher
                messages[run.parts[0].group] = int(window.nodes["messages"].sum())
            part.groups = group_rows(part, groups, mobiles.mobile, messages)
        return part

    counts = tuple(run.state.group_messages), tuple(run.state.attack_counts.values())
    end = Snapshot(reached_ps, result, run.simultaneous_bindings(), *counts)
    after_warmup, *parts = run.windows.windows(end)
    collected = collect_window(*after_warmup)
    if interrupted_ps is None and reference is not None:
        collected.extra = ByteCounts.of(collected.result) - reference
    collected.ended_by = run.ended_by
    collected.series = None if run.series is None else run.series.series()
    if packets is not None and run.packets_around:
        collected.packets_around = count_packets_around(packets, collected.handoffs, tunnels, run.network.flow_column("up"))
    collected.batches = tuple(collect_window(*part) for part in parts)
    return collected


def _attack_counts(first: Snapshot, second: Snapshot) -> AttackCounts:
    """Return the counts of attacks in a window."""
    before = first.attack_counts or [0] * len(ATTACK_COUNTS)
    return dict(zip(ATTACK_COUNTS, (b - a for a, b in zip(before, second.attack_counts, strict=True)), strict=True))


def _path_difference(run: _PreparedRun, mobiles: FlowMobiles) -> PathDifference:
    """Return the difference of the delays of two paths; in a mixture, that of the program of each flow's mobile node."""
    differences = {p.group: path_differences(run.network, PathDelays(run.network, p.roles)) for p in run.parts}
    if not isinstance(run.program, Mixture):
        return differences[0]
    group = run.program.groups.group[mobiles.mobile].tolist()
    return lambda flow, seq, old, new: differences[group[flow]](flow, seq, old, new)


__all__ = [
    "Columns", "RunResult", "StudyProgress", "baseline_bytes", "run_procedure", "run_with_shared_baseline",
]  # fmt: skip
