"""An upper bound of the memory of a run, before it starts."""

from __future__ import annotations

from engine.elements import Channel
from engine.network import Network
from engine.offered_load import offered_packets

RECORD_BYTES = 32
ENTRY_BYTES = 24 * 8 / 7 * 5 / 4  # seven of eight slots are taken; a table grows by a quarter
FLOW_BYTES = 64 + 8 + 4 + 4 + 4 + 4 + 4 + 56 + 2 * 32  # state, its columns, a law, its source twice while flows begin
MOBILE_BYTES = 32 + 4 + 16 + 3 * ENTRY_BYTES  # state, first attachment, name; entries at two nodes, and in the cell
FIFO_BYTES = 64
ATTACHMENT_BYTES = 8 + 8 + 8 + 4 + 2 * 16 + 3 * 8  # itself, its begin and end, both once more for its mobile
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


def memory_upper_bound(network: Network, until_ps: int) -> int:
    """Upper bound in bytes; rings grow by doubling, so twice their bound is counted."""
    offered = offered_packets(network, until_ps)
    records = sum(ring_records(link.channel, offered) for link in network.links)
    mobiles = max(network.mobile_count, 1)
    for cell in network.cells:
        users = 1 if cell.shared else -(-mobiles // len(network.cells))
        records += min(users * ring_records(cell.down, offered), offered)
    attachments = len(network.sorted_attachments()["up"])
    return (
        2 * RECORD_BYTES * records
        + FLOW_BYTES * network.flow_count
        + int((MOBILE_BYTES + FIFO_BYTES + 2 * RECORD_BYTES) * network.mobile_count)
        + ATTACHMENT_BYTES * attachments
        + 8 * len(network.nodes) ** 2
        + sum(replay.bytes_in_memory for replay in network.replays)
    )
