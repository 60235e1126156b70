"""Files that a program writes: complete or absent, locked against other programs, and never in place of a stranger's file.

Every writer of results uses this module. A new content grows in a file beside its place, which replaces the old one when it
is on the disk. Neither links nor devices are followed, opened or replaced.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

_LOCK_CONTENT = re.compile(rb"\d*\n?")
"""Content of a lock: the id of the process that holds it."""
_MAX_LOCK_BYTES = 32
_own_locks: set[Path] = set()
"""Locks of this process. A record lock does not exclude the threads of its own process."""


class OutputError(ValueError):
    """A place where no file may be written; the message says why and what to do."""


# -- places ---------------------------------------------------------------------------------------------------------------


def place_problem(path: Path) -> str:
    """Return why no file may be written to a path, or an empty text: only regular files are created and replaced."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:  # a loop of links, a folder that may not be read, a name that is too long
        return f"{path}: {error.strerror}: give the path of a file"
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISLNK(mode):
        return f"{path}: a symbolic link, which is not followed: give the path of a file"
    if stat.S_ISDIR(mode):
        return f"{path}: a folder: give the path of a file"
    return f"{path}: a device or pipe, which is not replaced: write to a file and read that"


def partial_path(path: Path) -> Path:
    """Return the path at which the new content of a file grows."""
    return path.with_name(f".{path.name}.handoff-partial")


def make_folder(folder: Path) -> bool:
    """Create a folder if it is missing, and return whether it was. Something else in its place, a link too, is refused."""
    try:
        folder.mkdir()
    except FileExistsError:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise OutputError(f"{folder}: a link or file in the place of a folder of results: remove it") from None
        return False
    return True


def sync_folder(folder: Path) -> None:
    """Sync a folder, so that new names of files survive a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# -- locks ----------------------------------------------------------------------------------------------------------------


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Create a folder of results, and keep other programs from writing there during the block.

    Raises
    ------
    OutputError
        If the folder cannot be written, or another program writes there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: no folder that can be written: {error.strerror}") from None
    with _lock(folder / ".lock", folder, "-o"):
        yield


@contextmanager
def lock_file(path: Path, option: str) -> Iterator[None]:
    """Keep other programs from writing a file during the block. Its folder is created if it is missing.

    Parameters
    ----------
    path : Path
        The file, which need not exist.
    option : str
        Option that names the file, for the message.

    Raises
    ------
    OutputError
        If no file may be written there, or another program writes it.
    """
    if problem := place_problem(path):
        raise OutputError(f"{option}: {problem}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent}: no folder that can be written: {error.strerror}") from None
    with _lock(path.with_name(f".{path.name}.handoff-lock"), path, option):
        yield


@contextmanager
def _lock(lock: Path, place: Path, option: str) -> Iterator[None]:
    """Hold a record lock of this process. It ends with the process, however that dies; child processes do not inherit it."""
    lock = lock.parent.resolve() / lock.name
    busy = "is writing there: wait for its end, or give another"
    if lock in _own_locks:  # closing a second handle would end the lock of the first
        raise OutputError(f"{place}: this program {busy} {option}")
    handle, holder = _acquire(lock)
    if handle is None:
        raise OutputError(f"{place}: another program{holder and f' (process {holder})'} {busy} {option}")
    _own_locks.add(lock)
    try:
        with suppress(OSError):  # the number of the process is a help for the reader of a message
            os.truncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        _own_locks.discard(lock)
        with suppress(OSError):  # a lock that stays is empty of meaning
            lock.unlink()
        os.close(handle)


def _acquire(lock: Path) -> tuple[int | None, str]:
    # Returns a handle of the locked file, or None and the id of the process that holds it.
    # filelock would replace this call only: it takes a file of others with a second name as its lock, and names no holder.
    try:
        import fcntl
    except ImportError:
        raise OutputError(f"{lock.parent}: this system has no record locks (POSIX fcntl): use Linux, macOS or WSL") from None

    while True:
        handle = _open_lock(lock)
        content = os.pread(handle, _MAX_LOCK_BYTES, 0)
        try:
            if not _LOCK_CONTENT.fullmatch(content):
                raise OutputError(f"{lock}: no lock of this program, but in its place: move it away")
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(handle, lock):
                return handle, ""
        except (BlockingIOError, PermissionError):
            os.close(handle)
            return None, content.decode().strip()
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # the program that held it has removed it


def _open_lock(lock: Path) -> int:
    # O_NONBLOCK: a pipe is opened without a wait, and refused by its kind.
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        if lock.is_symlink():
            raise OutputError(f"{lock}: a symbolic link in the place of a lock: remove it") from None
        raise OutputError(f"{lock.parent}: no folder that can be written: {error.strerror}") from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(handle)
        raise OutputError(f"{lock}: no lock of this program, but in its place: move it away")
    return handle


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False


# -- contents -------------------------------------------------------------------------------------------------------------


def create_file(path: Path) -> BinaryIO:
    """Create a file for writing. A file that is there already, or a link, is an error."""
    return open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666), "wb")


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Let errors of the block name a file: the system names none where a write or a sync fails."""
    try:
        yield
    except OSError as error:
        if error.errno is None or isinstance(error.filename, str):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


