# distutils: language = c++
# cython: language_level=3
"""Loops over the records of packet copies, over packets, and over first arrivals (packet_table.py, arrivals.py)."""

import numpy as np

from libc.math cimport fabs, NAN
from libc.stdint cimport INT64_MAX, int64_t, uint8_t
from libcpp.vector cimport vector

from engine.results import Fate
from handoff.metrics._group_loops import check_lengths, refuse_group

cdef int64_t DELIVERED = Fate.DELIVERED
cdef int64_t DUPLICATE = Fate.DUPLICATE
cdef int64_t IN_FLIGHT = Fate.IN_FLIGHT

cdef enum:
    JITTER_GAIN = 16  # divisor of the noise reduction in the jitter estimate (RFC 3550, 6.4.1)


def find_packets(const int64_t[::1] flow, const int64_t[::1] seq, const int64_t[::1] copy):
    """Return the row of each packet's first record, and the packet of each record.

    Parameters
    ----------
    flow, seq, copy : ndarray of int64
        Records of packet copies, sorted by these columns.

    Returns
    -------
    tuple of ndarray of int64
        One array for both if no packet has a second copy.

    Raises
    ------
    ValueError
        If the records are not sorted.
    """
    cdef Py_ssize_t i, packets = 0, n = flow.shape[0]
    cdef bint is_same
    check_lengths(n, seq, copy)
    for i in range(n):
        is_same = i > 0 and flow[i] == flow[i - 1] and seq[i] == seq[i - 1]
        packets += not is_same
        if i and (
            copy[i] <= copy[i - 1] if is_same else flow[i] < flow[i - 1] or (flow[i] == flow[i - 1] and seq[i] < seq[i - 1])
        ):
            raise ValueError("records are not sorted by flow, seq and copy")
    if packets == n:
        rows = np.arange(n)
        return rows, rows
    first, packet = np.empty(packets, np.int64), np.empty(n, np.int64)
    cdef int64_t[::1] first_record = first, packet_of_record = packet
    packets = 0
    for i in range(n):
        if i == 0 or flow[i] != flow[i - 1] or seq[i] != seq[i - 1]:
            first_record[packets] = i
            packets += 1
        packet_of_record[i] = packets - 1
    return first, packet


def join_copies(const int64_t[::1] packet, const int64_t[::1] fate, const int64_t[::1] delay_ps, Py_ssize_t packets):
    """Return the fate, the number of further deliveries and the delay of each packet.

    Parameters
    ----------
    packet : ndarray of int64
        Packet of each record, as :func:`find_packets` returns it.
    fate, delay_ps : ndarray of int64
        Fate and delay of each record.
    packets : int
        Number of packets.

    Returns
    -------
    delivered, lost, unfinished : ndarray of bool, shape (packets,)
        Exactly one of the three is true.
    copies : ndarray of int64, shape (packets,)
        Number of further deliveries.
    delay_ps : ndarray of int64, shape (packets,)
        Delay of the first arrival; -1 if there is none.

    Raises
    ------
    ValueError
        If a packet has several first deliveries, or duplicates without one.
    """
    cdef Py_ssize_t i, p, n = packet.shape[0]
    check_lengths(n, fate, delay_ps)
    if n and not 0 <= np.min(packet) <= np.max(packet) < packets:
        raise ValueError(f"each record needs a packet below {packets}")
    masks = [np.zeros(packets, np.bool_) for _ in range(3)]
    cdef uint8_t[::1] delivered = masks[0].view(np.uint8), lost = masks[1].view(np.uint8), unfinished = masks[2].view(np.uint8)
    columns = np.zeros(packets, np.int64), np.full(packets, -1, np.int64)
    cdef int64_t[::1] copies = columns[0], delay = columns[1]
    cdef bint is_contradiction = False
    for i in range(n):
        p = packet[i]
        if fate[i] == DELIVERED:
            is_contradiction |= delivered[p]
            delivered[p], delay[p] = True, delay_ps[i]
        elif fate[i] == DUPLICATE:
            copies[p] += 1
        elif fate[i] == IN_FLIGHT:
            unfinished[p] = True
    for p in range(packets):
        unfinished[p] &= not delivered[p]
        lost[p] = not (delivered[p] or unfinished[p])
        is_contradiction |= copies[p] > 0 and not delivered[p]
    if is_contradiction:
        raise ValueError("a packet has several first deliveries, or duplicates without one")
    return (*masks, *columns)


