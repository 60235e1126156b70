"""Studies from the command line: progress, interruption, output."""

from __future__ import annotations

import math
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from engine.quantities import parse_duration, parse_size
from handoff.cli.exit_codes import ExitCode
from handoff.cli.interrupt import InterruptHandler
from handoff.cli.progress import Progress
from handoff.cli.terminal import report, show_json
from handoff.protocol.constants import SECOND
from handoff.protocol.procedures import MIXTURE, name_errors
from handoff.protocol.setup import Setup
from handoff.scenario import ScenarioError, load_scenario
from handoff.scenario.option_errors import load_with_problems, parse_option
from handoff.simulation import study
from handoff.simulation.checkpoint import StudyCheckpoint
from handoff.simulation.run import RecorderFactory, RunResult
from handoff.workload.build import build_setup


def run_study(
    names: list[str],
    *,
    scenario: Path,
    output: Path | None,
    seed: int | None,
    changes: tuple[str, ...],
    memory_limit: str | None,
    as_json: bool,
    detail: bool | None,
    threads: int,
    progress: bool | None = None,
    checkpoint: Path | None = None,
    checkpoint_every: str | None = None,
    resume: bool = False,
    capture: tuple[Path, list[str], int] | None = None,
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
    if capture is not None and MIXTURE in names:
        problems.append(f"--pcap writes the messages of one procedure, and not of a {MIXTURE}: name one of its procedures")
    limit = parse_option("--memory-limit", parse_size, memory_limit, problems)
    every_ps = parse_option("--checkpoint-every", parse_duration, checkpoint_every, problems)
    command = _without_checkpoints(sys.argv[1:])
    checked, text = load_with_problems(problems, lambda: load_scenario(scenario, changes))
    seed = checked.seed if seed is None else seed
    setup = build_setup(checked, scenario, seed)
    programs = study.compile_programs(setup, names)
    packets = study.count_expected_packets(setup)
    record, captured = None, None
    if capture is not None:
        file, patterns, snap_length = capture
        facts = _provenance(text, scenario, seed, command)
        record, links = _capture_recorder(file, patterns, snap_length, setup, packets, facts)
        captured = [str(file), *links, snap_length]
    if output is not None:
        _check_writable(output)
    if detail is None:
        detail = packets <= study.MAX_RECORDED_PACKETS
        if not detail:
            left_out = "metrics that need a record of each are left out (--detail)"
            report(f"handoff: about {packets:,} packets: {left_out}")
    checkpoints = None
    if resume or every_ps is not None:
        identity = {
            "scenario": text, "--set": list(changes), "--seed": seed, "--procedures": names, "--detail": detail,
            "--pcap": captured,
        }  # fmt: skip
        every_s = None if every_ps is None else every_ps / SECOND
        checkpoints = _open_checkpoint(checkpoint or (output or Path()) / "handoff.checkpoint", identity, every_s, resume)
    interruption = InterruptHandler()
    runs = study.run_study(
        setup, programs, seed=seed, threads=threads, memory_limit_bytes=limit, detail=detail, record=record,
        checkpoints=checkpoints, progress=lambda name: Progress(name, interruption, progress),
        stop=lambda: interruption.requested,
    )  # fmt: skip
    if output is not None and runs:
        from handoff.output.parquet import write_tables

        write_tables(output, runs, setup, seed, _provenance(text, scenario, seed, command))
    _print_results(runs, checked.name, seed, as_json, interruption.requested)
    if checkpoints is not None and not interruption.requested:
        checkpoints.remove()
    elif checkpoints is not None and checkpoints.path.exists():
        report(f"handoff: {checkpoints.path}: repeat the command with --resume to continue")
    return ExitCode.INTERRUPTED if interruption.requested else ExitCode.OK


def _provenance(text: str, scenario: Path, seed: int, command: list[str]) -> dict[bytes, bytes]:
    from handoff.output.parquet import provenance

    return provenance(text, scenario, seed, command)


def _capture_recorder(
    file: Path, patterns: list[str], snap_length: int, setup: Setup, packets: int, facts: dict[bytes, bytes]
) -> tuple[RecorderFactory, list[str]]:
    """Return the factory of the recorder that writes a capture, and the names of the captured links."""
    from handoff.output.pcap.recorder import Recorder, matching_links

    links = matching_links(patterns, setup.network.link_names())
    _check_writable(file.parent)
    return partial(Recorder, file, links, snap_length, facts[b"handoff"].decode(), packets), links


def _open_checkpoint(path: Path, identity: dict[str, object], every_s: float | None, resume: bool) -> StudyCheckpoint:
    checkpoints = StudyCheckpoint(path, identity, every_s)
    if not resume:
        if path.exists():
            raise ScenarioError([f"{path}: a checkpoint exists: resume it with --resume, or remove it"])
        _check_writable(path.parent)
    elif not path.exists():
        report(f"handoff: {path}: no checkpoint: the study starts from the beginning")
    else:
        reached_ps = checkpoints.resume()
        complete = len(checkpoints.complete.runs)
        report(f"handoff: {path}: {complete} runs complete, the next one resumes at {reached_ps / SECOND:g} s")
    return checkpoints


def _without_checkpoints(command: list[str]) -> list[str]:
    # The provenance contains only what decides the results: an interrupted and resumed study writes the same files.
    words: list[str] = []
    remaining = iter(command)
    for word in remaining:
        option, _, value = word.partition("=")
        if option in ("--checkpoint", "--checkpoint-every"):
            if not value:
                next(remaining, None)
        elif word not in ("--resume", "--progress", "--no-progress"):
            words.append(word)
    return words


def _check_writable(folder: Path) -> None:
    """Create the folder, and fail before the run instead of after it if no file can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ScenarioError([f"{folder}: no folder that can be written: {error.strerror}"]) from None


def _print_results(runs: list[RunResult], name: str, seed: int, as_json: bool, interrupted: bool) -> None:
    rows: list[dict[str, Any]] = [
        run.summary() | {"wall_seconds": run.wall_seconds, "controller_seconds": run.controller_seconds}
        | ({"groups": [dict(group) for group in run.groups]} if run.groups else {})
        for run in runs
    ]  # fmt: skip
    if as_json:
        for row, run in zip(rows, runs, strict=True):
            for part in (row, *row.get("groups", ())):
                part |= {k: None for k, v in part.items() if isinstance(v, float) and math.isnan(v)}
            row["fingerprint"] = f"{run.result.fingerprint:016x}"
            row["fates"] = run.result.fate_counts()
        show_json({"scenario": name, "seed": seed, "interrupted": interrupted, "runs": rows})
        return
    from handoff.cli.tables import print_table

    print_table(rows, f"{name}, seed {seed}" + (", interrupted" if interrupted else ""))
