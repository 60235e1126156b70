"""``handoff init``: a scenario to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from handoff.cli.examples import example_names
from handoff.cli.grouped_help import Command
from handoff.cli.options import NameChoice

DEFAULT_EXAMPLE = "commute"


@click.command(cls=Command)
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option(
    "--from", "example", type=NameChoice("example", example_names()), default=DEFAULT_EXAMPLE, show_default=True, metavar="NAME",
    help="Example to write; --list shows them.",
)  # fmt: skip
@click.option("--list", "is_list", is_flag=True, help="List the examples, and write nothing.")
def init(path: Path | None, example: str, is_list: bool) -> None:
    """Write a commented scenario that runs, with the files that it names.

    PATH is the file, whose name ends in .toml, or a folder for it, which may be new; by default the current folder.

    Example: handoff init --from commute study.toml
    """
    from handoff.cli.init import list_examples, write_example

    if is_list:
        list_examples()
    else:
        write_example(example, path)
