"""Protection of worker processes from stop signals, which a terminal or ``timeout`` sends to every process of a command."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def block_stop_signals() -> Iterator[None]:
    """Block SIGINT, SIGTERM and SIGHUP in the processes and threads that start inside the context, and in all their children.

    The signals are blocked from their first instruction on. One that arrives meanwhile reaches the calling thread after the
    context.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would start with the first process, and unblock the signals again
    previous_mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous_mask)
