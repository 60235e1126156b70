"""The files that a scenario names, and their digests: a task reads the same contents wherever it runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.regular_file import open_regular

_MAX_CACHED_DIGESTS = 256


def input_digests(data: dict[str, Any], folder: Path) -> tuple[tuple[str, str], ...]:
    """Return the name and digest of each readable file that a scenario names.

    Files that cannot be read are left out, because the run itself reports them.

    Parameters
    ----------
    data : dict
        Tables of a scenario file.
    folder : Path
        Folder of the scenario file.
    """
    digests = {}
    for name in sorted(set(file_names(data))):
        try:
            digests[name] = file_digest(folder / name)
        except OSError:
            continue
    return tuple(digests.items())


def unreadable_inputs(data: dict[str, Any], folder: Path) -> list[str]:
    """Return a message for each file that a scenario names and that cannot be read."""
    errors = []
    for name in sorted(set(file_names(data))):
        try:
            file_digest(folder / name)
        except OSError as error:
            errors.append(f"{folder / name}: cannot be read: {error.strerror}")
    return errors


def changed_inputs(folder: Path, inputs: Iterable[tuple[str, str]]) -> list[str]:
    """Return a message for each input file that is missing here or differs from the file that the task was made with.

    Parameters
    ----------
    folder : Path
        Folder of the scenario file.
    inputs : iterable of (str, str)
        Names and digests, as from :func:`input_digests`.
    """
    errors = []
    for name, digest in inputs:
        path = folder / name
        try:
            if file_digest(path) != digest:
                errors.append(f"{path}: the file on {_host()} differs from the one on the submitting host: copy it there")
        except OSError as error:
            errors.append(f"{path}: on {_host()} cannot be read: {error.strerror}: copy it there, or share the folder")
    return errors


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; cached while size and modification time stay the same."""
    status = path.stat()
    return _digest(path, status.st_ino, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=_MAX_CACHED_DIGESTS)
def _digest(path: Path, *_: int) -> str:
    import hashlib  # loads OpenSSL, which slows the start of commands that need no digest

    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_names(data: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the files that a scenario names. The tables need not be valid."""
    traffic, movement = data.get("traffic"), data.get("movement")
    tables = [*(traffic if isinstance(traffic, list) else []), movement]
    for table in tables:
        if isinstance(table, dict):
            for key in ("capture", "associations", "trace", "activity"):
                value = table.get(key)
                names = value if isinstance(value, list) else [value]
                yield from (name for name in names if isinstance(name, str))


def _host() -> str:
    return os.uname().nodename
