"""What a handoff costs under constant delays and without queueing.

All times in one unit (any). An anchor (home agent, gateway or correspondent) has the old and the new router below it. A packet
every T. Reference: README of the procedures (docs/procedures.md) and the figures of its seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class PathDelays:
    """Delays of one handoff.

    Attributes
    ----------
    anchor_old, anchor_new : float
        From the anchor to the old and the new router (bo, bn).
    radio_old, radio_new : float
        Of the two radios (wo, wn).
    between : float
        From the old router to the new one (c).
    processing : float
        Of the anchor (p).
    """

    anchor_old: float
    anchor_new: float
    radio_old: float
    radio_new: float
    between: float
    processing: float

    @property
    def update(self) -> float:
        """From the request over the new link until the last packet of the old way would have arrived: wn + bn + p + bo + wo."""
        return self.radio_new + self.anchor_new + self.processing + self.anchor_old + self.radio_old

    @property
    def lead(self) -> float:
        """From the request to the marker at the mobile node, which scenario I needs: wo + c + bn + p + bo + wo."""
        return 2 * self.radio_old + self.between + self.anchor_new + self.processing + self.anchor_old

    def switch(self, request: float) -> float:
        """When the anchor switches (tH) after a request over the old link."""
        return request + self.radio_old + self.between + self.anchor_new + self.processing


def conventional_loss(ways: PathDelays, old_down: float, registers: float, interval: float) -> float:
    """Packets lost by registering after the move: W / T, W = (t - tL) + wn + bn + p + bo + wo; a CBR flow's floor or ceiling.

    ``registers`` is when the mobile node asks: the new link is up, and an agent has been found.
    """
    return (registers - old_down + ways.update) / interval


def conventional_disruption(ways: PathDelays, old_down: float, registers: float) -> float:
    """Interruption seen at the mobile node: (t - tL) + 2 (wn + bn) + p, plus less than T."""
    return registers - old_down + 2 * (ways.radio_new + ways.anchor_new) + ways.processing


def smooth_loss(ways: PathDelays, old_down: float, updated: float, interval: float, buffer: int = 0) -> float:
    """Lost until the update is at the old router (tB), less the packets that it holds: (tB - (tL - wo)) / T - B."""
    return max(0.0, (updated - (old_down - ways.radio_old)) / interval - buffer)


def old_buffer(ways: PathDelays, old_down: float, updated: float, interval: float) -> int:
    """Smallest buffer of the old router with which a smooth handoff loses nothing."""
    return math.ceil(smooth_loss(ways, old_down, updated, interval))


def bicast_loses_nothing(ways: PathDelays, switch: float, old_down: float, new_up: float) -> bool:
    """Whether the last single packet is heard on the old link and the first copy on the new one."""
    return switch + ways.anchor_old + ways.radio_old <= old_down and new_up <= switch + ways.anchor_new


def bicast_duplicates(ways: PathDelays, switch: float, old_down: float, interval: float) -> float:
    """Packets heard twice: (tL - bo - wo - tH) / T."""
    return max(0.0, old_down - ways.anchor_old - ways.radio_old - switch) / interval


def bicast_copies(switch: float, end: float, interval: float) -> float:
    """Packets that the anchor sends twice: (tEnd - tH) / T."""
    return (end - switch) / interval


def rescue_loss(ways: PathDelays, guard: float, interval: float) -> float:
    """Lost in scenarios II and III with so long a warning: max(0, 2 wo - (tL - tW)) / T."""
    return max(0.0, 2 * ways.radio_old - guard) / interval


def reordered(ways: PathDelays, interval: float) -> int:
    """Packets of a CBR flow that scenario II reorders: D = bo + c - bn, ceil(D / T) - 1; none if D is not positive."""
    later = ways.anchor_old + ways.between - ways.anchor_new
    return max(0, math.ceil(later / interval) - 1)


def new_buffer(ways: PathDelays, switch: float, updated: float, new_up: float, interval: float) -> float:
    """Peak at the new router in scenario III: ((min(tU, tH+bo+c) - (tB+c))+ + (tU - (tH+bn))+) / T.

    ``updated`` is when the update is at the old router (tB). Messages that wait beside the packets come on top.
    """
    forwarded = min(new_up, switch + ways.anchor_old + ways.between) - (updated + ways.between)
    direct = new_up - (switch + ways.anchor_new)
    return (max(0.0, forwarded) + max(0.0, direct)) / interval


def crossings_per_s(density_per_m2: float, speed_m_per_s: float, perimeter_m: float) -> float:
    """Boundary crossings of a cell in one direction, of uniformly moving nodes: density x speed x perimeter / pi."""
    return density_per_m2 * speed_m_per_s * perimeter_m / math.pi
