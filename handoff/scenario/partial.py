"""Checks between the tables of a scenario whose tables have mistakes of their own: all mistakes are reported at once."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from engine.similar_names import similar_names
from handoff.scenario.field_paths import annotation_at, field_at, keys_at, neutral_value
from handoff.scenario.scenario import Scenario

Path = tuple[str | int, ...]


def partial_problems(data: dict[str, Any], errors: Sequence[Any]) -> list[str]:
    """Return the problems between the tables of a scenario that has other mistakes.

    A wrong quantity, number or word is replaced by a neutral value, because other tables do not depend on it. If names or whole
    tables are wrong, the checks that need them are left out.

    Parameters
    ----------
    data : dict
        Tables of the scenario.
    errors : sequence of dict
        Entries of ``ValidationError.errors()``.
    """
    repaired = copy.deepcopy(data)
    invalid = {str(error["loc"][0]) for error in errors if not _repair(repaired, tuple(error["loc"]), error["type"])}
    values: dict[str, Any] = {"link": []}  # [regions] adds its links to them, for checks that need no link
    for name, field in Scenario.model_fields.items():
        if name in repaired and name not in invalid:
            try:
                values[name] = _adapter(name).validate_python(repaired[name])
            except ValidationError:
                invalid.add(name)
        elif field.is_required():
            invalid.add(name)
    return Scenario.model_construct(**values).reference_problems(invalid)


@functools.cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(annotation_at((name,)))


def _repair(data: dict[str, Any], loc: Path, kind: str) -> bool:
    """Remove or replace the wrong value at a place; return False if other tables may depend on it."""
    place = _resolve(data, loc)
    if place is None:
        return False
    table, path = place
    key = str(path[-1])
    if kind == "extra_forbidden":
        del table[key]
        similar = similar_names(str(key), keys_at(path[:-1]))
        return all(neutral_value((*path[:-1], name)) is not None for name in similar)
    value = neutral_value(path) if len(path) > 1 else None  # other tables depend on the duration
    if value is None:
        return False
    field = field_at(path)
    if field is not None and field.is_required():
        table[key] = value
    else:
        table.pop(key, None)
    return True


def _resolve(data: dict[str, Any], loc: Path) -> tuple[dict[str, Any], Path] | None:
    """Return the innermost table on the way to a place, and the path of its key; None if the place is a table itself."""
    node: Any = data
    for i, part in enumerate(loc):
        if isinstance(part, int) and isinstance(node, list) and part < len(node):
            node = node[part]
        elif isinstance(part, int) and part == 0 and isinstance(node, dict):
            continue  # a single table instead of an array of one
        elif isinstance(node, dict) and isinstance(part, str):
            if isinstance(node.get(part), (dict, list)) and i + 1 < len(loc):
                node = node[part]
            else:
                return node, loc[: i + 1]
        else:
            return None
    return None
