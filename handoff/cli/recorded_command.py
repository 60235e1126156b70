"""The command that results record: with the options that decide them, in a fixed form.

The same study writes the same files, however it is watched, printed, interrupted or divided among threads and processes.
"""

from __future__ import annotations

import click

RESULT_OPTIONS = ("--procedure", "--procedures", "--set", "--seed", "--detail", "--series", "--slo")
"""Options of ``run`` and ``compare`` that decide the tables, in the order of the record. A target may need ``--detail``."""


def recorded_command(context: click.Context) -> list[str]:
    """Return the words behind ``handoff`` of the command that makes the tables of ``run`` or ``compare`` again."""
    options = {name: option for option in context.command.params for name in option.opts}
    words = [str(context.info_name), str(context.params["scenario"])]
    for name in RESULT_OPTIONS:
        value = context.params[options[name].name or ""] if name in options else None
        if isinstance(value, bool):
            words.append(name if value else options[name].secondary_opts[0])
        else:
            values = value if isinstance(value, tuple) else () if value is None else (value,)
            words += [word for each in values for word in (name, str(each))]
    return words
