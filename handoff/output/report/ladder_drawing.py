"""Ladder diagrams as drawings of a report."""

from __future__ import annotations

from handoff.output.ladder.diagram import Ladder
from handoff.output.ladder.diagram_svg import render_svg
from handoff.output.ladder.diagram_text import render_text
from handoff.output.printable import printable
from handoff.output.report.contents import Drawing


def draw_ladder(ladder: Ladder) -> Drawing:
    """Return a ladder diagram as a drawing, with the same as text."""
    return Drawing(printable(ladder.title), render_svg(ladder), render_text(ladder))


__all__ = ["draw_ladder"]
