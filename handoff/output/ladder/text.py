"""Ladder diagrams as text."""

from __future__ import annotations

from collections.abc import Iterator

from handoff.output.ladder.diagram import Arrow, Ladder, LadderEvent, Traffic, format_time

_TIME = 12
"""Width of the column of times."""
_MIN_COLUMN = 12
_ARRIVAL_WIDTH = 14
"""Space for the time of arrival behind the last column."""


def render_text(ladder: Ladder, width: int = 120) -> str:
    """Draw a ladder as text: lifelines, an arrow for each message in order of sending, and its time of arrival.

    Parameters
    ----------
    ladder : Ladder
        Diagram to draw.
    width : int
        Width of the terminal. Columns have at least 12 characters even if the terminal is too narrow.

    Returns
    -------
    str
        Lines without a final newline.
    """
    step = max(_MIN_COLUMN, (width - _TIME - _ARRIVAL_WIDTH) // max(1, len(ladder.columns)))
    places = {column: _TIME + i * step + step // 2 for i, column in enumerate(ladder.columns)}
    lines = [ladder.title, "", _labels(places, ladder.columns, step)]
    for phase in ladder.phases:
        lines.append(f"{'-- ' + phase + ' ':-<{_TIME + step * len(ladder.columns)}}")
        lines += [_packets(t) for t in ladder.traffic if t.phase == phase]
        lines += _events(ladder, phase, places)
    return "\n".join(line.rstrip() for line in lines)


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


def _events(ladder: Ladder, phase: str, places: dict[str, int]) -> Iterator[str]:
    things: list[tuple[int, int, Arrow | LadderEvent]] = [(a.sent_ps, 1, a) for a in ladder.arrows if a.phase == phase]
    things += [(m.time_ps, 0, m) for m in ladder.events if m.phase == phase]
    for _, _, thing in sorted(things, key=lambda x: x[:2]):
        yield _arrow(thing, places) if isinstance(thing, Arrow) else _event(thing, places)


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
    return "".join(line).rstrip() + "  " + (f"at {format_time(arrow.arrival_ps)}" if arrow.arrival_ps is not None else arrow.note)


def _event(event: LadderEvent, places: dict[str, int]) -> str:
    line = _lifelines(places, event.time_ps)
    place = places[event.column]
    line[place] = "*"
    text = f" {event.text} "
    start = place + 1 if place + 1 + len(text) <= len(line) or place - len(text) < _TIME else place - len(text)
    line[start : start + len(text)] = text
    return "".join(line)
