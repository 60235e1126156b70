"""Output of the commands: everything that is printed goes through this module, which makes foreign names inert.

Names come from captures, logs, scenarios and datasets of other people. In JSON they are true; everywhere else each unprintable
character is an escape (``handoff.output.printable``).
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from handoff.output.printable import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

MIN_PIPE_WIDTH = 200
"""Width of output that is not a terminal; wider tables widen it."""
JSON_VERSION = 1
"""Version of all JSON documents: a larger one has other names, units or meanings. New names do not change it."""
ONE_FORMAT = "--json and --csv: give one of them"
LAYOUT = "\n\t"
"""Characters that the commands themselves use to lay out text."""


def show(text: str) -> None:
    """Print lines on standard output."""
    print(printable(text, LAYOUT))


def report(text: str) -> None:
    """Print lines on standard error, at once."""
    print(printable(text, LAYOUT), file=sys.stderr, flush=True)


def show_json(document: Mapping[str, Any], *, default: Callable[[Any], Any] | None = None) -> None:
    """Print a document with its version as JSON, with the true names, in ASCII without control characters."""
    text = json.dumps({"version": JSON_VERSION, **document}, indent=2, allow_nan=default is not None, default=default)
    print(text.replace("\x7f", "\\u007f"))


def show_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table as CSV; a value that was not measured is empty."""
    lines = csv.writer(sys.stdout, lineterminator="\n")
    for row in (columns, *rows):
        lines.writerow([printable(value) if isinstance(value, str) else value for value in row])


def show_table(table: RenderableType, width: int) -> None:
    """Print a table of rich whose cells are :func:`cell`, without blanks at the ends of lines.

    Parameters
    ----------
    table : RenderableType
        Table to print.
    width : int
        Least width of the output in columns.
    """
    from rich.console import Console

    console = Console()
    console.width = max(width, console.width if console.is_terminal else MIN_PIPE_WIDTH)
    with console.capture() as capture:
        console.print(table)
    print("\n".join(line.rstrip() for line in capture.get().splitlines()))
