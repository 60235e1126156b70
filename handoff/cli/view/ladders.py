"""Ladders of a study that has been run before: its scenario is run again, as its tables record it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from engine.regular_file import read_regular
from handoff.cli.report import LADDER_COLUMNS
from handoff.output.handoff_file import ROW
from handoff.output.ladder.collect import build_ladders
from handoff.output.ladder.diagram_svg import render_svg
from handoff.output.ladder.diagram_text import render_text
from handoff.output.ladder.timeline import timeline
from handoff.output.printable import printable
from handoff.output.report.contents import Drawing
from handoff.output.report.study_data import Row, StudyData
from handoff.protocol.setup import Setup
from handoff.scenario import load_scenario
from handoff.workload.build import build_setup

NEIGHBOURS = 10
"""Handoffs before and after the chosen one in an interactive ladder."""
_REMEMBERED = 16
"""Ladders that are remembered."""
_SCENARIO_AT = 1
"""Place of the scenario file in a recorded command (``handoff.cli.recorded_command``)."""


@dataclass(frozen=True)
class DrawnLadder:
    """Ladder of a handoff.

    Attributes
    ----------
    drawing : Drawing
        The handoff as a drawing.
    timelines : list of dict
        The handoff and its neighbours for an interactive ladder.
    texts : list of str
        Each of them as text.
    chosen : int
        Index of the handoff among them.
    """

    drawing: Drawing
    timelines: list[dict[str, Any]]
    texts: list[str]
    chosen: int


class Ladders:
    """Ladders of the handoffs of a study, one run at a time.

    Parameters
    ----------
    study : StudyData
        Tables of the study, which name its scenario file, changes and seed.
    scenario : Path or None
        Scenario file; None for the one that the tables name.
    """

    def __init__(self, study: StudyData, scenario: Path | None = None) -> None:
        facts = study.facts
        command = facts.get("command", ())
        self._command: Sequence[str] = command if command[:1] in (["run"], ["compare"]) else ()  # others are of Python
        self._text: str | None = facts.get("scenario")
        self._seed: int | None = facts.get("seed")
        self._path = scenario or (Path(str(self._command[_SCENARIO_AT])) if len(self._command) > _SCENARIO_AT else None)
        self._fingerprints = {r["procedure"]: r["fingerprint"] for r in study.runs if not study.is_interrupted(r)}
        self._setup: Setup | None = None
        self._drawn: OrderedDict[int, DrawnLadder] = OrderedDict()
        self._lock = threading.Lock()

    def check(self) -> None:
        """Check that the scenario of the study is there.

        Raises
        ------
        ValueError
            If the scenario file is unknown, missing, or another one than that of the study.
        """
        self._scenario_path()

    def is_drawn(self, row: Row) -> bool:
        """Return whether a ladder is drawn already."""
        return row[ROW] in self._drawn

    def draw(self, row: Row) -> DrawnLadder:
        """Return the ladder of a handoff; run its procedure again unless it is drawn already.

        Raises
        ------
        ValueError
            If the scenario is not there (:meth:`check`) or invalid, or the run is not that of the tables.
        MemoryError
            If the run needs more memory than there is.
        """
        with self._lock:
            if row[ROW] not in self._drawn:
                self._drawn[row[ROW]] = self._run(row)
                if len(self._drawn) > _REMEMBERED:
                    self._drawn.popitem(last=False)
            return self._drawn[row[ROW]]

    def _run(self, row: Row) -> DrawnLadder:
        path, procedure, number = self._scenario_path(), row["procedure"], row["index"]
        assert self._seed is not None
        if self._setup is None:
            scenario, _ = load_scenario(path, self._changes())
            self._setup = build_setup(scenario, path, self._seed)
        setup = self._setup
        mobile = setup.network.mobile_index(row["mobile"])
        ladders = build_ladders(setup, procedure, mobile, number, self._seed, NEIGHBOURS)
        fingerprint = ladders[0][0].observer.run.result.fingerprint
        if fingerprint != self._fingerprints.get(procedure, fingerprint):
            raise ValueError(
                f"the run of {printable(str(path))} is not that of the tables: an input file or the version has changed since, "
                "or the study was changed by other means than --set"
            )
        chosen = next(i for i, (view, _) in enumerate(ladders) if view.facts["index"] == number)
        texts = [render_text(ladder, LADDER_COLUMNS) for _, ladder in ladders]
        ladder = ladders[chosen][1]
        drawing = Drawing(printable(ladder.title), render_svg(ladder), texts[chosen])
        return DrawnLadder(drawing, [timeline(view, ladder) for view, ladder in ladders], texts, chosen)

    def _changes(self) -> tuple[str, ...]:
        return tuple(value for option, value in pairwise(self._command[_SCENARIO_AT + 1 :]) if option == "--set")

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
