"""Estimate of the memory that movement takes, made before movement is built."""

from __future__ import annotations

import os

from engine import MemoryLimitError
from handoff.scenario.movement import CommutersModel, RandomWaypointModel
from handoff.scenario.scenario import Scenario

MOBILE_BYTES = 240
"""Bytes of a mobile node without handoffs: its name, its key and its first attachment, while they are built."""
HANDOFF_BYTES = 150
"""Bytes of a handoff, while all are built and sorted."""
SAMPLE_BYTES = 64
"""Bytes of a position of a mobile node."""
_MEAN_PATH = 0.26
"""Mean distance of two points in a rectangle, as a share of the sum of its sides; exact for a square, else a little less."""


def movement_bytes(scenario: Scenario) -> int:
    """Return the expected memory in bytes of generated movement; 0 if a file has the movement."""
    movement, duration_ps = scenario.movement, scenario.duration
    if movement.commuters is not None:
        return movement.commuters.mobile_nodes * (MOBILE_BYTES + int(HANDOFF_BYTES * _handoffs(movement.commuters, duration_ps)))
    if movement.gauss_markov is not None:
        samples = duration_ps / movement.gauss_markov.step
        return movement.gauss_markov.mobiles * (MOBILE_BYTES + int(SAMPLE_BYTES * samples))
    if movement.random_waypoint is not None:
        samples = 2 * duration_ps / _leg_ps(movement.random_waypoint)
        return movement.random_waypoint.mobiles * (MOBILE_BYTES + int(SAMPLE_BYTES * samples))
    return 0


def check_movement_memory(scenario: Scenario, limit_bytes: int | None) -> None:
    """Refuse movement that takes more memory than the limit, or than this machine has if there is no limit.

    Raises
    ------
    MemoryLimitError
        If it takes more.
    """
    limit = physical_bytes() if limit_bytes is None else limit_bytes
    need = movement_bytes(scenario)
    if limit is not None and need > limit:
        whose = "this machine has" if limit_bytes is None else "the limit is"
        raise MemoryLimitError(
            f"the movement of this scenario takes about {need:,} bytes, {whose} {limit:,}: "
            "allow more, or make the number of mobile nodes, the duration or the rate of handoffs smaller"
        )


def _handoffs(commuters: CommutersModel, duration_ps: int) -> float:
    model = commuters.model()
    return duration_ps / model.dwell_ps * model.moving_share / 2**64 if model.moving_share else 0.0


def _leg_ps(model: RandomWaypointModel) -> float:
    mean_mm_per_s = (model.slowest + model.fastest) / 2
    return _MEAN_PATH * (model.width + model.height) / mean_mm_per_s * 1e12 + model.pause / 2


def physical_bytes() -> int | None:
    """Return the memory of this machine in bytes, or None if the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
