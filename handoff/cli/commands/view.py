"""``handoff view``: the results in a folder as pages in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from handoff.cli.grouped_help import Command
from handoff.cli.options import completion


@click.command(cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="PORT", help="Port of the server.  [default: a free one]"
)  # fmt: skip
@click.option("--open/--no-open", "opens", default=True, help="Open the browser.  [default: open]")
@click.option(
    "--slo", multiple=True, metavar="TARGET", shell_complete=completion("measure"),
    help="Judge the results by a target in the report, as in 'loss_ratio<=1%'. May be repeated.",
)  # fmt: skip
@click.option(
    "--scenario", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Scenario file of the study, which ladders need.  [default: the one that the tables name]",
)  # fmt: skip
def view(folder: Path, port: int | None, opens: bool, slo: tuple[str, ...], scenario: Path | None) -> None:
    """Show the results in DIR in the browser: the report, every handoff in lists, and each handoff with its ladder.

    DIR is the folder that 'handoff run', 'handoff compare', 'handoff sweep' or 'handoff plan' has written with -o. The pages are
    served on this machine only, at an address that has a secret; Ctrl-C ends the server.

    Example: handoff view results
    """
    from handoff.cli.view.command import view_command

    view_command(folder, port or 0, opens, slo, scenario)
