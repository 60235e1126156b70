"""Replay of the flows of captures: sending times, loop periods and phase shifts (the arithmetic of docs/replay.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

import handoff_traces
from engine import Network
from engine.columns import Int
from engine.quantities import FOREVER
from engine.rng import PURPOSE_USER, RandomStreams, combine_array, name_key
from handoff.scenario.traffic import Traffic
from handoff.workload.capture_stream import CaptureStream
from handoff.workload.flow import Flow, PacketSegment
from handoff.workload.flow_ends import FlowEnds

STREAM_NAME = "*"
"""Replaces the flow's name in the draw of the phase shift if all flows of a mobile node share one (``origin = "stream"``)."""
_PS_PER_DAY = 86_400 * 10**12


@dataclass(frozen=True, eq=False)
class Conversation:
    """One flow as it is replayed, in both directions.

    Attributes
    ----------
    name : str
        Name of the flow: protocol, correspondent's endpoint, mobile endpoint.
    down, up : PacketSegment or None
        Packets to the mobile node, and from it.
    origin_ns : int
        Time of the stream that becomes the start of the flow.
    pace : Fraction
        Factor of all times.
    period_ps : int or None
        Time from one repetition to the next; None if the flow is replayed once.
    """

    name: str
    down: PacketSegment | None
    up: PacketSegment | None
    origin_ns: int
    pace: Fraction
    period_ps: int | None


def scale_to_ps(time_ns: int, pace: Fraction) -> int:
    """Return ``time_ns`` times ``pace`` in picoseconds, rounded down."""
    return time_ns * 1000 * pace.numerator // pace.denominator


def loop_period(length_ps: int, packets: int) -> int | None:
    """Return the length plus the mean gap between packets; None for length 0, which has no gap to repeat."""
    return length_ps + _mean_gap(length_ps, packets) if length_ps else None


def _mean_gap(length_ps: int, packets: int) -> int:
    return max(1, length_ps // (packets - 1))


def load_conversations(captures: Sequence[handoff_traces.CompiledCapture], traffic: Traffic) -> tuple[list[Conversation], str]:
    """Return the conversations that a ``[[traffic]]`` table replays, by time of first packet, and their amount in words.

    Raises
    ------
    ValueError
        If no packet is left to replay, or the packets of a flow lie further apart than time is counted.
    """
    stream = CaptureStream(captures, traffic.clocks == "absolute")
    flows = stream.select_flows(traffic)
    for flow in flows:
        origin_ns = _origin_ns(flow, traffic)
        if (last_ps := scale_to_ps(flow.last_ns - origin_ns, traffic.factor)) > FOREVER:
            raise ValueError(
                f"the flow {flow.name} has a packet {last_ps // _PS_PER_DAY:,} days after its beginning, and a replay takes at "
                "most 106 days: if a time stamp of the capture is wrong, leave its packet out with 'clip', or with editcap"
            )
    conversations = [
        Conversation(
            name=flow.name,
            down=flow.down[0] if flow.down else None,
            up=flow.up[0] if flow.up else None,
            origin_ns=_origin_ns(flow, traffic),
            pace=traffic.factor,
            period_ps=_period(stream, flow, traffic) if traffic.loop else None,
        )
        for flow in flows
    ]
    return conversations, f"{sum(f.packets for f in flows):,} of {stream.packets:,} packets, in {len(flows):,} flows"


def _origin_ns(flow: Flow, traffic: Traffic) -> int:
    return traffic.clip.begin_ns if traffic.origin == "stream" else flow.first_ns


def _period(stream: CaptureStream, flow: Flow, traffic: Traffic) -> int | None:
    """Return the loop period; None if there is none, or if it is longer than any run, in which nothing is repeated then."""
    period_ps = _exact_period(stream, flow, traffic)
    return None if period_ps is None or period_ps > FOREVER else period_ps


def _exact_period(stream: CaptureStream, flow: Flow, traffic: Traffic) -> int | None:
    pace, (begin, end) = traffic.factor, traffic.clip
    if traffic.origin == "flow":
        return loop_period(scale_to_ps(flow.last_ns - flow.first_ns, pace), flow.packets)
    if end is not None:
        return scale_to_ps(end - begin, pace)
    length_ps = scale_to_ps(stream.length_ns, pace)
    if not length_ps:
        return None
    return scale_to_ps(stream.length_ns - begin, pace) + _mean_gap(length_ps, stream.packets)


def add_replay(
    network: Network, ends: FlowEnds, assigned: list[list[int]], conversations: list[Conversation], *, seed: int, traffic: Traffic
) -> list[tuple[Int, Int]]:
    """Replay conversation i in each row of ``ends`` in ``assigned[i]``, each with a phase shift of its own.

    Times count from the beginning of the presence of both ends, and nothing is sent after its end. Return for each conversation
    the times at which its replays start and end.
    """
    mobile_keys = network.mobile_keys()
    times = []
    for conversation, replaying in zip(conversations, assigned, strict=True):
        rows = np.array(replaying, np.int64)
        mobiles, peers = ends.mobiles[rows], None if ends.peers is None else ends.peers[rows]
        name = STREAM_NAME if traffic.origin == "stream" else conversation.name
        pair_keys = combine_array(combine_array(name_key(name), ends.correspondent_keys(mobile_keys, rows)), mobile_keys[mobiles])
        phases = RandomStreams(seed, PURPOSE_USER, pair_keys).uniform_all(traffic.phase)
        starts, stops = ends.begin_ps[rows] + phases + traffic.shift, ends.end_ps[rows]
        times.append((starts, stops))
        if not replaying:
            continue
        ps_per_ns = 1000 * conversation.pace
        for up, segment in ((False, conversation.down), (True, conversation.up)):
            if segment is not None:
                network.replay(
                    ends.node, mobiles, segment.times, segment.sizes, peers=peers,
                    origin=conversation.origin_ns + segment.clock_ns, multiply=ps_per_ns.numerator, divide=ps_per_ns.denominator,
                    mapping=segment.mapping, start_ps=starts, stop_ps=stops, period_ps=conversation.period_ps, up=up,
                    label=conversation.name,
                )  # fmt: skip
    return times
