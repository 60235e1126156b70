"""Headers of data packets: protocol, addresses and ports of each flow, numbers of TCP."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine import Network
from handoff.export.addresses import Addresses
from handoff_traces import FlowHeaders

Int = npt.NDArray[np.int64]
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
IP_HEADER = {4: 20, 6: 40}
TCP_HEADER = 20
GENERATED_PORT = 5000
"""Port of the first label of generated flows, at both ends; the others follow in the order of their names."""
_REPLAYED = re.compile(r"(tcp|udp|icmp6?|\d+) (\S+) (\S+)")
_PORT = re.compile(r"(?:\]|\.\d+):(\d+)$")
_NUMBERS = {"tcp": TCP, "udp": UDP, "icmp": ICMP, "icmp6": ICMPV6}
_ECHO = {4: (ICMP, 8, 0), 6: (ICMPV6, 128, 129)}


@dataclass(frozen=True)
class Group:
    """Flows that were declared together: one label, node and direction."""

    label: str
    node: int
    up: bool
    replay: int  # -1: a generated flow


@dataclass
class _Stream:
    """One direction of a replayed TCP conversation: payload sent before each packet of a turn, and in a whole turn."""

    times: Int
    before: Int
    total: int

    def sent_before(self, time: Int) -> Int:
        return np.append(self.before, self.total)[np.searchsorted(self.times, time)]


class Flows:
    """Headers of all flows of a network.

    Parameters
    ----------
    network : Network
    addresses : Addresses

    Attributes
    ----------
    headers : FlowHeaders
    """

    def __init__(self, network: Network, addresses: Addresses) -> None:
        self.ip = addresses.ip
        columns = network.flows()
        self.groups: list[Group] = []
        self.group_of_flow: Int = np.zeros(network.flow_count, np.int64)
        for label, first, count in network.flow_labels:
            if count:
                self.group_of_flow[first : first + count] = len(self.groups)
                node, up, source = (int(columns[name][first]) for name in ("node", "up", "source"))
                self.groups.append(Group(label, node, bool(up), source - 2 if source >= 2 else -1))
        ends = {key: _ends(*key) for key in {(g.label, g.node, g.replay >= 0) for g in self.groups}}
        _tell_apart(ends)
        said = [self._said(ends[g.label, g.node, g.replay >= 0], g.up) for g in self.groups]
        table = np.array(said, np.int64).reshape(-1, 3)[self.group_of_flow]
        mobiles, nodes = addresses.nodes + columns["mobile"], columns["node"]
        self.headers = FlowHeaders(
            np.where(columns["up"], mobiles, nodes).astype(np.uint32),
            np.where(columns["up"], nodes, mobiles).astype(np.uint32),
            *(table[:, i].astype(kind) for i, kind in enumerate((np.uint8, np.uint16, np.uint16))),
        )
        self._streams(network, [protocol for protocol, _, _ in said])

    def _said(self, ends: tuple[int, int, int], up: bool) -> tuple[int, int, int]:
        """Protocol, and both ports or, of ICMP, identifier and type: what a mobile node sends asks for an echo."""
        protocol, here, there = ends
        if protocol in (ICMP, ICMPV6):
            number, request, reply = _ECHO[self.ip]
            return number, there, request if up else reply
        return protocol, *((there, here) if up else (here, there))

    def _streams(self, network: Network, protocols: list[int]) -> None:
        header = IP_HEADER[self.ip] + TCP_HEADER
        self._tcp: dict[int, tuple[_Stream, _Stream | None]] = {}
        streams = {}
        for g, protocol in zip(self.groups, protocols, strict=True):
            if protocol == TCP and g.replay >= 0:
                replay = network.replays[g.replay]
                payload = np.maximum(replay.sizes.astype(np.int64) - header, 0)
                streams[g.label, g.node, g.up] = _Stream(replay.times_ps(), np.cumsum(payload) - payload, int(payload.sum()))
        for i, g in enumerate(self.groups):
            if (mine := streams.get((g.label, g.node, g.up))) is not None:
                self._tcp[i] = mine, streams.get((g.label, g.node, not g.up))

    def tcp_numbers(self, flow: Int, seq: Int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
        """Sequence and acknowledgement numbers of data packets: bytes that both ends had sent before in the recording, plus 1."""
        numbers = np.zeros((2, len(flow)), np.int64)
        group = self.group_of_flow[flow]
        for i in np.intersect1d(np.unique(group), list(self._tcp)).tolist():
            mine, other = self._tcp[i]
            rows = np.flatnonzero(group == i)
            turn, k = np.divmod(seq[rows], len(mine.times))
            numbers[0, rows] = 1 + turn * mine.total + mine.before[k]
            if other is not None:
                numbers[1, rows] = 1 + turn * other.total + other.sent_before(mine.times[k])
        sequence, acknowledgement = (numbers % 2**32).astype(np.uint32)
        return sequence, acknowledgement


def too_short(network: Network, ip: int) -> list[str]:
    """Flows with packets shorter than an IP header."""
    columns, found = network.flows(), []
    for label, first, count in network.flow_labels:
        if not count:
            continue
        source = int(columns["source"][first])
        rows = slice(first, first + count)
        shortest = int(network.replays[source - 2].sizes.min() if source >= 2 else columns["size"][rows].min())
        if shortest < IP_HEADER[ip]:
            found.append(f"flow {label!r} has packets of {shortest} bytes; a packet of IPv{ip} has at least {IP_HEADER[ip]}")
    return found


def _ends(label: str, node: int, replayed: bool) -> tuple[int, int, int]:
    """Protocol, and ports of correspondent and mobile node."""
    match = _REPLAYED.fullmatch(label) if replayed else None
    if match is None:
        return UDP, 0, 0
    protocol = _NUMBERS.get(match[1]) or int(match[1])
    here, there = ((int(found[1]) if (found := _PORT.search(side)) else 0) for side in match.groups()[1:])
    return protocol, here, there


def _tell_apart(ends: dict[tuple[str, int, bool], tuple[int, int, int]]) -> None:
    """Ports for generated flows; another one for a mobile node where two conversations with one node would look the same."""
    generated = sorted({label for label, _, replayed in ends if not replayed})
    taken: set[tuple[int, int, int, int]] = set()
    for key in sorted(ends):
        label, node, replayed = key
        protocol, here, there = ends[key]
        if not replayed:
            here = there = GENERATED_PORT + generated.index(label)
        while (node, protocol, here, there) in taken:
            there = there % 65_535 + 1
        taken.add((node, protocol, here, there))
        ends[key] = protocol, here, there
