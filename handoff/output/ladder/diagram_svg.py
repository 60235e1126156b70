"""Ladder diagrams as self-contained SVG, with every text printable and escaped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from handoff.output.ladder.diagram import Arrow, Header, Ladder, LadderEvent, Row, Traffic, format_time, time_of
from handoff.output.printable import printable_copy

CHARACTER = 7.2
"""Upper bound of the mean width of a character of 12 px, with which every label is placed."""
_SCALE, _TIMES, _LEFT, _RIGHT, _TOP, _ROW = 70, 100, 230, 190, 96, 26
_SLANT = 8
"""Height by which an arrow falls within its row."""
_MIN_GAP = 120
_LABEL_SPACE = 26
_STYLE = """
  svg { background: #fff; color-scheme: light dark; }
  text { font: 12px system-ui, sans-serif; fill: #1c2733; }
  .title { font-size: 15px; font-weight: 600; } .column { font-weight: 600; } .time, .note { fill: #5a6875; font-size: 11px; }
  .life, .scale { stroke: #a9b4be; } .message { stroke: #0b5cad; stroke-width: 1.6; fill: none; } .lost { stroke: #b3261e; }
  .head { fill: #0b5cad; } .event { fill: #0f7b53; } .phase { fill: #eef3f8; } .data { fill: #7a4b00; }
  @media (prefers-color-scheme: dark) {
    svg { background: #12181f; } text { fill: #e4eaf0; } .time, .note { fill: #9fb0bf; } .phase { fill: #1d2833; }
    .life, .scale { stroke: #4d5a66; } .message { stroke: #6db3ff; } .head { fill: #6db3ff; }
    .event { fill: #5fd3a2; } .data { fill: #e8b765; }
  }
"""


@dataclass(frozen=True)
class _Line:
    """One row of the picture, with its height."""

    y: int
    row: Row


def render_svg(ladder: Ladder) -> str:
    """Draw a ladder as SVG.

    Each arrow and event has a row of its own, in order of time, and an arrow falls within its row, so that no label crosses an
    arrow or another label. A second axis, on the left, is to scale; a line leads from each row to its time on that axis.
    """
    ladder = printable_copy(ladder)
    lines = [_Line(_TOP + _ROW // 2 + i * _ROW, row) for i, row in enumerate(ladder.rows())]
    gap = max([_MIN_GAP, *(round(CHARACTER * len(text)) + _LABEL_SPACE for text in _labels(ladder))])
    places = {column: _LEFT + i * gap for i, column in enumerate(ladder.columns)}
    texts = [round(8 * len(ladder.title)) + 32, *(_LEFT + round(CHARACTER * len(_packets(t))) for t in ladder.traffic)]
    width = max([_LEFT + gap * max(0, len(ladder.columns) - 1) + max(_RIGHT, gap + 20), *texts])
    height = _TOP + _ROW * (len(lines) + 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-labelledby="name">',
        f"<title id=\"name\">{escape(ladder.title)}</title><style>{_STYLE}</style>",
        f'<text class="title" x="16" y="28">{escape(ladder.title)}</text>',
        '<text class="note" x="16" y="48">blue: messages, with times (ms) at both ends; green: events; brown: data; left axis: '
        "time to scale</text>",
        *(
            f'<text class="column" text-anchor="middle" x="{x}" y="{_TOP - 18}">{escape(column)}</text>'
            for column, x in places.items()
        ),
        *_scale(ladder, lines),
    ]
    for line in lines:
        parts.append(_draw(line, places, width))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _labels(ladder: Ladder) -> Iterator[str]:
    """Yield the texts that stand between two lifelines."""
    yield from ladder.columns
    yield from (event.text for event in ladder.events)
    yield from (arrow.message for arrow in ladder.arrows)


def _draw(line: _Line, places: dict[str, int], width: int) -> str:
    row, y = line.row, line.y
    if isinstance(row, Header):
        name = f"{row.phase} (continued)" if row.continued else row.phase
        return (
            f'<rect class="phase" x="{_TIMES}" y="{y - 9}" width="{width - _TIMES - 8}" height="20" rx="4"/>'
            f'<text class="column" x="{_TIMES + 8}" y="{y + 5}">{escape(name)}</text>'
        )
    if isinstance(row, Traffic):
        return f'<text class="data" x="{_LEFT - 60}" y="{y + 4}">{escape(_packets(row))}</text>'
    top, bottom = y - _ROW // 2, y + _ROW // 2
    lives = "".join(f'<line class="life" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>' for x in places.values())
    time = f'<text class="time" x="{_TIMES}" y="{y + 4}">{format_time(time_of(row))}</text>'
    drawn = _arrow(row, y, places) if isinstance(row, Arrow) else _event(row, y, places)
    return f"<g>{lives}{time}{drawn}</g>"


def _arrow(arrow: Arrow, y: int, places: dict[str, int]) -> str:
    x1, x2 = places[arrow.source], places[arrow.target]
    step = min((abs(x - x1) for x in places.values() if x != x1 and (x > x1) == (x2 > x1)), default=0)
    middle = x1 + (step if x2 > x1 else -step) // 2  # between two lifelines
    end, back = y + _SLANT, -7 if x2 > x1 else 7
    lost = arrow.arrival_ps is None
    stop = (x1 + x2) // 2 if lost else x2
    stop += (middle - x1) // 2 if lost and stop in places.values() else 0
    line = f'<line class="message{" lost" if lost else ""}" x1="{x1}" y1="{y}" x2="{stop}" y2="{end}"/>'
    if lost:
        head = f'<path class="message lost" d="M{stop - 4} {end - 4}l8 8m0 -8l-8 8"/>'
    else:
        head = f'<polygon class="head" points="{x2},{end} {x2 + back},{end - 4} {x2 + back},{end + 4}"/>'
    label = f'<text text-anchor="middle" x="{middle}" y="{y - 2}">{escape(arrow.message)}</text>'
    times = " ".join(filter(None, ("" if arrow.arrival_ps is None else format_time(arrow.arrival_ps), arrow.note)))
    right = max(places.values()) + 20
    return f'{line}{head}{label}<text class="note" x="{right}" y="{y + 4}">{escape(f"{arrow.message} {times}")}</text>'


def _event(event: LadderEvent, y: int, places: dict[str, int]) -> str:
    x = places[event.column]
    return (
        f'<circle class="event" cx="{x}" cy="{y}" r="4"/>'
        f'<text class="event" x="{x + 9}" y="{y + 4}">{escape(event.text)}</text>'
    )


def _packets(traffic: Traffic) -> str:
    way = " › ".join(traffic.path)
    sent = f"{format_time(traffic.begin_ps)} to {format_time(traffic.end_ps)}"
    return f"{traffic.direction}: {way}: {traffic.packets:,} {traffic.outcome} ({sent})"


def _scale(ladder: Ladder, lines: list[_Line]) -> Iterator[str]:
    """Draw the axis that is to scale, with round times, and a line from it to the row of each arrow and event."""
    timed = [(line.y, time_of(line.row)) for line in lines if isinstance(line.row, (Arrow, LadderEvent))]
    if not timed:
        return
    top, bottom = timed[0][0], max(timed[-1][0], timed[0][0] + _ROW)
    begin_ps, end_ps = timed[0][1], max(timed[-1][1], timed[0][1] + 1)
    yield f'<line class="scale" x1="{_SCALE}" x2="{_SCALE}" y1="{top}" y2="{bottom}"/>'
    for y, time_ps in timed:
        at = top + (bottom - top) * (time_ps - begin_ps) // (end_ps - begin_ps)
        yield f'<line class="scale" x1="{_SCALE}" x2="{_TIMES - 4}" y1="{at}" y2="{y}"/>'
    step_ps = _round_step(-(-(end_ps - begin_ps) * 2 * _ROW // (bottom - top)))
    for time_ps in range(-(-begin_ps // step_ps) * step_ps, end_ps + 1, step_ps):
        at = top + (bottom - top) * (time_ps - begin_ps) // (end_ps - begin_ps)
        yield f'<line class="scale" x1="{_SCALE - 5}" x2="{_SCALE}" y1="{at}" y2="{at}"/>'
        label = format_time(time_ps).rstrip("0").rstrip(".")
        yield f'<text class="time" text-anchor="end" x="{_SCALE - 8}" y="{at + 4}">{label}</text>'


def _round_step(at_least_ps: int) -> int:
    """Return the smallest of 1, 2 or 5 times a power of ten, in ps, that is not below a time."""
    power: int = 10 ** len(str(max(1, at_least_ps)))
    return min(step for step in (power // 10, power // 5, power // 2, power) if step >= at_least_ps)
