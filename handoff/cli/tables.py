"""Tables on standard output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from engine.quantities import DURATION, format_quantity
from handoff.cli.terminal import show_table
from handoff.output.printable import printable

COLUMNS = (
    "procedure", "handoffs", "unfinished", "I/II/III", "lost", "disruption p99", "seamless", "in flight", "dup", "reordered",
    "after marker", "forwarded", "latency p50/p99", "delay p99", "MOS", "extra bytes", "signalling",
)  # fmt: skip
"""Columns of the table of ``handoff run`` and ``handoff compare``."""
ATTACK_COLUMNS = (
    "procedure", "attack messages", "bytes", "accepted", "refused", "dropped", "service", "answer bytes", "diverted",
    "diverted bytes", "lost", "legitimate dropped", "legitimate refused",
)  # fmt: skip
"""Columns of the table of attacks below it."""
_PS_PER_S = 1e12
_COLUMN_GAP = 2


def format_ms(ps: float | None) -> str:
    """Return a time in milliseconds, from 100 ms on without decimals; a dash if it is not known (None)."""
    return "-" if ps is None else format_quantity(ps, DURATION, "ms", decimals=0 if ps >= 100 * DURATION.units["ms"] else 1)


def format_share(share: float | None) -> str:
    """Return a share in percent, rounded down, so that only a whole is 100 %; a dash if it is not known (None)."""
    return "-" if share is None else f"{math.floor(round(share * 1000, 9)) / 10:.1f} %"


def group_cells(row: dict[str, Any]) -> list[str]:
    """Return the summary of a group of a mixture as texts in the order of ``COLUMNS``, named by procedure and mobile nodes."""
    return [f"  {row['procedure']} ({row['mobile_nodes']:,} MN)", *summary_cells(row)[1:]]


def summary_cells(row: dict[str, Any]) -> list[str]:
    """Return a summary of a run as texts in the order of ``COLUMNS``, with a dash for each value that was not measured.

    Parameters
    ----------
    row : dict
        Summary made by ``handoff.simulation.result.RunResult.summary``.
    """
    scenarios = "/".join(str(row[f"scenario_{n}"]) for n in (1, 2, 3))
    name = row["procedure"]
    if row["interrupted_ps"] is not None:
        name += f" (to {row['interrupted_ps'] / _PS_PER_S:.1f} s)"
    return [
        name,
        f"{row['handoffs']:,}",
        f"{row['unfinished_handoffs']:,}",
        scenarios if scenarios != "0/0/0" else "-",
        f"{row['lost']:,}",
        format_ms(row["disruption_p99_ps"]),
        format_share(row["seamless_ratio"]),
        f"{row['in_flight']:,}",
        f"{row['duplicate']:,}",
        f"{row['reordered']:,}",
        f"{row['after_marker']:,}",
        "-" if row["forwarded"] is None else f"{row['forwarded']:,}",
        f"{format_ms(row['latency_p50_ps'])} / {format_ms(row['latency_p99_ps'])}",
        ("≈ " if row["delay_resolution"] else "") + format_ms(row["delay_p99_ps"]),
        "-" if row["mos"] is None else f"{row['mos']:.2f}",
        "-" if row["extra_bytes"] is None else f"{row['extra_bytes']:,}",
        "-" if row["signalling_messages"] is None else f"{row['signalling_messages']:,}",
    ]


def print_table(rows: Sequence[dict[str, Any]], title: str) -> None:
    """Print summaries of runs, those of mixtures with a row for each group (``row["groups"]``)."""
    cells = [line for row in rows for line in (summary_cells(row), *map(group_cells, row.get("groups", ())))]
    print_cells(COLUMNS, cells, title)


def attack_cells(row: dict[str, Any]) -> list[str]:
    """Return the figures of attacks of a run as texts in the order of ``ATTACK_COLUMNS``."""
    names = ("attack_messages", "attack_bytes", "attack_accepted", "attack_refused", "attack_dropped")
    more = ("attack_answer_bytes", "diverted", "diverted_bytes", "lost", "legitimate_dropped", "legitimate_refused")
    service = format_ms(row["attack_service_seconds"] * _PS_PER_S)
    return [row["procedure"], *(f"{row[n]:,}" for n in names), service, *(f"{row[n]:,}" for n in more)]


def print_attack_table(rows: Sequence[dict[str, Any]]) -> None:
    """Print what attacks did in each run (docs/attacks.md)."""
    print_cells(ATTACK_COLUMNS, [attack_cells(row) for row in rows])


def print_cells(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    title: str = "",
    left: Sequence[str] = ("procedure",),
    indent: int = 0,
) -> None:
    """Print texts in columns. No text is cut: a terminal that is too narrow wraps the lines.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    rows : sequence of sequence of str
        One text for each column.
    title : str
        Printed above the table unless empty.
    left : sequence of str
        Columns that are aligned at the left. All others are aligned at the right.
    indent : int
        Number of spaces before each line.
    """
    headings = list(map(_inert, columns))
    table = Table(
        title=_inert(title) if title else None, title_justify="left", box=None, pad_edge=False, header_style="bold"
    )  # fmt: skip
    for column, heading in zip(columns, headings, strict=True):
        table.add_column(heading, justify="left" if column in left else "right", no_wrap=True)
    _show(table, rows, [headings], indent)


def print_pairs(pairs: Sequence[tuple[str, str]], indent: int = 0) -> None:
    """Print names and values, one pair in a line."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    _show(table, pairs, [], indent)


def _show(table: Table, rows: Sequence[Sequence[str]], headings: Sequence[Sequence[Text]], indent: int) -> None:
    cells = [list(map(_inert, row)) for row in rows]
    for row in cells:
        table.add_row(*row)
    widths = (max(text.cell_len for text in column) for column in zip(*headings, *cells, strict=True))
    show_table(Padding(table, (0, 0, 0, indent), expand=False), indent + sum(width + _COLUMN_GAP for width in widths))


def _inert(text: str) -> Text:
    return Text(printable(text))
