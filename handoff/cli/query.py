"""``handoff query``: print the answer to a query on the folder of a command."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from handoff.cli.log import Level, log
from handoff.cli.tables import print_cells
from handoff.cli.terminal import ONE_FORMAT, show_csv, show_json
from handoff.experiments.sweep.query import query


def print_query(sql: str, folder: Path, *, as_json: bool, as_csv: bool) -> None:
    """Print the answer to a query as a table, JSON or CSV, and on stderr the damaged files of the dataset.

    Raises
    ------
    ValueError
        If there are no results, the query is wrong, or both formats are wanted.
    """
    if as_json and as_csv:
        raise ValueError(ONE_FORMAT)
    result = query(folder, sql)
    for damage in result.damaged:
        log(Level.WARNING, f"handoff: {damage}: left out")
    if as_csv:
        show_csv(result.columns, result.rows)
    elif as_json:
        rows = [dict(zip(result.columns, map(_json_value, row), strict=True)) for row in result.rows]
        show_json({"rows": rows}, default=str)
    else:
        text_columns = [name for i, name in enumerate(result.columns) if any(isinstance(row[i], str) for row in result.rows)]
        cells = [["-" if value is None else _format_value(value) for value in row] for row in result.rows]
        print_cells(result.columns, cells, left=text_columns)


def _json_value(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value  # JSON has no nan and no infinity


def _format_value(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
