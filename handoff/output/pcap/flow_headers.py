"""Headers of data packets: protocol, addresses, ports and TCP sequence numbers of each flow."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine import Network
from handoff.output.pcap.address_plan import AddressPlan
from handoff_traces import FlowHeaders

Int = npt.NDArray[np.int64]
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
IP_HEADER = {4: 20, 6: 40}
TCP_HEADER = 20
GENERATED_PORT = 5000
"""Port of the first label of generated flows, at both ends. The other labels follow in alphabetical order."""
MAX_PORT = 65_535
_REPLAYED = re.compile(r"(tcp|udp|icmp6?|\d+) (\S+) (\S+)")
_PORT = re.compile(r"(?:\]|\.\d+):(\d+)$")
_NUMBERS = {"tcp": TCP, "udp": UDP, "icmp": ICMP, "icmp6": ICMPV6}
_ECHO = {4: (ICMP, 8, 0), 6: (ICMPV6, 128, 129)}


@dataclass(frozen=True)
class FlowGroup:
    """Flows with one label, node and direction."""

    label: str
    node: int  # -1: the correspondents are mobile nodes
    up: bool
    replay: int  # -1: a generated flow


@dataclass
class _Stream:
    """Payload bytes in one direction of a replayed TCP conversation.

    ``before`` counts the bytes before each packet of a recording, ``total`` those of the whole recording.
    """

    times: Int
    before: Int
    total: int

    def sent_before(self, time: Int) -> Int:
        return np.append(self.before, self.total)[np.searchsorted(self.times, time)]


class FlowHeaderTable:
    """Headers of the data packets of all flows.

    Parameters
    ----------
    network : Network
        Network with its flows.
    addresses : AddressPlan
        Addresses of nodes and mobile nodes.

    Attributes
    ----------
    headers : FlowHeaders
        Addresses, protocol and ports of each flow, as the capture writer expects them.
    """

    def __init__(self, network: Network, addresses: AddressPlan) -> None:
        self.ip = addresses.ip
        columns = network.flows()
        self.groups: list[FlowGroup] = []
        self.group_of_flow: Int = np.zeros(network.flow_count, np.int64)
        for label, first, count in network.flow_labels:
            if count:
                self.group_of_flow[first : first + count] = len(self.groups)
                node, peer, up, source = (int(columns[name][first]) for name in ("node", "peer", "up", "source"))
                node = node if peer < 0 else -1
                self.groups.append(FlowGroup(label, node, bool(up), source - 2 if source >= 2 else -1))
        ends = {key: _ends(*key) for key in {(g.label, g.node, g.replay >= 0) for g in self.groups}}
        _assign_ports(ends)
        protocols_and_ports = [self._protocol_and_ports(ends[g.label, g.node, g.replay >= 0], g.up) for g in self.groups]
        table = np.array(protocols_and_ports, np.int64).reshape(-1, 3)[self.group_of_flow]
        mobiles = addresses.nodes + columns["mobile"]
        correspondents = np.where(columns["peer"] < 0, columns["node"], addresses.nodes + columns["peer"])
        self.headers = FlowHeaders(
            np.where(columns["up"], mobiles, correspondents).astype(np.uint32),
            np.where(columns["up"], correspondents, mobiles).astype(np.uint32),
            *(table[:, i].astype(kind) for i, kind in enumerate((np.uint8, np.uint16, np.uint16))),
        )
        self._tcp = self._tcp_streams(network, [protocol for protocol, _, _ in protocols_and_ports])

    def _protocol_and_ports(self, ends: tuple[int, int, int], up: bool) -> tuple[int, int, int]:
        """Return protocol, source port and destination port; for ICMP protocol, identifier and type.

        A mobile node sends echo requests and receives echo replies.
        """
        protocol, correspondent_port, mobile_port = ends
        if protocol in (ICMP, ICMPV6):
            number, request, reply = _ECHO[self.ip]
            return number, mobile_port, request if up else reply
        return protocol, *((mobile_port, correspondent_port) if up else (correspondent_port, mobile_port))

    def _tcp_streams(self, network: Network, protocols: list[int]) -> dict[int, tuple[_Stream, _Stream | None]]:
        """Return the own and the opposite direction of each group of replayed TCP flows."""
        header = IP_HEADER[self.ip] + TCP_HEADER
        streams = {}
        for g, protocol in zip(self.groups, protocols, strict=True):
            if protocol == TCP and g.replay >= 0:
                replay = network.replays[g.replay]
                payload = np.maximum(replay.sizes.astype(np.int64) - header, 0)
                streams[g.label, g.node, g.up] = _Stream(replay.times_ps(), np.cumsum(payload) - payload, int(payload.sum()))
        return {
            i: (streams[g.label, g.node, g.up], streams.get((g.label, g.node, not g.up)))
            for i, g in enumerate(self.groups)
            if (g.label, g.node, g.up) in streams
        }

    def tcp_numbers(self, flow: Int, seq: Int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
        """Return sequence and acknowledgement numbers of data packets.

        They are 1 plus the bytes that the sender and the receiver sent before the packet in the recording. Flows that replay no
        TCP conversation have the numbers 0.
        """
        numbers = np.zeros((2, len(flow)), np.int64)
        group = self.group_of_flow[flow]
        for i in np.intersect1d(np.unique(group), list(self._tcp)).tolist():
            own, opposite = self._tcp[i]
            rows = np.flatnonzero(group == i)
            turn, k = np.divmod(seq[rows], len(own.times))
            numbers[0, rows] = 1 + turn * own.total + own.before[k]
            if opposite is not None:
                numbers[1, rows] = 1 + turn * opposite.total + opposite.sent_before(own.times[k])
        sequence, acknowledgement = (numbers % 2**32).astype(np.uint32)
        return sequence, acknowledgement


def short_packet_errors(network: Network, ip: int) -> list[str]:
    """Return an error for each label of flows with packets that are shorter than an IP header."""
    columns, errors = network.flows(), []
    for label, first, count in network.flow_labels:
        if not count:
            continue
        source = int(columns["source"][first])
        rows = slice(first, first + count)
        shortest = int(network.replays[source - 2].sizes.min() if source >= 2 else columns["size"][rows].min())
        if shortest < IP_HEADER[ip]:
            errors.append(f"flow {label!r} has packets of {shortest} bytes; an IPv{ip} packet has at least {IP_HEADER[ip]}")
    return errors


def _ends(label: str, node: int, replayed: bool) -> tuple[int, int, int]:
    """Return protocol, port of the correspondent and port of the mobile node."""
    match = _REPLAYED.fullmatch(label) if replayed else None
    if match is None:
        return UDP, 0, 0
    protocol = _NUMBERS.get(match[1]) or int(match[1])
    correspondent_port, mobile_port = (int(port[1]) if (port := _PORT.search(end)) else 0 for end in match.groups()[1:])
    return protocol, correspondent_port, mobile_port


def _assign_ports(ends: dict[tuple[str, int, bool], tuple[int, int, int]]) -> None:
    """Choose ports for generated flows, and other mobile ports where two conversations with one node would look the same."""
    generated = sorted({label for label, _, replayed in ends if not replayed})
    taken: set[tuple[int, int, int, int]] = set()
    for key in sorted(ends):
        label, node, replayed = key
        protocol, correspondent_port, mobile_port = ends[key]
        if not replayed:
            correspondent_port = mobile_port = GENERATED_PORT + generated.index(label)
        while (node, protocol, correspondent_port, mobile_port) in taken:
            mobile_port = mobile_port % MAX_PORT + 1
        taken.add((node, protocol, correspondent_port, mobile_port))
        ends[key] = protocol, correspondent_port, mobile_port
