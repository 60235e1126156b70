"""Input of a run: a network with its traffic, and the attachments of its mobile nodes."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine import FOREVER, Network
from engine.columns import Int, distinct, is_sorted
from handoff.protocol.attacks import Attack
from handoff.protocol.background import Background
from handoff.protocol.options import Options


@dataclass(frozen=True)
class Attachments:
    """Attachments of mobile nodes to routers, one element per attachment, sorted by (mobile, up).

    Attributes
    ----------
    mobile, router : ndarray of int64
        Index of the mobile node in the network, and index of the router's node.
    up_ps, down_ps : ndarray of int64
        Times at which the link comes up and goes down; ``FOREVER`` for a link that stays up.
    predict_ps, going_down_ps : ndarray of int64
        Layer-2 events before the mobile node leaves this router: prediction of the move, and the warning that "the connection
        will be discarded in a very short time"; -1 where layer 2 does not signal the event.

    Raises
    ------
    ValueError
        If the attachments are not sorted.
    """

    mobile: Int
    router: Int
    up_ps: Int
    down_ps: Int
    predict_ps: Int
    going_down_ps: Int

    def __post_init__(self) -> None:
        if not is_sorted(self.mobile, self.up_ps):
            raise ValueError("attachments must be sorted by mobile node and then by the time the link comes up")

    def link_down_ps(self, mobile: int, router: int, time_ps: int) -> int:
        """Return when the latest link of a mobile node to a router goes or went down; -1 if there has been none.

        Parameters
        ----------
        mobile, router : int
            A mobile node and a router's node.
        time_ps : int
            Links that come up later do not count.
        """
        row = int(self.mobile.searchsorted(mobile, "right")) - 1  # the last attachment, if it is of the mobile node
        while row >= 0 and self.mobile.item(row) == mobile:  # few rows: NumPy would take longer for all at once
            if self.router.item(row) == router and self.up_ps.item(row) <= time_ps:
                return self.down_ps.item(row)
            row -= 1
        return -1

    def presence(self, mobiles: int, margin_ps: int = 0) -> Presence:
        """Return the time between the first link up and the last link down of each mobile node, shortened by a margin.

        A mobile node without attachments is present from 0 to 0, and so never.

        Parameters
        ----------
        mobiles : int
            Number of mobile nodes in the network.
        margin_ps : int
            Time without traffic after the first link comes up and before the last one goes down. It does not apply to a link
            that is up at time 0, nor to one that never goes down.
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
    """Begin and end of the traffic of each mobile node: int64 of shape (mobiles,), ``FOREVER`` for no end."""

    begin_ps: Int
    end_ps: Int


@dataclass(frozen=True)
class Restart:
    """Restart of an agent, which loses its bindings, visitors and forwarding entries."""

    node: int
    at_ps: int


@dataclass(frozen=True)
class ProcedureGroups:
    """Groups of mobile nodes that execute a procedure of their own in a mixture.

    Attributes
    ----------
    procedures : tuple of str
        Procedure of each group; two groups may have the same one.
    group : ndarray of int64
        Group of each mobile node.
    """

    procedures: tuple[str, ...]
    group: Int


