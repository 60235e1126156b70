"""Arguments of the Python interface that may be one text or several, and mappings of fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from handoff.scenario.errors import ScenarioError

T = TypeVar("T")


def as_tuple(value: str | Iterable[T]) -> tuple[str | T, ...]:
    """Return the elements of an argument; one text is one element, and not its letters."""
    return (value,) if isinstance(value, str) else tuple(value)


def as_ranges(vary: object, example: str) -> dict[str, tuple[Any, ...]]:
    """Return the values of each field of the argument ``vary``; a single value is one of them.

    Raises
    ------
    ScenarioError
        If it is no mapping; the message has the example.
    """
    if vary is not None and not isinstance(vary, Mapping):
        raise ScenarioError([f"vary is {vary!r}: give a mapping of fields, as in {example}"])
    return {name: as_tuple(values) if isinstance(values, Iterable) else (values,) for name, values in (vary or {}).items()}
