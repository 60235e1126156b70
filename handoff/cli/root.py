"""The root command ``handoff``.

The modules of the subcommands declare arguments, options and help texts. They import the simulator only when the command runs,
so that every help text appears at once.
"""

from __future__ import annotations

import click

from handoff.cli.command_group import CommandGroup

_COMMANDS = (
    "compare", "completion", "diff", "dissector", "explain", "init", "ladder", "measures", "plan", "procedures", "query",
    "report", "run", "schema", "sweep", "trace", "validate", "view",
)  # fmt: skip


@click.group(
    cls=CommandGroup,
    modules={name: f"handoff.cli.commands.{name}" for name in _COMMANDS},
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(None, "-V", "--version", package_name="handoff-sim")
def root() -> None:
    """Simulate Mobile IP handoff procedures on real traffic and movement.

    Handoff counts the packets that each procedure loses, delays, duplicates and reorders, and the signalling that it costs.

    Example: handoff compare examples/commute.toml

    Exit codes: 0 success, 1 failure, 2 invalid input, 3 targets missed, 130 interrupted (128 + the signal).
    """
