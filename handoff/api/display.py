"""Display of tables in a terminal and in a notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pyarrow as pa

MAX_ROWS = 20
"""Rows of a table that a representation shows."""
SMALLEST_PLAIN = 1e-3
LARGEST_PLAIN = 1e6


def format_cell(value: object) -> str:
    """Return a value of a table as short text; a missing value as a dash."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        plain = value == 0 or SMALLEST_PLAIN <= abs(value) < LARGEST_PLAIN
        return f"{value:.4g}" if plain else f"{value:.3e}"
    return str(value)


def text_table(table: pa.Table) -> str:
    """Return the first rows of a table as aligned text."""
    names, rows, more = _cells(table)
    numeric = [not pa.types.is_string(field.type) for field in table.schema]
    widths = [max(len(name), *(len(row[i]) for row in rows), 1) for i, name in enumerate(names)]
    lines = [
        "  ".join(f"{cell:{'>' if right else '<'}{width}}" for cell, width, right in zip(row, widths, numeric, strict=True))
        for row in [names, *rows]
    ]
    return "\n".join([line.rstrip() for line in lines] + ([f"({more:,} more rows)"] if more else []))


def html_table(table: pa.Table, title: str) -> str:
    """Return the first rows of a table as HTML. Text of a scenario is escaped."""
    names, rows, more = _cells(table)
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    rest = f"<p>{more:,} more rows</p>" if more else ""
    return f"<table><caption>{html.escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"


def _cells(table: pa.Table) -> tuple[Sequence[str], list[list[str]], int]:
    rows = [[format_cell(value) for value in row.values()] for row in table.slice(0, MAX_ROWS).to_pylist()]
    return table.column_names, rows, table.num_rows - len(rows)
