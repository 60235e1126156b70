"""Memory of runs: an upper bound that is computed before a run starts, and the heap that the runs of a process share."""

from __future__ import annotations

import ctypes
import sys

from engine.elements import Channel
from engine.network import Network
from engine.offered_load import offered_packets

RECORD_BYTES = 32
ARRIVAL_BYTES = 48 + 16  # in the inbox of a level, with what is looked up for it
UPSTREAM_BYTES = 2 * RECORD_BYTES + 40 * (2 * 2 + 2)  # in a ring; in the arrivals of a cell, half of them past; and a copy
ENTRY_BYTES = 24 * 8 / 7 * 5 / 4  # up to seven of eight slots are used; a table grows by a quarter
CALENDAR_BYTES = 4 + 8 + 2 * 24  # next in its bucket, up to two buckets, and its place among the due sources of a day
FLOW_BYTES = 64 + 8 + 4 + 4 + 4 + 4 + 4 + 56 + 2 * 32 + CALENDAR_BYTES
"""State, columns, a schedule, the source twice while flows start, and its places in the calendar."""
END_BYTES = 8 * 5 / 3 * 2  # the end of an entry; up to two thirds more have been cancelled; a list grows by doubling
MOBILE_BYTES = 32 + 24 + 4 + 16 + 3 * ENTRY_BYTES + 2 * END_BYTES  # state, uplink, first attachment, name; three table entries
FIFO_BYTES = 64
ATTACHMENT_BYTES = 8 + 8 + 8 + 4 + 2 * 16 + 3 * 8  # the attachment, its boundaries, both again by mobile
SMALLEST_PACKET = 28

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # parameters of mallopt(3)
_KEPT_BYTES = 1 << 30


def keep_freed_memory() -> None:
    """Let this process keep the memory that a run has freed, up to 1 GB, so that the next run uses it again.

    By default the C library returns columns of a few megabytes to the system at once, which zeroes their pages for the next run:
    that took a third of the processor time of a comparison. The setting concerns the whole process, so commands and workers
    make it, and no function that other programs call. Only glibc has it; elsewhere nothing happens.
    """
    if sys.platform == "linux" and (set_option := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        set_option(_M_MMAP_MAX, 0)  # a mapping of its own would be returned when it is freed
        set_option(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def ring_records(channel: Channel, offered: int) -> int:
    """Return an upper bound of the packets in a link's ring.

    The queue holds at most ``buffer_packets``. Packets in propagation left in the last ``delay_ps``, at most one in each
    smallest transmission time. Without these limits the bound is the number of offered packets.
    """
    flying = waiting = offered
    if channel.rate_bps is not None:
        flying = channel.delay_ps // -(-SMALLEST_PACKET * 8 * 10**12 // channel.rate_bps) + 1
    if channel.buffer_packets is not None:
        waiting = channel.buffer_packets
    elif channel.buffer_bytes is not None:
        waiting = channel.buffer_bytes // SMALLEST_PACKET
    return int(min(flying + waiting, offered))


def memory_upper_bound(network: Network, until_ps: int) -> int:
    """Return an upper bound in bytes. A ring grows by doubling, so its bound counts twice."""
    offered, upstream = offered_packets(network, until_ps)
    records = links = sum(ring_records(link.channel, offered) for link in network.links)
    mobiles = max(network.mobile_count, 1)
    arrivals = 0
    for cell in network.cells:
        share = -(-mobiles // len(network.cells))
        records += min((1 if cell.shared else share) * ring_records(cell.down, offered), offered)
        arrivals += min(share * ring_records(cell.up, upstream), upstream)
    attachments = len(network.sorted_attachments()["up"])
    return (
        2 * RECORD_BYTES * records
        + 2 * ARRIVAL_BYTES * (links + min(arrivals, upstream))
        + UPSTREAM_BYTES * min(arrivals, upstream)
        + FLOW_BYTES * network.flow_count
        + int((MOBILE_BYTES + FIFO_BYTES + 2 * RECORD_BYTES) * network.mobile_count)
        + ATTACHMENT_BYTES * attachments
        + 8 * len(network.nodes) ** 2
        + sum(replay.bytes_in_memory for replay in network.replays)
    )
