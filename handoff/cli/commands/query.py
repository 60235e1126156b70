"""``handoff query``: SQL on the dataset of a sweep."""

from __future__ import annotations

from pathlib import Path

import click

from handoff.cli.options import json_option


@click.command()
@click.argument("sql")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table.")
def query(sql: str, folder: Path, as_json: bool, as_csv: bool) -> None:
    """Query the dataset DIR of a sweep in SQL.

    The tables are runs, nodes, links, batches and points (docs/sweeps.md).

    Example: handoff query 'select procedure, avg(lost) from runs join points using (point) group by procedure' results
    """
    from handoff.cli.query import print_query

    print_query(sql, folder, as_json=as_json, as_csv=as_csv)
