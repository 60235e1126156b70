"""Output of the commands: everything that is printed goes through this module, which makes foreign names inert.

Names come from captures, logs, scenarios and datasets of other people. In JSON they are true; everywhere else each unprintable
character is an escape (``handoff.output.printable``).
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from handoff.output.printable import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDE = "handoff.wide"
"""Key of ``--wide`` in the context of a command."""
JSON_VERSION = 1
"""Version of all JSON documents: a larger one has other names, units or meanings. New names do not change it."""
ONE_FORMAT = "--json and --csv: give one of them"
MIN_WRAPPED_WIDTH = 40
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


def output_width() -> int | None:
    """Return the columns of the terminal; None where everything is printed: with ``--wide``, in a pipe and in a file."""
    context = click.get_current_context(silent=True)
    if (context is not None and context.meta.get(WIDE)) or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def show_wrapped(text: str, width: int | None, indent: int = 0) -> None:
    """Print prose in lines of at most ``width`` columns."""
    margin = " " * indent
    lines = [text] if width is None else textwrap.wrap(text, max(width, MIN_WRAPPED_WIDTH) - indent)
    show("\n".join(margin + line for line in lines))


def show_table(table: RenderableType, width: int) -> None:
    """Print a table of rich, whose cells are printable already, without blanks at the ends of lines.

    Parameters
    ----------
    table : RenderableType
        Table to print.
    width : int
        Width of the table in columns.
    """
    from rich.console import Console

    console = Console(width=width, height=1)  # without a height, a dumb terminal always has 80 columns
    with console.capture() as capture:
        console.print(table)
    print("\n".join(line.rstrip() for line in capture.get().splitlines()))
