"""Checkpoints of a study: one file from which its command goes on where it was (docs/runs.md)."""

from __future__ import annotations

import copyreg
import pickle
import time
import types
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from engine import Engine
from engine._checkpoint import restore, save
from engine.checkpoint import CheckpointError, program_digest, reading, remove, writing
from handoff.ideal import Bytes
from handoff.machine.records import Records

if TYPE_CHECKING:
    from handoff.run import Run


@dataclass
class UnderWay:
    """What a run knows beside its engine.

    Attributes
    ----------
    records : Records
    controllers : list of (int, controller)
        By node; -1 is the fleet.
    simultaneous : int
        How often an anchor made a binding beside another one.
    capture : object
        State of what takes the hops, None if nothing does.
    wall_seconds : float
        Taken so far.
    """

    records: Records
    controllers: list[tuple[int, Any]]
    simultaneous: int = 0
    capture: Any = None
    wall_seconds: float = 0.0


@dataclass
class Complete:
    """What a study knows of the runs that are complete.

    Attributes
    ----------
    runs : list of Run
    references : dict of tuple to Bytes
        Bytes of handoffs that cost nothing, by ``handoff.ideal.anchors_of``.
    """

    runs: list[Run] = field(default_factory=list)
    references: dict[tuple[object, ...], Bytes] = field(default_factory=dict)


class Checkpoints:
    """The checkpoint of a study.

    Parameters
    ----------
    path : Path
        Of the file.
    study : dict
        What makes this study's results, by names that a user knows: who goes on has to have the same. Goes through JSON.
    every_s : float or None
        Seconds of real time after which the next slice ends with a checkpoint; None: none is written.

    Attributes
    ----------
    complete : Complete
    """

    def __init__(self, path: Path, study: Mapping[str, object], every_s: float | None) -> None:
        self.path, self.every_s = path, every_s
        self.study = {**study, "program": [program_digest(Path(str(files(p)))) for p in ("engine", "handoff", "handoff_traces")]}
        self.complete = Complete()
        self._last = time.monotonic()
        self._engines: list[Engine] = []
        self._under_way: Callable[[], UnderWay] | None = None
        self._shared: Mapping[str, object] = {}
        self._open = ExitStack()
        self._file: BinaryIO | None = None  # while there are states of engines left in it
        self._left = 0

    # -- going on ---------------------------------------------------------------------------------------------------------
    def resume(self) -> int:
        """Go on from the file; returns the simulated time (ps) that the run under way has reached.

        Raises
        ------
        CheckpointError
            If it is damaged, or of another study or program.
        OSError
            If it cannot be read.
        """
        facts, self._file = self._open.enter_context(reading(self.path))
        if differ := [name for name, value in self.study.items() if facts["study"].get(name) != value]:
            verb = "differs" if len(differ) == 1 else "differ"
            raise CheckpointError(f"{self.path}: of another study or program: {' and '.join(differ)} {verb}")
        found = self._load({})
        if not isinstance(found, Complete):
            raise CheckpointError(f"{self.path}: there is no study in it")
        self.complete, self._left = found, facts["engines"]
        return int(facts["time_ps"])

    def begun(self, shared: Mapping[str, object]) -> UnderWay | None:
        """What the run knew at the checkpoint, None if it begins.

        Parameters
        ----------
        shared : mapping of str to object
            What the run has made anew and what is known refers to.
        """
        self._engines, self._shared = [], shared
        if not self._left or self._file is None:
            return None
        found = self._load(shared)
        if not isinstance(found, UnderWay):
            raise CheckpointError(f"{self.path}: there is no run in it")
        return found

    def watch(self, engine: Engine, under_way: Callable[[], UnderWay] | None = None) -> None:
        """Put an engine where it was at the checkpoint, and have its state in those to come."""
        if self._left and self._file is not None:
            try:
                restore(engine, self._file)
            except CheckpointError as error:  # the same scenario, but not the same files
                raise CheckpointError(f"{self.path}: {error}: has a file that the scenario names changed?") from None
            self._left -= 1
            if not self._left:
                self._open.close()
        self._engines.append(engine)
        if under_way is not None:
            self._under_way = under_way
        elif self._under_way is not None:  # a second engine begins when the first one's run is over
            over = self._under_way()
            self._under_way = lambda: over

    def _load(self, shared: Mapping[str, object]) -> Any:
        """The next pickle of the file."""
        assert self._file is not None
        try:
            return _Unpickler(self._file, shared).load()
        except MemoryError:
            raise
        except Exception as error:  # whatever a pickle that none has written here may lead to
            raise CheckpointError(f"{self.path}: cannot be read: {error}") from None

    # -- keeping ----------------------------------------------------------------------------------------------------------
    def slice_done(self, forced: bool) -> None:
        """Write a checkpoint if it is time, or ``forced``: a run that stops here, or a capture that is complete, needs one."""
        if forced or (self.every_s is not None and time.monotonic() - self._last >= self.every_s):
            self.write()
            self._last = time.monotonic()

    def write(self) -> None:
        """Write a checkpoint; the one before is there until this one is on the disk."""
        assert self._under_way is not None
        reached = self._engines[0].time_ps
        with writing(self.path, {"study": self.study, "engines": len(self._engines), "time_ps": reached}) as file:
            _dump(self.complete, file, {})
            _dump(self._under_way(), file, self._shared)
            for engine in self._engines:
                save(engine, file)

    def close(self) -> None:
        """Let go of the file that the study was to go on from."""
        self._open.close()

    def remove(self) -> None:
        """The study is complete."""
        self.close()
        remove(self.path)


