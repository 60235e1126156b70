"""The comparison as a table in the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.quantities import DURATION, format_quantity

COLUMNS = (
    "procedure", "handoffs", "unfinished", "I/II/III", "lost", "in flight", "dup", "reordered", "after marker", "forwarded",
    "latency p50/p99", "disruption p99", "delay p99", "MOS", "extra bytes", "signalling",
)  # fmt: skip


def format_ms(ps: float) -> str:
    """Return a time in milliseconds, from 100 ms on without decimals; a dash if it is not known (NaN)."""
    return "-" if math.isnan(ps) else format_quantity(ps, DURATION, "ms", decimals=0 if ps >= 100 * DURATION.units["ms"] else 1)


def summary_cells(row: dict[str, Any]) -> list[str]:
    """One summary of ``handoff.simulation.run.Run`` as texts, in the order of ``COLUMNS``; a dash where nothing was measured."""
    scenarios = "/".join(str(row[f"scenario_{n}"]) for n in (1, 2, 3))
    name = row["procedure"] if row["interrupted_ps"] is None else f"{row['procedure']} (to {row['interrupted_ps'] / 1e12:.1f} s)"
    return [
        name,
        f"{row['handoffs']:,}",
        f"{row['unfinished_handoffs']:,}",
        scenarios if scenarios != "0/0/0" else "-",
        f"{row['lost']:,}",
        f"{row['in_flight']:,}",
        f"{row['duplicate']:,}",
        f"{row['reordered']:,}",
        f"{row['after_marker']:,}",
        "-" if row["forwarded"] is None else f"{row['forwarded']:,}",
        f"{format_ms(row['latency_p50_ps'])} / {format_ms(row['latency_p99_ps'])}",
        format_ms(row["disruption_p99_ps"]),
        format_ms(row["delay_p99_ps"]),
        "-" if row["mos"] is None or math.isnan(row["mos"]) else f"{row['mos']:.2f}",
        "-" if row["extra_bytes"] is None else f"{row['extra_bytes']:,}",
        f"{row['signalling_messages']:,}",
    ]


def print_table(rows: Sequence[dict[str, Any]], title: str) -> None:
    """Print summaries to standard output."""
    print_cells(COLUMNS, [summary_cells(row) for row in rows], title)


def print_cells(
    columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "", left: Sequence[str] = ("procedure",)
) -> None:
    """Print texts in columns to standard output; wide enough not to wrap when it is not a terminal.

    Parameters
    ----------
    columns : sequence of str
        Their heads.
    rows : sequence of sequence of str
        A text for each column.
    title : str
        Above the table, if there is one.
    left : sequence of str
        Columns that begin at the left; all others end at the right.
    """
    wide = sum(max(len(text) for text in column) + 2 for column in zip(columns, *rows, strict=True))
    console = Console(width=None if Console().is_terminal else max(200, wide))
    table = Table(title=escape(title) or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(escape(column), justify="left" if column in left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)
