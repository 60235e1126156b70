"""An interactive ladder as one HTML file: zoom, details of a message, packets, phases, neighbouring handoffs, choice of nodes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Environment

from handoff.output.html_page import content_policy, make_environment, read_part

_PACKAGE = "handoff.output.ladder"


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
