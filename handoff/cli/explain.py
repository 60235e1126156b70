"""``handoff explain`` and ``handoff measures``: print terms."""

from __future__ import annotations

import shutil
import textwrap

from handoff.cli.terminal import show, show_json
from handoff.cli.terms import UNITS, all_terms, find_terms

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
        lines = (textwrap.fill(line, width, initial_indent=_INDENT, subsequent_indent=_INDENT) for line in term.text.split("\n"))
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
    from handoff.metrics.catalogue import LINK_PARTS, MEASURES, NODE_PARTS

    rows = [
        {"name": name, "unit": UNITS.get(measure.unit, measure.unit), "definition": measure.about, "source": measure.source}
        for name, measure in MEASURES.items()
    ]
    rows += [
        {"name": f"{where}.{name}", "unit": UNITS.get(part.unit, part.unit), "definition": part.about, "source": ""}
        for where, parts in (("NODE", NODE_PARTS), ("LINK", LINK_PARTS))
        for name, part in parts.items()
    ]
    if as_json:
        show_json({"measures": rows})
        return
    from handoff.cli.tables import print_cells

    columns = ("name", "unit", "definition")
    print_cells(columns, [[row[column] for column in columns] for row in rows], left=columns)
    show("\nNODE is the name of a node, as in ha.registration_wait_mean, and LINK that of a link, as in 'ha>gw0.utilisation'.")
