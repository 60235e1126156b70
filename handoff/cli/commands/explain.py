"""``handoff explain``: the meaning of a term."""

from __future__ import annotations

import click

from handoff.cli.grouped_help import Command
from handoff.cli.options import completion


@click.command(cls=Command)
@click.argument("term", nargs=-1, shell_complete=completion("term"))
@click.option("--list", "is_list", is_flag=True, help="List all terms.")
def explain(term: tuple[str, ...], is_list: bool) -> None:
    """Explain a TERM: of Mobile IP and of this program, a procedure, a message, a measure, or a key of a scenario file.

    Examples:
    \b
        handoff explain marker
        handoff explain loss_ratio
        handoff explain options.bicast
        handoff explain I/II/III
        handoff explain "HO COMMAND"
    """
    from handoff.cli.explain import explain_term, list_terms

    if is_list == bool(term):
        raise click.UsageError("give a TERM, or --list")
    if is_list:
        list_terms()
    else:
        explain_term(" ".join(term))
