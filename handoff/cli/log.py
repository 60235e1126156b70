"""Messages beside results and progress, by the module ``logging``: ``-v`` shows more of them on stderr, ``-q`` fewer.

The logger ``handoff`` and those below it are printed. ``logging`` is imported for the first message that is shown: most commands
print none.
"""

from __future__ import annotations

import functools
from enum import IntEnum
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from logging import Logger, LogRecord

_META = "handoff.verbosity"


class Level(IntEnum):
    """Levels of messages, with the numbers of ``logging``."""

    DEBUG = 10
    """Steps of a command, with numbers of the scenario."""
    INFO = 20
    """Decisions of a command, such as to leave out metrics that would take too much memory."""
    WARNING = 30
    """Damaged input, points that are left out, and failed runs, while the command goes on."""
    ERROR = 40
    """Threshold above all messages of this module: the reason for a failed command is printed without it, in any case."""


_BY_VERBOSITY = {-2: Level.ERROR, -1: Level.WARNING, 0: Level.INFO, 1: Level.DEBUG}
_state = {"level": Level.INFO}


def log(level: Level, text: str) -> None:
    """Print a message on stderr if its level is shown."""
    if level >= _state["level"]:
        _logger().log(level, "%s", text)


def is_quiet() -> bool:
    """Return whether ``-q`` was given: progress is not shown then, unless ``--progress`` was given too."""
    return _state["level"] > Level.INFO


def change_verbosity(context: click.Context, parameter: click.Parameter, value: int) -> None:
    """Callback of ``-v`` and ``-q``: change the level by the number of options, before and after the name of the command."""
    meta = context.find_root().meta
    meta[_META] = meta.get(_META, 0) + (value if parameter.name == "verbose" else -value)
    _state["level"] = _BY_VERBOSITY[max(min(meta[_META], max(_BY_VERBOSITY)), min(_BY_VERBOSITY))]
    if _state["level"] == Level.DEBUG:
        _logger()


def verbosity_options() -> list[click.Option]:
    """Return the options ``-v`` and ``-q``."""
    texts = {
        "verbose": "Print the steps of the command as well.",
        "quiet": "Print neither notes nor progress; twice: no warnings either.",
    }
    return [
        click.Option([f"-{name[0]}", f"--{name}"], count=True, expose_value=False, callback=change_verbosity, help=text)
        for name, text in texts.items()
    ]


def _logger() -> Logger:
    """Return the logger with the present level."""
    logger = _build_logger()
    logger.setLevel(_state["level"])
    return logger


@functools.cache
def _build_logger() -> Logger:
    import logging

    class StderrHandler(logging.Handler):
        """Handler that makes foreign names inert (``handoff.cli.terminal``)."""

        def emit(self, record: LogRecord) -> None:
            from handoff.cli.terminal import report

            report(self.format(record))

    logger = logging.getLogger("handoff")
    logger.addHandler(StderrHandler())
    return logger
