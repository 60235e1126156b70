"""Emission times of flows (docs/model.md, section 10)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from engine.network import Network

from .draws import gap, mix2
from .fifo import Packet


def emissions(network: Network, flow: int, flow_key: int, seed: int) -> Iterator[tuple[int, Packet, int, int]]:
    """Yield (time, packet, flow key, node of the flow) of each packet of a flow, in order."""
    row = {name: int(column[flow]) for name, column in network.flows().items()} | {"key": flow_key}
    homes = network.mobile_homes().tolist() if row["peer"] >= 0 else []
    for seq, (t, size) in enumerate(_moments(network, row, seed)):
        if t >= row["stop"] or seq >= row["count"]:
            return
        if row["peer"] < 0:
            packet = Packet(row["up"], mix2(flow_key, seq), row["mobile"], size, t, row["node"] if row["up"] else -1, flow, seq)
        else:
            sender, receiver = (row["mobile"], row["peer"]) if row["up"] else (row["peer"], row["mobile"])
            packet = Packet(1, mix2(flow_key, seq), receiver, size, t, homes[receiver], flow, seq, sender=sender)
        yield t, packet, flow_key, row["node"]


def _moments(network: Network, row: dict[str, int], seed: int) -> Iterator[tuple[int, int]]:
    start, step = row["start"], row["interval"]
    if row["source"] == 0:
        for k in count():
            yield start + k * step, row["size"]
    elif row["source"] == 1:
        t = start
        for seq in count():
            t += gap(seed, row["key"], seq, step)
            yield t, row["size"]
    else:
        tape = network.replays[row["source"] - 2]
        for n in count():
            for t, size in zip(tape.times.tolist(), tape.sizes.tolist(), strict=True):
                yield start + (t - tape.origin) * tape.multiply // tape.divide + n * step, size
            if not step:
                return
