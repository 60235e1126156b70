"""One run, or several procedures on the same packets, movement and random draws."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from engine.output_file import lock_folder
from engine.quantities import parse_duration, parse_size
from handoff.api.arguments import as_tuple
from handoff.api.errors import named_errors
from handoff.api.results import Results
from handoff.api.scenario import Source, load
from handoff.api.study_source import StudySource
from handoff.api.waiting import Interruption, Report, interruptible, reporting
from handoff.experiments.execution.procedure_pool import ProcedureTask, default_jobs, input_states, run_in_processes
from handoff.experiments.execution.result_cache import ResultCache, StudyInputs, is_enabled
from handoff.experiments.planning.outcome import Outcome, judge_runs
from handoff.experiments.planning.target_sources import parse_study_targets
from handoff.experiments.planning.verdict import needs_detail
from handoff.output import parquet
from handoff.protocol.mixture import Mixture
from handoff.protocol.procedures import Procedure, name_errors, parse_names, repeated_name_errors
from handoff.protocol.program import Program
from handoff.scenario.errors import ScenarioError
from handoff.scenario.option_errors import parse_option, range_errors, seed_range_errors
from handoff.simulation.result import RunResult
from handoff.simulation.run import StudyProgress
from handoff.simulation.run_parts import procedure_name
from handoff.simulation.study import MAX_RECORDED_PACKETS, compile_programs, count_expected_packets, run_study
from handoff.simulation.time_series import series_errors

_log = logging.getLogger("handoff.cache")


def run(
    scenario: Source, procedure: str | Procedure, *, seed: int | None = None, detail: bool | None = None, threads: int = 1,
    memory_limit: str | None = None, targets: str | Sequence[str] = (), progress: bool | Report | None = None,
    series: str | None = None, cache: bool = True,
) -> Results:  # fmt: skip
    """Run one procedure on a scenario. The parameters are those of :func:`compare`."""
    return compare(
        scenario, [procedure], seed=seed, detail=detail, threads=threads, memory_limit=memory_limit, targets=targets,
        progress=progress, jobs=1, series=series, cache=cache,
    )  # fmt: skip


def compare(
    scenario: Source, procedures: str | Iterable[str | Procedure] = "mobile-ip", *, seed: int | None = None,
    detail: bool | None = None,
    threads: int = 1, jobs: int | None = None, memory_limit: str | None = None, targets: str | Sequence[str] = (),
    progress: bool | Report | None = None, series: str | None = None, cache: bool = True,
) -> Results:  # fmt: skip
    """Run procedures on the same packets, movement and random draws.

    Ctrl-C ends the comparison after a moment, and the result has what is complete (``Results.interrupted``); a second one raises
    KeyboardInterrupt.

    Parameters
    ----------
    scenario : str, Path, mapping or Scenario
        See :func:`handoff.load`.
    procedures : str or iterable of str or Procedure
        Names (``handoff procedures`` lists them), or several separated by commas, or procedures of your own. ``"mobile-ip"``,
        ``"lte"``, ``"5g"``, ``"fast"`` and ``"all"`` stand for several.
    seed : int or None
        Seed of every draw; None: the scenario's.
    detail : bool or None
        True: record every packet and compute all metrics. None: if the packets are at most ten million.
    threads : int
        Threads of each run. No result depends on it.
    jobs : int or None
        Processes of this machine that run procedures at the same time. None: as many as cores and memory allow. A procedure of
        your own runs in this process.
    memory_limit : str or None
        Refuse a run that may take more, as in ``"4GB"``.
    targets : str or sequence of str
        Targets, as in ``"loss_ratio<=1e-4"``, in addition to those of ``[slo]`` (``Results.outcomes``, ``Results.passed``).
    progress : bool, callable or None
        True: show a bar. None: in a notebook and on a terminal. A function gets a text and the share of the work that is done.
    series : str or None
        Interval of the time series, as in ``"100ms"`` (``Results.series``); None: none.
    cache : bool
        If true, results of an earlier study are used where nothing that decides them has changed, and new ones are stored. A
        procedure with a class of your own always runs. The environment variable ``HANDOFF_NO_CACHE`` means false.

    Raises
    ------
    HandoffError
        If the scenario, a procedure or another argument is wrong.
    MemoryLimitError
        If a run may take more memory than allowed.
    """
    loaded, problems = load(scenario), list[str]()
    chosen: list[str | Procedure] = []
    for procedure in [procedures] if isinstance(procedures, str | Procedure) else procedures:
        chosen += parse_names(procedure) if isinstance(procedure, str) else [procedure]
    problems += [e for p in chosen if isinstance(p, str) for e in name_errors([p])]
    problems += repeated_name_errors([p if isinstance(p, str) else p.name for p in chosen])
    seed = loaded.model.seed if seed is None else seed
    problems += seed_range_errors(seed, 1)
    limit = parse_option("memory_limit", parse_size, memory_limit, problems)
    series_ps = parse_option("series", parse_duration, series, problems)
    problems += range_errors(threads=(threads, 1, math.inf), jobs=(jobs, 1, math.inf))
    if not chosen:
        problems.append(f"procedures is empty: name one, or 'all' for {len(parse_names('all'))} of them")
    if problems:
        raise ScenarioError(problems)
    inputs = StudyInputs.of(loaded.model, loaded.path) if cache and is_enabled() else None
    with named_errors():
        setup = loaded.build(seed, limit)
        programs = compile_programs(setup, chosen)
        parsed = parse_study_targets(loaded.model, as_tuple(targets), setup, detail, problems)
        if problems:
            raise ScenarioError(problems)
    if problems := series_errors("series", series_ps, setup.network, setup.duration_ps, len(programs)):
        raise ScenarioError(problems)
    if detail is None:
        detail = needs_detail(parsed) or count_expected_packets(setup) <= MAX_RECORDED_PACKETS
    if any(isinstance(p, Procedure) for p in chosen):
        jobs = 1
    with interruptible() as interruption, reporting(progress) as report:

        def run_programs(programs: Sequence[Program | Mixture]) -> list[RunResult]:
            shown, processes = _ShareOfAll(len(programs), report), jobs
            if processes is None:
                processes = 1 if limit is not None else default_jobs(setup, len(programs), threads, detail)
            if min(processes, len(programs)) > 1:
                task = ProcedureTask(
                    loaded.model, loaded.path, seed, threads, limit, detail, input_states(loaded.model, loaded.path),
                    series_ps, packets_around=True,
                )
                return run_in_processes(task, programs, processes, progress=shown, stop=interruption)
            return run_study(
                setup, programs, seed=seed, threads=threads, memory_limit_bytes=limit, detail=detail, stop=interruption,
                progress=lambda name: partial(_continue, shown, interruption, name), series_ps=series_ps, packets_around=True,
            )  # fmt: skip

        if inputs is None:
            runs = run_programs(programs)
        else:
            runs = ResultCache(inputs, seed, detail, series_ps, _log.debug).run(programs, run_programs)
    outcomes = judge_runs(parsed, runs, setup, seed)
    source = StudySource(loaded, setup, seed, {p if isinstance(p, str) else p.name: p for p in chosen})
    return _make_results(source, runs, programs, interruption.requested, outcomes)


def _continue(shown: _ShareOfAll, interruption: Interruption, name: str, state: StudyProgress) -> bool:
    shown(name, state)
    return not interruption.requested


class _ShareOfAll:
    """Progress of all procedures, from that of each."""

    def __init__(self, count: int, report: Report) -> None:
        self._count, self._report = count, report
        self._shares: dict[str, float] = {}

    def __call__(self, name: str, state: StudyProgress) -> None:
        self._shares[name] = max(self._shares.get(name, 0.0), state.time_ps / max(state.until_ps, 1))
        done = sum(share >= 1 for share in self._shares.values())
        self._report(f"{name} ({done} of {self._count})", sum(self._shares.values()) / self._count)


def _make_results(
    source: StudySource, runs: list[RunResult], programs: list[Program | Mixture], interrupted: bool, outcomes: list[Outcome]
) -> Results:  # fmt: skip
    scenario, setup, seed = source.scenario, source.setup, source.seed
    names = [procedure_name(program) for program in programs]
    command = ["python", f"handoff.compare({scenario.path.name!r}, {names!r}, seed={seed})"]
    facts = parquet.provenance(scenario.text, scenario.path, seed, command)

    def write(folder: Path) -> None:
        with lock_folder(folder):
            parquet.write_tables(folder, runs, setup, seed, facts)

    def read(name: str) -> pa.Table:
        return parquet.build_table(name, runs, setup, seed, facts)

    return Results(f"{scenario.name}, seed {seed}", read, interrupted, write, outcomes, setup.warnings, source)


__all__ = ["Source", "compare", "run"]
