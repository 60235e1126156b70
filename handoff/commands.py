"""Studies from the command line: progress, interruption, output."""

from __future__ import annotations

import json
import math
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from engine.quantities import size
from handoff.build import build
from handoff.ideal import Bytes, anchors_of
from handoff.measure import expected_packets
from handoff.procedures import PROCEDURES
from handoff.scenario import ScenarioError, load_scenario
from handoff.setup import Setup
from handoff.study import Run, StudyProgress, program_of, run_procedure

INTERRUPTED = 130
MOST_RECORDED = 10**7
"""Packets of a run up to which every one is recorded unless the user says otherwise."""


class Interruption:
    """The first Ctrl-C lets the slice finish and what is complete be written; the second ends at once."""

    def __init__(self) -> None:
        self.asked = False
        self._before = signal.signal(signal.SIGINT, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            signal.signal(signal.SIGINT, self._before)
            raise KeyboardInterrupt
        self.asked = True
        print("handoff: interrupted: finishing the slice (once more to end at once)", file=sys.stderr, flush=True)


class Progress:
    """One line on a terminal: simulated time, times real time, packet-hops a second, time to go; silent elsewhere."""

    def __init__(self, name: str, interruption: Interruption) -> None:
        self.name = name
        self.interruption = interruption
        self.begun = time.perf_counter()
        self.shown = sys.stderr.isatty()

    def __call__(self, at: StudyProgress) -> bool:
        """Show where the run is; False if it should stop there."""
        passed = max(time.perf_counter() - self.begun, 1e-9)
        if self.shown:
            left = passed * (at.until_ps - at.time_ps) / max(at.time_ps, 1)
            end = "\r" if at.time_ps < at.until_ps else "\r\033[K"
            print(
                f"\r{self.name}: {at.time_ps / 1e12:.1f} of {at.until_ps / 1e12:g} s, {at.time_ps / 1e12 / passed:.1f} × real "
                f"time, {at.events / passed / 1e6:.1f} M packet-hops/s, {left:.0f} s to go\033[K",
                end=end, file=sys.stderr, flush=True,
            )  # fmt: skip
        return not self.interruption.asked


def study(
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
    capture: tuple[Path, list[str], int] | None = None,
) -> int:
    """Run procedures on a scenario, print and write what came out; returns the exit code.

    Raises
    ------
    ScenarioError
        If a procedure, the scenario or a file that it names is wrong.
    """
    wrong = [f"no procedure {n!r}; there are {', '.join(PROCEDURES)}" for n in names if n not in PROCEDURES]
    wrong += [f"procedure {n!r} stands twice: name each once" for n in dict.fromkeys(names) if names.count(n) > 1]
    if wrong:
        raise ScenarioError(wrong)
    limit = size(memory_limit) if memory_limit is not None else None
    checked, text = load_scenario(scenario, changes)
    seed = checked.seed if seed is None else seed
    setup = build(checked, scenario, seed)
    if unfit := [str(e) for e in map(partial(_unfit, setup), names) if e is not None]:
        raise ScenarioError(unfit)
    packets = expected_packets(setup.network, setup.duration_ps)
    record = None
    if capture is not None:
        from handoff.export.capture import Recorder, link_names, matching_links
        from handoff.report.tables import provenance

        file, patterns, snap = capture
        links = matching_links(patterns, link_names(setup.network))
        _writable(file.parent)
        comment = provenance(text, scenario, seed, sys.argv[1:])[b"handoff"].decode()
        record = partial(Recorder, file, links, snap, comment, packets)
    if output is not None:
        _writable(output)
    if detail is None:
        detail = packets <= MOST_RECORDED
        if not detail:
            left_out = "metrics that need a record of each are left out (--detail)"
            print(f"handoff: about {packets:,} packets: {left_out}", file=sys.stderr)
    interruption = Interruption()
    runs: list[Run] = []
    references: dict[object, Bytes] = {}
    for name in names:
        if interruption.asked:
            break
        same = anchors_of(PROCEDURES[name])  # one reference serves all procedures with these anchors
        run = run_procedure(
            setup, name, seed=seed, threads=threads, memory_limit_bytes=limit, progress=Progress(name, interruption),
            reference=references.get(same), detail=detail, record=record,
        )  # fmt: skip
        if run.extra is not None:
            references[same] = Bytes.of(run.result).beyond(run.extra)
        run.result.packets = None  # a record of each is much, and everything has been read off it
        runs.append(run)
    if output is not None and runs:
        from handoff.report.tables import provenance, write_tables

        write_tables(output, runs, setup, seed, provenance(text, scenario, seed, sys.argv[1:]))
    _show(runs, checked.name, seed, as_json, interruption.asked)
    return INTERRUPTED if interruption.asked else 0


def _unfit(setup: Setup, name: str) -> ValueError | None:
    """Why a procedure cannot run on a setup."""
    try:
        program_of(setup, name)
    except ValueError as error:
        return error
    return None


def _writable(folder: Path) -> None:
    """Find out before the run, not after it, that the results have no place."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ScenarioError([f"{folder}: no folder that can be written: {error.strerror}"]) from None


def _show(runs: list[Run], name: str, seed: int, as_json: bool, interrupted: bool) -> None:
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
    from handoff.report.table import print_table

    print_table(rows, f"{name}, seed {seed}" + (", interrupted" if interrupted else ""))


__all__: list[Any] = ["study"]
