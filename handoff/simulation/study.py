"""Study: several procedures on one setup, with the same packets, movement and random draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine import Network
from engine.memory import memory_upper_bound
from engine.offered_load import expected_packets
from handoff.protocol.mixture import Mixture, compile_procedure
from handoff.protocol.procedures import Procedure, repeated_name_errors
from handoff.protocol.program import Program
from handoff.protocol.setup import Setup
from handoff.simulation.checkpoint import CompletedRuns, StudyCheckpoint
from handoff.simulation.result import RunResult
from handoff.simulation.run import Progress, RecorderFactory, run_with_shared_baseline
from handoff.simulation.run_parts import procedure_name

MAX_RECORDED_PACKETS = 10**7
"""Largest expected number of packets of a run for which a record of every packet is kept by default."""
RECORD_BYTES = 200
"""Memory of the record of a packet."""


def compile_programs(setup: Setup, procedures: Iterable[str | Procedure | Program | Mixture]) -> list[Program | Mixture]:
    """Compile the program of each procedure, or the programs of the mixture, unless that has been done already.

    Raises
    ------
    ValueError
        If procedures cannot run on the setup; the message has a line for each reason.
    """
    programs, problems = [], []
    for procedure in procedures:
        try:
            programs.append(compile_procedure(setup, procedure))
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("\n".join(problems))
    return programs


def count_expected_packets(setup: Setup) -> int:
    """Return about how many data packets the flows of a setup send."""
    return int(expected_packets(setup.network, setup.duration_ps).sum())


def estimate_memory(network: Network, until_ps: int, packets: int, detail: bool) -> int:
    """Return an upper bound in bytes of the memory of a run, with the records of its packets if ``detail`` is true."""
    return memory_upper_bound(network, until_ps) + RECORD_BYTES * packets * detail


def run_study(
    setup: Setup,
    procedures: Iterable[str | Procedure | Program | Mixture],
    *,
    seed: int = 1,
    threads: int = 1,
    memory_limit_bytes: int | None = None,
    detail: bool | None = None,
    record: RecorderFactory | None = None,
    checkpoints: StudyCheckpoint | None = None,
    progress: Callable[[str], Progress] | None = None,
    stop: Callable[[], bool] = lambda: False,
    series_ps: int | None = None,
    packets_around: bool = False,
) -> list[RunResult]:
    """Run procedures one after the other. Procedures with the same anchors and tunnels share one baseline run.

    Parameters
    ----------
    setup : Setup
        Network with traffic, movement and options.
    procedures : iterable of str, Procedure, Program or Mixture
        Keys of ``handoff.protocol.procedures.PROCEDURES``, ``mixture``, procedures of the caller's own, or programs compiled from
        them for this setup.
    seed : int
        Seed of every draw, the same for all procedures.
    threads, memory_limit_bytes, record, series_ps, packets_around
        As for :func:`handoff.simulation.run.run_procedure`.
    detail : bool or None
        If true, compute metrics from a record of every packet. None keeps the record for up to ``MAX_RECORDED_PACKETS`` packets.
        The records themselves are not part of the results.
    checkpoints : StudyCheckpoint or None
        Checkpoint to renew. Runs that it contains are not repeated.
    progress : callable or None
        Called with the name of each procedure before its run; returns the ``progress`` of
        :func:`handoff.simulation.run.run_procedure`.
    stop : callable
        Called before each run; returns True if the study should end there.

    Returns
    -------
    list of RunResult
        One for each procedure, in their order. If the study was stopped, the last one may be incomplete
        (``RunResult.interrupted_ps``).

    Raises
    ------
    ValueError
        If a procedure is named twice or cannot run on the setup; before anything runs.
    """
    programs = compile_programs(setup, procedures)
    if problems := repeated_name_errors([procedure_name(program) for program in programs]):
        raise ValueError("\n".join(problems))
    if detail is None:
        detail = count_expected_packets(setup) <= MAX_RECORDED_PACKETS
    complete = CompletedRuns() if checkpoints is None else checkpoints.complete
    for program in programs[len(complete.runs) :]:
        if stop():
            break
        run = run_with_shared_baseline(
            setup, program, complete.references, seed=seed, threads=threads, memory_limit_bytes=memory_limit_bytes, detail=detail,
            progress=None if progress is None else progress(procedure_name(program)), record=record, checkpoints=checkpoints,
            series_ps=series_ps, packets_around=packets_around,
        )  # fmt: skip
        run.result.packets = None  # they take much memory, and the metrics have been computed
        complete.runs.append(run)
        if run.interrupted_ps is not None:
            break
    return complete.runs
