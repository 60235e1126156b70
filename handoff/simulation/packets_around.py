"""Packets around handoffs: how many were sent how long before or after one, with which delay, and by which path or lost.

The counts are sums over all handoffs of a run, so that their number does not depend on the number of mobile nodes.
"""

from __future__ import annotations

import numpy as np

from engine import FOREVER, Fate
from engine.columns import Columns, Int
from handoff.metrics._packet_loops import find_nearest
from handoff.protocol.constants import SECOND
from handoff.simulation.handoff_metrics import PacketRecords

REACH_PS = SECOND
"""Time before and after a handoff in which packets are counted."""
BIN_PS = SECOND // 25
"""Width of a bin of sending times: 40 ms."""
DELAY_BITS = 2
"""Bits of a delay behind its first one that decide its bin: four bins an octave."""
MAX_DELAY_BIN = (62 << DELAY_BITS) - 1
"""Last bin of delays: up to 2**62 ps (53 days)."""
PATHS = ("old link", "forwarded", "new link", "other link", "lost", "upstream", "lost upstream")
"""Ways of a packet. Downstream: through the cell of the old router, encapsulated by the old router for the new one, through the
cell of the new router without that, or through another cell. Upstream packets have no path: their record does not name a cell."""
_OLD, _FORWARDED, _NEW, _OTHER, _LOST, _UP, _LOST_UP = range(len(PATHS))


def count_packets_around(packets: PacketRecords, handoffs: Columns, anchor_tunnels: Int, up: Int) -> Columns:
    """Count the packets of a run by the time between their sending and the nearest handoff of their mobile node.

    The instant of a handoff is the end of the old link (``down_ps``), which is the same under all procedures. If the old link
    never ends, it is the begin of the new link.

    Parameters
    ----------
    packets : PacketRecords
        Packets of the whole run, both directions. Packets that are in flight at the end of the run do not count.
    handoffs : dict of str to ndarray
        Handoffs (:func:`handoff.simulation.handoff_metrics.handoff_columns`).
    anchor_tunnels : ndarray of int64
        Number of tunnels that a packet of each flow has without forwarding.
    up : ndarray of int64
        1 for each upstream flow, else 0.

    Returns
    -------
    dict of str to ndarray
        One element for each combination that occurs, sorted: ``path`` (index in ``PATHS``), ``since_ps`` (begin of the bin of
        sending times, of width ``BIN_PS``), ``delay_from_ps`` and ``delay_until_ps`` (bounds of the bin of delays; 0 for lost
        packets), ``packets``.
    """
    table, records = packets.table, packets.records
    packet, handoff, since_ps = _find_packets_near(packets, handoffs)
    row = table.first_record[packet]
    if len(records["fate"]) > len(table.flow):  # a packet with copies counts with the delivered one
        delivered = table.delivered[packet]
        place = np.cumsum(table.delivered)[packet[delivered]] - 1
        row[delivered] = np.flatnonzero(records["fate"] == Fate.DELIVERED)[place]
    via = records["via"][row]
    path = np.full(len(packet), _OTHER)
    path[via == handoffs["new_router"][handoff]] = _NEW
    path[via == handoffs["old_router"][handoff]] = _OLD
    path[(via >= 0) & (records["tunnels"][row] > anchor_tunnels[records["flow"][row]])] = _FORWARDED
    is_lost, is_up = table.lost[packet], up[table.flow[packet]] == 1
    path[is_lost], path[is_up], path[is_lost & is_up] = _LOST, _UP, _LOST_UP
    delay_bin = np.where(is_lost, 0, delay_bins(table.delay_ps[packet]))
    time_bins, columns = 2 * REACH_PS // BIN_PS, (MAX_DELAY_BIN + 1)
    key = (path * time_bins + (since_ps + REACH_PS) // BIN_PS) * columns + delay_bin
    counts = np.bincount(key, minlength=1)
    occurring = np.flatnonzero(counts)
    rest, found_delay = np.divmod(occurring, columns)
    found_path, found_time = np.divmod(rest, time_bins)
    lower = np.array([lower_delay(i) for i in range(columns + 1)], np.int64)
    has_no_delay = (found_path == _LOST) | (found_path == _LOST_UP)
    return {
        "path": found_path,
        "since_ps": found_time * BIN_PS - REACH_PS,
        "delay_from_ps": np.where(has_no_delay, 0, lower[found_delay]),
        "delay_until_ps": np.where(has_no_delay, 0, lower[found_delay + 1]),
        "packets": counts[occurring],
    }


def delay_bins(delay_ps: Int) -> Int:
    """Return the bin of each delay: four an octave. The first bin in use begins at 4 ps, and the last one has no end."""
    delay = np.clip(delay_ps, 1 << DELAY_BITS, (1 << 62) - 1)
    octave = np.floor(np.log2(delay)).astype(np.int64)
    octave += (delay >> np.minimum(octave + 1, 62)) > 0  # log2 rounds near a power of two
    octave -= (delay >> octave) == 0
    return (octave << DELAY_BITS) + ((delay >> (octave - DELAY_BITS)) & ((1 << DELAY_BITS) - 1))


def lower_delay(index: int) -> int:
    """Return the smallest delay of a bin in ps."""
    octave, rest = divmod(index, 1 << DELAY_BITS)
    if octave < DELAY_BITS:
        return 0  # no delay has such a bin
    return ((1 << DELAY_BITS) + rest) << (octave - DELAY_BITS)


def _find_packets_near(packets: PacketRecords, handoffs: Columns) -> tuple[Int, Int, Int]:
    """Return the packets near a handoff of their mobile node, the nearest handoff of each, and the time since it."""
    table, mobiles = packets.table, packets.mobiles.mobile
    instant = np.where(handoffs["down_ps"] < FOREVER, handoffs["down_ps"], handoffs["up_ps"])
    order = np.lexsort((instant, handoffs["mobile"]))
    begin = np.searchsorted(handoffs["mobile"][order], np.arange(int(mobiles.max(initial=-1)) + 2))
    sent_ps = np.ascontiguousarray(table.of_packets(packets.records["sent_ps"]))
    packet, row, since_ps = find_nearest(table.flow, sent_ps, table.unfinished, mobiles, begin, instant[order], REACH_PS)
    return packet, order[row], since_ps
