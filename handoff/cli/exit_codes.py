"""Exit codes of every ``handoff`` command."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Outcome of a command, as the shell sees it."""

    OK = 0
    FAILED = 1
    """A run failed, some points cannot be run, or a plan stayed undecided."""
    INVALID_INPUT = 2
    TARGET_MISSED = 3
    """No value meets the targets of a plan."""
    INTERRUPTED = 130
    """128 + SIGINT, as shells report a command that Ctrl-C ended. SIGTERM gives 143 and SIGHUP 129."""