@dataclass(frozen=True)
class Setup:
    """Validated input of a run.

    Attributes
    ----------
    network : Network
        Nodes, links, cells, mobile nodes and flows. A run works on a fork, to which it adds attachments, tables and events.
    home_agent : int
        Node of the home agent; the home node of every mobile node.
    movement : Attachments
        Attachments of the mobile nodes.
    duration_ps : int
        End of the run.
    options : Options
        Options of the procedures.
    gateways : dict of int to int
        Maps a router to the gateway of its region (GFA or MAP); empty if there are no regions.
    restarts : tuple of Restart
        Restarts of agents.
    notes : tuple of str
        Remarks on the input for the user.
    groups : ProcedureGroups or None
        Groups of the procedure ``mixture``; None if the study has none. Other procedures ignore them.
    temporary_home_agents : dict of int to int
        Maps a router to the node of its sub-network that is the temporary home agent there (seed, figures 4 and 5). A router
        without an entry is its own temporary home agent.
    control_nodes : dict of str to int
        Nodes of the roles AMF, SMF and CMD; a role without an entry belongs to the home agent's node.
    attacks : tuple of Attack
        Attackers, and what they do.
    background : tuple of Background
        Further messages at registration servers.
    warnings : tuple of str
        Remarks on an input that may not be what the user takes it for, and on what was left out of it.
    skipped : dict of str to dict of str to int
        Numbers of bad records that were left out, by file and reason.
    """

    network: Network
    home_agent: int
    attachments: Attachments
    duration_ps: int
    options: Options = field(default_factory=Options)
    gateways: dict[int, int] = field(default_factory=dict)
    restarts: tuple[Restart, ...] = ()
    notes: tuple[str, ...] = ()
    groups: ProcedureGroups | None = None
    temporary_home_agents: dict[int, int] = field(default_factory=dict)
    control_nodes: dict[str, int] = field(default_factory=dict)
    attacks: tuple[Attack, ...] = ()
    background: tuple[Background, ...] = ()
    warnings: tuple[str, ...] = ()
    skipped: dict[str, dict[str, int]] = field(default_factory=dict)

    def last_attachments(self) -> npt.NDArray[np.bool_]:
        """Return a mask of the attachments that are the last one of their mobile node."""
        mobile = self.attachments.mobile
        return np.append(mobile[1:] != mobile[:-1], True) if len(mobile) else np.zeros(0, bool)

    def first_attachments(self) -> Int:
        """Return the index of the first attachment of each mobile node that has one."""
        mobile = self.attachments.mobile
        return np.flatnonzero(np.append(True, mobile[1:] != mobile[:-1])) if len(mobile) else np.zeros(0, np.int64)

    def count_handoffs(self) -> int:
        """Return the number of handoffs with a layer-2 event before the end of the run; a log may go on after it."""
        moves = self.attachments
        next_up_ps = np.append(moves.up_ps[1:], -1)[: len(moves.mobile)]
        events = np.stack([moves.predict_ps, moves.going_down_ps, moves.down_ps, next_up_ps])
        begun = ((events >= 0) & (events < self.duration_ps)).any(axis=0)
        return int((begun & ~self.last_attachments()).sum())


class CorrespondentTable:
    """Correspondents of each mobile node: the nodes that it has flows with, without other mobile nodes.

    Packets to a mobile correspondent go through its home agent, so that it keeps no binding cache. Indexing with a mobile node
    returns its correspondents in order of node index.

    Parameters
    ----------
    network : Network
        Network with flows.

    Attributes
    ----------
    nodes : list of int
        All correspondents.
    """

    def __init__(self, network: Network) -> None:
        node_count = max(len(network.nodes), 1)
        pairs = network.flow_column("mobile")
        pairs *= node_count
        pairs += network.flow_column("node", np.int32)
        pairs = pairs[network.flow_column("peer", np.int32) < 0]
        mobile, node = divmod(distinct(pairs), node_count)
        self.nodes: list[int] = distinct(node).tolist()
        first = np.searchsorted(mobile, np.arange(network.mobile_count + 1))
        self._first, self._node = (array("i", c.astype(np.int32).tobytes()) for c in (first, node))

    def mobiles(self, node: int) -> Int:
        """Return the mobile nodes that a correspondent has flows with, in ascending order."""
        first = np.frombuffer(self._first, np.int32)
        counts: Int = first[1:] - first[:-1]
        mobile_of_pair = np.repeat(np.arange(len(counts)), counts)
        return mobile_of_pair[np.frombuffer(self._node, np.int32) == node] if len(self._node) else mobile_of_pair

    def __getitem__(self, mobile: int) -> list[int]:
        """Return the correspondents of a mobile node."""
        return self._node[self._first[mobile] : self._first[mobile + 1]].tolist()


__all__ = ["FOREVER", "Attachments", "CorrespondentTable", "Options", "Presence", "ProcedureGroups", "Restart", "Setup"]
