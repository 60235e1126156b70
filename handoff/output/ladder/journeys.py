"""Journeys of data packets: every copy of a mobile node's packets, with each transmission on its way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine import Fate, LinkTrace, Network
from engine.columns import Columns
from engine.link_trace import empty_trace
from handoff.protocol.mixture import Mixture
from handoff.protocol.program import Program
from handoff.protocol.roles import RoleResolver

MOBILE = -1
"""The mobile node in the place of a node index."""
_RECEIVED = (Fate.DELIVERED, Fate.DUPLICATE)


@dataclass(frozen=True)
class Transmission:
    """One copy on one link.

    Attributes
    ----------
    source, target : int
        Nodes at the ends of the link; ``MOBILE`` is the mobile node.
    start_ps, arrival_ps : int
        Times at which the first bit leaves the source and the last one reaches the target.
    tunnels : tuple of tuple of int
        First and last node of each tunnel that the copy is in, innermost first.
    """

    source: int
    target: int
    start_ps: int
    arrival_ps: int
    tunnels: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Stop:
    """Node on the way of a copy.

    Attributes
    ----------
    node : int
    arrival_ps, leave_ps : int
        Times at which the copy arrives and leaves; ``leave_ps`` is None if the copy ends there.
    hop : int
        Number of transmissions before the node.
    """

    node: int
    arrival_ps: int
    leave_ps: int | None
    hop: int


@dataclass(frozen=True)
class Journey:
    """One copy of a data packet from its sender to its end.

    Attributes
    ----------
    flow, seq, copy : int
        Flow, packet of the flow, and copy of the packet.
    up : bool
        If true, the packet goes from the mobile node to a correspondent.
    peer : int
        Correspondent.
    sent_ps, ended_ps : int
        Time at which the packet is sent, and end of this copy; -1 if the copy is in flight when the run ends.
    fate : Fate
        End of the copy.
    end : int
        Node at which the copy ended, or is when the run ends.
    delivered : bool
        If true, some copy of the packet arrived.
    transmissions : tuple of Transmission
        In order of time. A copy that an anchor made starts with the transmissions of the original before the anchor.
    copied_at : int
        Number of transmissions that a copy shares with the original; equal to the number of all of them if there is one copy.
    """

    flow: int
    seq: int
    copy: int
    up: bool
    peer: int
    sent_ps: int
    ended_ps: int
    fate: Fate
    end: int
    delivered: bool
    transmissions: tuple[Transmission, ...]
    copied_at: int

    @property
    def received(self) -> bool:
        """True if this copy arrived."""
        return self.fate in _RECEIVED

    @property
    def outcome(self) -> str:
        """The fate; before the reason of a drop, ``lost: ``, or ``discarded: `` if another copy arrived."""
        if self.received or self.fate == Fate.IN_FLIGHT:
            return self.fate.label
        return f"{'discarded' if self.delivered else 'lost'}: {self.fate.label}"

    def stops(self) -> list[Stop]:
        """Return the nodes that handle the copy, in order.

        Sender, receiver, routers at the radio, and the ends of tunnels handle a packet. Other nodes on the way only forward it.
        """
        stops, arrived_ps, before = [], self.sent_ps, None
        for i, hop in enumerate(self.transmissions):
            if before is None or MOBILE in (hop.target, before.source) or hop.tunnels != before.tunnels:
                stops.append(Stop(hop.source, arrived_ps, hop.start_ps, i))
            arrived_ps, before = hop.arrival_ps, hop
        if before is None:
            return [Stop(MOBILE if self.up else self.peer, self.sent_ps, None, 0)]
        if self.received or self.end != before.source:
            stops.append(Stop(before.target if self.received else self.end, arrived_ps, None, len(self.transmissions)))
        return stops


@dataclass
class JourneyRecorder:
    """Recorder of a run that keeps the transmissions of the data between one mobile node and its correspondents.

    Data between mobile nodes are left out.
    """

    network: Network
    mobile: int
    traces: list[np.ndarray[Any, Any]] = field(default_factory=list)

    @property
    def trace_links(self) -> list[str]:
        """Names of the links to record: all."""
        return self.network.link_names()

    @property
    def slices(self) -> int:
        """0: the smallest number of slices of a run is enough, since only the hops of one mobile node are kept."""
        return 0

    def write(self, hops: LinkTrace) -> None:
        """Keep the data of the mobile node from the trace of a slice."""
        rows = hops.rows
        self.traces.append(rows[(rows["mobile"] == self.mobile) & (rows["message"] < 0)])

    def state(self) -> None:
        """Return the state for a checkpoint: none, since observed runs have no checkpoints."""

    @contextmanager
    def open(self, network: Network, program: Program | Mixture, roles: RoleResolver, state: Any) -> Iterator[JourneyRecorder]:
        """Return a context manager of the recorder, as ``run_procedure`` expects it."""
        yield self

    def journeys(self, packets: Columns) -> list[Journey]:
        """Return the journeys of all copies, in the order of the record of packets."""
        flows = self.network.flows()
        shown = (flows["mobile"] == self.mobile) & (flows["peer"] < 0)
        rows = np.flatnonzero(shown[packets["flow"]])
        received = rows[np.isin(packets["fate"][rows], _RECEIVED)]
        arrived = set(zip(packets["flow"][received].tolist(), packets["seq"][received].tolist(), strict=True))
        hops = self._transmissions()
        columns = [packets[name][rows].tolist() for name in ("flow", "seq", "copy", "fate", "time_ps", "node", "sent_ps")]
        copies: dict[tuple[int, int], int] = {}
        for flow, seq in zip(columns[0], columns[1], strict=True):
            copies[flow, seq] = copies.get((flow, seq), 0) + 1
        found = []
        for flow, seq, copy, fate, ended_ps, node, sent_ps in zip(*columns, strict=True):
            own, first = hops.get((flow, seq, copy), []), hops.get((flow, seq, 0), [])
            way, shared = _whole_way(own, first, copy)
            if copies[flow, seq] > 1 and copy == 0:
                shared = _last_common(own, [hops.get((flow, seq, c), []) for c in range(1, copies[flow, seq])])
            up = bool(flows["up"][flow])
            end = _last_node(way, node) if fate == Fate.IN_FLIGHT else MOBILE if Fate(fate) in _RECEIVED and not up else node
            found.append(
                Journey(
                    flow, seq, copy, up, int(flows["node"][flow]), sent_ps, ended_ps, Fate(fate), end,
                    (flow, seq) in arrived, tuple(way), shared,
                )
            )  # fmt: skip
        return found

    def _transmissions(self) -> dict[tuple[int, int, int], list[Transmission]]:
        ends = [(link.src, link.dst, link.channel.delay_ps) for link in self.network.links]
        for cell in self.network.cells:
            ends += [(cell.node, MOBILE, cell.down.delay_ps), (MOBILE, cell.node, cell.up.delay_ps)]
        rows = np.concatenate([empty_trace().rows, *self.traces])
        hops: dict[tuple[int, int, int], list[Transmission]] = {}
        for row in rows[np.argsort(rows["start_ps"], kind="stable")]:
            source, target, delay_ps = ends[row["link"]]
            tunnels = tuple((int(t["source"]), int(t["target"])) for t in row["tunnels"][: row["depth"]])
            key = int(row["flow"]), int(row["seq"]), int(row["copy"])
            start_ps, end_ps = int(row["start_ps"]), int(row["end_ps"])
            hops.setdefault(key, []).append(Transmission(source, target, start_ps, end_ps + delay_ps, tunnels))
        return hops


def _last_node(way: list[Transmission], otherwise: int) -> int:
    """Return the node at which a copy is when the run ends, or towards which it is on its way; on the radio, the sender."""
    if not way:
        return otherwise
    return way[-1].source if way[-1].target == MOBILE else way[-1].target


def _whole_way(own: list[Transmission], first: list[Transmission], copy: int) -> tuple[list[Transmission], int]:
    """Return the transmissions of a copy after those of the original up to the node that copied it, and their number."""
    if copy == 0 or not own:
        return own, len(own)
    before = _until(first, own[0])
    return first[:before] + own, before


def _until(hops: Sequence[Transmission], later: Transmission) -> int:
    """Return how many transmissions lead to the source of a later one."""
    for i, hop in enumerate(hops):
        if hop.target == later.source and hop.arrival_ps <= later.start_ps:
            return i + 1
    return 0


def _last_common(first: list[Transmission], others: list[list[Transmission]]) -> int:
    return min((_until(first, own[0]) for own in others if own), default=len(first))