def vary_delays(const int64_t[::1] flow, const int64_t[::1] seq, const int64_t[::1] delay_ps, delivered):
    """Return the variation of the delay of each packet; -1 for none.

    Parameters
    ----------
    flow, seq : ndarray of int64
        Packets, sorted by these columns.
    delay_ps : ndarray of int64
        Their delays.
    delivered : ndarray of bool
        False for packets without a delay.

    Returns
    -------
    pdv_ps : ndarray of int64
        Excess over the smallest delay of the flow (RFC 5481, 4.2).
    ipdv_abs_ps : ndarray of int64
        Absolute difference from the delay of the packet sent just before it, if both were delivered (RFC 3393).
    """
    cdef Py_ssize_t i, j, begin = 0, n = flow.shape[0]
    cdef int64_t smallest = INT64_MAX
    cdef const uint8_t[::1] is_delivered = delivered.view(np.uint8)
    check_lengths(n, seq, delay_ps, delivered)
    columns = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    cdef int64_t[::1] pdv = columns[0], ipdv = columns[1]
    for i in range(n):
        if is_delivered[i]:
            if i and is_delivered[i - 1] and flow[i] == flow[i - 1] and seq[i] == seq[i - 1] + 1:
                ipdv[i] = max(delay_ps[i], delay_ps[i - 1]) - min(delay_ps[i], delay_ps[i - 1])
            smallest = min(smallest, delay_ps[i])
        if i == n - 1 or flow[i + 1] != flow[i]:
            for j in range(begin, i + 1):
                if is_delivered[j]:
                    pdv[j] = delay_ps[j] - smallest
            begin, smallest = i + 1, INT64_MAX
    return columns


def count_packets(
    const int64_t[::1] group, delivered, lost, unfinished, const int64_t[::1] copies, int64_t groups
):
    """Return the numbers of packets of each group.

    Parameters
    ----------
    group : ndarray of int64
        Group of each packet; below 0 for no group.
    delivered, lost, unfinished : ndarray of bool
        Exactly one of the three is true.
    copies : ndarray of int64
        Number of further deliveries.
    groups : int
        Number of groups.

    Returns
    -------
    tuple of ndarray of int64, shape (groups,)
        Packets, delivered, lost and unfinished packets, those with further deliveries, and further deliveries.
    """
    cdef Py_ssize_t i
    cdef int64_t g
    cdef const uint8_t[::1] is_delivered = delivered.view(np.uint8), is_lost = lost.view(np.uint8)
    cdef const uint8_t[::1] is_unfinished = unfinished.view(np.uint8)
    check_lengths(group.shape[0], delivered, lost, unfinished, copies)
    columns = np.zeros((groups, 6), np.int64)
    cdef int64_t[:, ::1] count = columns
    for i in range(group.shape[0]):
        g = group[i]
        if g >= groups:
            refuse_group(g, groups)
        if g >= 0:
            count[g, 0] += 1
            count[g, 1] += is_delivered[i]
            count[g, 2] += is_lost[i]
            count[g, 3] += is_unfinished[i]
            count[g, 4] += copies[i] > 0
            count[g, 5] += copies[i]
    return tuple(columns.T.copy())

# -- first arrivals, in their order within each flow ----------------------------------------------------------------------------


def find_late(const int64_t[::1] packet):
    """Return the rows of the arrivals that come after one of a larger packet.

    Parameters
    ----------
    packet : ndarray of int64
        Row of each arrival's packet in the packet table; rows rise with the flow.
    """
    cdef Py_ssize_t i
    cdef int64_t highest = -1
    rows = []
    for i in range(packet.shape[0]):
        if packet[i] < highest:
            rows.append(i)
        else:
            highest = packet[i]
    return np.array(rows, np.int64)


