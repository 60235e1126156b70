"""``handoff compare``: several procedures on the same packets."""

from __future__ import annotations

from typing import Any

import click

from handoff.cli.options import study_options


@click.command()
@study_options
@click.option(
    "--procedures", default="all", show_default=True, metavar="NAMES",
    help="Names of the procedures, separated by commas. 'mixture' runs those of the scenario's [[mixture]] together.",
)
def compare(procedures: str, **options: Any) -> int:
    """Compare procedures on the same packets and random draws.

    Example: handoff compare examples/commute.toml --procedures mipv4,sync-mipv4
    """
    from handoff.cli.run import run_study
    from handoff.protocol.procedures import parse_names

    return run_study(parse_names(procedures), **options)
