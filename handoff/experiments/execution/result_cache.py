"""Results of runs from a cache: a run is not repeated where nothing that decides its result has changed (docs/runs.md).

An entry is a digest and the compressed content (``handoff.experiments.execution.result_encoding``). Its name is the digest of
everything that decides the result. An entry that is damaged, or of another user, costs a run.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from handoff.experiments.execution.input_files import input_digests
from handoff.protocol.mixture import Mixture
from handoff.protocol.procedures import Procedure
from handoff.protocol.program import Program
from handoff.scenario.experiment import NOT_OF_A_POINT
from handoff.scenario.scenario import Scenario
from handoff.simulation.checkpoint import program_digests
from handoff.simulation.result import RunResult
from handoff.simulation.run_parts import procedure_name

MAX_CACHE_BYTES = 10**9
"""Size of all entries. The entries that were not used for the longest time are removed."""
MAX_RESULT_BYTES = 2**28
"""Largest result that is stored, before it is compressed. Only long time series are larger."""
DIGEST_BYTES = 32
_OWN_NAME = re.compile(rf"[0-9a-f]{{{2 * DIGEST_BYTES}}}|\.[0-9a-f]{{16}}")
"""Names of entries, and of files in which entries are written."""
_OPEN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

Runner = Callable[[Sequence[Program | Mixture]], list[RunResult]]


def cache_folder() -> Path:
    """Return the folder of the entries, beside the columns of captures (``handoff_traces.compile_capture``)."""
    if folder := os.environ.get("HANDOFF_CACHE"):
        return Path(folder) / "results"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "handoff" / "results"


def is_enabled() -> bool:
    """Return whether results are cached by default: the environment variable ``HANDOFF_NO_CACHE`` is not set, or empty."""
    return not os.environ.get("HANDOFF_NO_CACHE")


@dataclass(frozen=True)
class StudyInputs:
    """A scenario with the digests of the files that it names. Make it before the files are read for a study."""

    scenario: Scenario
    folder: Path
    digests: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, scenario: Scenario, path: Path) -> StudyInputs:
        """Compute the digests of the files that a scenario names; their paths are relative to the folder of ``path``."""
        return cls(scenario, path.parent, input_digests(scenario.model_dump(), path.parent))

    def are_unchanged(self) -> bool:
        """Return whether all files still have the same content."""
        return input_digests(self.scenario.model_dump(), self.folder) == self.digests


@dataclass(frozen=True)
class ResultCache:
    """Cache of the results of a study.

    Attributes
    ----------
    inputs : StudyInputs
        Scenario and input files.
    seed, detail, series_ps
        As for :func:`handoff.simulation.run.run_procedure`.
    report : callable
        Called with a text: how many results come from the cache, and why an entry could not be read or written.
    """

    inputs: StudyInputs
    seed: int
    detail: bool
    series_ps: int | None
    report: Callable[[str], None]

    def run(self, programs: Sequence[Program | Mixture], run: Runner, *, reuse: bool = True) -> list[RunResult]:
        """Return the results of procedures: those of the cache, and those of ``run`` for the other procedures, in their order.

        Parameters
        ----------
        programs : sequence of Program or Mixture
            Procedures of the study, each once.
        run : callable
            Runs some of the procedures. If it was stopped, results may be missing or incomplete.
        reuse : bool
            If false, run all procedures and store their results.
        """
        folder = self._open_folder() if self.inputs.are_unchanged() else None  # they may change while the study is built
        if folder is None:
            return run(programs)
        try:
            stored = [self._read(folder, program) for program in programs] if reuse else []
            runs = {result.procedure: result for result in stored if result is not None}
            if reuse:
                self.report(f"{len(runs)} of {len(programs)} from the cache")
            missing = [program for program in programs if procedure_name(program) not in runs]
            new = {result.procedure: result for result in run(missing)} if missing else {}
            complete = [p for p in missing if (r := new.get(procedure_name(p))) is not None and r.interrupted_ps is None]
            if complete and self.inputs.are_unchanged():
                for program in complete:
                    self._write(folder, program, new[procedure_name(program)])
                _remove_oldest(folder)
        finally:
            os.close(folder)
        runs |= new
        return [runs[name] for name in map(procedure_name, programs) if name in runs]

    # -- keys ---------------------------------------------------------------------------------------------------------------
    @cached_property
    def _study(self) -> str:
        # A text without sorted keys: results may depend on the order of tables.
        scenario = self.inputs.scenario.model_dump(exclude=set(NOT_OF_A_POINT))
        versions = sys.version, os.uname().machine, np.__version__
        return repr((scenario, self.inputs.digests, self.seed, self.detail, self.series_ps, program_digests(), versions))

    def _key(self, program: Program | Mixture) -> bytes | None:
        """Return the key of a procedure's result; None if the procedure has classes of a user, whose code has no digest."""
        programs = program.programs if isinstance(program, Mixture) else (program,)
        procedures = [each.procedure for each in programs]
        if any(type(p) is not Procedure or p.mobile_node is not None or p.agent is not None for p in procedures):
            return None
        text = repr((self._study, procedure_name(program), procedures))
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()

    # -- entries ------------------------------------------------------------------------------------------------------------
    def _open_folder(self) -> int | None:
        """Open the folder of the entries; None if that is impossible, or others may write there."""
        path = cache_folder()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                path.mkdir(0o700)
            folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _OPEN)
        except OSError as error:
            self.report(f"no cache: {error}")
            return None
        status = os.fstat(folder)
        if status.st_uid != os.geteuid() or status.st_mode & _WRITABLE_BY_OTHERS:
            self.report(f"no cache: others may write into {path}")
            os.close(folder)
            return None
        return folder

    def _read(self, folder: int, program: Program | Mixture) -> RunResult | None:
        """Return the result of a procedure; None without an entry that can be used."""
        name, key = procedure_name(program), self._key(program)
        try:
            if key is None:
                return None
            content = _read_entry(folder, key)
            from handoff.experiments.execution.result_encoding import decode_result

            result = decode_result(content)
            if result.procedure != name or result.interrupted_ps is not None:
                raise ValueError("the result of another run")
            os.utime(key.hex(), dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, zlib.error, MemoryError) as error:
            self.report(f"{name} runs again: its entry in the cache cannot be used: {error}")
            return None
        return result

    def _write(self, folder: int, program: Program | Mixture, result: RunResult) -> None:
        """Store the result of a procedure, if that is possible."""
        from handoff.experiments.execution.result_encoding import encode_result

        try:
            if (key := self._key(program)) is not None:
                _write_entry(folder, key, encode_result(result, MAX_RESULT_BYTES))
        except (OSError, ValueError, TypeError, MemoryError) as error:
            self.report(f"{result.procedure} is not in the cache: {str(error) or type(error).__name__}")


