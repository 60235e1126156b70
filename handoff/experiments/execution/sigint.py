"""Protection of worker processes from Ctrl-C, which a terminal sends to every process of a command."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def block_sigint_in_children() -> Iterator[None]:
    """Block SIGINT in the processes and threads that start inside the context, and in all their children.

    The signal is blocked from their first instruction on. A SIGINT that arrives meanwhile reaches the calling thread after
    the context.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would start with the first process, and unblock the signal again
    previous_mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous_mask)
