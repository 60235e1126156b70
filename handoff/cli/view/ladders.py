"""Ladders of a study that has been run before: its scenario is run again, as its tables record it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from engine.regular_file import read_regular
from handoff.output.ladder.collect import ladder_of
from handoff.output.ladder.ladder_page import NEIGHBOURS, draw_ladder_page
from handoff.output.ladder.view import MobileRun, observe_mobile
from handoff.output.printable import printable
from handoff.output.report.contents import Drawing
from handoff.output.report.ladder_drawing import draw_ladder
from handoff.output.report.study_data import Row, StudyData
from handoff.protocol.setup import Setup
from handoff.scenario import load_scenario
from handoff.workload.build import build_setup

_MAX_RUNS = 16
"""Runs that are remembered, each of one procedure and mobile node."""
_SCENARIO_AT = 1
"""Place of the scenario file in a recorded command (``handoff.cli.recorded_command``)."""


class Ladders:
    """Ladders of the handoffs of a study. A run of its procedure shows all handoffs of a mobile node; there is one at a time.

    Parameters
    ----------
    study : StudyData
        Tables of the study, which name its scenario file, changes and seed.
    scenario : Path or None
        Scenario file; None for the one that the tables name.
    """

    def __init__(self, study: StudyData, scenario: Path | None = None) -> None:
        self._text: str | None = study.facts.get("scenario")
        self._seed: int | None = study.facts.get("seed")
        self._path = scenario or (Path(str(study.command[_SCENARIO_AT])) if len(study.command) > _SCENARIO_AT else None)
        self._changes = study.changes
        self._fingerprints = {r["procedure"]: r["fingerprint"] for r in study.runs if not study.is_interrupted(r)}
        self._setup: Setup | None = None
        self._runs: OrderedDict[tuple[str, str], MobileRun] = OrderedDict()
        self._lock = threading.Lock()

    def check(self) -> None:
        """Check that the scenario of the study is there.

        Raises
        ------
        ValueError
            If the scenario file is unknown, missing, or another one than that of the study.
        """
        self._scenario_path()

    def is_known(self, row: Row) -> bool:
        """Return whether the ladder of a handoff needs no run."""
        return _key(row) in self._runs

    def drawing(self, row: Row) -> Drawing:
        """Return the ladder of a handoff as a drawing. Its procedure runs again, unless it has for this mobile node.

        Raises
        ------
        ValueError
            If the scenario is not there (:meth:`check`) or invalid, or the run is not that of the tables.
        MemoryError
            If the run needs more memory than there is.
        """
        (view,) = self._observe(row).views(row["index"])
        return draw_ladder(ladder_of(view))

    def page(self, row: Row) -> str:
        """Return the interactive ladder of a handoff and its neighbours as a page; the errors are those of :meth:`drawing`."""
        return draw_ladder_page(self._observe(row).views(row["index"], NEIGHBOURS), row["index"])

    def _observe(self, row: Row) -> MobileRun:
        key = _key(row)
        with self._lock:
            if key not in self._runs:
                self._runs[key] = self._run(*key)
                if len(self._runs) > _MAX_RUNS:
                    self._runs.popitem(last=False)
            self._runs.move_to_end(key)
            return self._runs[key]

    def _run(self, procedure: str, mobile: str) -> MobileRun:
        path = self._scenario_path()
        assert self._seed is not None
        if self._setup is None:
            scenario, _ = load_scenario(path, self._changes)
            self._setup = build_setup(scenario, path, self._seed)
        run = observe_mobile(self._setup, procedure, self._setup.network.mobile_index(mobile), self._seed)
        fingerprint = run.observer.run.result.fingerprint
        if fingerprint != self._fingerprints.get(procedure, fingerprint):
            raise ValueError(
                f"the run of {printable(str(path))} is not that of the tables: an input file or the version has changed since, "
                "or the study was changed by other means than --set"
            )
        return run

    def _scenario_path(self) -> Path:
        advice = "start 'handoff view' where the study was run, or give the file with --scenario"
        if self._path is None or self._text is None or self._seed is None:
            raise ValueError(f"the tables do not name the scenario file of the study: {advice}")
        name = printable(str(self._path))
        try:
            text = read_regular(self._path)
        except OSError as error:
            raise ValueError(f"{name}: the scenario of the study cannot be read: {error.strerror}: {advice}") from None
        if text != self._text.encode():
            raise ValueError(f"{name}: is not the scenario of the study, or has changed since: {advice}")
        return self._path


def _key(row: Row) -> tuple[str, str]:
    return row["procedure"], row["mobile"]