# -- Python's part of the state ---------------------------------------------------------------------------------------------

_ARRAYS = {
    (f"numpy.{core}.{module}", name)
    for core in ("core", "_core")
    for module, name in (("multiarray", "_reconstruct"), ("multiarray", "scalar"), ("numeric", "_frombuffer"))
}
_ADMITTED = _ARRAYS | {
    ("array", "_array_reconstructor"), ("array", "array"), ("handoff.checkpoint", "_method"),
    ("numpy", "dtype"), ("numpy", "ndarray"), ("engine.results", "Result"), ("handoff.checkpoint", "Complete"),
    ("handoff.checkpoint", "UnderWay"), ("handoff.ideal", "Bytes"), ("handoff.measure", "Detail"), ("handoff.run", "Run"),
}  # fmt: skip
_MACHINE = "handoff.machine."
"""Classes of these modules may be in a checkpoint, too: they hold data, and making one does nothing else."""


def _method(owner: object, name: str) -> object:
    """A method of a part of the machine."""
    if not type(owner).__module__.startswith(_MACHINE) or not isinstance(vars(type(owner)).get(name), types.FunctionType):
        raise CheckpointError(f"{type(owner).__name__} has no method {name}")
    return getattr(owner, name)


def _reduced(method: types.MethodType) -> tuple[Any, ...]:
    return _method, (method.__self__, method.__name__)


class _Pickler(pickle.Pickler):
    """Writes what a run knows; what it shares with its setup goes by name."""

    def __init__(self, file: BinaryIO, shared: Mapping[str, object]) -> None:
        super().__init__(file, protocol=5)
        self.dispatch_table = {**copyreg.dispatch_table, types.MethodType: _reduced}
        self._names = {id(value): name for name, value in shared.items()}

    def persistent_id(self, value: Any) -> str | None:
        return self._names.get(id(value))


class _Unpickler(pickle.Unpickler):
    """Reads it, and makes nothing but arrays and the classes above: a file cannot call anything else."""

    def __init__(self, file: BinaryIO, shared: Mapping[str, object]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, name: Any) -> object:
        return self._shared[name]

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ADMITTED:
            return super().find_class(module, name)
        if module.startswith(_MACHINE) and name.isidentifier():
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise CheckpointError(f"a checkpoint has no {module}.{name} in it")


def _dump(value: object, file: BinaryIO, shared: Mapping[str, object]) -> None:
    _Pickler(file, shared).dump(value)
