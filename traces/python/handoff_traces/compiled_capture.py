"""Captures as sorted, checksummed columns on disk, made once: a capture larger than memory is read from them."""

import contextlib
import json
import mmap
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass, fields
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from traces import _native
from traces.capture import FACTS, Choices, Facts, Flows, Interface, Limits, Side, TunnelTable, choices, facts_of
from traces.errors import TraceError

LAYOUT = 3
"""Version of the folder's layout; one of another version is made anew."""
MEMORY_BYTES = 64 << 20
_COLUMNS = ("time_ns", "ip_length", "direction")
_META = "meta.json"
_TABLE = "flows.npz"


@dataclass(frozen=True, slots=True, eq=False)
class PlacedFlows(Flows):
    """Flow table with the place of each flow in the columns.

    Attributes
    ----------
    offset, count : ndarray of uint64, shape (n,)
        Rows ``offset`` to ``offset + count`` of the columns are the flow's packets that have a time.
    along : ndarray of uint64, shape (n,)
        How many of these are from the end that sent the flow's first packet; they come first.
    """

    offset: NDArray[np.uint64]
    count: NDArray[np.uint64]
    along: NDArray[np.uint64]

    def rows(self, flow: int, direction: int | None = None) -> slice:
        """Rows of a flow in the columns, or of one direction of it."""
        first, end = int(self.offset[flow]), int(self.offset[flow] + self.count[flow])
        turn = first + int(self.along[flow])
        return slice(turn if direction == 1 else first, turn if direction == 0 else end)


class CompiledCapture:
    """Columns of a capture, mapped, not in memory: grouped by flow and direction, in each sorted by time, then place in the file.

    Attributes
    ----------
    facts : Facts
        Of the capture; ``facts.flows`` is ``flows``.
    flows : PlacedFlows
        The flow table.
    time_ns : ndarray of int64, shape (n,)
        Nanoseconds since 1970; packets that are not IP or have no time are left out.
    ip_length : ndarray of uint32, shape (n,)
        Bytes of the IP packet.
    direction : ndarray of uint8, shape (n,)
        0 from the end that sent the flow's first packet, 1 towards it.
    folder : Path
        Where the columns are.
    """

    time_ns: NDArray[np.int64]
    ip_length: NDArray[np.uint32]
    direction: NDArray[np.uint8]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        meta = json.loads((folder / _META).read_text())
        known = meta["facts"]
        with np.load(folder / _TABLE) as table:
            self.flows = PlacedFlows(**{f.name: table[f.name] for f in fields(PlacedFlows)})
            tunnels = TunnelTable(**{f.name: table[f"tunnel_{f.name}"] for f in fields(TunnelTable)})
        known["interfaces"] = tuple(Interface(**interface) for interface in known["interfaces"])
        known["times_ns"] = None if known["times_ns"] is None else tuple(known["times_ns"])
        self.facts = Facts(**known, flows=self.flows, tunnels=tunnels)
        self._maps: list[mmap.mmap] = []
        for name in _COLUMNS:
            column: Any = np.load(folder / f"{name}.npy", mmap_mode="r" if len(self.flows) else None)
            if isinstance(column, np.memmap):
                self._maps.append(column._mmap)  # type: ignore[attr-defined]
            setattr(self, name, column)

    def release(self) -> None:
        """Give back the memory of what has been read; it is read again when it is asked for."""
        for mapped in self._maps:
            if hasattr(mmap, "MADV_DONTNEED"):
                mapped.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Let the columns go; views of them stay valid."""
        self._maps.clear()
        for name in _COLUMNS:
            setattr(self, name, getattr(self, name)[:0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.time_ns)


def compile_capture(
    path: str | PathLike[str], cache: str | PathLike[str] | None = None, *, tunnels: Side = "inner",
    memory_bytes: int = MEMORY_BYTES, limits: Limits | None = None,
) -> CompiledCapture:  # fmt: skip
    """Make the columns of a capture, or find those that were made before.

    They are in a folder ``NAME.HASH.columns`` of the cache, HASH being the beginning of the BLAKE3 hash of the capture's content.
    Found there, they are believed if path, size and time of the capture are still those of then or, if not, its content is, and
    if the hash of every column holds; else they are made anew, in one reading. A folder appears whole or not at all, so
    several processes may make it at once.

    Parameters
    ----------
    path : path
        The capture; see ``read_capture`` for what is read.
    cache : path, optional
        Folder for the columns; by default that of the environment variable HANDOFF_CACHE, else ``handoff`` in the user's
        cache folder.
    tunnels : {"inner", "outer"}
        See ``read_capture``.
    memory_bytes : int
        What making them may use for packets; the flow table comes on top (about 150 bytes a flow).
    limits : Limits, optional
        How much the capture may be, if it has to be read.

    Returns
    -------
    CompiledCapture
        13 bytes of disk a packet.

    Raises
    ------
    TraceError
        If the capture cannot be read, or the columns cannot be written.
    """
    source, chosen = Path(path), choices(tunnels, limits)
    place = _cache() if cache is None else Path(cache)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritten(source, error) from error
    wanted = {"layout": LAYOUT, "tunnels": tunnels}
    now = _state(source)
    folders = sorted(place.glob(f"{_literal(source.name)}.*.columns"))
    known = [(folder, meta) for folder in folders if (meta := _meta(folder)).items() >= wanted.items()]
    for folder, meta in known:
        if meta.get("source") == now and _whole(folder, meta):
            return CompiledCapture(folder)
    if known:
        content = _native.content_hash(source)
        for folder, meta in known:
            if meta.get("content") == content and _whole(folder, meta):
                with contextlib.suppress(OSError):  # next time it need not be read again; a cache may be read-only
                    _write(folder / _META, meta | {"source": now})
                return CompiledCapture(folder)
    return CompiledCapture(_make(source, place, wanted, memory_bytes, chosen))


def _cache() -> Path:
    if named := os.environ.get("HANDOFF_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "handoff"


def _literal(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _state(source: Path) -> dict[str, Any]:
    """What tells one state of a capture from another without reading it."""
    try:
        found = source.stat()
    except OSError as error:
        problem = (0, f"cannot be opened: {error}", "the path of a file that can be read")
        raise TraceError(str(source), "byte", [problem], 1) from error
    return {"path": str(source.resolve()), "size": found.st_size, "mtime_ns": found.st_mtime_ns}


def _meta(folder: Path) -> dict[str, Any]:
    """What a folder says of itself; nothing if it is none, or damaged."""
    try:
        meta = json.loads((folder / _META).read_text())
    except (OSError, ValueError):
        return {}
    return meta if isinstance(meta, dict) else {}


def _whole(folder: Path, meta: dict[str, Any]) -> bool:
    """Whether every column is as it was written."""
    try:
        return all(_native.content_hash(folder / name) == known for name, known in meta["hashes"].items())
    except (KeyError, AttributeError, TraceError):
        return False


def _write(path: Path, meta: dict[str, Any]) -> None:
    """Write a file that others may be reading."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as out:
        out.write(json.dumps(meta, indent=1) + "\n")
    Path(out.name).replace(path)