def measure_arrivals(
    const int64_t[::1] packet, const int64_t[::1] time_ps, const int64_t[::1] delay_ps, first, const int64_t[::1] group,
    int64_t groups,
):
    """Return the jitter (RFC 3550, 6.4.1) and the longest gap of each group.

    Parameters
    ----------
    packet, time_ps, delay_ps : ndarray of int64
        Row of each arrival's packet, its time, and its delay.
    first : ndarray of bool
        True at the first arrival of each flow. There the jitter is 0, and no gap ends.
    group : ndarray of int64
        Group of each packet of the table; below 0 for no group.
    groups : int
        Number of groups.

    Returns
    -------
    jitter_last_ps, jitter_max_ps : ndarray of float64, shape (groups,)
        Jitter after the last arrival of the group, and the largest; NaN for a group without arrivals.
    gap_max_ps, gap_begin_ps, gap_end_ps : ndarray of int64, shape (groups,)
        Longest time between an arrival of the group and the one before it in its flow, its begin and its end; of several equal
        gaps the first; -1 if there is none.
    """
    cdef Py_ssize_t i, n = packet.shape[0]
    cdef int64_t g
    cdef double jitter = 0
    cdef const uint8_t[::1] is_first = first.view(np.uint8)
    check_lengths(n, time_ps, delay_ps, first)
    if n and not 0 <= np.min(packet) <= np.max(packet) < group.shape[0]:
        raise ValueError("an arrival's packet is outside the groups")
    jitters = np.full(groups, NAN), np.full(groups, NAN)
    gaps = np.full(groups, -1, np.int64), np.full(groups, -1, np.int64), np.full(groups, -1, np.int64)
    cdef double[::1] last = jitters[0], high = jitters[1]
    cdef int64_t[::1] longest = gaps[0], begin = gaps[1], end = gaps[2]
    for i in range(n):
        jitter = 0 if is_first[i] else jitter + (fabs(<double>(delay_ps[i] - delay_ps[i - 1])) - jitter) / JITTER_GAIN
        g = group[packet[i]]
        if g < 0:
            continue
        if g >= groups:
            refuse_group(g, groups)
        last[g] = jitter
        if not jitter <= high[g]:  # the first one is compared with NaN
            high[g] = jitter
        if not is_first[i] and time_ps[i] - time_ps[i - 1] > longest[g]:
            longest[g], begin[g], end[g] = time_ps[i] - time_ps[i - 1], time_ps[i - 1], time_ps[i]
    return (*jitters, *gaps)


def find_sudden_delays(
    const int64_t[::1] packet, const int64_t[::1] delay_ps, interrupted, const int64_t[::1] flow, const int64_t[::1] handoff,
    reordered, int64_t flows,
):
    """Find the arrivals in handoffs whose delay exceeds that of the arrival before by more than is usual in their flow.

    Usual is the largest such excess of two successive arrivals that belong to no handoff, with none between them.

    Parameters
    ----------
    packet, delay_ps : ndarray of int64
        Row of each arrival's packet, and its delay.
    interrupted : ndarray of bool
        True at each arrival that is the first of its flow, or the first since the begin of a handoff.
    flow, handoff : ndarray of int64
        Flow of each packet of the table, and its handoff; below 0 for none.
    reordered : ndarray of bool
        True for each reordered packet of the table, which is left out of what is usual.
    flows : int
        Number of flows.

    Returns
    -------
    rows, beyond_ps : ndarray of int64
        Rows of the arrivals, and by how much each exceeds what is usual.
    """
    cdef Py_ssize_t i, n = packet.shape[0], number = 0
    cdef int64_t p, excess
    cdef bint is_outside, was_outside = False
    cdef const uint8_t[::1] is_interrupted = interrupted.view(np.uint8), is_reordered = reordered.view(np.uint8)
    check_lengths(n, delay_ps, interrupted)
    check_lengths(flow.shape[0], handoff, reordered)
    if n and not 0 <= np.min(packet) <= np.max(packet) < flow.shape[0]:
        raise ValueError("an arrival's packet is outside the table")
    if flow.shape[0] and not 0 <= np.min(flow) <= np.max(flow) < flows:
        raise ValueError(f"each flow must be below {flows}")
    usual = np.zeros(flows, np.int64)
    cdef int64_t[::1] largest = usual
    for i in range(n):
        p = packet[i]
        is_outside = handoff[p] < 0 and not is_reordered[p]
        if is_outside and was_outside and not is_interrupted[i]:
            excess = delay_ps[i] - delay_ps[i - 1]
            if excess > largest[flow[p]]:
                largest[flow[p]] = excess
        was_outside = is_outside
    rows, beyond = np.empty(n, np.int64), np.empty(n, np.int64)
    cdef int64_t[::1] row = rows, excess_of_row = beyond
    for i in range(1, n):
        p = packet[i]
        if handoff[p] < 0 or flow[p] != flow[packet[i - 1]]:
            continue
        excess = delay_ps[i] - delay_ps[i - 1]
        if excess > largest[flow[p]]:
            row[number], excess_of_row[number] = i, excess - largest[flow[p]]
            number += 1
    return rows[:number].copy(), beyond[:number].copy()


