"""Studies from the command line: progress, interruption, output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.memory import keep_freed_memory
from engine.quantities import parse_duration, parse_size
from handoff.cli.interrupt import InterruptHandler
from handoff.cli.log import Level, log
from handoff.cli.output_paths import input_paths, reserve_outputs
from handoff.cli.progress import ComparisonProgress, Progress
from handoff.cli.recorded_command import recorded_command
from handoff.cli.terminal import ONE_FORMAT, show_csv, show_json
from handoff.output.printable import printable
from handoff.protocol.constants import SECOND
from handoff.protocol.mixture import Mixture
from handoff.protocol.procedures import MIXTURE, name_errors
from handoff.protocol.program import Program
from handoff.protocol.setup import Setup
from handoff.scenario import ScenarioError, load_scenario
from handoff.scenario.option_errors import load_with_problems, parse_option
from handoff.simulation import study
from handoff.simulation.checkpoint import StudyCheckpoint
from handoff.simulation.run import RecorderFactory, RunResult
from handoff.simulation.time_series import series_errors
from handoff.workload.build import build_setup

if TYPE_CHECKING:
    from handoff.cli.gate import Gate
    from handoff.experiments.execution.procedure_pool import ProcedureTask


def run_study(
    names: list[str],
    *,
    scenario: Path,
    output: Path | None,
    seed: int | None,
    changes: tuple[str, ...],
    memory_limit: str | None,
    as_json: bool,
    as_csv: bool = False,
    detail: bool | None,
    threads: int,
    progress: bool | None = None,
    checkpoint: Path | None = None,
    checkpoint_every: str | None = None,
    resume: bool = False,
    capture: tuple[Path, list[str], int | None] | None = None,
    jobs: int | None = 1,
    slo: tuple[str, ...] = (),
    junit: Path | None = None,
    report_file: Path | None = None,
    ladders: int = 0,
    series: str | None = None,
    no_cache: bool = False,
) -> int:
    """Run procedures on a scenario, print and write the results, and return the exit code.

    The parameters are the options of ``handoff run`` and ``handoff compare``; ``capture`` has the file of ``--pcap``, the link
    patterns and the snap length.

    Raises
    ------
    ScenarioError
        If a procedure, an option, the scenario or a file that it names is wrong.
    """
    problems = name_errors(names)
    if as_json and as_csv:
        problems.append(ONE_FORMAT)
    if capture is not None and MIXTURE in names:
        problems.append(f"--pcap writes the messages of one procedure, and not of a {MIXTURE}: name one of its procedures")
    limit = parse_option("--memory-limit", parse_size, memory_limit, problems)
    every_ps = parse_option("--checkpoint-every", parse_duration, checkpoint_every, problems)
    series_ps = parse_option("--series", parse_duration, series, problems)
    if series is not None and output is None and report_file is None:
        problems.append("--series has no place: give -o for its table, or --report for its charts")
    if ladders and report_file is None:
        problems.append("--ladders draws handoffs in a report: give its file with --report")
    checkpointed = resume or checkpoint_every is not None
    if checkpointed and jobs is not None and jobs > 1:
        problems.append("--jobs does not apply with --checkpoint-every or --resume, which run one procedure at a time")
    if checkpointed and series is not None:
        problems.append("--series does not apply with --checkpoint-every or --resume: a checkpoint has no time series")
    command = recorded_command(click.get_current_context())
    checked, text = load_with_problems(problems, lambda: load_scenario(scenario, changes))
    seed = checked.seed if seed is None else seed
    inputs = None
    if not no_cache and capture is None:  # a capture has the packets of a run
        from handoff.experiments.execution.result_cache import StudyInputs, is_enabled

        inputs = StudyInputs.of(checked, scenario) if is_enabled() else None
    setup = build_setup(checked, scenario, seed, limit)
    for warning in setup.warnings:
        log(Level.WARNING, f"handoff: {printable(warning)}")
    programs = study.compile_programs(setup, names)
    if errors := series_errors("--series", series_ps, setup.network, setup.duration_ps, len(programs)):
        raise ScenarioError(errors)
    packets = study.count_expected_packets(setup)
    log(
        Level.DEBUG, f"handoff: {scenario}: {setup.network.mobile_count:,} mobile nodes, {len(setup.network.nodes):,} nodes, "
        f"{setup.network.flow_count:,} flows, about {packets:,} packets; seed {seed}; {', '.join(names)}"
    )  # fmt: skip
    gate = None
    if slo or junit is not None or checked.slo is not None:
        from handoff.cli.gate import open_gate

        gate = open_gate(checked, slo, setup, detail, junit)
        detail = gate.needs_detail or detail
    record, captured, failures = None, None, list[OSError]()
    if capture is not None:
        file, patterns, snap_length = capture
        facts = _provenance(text, scenario, seed, command)
        on_failure = None if checkpointed else failures.append
        record, links = _capture_recorder(file, patterns, snap_length, setup, packets, facts, on_failure)
        captured = [str(file), *links, snap_length]
    if detail is None:
        detail = packets <= study.MAX_RECORDED_PACKETS
        if not detail:
            left_out = "metrics that need a record of each are left out (--detail)"
            log(Level.INFO, f"handoff: about {packets:,} packets: {left_out}")
    checkpoint_file = checkpoint or (output or Path()) / "handoff.checkpoint" if checkpointed else None
    capture_file = None if capture is None else capture[0]
    files = {"--pcap": capture_file, "--checkpoint": checkpoint_file, "--junit": junit, "--report": report_file}
    if output is not None:
        from handoff.output import parquet
    with reserve_outputs(output, files, input_paths(checked, scenario), () if output is None else parquet.TABLE_FILES):
        if output is not None:
            parquet.check_folder(output)
        checkpoints = None
        if checkpoint_file is not None:
            identity = {
                "scenario": text, "--set": list(changes), "--seed": seed, "--procedures": names, "--detail": detail,
                "--pcap": captured,
            }  # fmt: skip
            every_s = None if every_ps is None else every_ps / SECOND
            checkpoints = _open_checkpoint(checkpoint_file, identity, every_s, resume)
        interruption = InterruptHandler()
        # A study may be resumed, or taken from the cache, with other outputs.
        around = output is not None or report_file is not None or checkpointed or inputs is not None

        def run_programs(programs: Sequence[Program | Mixture]) -> list[RunResult]:
            processes = jobs
            if processes is None and not checkpointed and limit is None and len(programs) > 1:
                from handoff.experiments.execution.procedure_pool import default_jobs

                processes = default_jobs(setup, len(programs), threads, detail)
            if min(processes or 1, len(programs)) > 1:
                from handoff.experiments.execution.procedure_pool import ProcedureTask, input_states

                states = input_states(checked, scenario)
                task = ProcedureTask(checked, scenario, seed, threads, limit, detail, states, series_ps, around)
                return _run_in_processes(task, programs, processes or 1, interruption, progress)
            keep_freed_memory()
            return study.run_study(
                setup, programs, seed=seed, threads=threads, memory_limit_bytes=limit, detail=detail, record=record,
                checkpoints=checkpoints, progress=lambda name: Progress(name, interruption, progress),
                stop=lambda: interruption.requested, series_ps=series_ps, packets_around=around,
            )  # fmt: skip

        if inputs is None:
            runs = run_programs(programs)
        else:
            from handoff.experiments.execution.result_cache import ResultCache

            cache = ResultCache(inputs, seed, detail, series_ps, lambda text: log(Level.DEBUG, f"handoff: {text}"))
            runs = cache.run(programs, run_programs, reuse=not checkpointed)
        try:  # the results come first: a full disk, or a reader that is gone, costs only one of the two
            if gate is not None:
                from handoff.experiments.planning.outcome import judge_runs

                gate.outcomes = judge_runs(gate.targets, runs, setup, seed)
            if as_csv:
                _print_csv(runs, setup, seed)
            else:
                _print_results(runs, checked.name, seed, as_json, interruption.requested, bool(setup.attacks), gate)
            sys.stdout.flush()
            if gate is not None and junit is not None:
                gate.write_junit(junit, checked.name)
        finally:
            facts, tables = _provenance(text, scenario, seed, command) if runs else {}, {}
            if report_file is not None and runs:
                from handoff.output.parquet import build_tables
                from handoff.output.report.study_data import REPORT_TABLES

                tables = build_tables(runs, setup, seed, facts, REPORT_TABLES)
            if output is not None and runs:
                parquet.write_tables(output, runs, setup, seed, facts, tables)
                log(Level.DEBUG, f"handoff: {output}: tables of {len(runs)} runs written")
            if report_file is not None and runs:
                from handoff.api.places import load_places
                from handoff.cli.report import write_study_report

                outcomes = gate.outcomes if gate is not None else ()
                places = load_places(checked, scenario, seed, tables["handoffs"])
                write_study_report(report_file, tables, setup, seed, ladders, outcomes, places)
        if failures:
            raise failures[0]
        if checkpoints is not None and not interruption.requested:
            checkpoints.remove()
        elif checkpoints is not None and checkpoints.path.exists():
            log(Level.INFO, f"handoff: {checkpoints.path}: repeat the command with --resume to continue")
    return interruption.exit_code or (0 if gate is None else gate.exit_code)


def _run_in_processes(
    task: ProcedureTask, programs: Sequence[Program | Mixture], jobs: int, interruption: InterruptHandler, progress: bool | None
) -> list[RunResult]:
    from handoff.experiments.execution.procedure_pool import run_in_processes

    status = ComparisonProgress(len(programs), progress)
    try:
        return run_in_processes(task, programs, jobs, progress=status, stop=lambda: interruption.requested)
    finally:
        status.line.end()


def _provenance(text: str, scenario: Path, seed: int, command: list[str]) -> dict[bytes, bytes]:
    from handoff.output.parquet import provenance

    return provenance(text, scenario, seed, command)


def _capture_recorder(
    file: Path, patterns: list[str], snap_length: int | None, setup: Setup, packets: int, facts: dict[bytes, bytes],
    on_failure: Callable[[OSError], None] | None,
) -> tuple[RecorderFactory, list[str]]:  # fmt: skip
    """Return the factory of the recorder that writes a capture, and the names of the captured links."""
    from handoff.output.pcap.recorder import Recorder, matching_links

    links = matching_links(patterns, setup.network.link_names())
    comment = facts[b"handoff"].decode()
    return partial(Recorder, file, links, snap_length, comment, packets, on_failure=on_failure), links


def _open_checkpoint(path: Path, identity: dict[str, object], every_s: float | None, resume: bool) -> StudyCheckpoint:
    checkpoints = StudyCheckpoint(path, identity, every_s)
    if not resume:
        if path.exists():
            raise ScenarioError([f"{path}: a checkpoint exists: resume it with --resume, or remove it"])
    elif not path.exists():
        log(Level.INFO, f"handoff: {path}: no checkpoint: the study starts from the beginning")
    else:
        reached_ps = checkpoints.resume()
        complete = len(checkpoints.complete.runs)
        log(Level.INFO, f"handoff: {path}: {complete} runs complete, the next one resumes at {reached_ps / SECOND:g} s")
    return checkpoints


def _print_csv(runs: list[RunResult], setup: Setup, seed: int) -> None:
    from handoff.output.parquet import SCHEMAS, table_columns

    names = SCHEMAS["runs"].names
    tables = [table_columns("runs", run, setup, seed) for run in runs]
    show_csv(names, [[value for name in names for value in table[name]] for table in tables])


def _print_results(
    runs: list[RunResult], name: str, seed: int, as_json: bool, interrupted: bool, attacked: bool = False,
    gate: Gate | None = None,
) -> None:  # fmt: skip
    rows: list[dict[str, Any]] = [
        run.summary() | {"wall_seconds": run.wall_seconds, "controller_seconds": run.controller_seconds}
        | ({"groups": [dict(group) for group in run.groups]} if run.groups else {})
        for run in runs
    ]  # fmt: skip
    if as_json:
        from handoff.output.seconds import row_in_seconds

        for row, run in zip(rows, runs, strict=True):
            row["fingerprint"] = f"{run.result.fingerprint:016x}"
            row["fates"] = run.result.fate_counts()
            if "groups" in row:
                row["groups"] = [row_in_seconds(group) for group in row["groups"]]
        targets = {} if gate is None else gate.as_json()
        seconds = [row_in_seconds(row) for row in rows]
        show_json({"scenario": name, "seed": seed, "interrupted": interrupted, **targets, "runs": seconds})
        return
    from handoff.cli.tables import print_attack_table, print_table

    print_table(rows, f"{name}, seed {seed}" + (", interrupted" if interrupted else ""))
    if attacked:
        print_attack_table(rows)
    if gate is not None:
        gate.show()
