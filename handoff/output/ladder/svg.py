"""Ladder diagrams as self-contained SVG, with every text escaped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from handoff.output.ladder.diagram import Arrow, Ladder, LadderEvent, Traffic, format_time

WIDTH = 1000
_LEFT, _RIGHT, _TOP, _ROW = 110, 190, 96, 22
_STYLE = """
  svg { background: #fff; color-scheme: light dark; }
  text { font: 12px system-ui, sans-serif; fill: #1c2733; }
  .title { font-size: 15px; font-weight: 600; } .column { font-weight: 600; } .time, .note { fill: #5a6875; font-size: 11px; }
  .life { stroke: #a9b4be; } .message { stroke: #0b5cad; stroke-width: 1.6; fill: none; } .lost { stroke: #b3261e; }
  .head { fill: #0b5cad; } .event { fill: #0f7b53; } .phase { fill: #eef3f8; } .data { fill: #7a4b00; }
  @media (prefers-color-scheme: dark) {
    svg { background: #12181f; } text { fill: #e4eaf0; } .time, .note { fill: #9fb0bf; } .phase { fill: #1d2833; }
    .life { stroke: #4d5a66; } .message { stroke: #6db3ff; } .head { fill: #6db3ff; }
    .event { fill: #5fd3a2; } .data { fill: #e8b765; }
  }
"""


@dataclass(frozen=True)
class _Row:
    """One line of the picture, with its height."""

    y: int
    thing: Arrow | LadderEvent | Traffic | str


def render_svg(ladder: Ladder) -> str:
    """Draw a ladder as SVG.

    Each arrow and event has a row of its own, in time order, so that no label covers another. An arrow slants to the row in
    which its message arrives, or to the next row if nothing happens before the arrival.
    """
    rows = list(_rows(ladder))
    height = _TOP + _ROW * (len(rows) + 2)
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(ladder.columns) - 1)
    places = {column: round(_LEFT + i * step) for i, column in enumerate(ladder.columns)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-labelledby="name">',
        f"<title id=\"name\">{escape(ladder.title)}</title><style>{_STYLE}</style>",
        f'<text class="title" x="16" y="28">{escape(ladder.title)}</text>',
        '<text class="note" x="16" y="48">blue: messages, with times (ms) at both ends; green: events; brown: data</text>',
        *_bands(rows),
        *(f'<line class="life" x1="{x}" x2="{x}" y1="{_TOP - 10}" y2="{height - _ROW}"/>' for x in places.values()),
        *(
            f'<text class="column" text-anchor="middle" x="{x}" y="{_TOP - 18}">{escape(column)}</text>'
            for column, x in places.items()
        ),
    ]
    for row in rows:
        if isinstance(row.thing, Arrow):
            parts.append(_arrow(row.thing, row.y, _arrival(row, rows), places))
        elif isinstance(row.thing, LadderEvent):
            parts.append(_event(row.thing, row.y, places))
        elif isinstance(row.thing, Traffic):
            parts.append(_traffic(row.thing, row.y))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _rows(ladder: Ladder) -> Iterator[_Row]:
    y = _TOP + _ROW // 2
    for phase in ladder.phases:
        yield _Row(y, phase)
        y += _ROW
        things: list[tuple[int, int, Arrow | LadderEvent]] = [(a.sent_ps, 1, a) for a in ladder.arrows if a.phase == phase]
        things += [(m.time_ps, 0, m) for m in ladder.events if m.phase == phase]
        for thing in (*(t for t in ladder.traffic if t.phase == phase), *(x[2] for x in sorted(things, key=lambda x: x[:2]))):
            yield _Row(y, thing)
            y += _ROW


def _bands(rows: list[_Row]) -> Iterator[str]:
    for row in rows:
        if isinstance(row.thing, str):
            yield f'<rect class="phase" x="8" y="{row.y - 14}" width="{WIDTH - 16}" height="{_ROW - 2}" rx="4"/>'
            yield f'<text class="column" x="16" y="{row.y + 1}">{escape(row.thing)}</text>'


def _arrival(row: _Row, rows: list[_Row]) -> int:
    """Return the height at which an arrow ends: half a row below, or just above the first thing after its arrival."""
    assert isinstance(row.thing, Arrow)
    arrival_ps = row.thing.arrival_ps
    if arrival_ps is None:
        return row.y + _ROW // 2
    later = [
        r.y for r in rows if r.y > row.y and isinstance(r.thing, (Arrow, LadderEvent)) and _time(r.thing) >= arrival_ps
    ]
    return max(row.y + _ROW // 2, min(later, default=row.y + _ROW) - _ROW // 2)


def _time(thing: Arrow | LadderEvent) -> int:
    return thing.sent_ps if isinstance(thing, Arrow) else thing.time_ps


def _arrow(arrow: Arrow, y: int, end: int, places: dict[str, int]) -> str:
    x1, x2 = places[arrow.source], places[arrow.target]
    back = -7 if x2 > x1 else 7
    lost = arrow.arrival_ps is None
    stop = (x1 + x2) // 2 if lost else x2
    line = f'<line class="message{" lost" if lost else ""}" x1="{x1}" y1="{y}" x2="{stop}" y2="{end}"/>'
    head = f'<text x="{stop}" y="{end + 4}" text-anchor="middle">✕</text>' if lost else (
        f'<polygon class="head" points="{x2},{end} {x2 + back},{end - 4} {x2 + back},{end + 4}"/>'
    )  # fmt: skip
    label = f'<text text-anchor="middle" x="{x1 + (x2 - x1) // 4}" y="{y - 2}">{escape(arrow.message)}</text>'
    times = arrow.note if lost else f"{format_time(arrow.arrival_ps or 0)}"
    return (
        f'<g>{line}{head}{label}<text class="time" x="16" y="{y + 4}">{format_time(arrow.sent_ps)}</text>'
        f'<text class="note" x="{WIDTH - _RIGHT + 30}" y="{y + 4}">{escape(arrow.message)} {escape(times)}</text></g>'
    )


def _event(event: LadderEvent, y: int, places: dict[str, int]) -> str:
    x = places[event.column]
    right = x > WIDTH // 2
    return (
        f'<g><circle class="event" cx="{x}" cy="{y}" r="4"/>'
        f'<text class="time" x="16" y="{y + 4}">{format_time(event.time_ps)}</text>'
        f'<text class="event" text-anchor="{"end" if right else "start"}" x="{x - 9 if right else x + 9}" y="{y + 4}">'
        f"{escape(event.text)}</text></g>"
    )


def _traffic(traffic: Traffic, y: int) -> str:
    way = " › ".join(traffic.path)
    sent = f"{format_time(traffic.begin_ps)} to {format_time(traffic.end_ps)}"
    text = f"{traffic.direction}: {way}: {traffic.packets:,} {traffic.outcome} ({sent})"
    return f'<text class="data" x="{_LEFT - 40}" y="{y + 4}">{escape(text)}</text>'
