"""When the packets of a flow are sent: the arithmetic of docs/replay.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

import handoff_traces
from engine import FOREVER, Network
from engine.keys import PURPOSE_USER, key, mix2, mix2_each
from handoff.draws import Draws
from handoff.replay.select import selected
from handoff.replay.spool import spooled
from handoff.replay.stream import Flow, Piece, Stream
from handoff.scenario.traffic import Traffic
from handoff.setup import Presence

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
    down: Piece | None
    up: Piece | None
    origin_ns: int
    pace: Fraction
    period_ps: int
    release: Callable[[], None]


def scaled(time_ns: int, pace: Fraction) -> int:
    """Picoseconds of a time in ns at a pace, rounded down."""
    return time_ns * 1000 * pace.numerator // pace.denominator


def period(length_ps: int, packets: int) -> int:
    """Length and one mean gap; 0 if there is no length and so no gap to repeat."""
    return length_ps + max(1, length_ps // (packets - 1)) if length_ps else 0


def conversations(captures: Sequence[handoff_traces.CompiledCapture], traffic: Traffic) -> tuple[list[Conversation], str]:
    """Flows of captures as a scenario wants them replayed, by time of first packet; and how much that is, in words.

    Raises
    ------
    ValueError
        If nothing is left to replay.
    """
    assert traffic.mobile_address is not None
    stream = Stream(captures, traffic.clocks == "absolute")
    flows = stream.flows(traffic.mobile_address)
    where = ", ".join(map(str, traffic.capture or ()))
    if not flows:
        sides = ", ".join(str(p).removesuffix("/32").removesuffix("/128") for p in traffic.mobile_address)
        raise ValueError(f"no packet of {where} has {sides} as source or destination")
    clipped = [c for flow in flows if (c := flow.between(*traffic.clip)).pieces]
    if not clipped:
        raise ValueError(f"'clip' leaves nothing of {where}, which lasts {stream.length_ns / 10**9} s")
    left = selected(clipped, traffic.select or (), traffic.exclude or ())
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


def _made(stream: Stream, flows: list[Flow], traffic: Traffic) -> list[Conversation]:
    pieces, give_back = spooled([way for flow in flows for way in (flow.down, flow.up) if len(way) > 1], stream.release)
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


def _period(stream: Stream, flow: Flow, traffic: Traffic) -> int:
    pace, (begin, end) = traffic.factor, traffic.clip
    if traffic.origin == "flow":
        return period(scaled(flow.last_ns - flow.first_ns, pace), flow.packets)
    if end is not None:
        return scaled(end - begin, pace)
    whole = scaled(stream.length_ns, pace)
    return period(whole, stream.packets) - whole + scaled(stream.length_ns - begin, pace) if whole else 0


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
        pairs = mix2_each(np.uint64(mix2(key(name), key(node))), mobile_keys[who])
        starts = Draws(seed, PURPOSE_USER, pairs).each_within(traffic.phase) + traffic.shift
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
