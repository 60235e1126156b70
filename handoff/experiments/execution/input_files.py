"""The files that a scenario names: that a task meets the same ones wherever it is done."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any


def input_digests(data: dict[str, Any], folder: Path) -> tuple[tuple[str, str], ...]:
    """Every file that a scenario's tables name, with the digest of what it holds; those that cannot be read are left out.

    Parameters
    ----------
    data : dict
        The tables of a scenario file.
    folder : Path
        Where it stands.
    """
    found = {}
    for name in sorted(set(_named(data))):
        try:
            found[name] = digest_of(folder / name)
        except OSError:
            continue  # the run says what is wrong with it
    return tuple(found.items())


def unreadable_inputs(data: dict[str, Any], folder: Path) -> list[str]:
    """What is wrong with files that a scenario's tables name and that cannot be read."""
    wrong = []
    for name in sorted(set(_named(data))):
        try:
            digest_of(folder / name)
        except OSError as error:
            wrong.append(f"{folder / name}: cannot be read: {error.strerror}")
    return wrong


def changed_inputs(folder: Path, inputs: Iterable[tuple[str, str]]) -> list[str]:
    """What is wrong with files that have to hold what they did where the task was made."""
    wrong = []
    for name, digest in inputs:
        path = folder / name
        try:
            if digest_of(path) != digest:
                wrong.append(f"{path}: on {platform.node()} holds something else than where the batch was begun: copy it there")
        except OSError as error:
            wrong.append(f"{path}: on {platform.node()} cannot be read: {error.strerror}: copy it there, or share the folder")
    return wrong


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; not read again while its size and time of change are the same."""
    facts = path.stat()
    return _digest(path, facts.st_ino, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=256)
def _digest(path: Path, *_: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named(data: dict[str, Any]) -> Iterator[str]:
    """Names of files in tables that may be wrong in any way."""
    traffic, movement = data.get("traffic"), data.get("movement")
    tables = [*(traffic if isinstance(traffic, list) else []), movement]
    for table in tables:
        if isinstance(table, dict):
            for key in ("capture", "associations", "trace"):
                value = table.get(key)
                names = value if isinstance(value, list) else [value]
                yield from (name for name in names if isinstance(name, str))
