"""``handoff diff``: two results, or two procedures, with intervals."""

from __future__ import annotations

from pathlib import Path

import click

from handoff.cli.grouped_help import Command
from handoff.cli.options import completion, csv_option, json_option, output_file_option, wide_option


@click.command(cls=Command)
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path), required=False)
@click.option(
    "--procedures", metavar="A,B", shell_complete=completion("pair"),
    help="Compare the procedure A of the first folder with B of the second, or of the same one."
)
@click.option("--metric", "measures", multiple=True, metavar="NAME", shell_complete=completion("measure"),
    help="Compare this measure. May be repeated.")
@click.option(
    "--confidence", type=click.FloatRange(0.5, 0.9999), default=0.95, show_default=True,
    help="Probability that all intervals together contain the true differences.",
)
@click.option(
    "--tolerance", default="0", show_default=True, metavar="SHARE",
    help="Share of the value in A by which B may be worse, as in '1%'.",
)
@output_file_option("--report", text="Write a report of the differences as one HTML file, which works offline.")
@json_option
@wide_option
@csv_option("Print CSV, a line for each difference.")
def diff(
    a: Path, b: Path | None, procedures: str | None, measures: tuple[str, ...], confidence: float, tolerance: str, as_json: bool,
    as_csv: bool, report: Path | None,
) -> int:  # fmt: skip
    """Compare the results in the folders A and B, or two procedures of A.

    The folders are those of -o of run, compare or sweep. Replications with the same seed are paired; single runs are compared by
    their mobile nodes. The most important differences come first.

    Example: handoff diff before after --tolerance 1%

    Exit codes: 0 nothing is certain to be worse, 2 invalid input, 3 something is worse by more than the tolerance.
    """
    from handoff.cli.diff import print_diff

    return print_diff(a, b, procedures, measures, confidence, tolerance, as_json, as_csv, report)
