"""Contents of an interactive ladder: messages with their fields, events, phases, and every packet on its way, times in ms."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from engine.quantities import DURATION
from handoff.output.ladder.diagram import Ladder
from handoff.output.ladder.journeys import Journey
from handoff.output.ladder.view import RunView
from handoff.output.printable import printable_copy

MAX_LINES = 4000
"""Legs of packets in one diagram; of more packets, it has every n-th one."""
_PS_PER_MS = DURATION.units["ms"]


def timeline(view: RunView, ladder: Ladder) -> dict[str, Any]:
    """Return a ladder with its packets as values for JSON. All texts are printable.

    Parameters
    ----------
    view : RunView
        The part of a run.
    ladder : Ladder
        The same as a diagram (:func:`handoff.output.ladder.collect.ladder_of`).

    Returns
    -------
    dict of str to value
        ``title``; ``columns``; ``begin`` (ms since the start of the run) and ``end``, like all times in ms since ``begin``;
        ``phases`` (begin, end, name); ``messages``; ``events``; ``packets`` in order of time, each a list of legs (column and
        time of both ends, and kind: 0 down, 1 up, 2 lost); ``count`` (number of all packets).
    """
    ladder = printable_copy(ladder)
    place = {column: i for i, column in enumerate(ladder.columns)}

    def since(time_ps: int) -> float:
        return (time_ps - view.begin_ps) / _PS_PER_MS

    packets = [legs for journey in view.journeys if (legs := list(_packet_legs(view, journey, place)))]
    packets.sort(key=lambda legs: legs[0][1])
    every = -(-sum(map(len, packets)) // MAX_LINES) or 1
    return {
        "title": ladder.title,
        "columns": list(ladder.columns),
        "begin": view.begin_ps / _PS_PER_MS,
        "end": since(view.end_ps),
        "phases": [[since(a), since(b), name] for a, b, name in ladder.intervals],
        "messages": [
            {
                "name": arrow.message, "from": place[arrow.source], "to": place[arrow.target], "sent": since(arrow.sent_ps),
                "arrival": None if arrow.arrival_ps is None else since(arrow.arrival_ps), "phase": arrow.phase,
                "note": arrow.note, "bytes": arrow.size_bytes, "facts": [list(fact) for fact in arrow.facts],
            }
            for arrow in ladder.arrows
        ],
        "events": [
            {"time": since(e.time_ps), "column": place[e.column], "text": e.text, "phase": e.phase} for e in ladder.events
        ],
        "packets": [[[a, since(t), b, since(u), kind] for a, t, b, u, kind in legs] for legs in packets[::every]],
        "count": len(packets),
    }  # fmt: skip


def _packet_legs(view: RunView, journey: Journey, place: dict[str, int]) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield the legs of a copy between columns; a copy that ends on its way has a last leg of no length."""
    stops = [stop for stop in journey.stops() if stop.node in view.columns]
    kind = 1 if journey.up else 0
    for stop, following in pairwise(stops):
        if stop.leave_ps is not None and following.arrival_ps >= view.begin_ps and stop.leave_ps <= view.end_ps:
            yield place[view.columns[stop.node]], stop.leave_ps, place[view.columns[following.node]], following.arrival_ps, kind
    if stops and not journey.received and not journey.delivered and view.begin_ps <= journey.ended_ps <= view.end_ps:
        column = place[view.columns[stops[-1].node]]
        yield column, journey.ended_ps, column, journey.ended_ps, 2
