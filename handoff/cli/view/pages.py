"""Pages of ``handoff view``: the report of the folder, lists of handoffs, one handoff, and its interactive ladder."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from pathlib import Path

from handoff.cli.report import judge_tables, read_tables
from handoff.cli.view.ladders import Ladders
from handoff.output.handoff_file import ROW, StoredHandoffs
from handoff.output.ladder.ladder_page import ladder_policy
from handoff.output.parquet import TABLE_FILES
from handoff.output.report.contents import Report
from handoff.output.report.page import page_policy, render_page
from handoff.output.report.study_data import Row, StudyData
from handoff.output.report.study_report import study_report
from handoff.output.view.frame import ViewPage, handoff_address, list_links
from handoff.output.view.handoff_page import LadderPart, render_handoff
from handoff.output.view.list_page import ParameterError, read_query, render_list

QUICK_HOPS = 500_000
"""Packet hops of a run that is repeated at once to draw a ladder: a few seconds. A longer one waits for a click."""
_MAX_DIGITS = 18
_Stamp = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class _Content:
    """Content of the folder at one time. ``handoffs`` is None if it has no table of handoffs, as that of a sweep."""

    report: ViewPage
    procedures: tuple[str, ...] = ()
    handoffs: StoredHandoffs | None = None
    ladders: Ladders | None = None
    packet_hops: Mapping[str, int] = field(default_factory=dict)


class FolderPages:
    """Pages of a folder, made when they are asked for. If a command writes the folder again, they show its new content.

    Parameters
    ----------
    folder : Path
        Folder of ``handoff run``, ``compare``, ``sweep`` or ``plan``.
    slo : sequence of str
        Targets of the report.
    scenario : Path or None
        Scenario file of the study, for ladders; None for the one that the tables name.

    Raises
    ------
    ValueError
        If the folder has no results, a table is damaged, or a target is wrong.
    """

    def __init__(self, folder: Path, slo: Sequence[str] = (), scenario: Path | None = None) -> None:
        self._folder, self._slo, self._scenario = folder, slo, scenario
        self._lock = threading.Lock()
        self._stamp = _stamp(folder)
        self._content = self._read()

    def __call__(self, path: str, parameters: Mapping[str, str]) -> ViewPage:
        """Return the page of a path.

        Raises
        ------
        KeyError
            If there is no such page.
        ValueError
            If a parameter is wrong, or a table is damaged.
        """
        content = self._present()
        try:
            return _find_page(content, path, parameters)
        except ValueError:
            if (present := self._present()) is content:
                raise
        return _find_page(present, path, parameters)  # the folder was written meanwhile

    def _present(self) -> _Content:
        with self._lock:
            if (stamp := _stamp(self._folder)) != self._stamp:
                self._content, self._stamp = self._read(), stamp
            return self._content

    def _read(self) -> _Content:
        if (self._folder / "runs").is_dir():
            from handoff.cli.sweep_report import dataset_report

            return _Content(_show(dataset_report(self._folder, self._slo)))
        tables, handoffs = read_tables(self._folder)
        address = _row_address if handoffs is not None else None
        report = study_report(tables, targets=judge_tables(tables, self._slo), stored_handoffs=handoffs, address=address)
        study = StudyData(tables)
        if handoffs is None:
            return _Content(_show(report))
        procedures = tuple(study.procedures)
        ladders = Ladders(study, self._scenario)
        packet_hops = {row["procedure"]: row["packet_hops"] for row in study.runs}
        return _Content(_show(changed(report, links=list_links(procedures))), procedures, handoffs, ladders, packet_hops)


def _find_page(content: _Content, path: str, parameters: Mapping[str, str]) -> ViewPage:
    if path == "/":
        return content.report
    if path not in ("/handoffs", "/handoff", "/ladder"):
        raise KeyError("there are /, /handoffs, /handoff and /ladder")
    if content.handoffs is None or content.ladders is None:
        raise KeyError("this folder has no table of handoffs")
    if path == "/handoffs":
        query, page = read_query(parameters, content.procedures)
        return render_list(content.handoffs, query, page, content.procedures)
    row = _find_row(content.handoffs, parameters.get("row", ""))
    if path == "/ladder":
        return ViewPage(content.ladders.page(row), ladder_policy())
    is_wanted = parameters.get("ladder") == "1"
    return render_handoff(content.handoffs, row, _ladder_part(content, row, is_wanted), content.procedures)


def _ladder_part(content: _Content, row: Row, is_wanted: bool) -> LadderPart:
    """Return the ladder of a handoff; only its size if it takes long and was not asked for."""
    ladders, packet_hops = content.ladders, content.packet_hops.get(row["procedure"], 0)
    assert ladders is not None
    try:
        ladders.check()
        if not is_wanted and packet_hops > QUICK_HOPS and not ladders.is_known(row):
            return LadderPart(packet_hops=packet_hops)
        return LadderPart(ladders.drawing(row))
    except (ValueError, OSError, MemoryError) as error:
        return LadderPart(problem=str(error) or "no memory is left.")


def _find_row(handoffs: StoredHandoffs, number: str) -> Row:
    if not (number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS):
        raise ParameterError("row: the number of a row of the table of handoffs, from 0")
    rows = handoffs.rows([int(number)])
    if not rows:
        raise KeyError(f"the table of handoffs has no row {int(number)}")
    return rows[0]


def _row_address(row: Row) -> str:
    return handoff_address(row[ROW])


def _show(report: Report) -> ViewPage:
    return ViewPage(render_page(report), page_policy())


def _stamp(folder: Path) -> _Stamp:
    """Return the tables of the folder with the times of their last change."""
    paths = folder.rglob("*.parquet") if (folder / "runs").is_dir() else (folder / name for name in TABLE_FILES)
    stamps = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        stamps.append((str(path), status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(sorted(stamps))
