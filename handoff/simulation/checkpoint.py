"""Checkpoints of a study: one file from which an interrupted study resumes (docs/runs.md)."""

from __future__ import annotations

import copyreg
import pickle
import time
import types
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from engine import Engine
from engine._checkpoint import restore, save
from engine.checkpoint_file import CheckpointError, open_checkpoint, program_digest, write_checkpoint
from engine.output_file import remove_file
from handoff.protocol import COMPILED_PATH
from handoff.protocol.attacks import AttackCounts, no_attack_counts
from handoff.protocol.handoff_records import HandoffRecords
from handoff.simulation.baseline import ByteCounts

if TYPE_CHECKING:
    from handoff.simulation.result import RunResult


@dataclass
class RunState:
    """State of a run outside its engine.

    Attributes
    ----------
    records : HandoffRecords
    controllers : list of (int, controller)
        Controllers by node; node -1 is the controller of the mobile nodes.
    group_messages : list of int
        Number of messages of each group of a mixture that agents have received; the dispatchers count in this list.
    simultaneous : int
        Number of bindings that an anchor made beside an existing one.
    attack_counts : dict of str to int
        Counts of attacks (``handoff.protocol.attacks.ATTACK_COUNTS``).
    capture : object
        State of the recorder of hops; None if the run has none.
    wall_seconds : float
        Real time spent so far.
    """

    records: HandoffRecords
    controllers: list[tuple[int, Any]]
    group_messages: list[int]
    simultaneous: int = 0
    attack_counts: AttackCounts = field(default_factory=no_attack_counts)
    capture: Any = None
    wall_seconds: float = 0.0


@dataclass
class CompletedRuns:
    """Runs of a study that are complete.

    Attributes
    ----------
    runs : list of RunResult
    references : dict of tuple to ByteCounts
        Bytes of the baseline runs, by ``handoff.simulation.baseline.baseline_key``.
    """

    runs: list[RunResult] = field(default_factory=list)
    references: dict[tuple[object, ...], ByteCounts] = field(default_factory=dict)


def program_digests() -> list[str]:
    """Return the digests of the packages whose code decides the results of a run, and how controllers keep their state."""
    digests = [program_digest(Path(import_module(package).__path__[0])) for package in ("engine", "handoff", "handoff_traces")]
    return [*digests, "compiled controllers" if COMPILED_PATH else "controllers in Python"]


class StudyCheckpoint:
    """Checkpoint of a study: its complete runs, and the state of the run in progress.

    Parameters
    ----------
    path : Path
        Checkpoint file.
    study : dict
        Everything that decides the results of the study, by names that a user knows. A study can resume only with equal values.
        The values must be representable in JSON.
    every_s : float or None
        Seconds of real time after which the next slice ends with a checkpoint; None if none is written.

    Attributes
    ----------
    complete : CompletedRuns
    """

    def __init__(self, path: Path, study: Mapping[str, object], every_s: float | None) -> None:
        self.path, self.every_s = path, every_s
        self.study = {**study, "program": program_digests()}
        self.complete = CompletedRuns()
        self._last_write_s = time.monotonic()
        self._engines: list[Engine] = []
        self._run_state: Callable[[], RunState] | None = None
        self._shared: Mapping[str, object] = {}
        self._open = ExitStack()
        self._file: BinaryIO | None = None  # open as long as it has states of engines to read
        self._engines_in_file = 0

    # -- resuming ---------------------------------------------------------------------------------------------------------
    def resume(self) -> int:
        """Read the complete runs from the file; return the simulated time (ps) that the run in progress has reached.

        Raises
        ------
        CheckpointError
            If the file is damaged, or belongs to another study or another version of the program.
        OSError
            If it cannot be read.
        """
        facts, self._file = self._open.enter_context(open_checkpoint(self.path))
        if differ := [name for name, value in self.study.items() if facts["study"].get(name) != value]:
            verb = "differs" if len(differ) == 1 else "differ"
            raise CheckpointError(f"{self.path}: of another study or program: {' and '.join(differ)} {verb}")
        complete = self._load({})
        if not isinstance(complete, CompletedRuns):
            raise CheckpointError(f"{self.path}: it contains no study")
        self.complete, self._engines_in_file = complete, facts["engines"]
        return int(facts["time_ps"])

    def restore_run(self, shared: Mapping[str, object]) -> RunState | None:
        """Return the state of the run in progress, or None if this run has no state in the file.

        Parameters
        ----------
        shared : mapping of str to object
            Objects that each run creates anew and that the state refers to by name.
        """
        self._engines, self._shared = [], shared
        if not self._engines_in_file or self._file is None:
            return None
        state = self._load(shared)
        if not isinstance(state, RunState):
            raise CheckpointError(f"{self.path}: it contains no run")
        return state

    def track_engine(self, engine: Engine, run_state: Callable[[], RunState] | None = None) -> None:
        """Restore an engine from the checkpoint, and include its state in all later checkpoints.

        Parameters
        ----------
        engine : Engine
            The engine of the run, or, when that run is over, the engine of its baseline.
        run_state : callable or None
            Returns the present state of the run; None for the engine of a baseline.
        """
        if self._engines_in_file and self._file is not None:
            try:
                restore(engine, self._file)
            except CheckpointError as error:  # the scenario is equal, but the files that it names are not
                raise CheckpointError(f"{self.path}: {error}: has a file that the scenario names changed?") from None
            self._engines_in_file -= 1
            if not self._engines_in_file:
                self._open.close()
        self._engines.append(engine)
        if run_state is not None:
            self._run_state = run_state
        elif self._run_state is not None:  # the baseline starts when the run is over: its state is final
            final = self._run_state()
            self._run_state = lambda: final

    def _load(self, shared: Mapping[str, object]) -> Any:
        assert self._file is not None
        try:
            return _Unpickler(self._file, shared).load()
        except MemoryError:
            raise
        except Exception as error:  # a damaged pickle can raise anything
            raise CheckpointError(f"{self.path}: cannot be read: {error}") from None

    # -- writing ----------------------------------------------------------------------------------------------------------
    def write_if_due(self, forced: bool) -> None:
        """Write a checkpoint if ``every_s`` has passed, or if ``forced``: a run that stops, or whose capture is complete."""
        if forced or (self.every_s is not None and time.monotonic() - self._last_write_s >= self.every_s):
            self.write()
            self._last_write_s = time.monotonic()

    def write(self) -> None:
        """Write a checkpoint. The previous one stays until this one is on the disk."""
        assert self._run_state is not None
        reached_ps = self._engines[0].time_ps
        with write_checkpoint(self.path, {"study": self.study, "engines": len(self._engines), "time_ps": reached_ps}) as file:
            _dump(self.complete, file, {})
            _dump(self._run_state(), file, self._shared)
            for engine in self._engines:
                save(engine, file)

    def close(self) -> None:
        """Close the file from which the study resumed."""
        self._open.close()

    def remove(self) -> None:
        """Remove the file: the study is complete."""
        self.close()
        remove_file(self.path)


