"""``handoff ladder``: one handoff as a sequence diagram."""

from __future__ import annotations

from typing import Any

import click

from handoff.cli.options import output_file_option, procedure_option, scenario_argument, seed_option, set_option


@click.command()
@scenario_argument
@procedure_option
@click.option("--mn", required=True, help="Mobile node: its name, or its number, counted from 0.")
@click.option("--handoff", type=click.IntRange(min=0), required=True, help="Number of the mobile node's handoff, counted from 0.")
@output_file_option("-o", "--output", text="Write the diagram as SVG into FILE instead of printing it as text.")
@seed_option()
@set_option
def ladder(**options: Any) -> None:
    """Draw one handoff of a SCENARIO as a sequence diagram.

    The diagram shows messages, events and data packets, phase by phase.

    Example: handoff ladder examples/commute.toml --procedure sync-mipv4 --mn mn7 --handoff 3
    """
    from handoff.cli.ladder import ladder_command

    ladder_command(**options)
