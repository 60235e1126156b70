"""Run a procedure on a setup and read off what its handoffs cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from engine import Engine, LinkTrace, Network
from engine.columns import Columns
from handoff.protocol.handoff_records import HandoffRecords
from handoff.protocol.message_routing import MessageHop, build_message_hops
from handoff.protocol.procedures import PROCEDURES
from handoff.protocol.program import Program, compile_program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Setup
from handoff.simulation.baseline import ByteCounts, baseline_bytes, baseline_key
from handoff.simulation.checkpoint import RunState, StudyCheckpoint
from handoff.simulation.handoff_metrics import compute_packet_metrics, handoff_columns
from handoff.simulation.initial_state import make_controllers, prepare_network
from handoff.simulation.measurement_window import Snapshot, WindowRecorder, window_result
from handoff.simulation.result import RunResult

SLICES = 50
"""Of a run, at least; of one that takes long each is so short that something can be shown, kept or stopped."""
SLICE_SECONDS = 0.5


class Recorder(Protocol):
    """Takes the hops of a run as it goes on (``handoff.output.pcap.recorder.Recorder`` writes them)."""

    @property
    def hops(self) -> list[str]:
        """Links to record."""

    @property
    def slices(self) -> int:
        """How many slices keep each one small."""

    def write(self, hops: LinkTrace) -> None:
        """Take those of a slice."""

    def state(self) -> Any:
        """What goes into a checkpoint, and comes back to its maker."""


RecorderFactory = Callable[[Network, Program, RoleResolver, Any], AbstractContextManager[Recorder]]

@dataclass(frozen=True)
class StudyProgress:
    """How far a run has come: simulated time reached and wanted (ps), packet-hops so far."""

    time_ps: int
    until_ps: int
    events: int


Progress = Callable[[StudyProgress], bool]


def run_procedure(
    setup: Setup,
    procedure: str,
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
) -> RunResult:
    """Run one row of ``handoff.protocol.procedures`` to the end of the setup.

    Parameters
    ----------
    setup : Setup
        Network with traffic, movement, options.
    procedure : str
        A key of ``PROCEDURES``.
    seed : int
        Seed of every draw; all procedures of a comparison see the same draws.
    scheduling : str
        As for ``engine.Engine``; no result depends on it.
    threads : int
        As for ``engine.Engine``; no result depends on it.
    memory_limit_bytes : int or None
        Refuse a run that may take more.
    progress : callable or None
        Called after each slice of the run; returns False to stop there.
    reference : Bytes or None
        ``handoff.simulation.baseline.baseline_bytes`` of the same bindings if it is known already, for a comparison.
    wrap : callable or None
        Gets each node (-1: the fleet) and its controller, and returns what to attach instead: to watch every event and
        action of a run.
    detail : bool
        Keep a record of every packet, and derive the metrics of ``handoff.metrics`` from it: about 200 bytes a packet.
    record : callable or None
        Gets network, program and places of the run, and the state that an earlier one had at a checkpoint or None; returns what
        takes its hops, a context around the run.
    checkpoints : Checkpoints or None
        Keeps what is needed to go on with the run, and has what it is to go on from; not together with a warm-up or batches.
    warmup_ps : int
        The figures are about the time from then on (``handoff.simulation.measurement_window``).
    batches : int
        Parts of that time of which the run has figures of their own, too.

    Raises
    ------
    ValueError
        If the procedure is unknown, the options are wrong, the network cannot be run, or there is no time for the batches.
    """
    program = compile_program(setup, procedure)
    if checkpoints is not None and (warmup_ps, batches) != (0, 1):
        raise ValueError("a run with checkpoints has no warm-up and no batches")
    network, places = prepare_network(setup, program, seed)
    message_hops = build_message_hops(program, places)
    known = None if checkpoints is None else checkpoints.restore_run(_shared(setup, program, places, message_hops))
    if known is None:
        records = HandoffRecords(setup)
        known = RunState(records, list(make_controllers(setup, program, places, message_hops, records)))
    places.simultaneous = known.simultaneous
    windows = WindowRecorder(setup.duration_ps, warmup_ps, batches, lambda: places.simultaneous)
    with nullcontext() if record is None else record(network, program, places, known.capture) as recorder:
        engine = Engine(
            network, seed=seed, tunnel_limit=setup.options.tunnel_limit,
            scheduling="heap" if setup.options.forward_unacked else scheduling,  # type: ignore[arg-type]
            record="packets" if detail else "drops", memory_limit_bytes=memory_limit_bytes, threads=threads,
            trace_links=() if recorder is None else recorder.hops,
        )  # fmt: skip
        for node, controller in known.controllers:
            if node < 0:
                engine.attach_mobiles(controller if wrap is None else wrap(node, controller))
            else:
                engine.attach(node, controller if wrap is None else wrap(node, controller))
        begun = time.perf_counter() - known.wall_seconds

        def now() -> RunState:
            known.simultaneous, known.wall_seconds = places.simultaneous, time.perf_counter() - begun
            known.capture = None if recorder is None else recorder.state()
            return known

        if checkpoints is not None:
            checkpoints.track_engine(engine, now)
        reached = _advance(engine, setup.duration_ps, progress, recorder, checkpoints, windows)
        wall = time.perf_counter() - begun
    controller = None
    if checkpoints is None:
        known.controllers.clear()
    engine.release_controllers()
    result = engine.result()
    stopped = None if reached == setup.duration_ps else reached
    if reference is None and stopped is None:
        reference = baseline_bytes(setup, places, seed, partial(_windowed, setup.duration_ps, warmup_ps, progress, checkpoints))
    mobile_of_flow = network.flow_column("mobile")
    handoffs = handoff_columns(known.records, result, mobile_of_flow, reached)
    servers = {name: np.array([getattr(n, name) for n in network.nodes], np.int64) for name in ("registration_ps", "service_ps")}

    def figures(first: Snapshot, second: Snapshot, extra: ByteCounts | None = None) -> RunResult:
        begun_in = (handoffs["open_ps"] >= first.time_ps) & (handoffs["open_ps"] < second.time_ps)
        its = {name: values[begun_in] for name, values in handoffs.items()}
        part = window_result(first, second, result)
        measured = None
        if detail:
            row, resequence_ps = PROCEDURES[procedure], setup.options.resequence_ps
            measured = compute_packet_metrics(row, part, result, mobile_of_flow, its, resequence_ps, first.time_ps)
        return RunResult(
            procedure, part, its, extra, second.simultaneous - first.simultaneous, measured, servers, wall,
            engine.profile["controller_ns"] / 1e9, stopped, first.time_ps,
        )  # fmt: skip

    whole, *parts = windows.windows(Snapshot(reached, result, places.simultaneous))
    run = figures(*whole)
    if stopped is None and reference is not None:
        run.extra = ByteCounts.of(run.result).minus(reference)
    run.batches = tuple(figures(*part) for part in parts)
    return run


def run_with_shared_baseline(setup: Setup, procedure: str, references: dict[Any, ByteCounts], **options: Any) -> RunResult:
    """Run a procedure of a comparison (``options`` as of :func:`run_procedure`): those with the same anchors share a reference.

    ``references`` has those that are known, by ``handoff.simulation.baseline.baseline_key``, and gets what this run had to find out.
    """
    same = baseline_key(compile_program(setup, procedure).row)
    run = run_procedure(setup, procedure, reference=references.get(same), **options)
    if run.extra is not None:
        references[same] = ByteCounts.of(run.result).minus(run.extra)
    return run


def _shared(setup: Setup, program: Program, places: RoleResolver, message_hops: dict[int, MessageHop]) -> dict[str, object]:
    """What controllers refer to, and is made anew for each run."""
    return {
        "program": program, "row": program.row, "options": setup.options, "movement": setup.movement, "network": setup.network,
        "places": places, "message_hops": message_hops,
    }  # fmt: skip


def _windowed(
    until: int, warmup_ps: int, progress: Progress | None, checkpoints: StudyCheckpoint | None, engine: Engine
) -> ByteCounts | None:
    """Take the reference's engine to the end; its bytes after the warm-up, None if it was stopped."""
    if checkpoints is not None:
        checkpoints.track_engine(engine)
    windows = WindowRecorder(until, warmup_ps, 1, lambda: 0)
    if _advance(engine, until, progress, None, checkpoints, windows) != until:
        return None
    result = engine.result()
    return ByteCounts.of(window_result(windows.taken[0], Snapshot(until, result), result))


