"""``handoff diff``: print the differences between two results."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from handoff.api.comparison import Difference, DiffResults, diff
from handoff.api.diff_origin import ABSENT, ChangedFields, diff_lines, diff_sides
from handoff.api.display import format_cell
from handoff.api.folder import read
from handoff.cli.exit_codes import ExitCode
from handoff.cli.log import Level, log
from handoff.cli.output_paths import reserve_outputs
from handoff.cli.tables import print_cells
from handoff.cli.terminal import ONE_FORMAT, show_csv, show_json
from handoff.output.parquet import TABLE_FILES
from handoff.output.report.diff_report import DiffSide, diff_report
from handoff.output.report.wording import plural, show_name
from handoff.scenario import ScenarioError
from handoff.scenario.units import parse_percent

MAX_FIELDS = 10
"""Fields of the scenario that differ and are named above the table."""


def print_diff(
    a: Path, b: Path | None, procedures: str | None, measures: tuple[str, ...], confidence: float, tolerance: str, as_json: bool,
    as_csv: bool, report: Path | None = None,
) -> int:  # fmt: skip
    """Print the differences, the most important ones first, and write their report; return the exit code.

    Raises
    ------
    ScenarioError
        If an argument is wrong or the results cannot be compared.
    """
    problems = []
    names = None if procedures is None else tuple(name.strip() for name in procedures.split(","))
    if names is not None and len(names) != 2:
        problems.append(f"--procedures {procedures!r}: name two, as in 'mipv4,sync-mipv4'")
    if b is None and names is None:
        problems.append("B is missing: give a second folder, or two procedures of the first one with --procedures A,B")
    if as_json and as_csv:
        problems.append(ONE_FORMAT)
    try:
        share = float(parse_percent(tolerance))
    except ValueError:
        share = -1.0
    if not 0 <= share < float("inf"):
        problems.append(f"--tolerance {tolerance!r}: write a share of 0 or more, as in 0.01 or '1%'")
    if problems:
        raise ScenarioError(problems)
    pair = None if names is None else (names[0], names[1])
    folders = [a] if b is None else [a, b]
    with reserve_outputs(None, {"--report": report}, [f / name for f in folders for name in (*TABLE_FILES, "points.parquet")]):
        first = read(a)
        second = first if b is None else read(b)
        result = diff(first, second, procedures=pair, measures=measures, confidence=confidence, tolerance=share)
        _print(result, as_json, as_csv)
        if report is not None:
            places = (str(a), str(a if b is None else b))
            names = places if pair is None else (f"{pair[0]} in {places[0]}", f"{pair[1]} in {places[1]}")
            _write_report(report, result, diff_sides(names, first, second, result.changed_fields))
    return ExitCode.OK if result.passed else ExitCode.TARGET_MISSED


def _write_report(path: Path, result: DiffResults, sides: tuple[DiffSide, DiffSide]) -> None:
    from handoff.cli.report import write_report

    lines = diff_lines(result.table.to_pylist())
    write_report(path, diff_report(*sides, lines, result.confidence, result.tolerance, result.notes))


def _print(result: DiffResults, as_json: bool, as_csv: bool) -> None:
    table = result.table
    if as_json:
        show_json({
            "passed": result.passed, "confidence": result.confidence, "tolerance": result.tolerance,
            "differences": table.to_pylist(), "notes": result.notes,
            "fields": [{"field": name, "a": a, "b": b} for name, (a, b) in result.changed_fields.items()],
        })  # fmt: skip
        return
    for note in result.notes:
        log(Level.INFO, f"handoff: {note}")
    fields = list(describe_fields(result.changed_fields))
    if as_csv:
        for line in fields:
            log(Level.INFO, f"handoff: {line}")
        show_csv(table.column_names, [list(row.values()) for row in table.to_pylist()])
        return
    columns = ["", "measure", "A", "B", "B - A", "interval", "change", "verdict"]
    cells = [_cells(difference) for difference in result.differences]
    title = "\n".join([result.heading(), *fields])
    print_cells(columns, cells, title, ("", "measure", "verdict"), last=("interval", "change", "B", "A"))


def describe_fields(fields: ChangedFields) -> Iterator[str]:
    """Yield a line for each field of the scenario that differs, up to ``MAX_FIELDS``."""
    for name, values in islice(fields.items(), MAX_FIELDS):
        a, b = (ABSENT if value is None else show_name(value) for value in values)
        yield f"{show_name(name)} is {a} in A and {b} in B"
    if len(fields) > MAX_FIELDS:
        yield f"{plural(len(fields) - MAX_FIELDS, 'more field')} of the scenario differ; --json names them"


def _cells(d: Difference) -> list[str]:
    unit = " s" if d.unit == "s" else ""
    i = d.interval
    interval = f"[{format_cell(i.low)}, {format_cell(i.high)}]" if i.known else "-"
    change = f"{d.relative:+.1%}" if d.first else "-"
    method = f" ({i.method}, n = {i.n})" if i.known else ""
    return [
        d.subject, d.measure, f"{format_cell(d.first)}{unit}", f"{format_cell(d.second)}{unit}", f"{i.mean:+.4g}{unit}", interval,
        change, f"{d.verdict}{method}",
    ]  # fmt: skip
