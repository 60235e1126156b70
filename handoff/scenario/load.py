"""Reading and validation of scenario files; every problem is reported with file, line and path."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.regular_file import read_regular
from engine.similar_names import name_hint, similar_names
from handoff.scenario.errors import ScenarioError
from handoff.scenario.experiment import Sweep
from handoff.scenario.field_paths import field_at, keys_at
from handoff.scenario.overrides import resolve_paths, set_value, variable_fields
from handoff.scenario.scenario import Scenario
from handoff.scenario.toml_text import parse_toml

_HEADER = re.compile(r"\s*\[(\[)?\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_NOT_VARIED = {
    "seed": "replications take consecutive seeds from 'seed' on",
    "sweep": "[sweep] lists the fields that vary",
    "slo": "[slo] has the targets of every point",
}
_TYPING_ERROR = 0.75
"""Similarity at which a field of [sweep] is taken for one of its own keys."""
_TABLE_TYPES = ("dict_type", "model_type", "model_attributes_type")
"""Kinds of the errors of pydantic for a value in the place of a table."""
_PLACE = re.compile(r"([a-z0-9_.]+): ")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-.\"']+)\s*=")


def load_scenario(path: str | Path, changes: tuple[str, ...] = ()) -> tuple[Scenario, str]:
    """Read and validate a scenario: :func:`read_tables`, then :func:`validate`.

    Parameters
    ----------
    path : str or Path
        The TOML file.
    changes : tuple of str
        ``"name=value"``, as for :func:`read_tables`.

    Returns
    -------
    scenario : Scenario
    text : str
        Content of the file, for provenance.

    Raises
    ------
    ScenarioError
        With every problem of the file and the changes.
    """
    data, text = read_tables(path, changes)
    return validate(data, path, text, changes), text


def read_tables(
    path: str | Path, changes: tuple[str, ...] = (), tables: dict[str, Any] | None = None
) -> tuple[dict[str, Any], str]:
    """Read the tables of a scenario file and apply changes, without validation.

    Parameters
    ----------
    path : str or Path
        The TOML file.
    changes : tuple of str
        ``"name=value"``, applied one after the other by ``handoff.scenario.overrides.set_value``.
    tables : dict or None
        Tables of a scenario that is in no file; then ``path`` is not read.

    Returns
    -------
    data : dict
        Tables as ``tomllib`` returns them, changed.
    text : str
        Content of the file; empty without a file.

    Raises
    ------
    ScenarioError
        If the file cannot be read or is not TOML, or a change names no field of the scenario.
    """
    data, text = _parse_file(Path(path)) if tables is None else (tables, "")
    problems = []
    for entry in changes:
        name, equals, value = (part.strip() for part in entry.partition("="))
        if not equals or not name:
            problems.append(f"--set {entry!r}: write path.to.key=value")
            continue
        try:
            data = set_value(data, name, value)
        except ValueError as error:
            problems.append(f"--set {error}")
    if problems:
        raise ScenarioError(problems)
    return data, text


def _parse_file(path: Path) -> tuple[dict[str, Any], str]:
    try:
        text = read_regular(path).decode()
    except OSError as error:
        raise ScenarioError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise ScenarioError([f"{path}: is not UTF-8 text: wrong byte at offset {error.start}"]) from None
    try:
        return parse_toml(text), text
    except tomllib.TOMLDecodeError as error:
        position = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        where = f"{path}:{position[1]}" if position else f"{path}"
        reason = str(error).split(" (at")[0]
        hint = "; is a quote missing at the end of the text?" if "'\\n'" in reason else ""
        raise ScenarioError([f"{where}: not TOML: {reason}{hint}"]) from None


def validate(
    data: dict[str, Any], path: str | Path, text: str = "", changes: tuple[str, ...] = (), change_label: str = "--set"
) -> Scenario:
    """Return the scenario of tables.

    Parameters
    ----------
    data : dict
        Tables as :func:`read_tables` returns them.
    path : str or Path
        Name of the file, for messages.
    text : str
        Content of the file, for line numbers in messages.
    changes : tuple of str
        Changes that the tables contain: messages about them have a label instead of a line.
    change_label : str
        The label.

    Raises
    ------
    ScenarioError
        With every problem of the tables.
    """
    lines = line_numbers(text)
    short_names = variable_fields(data)
    names = [entry.partition("=")[0].strip() for entry in changes]
    changed = {tuple(dotted.split(".")) for name in names for dotted in short_names.get(name, (name,))}
    errors, scenario = [], None
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        errors = [e for errors in map(_split, error.errors()) for e in errors]
        if all(e["loc"] for e in error.errors()):  # the checks between the tables come after all others
            from handoff.scenario.partial import partial_problems  # only a scenario with mistakes needs it

            errors += [_reference_error(problem) for problem in partial_problems(data, error.errors())]
    problems = [_locate_problem(Path(path), lines, changed, change_label, error) for error in errors]
    for name, problem in unknown_fields(data, _varied_fields(data)).items():
        line = lines.get(("sweep", *name.split(".")), lines.get(("sweep",), 1))
        problems.append((line, f"{path}:{line}: sweep: {problem}"))
    if problems or scenario is None:
        raise ScenarioError([message for _, message in sorted(problems, key=lambda problem: problem[0])])
    return scenario


def _varied_fields(data: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the fields of ``[sweep]`` and their values; none if the table is wrong itself."""
    try:
        return Sweep.model_validate(data["sweep"]).fields if "sweep" in data else {}
    except ValidationError:
        return {}


