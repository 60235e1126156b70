"""Cyclic garbage collector of Python during a run."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def pause_cycle_collector() -> Iterator[None]:
    """Disable the cyclic garbage collector, and enable it again if it was enabled.

    The states of mobile nodes stay until the end of a run, and controllers make no reference cycles. The collector would visit
    the states again and again in vain. It still runs between the slices of a run, for cycles that other code makes.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