# -- state of Python objects -------------------------------------------------------------------------------------------------

_ARRAYS = {
    (f"numpy.{core}.{module}", name)
    for core in ("core", "_core")
    for module, name in (("multiarray", "_reconstruct"), ("multiarray", "scalar"), ("numeric", "_frombuffer"))
}
_ADMITTED_NAMES = _ARRAYS | {
    ("array", "_array_reconstructor"), ("array", "array"), ("handoff.simulation.checkpoint", "_method"),
    ("numpy", "dtype"), ("numpy", "ndarray"), ("engine._mobile_states", "PerMobileState"), ("engine.results", "Result"),
    ("handoff.simulation.checkpoint", "CompletedRuns"), ("handoff.simulation.checkpoint", "RunState"),
    ("handoff.simulation.baseline", "ByteCounts"), ("handoff.simulation.handoff_metrics", "PacketMetrics"),
    ("handoff.simulation.result", "RunResult"),
}  # fmt: skip
_PROTOCOL_PACKAGE = "handoff.protocol."
"""Classes of this package may be in a checkpoint, too: they hold data, and creating one has no other effect."""
_METHODS = (types.FunctionType, types.MethodDescriptorType)
"""Types of a method in its class: of the source, and of a compiled copy."""


def _method(owner: object, name: str) -> object:
    # The only function that a checkpoint can call: it must not reach anything but methods of the protocol.
    cls = type(owner)
    classes = [base for base in cls.__mro__ if base.__module__.startswith(_PROTOCOL_PACKAGE)]
    if cls not in classes or not any(isinstance(vars(base).get(name), _METHODS) for base in classes):
        raise CheckpointError(f"{cls.__name__} has no method {name}")
    return getattr(owner, name)


def _reduce_method(method: types.MethodType | types.BuiltinMethodType) -> str | tuple[Any, ...]:
    if isinstance(method.__self__, types.ModuleType):
        return method.__name__  # a function of a compiled module goes by name
    return _method, (method.__self__, method.__name__)


class _Pickler(pickle.Pickler):
    """Pickler that writes objects shared with the setup of a run by name."""

    def __init__(self, file: BinaryIO, shared: Mapping[str, object]) -> None:
        super().__init__(file, protocol=5)
        methods = dict.fromkeys((types.MethodType, types.BuiltinMethodType), _reduce_method)
        self.dispatch_table = {**copyreg.dispatch_table, **methods}
        self._names = {id(value): name for name, value in shared.items()}

    def persistent_id(self, value: Any) -> str | None:
        return self._names.get(id(value))


class _Unpickler(pickle.Unpickler):
    """Unpickler that creates only arrays and admitted classes, so that a file cannot call anything else."""

    def __init__(self, file: BinaryIO, shared: Mapping[str, object]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, name: Any) -> object:
        return self._shared[name]

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ADMITTED_NAMES:
            return super().find_class(module, name)
        if module.startswith(_PROTOCOL_PACKAGE) and name.isidentifier():
            cls = super().find_class(module, name)
            if isinstance(cls, type) and cls.__module__ == module:
                return cls
        raise CheckpointError(f"a checkpoint cannot contain {module}.{name}")


def _dump(value: object, file: BinaryIO, shared: Mapping[str, object]) -> None:
    _Pickler(file, shared).dump(value)
