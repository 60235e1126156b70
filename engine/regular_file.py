"""Opening of input files. Only regular files are read: opening a pipe may block, and a device may have no end."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from os import PathLike

_KINDS = {
    stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFDIR: "a folder",
    stat.S_IFSOCK: "a socket",
}  # fmt: skip


class NotRegularError(OSError):
    """The file is a pipe, a device, a folder or a socket; ``strerror`` says which."""


def open_regular(path: str | PathLike[str]) -> BufferedReader:
    """Open a regular file for reading.

    Raises
    ------
    NotRegularError
        If the file is not a regular file.
    OSError
        If it cannot be opened.
    """
    return open(path, "rb", opener=_open_without_waiting)


def read_regular(path: str | PathLike[str]) -> bytes:
    """Return the content of a regular file; errors as for :func:`open_regular`."""
    with open_regular(path) as file:
        return file.read()


def _open_without_waiting(path: str, flags: int) -> int:
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        advice = "; save its output in a file first" if stat.S_ISFIFO(mode) else ""
        raise NotRegularError(errno.EINVAL, f"is {kind}, not a regular file{advice}", path)
    return handle
