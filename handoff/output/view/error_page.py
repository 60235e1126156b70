"""Page that says why another one cannot be shown, with a link to the report."""

from __future__ import annotations

from handoff.output.printable import printable
from handoff.output.view.frame import ViewPage, render_frame


def render_error(title: str, problem: str) -> ViewPage:
    """Return the page of an error.

    Parameters
    ----------
    title : str
        Kind of the error, such as ``404 Not Found``.
    problem : str
        What is wrong; it may have several lines, and names of another person.
    """
    return render_frame("error.html.j2", (), title, "", lines=[printable(line) for line in problem.split("\n")])
