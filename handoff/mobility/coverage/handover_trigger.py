"""Handover trigger: next move to a stronger router, next loss of the link, next router in range (docs/movement.md)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.columns import Int
from handoff.mobility.coverage._decisions import LevelScan

LINK_LOST = -1


@dataclass(frozen=True)
class ReceivedLevels:
    """Received levels of one mobile node, measured at instants and linear in between.

    Attributes
    ----------
    time_ps : ndarray of int64, shape (instants,)
        Strictly increasing.
    level : ndarray of int64, shape (routers, instants)
        Thousandths of a decibel over 1 mW; routers in the order of their keys.
    scan : LevelScan
        Compiled searches in both.
    """

    time_ps: Int
    level: Int
    scan: LevelScan = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scan", LevelScan(self.time_ps, np.ascontiguousarray(self.level)))

    def at(self, router: int, time_ps: int) -> int:
        """Return the level of a router at an instant between the first and the last measurement."""
        return self.scan.at(router, time_ps)


@dataclass(frozen=True)
class HandoverDecision:
    """Next router of a mobile node: the row ``to`` of the levels, or ``LINK_LOST``."""

    time_ps: int
    to: int


def next_handover(
    levels: ReceivedLevels, serving: int, from_ps: int, minimum: int, hysteresis: int, trigger_ps: int
) -> HandoverDecision | None:
    """Return the decision that ends an attachment to a router; None if the measurements end first.

    The mobile node moves to another router when that router's level has been more than ``hysteresis`` above the serving one's
    for ``trigger_ps`` without a break; if several meet this at one instant, to the strongest, then to the first by key. The link
    is lost when the serving level falls below ``minimum``.

    Parameters
    ----------
    levels : ReceivedLevels
        Measurements.
    serving : int
        Row of the serving router.
    from_ps : int
        Time from which the router serves.
    minimum, hysteresis : int
        Thousandths of a decibel.
    trigger_ps : int
        Time to trigger.
    """
    decision = levels.scan.next_handover(serving, from_ps, minimum, hysteresis, trigger_ps)
    return None if decision is None else HandoverDecision(*decision)


def next_router(levels: ReceivedLevels, from_ps: int, minimum: int) -> HandoverDecision | None:
    """Return the attachment of a mobile node without a link: to the strongest router, once a level is ``minimum`` or above."""
    decision = levels.scan.next_router(from_ps, minimum)
    return None if decision is None else HandoverDecision(*decision)


def level_above_since(levels: ReceivedLevels, router: int, level: int, from_ps: int, to_ps: int) -> int:
    """Return the time in [from, to] from which a router's level is at ``level`` or above until ``to_ps``.

    The result is ``to_ps`` if the level is below at ``to_ps``.
    """
    return levels.scan.level_above_since(router, level, from_ps, to_ps, 1)


def level_below_since(levels: ReceivedLevels, router: int, level: int, from_ps: int, to_ps: int) -> int:
    """Return the time in [from, to] from which a router's level is at ``level`` or below until ``to_ps``."""
    return levels.scan.level_above_since(router, -level, from_ps, to_ps, -1)


__all__ = [
    "LINK_LOST", "HandoverDecision", "ReceivedLevels", "level_above_since", "level_below_since",
    "next_handover", "next_router",
]  # fmt: skip