def _read_entry(folder: int, key: bytes) -> bytes:
    with open(os.open(key.hex(), os.O_RDONLY | _OPEN, dir_fd=folder), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & _WRITABLE_BY_OTHERS:
            raise ValueError("not a file of this user alone")
        if status.st_size > MAX_RESULT_BYTES:
            raise ValueError("too large")
        digest, packed = file.read(DIGEST_BYTES), file.read()
    if digest != _entry_digest(key, packed):
        raise ValueError("damaged")
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(packed, MAX_RESULT_BYTES)
    if not unpacker.eof:
        raise ValueError("incomplete")
    return content


def _write_entry(folder: int, key: bytes, content: bytes) -> None:
    packed = zlib.compress(content, 1)
    partial = f".{os.urandom(8).hex()}"
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o600, dir_fd=folder)
    try:
        with open(handle, "wb") as file:
            file.write(_entry_digest(key, packed) + packed)
        os.replace(partial, key.hex(), src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(partial, dir_fd=folder)
        raise


def _entry_digest(key: bytes, packed: bytes) -> bytes:
    return hashlib.blake2b(packed, key=key, digest_size=DIGEST_BYTES).digest()


def _remove_oldest(folder: int) -> None:
    """Remove the entries that were not used for the longest time until the others take ``MAX_CACHE_BYTES`` at most.

    Files with other names are not ours: the folder may be one that the user has other things in.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        own = [e for e in entries if _OWN_NAME.fullmatch(e.name) and e.is_file(follow_symlinks=False)]
        files = [(status.st_mtime_ns, status.st_size, e.name) for e in own for status in [e.stat(follow_symlinks=False)]]
        size = sum(size for _, size, _ in files)
        for _, bytes_of_file, name in sorted(files):
            if size <= MAX_CACHE_BYTES:
                break
            os.unlink(name, dir_fd=folder)
            size -= bytes_of_file
