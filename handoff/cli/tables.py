"""Tables on standard output."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

from rich.console import JustifyMethod
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from engine.quantities import DURATION, format_quantity
from handoff.cli.legend import TERMS, print_legend
from handoff.cli.terminal import output_width, show, show_table, show_wrapped
from handoff.output.printable import printable

COLUMNS = (
    "procedure", "lost", "disruption p99", "seamless", "dup", "delay p99", "MOS", "extra bytes", "signalling", "handoffs",
    "unfinished", "latency p50/p99", "I/II/III", "reordered", "forwarded", "in flight", "after marker",
)  # fmt: skip
"""Columns of the table of ``handoff run`` and ``handoff compare``, the most important first."""
ATTACK_COLUMNS = (
    "procedure", "attack messages", "bytes", "accepted", "refused", "dropped", "service", "answer bytes", "diverted",
    "diverted bytes", "lost", "legitimate dropped", "legitimate refused",
)  # fmt: skip
"""Columns of the table of attacks below it."""
MAX_TRANSPOSED_ROWS = 8
MIN_FOLDED_WIDTH = 20
MAX_NAMED = 12
"""Number of omitted columns that are named."""
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
        f"{row['lost']:,}",
        format_ms(row["disruption_p99_ps"]),
        format_share(row["seamless_ratio"]),
        f"{row['duplicate']:,}",
        ("≈ " if row["delay_resolution"] else "") + format_ms(row["delay_p99_ps"]),
        "-" if row["mos"] is None else f"{row['mos']:.2f}",
        _count(row["extra_bytes"]),
        _count(row["signalling_messages"]),
        f"{row['handoffs']:,}",
        f"{row['unfinished_handoffs']:,}",
        f"{format_ms(row['latency_p50_ps'])} / {format_ms(row['latency_p99_ps'])}",
        scenarios if scenarios != "0/0/0" else "-",
        f"{row['reordered']:,}",
        _count(row["forwarded"]),
        f"{row['in_flight']:,}",
        f"{row['after_marker']:,}",
    ]


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def print_table(rows: Sequence[dict[str, Any]], title: str) -> None:
    """Print summaries of runs, those of mixtures with a row for each group (``row["groups"]``), and what their words mean."""
    cells = [line for row in rows for line in (summary_cells(row), *map(group_cells, row.get("groups", ())))]
    printed = print_cells(COLUMNS, cells, title)
    is_approximate = any("≈" in cell for line in cells for cell in line)
    print_legend([*(name for name in printed if name in TERMS), *(["≈"] if is_approximate else [])])


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
    columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "", left: Collection[str] = ("procedure",),
    indent: int = 0, last: Collection[str] = (), folded: str = "",
) -> list[str]:  # fmt: skip
    """Print texts in columns and return the columns that were printed. No text is cut.

    If a terminal is too narrow for all columns and there are few rows, they become columns. Otherwise the last columns are left
    out, and named below the table; ``--wide`` prints them all.

    Parameters
    ----------
    columns : sequence of str
        Headings, the most important first.
    rows : sequence of sequence of str
        One text for each column.
    title : str
        Printed above the table unless empty.
    left : collection of str
        Columns that are aligned at the left. All others are aligned at the right.
    indent : int
        Number of spaces before each line.
    last : collection of str
        Columns that are left out first, wherever they are.
    folded : str
        Column of prose, which is as wide as the terminal allows.
    """
    if title:
        show(title)
    width = output_width()
    texts = [[*map(_inert, line)] for line in (columns, *rows)]
    widths = [max(text.cell_len for text in column) for column in zip(*texts, strict=True)]
    chosen = list(range(len(columns)))
    if width is not None:
        needed = [MIN_FOLDED_WIDTH if name == folded else w for name, w in zip(columns, widths, strict=True)]
        chosen = _choose_columns(needed, [i for i in chosen if columns[i] in last], width - indent)
        if len(chosen) < len(columns) and 0 < len(rows) <= MAX_TRANSPOSED_ROWS:
            across = [[*line] for line in zip(*texts, strict=True)]
            across_widths = [max(text.cell_len for text in column) for column in zip(*across, strict=True)]
            if _total(across_widths) <= width - indent:
                sides: list[JustifyMethod] = ["left"]
                _show(across, across_widths, sides + ["right"] * len(rows), indent)
                return list(columns)
    if folded in columns and width is not None and (place := columns.index(folded)) in chosen:
        others = sum(widths[i] + _COLUMN_GAP for i in chosen if i != place)
        widths[place] = min(widths[place], max(MIN_FOLDED_WIDTH, width - indent - others))
    justify: list[JustifyMethod] = ["left" if columns[i] in left else "right" for i in chosen]
    _show([[line[i] for i in chosen] for line in texts], [widths[i] for i in chosen], justify, indent)
    omitted = [name for i, name in enumerate(columns) if i not in chosen]
    if omitted:
        show_wrapped(_name_omitted(omitted), width, indent)
    return [columns[i] for i in chosen]


def print_pairs(pairs: Sequence[tuple[str, str]], indent: int = 0) -> None:
    """Print names and values, one pair in a line."""
    texts = [[*map(_inert, pair)] for pair in pairs]
    if texts:
        widths = [max(text.cell_len for text in column) for column in zip(*texts, strict=True)]
        _show(texts, widths, ["left", "left"], indent, has_head=False)


def _choose_columns(widths: Sequence[int], last: Sequence[int], width: int) -> list[int]:
    # The first column names the row: it is never left out, nor the one after it.
    chosen = list(range(len(widths)))
    least_important = [*reversed(last), *(i for i in reversed(chosen) if i not in last)]
    for i in [i for i in least_important if i > 1]:
        if _total([widths[k] for k in chosen]) <= width:
            break
        chosen.remove(i)
    return chosen


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _COLUMN_GAP * (len(widths) - 1)


def _name_omitted(names: Sequence[str]) -> str:
    listed = ", ".join(names[:MAX_NAMED]) + (", …" if len(names) > MAX_NAMED else "")
    return f"+{len(names)} column{'s' * (len(names) != 1)}: {listed} (--wide)"


def _show(
    lines: Sequence[Sequence[Text]], widths: Sequence[int], justify: Sequence[JustifyMethod], indent: int, has_head: bool = True
) -> None:
    # The table is as wide as its texts: a terminal that is narrower wraps the lines, and no text is cut.
    table = Table(box=None, pad_edge=False, show_header=has_head, header_style="bold")
    head, rows = (lines[0], lines[1:]) if has_head else ([Text()] * len(widths), lines)
    for heading, width, side in zip(head, widths, justify, strict=True):
        table.add_column(heading, justify=side, width=width, overflow="fold")
    for row in rows:
        table.add_row(*row)
    show_table(Padding(table, (0, 0, 0, indent), expand=False), indent + sum(width + _COLUMN_GAP for width in widths))


def _inert(text: str) -> Text:
    return Text(printable(text))
