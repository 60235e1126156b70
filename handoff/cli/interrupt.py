"""Stop signals: Ctrl-C (SIGINT), SIGTERM and SIGHUP end a command in order, a second one ends it at once.

The exit code is 128 + the number of the signal, as shells report it. The module imports nothing slow, because signals are
handled before everything else is imported.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
EXIT_BASE = 128
"""Exit code of a command that a signal ended, less the number of the signal."""
GRACE_SECONDS = 0.5
"""Time for a command to clean up after the signal that ends it. Then the process ends, whatever it is doing."""
_IMPORT_MODULE = "importlib._bootstrap"


class Stopped(SystemExit):
    """End of a command by a signal. Python exits with its code and without a traceback."""


class StopState:
    """State of this process with regard to stop signals.

    Attributes
    ----------
    last : int
        Number of the last signal that ends the process; 0 before.
    in_order : bool
        True while a command handles the first signal itself (:class:`InterruptHandler`).
    is_over : bool
        True when the command is complete and only Python's own cleanup is left.
    """

    def __init__(self) -> None:
        self.last = 0
        self.in_order = False
        self.is_over = False


STATE = StopState()


def handle_stop_signals() -> None:
    """Let the first stop signal end this process quietly, wherever it is.

    An import is ended at once, because foreign code that is being imported may replace the exception. Elsewhere
    :class:`Stopped` is raised, so that files in progress are removed. A call into compiled code may not return for a long time;
    therefore a thread ends the process after ``GRACE_SECONDS``.
    """
    for number in _stop_signals():
        signal.signal(number, _end)
    sys.excepthook, sys.unraisablehook = _quiet(sys.excepthook), _quiet_unraisable(sys.unraisablehook)
    if hasattr(signal, "pthread_sigmask"):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)  # other threads take the signals, not this one
        threading.Thread(target=_end_in_time, args=(reader,), daemon=True, name="stop signals").start()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def restored_signal_handlers() -> Iterator[None]:
    """Restore the handlers of the stop signals at the end of the context."""
    previous = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    STATE.last = 0  # of an earlier command in this process
    try:
        yield
    finally:
        STATE.in_order = False
        for number, handler in previous.items():
            signal.signal(number, handler)


class InterruptHandler:
    """Handler of the stop signals, installed when it is made.

    The first signal lets the work in progress finish, so that complete results can be written. The second one ends the command.

    Parameters
    ----------
    doing : str
        What the command does after the first signal, for the message to the user.
    then : callable or None
        Called at the first signal, in the signal handler.

    Attributes
    ----------
    number : int
        Number of the last signal; 0 before the first one.
    """

    def __init__(self, doing: str = "finishing the slice", then: Callable[[], None] | None = None) -> None:
        self.number = 0
        self._doing, self._then = doing, then
        self._breaks = False
        STATE.in_order = True
        for number in _stop_signals():
            signal.signal(number, self._on_signal)

    @property
    def requested(self) -> bool:
        """True after the first signal."""
        return self.number > 0

    @property
    def exit_code(self) -> int:
        """Exit code of the command: 0 before the first signal."""
        return EXIT_BASE + self.number if self.number else 0

    @contextmanager
    def breaks(self) -> Iterator[None]:
        """Let the first signal raise KeyboardInterrupt in this context, also one that came before it."""
        self._breaks = True
        try:
            if self.requested:
                raise KeyboardInterrupt
            yield
        finally:
            self._breaks = False

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            _end(number, frame)
        self.number = number
        if self._then is not None:
            self._then()
        from handoff.cli.terminal import report

        word = "interrupted" if number == signal.SIGINT else signal.Signals(number).name
        report(f"handoff: {word}: {self._doing} (once more to end at once)")
        if self._breaks:
            raise KeyboardInterrupt


def _stop_signals() -> list[int]:
    # nohup ignores SIGHUP, and so do the commands that it starts.
    return [n for n in STOP_SIGNALS if n == signal.SIGINT or signal.getsignal(n) != signal.SIG_IGN]


def _end(number: int, frame: FrameType | None) -> NoReturn:
    STATE.last = number
    if STATE.is_over or _is_importing(frame):
        os._exit(EXIT_BASE + number)
    raise Stopped(EXIT_BASE + number)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__") == _IMPORT_MODULE:
            return True
        frame = frame.f_back
    return False


def _end_in_time(reader: int) -> NoReturn:
    """End the process ``GRACE_SECONDS`` after the signal that ends it; the C handler of Python writes signals to a pipe."""
    was_in_order = False
    while True:
        (number,) = os.read(reader, 1)
        if number in STOP_SIGNALS:
            if was_in_order or not STATE.in_order:
                time.sleep(GRACE_SECONDS)
                os._exit(EXIT_BASE + number)
            was_in_order = True


def _quiet(hook: Callable[..., Any]) -> Callable[..., Any]:
    def on_exception(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if isinstance(error, KeyboardInterrupt):
            os._exit(EXIT_BASE + (STATE.last or signal.SIGINT))
        hook(kind, error, trace)

    return on_exception


def _quiet_unraisable(hook: Callable[..., Any]) -> Callable[..., Any]:
    def on_unraisable(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, (Stopped, KeyboardInterrupt)):
            os._exit(EXIT_BASE + (STATE.last or signal.SIGINT))
        hook(unraisable)

    return on_unraisable
