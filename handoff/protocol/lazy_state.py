"""Per-mobile-node state, created on first access. Idle mobile nodes take no memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class PerMobileState(dict[int, T]):
    """Map from a mobile node to its state. A lookup with ``[]`` creates a missing entry.

    Parameters
    ----------
    initial_state : callable
        Returns the state of a mobile node at time 0.
    """

    __slots__ = ("initial_state",)

    def __init__(self, initial_state: Callable[[int], T]) -> None:
        self.initial_state = initial_state

    def __missing__(self, mobile: int) -> T:
        """Create and store the state of a mobile node."""
        state = self[mobile] = self.initial_state(mobile)
        return state