def build_scenario(data: dict[str, Any]) -> Scenario:
    """Return the scenario of tables that were made from those of a file: messages name no line.

    Raises
    ------
    ScenarioError
        With every problem of the tables.
    """
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise ScenarioError([format_error(e) for errors in map(_split, error.errors()) for e in errors]) from None


def unknown_fields(data: dict[str, Any], varied: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the varied fields that the scenario does not have, each with its problem; values are not validated.

    Parameters
    ----------
    data : dict
        Tables of the scenario.
    varied : mapping of str to sequence of str
        Values by short name or path of a field.
    """
    problems = {}
    for name, values in varied.items():
        if reason := _NOT_VARIED.get(name.split(".")[0]):
            problems[name] = f"{name}: cannot vary: {reason}"
            continue
        try:
            Scenario.model_validate(set_value(data, name, values[0]))
        except ValidationError as error:
            changed = {tuple(path.split(".")) for path in resolve_paths(data, name)}
            wrong = [e for e in error.errors() if e["type"] == "extra_forbidden"]
            unknown = [e for e in wrong if any(tuple(map(str, e["loc"])) == path[: len(e["loc"])] for path in changed)]
            if unknown:
                problems[name] = format_error(unknown[0])
        except ValueError as error:
            close = similar_names(name, Sweep.model_fields, cutoff=_TYPING_ERROR)
            problems[name] = f"{name}: no field of a scenario; did you mean {close[0]!r}?" if close else str(error)
    return problems


def line_numbers(text: str) -> dict[tuple[str | int, ...], int]:
    """Return the line of each table header and key by its path; an int in a path counts the tables of an array."""
    lines: dict[tuple[str | int, ...], int] = {}
    latest: dict[tuple[str | int, ...], int] = {}  # number of the latest table of each array
    table: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            *outer, name = header[2].replace('"', "").split(".")
            table = ()
            for key in outer:
                table = (*table, key, latest[*table, key]) if (*table, key) in latest else (*table, key)
            table = (*table, name)
            if header[1]:
                latest[table] = latest.get(table, -1) + 1
                table = (*table, latest[table])
            lines[table] = number
        elif key := _KEY.match(line):
            lines.setdefault((*table, *key[1].replace('"', "").split(".")), number)
    return lines


def _split(error: Any) -> list[Any]:
    """Return an error for each problem of several tables, one a line, with the place that the problem begins with."""
    if error["loc"] or error["type"] != "value_error":
        return [error]
    return [_reference_error(problem) for problem in error["msg"].removeprefix("Value error, ").split("\n")]


def _reference_error(problem: str) -> dict[str, Any]:
    """Return an error like those of pydantic for a problem that begins with its place."""
    place = _PLACE.match(problem)
    loc = tuple(int(part) if part.isdecimal() else part for part in place[1].split(".")) if place else ()
    return {"type": "value_error", "loc": loc, "msg": problem[place.end() :] if place else problem}


def _locate_problem(
    path: Path, lines: dict[tuple[str | int, ...], int], changed: set[tuple[str, ...]], change_label: str, error: Any
) -> tuple[int, str]:
    """Return the line of a validation error, to sort by, and its message with file and line, or with the label of changes."""
    loc = tuple(error["loc"])
    known: tuple[str | int, ...] = tuple(part for name in loc for part in (name.split(".") if isinstance(name, str) else [name]))
    while known and known not in lines:
        single = tuple(part for part in known if part != 0)  # a single table instead of an array of one
        known = single if single in lines else known[:-1]
    line = lines.get(known, 1)
    texts = tuple(map(str, loc))
    in_changed_table = bool(texts) and loc not in lines and any(texts == change[: len(texts)] for change in changed)
    where = change_label if texts in changed or in_changed_table else f"{path}:{line}" if lines else f"{path}"
    return line, f"{where}: {format_error(error)}"


def format_error(error: Any) -> str:
    """Return one of ``ValidationError.errors()`` as a message: path in the scenario, mistake, correction."""
    loc = tuple(error["loc"])
    message: str = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        names = sorted(keys_at(loc[:-1]))
        message = "unknown key; " + name_hint(str(loc[-1]), names, f"allowed are {', '.join(names)}")
    elif error["type"] == "missing":
        field = field_at(loc)
        what = f" ({field.description[0].lower()}{field.description[1:].rstrip('.')})" if field and field.description else ""
        message = "is missing; " + ("every scenario needs it" if len(loc) == 1 else "its table needs it") + what
    elif error["type"] == "bool_type":
        message = f"{error['input']!r} is neither true nor false: write one of them, without quotes"
    elif error["type"] == "literal_error":
        close = similar_names(str(error["input"]), re.findall(r"'([^']+)'", error["ctx"]["expected"]))
        message = f"{error['input']!r} is not one of {error['ctx']['expected']}"
        message += f"; did you mean {close[0]!r}?" if close else ""
    elif error["type"] in _TABLE_TYPES:
        message = f"{'a list' if isinstance(error['input'], list) else repr(error['input'])} is not a table"
        message += f": write [{loc[0]}], with single brackets" if isinstance(error["input"], list) and len(loc) == 1 else ""
    elif error["type"] == "list_type" and isinstance(error["input"], dict):
        message = "a table is not a list" + (f": write [[{loc[0]}]], with double brackets" if len(loc) == 1 else "")
    elif error["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:].split(' after validation, not ')[0]}, not {error['input']!r}"
    dotted = ".".join(map(str, loc))
    return f"{dotted}: {message}" if dotted else message
