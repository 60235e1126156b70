"""An interactive ladder as one HTML file: zoom, details of a message, packets, phases, neighbouring handoffs, choice of nodes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Environment

from handoff.output.html_page import content_policy, make_environment, read_part
from handoff.output.ladder.collect import ladder_of
from handoff.output.ladder.diagram_text import render_text
from handoff.output.ladder.timeline import timeline
from handoff.output.ladder.view import RunView

_PACKAGE = "handoff.output.ladder"
NEIGHBOURS = 10
"""Handoffs before and after the chosen one in a page."""


def draw_ladder_page(views: Sequence[RunView], handoff: int | None = None) -> str:
    """Return views of successive handoffs of one mobile node, or of one first registration, as a page.

    Parameters
    ----------
    views : sequence of RunView
        The chosen handoff and, as a rule, ``NEIGHBOURS`` before and after it.
    handoff : int or None
        Number of the handoff that is shown first; None for a first registration.
    """
    chosen = next((i for i, view in enumerate(views) if view.facts.get("index") == handoff), 0)
    ladders = [ladder_of(view) for view in views]
    timelines = [timeline(view, ladder) for view, ladder in zip(views, ladders, strict=True)]
    return render_ladder_page(timelines, list(map(render_text, ladders)), chosen)


def render_ladder_page(timelines: Sequence[dict[str, Any]], texts: Sequence[str], chosen: int = 0) -> str:
    """Return ladders as HTML, which needs no network and no other file.

    Parameters
    ----------
    timelines : sequence of dict
        Ladders (:func:`handoff.output.ladder.timeline.timeline`) of successive handoffs of one mobile node.
    texts : sequence of str
        Each of them as text, for readers without script or sight.
    chosen : int
        Index of the ladder that is shown first.
    """
    script, style = _parts()
    return _environment().get_template("ladder_page.html.j2").render(
        title=timelines[chosen]["title"], timelines=list(timelines), texts=list(texts), chosen=chosen, script=script, style=style,
        policy=ladder_policy(),
    )  # fmt: skip


def ladder_policy() -> str:
    """Return the content security policy of the page."""
    return content_policy(*_parts())


def _parts() -> tuple[str, str]:
    return read_part(_PACKAGE, "ladder_page.js"), read_part(_PACKAGE, "ladder_page.css")


@cache
def _environment() -> Environment:
    return make_environment(_PACKAGE)
