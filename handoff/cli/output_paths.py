"""Places that a command writes to: they are no inputs of the command, and no other program writes there meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from engine.output_file import lock_file, lock_folder
from handoff.experiments.execution.input_files import file_names
from handoff.scenario import Scenario, ScenarioError


def input_paths(scenario: Scenario, path: Path) -> list[Path]:
    """Return the scenario file and the files that the scenario names."""
    return [path, *(path.parent / name for name in file_names(scenario.model_dump()))]


@contextmanager
def reserve_outputs(
    folder: Path | None, files: Mapping[str, Path | None], inputs: Iterable[Path], tables: Iterable[str] = ()
) -> Iterator[None]:
    """Lock the places that a command writes to; create their folders.

    Parameters
    ----------
    folder : Path or None
        Folder of ``-o``.
    files : mapping of str to Path or None
        Options that name a file, each with its file.
    inputs : iterable of Path
        Files that the command reads.
    tables : iterable of str
        Names of the files that the command writes into the folder.

    Raises
    ------
    ScenarioError
        If an output is an input, or another output.
    OutputError
        If another program writes there, or nothing can be written there.
    """
    places = [("-o", folder / name) for name in tables] if folder is not None else []
    places += [(option, path) for option, path in files.items() if path is not None]
    check_outputs(places, list(inputs))
    with ExitStack() as locks:
        if folder is not None:
            locks.enter_context(lock_folder(folder))
        for option, path in files.items():
            if path is not None:
                locks.enter_context(lock_file(path, option))
        yield


def output_problems(files: Mapping[str, Path | None], preview: str) -> list[str]:
    """Return a problem for each option that names a file, beside an option with which the command runs and writes nothing.

    Parameters
    ----------
    files : mapping of str to Path or None
        Options that name a file, each with its file.
    preview : str
        The option with which nothing runs, as in ``--dry-run``.
    """
    return [
        f"{option}: {preview} runs nothing, and writes no file"
        for option, path in files.items() if path is not None
    ]  # fmt: skip


def check_outputs(places: list[tuple[str, Path]], inputs: list[Path]) -> None:
    """Check that no output is an input, or another output.

    Raises
    ------
    ScenarioError
        With a message for each such output.
    """
    problems = []
    for i, (option, path) in enumerate(places):
        if any(_is_same(path, read) for read in inputs):
            problems.append(f"{option}: {path} is an input of this command: give another file")
        for other, written in places[:i]:
            if _is_same(path, written):
                problems.append(f"{option}: {path} is also a file of {other}: give another file")
    if problems:
        raise ScenarioError(problems)


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.resolve() == other.resolve() or path.samefile(other)
    except OSError:  # one of them is missing, or cannot be read
        return False
