"""Checkpoint files: replaced atomically, and protected by a digest that is verified before anything else is read."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from engine.output_file import NewFile
from engine.regular_file import NotRegularError, open_regular
from engine.replay import BLOCK_ROWS, Replay

MAGIC = b"handoff checkpoint 1\n"
DIGEST_BYTES = 32


class CheckpointError(ValueError):
    """The file, or the state in it, cannot be resumed from; the message says why."""


# -- compatibility of a state with an engine ----------------------------------------------------------------------------------


@cache
def program_digest(package: Path) -> str:
    """Return a digest of a package: its sources and its compiled modules.

    Parameters
    ----------
    package : Path
        Folder of the package.
    """
    digest = _blake2b()
    for path in sorted(p for p in package.rglob("*") if p.suffix in (".py", ".so", ".pyd", ".toml")):
        digest.update(f"{path.relative_to(package).as_posix()} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def build_digest(built: Any, *options: object) -> bytes:
    """Return a digest of everything that determines a run: program, network, recorded packets, options.

    Parameters
    ----------
    built : engine.compiled_network.CompiledNetwork
        The network. It caches its share of the digest, which is slow for a large network.
    *options : object
        Options of the engine.
    """
    if built.digest is None:
        digest = _blake2b()
        excluded = ("digest", "releases", "tallies")
        _add(digest.update, {name: value for name, value in vars(built).items() if name not in excluded})
        built.digest = digest.digest()
    digest = _blake2b()
    digest.update(built.digest + repr((program_digest(Path(__file__).parent), *options)).encode())
    return digest.digest()


def _add(update: Callable[[Any], None], value: Any) -> None:
    """Add a value of ``CompiledNetwork`` to a digest. Recorded packets are read in blocks, because they may exceed the memory."""
    if isinstance(value, np.ndarray):
        update(f"{value.dtype.str}{value.shape}".encode())
        update(np.ascontiguousarray(value).reshape(-1).view(np.uint8))
    elif isinstance(value, dict):
        for name in sorted(value):
            update(name.encode())
            _add(update, value[name])
    elif isinstance(value, Replay):
        update(repr((len(value), value.origin, value.multiply, value.divide)).encode())
        for start in range(0, len(value), BLOCK_ROWS):
            update(value.times[start : start + BLOCK_ROWS].data)
            update(value.sizes[start : start + BLOCK_ROWS].data)
            if value.mapping is not None:
                value.mapping.drop_pages()
    elif isinstance(value, list):
        for item in value:
            _add(update, item)
    else:
        update(repr(value).encode())


# -- the file ---------------------------------------------------------------------------------------------------------------


class _Sealed:
    """Output file with a running digest of its content."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._digest = file, _blake2b()

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return self._file.write(data)

    def seal(self) -> None:
        self._file.write(self._digest.digest())


@contextmanager
def write_checkpoint(path: Path, facts: dict[str, Any]) -> Iterator[BinaryIO]:
    """Write a checkpoint to a temporary file; at the end of the block, sync it and let it replace ``path``.

    Parameters
    ----------
    path : Path
        Destination.
    facts : dict
        Header that ``open_checkpoint`` returns; it is stored as JSON.

    Yields
    ------
    file : binary file
        Supports ``write`` alone.
    """
    head = json.dumps(facts).encode()
    with NewFile(path) as file:
        sealed = _Sealed(file)
        sealed.write(MAGIC + len(head).to_bytes(8, "little") + head)
        yield cast(BinaryIO, sealed)
        sealed.seal()


@contextmanager
def open_checkpoint(path: Path) -> Iterator[tuple[dict[str, Any], BinaryIO]]:
    """Open a checkpoint and verify its digest.

    Yields
    ------
    facts : dict
    file : binary file
        Positioned at the first byte that the block of ``write_checkpoint`` wrote.

    Raises
    ------
    CheckpointError
        If the file is not a checkpoint, or is damaged.
    OSError
        If it cannot be read.
    """
    with _open_regular(path) as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise CheckpointError(f"{path}: not a checkpoint of this version")
        remaining = os.fstat(file.fileno()).st_size - DIGEST_BYTES
        file.seek(0)
        digest = _blake2b()
        while remaining > 0 and (data := file.read(min(remaining, 1 << 20))):
            digest.update(data)
            remaining -= len(data)
        if remaining or file.read() != digest.digest():
            raise CheckpointError(f"{path}: damaged: its content does not match its digest; remove it")
        file.seek(len(MAGIC))
        length = int.from_bytes(file.read(8), "little")
        facts = json.loads(file.read(length))
        yield facts, file


def _open_regular(path: Path) -> BinaryIO:
    try:
        return open_regular(path)
    except NotRegularError as error:
        raise CheckpointError(f"{path}: {error.strerror}") from None


def _blake2b() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=DIGEST_BYTES)
