"""Cost of a handoff in closed form, under constant delays and without queueing.

All times are in one unit of the caller's choice. An anchor (home agent, gateway or correspondent) sends a packet every T to the
mobile node, which moves from the old router to the new one. docs/theory.md defines the symbols and derives the formulas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class PathDelays:
    """Path delays of one handoff.

    Attributes
    ----------
    anchor_old, anchor_new : float
        From the anchor to the old and the new router (bo, bn).
    radio_old, radio_new : float
        From each router to the mobile node (wo, wn).
    between : float
        From the old router to the new one (c).
    processing : float
        Processing time of the anchor (p).
    """

    anchor_old: float
    anchor_new: float
    radio_old: float
    radio_new: float
    between: float
    processing: float

    @property
    def update(self) -> float:
        """Time from the request over the new link to the arrival of the last packet by the old route: wn + bn + p + bo + wo."""
        return self.radio_new + self.anchor_new + self.processing + self.anchor_old + self.radio_old

    @property
    def lead(self) -> float:
        """Time from the request to the marker at the mobile node, which scenario I needs: wo + c + bn + p + bo + wo."""
        return 2 * self.radio_old + self.between + self.anchor_new + self.processing + self.anchor_old

    def switch(self, request: float) -> float:
        """Return the time at which the anchor switches (tH) after a request over the old link."""
        return request + self.radio_old + self.between + self.anchor_new + self.processing

    def switch_after_move(self, request: float) -> float:
        """Return the time at which the anchor switches (tH) after a request over the new link."""
        return request + self.radio_new + self.anchor_new + self.processing

    def updated_after_move(self, update: float) -> float:
        """Return the time at which an update over the new link is at the old router (tB)."""
        return update + self.radio_new + self.between


def conventional_loss(delays: PathDelays, old_down: float, registers: float, interval: float) -> float:
    """Return the packets lost by registering after the move: W / T with W = (t - tL) + wn + bn + p + bo + wo.

    A CBR flow loses the floor or the ceiling of this value.

    Parameters
    ----------
    delays : PathDelays
        Delays of the handoff.
    old_down : float
        End of the old link (tL).
    registers : float
        Time of the request (t): the new link is up, and an agent has been found.
    interval : float
        Time between two packets (T).
    """
    return (registers - old_down + delays.update) / interval


def conventional_disruption(delays: PathDelays, old_down: float, registers: float) -> float:
    """Return the interruption at the mobile node, (t - tL) + 2 (wn + bn) + p; the true one is longer by less than T."""
    return registers - old_down + 2 * (delays.radio_new + delays.anchor_new) + delays.processing


def smooth_loss(
    delays: PathDelays, old_down: float, updated: float, interval: float, buffer: float = 0, switch: float = math.inf
) -> float:
    """Return the packets lost until the old router forwards, (min(tB, tH + bo) - (tL - wo)) / T, less those in its buffer B.

    This is the loss of every procedure that asks the old router to forward: smooth handoff, temporary home agent, and the
    synchronized procedures, warned or not.

    Parameters
    ----------
    delays : PathDelays
        Delays of the handoff.
    old_down : float
        End of the old link (tL).
    updated : float
        Time at which the update is at the old router (tB).
    interval : float
        Time between two packets (T).
    buffer : float
        Packets that the old router keeps (B).
    switch : float
        Time at which the anchor switches (tH); by default after all that matters here.
    """
    return max(0.0, _stored_time(delays, old_down, updated, switch) / interval - buffer)


def _stored_time(delays: PathDelays, old_down: float, updated: float, switch: float) -> float:
    """Return the time during which packets come to the old router that neither its link nor the tunnel carries."""
    return max(0.0, min(updated, switch + delays.anchor_old) - (old_down - delays.radio_old))


def old_buffer(delays: PathDelays, old_down: float, updated: float, interval: float, switch: float = math.inf) -> int:
    """Return the smallest buffer of the old router, in packets, with which nothing is lost; it is also the buffer's peak."""
    return math.ceil(smooth_loss(delays, old_down, updated, interval, switch=switch))


def forwarded_packets(
    delays: PathDelays, old_down: float, updated: float, switch: float, interval: float, buffer: float = math.inf
) -> float:
    """Return the packets that the old router tunnels: (tH + bo - min(tB, tL - wo)) / T, less the lost ones.

    The parameters are those of :func:`smooth_loss`.
    """
    stream = switch + delays.anchor_old - min(updated, old_down - delays.radio_old)
    return max(0.0, stream) / interval - smooth_loss(delays, old_down, updated, interval, buffer, switch)


