"""Page of one handoff: its figures, the times of its steps, every column of its row with its definition, and its ladder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from handoff.output.fields import ABOUT_KEY, UNIT_KEY
from handoff.output.handoff_file import ROW, StoredHandoffs
from handoff.output.printable import printable
from handoff.output.report.contents import Drawing, TextTable
from handoff.output.report.study_data import FOREVER_S, Row, time_ms
from handoff.output.report.wording import DASH, plural, show_count, show_ms, show_name
from handoff.output.report.worst_section import STEPS, lost_packets, origin_ms, show_routers, show_scenario
from handoff.output.view.frame import Link, ViewPage, diagram_address, handoff_address, list_address, render_frame

MAX_ADDRESS = 8000
"""Characters of an address. A name that makes it longer gets no link: servers and browsers refuse long addresses."""


@dataclass(frozen=True)
class LadderPart:
    """The part of the page with the ladder: the drawing, or why there is none.

    Attributes
    ----------
    drawing : Drawing or None
        The ladder, if it was drawn.
    problem : str
        Why it cannot be drawn.
    packet_hops : int or None
        Size of the run that has to be repeated to draw it, if it was not drawn because that takes time.
    """

    drawing: Drawing | None = None
    problem: str = ""
    packet_hops: int | None = None


@dataclass(frozen=True)
class _Figures:
    key: str
    title: str
    table: TextTable


def render_handoff(handoffs: StoredHandoffs, row: Row, ladder: LadderPart, procedures: Sequence[str]) -> ViewPage:
    """Return the page of a handoff from its row of the table.

    Raises
    ------
    ValueError
        If the table is damaged.
    """
    near = handoffs.neighbours(row)
    steps: list[Link] = [
        (text, handoff_address(near[number]) if number in near else "")
        for text, number in (("Previous handoff", row["index"] - 1), ("Next handoff", row["index"] + 1))
    ]  # fmt: skip
    every = list_address(row["procedure"], mobile=row["mobile"])
    steps.append(("All of this mobile node", every if len(every) <= MAX_ADDRESS else ""))
    key_figures = [
        ("Lost packets", show_count(lost_packets(row))), ("Interruption", show_ms(time_ms(row, "disruption"))),
        ("Unregistered", show_ms(time_ms(row, "latency"))), ("Duplicate packets", show_count(row["duplicate"])),
        ("Reordered packets", show_count(row["reordered"])), ("Scenario", show_scenario(row)),
    ]  # fmt: skip
    return render_frame(
        "handoff.html.j2", procedures, f"Handoff {row['index']} of {show_name(row['mobile'])}",
        f"{show_name(row['procedure'])}: {show_routers(row)}, {origin_ms(row) / 1000:.3f} s", steps=steps,
        key_figures=key_figures, drawing=ladder.drawing, problem=ladder.problem, procedure=show_name(row["procedure"]),
        hops="" if ladder.packet_hops is None else plural(ladder.packet_hops, "packet hop"),
        draw_address="" if ladder.packet_hops is None else handoff_address(row[ROW], ladder="1"),
        diagram_address=diagram_address(row[ROW]), sections=[_step_times(row), _all_figures(handoffs.schema, row)],
    )  # fmt: skip


def _step_times(row: Row) -> _Figures:
    origin = origin_ms(row)
    times = [(text, t) for name, text in STEPS.items() if (t := time_ms(row, name)) is not None]
    rows = tuple((text, f"{t / 1000:.6f}", f"{t - origin:+,.3f}") for text, t in sorted(times, key=lambda step: step[1]))
    table = TextTable(("Step", "Time (s)", "From the end of the old link (ms)"), rows)
    return _Figures("steps", "Steps", table)


def _all_figures(schema: pa.Schema, row: Row) -> _Figures:
    rows = []
    for field in schema:
        facts = field.metadata or {}
        unit, about = (printable(facts.get(key, b"").decode(errors="replace")) for key in (UNIT_KEY, ABOUT_KEY))
        rows.append((show_name(field.name), _show_value(field.name, row[field.name]), unit, about))
    table = TextTable(("Column", "Value", "Unit", "Definition"), tuple(rows), ("Unit", "Definition"))
    return _Figures("figures", "All figures", table)


def _show_value(name: str, value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return DASH
    if isinstance(value, float):
        return "never" if name.endswith("_s") and value >= FOREVER_S else f"{value:.9g}"
    return f"{value:,}" if isinstance(value, int) else show_name(value)
