"""``handoff init``: write an example scenario and the files that it names."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from engine.output_file import place_problem, write_new
from handoff.cli.examples import EXAMPLES, example_names, example_path, example_summary
from handoff.cli.terminal import show
from handoff.experiments.execution.input_files import file_names
from handoff.output.printable import printable
from handoff.scenario import ScenarioError


def list_examples() -> None:
    """Print the names of the examples, each with its first sentence."""
    from handoff.cli.tables import print_pairs

    print_pairs([(name, example_summary(name)) for name in example_names()])


def write_example(name: str, path: Path | None) -> None:
    """Write an example scenario and the files that it names, and print what to do with it.

    Parameters
    ----------
    name : str
        Name of the example.
    path : Path or None
        File of the scenario, whose name ends in ``.toml``, or a folder for it, which may be new. Default: the current folder.

    Raises
    ------
    ScenarioError
        If a file exists already with another content, or cannot be at its place. Nothing is written then.
    """
    folder = Path() if path is None else path
    is_folder = folder.is_dir() or not (folder.suffix == ".toml" or os.path.lexists(folder))
    place = folder / f"{name}.toml" if is_folder else folder
    text = example_path(name).read_bytes()
    names = list(dict.fromkeys(file_names(tomllib.loads(text.decode()))))
    absent = [file for file in names if not (EXAMPLES / file).is_file()]
    contents = {place: text, **{place.parent / file: (EXAMPLES / file).read_bytes() for file in names if file not in absent}}
    if problems := [problem for file, content in contents.items() if (problem := _conflict(file, content))]:
        raise ScenarioError(problems)
    for file, content in contents.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            write_new(file, lambda out, content=content: out.write(content))  # type: ignore[misc]
    scenario = printable(str(place))
    show("\n".join(printable(str(file)) for file in contents))
    for missing in absent:
        show(f"{scenario}: {missing} is not part of Handoff: the comment in {scenario} says how to make it")
    show(f"\nCheck it: handoff validate {scenario}\nRun it:   handoff compare {scenario}")


def _conflict(file: Path, content: bytes) -> str:
    if problem := place_problem(file):
        return problem
    if file.exists() and file.read_bytes() != content:
        return f"{file}: exists already with another content: give another PATH, or move the file away"
    return ""
