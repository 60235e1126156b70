"""Captures compiled once into sorted, checksummed columns on disk, from which a capture larger than memory can be read."""

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

from handoff_traces import _native
from handoff_traces.bad_records import OnBadRecord
from handoff_traces.capture import (
    Facts,
    Flows,
    Interface,
    Limits,
    NativeOptions,
    TunnelLayer,
    TunnelTable,
    native_arguments,
    pop_facts,
)
from handoff_traces.errors import TraceError

LAYOUT = 4
"""Version of the folder's layout. A folder of another version is replaced."""
MEMORY_BYTES = 64 << 20
_COLUMNS = ("time_ns", "ip_length", "direction")
_META = "meta.json"
_TABLE = "flows.npz"


@dataclass(frozen=True, slots=True, eq=False)
class IndexedFlows(Flows):
    """Flow table with the position of each flow in the columns.

    Attributes
    ----------
    offset, count : ndarray of uint64, shape (n,)
        Rows ``offset`` to ``offset + count`` of the columns are the packets of the flow that have a time.
    along : ndarray of uint64, shape (n,)
        Number of these rows in the direction of the flow's first packet. They precede the rows of the other direction.
    """

    offset: NDArray[np.uint64]
    count: NDArray[np.uint64]
    along: NDArray[np.uint64]

    def rows(self, flow: int, direction: int | None = None) -> slice:
        """Return the rows of a flow in the columns, or those of one direction (0 or 1)."""
        first, end = int(self.offset[flow]), int(self.offset[flow] + self.count[flow])
        middle = first + int(self.along[flow])
        return slice(middle if direction == 1 else first, middle if direction == 0 else end)


