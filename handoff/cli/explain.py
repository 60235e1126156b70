"""``handoff explain`` and ``handoff measures``: print terms."""

from __future__ import annotations

import shutil
import textwrap

from handoff.cli.terminal import show, show_json
from handoff.cli.terms import all_terms, find_terms, measure_entries

_INDENT = "  "
_MAX_WIDTH = 100


def explain_term(query: str) -> None:
    """Print the explanation of a term.

    Raises
    ------
    ValueError
        If there is no such term.
    """
    width = min(shutil.get_terminal_size((_MAX_WIDTH, 24)).columns, _MAX_WIDTH)
    for term in find_terms(query):
        lines = (
            textwrap.fill(line, width, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False)
            for line in term.text.split("\n")
        )
        show("\n".join([f"{term.names[0]} ({term.kind})", *lines]))


def list_terms() -> None:
    """Print the names of all terms by kind."""
    kinds: dict[str, list[str]] = {}
    for term in all_terms():
        kinds.setdefault(term.kind, []).append(term.names[0])
    for kind, names in kinds.items():
        show(f"{kind}\n" + textwrap.indent("\n".join(dict.fromkeys(names)), _INDENT))


def list_measures(as_json: bool) -> None:
    """Print the measures with unit and definition."""
    entries = list(measure_entries())
    if as_json:
        show_json({"measures": [entry._asdict() for entry in entries]})
        return
    from handoff.cli.tables import print_cells

    columns = ("name", "unit", "definition")
    print_cells(columns, [[entry.name, entry.unit, entry.definition] for entry in entries], left=columns)
    show("\nNODE is the name of a node, as in ha.registration_wait_mean, and LINK that of a link, as in 'ha>gw0.utilisation'.")
