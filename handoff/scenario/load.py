"""Read a scenario file and say everything that is wrong with it, each with file, line and path."""

from __future__ import annotations

import difflib
import re
import tomllib
import types
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from handoff.scenario.models import Scenario

_HEADER = re.compile(r"\s*\[(\[)?\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
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
    """Read and check a scenario.

    Parameters
    ----------
    path : str or Path
        The TOML file.
    changes : tuple of str
        ``"path.to.key=value"``, the value in TOML (a bare word is text), applied before the check.

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
    lines = line_numbers(text)
    wrong = [problem for change in changes for problem in _change(data, change)]
    if wrong:
        raise ScenarioError(wrong)
    changed = {_path(change) for change in changes}
    try:
        return Scenario.model_validate(data), text
    except ValidationError as error:
        problems = [_problem(path, lines, changed, e) for e in error.errors()]
        raise ScenarioError([p for _, p in sorted(problems, key=lambda x: x[0])]) from None


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


def _path(change: str) -> tuple[str, ...]:
    return tuple(change.partition("=")[0].strip().split("."))


def _change(data: dict[str, Any], change: str) -> list[str]:
    """Apply one --set; the check of the model finds unknown paths later."""
    name, equals, value = change.partition("=")
    if not equals or not name.strip():
        return [f"--set {change!r}: write path.to.key=value"]
    try:
        (parsed,) = tomllib.loads(f"x = {value}").values()
    except (tomllib.TOMLDecodeError, ValueError):
        parsed = value.strip()
    *tables, last = _path(change)
    here: Any = data
    for table in tables:
        here = here[int(table)] if isinstance(here, list) and table.isdecimal() and int(table) < len(here) else (
            here.setdefault(table, {}) if isinstance(here, dict) else None
        )  # fmt: skip
        if here is None:
            return [f"--set {name.strip()}: {table!r} is not a table of the scenario"]
    if not isinstance(here, dict):
        return [f"--set {name.strip()}: {tables[-1]!r} is not a table; in a list, name the element by its number"]
    here[last] = parsed
    return []


def _problem(
    path: Path, lines: dict[tuple[str | int, ...], int], changed: set[tuple[str, ...]], error: Any
) -> tuple[int, str]:
    loc = tuple(error["loc"])
    known = loc
    while known and known not in lines:
        known = known[:-1]
    line = lines.get(known, 1)
    dots = tuple(map(str, loc))
    where = "--set" if dots and any(dots == c[: len(dots)] for c in changed) and loc not in lines else f"{path}:{line}"
    if dots in changed:
        where = "--set"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        names = sorted(_fields(loc[:-1]))
        near = difflib.get_close_matches(str(loc[-1]), names, 1)
        message = f"unknown key; did you mean {near[0]!r}?" if near else f"unknown key; allowed are {', '.join(names)}"
    elif error["type"] == "missing":
        message = "is missing; it has to be given"
    elif error["type"] == "literal_error":
        near = difflib.get_close_matches(str(error["input"]), re.findall(r"'([^']+)'", error["ctx"]["expected"]), 1)
        message = f"{error['input']!r} is not one of {error['ctx']['expected']}"
        message += f"; did you mean {near[0]!r}?" if near else ""
    elif error["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:]}, not {error['input']!r}"
    dotted = ".".join(map(str, loc))
    return line, f"{where}: {dotted}: {message}" if dotted else f"{where}: {message}"


def _fields(loc: tuple[str | int, ...]) -> list[str]:
    """Names that the table at ``loc`` may have."""
    model: Any = Scenario
    for part in loc:
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            model = _model_of(model.model_fields[part].annotation) if part in model.model_fields else None
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _model_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (list, typing.Union, types.UnionType, typing.Annotated):
        return next((m for a in typing.get_args(annotation) if (m := _model_of(a)) is not None), None)
    return None
