"""``handoff procedures``: the list of procedures."""

from __future__ import annotations

import click

from handoff.cli.grouped_help import Command
from handoff.cli.options import json_option, wide_option

_FIELDS = ("name", "family", "anchor", "marker", "figures")


@click.command(cls=Command)
@json_option
@wide_option
def procedures(as_json: bool) -> None:
    """List the procedures.

    The list names family, anchor, marker, figures of the seed and RFCs of each procedure.

    Example: handoff procedures --json
    """
    from handoff.cli.terminal import show_json
    from handoff.protocol.procedures import ALL_PROCEDURES

    rows = [{field: getattr(procedure, field) for field in _FIELDS} for procedure in ALL_PROCEDURES.values()]
    if as_json:
        more = [{"summary": procedure.summary, "rfcs": list(procedure.rfcs)} for procedure in ALL_PROCEDURES.values()]
        show_json({"procedures": [row | rest for row, rest in zip(rows, more, strict=True)]})
        return
    from handoff.cli.legend import print_legend
    from handoff.cli.tables import print_cells

    summaries = [f"{procedure.summary} ({', '.join(procedure.rfcs)})" for procedure in ALL_PROCEDURES.values()]
    cells = [[*(value or "-" for value in row.values()), summary] for row, summary in zip(rows, summaries, strict=True)]
    columns = (*_FIELDS, "summary")
    print_cells(columns, cells, left=columns, folded="summary")
    print_legend(("anchor", "marker", "figures"))
