"""Parsing of TOML with a limit on nesting, so that no later step exceeds Python's recursion limit."""

from __future__ import annotations

import tomllib
from typing import Any

MAX_NESTING = 16
"""Levels of tables and lists; a scenario needs five."""


class NestingError(tomllib.TOMLDecodeError):
    """Error of a text that is nested too deeply."""

    def __init__(self) -> None:
        # Since Python 3.14 the base class warns of an error without a position.
        ValueError.__init__(self, f"tables and lists are nested deeper than {MAX_NESTING} levels")


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text.

    Raises
    ------
    tomllib.TOMLDecodeError
        If the text is not TOML, or nested too deeply.
    """
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise NestingError from None
    level: list[Any] = [data]
    for _ in range(MAX_NESTING + 1):
        level = [child for node in level for child in (node.values() if isinstance(node, dict) else node) if _has_children(child)]
        if not level:
            return data
    raise NestingError


def _has_children(node: Any) -> bool:
    return isinstance(node, (dict, list))
