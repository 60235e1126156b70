"""What of a scenario is varied: short names and paths, changes of a file's tables."""

from __future__ import annotations

import copy
import difflib
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from handoff.scenario.field_paths import is_count, keys_at
from handoff.scenario.units import parse_count

_SHORT: dict[str, tuple[str, ...]] = {
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
    "buffer": ("options.new_buffer_packets",),
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
}
"""Paths of each; the table has to be there (``[options]`` need not), with ``!`` the key too. ``*``: every table of an array."""


def variable_fields(data: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Short names of what may vary in these tables of a scenario file, each with its dotted paths."""
    found = {name: tuple(p for pattern in patterns for p in _matching(data, pattern)) for name, patterns in _SHORT.items()}
    return {name: paths for name, paths in found.items() if paths}


def resolve_paths(data: dict[str, Any], name: str) -> tuple[str, ...]:
    """Dotted paths of a short name; any dotted path, and any key of the file, is its own name.

    Raises
    ------
    ValueError
        If the scenario has nothing of that name.
    """
    known = variable_fields(data)
    if name in known:
        return known[name]
    if name in _SHORT:
        where = ", ".join(pattern.removesuffix("!") for pattern in _SHORT[name])
        raise ValueError(f"{name}: this scenario has none; it would be {where}")
    keys = keys_at(())
    if "." not in name and name not in keys:
        near = difflib.get_close_matches(name, [*known, *keys], 1)
        right = f"did you mean {near[0]!r}?" if near else f"give a path as in 'options.lifetime', or one of {', '.join(known)}"
        raise ValueError(f"{name}: nothing of a scenario; {right}")
    return (name,)


def set_value(data: dict[str, Any], name: str, text: str) -> dict[str, Any]:
    """A copy of a scenario file's tables with a value changed; whether it makes sense, ``handoff.scenario.load.validate`` finds.

    Parameters
    ----------
    data : dict
        As TOML gives them.
    name : str
        A short name (``fields``) or a dotted path; a number counts the tables of an array.
    text : str
        The value in TOML; a bare word is text. Where a plain number is meant, ``10k``, ``1.5M`` and ``2G`` are numbers too.

    Raises
    ------
    ValueError
        If there is no such place.
    """
    changed = copy.deepcopy(data)
    for path in resolve_paths(data, name):
        _put(changed, path, name, text)
    return changed


def _matching(data: dict[str, Any], pattern: str) -> Iterator[str]:
    *tables, last = pattern.removesuffix("!").split(".")
    for at, table in _tables(data, tables, ()):
        if last in table or not pattern.endswith("!"):
            yield ".".join((*at, last))
    if tables == ["options"] and "options" not in data:
        yield pattern


def _tables(here: Any, parts: list[str], at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if parts and parts[0] == "*" and isinstance(here, list):
        for i, element in enumerate(here):
            yield from _tables(element, parts[1:], (*at, str(i)))
    elif parts and parts[0] == "*":  # one table stands for an array of one
        yield from _tables(here, parts[1:], at)
    elif not parts and isinstance(here, dict):
        yield at, here
    elif parts and isinstance(here, dict) and parts[0] in here:
        yield from _tables(here[parts[0]], parts[1:], (*at, parts[0]))


def _put(data: dict[str, Any], path: str, name: str, text: str) -> None:
    *tables, last = path.split(".")
    here: Any = data
    for table in tables:
        here = here[int(table)] if isinstance(here, list) and table.isdecimal() and int(table) < len(here) else (
            here.setdefault(table, {}) if isinstance(here, dict) else None
        )  # fmt: skip
        if here is None:
            raise ValueError(f"{name}: {table!r} is not a table of the scenario")
    if not isinstance(here, dict):
        raise ValueError(f"{name}: {tables[-1]!r} is not a table; in a list, name the element by its number")
    here[last] = _value(path, text)


def _value(path: str, text: str) -> Any:
    try:
        (parsed,) = tomllib.loads(f"x = {text}").values()
    except (tomllib.TOMLDecodeError, ValueError):
        parsed = text.strip()
    short = isinstance(parsed, str) and re.fullmatch(r"[\d.]+ *[kMG]", parsed) is not None
    return parse_count(parsed) if short and is_count(path.split(".")) else parsed
