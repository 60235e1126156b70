"""Captures as traffic: flows, who replays them, when (docs/replay.md is exact about it)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine import FOREVER, Network
from engine.keys import PURPOSE_USER, draw, key, mix2
from handoff.setup import Presence

Int = npt.NDArray[np.int64]
_PROTOCOLS = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp6"}


@dataclass(frozen=True)
class Conversation:
    """One flow of a capture, both directions.

    Attributes
    ----------
    name : str
        Protocol, correspondent's side, mobile's side.
    times_ps, sizes_bytes : ndarray of int64
        From the first packet of the conversation, sorted; IP total lengths.
    down : ndarray of bool
        Towards the mobile node.
    """

    name: str
    times_ps: Int
    sizes_bytes: Int
    down: npt.NDArray[np.bool_]

    @property
    def period_ps(self) -> int:
        """Length plus one mean gap; 0 if it lasts no time and is played once."""
        length, n = int(self.times_ps[-1]), len(self.times_ps)
        return length + max(1, length // (n - 1)) if length else 0

    def paced(self, factor: Fraction) -> Conversation:
        """The same with every time scaled by an exact factor."""
        times = np.array([t * factor.numerator // factor.denominator for t in self.times_ps.tolist()], np.int64)
        return Conversation(self.name, times, self.sizes_bytes, self.down)


def conversations(path: Path, mobile_address: str) -> list[Conversation]:
    """Flows of a capture that have the mobile address on just one side, by time of first packet.

    Raises
    ------
    traces.TraceError
        If the capture cannot be read.
    ValueError
        If the address is none, or no packet of the capture has it.
    """
    import traces

    address = ipaddress.ip_address(mobile_address)
    raw = np.frombuffer(address.packed.ljust(16, b"\0"), np.uint8)
    capture = traces.read_capture(path)
    table = capture.flows
    version = np.asarray(table.version) == address.version
    from_mobile = version & (np.asarray(table.src) == raw).all(axis=1)
    to_mobile = version & (np.asarray(table.dst) == raw).all(axis=1)
    wanted = np.flatnonzero(from_mobile ^ to_mobile)
    if not len(wanted):
        raise ValueError(f"no packet of {path} has {mobile_address} as source or destination")
    found = []
    order = np.argsort(capture.flow, kind="stable")
    bounds = np.searchsorted(capture.flow[order], np.arange(len(table) + 1))
    for f in wanted.tolist():
        rows = order[bounds[f] : bounds[f + 1]]
        rows = rows[capture.time_ns[rows] != traces.NO_TIME_NS]
        if not len(rows):
            continue
        rows = rows[np.argsort(capture.time_ns[rows], kind="stable")]
        times = (capture.time_ns[rows] - capture.time_ns[rows[0]]).astype(np.int64) * 1000
        sent_by_first = capture.direction[rows] == 0
        down = ~sent_by_first if from_mobile[f] else sent_by_first
        here = _side(table, f, "src"), _side(table, f, "dst")
        mobile, other = here if from_mobile[f] else here[::-1]
        protocol = int(table.protocol[f])
        name = f"{_PROTOCOLS.get(protocol, protocol)} {other} {mobile}"
        first = int(capture.time_ns[rows[0]])
        found.append((first, int(rows[0]), Conversation(name, times, capture.ip_length[rows].astype(np.int64), down)))
    return [c for _, _, c in sorted(found, key=lambda x: x[:2])]


def _side(table: object, flow: int, side: str) -> str:
    text = getattr(table, f"{side}_text")(flow)
    port = int(getattr(table, "sport" if side == "src" else "dport")[flow])
    if port == 0:
        return f"[{text}]" if ":" in text else text
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"


def add_replay(
    network: Network, node: str, mobiles: list[list[int]], flows: list[Conversation], *, seed: int, phase_ps: int,
    present: Presence | None = None,
) -> None:
    """Replay flow i of ``flows`` onto each mobile node of ``mobiles[i]``, each pair with its own phase shift.

    The shift counts from when the mobile node is there, and nothing is sent once it has left (``present``).
    """
    mobile_keys = network.mobile_keys()
    for conversation, who in zip(flows, mobiles, strict=True):
        if not who:
            continue
        flow_key = mix2(key(conversation.name), key(node))
        shifts = np.array(
            [draw(seed, PURPOSE_USER, mix2(flow_key, int(mobile_keys[m])), 0) * phase_ps >> 64 for m in who], np.int64
        )
        stops = np.full(len(who), FOREVER)
        if present is not None:
            shifts, stops = shifts + present.begin_ps[who], present.end_ps[who]
        for up in (False, True):
            rows = conversation.down != up
            if rows.any():
                network.replay(
                    node, who, conversation.times_ps[rows], conversation.sizes_bytes[rows], start_ps=shifts, stop_ps=stops,
                    period_ps=conversation.period_ps, up=up, label=conversation.name,
                )  # fmt: skip