def _advance(
    engine: Engine, until: int, progress: Progress | None, recorder: Recorder | None, checkpoints: StudyCheckpoint | None,
    windows: WindowRecorder,
) -> int:  # fmt: skip
    """Run in slices, so that progress, an interruption, the record of hops, checkpoints and the ends of windows have a place.

    Each is twice or half as long as the one before where that takes too little or too much real time; no result depends on it.
    """
    longest = max(1, until // max(SLICES, 0 if recorder is None else recorder.slices))
    step = max(1, longest // 64)
    reached = engine.time_ps
    while reached < until:
        begun = time.perf_counter()
        reached = engine.advance(windows.next_stop(min(reached + step, until)))
        windows.take(engine)
        if recorder is not None:
            recorder.write(engine.take_trace())
        stop = progress is not None and not progress(StudyProgress(reached, until, engine.profile["events"]))
        if checkpoints is not None:  # before a capture is complete, what it is the capture of
            checkpoints.write_if_due(forced=stop or (reached == until and recorder is not None))
        if stop:
            break
        took = time.perf_counter() - begun
        step = max(1, step // 2) if took > SLICE_SECONDS else min(longest, step * 2) if 2 * took < SLICE_SECONDS else step
    return reached


__all__ = ["Columns", "RunResult", "StudyProgress", "baseline_bytes", "run_procedure", "run_with_shared_baseline"]
