"""``handoff report`` and ``--report``: write the report of a study or of a folder of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from engine.output_file import NewFile
from handoff.cli.output_paths import reserve_outputs
from handoff.experiments.planning.outcome import Outcome, judge_replications
from handoff.experiments.planning.slo import parse_targets
from handoff.metrics.catalogue import get_measure
from handoff.output.handoff_file import StoredHandoffs
from handoff.output.ladder.collect import build_ladder
from handoff.output.parquet import BATCHES, SCHEMAS, TABLE_FILES
from handoff.output.printable import printable
from handoff.output.report.contents import Drawing, Report
from handoff.output.report.ladder_drawing import draw_ladder
from handoff.output.report.map_section import MapData
from handoff.output.report.page import render_page
from handoff.output.report.study_data import REPORT_TABLES, StudyData
from handoff.output.report.study_report import study_report
from handoff.output.report.target_section import TargetLine
from handoff.output.report.worst_section import worst_handoffs
from handoff.output.table_file import read_table_file
from handoff.protocol.setup import Setup


def report_command(folder: Path, output: Path, slo: Sequence[str]) -> None:
    """Write the report of a folder of results, or of the dataset of a sweep or plan, with the targets of ``slo``.

    Raises
    ------
    ValueError
        If the folder has no results, or a table is damaged; the message names the file.
    OSError
        If the report cannot be written. An older file stays.
    """
    inputs = [folder / name for name in (*TABLE_FILES, "points.parquet")]
    with reserve_outputs(None, {"-o": output}, inputs):
        if (folder / "runs").is_dir():
            from handoff.cli.sweep_report import dataset_report

            write_report(output, dataset_report(folder, slo))
            return
        tables, handoffs = read_tables(folder)
        write_report(output, study_report(tables, targets=judge_tables(tables, slo), stored_handoffs=handoffs))


def read_tables(folder: Path) -> tuple[dict[str, pa.Table], StoredHandoffs | None]:
    """Return the tables of a study that a report reads, as ``handoff run`` and ``handoff compare`` write them with ``-o``.

    The table of handoffs, whose size grows with the study, stays in its file.

    Raises
    ------
    ValueError
        If the folder has no table of runs, a table cannot be read, or its times are in picoseconds as in an older version.
    """
    if not (folder / "runs.parquet").is_file():
        name = printable(str(folder))
        raise ValueError(
            f"{name}: no results: there is no runs.parquet in it: give the folder that 'handoff run', 'compare', 'sweep' or "
            "'plan' has written with -o"
        )
    paths = {name: path for name in REPORT_TABLES if (path := folder / f"{name}.parquet").exists()}
    stored = StoredHandoffs(paths.pop("handoffs")) if "handoffs" in paths else None
    return {name: read_table_file(path) for name, path in paths.items()}, stored


def judge_tables(tables: Mapping[str, pa.Table], slo: Sequence[str]) -> list[TargetLine]:
    """Return the outcomes of targets for each procedure of a study.

    Raises
    ------
    ValueError
        If a target is wrong, or names a node or link that the study does not have.
    """
    targets = parse_targets(slo, lambda name: get_measure(name).unit)
    if not targets:
        return []
    study = StudyData(tables)
    outcomes: list[Outcome] = []
    for procedure in study.procedures:
        rows = {name: study.table_of(name, procedure) for name in ("runs", "nodes", "links")}
        parts = {name: SCHEMAS[name].empty_table() if part is None else part for name, part in rows.items()}
        parts["batches"] = BATCHES.empty_table()
        outcomes += judge_replications(targets, procedure, [{name: part.to_pydict() for name, part in parts.items()}])
    return target_lines(outcomes)


def target_lines(outcomes: Sequence[Outcome]) -> list[TargetLine]:
    """Return the outcomes of targets as a report shows them."""
    lines = []
    for outcome in outcomes:
        text = str(outcome).partition(f"{outcome.target}: ")[2]
        lines.append(TargetLine(outcome.subject, str(outcome.target), text, outcome.passed))
    return lines


def write_study_report(
    path: Path, tables: Mapping[str, pa.Table], setup: Setup, seed: int, ladders: int, outcomes: Sequence[Outcome] = (),
    places: MapData | None = None,
) -> None:  # fmt: skip
    """Write the report of a study that has just run.

    Parameters
    ----------
    path : Path
        File of the report.
    tables : mapping of str to pyarrow.Table
        ``REPORT_TABLES`` of the study (``handoff.output.parquet.build_tables``).
    setup : Setup
        Setup of the study.
    seed : int
        Seed of its draws.
    ladders : int
        Number of the worst handoffs that get a ladder diagram. Each takes one more run.
    outcomes : sequence of Outcome
        Outcomes of the targets of the study.
    places : MapData or None
        Positions for the map (:func:`handoff.api.places.load_places`).

    Raises
    ------
    OSError
        If the report cannot be written.
    """
    drawings = _draw_ladders(StudyData(tables), setup, seed, ladders)
    write_report(path, study_report(tables, drawings, target_lines(outcomes), places))


def write_report(path: Path, report: Report) -> None:
    """Write a report into a file, complete or not at all."""
    page = render_page(report)
    with NewFile(path) as file:
        file.write(page.encode())


def _draw_ladders(study: StudyData, setup: Setup, seed: int, number: int) -> list[Drawing]:
    drawings = []
    for row in worst_handoffs(study)[:number]:
        mobile = setup.network.mobile_index(row["mobile"])
        drawings.append(draw_ladder(build_ladder(setup, row["procedure"], mobile, row["index"], seed)))
    return drawings
