"""What a study runs on: a network with its traffic, and the movement of its mobile nodes."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine import FOREVER, Network
from engine.columns import Int, is_sorted
from handoff.protocol.options import Options


@dataclass(frozen=True)
class Attachments:
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
        if not is_sorted(self.mobile, self.up_ps):
            raise ValueError("attachments must be sorted by mobile, then by the time they come up")


    def presence(self, mobiles: int, margin_ps: int = 0) -> Presence:
        """From when to when each of the network's mobile nodes has something to do with its first and last link.

        A node that is up at time 0, or whose last link never goes down, is there without a margin on that side.
        """
        begin, end = np.zeros(mobiles, np.int64), np.full(mobiles, FOREVER)
        np.minimum.at(first := np.full(mobiles, FOREVER), self.mobile, self.up_ps)
        np.maximum.at(last := np.zeros(mobiles, np.int64), self.mobile, self.down_ps)
        late, leaves = (first > 0) & (first < FOREVER), last < FOREVER
        begin[late] = first[late] + margin_ps
        end[leaves] = last[leaves] - margin_ps
        return Presence(begin, np.maximum(begin, end))


@dataclass(frozen=True)
class Presence:
    """When each mobile node has traffic: int64 of shape (mobiles,), ``FOREVER`` where there is no end."""

    begin_ps: Int
    end_ps: Int


@dataclass(frozen=True)
class Restart:
    """An agent that loses its bindings, visitors and forwarding entries at an instant."""

    node: int
    at_ps: int


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
    gateways : dict of int to int
        Router to the gateway of its region (GFA or MAP); empty where there are no regions.
    restarts : tuple of Restart
    notes : tuple of str
        What the user may want to know of the input.
    """

    network: Network
    home_agent: int
    movement: Attachments
    duration_ps: int
    options: Options = field(default_factory=Options)
    gateways: dict[int, int] = field(default_factory=dict)
    restarts: tuple[Restart, ...] = ()
    notes: tuple[str, ...] = ()

    def last_attachments(self) -> npt.NDArray[np.bool_]:
        """Which attachments are the last of their mobile."""
        m = self.movement.mobile
        return np.append(m[1:] != m[:-1], True) if len(m) else np.zeros(0, bool)

    def first_attachments(self) -> Int:
        """The first attachment of each mobile node."""
        m = self.movement.mobile
        return np.flatnonzero(np.append(True, m[1:] != m[:-1])) if len(m) else np.zeros(0, np.int64)


class CorrespondentTable:
    """The nodes that each mobile node has flows with.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        nodes = max(len(network.nodes), 1)
        pairs = network.flow_column("mobile")
        pairs *= nodes
        pairs += network.flow_column("node", np.int32)
        mobile, node = divmod(np.unique(pairs), nodes)
        self.nodes: list[int] = np.unique(node).tolist()
        first = np.searchsorted(mobile, np.arange(network.mobile_count + 1))
        self._first, self._node = (array("i", c.astype(np.int32).tobytes()) for c in (first, node))

    def mobiles(self, node: int) -> Int:
        """Mobile nodes that a correspondent has flows with, in order."""
        first = np.frombuffer(self._first, np.int32)
        number: Int = first[1:] - first[:-1]
        all_mobiles = np.repeat(np.arange(len(number)), number)
        return all_mobiles[np.frombuffer(self._node, np.int32) == node] if len(self._node) else all_mobiles

    def __getitem__(self, mobile: int) -> list[int]:
        """Correspondents of one mobile node, by node index."""
        return self._node[self._first[mobile] : self._first[mobile + 1]].tolist()


__all__ = ["FOREVER", "Attachments", "CorrespondentTable", "Options", "Presence", "Restart", "Setup"]
