"""Ctrl-C: the first one ends a command in order, the second one at once."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

from handoff.cli.terminal import report


class InterruptHandler:
    """Handler of SIGINT, installed when it is made.

    The first Ctrl-C lets the work in progress finish, so that complete results can be written. The second one raises
    KeyboardInterrupt.

    Parameters
    ----------
    doing : str
        What the command does after the first Ctrl-C, for the message to the user.
    then : callable or None
        Called at the first Ctrl-C, in the signal handler.

    Attributes
    ----------
    requested : bool
        True after the first Ctrl-C.
    """

    def __init__(self, doing: str = "finishing the slice", then: Callable[[], None] | None = None) -> None:
        self.requested = False
        self._doing, self._then = doing, then
        self._previous = signal.signal(signal.SIGINT, self._on_sigint)

    def _on_sigint(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            signal.signal(signal.SIGINT, self._previous)
            raise KeyboardInterrupt
        self.requested = True
        if self._then is not None:
            self._then()
        report(f"handoff: interrupted: {self._doing} (once more to end at once)")
