"""One line on stderr that says how far long work has come."""

from __future__ import annotations

import sys


class StatusLine:
    """On a terminal a line that is written over; elsewhere one line after the other, or none.

    Parameters
    ----------
    wanted : bool or None
        None: on a terminal only.

    Attributes
    ----------
    terminal, shown : bool
        Whether stderr is one; whether anything is said at all.
    """

    def __init__(self, wanted: bool | None) -> None:
        self.terminal = sys.stderr.isatty()
        self.shown = self.terminal if wanted is None else wanted

    def __call__(self, text: str) -> None:
        """Say this now."""
        if self.shown:
            print(f"\r{text}\033[K" if self.terminal else text, end="" if self.terminal else "\n", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line to what comes next."""
        if self.shown and self.terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def format_remaining(seconds: float) -> str:
    """A time to go, as coarse as it is uncertain."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
