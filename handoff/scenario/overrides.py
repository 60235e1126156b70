"""Overrides of scenario fields by short name or path, as ``--set`` and ``--vary`` make them."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from engine.similar_names import name_hint
from handoff.scenario.field_paths import is_count, keys_at, leaf_paths
from handoff.scenario.toml_text import parse_toml
from handoff.scenario.units import parse_count

MAX_SUGGESTIONS = 3
"""Number of names that an error message suggests."""
SHORT_NAMES: dict[str, tuple[str, ...]] = {
    "mobile_nodes": ("movement.commuters.mobile_nodes", "movement.random_waypoint.mobiles", "movement.gauss_markov.mobiles"),
    "handoff_rate": ("movement.commuters.handoff_rate",),
    "moving": ("movement.commuters.moving",),
    "gap": ("movement.commuters.gap!",),
    "lead_time": ("movement.commuters.lead", "coverage.lead", "movement.lead!"),
    "guard_time": ("movement.commuters.guard", "coverage.guard", "movement.guard!"),
    "agents": ("regions.count",),
    "agent_service": ("home_agent.registration",),
    "agent_queue": ("home_agent.registration_queue",),
    "gateway_service": ("regions.gateway.registration", "node.*.registration!"),
    "gateway_queue": ("regions.gateway.registration_queue", "node.*.registration_queue!"),
    "router_service": ("routers.registration",),
    "buffer": ("options.new_buffer_packets", "options.old_buffer_packets"),
    "new_buffer": ("options.new_buffer_packets",),
    "old_buffer": ("options.old_buffer_packets",),
    "lifetime": ("options.lifetime",),
    "link_rate": ("link.*.rate", "regions.wired.rate", "regions.link.*.rate"),
    "link_buffer": ("link.*.buffer_packets", "regions.wired.buffer_packets", "regions.link.*.buffer_packets"),
    "wired_rate": ("routers.wired.rate",),
    "wired_buffer": ("routers.wired.buffer_packets",),
    "cell_rate": ("routers.cell.rate",),
    "cell_buffer": ("routers.cell.buffer_packets",),
    "cell_loss": ("routers.cell.loss",),
    "packet_interval": ("traffic.*.interval!",),
    "share": ("mixture.*.share!",),
    "attack_rate": ("attack.*.rate!",),
}
"""Paths of each short name. ``*`` stands for every table of an array. The scenario must have the table of a path, except
``[options]``; with ``!`` it must have the key too."""


def variable_fields(data: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the short names that fit the tables of a scenario file, each with its dotted paths."""
    matches = {name: tuple(path for p in patterns for path in _matching_paths(data, p)) for name, patterns in SHORT_NAMES.items()}
    return {name: paths for name, paths in matches.items() if paths}


def resolve_paths(data: dict[str, Any], name: str) -> tuple[str, ...]:
    """Return the dotted paths of a short name; a dotted path or a key of the file is returned as it is.

    Raises
    ------
    ValueError
        If the short name is unknown, or does not fit the scenario.
    """
    known = variable_fields(data)
    if name in known:
        return known[name]
    if name in SHORT_NAMES:
        where = ", ".join(pattern.removesuffix("!") for pattern in SHORT_NAMES[name])
        raise ValueError(f"{name}: this scenario has no such field; it would be {where}")
    if "." not in name and name not in keys_at(()):
        otherwise = f"give a path as in 'options.lifetime', or one of {', '.join(known)}"
        raise ValueError(f"{name}: no field of a scenario; {name_hint(name, field_names(data), otherwise, MAX_SUGGESTIONS)}")
    return (name,)


def field_names(data: dict[str, Any]) -> list[str]:
    """Return the names that ``set_value`` accepts for a scenario file: short names, and the dotted paths of all other keys."""
    short = variable_fields(data)
    covered = {path for paths in short.values() for path in paths}
    return [*short, *(path for path in leaf_paths(data) if path not in covered)]


def set_value(data: dict[str, Any], name: str, text: str) -> dict[str, Any]:
    """Return a copy of a scenario file's tables with one value changed; ``handoff.scenario.load.validate`` checks the value.

    Parameters
    ----------
    data : dict
        Tables as ``tomllib`` returns them.
    name : str
        A short name (``variable_fields``) or a dotted path; a number in a path counts the tables of an array.
    text : str
        The value in TOML; a bare word is text. For a count, ``10k``, ``1.5M`` and ``2G`` are allowed too.

    Raises
    ------
    ValueError
        If the scenario has no such field.
    """
    changed = copy.deepcopy(data)
    for path in resolve_paths(data, name):
        _set_path(changed, path, name, text)
    return changed


def _matching_paths(data: dict[str, Any], pattern: str) -> Iterator[str]:
    *tables, last = pattern.removesuffix("!").split(".")
    for path, table in _matching_tables(data, tables, ()):
        if last in table or not pattern.endswith("!"):
            yield ".".join((*path, last))
    if tables == ["options"] and "options" not in data:
        yield pattern


def _matching_tables(node: Any, parts: list[str], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if parts and parts[0] == "*" and isinstance(node, list):
        for i, element in enumerate(node):
            yield from _matching_tables(element, parts[1:], (*path, str(i)))
    elif parts and parts[0] == "*":  # a single table may be written instead of an array of one
        yield from _matching_tables(node, parts[1:], path)
    elif not parts and isinstance(node, dict):
        yield path, node
    elif parts and isinstance(node, dict) and parts[0] in node:
        yield from _matching_tables(node[parts[0]], parts[1:], (*path, parts[0]))


def _set_path(data: dict[str, Any], path: str, name: str, text: str) -> None:
    *tables, last = path.split(".")
    node: Any = data
    for table in tables:
        if isinstance(node, dict):
            node = node.setdefault(table, {})
        elif isinstance(node, list) and table.isdecimal() and int(table) < len(node):
            node = node[int(table)]
        else:
            raise ValueError(f"{name}: {table!r} is not a table of the scenario")
    if not isinstance(node, dict):
        hint = f", as in {'.'.join((*tables, '0', last))}" if isinstance(node, list) else ""
        raise ValueError(f"{name}: {tables[-1]!r} is not a table; in a list, name the element by its number{hint}")
    node[last] = _parse_value(path, text)


def _parse_value(path: str, text: str) -> Any:
    try:
        (parsed,) = parse_toml(f"x = {text}").values()
    except (tomllib.TOMLDecodeError, ValueError):
        parsed = text.strip()
    has_suffix = isinstance(parsed, str) and re.fullmatch(r"[\d.]+ *[kMG]", parsed) is not None
    return parse_count(parsed) if has_suffix and is_count(path.split(".")) else parsed