def find_nearest(
    const int64_t[::1] flow, const int64_t[::1] time_ps, left_out, const int64_t[::1] owner, const int64_t[::1] begin,
    const int64_t[::1] instant_ps, int64_t reach_ps,
):
    """Find the packets near an instant of the owner of their flow, and the nearest such instant of each.

    Parameters
    ----------
    flow, time_ps : ndarray of int64
        Packets, sorted by flow; a search takes least where the times of a flow rise.
    left_out : ndarray of bool
        True for packets that are left out.
    owner : ndarray of int64
        Owner of each flow.
    begin : ndarray of int64, shape (owners + 1,)
        Row of the first instant of each owner, and the number of instants.
    instant_ps : ndarray of int64
        Instants of each owner, sorted.
    reach_ps : int
        A packet is near from this long before the instant, and until this long after it.

    Returns
    -------
    packet, instant, since_ps : ndarray of int64
        Rows of the packets and of their instants, and the time since the instant. Of two instants at one distance the earlier
        one is the nearest.
    """
    cdef Py_ssize_t i, n = flow.shape[0]
    cdef int64_t k = 0, first = 0, end = 0, since, nearest
    cdef vector[int64_t] packets, instants, times
    cdef const uint8_t[::1] is_left_out = left_out.view(np.uint8)
    check_lengths(n, time_ps, left_out)
    if n and not 0 <= np.min(flow) <= np.max(flow) < owner.shape[0]:
        raise ValueError("a flow has no owner")
    if owner.shape[0] and not 0 <= np.min(owner) <= np.max(owner) < begin.shape[0] - 1:
        raise ValueError("an owner has no instants")
    if not 0 <= np.min(begin) <= np.max(begin) <= instant_ps.shape[0]:
        raise ValueError("rows of instants are out of range")
    for i in range(n):
        if i == 0 or flow[i] != flow[i - 1] or time_ps[i] < time_ps[i - 1]:
            first, end = begin[owner[flow[i]]], begin[owner[flow[i]] + 1]
            k = first  # the first instant after the packet
        while k < end and instant_ps[k] <= time_ps[i]:
            k += 1
        if is_left_out[i] or first >= end:
            continue
        if k == first or (k < end and instant_ps[k] - time_ps[i] < time_ps[i] - instant_ps[k - 1]):
            nearest = k
        else:
            nearest = k - 1
        since = time_ps[i] - instant_ps[nearest]
        if -reach_ps <= since < reach_ps:
            packets.push_back(i)
            instants.push_back(nearest)
            times.push_back(since)
    columns = np.empty((3, packets.size()), np.int64)
    cdef int64_t[:, ::1] out = columns
    for i in range(<Py_ssize_t>packets.size()):
        out[0, i], out[1, i], out[2, i] = packets[i], instants[i], times[i]
    return tuple(columns)
