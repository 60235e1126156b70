"""``handoff query``: SQL on the folder of a command."""

from __future__ import annotations

from pathlib import Path

import click

from handoff.cli.grouped_help import Command
from handoff.cli.options import csv_option, json_option, wide_option


@click.command(cls=Command)
@click.argument("sql")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@json_option
@wide_option
@csv_option("Print CSV instead of a table.")
def query(sql: str, folder: Path, as_json: bool, as_csv: bool) -> None:
    """Query the folder DIR that -o wrote in SQL.

    The tables of run and compare are runs, handoffs, flows, links, nodes, groups and series (docs/procedures.md), those of
    sweep and plan runs, nodes, links, batches, groups and points (docs/sweeps.md).

    Example: handoff query 'select procedure, avg(lost) from runs join points using (point) group by procedure' results
    """
    from handoff.cli.query import print_query

    print_query(sql, folder, as_json=as_json, as_csv=as_csv)
