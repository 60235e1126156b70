"""Resumption of a run from a checkpoint in memory."""

import io
from collections.abc import Callable

from engine import Engine
from engine._checkpoint import restore, save


def resume(engine: Engine, build_engine: Callable[[], Engine]) -> Engine:
    """Return a new engine in the state of another one."""
    file, resumed = io.BytesIO(), build_engine()
    save(engine, file)
    file.seek(0)
    restore(resumed, file)
    return resumed
