"""Both ends of the flows of one ``[[traffic]]`` table, and the time in which both are present."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine import FOREVER
from engine.columns import Int
from engine.rng import name_key
from handoff.protocol.setup import Presence


@dataclass(frozen=True, eq=False)
class FlowEnds:
    """Mobile nodes with their correspondents: one node for all, or another mobile node for each.

    Attributes
    ----------
    node : str or None
        Node that is the correspondent of all; None with ``peers``.
    mobiles : ndarray of int64
        Mobile nodes.
    peers : ndarray of int64 or None
        Mobile node that is the correspondent of each.
    begin_ps, end_ps : ndarray of int64
        Time in which the mobile node, and its correspondent if that is mobile, are present.
    """

    node: str | None
    mobiles: Int
    peers: Int | None
    begin_ps: Int
    end_ps: Int

    @classmethod
    def with_node(cls, node: str, count: int, presence: Presence | None = None) -> FlowEnds:
        """Return ``count`` mobile nodes with a node as correspondent; without ``presence`` they are always present."""
        return cls(node, np.arange(count), None, *_times(presence, np.arange(count)))

    @classmethod
    def with_peers(cls, peers: Int, presence: Presence | None = None) -> FlowEnds:
        """Return the mobile nodes that have one in ``peers`` (-1: none) as correspondent."""
        mobiles = np.flatnonzero(peers >= 0)
        (begin, end), (peer_begin, peer_end) = (_times(presence, who) for who in (mobiles, peers[mobiles]))
        begin = np.maximum(begin, peer_begin)
        return cls(None, mobiles, peers[mobiles], begin, np.maximum(begin, np.minimum(end, peer_end)))

    def correspondent_keys(self, mobile_keys: npt.NDArray[np.uint64], rows: Int) -> npt.NDArray[np.uint64]:
        """Return the keys of the correspondents of some rows; only one if they share a node."""
        if self.node is not None:
            return np.array([name_key(self.node)], np.uint64)
        assert self.peers is not None
        return mobile_keys[self.peers[rows]]


def _times(presence: Presence | None, mobiles: Int) -> tuple[Int, Int]:
    if presence is None:
        return np.zeros(len(mobiles), np.int64), np.full(len(mobiles), FOREVER)
    return presence.begin_ps[mobiles], presence.end_ps[mobiles]
