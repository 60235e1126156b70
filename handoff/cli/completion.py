"""Completion of values in a shell: procedures, measures, fields of a scenario, terms. Errors give no completion."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

COMPLETION_VARIABLE = "_HANDOFF_COMPLETE"


def completion_script(shell: str) -> str:
    """Return the script of a shell that completes the command ``handoff``."""
    from handoff.cli.root import root

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(root, {}, "handoff", COMPLETION_VARIABLE)
    return script.source_template % script.source_vars()


def _procedures(context: click.Context) -> Iterable[tuple[str, str]]:
    from handoff.protocol.procedures import ALL_PROCEDURES, MIXTURE

    return [*((name, procedure.summary) for name, procedure in ALL_PROCEDURES.items()), (MIXTURE, "groups of the scenario")]


def _procedure_lists(context: click.Context) -> Iterable[tuple[str, str]]:
    from handoff.protocol.procedures import SETS

    return [*_procedures(context), *((word, f"{len(names)} procedures") for word, names in SETS.items())]


def _measures(context: click.Context) -> Iterable[tuple[str, str]]:
    from handoff.metrics.catalogue import MEASURES

    return [(name, measure.about) for name, measure in MEASURES.items()]


def _fields(context: click.Context) -> Iterable[tuple[str, str]]:
    from handoff.scenario.field_paths import description_at, leaf_paths
    from handoff.scenario.load import read_tables
    from handoff.scenario.overrides import SHORT_NAMES, field_names

    # While an option has no value yet, click leaves the arguments unread.
    scenario: Any = context.params.get("scenario") or next(iter(context.args), None)
    names = field_names(read_tables(scenario)[0]) if scenario is not None else [*SHORT_NAMES, *leaf_paths({})]
    return [(name, description_at(name.split("."))) for name in names]


def _terms(context: click.Context) -> Iterable[tuple[str, str]]:
    from handoff.cli.terms import all_terms

    return [(term.names[0], term.kind) for term in all_terms()]


_NAMES: dict[str, tuple[Callable[[click.Context], Iterable[tuple[str, str]]], str, str]] = {
    "procedure": (_procedures, "", ""),
    "procedures": (_procedure_lists, ",", ""),
    "pair": (_procedures, ",", ""),
    "measure": (_measures, "", ""),
    "field": (_fields, "", "="),
    "term": (_terms, "", ""),
}
"""Names of each kind of value, the separator of values of an option, of which the last is completed, and a text behind a name."""


def complete_value(kind: str, context: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return the completions of a value.

    Parameters
    ----------
    kind : {"procedure", "procedures", "pair", "measure", "field", "term"}
        Kind of the value.
    context : click.Context
        Command line so far.
    incomplete : str
        Beginning of the value.
    """
    names, separator, suffix = _NAMES[kind]
    before, found, last = incomplete.rpartition(separator) if separator else ("", "", incomplete)
    try:
        known = names(context)
    except (ValueError, OSError):
        return []
    return [CompletionItem(f"{before}{found}{name}{suffix}", help=text) for name, text in known if name.startswith(last)]
