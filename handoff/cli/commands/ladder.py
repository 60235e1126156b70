"""``handoff ladder``: one handoff as a sequence diagram."""

from __future__ import annotations

from typing import Any

import click

from handoff.cli.options import output_file_option, procedure_option, scenario_argument, seed_option, set_option


@click.command()
@scenario_argument
@procedure_option
@click.option("--mn", required=True, help="Mobile node: its name, or its number, counted from 0.")
@click.option("--handoff", type=click.IntRange(min=0), help="Number of the mobile node's handoff, counted from 0.")
@click.option("--registration", is_flag=True, help="Draw the mobile node's first registration instead of a handoff.")
@output_file_option("-o", "--output", text="Write the diagram as SVG into FILE instead of printing it as text.")
@seed_option()
@set_option
def ladder(**options: Any) -> None:
    """Draw one handoff, or the first registration, of a mobile node of a SCENARIO as a sequence diagram.

    The diagram shows messages, events and data packets, phase by phase.

    Example: handoff ladder examples/commute.toml --procedure sync-mipv4 --mn mn7 --handoff 3
    """
    from handoff.cli.ladder import ladder_command

    if options.pop("registration") == (options["handoff"] is not None):
        raise click.UsageError("give either --handoff or --registration")
    ladder_command(**options)
