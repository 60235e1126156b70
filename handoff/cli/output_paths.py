"""Places that a command writes to: they are no inputs of the command, and no other program writes there meanwhile."""

from __future__ import annotations

import os
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
    read = {identity for path in inputs for identity in _identities(path)}
    written: dict[Path | tuple[int, int], str] = {}
    for option, path in places:
        identities = _identities(path)
        if not read.isdisjoint(identities):
            problems.append(f"{option}: {path} is an input of this command: give another file")
        others = dict.fromkeys(written[identity] for identity in identities if identity in written)
        problems += [f"{option}: {path} is also a file of {other}: give another file" for other in others]
        written |= {identity: option for identity in identities if identity not in written}
    if problems:
        raise ScenarioError(problems)


def _identities(path: Path) -> list[Path | tuple[int, int]]:
    """Return what two names of one file share: the path without links, and device and number of a file that exists."""
    name = Path(os.path.realpath(path))  # unlike Path.resolve, it ends in a loop of links
    try:
        status = path.stat()
    except OSError:  # it is missing, a loop of links, or cannot be read
        return [name]
    return [name, (status.st_dev, status.st_ino)]
