"""Data packets that the flows of a network offer: an upper bound, an estimate, and the time at which their numbers run out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.columns import Int
from engine.network import Network
from engine.quantities import FOREVER
from engine.replay import Replay

MAX_FLOW_PACKETS = 2**32 - 1
"""Largest number of packets of one flow: they are numbered and counted in 32 bits."""
_POISSON_MARGIN = 2**20
"""Packets by which a Poisson flow may be ahead of its mean gaps: 16 standard deviations of ``MAX_FLOW_PACKETS`` gaps."""


def offered_packets(network: Network, until_ps: int) -> tuple[int, int]:
    """Return upper bounds of the packets that all flows, and those from mobiles, send until ``until_ps``."""
    f = network.flows()
    span = np.clip(np.minimum(f["stop"], until_ps) - f["start"], 0, None)
    turns = span // np.maximum(f["interval"], 1) + 1.0  # a float does not overflow
    long = np.array([1, 1] + [len(replay) for replay in network.replays])[f["source"]]
    packets = np.where((f["source"] < 2) | (f["interval"] > 0), turns, 1) * long
    packets = np.minimum(packets, f["count"])
    return int(packets.sum()), int(packets[network.flow_mobiles()[0] >= 0].sum())


def numbering_ends(network: Network) -> Int:
    """Return the time (ps) up to which each flow has sent at most ``MAX_FLOW_PACKETS``; ``FOREVER`` if it never sends more."""
    start, stop, step, count, source = (network.flow_column(f) for f in ("start", "stop", "interval", "count", "source"))
    sequence = np.array([1, 1] + [len(replay) for replay in network.replays])[source]
    turns = np.where(source == 1, MAX_FLOW_PACKETS - _POISSON_MARGIN, MAX_FLOW_PACKETS // sequence)
    step[step == 0] = FOREVER  # a replay without repetition
    is_late = step > (FOREVER - start) // np.maximum(turns, 1)
    step[is_late] = 0
    ends: Int = np.where(is_late & (turns > 0), FOREVER, start + step * turns)
    ends[(ends >= stop) | (count <= MAX_FLOW_PACKETS)] = FOREVER
    return ends


def numbering_problem(network: Network) -> str:
    """Return which flow is the first to send more than ``MAX_FLOW_PACKETS``, and what would be right."""
    ends = numbering_ends(network)
    flow = int(ends.argmin())
    label = next(label for label, first, flows in network.flow_labels if first <= flow < first + flows)
    name = network.mobile_name(int(network.flow_column("mobile")[flow]))
    return (
        f"flow {label!r} of mobile {name!r} may send more than {MAX_FLOW_PACKETS:,} packets after {ends[flow]} ps: "
        "end the run there, lengthen the interval, or divide the flow"
    )


def flows_by_replay(network: Network, source: Int) -> Iterator[tuple[Replay, Int]]:
    """Yield each replay of a network with the flows that send it; ``source`` is the column of ``Network.flows``."""
    order = np.argsort(source, kind="stable")
    first = np.searchsorted(source[order], 2 + np.arange(len(network.replays) + 1))
    for i, replay in enumerate(network.replays):
        yield replay, order[first[i] : first[i + 1]]


def expected_packets(network: Network, duration_ps: int) -> Int:
    """Return the expected number of data packets of each flow."""
    flows = network.flows()
    step = np.maximum(flows["interval"], 1)
    lasts = np.clip(np.minimum(flows["stop"], duration_ps) - flows["start"], 0, None)
    sent: Int = np.minimum(lasts // step + 1, flows["count"])
    for replay, rows in flows_by_replay(network, flows["source"]):
        loops, rest = np.divmod(lasts[rows], np.where(flows["interval"][rows] > 0, flows["interval"][rows], duration_ps + 1))
        ticks = rest * (replay.divide / replay.multiply) + replay.origin
        sent[rows] = loops * len(replay) + np.searchsorted(replay.times, ticks)
    return sent
