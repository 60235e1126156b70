"""``handoff report``: the report of a folder of results."""

from __future__ import annotations

from pathlib import Path

import click

from handoff.cli.grouped_help import Command
from handoff.cli.options import completion, output_file_option


@click.command(cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@output_file_option("-o", "--output", text="Write the report into FILE.  [default: report.html in DIR]")
@click.option(
    "--slo", multiple=True, metavar="TARGET", shell_complete=completion("measure"),
    help="Judge the results by a target, as in 'loss_ratio<=1%'; its limit is a line in the curves of a sweep. May be repeated.",
)
def report(folder: Path, output: Path | None, slo: tuple[str, ...]) -> None:
    """Write the report of the results in DIR as one HTML file, which works offline.

    DIR is the folder that 'handoff run', 'handoff compare', 'handoff sweep' or 'handoff plan' has written with -o.

    Example: handoff report results -o report.html
    """
    from handoff.cli.report import report_command

    report_command(folder, output or folder / "report.html", slo)