def write_new(path: Path, write: Callable[[BinaryIO], object], place: Path | None = None) -> None:
    """Create a file, let ``write`` fill it, and write it to the disk. Errors name ``place``, its later path."""
    with named_errors(place or path), create_file(path) as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())


class NewFile:
    """New content of a file, used in a ``with`` block, whose end without an exception lets it replace the old content.

    Two programs must not write one file: hold :func:`lock_file`, or :func:`lock_folder`, meanwhile.

    Parameters
    ----------
    path : Path
        The file. Only a regular file is replaced.
    resume_at : int or None
        Length of the content that an earlier writer has kept and that this one continues. If that writer has finished since, the
        file becomes its new content again.

    Attributes
    ----------
    path, partial : Path
        The file, and the place where its new content grows.
    file : binary file
        The new content.

    Raises
    ------
    OutputError
        If no file may be written there, or the content to continue is missing or shorter.
    OSError
        If it cannot be written.
    """

    def __init__(self, path: Path, *, resume_at: int | None = None) -> None:
        self.path, self.partial = path, partial_path(path)
        for place in (self.path, self.partial):
            if problem := place_problem(place):
                raise OutputError(problem)
        if resume_at is None:
            self.partial.unlink(missing_ok=True)  # of a process that was killed
            self.file = create_file(self.partial)
        else:
            self.file = self._reopen(resume_at)

    def _reopen(self, length: int) -> BinaryIO:
        if not self.partial.exists() and self.path.exists() and self.path.stat().st_size == length:
            self.path.replace(self.partial)
        try:
            handle = os.open(self.partial, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            raise OutputError(f"{self.path}: the unfinished file to resume is missing") from None
        status = os.fstat(handle)
        if status.st_nlink > 1 or status.st_size < length:
            os.close(handle)
            what = "another name, too" if status.st_nlink > 1 else f"{status.st_size} bytes of the {length} that were written"
            raise OutputError(f"{self.partial}: it has {what}")
        return open(handle, "r+b")

    def commit(self) -> None:
        """Write the content to the disk and let it replace the old one."""
        with named_errors(self.path):
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()
            self.partial.replace(self.path)
            sync_folder(self.path.parent)

    def keep(self) -> None:
        """Leave the content in its temporary place, where a later writer resumes it."""
        with suppress(OSError):
            self.file.close()

    def discard(self) -> None:
        """Remove the new content."""
        self.keep()
        self.partial.unlink(missing_ok=True)

    def __enter__(self) -> BinaryIO:
        return self.file

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            self.discard()


def remove_file(path: Path) -> None:
    """Remove a file, and the new content that a process that was killed has left beside it."""
    path.unlink(missing_ok=True)
    partial_path(path).unlink(missing_ok=True)