def _make(source: Path, place: Path, wanted: dict[str, Any], memory_bytes: int, chosen: Choices) -> Path:
    """Write a folder under another name, then move it to its place, which is given."""
    try:
        making = Path(tempfile.mkdtemp(prefix=f"{source.name}.", suffix=".making", dir=place))
    except OSError as error:
        raise _unwritten(source, error) from error
    try:
        columns = _native.compile_capture(source, making, memory_bytes, chosen)
        table = columns["flows"]
        placed = {name: table.pop(name) for name in ("offset", "count", "along")}
        known = facts_of(columns)
        flows = {f.name: getattr(known["flows"], f.name) for f in fields(Flows)}
        tunnels = {f"tunnel_{f.name}": getattr(known["tunnels"], f.name) for f in fields(TunnelTable)}
        with (making / _TABLE).open("wb") as out:
            np.savez(out, **flows, **placed, **tunnels)
        facts = {name: known[name] for name in FACTS if name not in ("flows", "tunnels")}
        facts["interfaces"] = [asdict(interface) for interface in facts["interfaces"]]
        state = {"path": str(source.resolve()), "size": columns["size"], "mtime_ns": columns["mtime_ns"]}
        hashes = {name: _native.content_hash(making / name) for name in (*(f"{c}.npy" for c in _COLUMNS), _TABLE)}
        _write(making / _META, wanted | {"source": state, "content": columns["content"], "hashes": hashes, "facts": facts})
        for name in (_TABLE, _META, "."):
            _sync(making / name)
        side = "" if wanted["tunnels"] == "inner" else ".outer"
        folder = place / f"{source.name}.{columns['content'][:16]}{side}.columns"
        if folder.exists():  # stale or damaged
            shutil.rmtree(folder, ignore_errors=True)
        try:
            making.rename(folder)
        except OSError:
            if not _whole(folder, _meta(folder)):  # another process may have been faster
                raise
        _sync(place)
    except OSError as error:
        raise _unwritten(source, error) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritten(source: Path, error: OSError) -> TraceError:
    right = "room and leave to write there; HANDOFF_CACHE names another folder"
    return TraceError(str(source), "byte", [(0, f"its columns cannot be written: {error}", right)], 1)
