"""Scenarios of the Python interface: from a file, or from tables that a program builds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handoff.protocol.setup import Setup
from handoff.scenario.errors import ScenarioError
from handoff.scenario.load import read_tables, validate
from handoff.scenario.overrides import set_value
from handoff.scenario.scenario import Scenario as ScenarioModel

CHANGE = "override"
"""Label of a change in messages."""


@dataclass(frozen=True)
class Scenario:
    """A scenario, whose tables have been checked. :func:`load` makes it.

    Attributes
    ----------
    tables : dict
        Tables of the scenario, as in its TOML file.
    path : Path
        Scenario file, or a name in the folder to which the names of captures and movement files are relative.
    text : str
        Content of the file, or the tables as JSON; results keep it.
    model : handoff.scenario.Scenario
        The scenario as validated values, with durations in picoseconds.
    """

    tables: dict[str, Any]
    path: Path
    text: str
    model: ScenarioModel

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return self.model.name

    def override(self, **overrides: Any) -> Scenario:
        """Return the scenario with other values of some fields; see :func:`load`."""
        return load(self, **overrides)

    def validate(self) -> Scenario:
        """Check also the files that the scenario names, and whether its network, traffic and movement fit together.

        Raises
        ------
        ScenarioError
            With every problem.
        """
        self.build()
        return self

    def build(self, seed: int | None = None, memory_limit_bytes: int | None = None) -> Setup:
        """Build network, traffic and movement, ready for a run with a seed (None: the scenario's).

        Raises
        ------
        ScenarioError
            With every problem of the files that the scenario names.
        """
        from handoff.workload.build import build_setup

        return build_setup(self.model, self.path, self.model.seed if seed is None else seed, memory_limit_bytes)

    def __repr__(self) -> str:
        model = self.model
        return (
            f"<handoff.Scenario {self.name!r}: {model.duration / 1e12:g} s, seed {model.seed}, "
            f"tables {', '.join(self.tables)}>"
        )  # fmt: skip


Source = str | Path | Mapping[str, Any] | Scenario
"""Scenario as an argument: a file, its tables, or what :func:`load` has returned."""


def load(source: Source, **overrides: Any) -> Scenario:
    """Return a scenario whose tables are valid.

    Parameters
    ----------
    source : str, Path, mapping or Scenario
        TOML file, or its tables as nested mappings. The captures and movement files of a mapping are relative to the working
        directory.
    **overrides
        Values for fields, by the short names of ``--set`` (``mobile_nodes=1000``, ``lead_time="50ms"``) or by their paths
        (``**{"options.bicast": "1s"}``).

    Raises
    ------
    ScenarioError
        With every problem of the tables and the overrides.
    """
    if isinstance(source, Scenario):
        if not overrides:
            return source
        tables, path, text = source.tables, source.path, source.text
    elif isinstance(source, Mapping):
        tables = _copy_tables(source)
        path = Path(f"{str(tables.get('name', 'scenario')).replace('/', '_')}.toml")
        text = json.dumps(tables, indent=1, ensure_ascii=False)
    else:
        path = Path(source)
        tables, text = read_tables(path)
    problems = []
    for name, value in overrides.items():
        try:
            tables = set_value(tables, name, _to_toml(value))
        except (TypeError, ValueError) as error:
            problems.append(f"{CHANGE} {error}")
    if problems:
        raise ScenarioError(problems)
    is_file = not isinstance(source, Mapping)
    changes = tuple(f"{name}=" for name in overrides)
    model = validate(tables, path if is_file else "scenario", text if is_file else "", changes, CHANGE)
    return Scenario(tables, path, json.dumps(tables, indent=1, ensure_ascii=False) if overrides else text, model)


def _copy_tables(source: Mapping[str, Any]) -> dict[str, Any]:
    try:
        tables: dict[str, Any] = json.loads(json.dumps(source, default=_to_plain))
    except TypeError as error:
        raise ScenarioError([f"scenario: {error}: use numbers, text, booleans, lists and tables"]) from None
    return tables


def _to_plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):  # a NumPy number
        return value.item()
    raise TypeError(f"a {type(value).__name__} is no value of a scenario")


def _to_toml(value: Any) -> str:
    """Return a value as ``set_value`` reads it."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(k))} = {_toml_literal(v)}" for k, v in value.items()) + "}"
    return _toml_literal(value)


def value_text(value: Any) -> str:
    """Return a value of a field as the command line spells it."""
    return value if isinstance(value, str) else _toml_literal(value)


def _toml_literal(value: Any) -> str:
    if isinstance(value, Mapping):
        return _to_toml(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml_literal, value)) + "]"
    return json.dumps(value, default=_to_plain)  # JSON and TOML spell text, numbers and booleans alike


__all__ = ["Scenario", "Source", "load", "value_text"]
