"""What a study runs on: a network with its traffic, and the movement of its mobile nodes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine import FOREVER, Network

Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Movement:
    """Attachments of mobile nodes to routers, one element an attachment, sorted by (mobile, up).

    Attributes
    ----------
    mobile, router : ndarray of int64
        Index of the mobile in the network, and of the router's node.
    up_ps, down_ps : ndarray of int64
        When the link becomes usable and when it is gone (``FOREVER``: it stays).
    predict_ps, going_down_ps : ndarray of int64
        Layer-2 events of leaving this router: when the move is known, when "the connection will be discarded in a very
        short time"; -1 where layer 2 gives none.
    """

    mobile: Int
    router: Int
    up_ps: Int
    down_ps: Int
    predict_ps: Int
    going_down_ps: Int

    def __post_init__(self) -> None:
        if not (np.lexsort((self.up_ps, self.mobile)) == np.arange(len(self.mobile))).all():
            raise ValueError("attachments must be sorted by mobile, then by the time they come up")


@dataclass(frozen=True)
class Options:
    """What a study leaves open about its procedures; times in picoseconds.

    Attributes
    ----------
    relay : {"router", "l2"}
        Way of the registration request before the move: relayed by the old router, or carried by layer 2 past it.
    agent_discovery_ps : int
        From link up to the first agent advertisement heard, where layer 2 gives no warning (RFC 5944, 2.3).
    lifetime_s : int
        Requested registration lifetime (RFC 5944, 3.6.1.3); the mobile node registers again at half of it.
    retransmit_ps : int
        First wait for a reply; doubled each time, at least 1 s (RFC 5944, 3.6.3).
    retransmit_max_ps : int
        Most that one wait grows to.
    new_buffer_packets, new_buffer_bytes : int
        Buffer of the new router for a mobile node that is registered but not attached; 0 = unlimited (decisions, 9 and 13).
    forwarding_lifetime_ps : int
        Lifetime of the old router's forwarding entry (decisions, 12).
    bicast_ps : int
        How long the old binding stays beside the new one (simultaneous bindings).
    settle_ps : int
        How long after a handoff is done its deliveries still count as its own: for packets that come by the longer way.
    """

    relay: str = "router"
    agent_discovery_ps: int = 100 * 10**9
    lifetime_s: int = 600
    retransmit_ps: int = 10**12
    retransmit_max_ps: int = 32 * 10**12
    new_buffer_packets: int = 50
    new_buffer_bytes: int = 0
    forwarding_lifetime_ps: int = 10 * 10**12
    bicast_ps: int = 200 * 10**9
    settle_ps: int = 100 * 10**9

    def problems(self) -> list[str]:
        """What is wrong with the options, each with what would be right."""
        found = []
        if self.relay not in ("router", "l2"):
            found.append(f"relay is 'router' or 'l2', not {self.relay!r}")
        if not 1 <= self.lifetime_s <= 65_534:
            found.append(f"lifetime is 1 s to 65534 s (RFC 5944, 3.3), not {self.lifetime_s} s")
        if self.retransmit_ps < 10**12:
            found.append("the first retransmission comes after at least 1 s (RFC 5944, 3.6.3)")
        return found


@dataclass(frozen=True)
class Setup:
    """A network with nodes, links, cells, mobiles and flows, but no attachments, tables or schedule: a run adds these.

    Attributes
    ----------
    network : Network
    home_agent : int
        Node of the home agent; the home node of every mobile.
    movement : Movement
    duration_ps : int
    options : Options
    """

    network: Network
    home_agent: int
    movement: Movement
    duration_ps: int
    options: Options = field(default_factory=Options)

    def last_attachments(self) -> npt.NDArray[np.bool_]:
        """Which attachments are the last of their mobile."""
        m = self.movement.mobile
        return np.append(m[1:] != m[:-1], True) if len(m) else np.zeros(0, bool)


__all__ = ["FOREVER", "Movement", "Options", "Setup"]
