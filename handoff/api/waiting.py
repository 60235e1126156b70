"""Progress and Ctrl-C of the functions of the Python interface."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Report = Callable[[str, float], None]
"""Receives what is in progress, and how much of all work is done, from 0 to 1."""
_PARTS = 1000


class Interruption:
    """Request to stop at the next opportunity.

    Attributes
    ----------
    requested : bool
        True after Ctrl-C.
    """

    def __init__(self) -> None:
        self.requested = False
        self._on_request: Callable[[], None] = lambda: None

    def on_request(self, action: Callable[[], None]) -> None:
        """Set what happens at Ctrl-C, in the signal handler."""
        self._on_request = action

    def __call__(self) -> bool:
        """Return whether the work should stop."""
        return self.requested

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal; let the second one raise KeyboardInterrupt."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        self._on_request()


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Let the first Ctrl-C within the context end the work in order, so that what is complete is returned.

    Other threads than the main one get no signals: there nothing changes.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    previous = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, interruption.handle)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, previous)


@contextmanager
def reporting(progress: bool | Report | None) -> Iterator[Report]:
    """Return a function that shows progress.

    Parameters
    ----------
    progress : bool, callable or None
        True: a bar on stderr or in the notebook. False: nothing. None: a bar in a notebook and on a terminal. A function is
        called with what is in progress and the share of the work that is done.
    """
    if callable(progress):
        yield progress
        return
    if not (_is_interactive() if progress is None else progress):
        yield lambda text, share: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=_PARTS, bar_format="{l_bar}{bar}| {elapsed}<{remaining}", leave=False) as bar:

        def show(text: str, share: float) -> None:
            bar.set_description_str(text, refresh=False)
            bar.update(max(round(share * _PARTS) - bar.n, 0))

        yield show


def _is_interactive() -> bool:
    shell: Any = sys.modules.get("IPython")
    return sys.stderr.isatty() or (shell is not None and shell.get_ipython() is not None)
