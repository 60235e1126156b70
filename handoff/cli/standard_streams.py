"""Standard streams that may be closed, full or without a reader.

A stream that fails does not end the work: the command goes on, its files are written, and its exit code says that output is lost.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any


class GuardedFile(io.FileIO):
    """A standard stream that remembers its first failure instead of raising it.

    Attributes
    ----------
    failure : OSError or None
        The first failure of a write.
    """

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Write data, or drop them after a failure; return the number of bytes taken."""
        if self.failure is None:
            try:
                return super().write(data) or 0
            except OSError as error:
                self.failure = error
        return memoryview(data).nbytes


def guard_standard_streams() -> None:
    """Replace the standard output streams of this process by guarded ones.

    A closed stream is opened on the null device, so that no other file gets its number: writing to stdout then fails, and
    messages on stderr are dropped.
    """
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # the lowest free number is this one
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115
    sys.stdout, sys.stderr = _guard(1, sys.stdout, "strict"), _guard(2, sys.stderr, "backslashreplace")


def lost_output() -> str | None:
    """Write the buffered output; return None if all of it was written, else a message, empty if the reader closed the pipe."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    failure = raw.failure if isinstance(raw, GuardedFile) else None
    if failure is None:
        return None
    return "" if failure.errno == errno.EPIPE else f"handoff: stdout: {failure.strerror}: the output is lost\n"


def _guard(number: int, stream: Any, errors: str) -> io.TextIOWrapper:
    file = GuardedFile(number, "w", closefd=False)
    encoding = stream.encoding if stream is not None else "utf-8"
    errors = stream.errors if stream is not None else errors
    return io.TextIOWrapper(io.BufferedWriter(file), encoding, errors, line_buffering=number == 2 or file.isatty())
