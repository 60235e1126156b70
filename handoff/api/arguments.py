"""Arguments of the Python interface that may be one text or several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def as_tuple(value: str | Iterable[T]) -> tuple[str | T, ...]:
    """Return the elements of an argument; one text is one element, and not its letters."""
    return (value,) if isinstance(value, str) else tuple(value)
