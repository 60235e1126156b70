"""``handoff measures``: the list of measures."""

from __future__ import annotations

import click

from handoff.cli.grouped_help import Command
from handoff.cli.options import json_option


@click.command(cls=Command)
@json_option
def measures(as_json: bool) -> None:
    """List the measures with unit and definition.

    A measure can be a target (--slo), a column of a sweep (--metric) and a term of 'handoff explain'.

    Example: handoff measures --json
    """
    from handoff.cli.explain import list_measures

    list_measures(as_json)
