"""Data packets that the flows of a network offer: an upper bound and an estimate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.columns import Int
from engine.network import Network
from engine.replay import Replay


def offered_packets(network: Network, until_ps: int) -> int:
    """Return an upper bound of the packets that the flows send until ``until_ps``."""
    f = network.flows()
    span = np.clip(np.minimum(f["stop"], until_ps) - f["start"], 0, None)
    turns = span // np.maximum(f["interval"], 1) + 1.0  # a float does not overflow
    long = np.array([1, 1] + [len(replay) for replay in network.replays])[f["source"]]
    packets = np.where((f["source"] < 2) | (f["interval"] > 0), turns, 1) * long
    return int(np.minimum(packets, f["count"]).sum())


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
