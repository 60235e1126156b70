"""Read a scenario file and say everything that is wrong with it, each with file, line and path."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from handoff.scenario.experiment import Sweep
from handoff.scenario.field_paths import keys_at
from handoff.scenario.models import Scenario
from handoff.scenario.overrides import set_value, variable_fields

_HEADER = re.compile(r"\s*\[(\[)?\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_NOT_VARIED = {
    "seed": "replications have seeds of their own, one after the other from 'seed'",
    "sweep": "[sweep] says what varies",
    "slo": "[slo] is what is asked of each point",
}
_KEY = re.compile(r"\s*([A-Za-z0-9_\-.\"']+)\s*=")


class ScenarioError(ValueError):
    """All problems of a scenario file, one a line of the message.

    Attributes
    ----------
    problems : list of str
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_scenario(path: str | Path, changes: tuple[str, ...] = ()) -> tuple[Scenario, str]:
    """Read and check a scenario: :func:`tables`, then :func:`check`.

    Parameters
    ----------
    path : str or Path
        The TOML file.
    changes : tuple of str
        ``"name=value"``, as :func:`tables` takes them.

    Returns
    -------
    scenario : Scenario
    text : str
        The file as it was read, for provenance.

    Raises
    ------
    ScenarioError
        With every problem that was found.
    """
    data, text = read_tables(path, changes)
    return validate(data, path, text, changes), text


def read_tables(path: str | Path, changes: tuple[str, ...] = ()) -> tuple[dict[str, Any], str]:
    """Read the tables of a scenario file and change them, without a check of what they say.

    Parameters
    ----------
    path : str or Path
        The TOML file.
    changes : tuple of str
        ``"name=value"``, one applied after the other by ``handoff.scenario.overrides.set_value``.

    Returns
    -------
    data : dict
    text : str
        The file as it was read.

    Raises
    ------
    ScenarioError
        If it cannot be read, is not TOML, or has no place for a change.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise ScenarioError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise ScenarioError([f"{path}: is not UTF-8 text: byte {error.start}"]) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        where = f"{path}:{found[1]}" if found else f"{path}"
        raise ScenarioError([f"{where}: not TOML: {str(error).split(' (at')[0]}"]) from None
    wrong = []
    for entry in changes:
        name, equals, value = (part.strip() for part in entry.partition("="))
        if not equals or not name:
            wrong.append(f"--set {entry!r}: write path.to.key=value")
            continue
        try:
            data = set_value(data, name, value)
        except ValueError as error:
            wrong.append(f"--set {error}")
    if wrong:
        raise ScenarioError(wrong)
    return data, text


def validate(data: dict[str, Any], path: str | Path, text: str = "", changes: tuple[str, ...] = ()) -> Scenario:
    """The scenario that tables are.

    Parameters
    ----------
    data : dict
        Tables as :func:`tables` gives them.
    path : str or Path
        The file that they came from, as problems name it.
    text : str
        What stands in it, for the lines of problems.
    changes : tuple of str
        What of the tables came from changes: their problems name ``--set``, not a line.

    Raises
    ------
    ScenarioError
        With every problem that was found.
    """
    lines = line_numbers(text)
    short = variable_fields(data)
    names = [entry.partition("=")[0].strip() for entry in changes]
    changed = {tuple(path.split(".")) for name in names for path in short.get(name, (name,))}
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        problems = [_problem(Path(path), lines, changed, e) for e in error.errors()]
        raise ScenarioError([p for _, p in sorted(problems, key=lambda x: x[0])]) from None
    if scenario.sweep is not None and (unknown := unknown_fields(data, scenario.sweep.fields)):
        at = {name: lines.get(("sweep", *name.split(".")), lines.get(("sweep",), 1)) for name in unknown}
        raise ScenarioError([f"{path}:{at[name]}: sweep: {problem}" for name, problem in unknown.items()])
    return scenario


def unknown_fields(data: dict[str, Any], varied: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Fields that vary and that the scenario does not have, with what is wrong; whether their values fit is found later."""
    found = {}
    for name, values in varied.items():
        if why := _NOT_VARIED.get(name.split(".")[0]):
            found[name] = f"{name}: cannot vary: {why}"
            continue
        try:
            Scenario.model_validate(set_value(data, name, values[0]))
        except ValidationError as error:
            if strange := [e for e in error.errors() if e["type"] == "extra_forbidden"]:
                found[name] = format_error(strange[0])
        except ValueError as error:
            near = difflib.get_close_matches(name, Sweep.model_fields, 1)
            found[name] = f"{name}: no field of a scenario; did you mean {near[0]!r}?" if near else str(error)
    return found


def line_numbers(text: str) -> dict[tuple[str | int, ...], int]:
    """Line of each table header and key by its path; numbers count the tables of an array."""
    lines: dict[tuple[str | int, ...], int] = {}
    counts: dict[str, int] = {}
    at: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            name = header[2].replace('"', "")
            if header[1]:
                counts[name] = counts.get(name, -1) + 1
            at = tuple(part for key in name.split(".") for part in ([key, counts[key]] if key in counts else [key]))
            lines[at] = number
        elif key := _KEY.match(line):
            lines.setdefault((*at, *key[1].replace('"', "").split(".")), number)
    return lines


def _problem(
    path: Path, lines: dict[tuple[str | int, ...], int], changed: set[tuple[str, ...]], error: Any
) -> tuple[int, str]:
    loc = tuple(error["loc"])
    known: tuple[str | int, ...] = tuple(part for name in loc for part in (name.split(".") if isinstance(name, str) else [name]))
    while known and known not in lines:
        known = known[:-1]
    line = lines.get(known, 1)
    dots = tuple(map(str, loc))
    where = "--set" if dots and any(dots == c[: len(dots)] for c in changed) and loc not in lines else f"{path}:{line}"
    if dots in changed:
        where = "--set"
    return line, f"{where}: {format_error(error)}"


def format_error(error: Any) -> str:
    """One of ``ValidationError.errors()``: where in the scenario, what is wrong, what would be right."""
    loc = tuple(error["loc"])
    message: str = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        names = sorted(keys_at(loc[:-1]))
        near = difflib.get_close_matches(str(loc[-1]), names, 1)
        message = f"unknown key; did you mean {near[0]!r}?" if near else f"unknown key; allowed are {', '.join(names)}"
    elif error["type"] == "missing":
        message = "is missing; it has to be given"
    elif error["type"] == "literal_error":
        near = difflib.get_close_matches(str(error["input"]), re.findall(r"'([^']+)'", error["ctx"]["expected"]), 1)
        message = f"{error['input']!r} is not one of {error['ctx']['expected']}"
        message += f"; did you mean {near[0]!r}?" if near else ""
    elif error["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:].split(' after validation, not ')[0]}, not {error['input']!r}"
    dotted = ".".join(map(str, loc))
    return f"{dotted}: {message}" if dotted else message
