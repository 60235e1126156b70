"""Real faults in forked processes: a process ends, or one of its calls fails, at a chosen step."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

STEPS = ("os.rename", "os.symlink", "os.link", "os.remove", "os.rmdir", "os.mkdir", "open", "shutil.rmtree", "os.scandir")
"""Audit events of the calls that change or open files. Events of one call after the other are the steps of a function."""
KILLED, FAILED, REFUSED, TOLERATED = 9, 5, 2, 3
"""Exit codes of a process that ended itself, in which an OSError or ValueError was raised, or that went on after the fault."""


def kill() -> None:
    """End the process without any cleaning up."""
    os._exit(KILLED)


def fail(number: int) -> None:
    """Let a call fail with an error number."""
    raise OSError(number, os.strerror(number))


def act_in_child(act: Callable[[], object], step: int, end: Callable[[], None]) -> int:
    """Call ``act`` in a forked process that calls ``end`` at a step; return its exit code, which is 0 without a fault."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    count = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in STEPS:
            count += 1
            if count == step:
                end()

    sys.addaudithook(hook)
    try:
        act()
    except OSError:
        os._exit(FAILED)
    except ValueError:
        os._exit(REFUSED)
    except BaseException:
        os._exit(1)
    os._exit(0 if count < step else TOLERATED)