def forwarding_disruption(delays: PathDelays, old_down: float, updated: float, switch: float, new_up: float) -> float:
    """Return the interruption: max(tU, min(tB + c, tH + bn)) + wn - min(tL, tB + wo, tH + bo + wo); the true one is within T.

    Parameters
    ----------
    delays : PathDelays
        Delays of the handoff.
    old_down : float
        End of the old link (tL).
    updated : float
        Time at which the update is at the old router (tB).
    switch : float
        Time at which the anchor switches (tH).
    new_up : float
        Time at which the new link is up (tU); the new router keeps its packets until then.
    """
    first = max(new_up, min(updated + delays.between, switch + delays.anchor_new)) + delays.radio_new
    last = min(old_down, updated + delays.radio_old, switch + delays.anchor_old + delays.radio_old)
    return first - last


def reply_time_after_move(delays: PathDelays, registers: float) -> float:
    """Return the time of the reply to a request over the new link: t + 2 (wn + bn) + p."""
    return delays.switch_after_move(registers) + delays.anchor_new + delays.radio_new


def reply_time_before_move(delays: PathDelays, switch: float, new_up: float) -> float:
    """Return the time of the reply to a request over the old link, which waits at the new router: max(tU, tH + bn) + wn."""
    return max(new_up, switch + delays.anchor_new) + delays.radio_new


def upstream_held(old_down: float, reply: float, interval: float) -> float:
    """Return the upstream packets that the mobile node holds without a registered link: (tR - tL) / T."""
    return max(0.0, reply - old_down) / interval


def upstream_loss(old_down: float, reply: float, interval: float, buffer: float = math.inf) -> float:
    """Return the upstream packets lost without a registered link: (tR - tL) / T less those in the mobile node's buffer."""
    return max(0.0, upstream_held(old_down, reply, interval) - buffer)


def bicast_loses_nothing(delays: PathDelays, switch: float, old_down: float, new_up: float) -> bool:
    """Return True if the last single packet arrives over the old link and the first copy over the new one."""
    return switch + delays.anchor_old + delays.radio_old <= old_down and new_up <= switch + delays.anchor_new


def bicast_duplicates(delays: PathDelays, switch: float, old_down: float, interval: float) -> float:
    """Return the packets that arrive twice: (tL - bo - wo - tH) / T."""
    return max(0.0, old_down - delays.anchor_old - delays.radio_old - switch) / interval


def bicast_end(switch: float, old_down: float, linger: float) -> float:
    """Return the end of the old binding (tEnd) if it ends with the old link: max(tH, tL) + linger."""
    return max(switch, old_down) + linger


def bicast_copies(switch: float, end: float, interval: float) -> float:
    """Return the packets that the anchor sends twice: (tEnd - tH) / T."""
    return (end - switch) / interval


def rescue_loss(delays: PathDelays, guard: float, interval: float) -> float:
    """Return the packets lost in scenarios II and III, max(0, 2 wo - g) / T with the warning time g = tL - tW."""
    return max(0.0, 2 * delays.radio_old - guard) / interval


def reordered(delays: PathDelays, interval: float) -> int:
    """Return the reordered packets of a CBR flow in scenario II: ceil(D / T) - 1 with D = bo + c - bn; 0 if D is not positive."""
    detour = delays.anchor_old + delays.between - delays.anchor_new
    return max(0, math.ceil(detour / interval) - 1)


def new_buffer(
    delays: PathDelays, switch: float, updated: float, new_up: float, interval: float, old_down: float = math.inf
) -> float:
    """Return the peak of packets at the new router in scenario III: (min(tU, tH+bo+c) - (s+c) + (tU - (tH+bn))+) / T.

    The first forwarded packet was at the old router at s = min(tB, tL - wo), where it waited for the update. Nothing is forwarded
    before tB. Signalling messages in the same buffer are not counted.

    Parameters
    ----------
    delays : PathDelays
        Delays of the handoff.
    switch : float
        Time at which the anchor switches (tH).
    updated : float
        Time at which the update is at the old router (tB).
    new_up : float
        Time at which the new link is up (tU).
    interval : float
        Time between two packets (T).
    old_down : float
        End of the old link (tL), if packets wait at the old router; by default the update comes before them.
    """
    first = min(updated, old_down - delays.radio_old)
    forwarded = min(new_up, switch + delays.anchor_old + delays.between) - (first + delays.between)
    if new_up < updated + delays.between:
        forwarded = 0.0
    direct = new_up - (switch + delays.anchor_new)
    return (max(0.0, forwarded) + max(0.0, direct)) / interval


def crossings_per_s(density_per_m2: float, speed_m_per_s: float, perimeter_m: float) -> float:
    """Return the rate at which uniformly moving nodes enter a cell: density x speed x perimeter / pi (fluid flow model)."""
    return density_per_m2 * speed_m_per_s * perimeter_m / math.pi
