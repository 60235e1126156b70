"""Completion of values in a shell: procedures, measures, fields of a scenario, terms. Errors give no completion."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
COMPLETION_VARIABLE = "_HANDOFF_COMPLETE"


def completion_script(shell: str) -> str:
    """Return the script of a shell that completes the command ``handoff``."""
    from handoff.cli.root import root

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(root, {}, "handoff", COMPLETION_VARIABLE)
    return script.source_template % script.source_vars()


def _completion(names: Callable[[click.Context], Iterable[tuple[str, str]]], separator: str = "", suffix: str = "") -> Complete:
    """Return a completion by names with descriptions.

    Parameters
    ----------
    names : callable
        Returns names and descriptions.
    separator : str
        Separator of the values of an option; the last value is completed.
    suffix : str
        Text behind each name.
    """

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, found, last = incomplete.rpartition(separator) if separator else ("", "", incomplete)
        try:
            known = list(names(context))
        except (ValueError, OSError):
            return []
        return [CompletionItem(f"{before}{found}{name}{suffix}", help=text) for name, text in known if name.startswith(last)]

    return wraps(names)(complete)


def _procedures(context: click.Context) -> Iterable[tuple[str, str]]:
    from handoff.protocol.procedures import MIXTURE, PROCEDURES

    return [*((name, procedure.summary) for name, procedure in PROCEDURES.items()), (MIXTURE, "groups of the scenario")]


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


complete_procedure = _completion(_procedures)
complete_procedures = _completion(_procedures, separator=",")
complete_measures = _completion(_measures)
complete_fields = _completion(_fields, suffix="=")
complete_terms = _completion(_terms)
