"""An upper bound of the memory of a run, before it starts."""

from __future__ import annotations

from engine.network import Network
from engine.parts import Channel
from engine.quantities import FOREVER

RECORD_BYTES = 32
FLOW_BYTES = 64 + 8 + 4 + 4 + 48 + 40 + 40  # state, key, node, mobile, law, and its source twice
MOBILE_BYTES = 48 + 12 + 24 + 3 * 48  # state, key and home, attachments, entries at two nodes at the load of the tables
FIFO_BYTES = 224
ATTACHMENT_BYTES = 28 + 32
SMALLEST_PACKET = 28


def ring_records(channel: Channel, offered: int) -> int:
    """Most records that a link's ring can hold at once.

    The queue holds at most ``buffer_packets``; what is propagating left in the last ``delay_ps``, one packet in each
    smallest transmission time. Without such bounds it is all that is ever offered.
    """
    smallest = -(-SMALLEST_PACKET * 8 * 10**12 // channel.rate_bps) if channel.rate_bps else 0
    flying = channel.delay_ps // smallest + 1 if smallest else offered
    waiting = channel.buffer_packets or (channel.buffer_bytes // SMALLEST_PACKET if channel.buffer_bytes else offered)
    return int(min(flying + waiting, offered))


def estimate(network: Network, until_ps: int) -> int:
    """Upper bound in bytes; rings grow by doubling, so twice their bound is counted."""
    f = network.flows()
    offered = 0
    for source, start, stop, step, count in zip(
        *(f[c].tolist() for c in ("source", "start", "stop", "interval", "count")), strict=True
    ):
        span = max(0, min(stop, until_ps) - start)
        if source < 2:
            packets = span // step + 1
        else:
            packets = len(network.replays[source - 2])
            packets *= span // step + 1 if step else 1
        offered += min(packets, count if count < FOREVER else packets)
    records = sum(ring_records(link.channel, offered) for link in network.links)
    mobiles = max(network.mobile_count, 1)
    for cell in network.cells:
        users = 1 if cell.shared else -(-mobiles // len(network.cells))
        records += min(users * ring_records(cell.down, offered), offered)
    attachments = len(network.attachments()["up"])
    return (
        2 * RECORD_BYTES * records
        + FLOW_BYTES * network.flow_count
        + (MOBILE_BYTES + FIFO_BYTES + 4 * RECORD_BYTES) * network.mobile_count
        + ATTACHMENT_BYTES * attachments
        + 8 * len(network.nodes) ** 2
        + sum(replay.bytes_in_memory for replay in network.replays)
    )
