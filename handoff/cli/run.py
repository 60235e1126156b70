"""Studies from the command line: progress, interruption, output."""

from __future__ import annotations

import json
import math
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from engine.offered_load import expected_packets
from engine.quantities import parse_duration, parse_size
from handoff.cli.exit_codes import ExitCode
from handoff.cli.interrupt import InterruptHandler
from handoff.cli.progress import Progress
from handoff.protocol.procedures import name_errors
from handoff.scenario import ScenarioError, load_scenario
from handoff.scenario.problems import load_with_problems, parse_option
from handoff.simulation.checkpoint import CompletedRuns, StudyCheckpoint
from handoff.simulation.run import RunResult, run_with_shared_baseline, unsupported_reasons
from handoff.workload.build import build_setup

INTERRUPTED = ExitCode.INTERRUPTED
MOST_RECORDED = 10**7
"""Packets of a run up to which every one is recorded unless the user says otherwise."""


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
    """Run procedures on a scenario, print and write what came out; returns the exit code.

    Raises
    ------
    ScenarioError
        If a procedure, the scenario or a file that it names is wrong.
    """
    wrong = name_errors(names)
    limit = parse_option("--memory-limit", parse_size, memory_limit, wrong)
    every_ps = parse_option("--checkpoint-every", parse_duration, checkpoint_every, wrong)
    every_s = None if every_ps is None else every_ps / 1e12
    command = _without_checkpoints(sys.argv[1:])
    checked, text = load_with_problems(wrong, lambda: load_scenario(scenario, changes))
    seed = checked.seed if seed is None else seed
    setup = build_setup(checked, scenario, seed)
    if wrong := unsupported_reasons(setup, names):
        raise ScenarioError(wrong)
    packets = int(expected_packets(setup.network, setup.duration_ps).sum())
    record = None
    if capture is not None:
        from handoff.output.parquet import provenance
        from handoff.output.pcap.recorder import Recorder, matching_links

        file, patterns, snap = capture
        links = matching_links(patterns, setup.network.link_names())
        _writable(file.parent)
        comment = provenance(text, scenario, seed, command)[b"handoff"].decode()
        record = partial(Recorder, file, links, snap, comment, packets)
    if output is not None:
        _writable(output)
    if detail is None:
        detail = packets <= MOST_RECORDED
        if not detail:
            left_out = "metrics that need a record of each are left out (--detail)"
            print(f"handoff: about {packets:,} packets: {left_out}", file=sys.stderr)
    complete, checkpoints = CompletedRuns(), None
    if resume or every_s is not None:
        facts = {"scenario": text, "--set": list(changes), "--seed": seed, "--procedures": names, "--detail": detail}
        facts["--pcap"] = None if capture is None else [str(file), *links, snap]
        checkpoints = _checkpoints(checkpoint or (output or Path()) / "handoff.checkpoint", facts, every_s, resume)
        complete = checkpoints.complete
    runs = complete.runs
    interruption = InterruptHandler()
    for name in names[len(runs) :]:
        if interruption.asked:
            break
        run = run_with_shared_baseline(
            setup, name, complete.references, seed=seed, threads=threads, memory_limit_bytes=limit, detail=detail,
            progress=Progress(name, interruption, progress), record=record, checkpoints=checkpoints,
        )  # fmt: skip
        run.result.packets = None  # a record of each is much, and everything has been read off it
        runs.append(run)
    if output is not None and runs:
        from handoff.output.parquet import provenance, write_tables

        write_tables(output, runs, setup, seed, provenance(text, scenario, seed, command))
    _show(runs, checked.name, seed, as_json, interruption.asked)
    if checkpoints is not None and not interruption.asked:
        checkpoints.remove()
    elif checkpoints is not None and checkpoints.path.exists():
        print(f"handoff: {checkpoints.path}: the same command with --resume goes on from here", file=sys.stderr)
    return INTERRUPTED if interruption.asked else 0


def _checkpoints(path: Path, facts: dict[str, object], every_s: float | None, resume: bool) -> StudyCheckpoint:
    """The checkpoint of a study, gone on from if that is wanted and it is there."""
    found = StudyCheckpoint(path, facts, every_s)
    if not resume:
        if path.exists():
            raise ScenarioError([f"{path}: a checkpoint is there: go on from it with --resume, or remove it"])
        _writable(path.parent)
    elif not path.exists():
        print(f"handoff: {path}: no checkpoint there: the study begins", file=sys.stderr)
    else:
        reached = found.resume()
        print(f"handoff: {path}: {len(found.complete.runs)} runs complete, one goes on at {reached / 1e12:g} s", file=sys.stderr)
    return found


def _without_checkpoints(command: list[str]) -> list[str]:
    """A command as far as it decides the result: whether it was stopped and gone on with is not written into it."""
    kept: list[str] = []
    words = iter(command)
    for word in words:
        option, _, value = word.partition("=")
        if option in ("--checkpoint", "--checkpoint-every"):
            if not value:
                next(words, None)
        elif word not in ("--resume", "--progress", "--no-progress"):
            kept.append(word)
    return kept


def _writable(folder: Path) -> None:
    """Find out before the run, not after it, that the results have no place."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ScenarioError([f"{folder}: no folder that can be written: {error.strerror}"]) from None


def _show(runs: list[RunResult], name: str, seed: int, as_json: bool, interrupted: bool) -> None:
    rows: list[dict[str, Any]] = [
        run.summary() | {"wall_seconds": run.wall_seconds, "controller_seconds": run.controller_seconds} for run in runs
    ]
    if as_json:
        for row, run in zip(rows, runs, strict=True):
            row |= {k: None for k, v in row.items() if isinstance(v, float) and math.isnan(v)}
            row["fingerprint"] = f"{run.result.fingerprint:016x}"
            row["fates"] = run.result.fate_counts()
        print(json.dumps({"scenario": name, "seed": seed, "interrupted": interrupted, "runs": rows}, indent=2))
        return
    from handoff.cli.tables import print_table

    print_table(rows, f"{name}, seed {seed}" + (", interrupted" if interrupted else ""))


__all__: list[Any] = ["INTERRUPTED", "InterruptHandler", "run_study"]
