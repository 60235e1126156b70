"""When the packets of a flow are sent: the arithmetic of docs/replay.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

import traces
from engine import FOREVER, Network
from engine.rng import PURPOSE_USER, RandomStreams, combine, combine_array, name_key
from handoff.protocol.setup import Presence
from handoff.scenario.traffic import Traffic
from handoff.workload.capture_stream import CaptureStream, Flow, PacketSegment
from handoff.workload.flow_filter import filter_flows
from handoff.workload.merge_captures import merge_to_disk

OF_THE_STREAM = "*"
"""Stands for the flow's name where all flows of a mobile node have one phase shift."""


@dataclass(frozen=True, eq=False)
class Conversation:
    """One flow as it is replayed, both directions.

    Attributes
    ----------
    name : str
        Protocol, correspondent's side, mobile side.
    down, up : Piece or None
        Packets to the mobile node, and from it.
    origin_ns : int
        T0, in the stream's time.
    pace : Fraction
        Factor of all times.
    period_ps : int
        From one turn to the next; 0: played once.
    release : callable
        Gives back the memory of what has been read.
    """

    name: str
    down: PacketSegment | None
    up: PacketSegment | None
    origin_ns: int
    pace: Fraction
    period_ps: int
    release: Callable[[], None]


def scale_to_ps(time_ns: int, pace: Fraction) -> int:
    """Picoseconds of a time in ns at a pace, rounded down."""
    return time_ns * 1000 * pace.numerator // pace.denominator


def loop_period(length_ps: int, packets: int) -> int:
    """Length and one mean gap; 0 if there is no length and so no gap to repeat."""
    return length_ps + max(1, length_ps // (packets - 1)) if length_ps else 0


def load_conversations(captures: Sequence[traces.CompiledCapture], traffic: Traffic) -> tuple[list[Conversation], str]:
    """Flows of captures as a scenario wants them replayed, by time of first packet; and how much that is, in words.

    Raises
    ------
    ValueError
        If nothing is left to replay.
    """
    assert traffic.mobile_address is not None
    stream = CaptureStream(captures, traffic.clocks == "absolute")
    flows = stream.flows(traffic.mobile_address)
    where = ", ".join(map(str, traffic.capture or ()))
    if not flows:
        sides = ", ".join(str(p).removesuffix("/32").removesuffix("/128") for p in traffic.mobile_address)
        raise ValueError(f"no packet of {where} has {sides} as source or destination")
    clipped = [c for flow in flows if (c := flow.between(*traffic.clip)).pieces]
    if not clipped:
        raise ValueError(f"'clip' leaves nothing of {where}, which lasts {stream.length_ns / 10**9} s")
    left = filter_flows(clipped, traffic.select or (), traffic.exclude or ())
    if not left:
        raise ValueError(f"'select' and 'exclude' leave none of the {len(clipped)} flows of {where}")
    begin, end = traffic.clip_flows
    left = [c for f in left if (c := f.between(f.first_ns + begin, None if end is None else f.first_ns + end)).pieces]
    if not left:
        raise ValueError(f"'clip_flows' leaves nothing of any flow of {where}")
    left.sort(key=lambda flow: flow.first_ns)
    stream.release()
    told = f"{sum(f.packets for f in left):,} of {stream.packets:,} packets, in {len(left):,} flows"
    return _made(stream, left, traffic), told


def _made(stream: CaptureStream, flows: list[Flow], traffic: Traffic) -> list[Conversation]:
    pieces, give_back = merge_to_disk([way for flow in flows for way in (flow.down, flow.up) if len(way) > 1], stream.release)
    merged = iter(pieces)

    def release() -> None:
        stream.release()
        give_back()

    found = []
    for flow in flows:
        down, up = (next(merged) if len(way) > 1 else way[0] if way else None for way in (flow.down, flow.up))
        origin = traffic.clip.begin_ns if traffic.origin == "stream" else flow.first_ns
        turn = _period(stream, flow, traffic) if traffic.loop else 0
        found.append(Conversation(flow.name, down, up, origin, traffic.factor, turn, release))
    return found


def _period(stream: CaptureStream, flow: Flow, traffic: Traffic) -> int:
    pace, (begin, end) = traffic.factor, traffic.clip
    if traffic.origin == "flow":
        return loop_period(scale_to_ps(flow.last_ns - flow.first_ns, pace), flow.packets)
    if end is not None:
        return scale_to_ps(end - begin, pace)
    whole = scale_to_ps(stream.length_ns, pace)
    return loop_period(whole, stream.packets) - whole + scale_to_ps(stream.length_ns - begin, pace) if whole else 0


def add_replay(
    network: Network, node: str, mobiles: list[list[int]], flows: list[Conversation], *, seed: int, traffic: Traffic,
    present: Presence | None = None,
) -> None:  # fmt: skip
    """Replay flow i of ``flows`` onto each mobile node of ``mobiles[i]``, each pair with its own phase shift.

    Times count from when the mobile node is there, and nothing is sent once it has left (``present``).
    """
    mobile_keys = network.mobile_keys()
    for conversation, who in zip(flows, mobiles, strict=True):
        if not who:
            continue
        name = OF_THE_STREAM if traffic.origin == "stream" else conversation.name
        pairs = combine_array(np.uint64(combine(name_key(name), name_key(node))), mobile_keys[who])
        starts = RandomStreams(seed, PURPOSE_USER, pairs).uniform_all(traffic.phase) + traffic.shift
        stops = np.full(len(who), FOREVER)
        if present is not None:
            starts, stops = starts + present.begin_ps[who], present.end_ps[who]
        for up, piece in ((False, conversation.down), (True, conversation.up)):
            if piece is not None:
                step = 1000 * conversation.pace
                network.replay(
                    node, who, piece.times, piece.sizes, origin=conversation.origin_ns + piece.clock_ns,
                    multiply=step.numerator, divide=step.denominator, release=conversation.release, start_ps=starts,
                    stop_ps=stops, period_ps=conversation.period_ps, up=up, label=conversation.name,
                )  # fmt: skip