class CompiledCapture:
    """Memory-mapped columns of a capture, sorted by flow, direction, time and position in the file.

    Packets that are not IP or have no time are left out.

    Attributes
    ----------
    facts : Facts
        Properties of the capture; ``facts.flows`` is ``flows``.
    flows : IndexedFlows
        The flow table.
    time_ns : ndarray of int64, shape (n,)
        Nanoseconds since 1970.
    ip_length : ndarray of uint32, shape (n,)
        IP total length in bytes.
    direction : ndarray of uint8, shape (n,)
        0 from the sender of the flow's first packet, 1 towards it.
    folder : Path
        Folder of the columns.
    """

    time_ns: NDArray[np.int64]
    ip_length: NDArray[np.uint32]
    direction: NDArray[np.uint8]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        meta = json.loads((folder / _META).read_text())
        facts = meta["facts"]
        with np.load(folder / _TABLE) as table:
            self.flows = IndexedFlows(**{f.name: table[f.name] for f in fields(IndexedFlows)})
            tunnels = TunnelTable(**{f.name: table[f"tunnel_{f.name}"] for f in fields(TunnelTable)})
        facts["interfaces"] = tuple(Interface.of(**interface) for interface in facts["interfaces"])
        facts["times_ns"] = None if facts["times_ns"] is None else tuple(facts["times_ns"])
        self.facts = Facts(**facts, flows=self.flows, tunnels=tunnels)
        self._maps: list[mmap.mmap] = []
        for name in _COLUMNS:
            column: Any = np.load(folder / f"{name}.npy", mmap_mode="r" if len(self.flows) else None)
            if isinstance(column, np.memmap):
                self._maps.append(column._mmap)  # type: ignore[attr-defined]
            setattr(self, name, column)

    def drop_pages(self) -> None:
        """Release the memory of the pages read so far. A later access reads them from disk again."""
        for mapped in self._maps:
            if hasattr(mmap, "MADV_DONTNEED"):
                mapped.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Drop the columns. Views of them stay valid."""
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
    path: str | PathLike[str], cache: str | PathLike[str] | None = None, *, tunnels: TunnelLayer = "inner",
    memory_bytes: int = MEMORY_BYTES, limits: Limits | None = None, on_bad_record: OnBadRecord = "refuse",
) -> CompiledCapture:  # fmt: skip
    """Compile a capture into columns, or open the columns of an earlier call.

    The columns are in the folder ``NAME.HASH.columns`` of the cache, where HASH is the beginning of the BLAKE3 hash of the
    capture's content. Existing columns are used if the capture is unchanged (same path, size and modification time, or else the
    same content) and the hash of every column matches. Otherwise the capture is compiled in one pass. A folder appears complete
    or not at all, so several processes may compile the same capture at once.

    Parameters
    ----------
    path : path
        The capture, in a format that ``read_capture`` reads.
    cache : path, optional
        Folder for the columns; by default the value of the environment variable HANDOFF_CACHE, else ``handoff`` in the user's
        cache folder.
    tunnels : {"inner", "outer"}
        See ``read_capture``.
    memory_bytes : int
        Memory for packets while compiling. The flow table takes about 150 bytes for each flow in addition.
    limits : Limits, optional
        Upper limits of the capture, if it has to be read; by default ``Limits()``.
    on_bad_record : {"refuse", "skip", "keep-first"}
        See ``read_capture``. The columns of each are in a folder of their own.

    Returns
    -------
    CompiledCapture
        The columns, which take 13 bytes of disk for each packet.

    Raises
    ------
    TraceError
        If the capture cannot be read, or the columns cannot be written.
    """
    source, options = Path(path), native_arguments(tunnels, limits, on_bad_record)
    cache_folder = _default_cache() if cache is None else Path(cache)
    try:
        cache_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _write_error(source, error) from error
    kind = {"layout": LAYOUT, "tunnels": tunnels, "on_bad_record": on_bad_record}
    state = _read_state(source)
    folders = sorted(cache_folder.glob(f"{_escape_glob(source.name)}.*.columns"))
    candidates = [(folder, meta) for folder in folders if (meta := _read_meta(folder)).items() >= kind.items()]
    for folder, meta in candidates:
        if meta.get("source") == state and _is_intact(folder, meta):
            return CompiledCapture(folder)
    if candidates:
        content = _native.content_hash(source)
        for folder, meta in candidates:
            if meta.get("content") == content and _is_intact(folder, meta):
                # record the new state, so that the next call need not hash the capture; the cache may be read-only
                with contextlib.suppress(OSError):
                    _replace_meta(folder / _META, meta | {"source": state})
                return CompiledCapture(folder)
    return CompiledCapture(_compile(source, cache_folder, kind, memory_bytes, options))


def _default_cache() -> Path:
    if folder := os.environ.get("HANDOFF_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "handoff"


def _escape_glob(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _read_state(source: Path) -> dict[str, Any]:
    """Return path, size and modification time, which change with the capture's content."""
    try:
        status = source.stat()
    except OSError as error:
        problem = (0, f"cannot be opened: {error}", "the path of a file that can be read")
        raise TraceError(str(source), "byte", [problem], 1) from error
    return {"path": str(source.resolve()), "size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _read_meta(folder: Path) -> dict[str, Any]:
    """Return the metadata of a folder of columns; empty if it is missing or damaged."""
    try:
        meta = json.loads((folder / _META).read_text())
    except (OSError, ValueError):
        return {}
    return meta if isinstance(meta, dict) else {}


def _is_intact(folder: Path, meta: dict[str, Any]) -> bool:
    """Return whether the hash of every column matches."""
    try:
        return all(_native.content_hash(folder / name) == expected for name, expected in meta["hashes"].items())
    except (KeyError, AttributeError, TraceError):
        return False


def _replace_meta(path: Path, meta: dict[str, Any]) -> None:
    """Write the metadata atomically, because another process may be reading them."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as out:
        out.write(json.dumps(meta, indent=1) + "\n")
    Path(out.name).replace(path)


def _compile(source: Path, cache_folder: Path, kind: dict[str, Any], memory_bytes: int, options: NativeOptions) -> Path:
    """Compile into a temporary folder, rename it to its final name and return that."""
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f"{source.name}.", suffix=".making", dir=cache_folder))
    except OSError as error:
        raise _write_error(source, error) from error
    try:
        columns = _native.compile_capture(source, temporary, memory_bytes, options)
        index = {name: columns["flows"].pop(name) for name in ("offset", "count", "along")}
        facts = pop_facts(columns)
        flow_table, tunnel_table = facts.pop("flows"), facts.pop("tunnels")
        flows = {f.name: getattr(flow_table, f.name) for f in fields(Flows)}
        tunnels = {f"tunnel_{f.name}": getattr(tunnel_table, f.name) for f in fields(TunnelTable)}
        with (temporary / _TABLE).open("wb") as out:
            np.savez(out, **flows, **index, **tunnels)
        facts["interfaces"] = [asdict(interface) for interface in facts["interfaces"]]
        state = {"path": str(source.resolve()), "size": columns["size"], "mtime_ns": columns["mtime_ns"]}
        hashes = {name: _native.content_hash(temporary / name) for name in (*(f"{c}.npy" for c in _COLUMNS), _TABLE)}
        meta = kind | {"source": state, "content": columns["content"], "hashes": hashes, "facts": facts}
        _replace_meta(temporary / _META, meta)
        for name in (_TABLE, _META, "."):
            _sync(temporary / name)
        suffix = "".join(f".{value}" for value in (kind["tunnels"], kind["on_bad_record"]) if value not in ("inner", "refuse"))
        folder = cache_folder / f"{source.name}.{columns['content'][:16]}{suffix}.columns"
        if folder.exists():  # stale or damaged
            shutil.rmtree(folder, ignore_errors=True)
        try:
            temporary.rename(folder)
        except OSError:
            if not _is_intact(folder, _read_meta(folder)):  # intact if another process was faster
                raise
        _sync(cache_folder)
    except OSError as error:
        raise _write_error(source, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_error(source: Path, error: OSError) -> TraceError:
    expected = "free space and write permission there; HANDOFF_CACHE names another folder"
    return TraceError(str(source), "byte", [(0, f"its columns cannot be written: {error}", expected)], 1)
