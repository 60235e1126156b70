"""What is remembered of mobile nodes from their first event on: of those that nothing has happened to, nothing is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Known = TypeVar("Known")


class PerMobileState(dict[int, Known]):
    """By mobile node; what is not there yet is made as it is looked up with ``[]``.

    Parameters
    ----------
    make : callable
        From a mobile node what is known of it at time 0.
    """

    __slots__ = ("make",)

    def __init__(self, make: Callable[[int], Known]) -> None:
        self.make = make

    def __missing__(self, mobile: int) -> Known:
        """Make it."""
        made = self[mobile] = self.make(mobile)
        return made
