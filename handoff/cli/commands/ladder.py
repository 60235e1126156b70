"""``handoff ladder``: one handoff as a sequence diagram, or a figure of the seed document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from handoff.cli.grouped_help import Command
from handoff.cli.options import procedure_option, seed_option, set_option


@click.command(cls=Command)
@click.argument("scenario", type=click.Path(path_type=Path), required=False)
@procedure_option(required=False)
@click.option("--mn", help="Mobile node: its name, or its number, counted from 0.")
@click.option("--handoff", type=click.IntRange(min=0), help="Number of the mobile node's handoff, counted from 0.")
@click.option("--registration", is_flag=True, help="Draw the mobile node's first registration instead of a handoff.")
@click.option(
    "--figure", metavar="NUMBER",
    help="Draw the network in the procedure, scenario and phase of a figure of the patent application, as in 12A; 'all' draws "
    "every figure. The default SCENARIO is then the example figures.toml, and the default handoff the first one of that kind.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Write the diagram into FILE instead of printing it as text: as SVG, or as --format says; with '--figure all', one file "
    "for each figure into the folder FILE.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "svg", "html", "mermaid"]),
    help="Form of the diagram. A page (html) has zoom, details of messages, packets and the neighbouring handoffs.  "
    "[default: text, and for FILE what its name ends in: .html, .mmd, else SVG]",
)  # fmt: skip
@seed_option()
@set_option
def ladder(**options: Any) -> None:
    """Draw one handoff or first registration of a SCENARIO as a sequence diagram, or one figure of the patent
    application.

    The diagram shows messages, events and data packets, phase by phase.

    Example: handoff ladder examples/commute.toml --procedure sync-mipv4 --mn mn7 --handoff 3
    """
    from handoff.cli.ladder import figure_command, ladder_command

    registration = options.pop("registration")
    if options["figure"] is not None:
        if options.pop("form") is not None:
            raise click.UsageError("--format: leave it out; a figure is printed as text, and written as SVG")
        if options.pop("procedure") is not None or registration:
            raise click.UsageError("--procedure, --registration: leave them out; a figure has its procedure and phase")
        figure_command(**options)
        return
    options.pop("figure")
    required = {"scenario": "SCENARIO", "procedure": "--procedure", "mn": "--mn"}
    missing = [text for name, text in required.items() if options[name] is None]
    if registration == (options["handoff"] is not None):
        missing.append("either --handoff or --registration")
    if missing:
        raise click.UsageError(f"give {' and '.join(missing)}, or a --figure")
    ladder_command(**options)
