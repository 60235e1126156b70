"""Ladder diagrams as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from handoff.output.ladder.diagram import Arrow, Header, Ladder, LadderEvent, Traffic, format_time
from handoff.output.printable import printable_copy

_TIME = 12
"""Width of the column of times."""
_MIN_COLUMN, _NARROW_COLUMN, _WIDE_COLUMN = 9, 7, 12
"""Width of a column beside the times of arrival; of one on a narrow terminal, where these times take lines of their own; and of
one on a terminal that is too narrow for any diagram."""
_ARRIVAL_WIDTH = 14
"""Space for the time of arrival behind the last column."""
_MIN_SCALE = 20
DEFAULT_WIDTH = 130
"""Columns of a diagram that is not on a terminal: in a page, a report or a pipe."""
_MIN_TITLE = 40


def render_text(ladder: Ladder, width: int = DEFAULT_WIDTH) -> str:
    """Draw a ladder as text: lifelines, an arrow for each message in order of sending, and its time of arrival.

    Rows follow each other in order of time, whatever the time between them. The phases follow below, to scale.

    Parameters
    ----------
    ladder : Ladder
        Diagram to draw.
    width : int
        Width of the terminal. Longer lines are folded, unless the terminal is too narrow for columns of 7 characters.

    Returns
    -------
    str
        Lines without a final newline.
    """
    ladder = printable_copy(ladder)
    count = max(1, len(ladder.columns))
    step = (width - _TIME - _ARRIVAL_WIDTH) // count
    if step < _MIN_COLUMN:
        step = min(_MIN_COLUMN, (width - _TIME) // count)
    fits = step >= _NARROW_COLUMN
    step = step if fits else _WIDE_COLUMN
    places = {column: _TIME + i * step + step // 2 for i, column in enumerate(ladder.columns)}
    lines = [*textwrap.wrap(ladder.title, max(width, _MIN_TITLE)), "", _labels(places, ladder.columns, step)]
    for row in ladder.rows():
        if isinstance(row, Header):
            name = f"{row.phase} (continued)" if row.continued else row.phase
            lines.append(f"{'-- ' + name + ' ':-<{_TIME + step * len(ladder.columns)}}")
        elif isinstance(row, Traffic):
            lines.append(_packets(row))
        else:
            lines.append(_arrow(row, places) if isinstance(row, Arrow) else _event(row, places))
    if fits:
        lines = [part for line in lines for part in _fold(line.rstrip(), width)]
    return "\n".join(line.rstrip() for line in [*lines, *_scale(ladder, width)])


def _fold(line: str, width: int) -> list[str]:
    """Break a line into parts that are no longer than the width, if possible before a time of arrival, else at a blank."""
    if len(line) <= width:
        return [line]
    at = line.rfind("  at ", _TIME, width + 1)
    at = line.rfind(" ", _TIME + 1, width + 1) if at < 0 else at
    at = width if at < 0 else at
    indent = " " * min(_TIME, width // 2)
    return [line[:at].rstrip(), *_fold(indent + line[at:].strip(), width)]


def _scale(ladder: Ladder, terminal: int) -> Iterator[str]:
    """Yield a bar for each phase, along one axis of time; a phase that another one interrupts has several parts."""
    if not ladder.intervals:
        return
    begin_ps, end_ps = ladder.intervals[0][0], ladder.end_ps
    margin = max(_TIME, *(len(phase) + 2 for phase in ladder.phases))
    width = max(_MIN_SCALE, terminal - margin)
    per_character_ps = -(-(end_ps - begin_ps) // width) or 1
    yield ""
    yield f"to scale, one character for {format_time(per_character_ps)} ms, from {format_time(begin_ps)} to {format_time(end_ps)}"
    for phase in ladder.phases:
        bar = [" "] * width
        for start_ps, stop_ps, name in ladder.intervals:
            if name == phase:
                first, last = ((t - begin_ps) // per_character_ps for t in (start_ps, stop_ps))
                bar[first : max(first + 1, last)] = "=" * (max(first + 1, last) - first)
        yield f"{phase:<{margin}}{''.join(bar)}"


def _labels(places: dict[str, int], columns: tuple[str, ...], step: int) -> str:
    line = f"{'ms':>{_TIME - 2}}"
    for column in columns:
        label = column[: step - 1]
        line = line.ljust(places[column] - len(label) // 2) + label
    return line


def _packets(traffic: Traffic) -> str:
    return (
        f"{'':{_TIME}}{traffic.direction}: {' > '.join(traffic.path)}: {traffic.packets:,} "
        f"packet{'s' if traffic.packets != 1 else ''} {traffic.outcome}, "
        f"sent {format_time(traffic.begin_ps)} to {format_time(traffic.end_ps)}"
    )


def _lifelines(places: dict[str, int], time_ps: int) -> list[str]:
    line = list(f"{format_time(time_ps):>{_TIME - 2}}".ljust(max(places.values(), default=0) + 2))
    for place in places.values():
        line[place] = "|"
    return line


def _arrow(arrow: Arrow, places: dict[str, int]) -> str:
    line = _lifelines(places, arrow.sent_ps)
    left, right = sorted((places[arrow.source], places[arrow.target]))
    line[left + 1 : right] = "-" * (right - left - 1)
    rightward = places[arrow.target] > places[arrow.source]
    head = "X" if arrow.arrival_ps is None else ">" if rightward else "<"
    line[right - 1 if rightward else left + 1] = head
    label = f" {arrow.message} "[: max(0, right - left - 3)]
    middle = (left + right + 1 - len(label)) // 2
    line[middle : middle + len(label)] = label
    arrival = "" if arrow.arrival_ps is None else f"at {format_time(arrow.arrival_ps)}"
    return "".join(line).rstrip() + "  " + " ".join(filter(None, (arrival, arrow.note)))


def _event(event: LadderEvent, places: dict[str, int]) -> str:
    line = _lifelines(places, event.time_ps)
    place = places[event.column]
    line[place] = "*"
    text = f" {event.text} "
    before = place - len(text)
    start = before if before >= _TIME and len(line) < place + 1 + len(text) else place + 1
    line[start : start + len(text)] = text
    return "".join(line)
