"""``handoff schema``: the keys of a scenario file, for editors and people."""

from __future__ import annotations

import click

from handoff.cli.grouped_help import Command


@click.command(cls=Command)
@click.option("--markdown", "is_markdown", is_flag=True, help="Print a page with tables of all keys instead (docs/keys.md).")
def schema(is_markdown: bool) -> None:
    """Print the JSON schema of scenario files.

    Editors complete, explain and check a scenario by it: write the schema into a file, and name it in the first line of the
    scenario, as '#:schema handoff.schema.json'.

    Example: handoff schema > handoff.schema.json
    """
    import json

    from handoff.cli.terminal import show
    from handoff.scenario.schema import build_schema, markdown_page

    show(markdown_page() if is_markdown else json.dumps(build_schema(), indent=2))
