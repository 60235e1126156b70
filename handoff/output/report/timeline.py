"""Timeline of one handoff: the steps of each procedure, and the packets that were sent meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine import Fate
from handoff.output.ladder.view import MN, NEW, OLD, RunView
from handoff.output.report.around_section import PATH_COLOURS
from handoff.output.report.contents import Spec
from handoff.output.report.specs import nominal, quantitative, word
from handoff.output.report.study_data import MS_PER_S, Row
from handoff.output.report.wording import show_name
from handoff.output.report.worst_section import AXIS_TITLE, origin_ms, step_rows, steps_spec

_PS_PER_MS = 1e12 / MS_PER_S


def timeline_spec(handoffs: Sequence[Row], views: Mapping[str, RunView] | None = None) -> Spec:
    """Return the timeline of a handoff with a row for each procedure.

    Parameters
    ----------
    handoffs : sequence of dict
        Row of the table of handoffs for each procedure.
    views : mapping of str to RunView or None
        View of the handoff under each procedure. With it, each downstream packet is a tick at the time of its sending.
    """
    data = [step for row in handoffs for step in step_rows(row, show_name(row["procedure"]))]
    packets = [
        {"handoff": show_name(row["procedure"]), "t": sent - origin_ms(row), "path": path}
        for row in handoffs if views is not None
        for sent, path in packet_paths(views[row["procedure"]])
    ]  # fmt: skip
    if not packets:
        return steps_spec(data)
    used = [name for name in PATH_COLOURS if any(packet["path"] == name for packet in packets)]
    scale = {"domain": used, "range": [PATH_COLOURS[name] for name in used]}
    ticks = {  # the colours of steps are another scale
        "data": {"values": packets},
        "mark": {"type": "tick", "thickness": 1.5, "size": 18, "opacity": 0.8},
        "encoding": {
            "x": quantitative("t", AXIS_TITLE), "y": nominal("handoff", None),
            "fill": nominal("path", "packets", scale=scale, legend={"orient": "bottom"}),
            "tooltip": [quantitative("t", "sent at (ms)", format="+,.3f"), word("path", "path")],
        },
    }  # fmt: skip
    return steps_spec(data, [ticks])


def packet_paths(view: RunView) -> Iterator[tuple[float, str]]:
    """Yield time of sending (ms) and path (``PATH_COLOURS``) of each downstream packet in a view."""
    for journey in view.journeys:
        if journey.up or not view.begin_ps <= journey.sent_ps <= view.end_ps:
            continue
        way = view.path(journey)
        if journey.fate == Fate.DELIVERED:
            before = way[-2] if len(way) > 1 and way[-1] == MN else ""
            is_forwarded = OLD in way and NEW in way[way.index(OLD) :]
            link = "forwarded" if is_forwarded else {OLD: "old link", NEW: "new link"}.get(before, "other link")
            yield journey.sent_ps / _PS_PER_MS, link
        elif not journey.delivered and journey.copy == 0 and journey.fate != Fate.IN_FLIGHT:
            yield journey.sent_ps / _PS_PER_MS, "lost"


__all__ = ["packet_paths", "timeline_spec"]
