"""Metrics of flows, or of any other groups of packets, by their standard names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from handoff.metrics.arrivals import Arrivals
from handoff.metrics.grouped import Grouping, ratio
from handoff.metrics.loss import loss_columns
from handoff.metrics.packet_table import PacketTable, build_packet_table
from handoff.metrics.reordering import ReorderedArrivals

Columns = dict[str, npt.NDArray[Any]]

GROUP_METRICS = (
    "sent", "delivered", "lost", "unfinished", "duplicate", "duplicate_copies", "loss_ratio", "loss_periods",
    "loss_period_max_packets", "loss_distance_min_packets", "delay_min_ps", "delay_mean_ps", "delay_p50_ps", "delay_p95_ps",
    "delay_p99_ps", "delay_max_ps", "ipdv_pairs", "ipdv_abs_mean_ps", "ipdv_abs_p99_ps", "ipdv_abs_max_ps", "pdv_p50_ps",
    "pdv_p99_ps", "pdv_max_ps", "reordered", "reordered_ratio", "reordering_extent_max_packets", "late_time_max_ps",
    "reordered_3", "reordering_n_max_packets", "free_runs", "free_run_mean_packets", "free_run_max_packets", "jitter_last_ps",
    "jitter_max_ps", "gap_max_ps", "gap_begin_ps", "gap_end_ps",
)  # fmt: skip
"""Names of the columns of :func:`group_metrics`, in their order."""
FLOAT_METRICS = frozenset({"loss_ratio", "reordered_ratio", "free_run_mean_packets", "jitter_last_ps", "jitter_max_ps"})
"""Columns of floating-point numbers; all others are int64."""


def group_metrics(records: Mapping[str, Int], group: Int, groups: int) -> Columns:
    """Compute the metrics of each group of packets by their standard names.

    A metric of a single packet refers to its flow, whichever group the packet is in: whether it is reordered, the jitter at its
    arrival, its delay variation against the packet before or against the smallest delay of the flow, the gap that it ends. The
    group only decides which packets are counted. A loss period or distance lies within one group.

    Parameters
    ----------
    records : mapping of str to ndarray of int64
        Records of packet copies, sorted by (flow, seq, copy): ``flow``, ``seq`` (0, 1, 2 ... in sending order), ``copy``,
        ``fate`` (:class:`engine.results.Fate`), ``time_ps`` and ``delay_ps`` (read for delivered copies only). A packet is
        *lost* if all its copies were dropped and *unfinished* if none was delivered and one is in flight.
    group : ndarray of int64
        Group of each record, the same for all copies of a packet; below 0 for no group. A mask is ``where(mask, flow, -1)``.
    groups : int
        Number of groups.

    Returns
    -------
    dict of str to ndarray
        The columns ``GROUP_METRICS``, with one element for each group. Integers are -1 where there is nothing to measure
        (counts: 0); ratios and jitter are floats, NaN where there is nothing. A quantile of too few values (see
        :meth:`handoff.metrics.grouped.Grouping.quantiles`) is -1. Means are rounded down. Delays and their variation are those of
        delivered packets; lost packets do not count as infinite.

        ``sent``, ``delivered``, ``lost``, ``unfinished``
            Packets; the last three add up to the first.
        ``duplicate``, ``duplicate_copies``
            Packets delivered more than once, and deliveries beyond the first (RFC 5560, packet duplication).
        ``loss_ratio``
            ``lost / (lost + delivered)`` (RFC 7680, packet loss ratio).
        ``loss_periods``, ``loss_period_max_packets``
            Runs of lost packets with consecutive numbers, and the longest (RFC 3357, loss period lengths).
        ``loss_distance_min_packets``
            Smallest difference of the numbers of two successive lost packets (RFC 3357, loss distance): 1 if two adjacent
            packets were lost.
        ``delay_min_ps``, ``delay_mean_ps``, ``delay_p50_ps``, ``delay_p95_ps``, ``delay_p99_ps``, ``delay_max_ps``
            One-way delay of the first delivered copy (RFC 7679, 5).
        ``ipdv_pairs``, ``ipdv_abs_mean_ps``, ``ipdv_abs_p99_ps``, ``ipdv_abs_max_ps``
            Absolute difference of the delays of a packet and the one sent just before it, both delivered (RFC 3393, IP packet
            delay variation; RFC 5481, 4.1), and the number of such pairs.
        ``pdv_p50_ps``, ``pdv_p99_ps``, ``pdv_max_ps``
            Delay minus the smallest of the flow (RFC 5481, 4.2).
        ``reordered``, ``reordered_ratio``
            Packets that arrived with a number below the next expected one, and their share of the delivered ones (RFC 4737,
            3.3 and 4.1). Duplicates do not count as arrivals. Packets of one instant count as arrived in sending order,
            because the records do not contain their order. The engine counts them in their true order, so its own count may be
            larger.
        ``reordering_extent_max_packets``
            Largest number of arrivals between a reordered packet, itself counted, and the earliest one of a larger number
            (4.2).
        ``late_time_max_ps``
            Longest time between those two (4.3).
        ``reordered_3``, ``reordering_n_max_packets``
            3-reordered packets (they make TCP retransmit), and the largest n for which some packet is n-reordered: the n
            arrivals just before it all have larger numbers (5.3).
        ``free_runs``, ``free_run_mean_packets``, ``free_run_max_packets``
            Reordering-free runs: arrivals in order before a reordered one, since the previous reordered one; often 0 (4.6).
            Each reordered packet ends a run. The arrivals after the last one are no run, because nothing ended it. The mean is a
            float.
        ``jitter_last_ps``, ``jitter_max_ps``
            Interarrival jitter (RFC 3550, 6.4.1) after the last arrival, and the largest; sending times serve as RTP
            timestamps.
        ``gap_max_ps``, ``gap_begin_ps``, ``gap_end_ps``
            Longest time between two successive deliveries of the flow, its begin and its end. It belongs to the group of the
            packet that ended it; of several equal gaps the first counts.

    Raises
    ------
    ValueError
        If the records are not sorted or contradict each other, or a group is out of range.
    """
    table = build_packet_table(records)
    return measure_groups(table, table.packet_groups(group, groups), groups)


def measure_groups(table: PacketTable, group: Int, groups: int) -> Columns:
    """Compute the columns of :func:`group_metrics` from a packet table.

    Parameters
    ----------
    table : PacketTable
        Table of :func:`handoff.metrics.packet_table.build_packet_table`.
    group : ndarray of int64
        Group of each packet of the table; below 0 for no group.
    groups : int
        Number of groups.
    """
    packets = Grouping(group, groups)
    delivered = Grouping(group[table.delivered_rows], groups)
    lost, unfinished = (Grouping(group[np.flatnonzero(rows)], groups) for rows in (table.lost, table.unfinished))
    copied_rows = np.flatnonzero(table.copies)
    copied, copies = Grouping(group[copied_rows], groups), np.zeros(groups, np.int64)
    copied.reduce_into(np.add, copies, copied.select(table.copies[copied_rows]))
    arrivals = table.arrivals
    arrival_group = group[arrivals.packet]
    return {
        "sent": packets.number,
        "delivered": delivered.number,
        "lost": lost.number,
        "unfinished": unfinished.number,
        "duplicate": copied.number,
        "duplicate_copies": copies,
        "loss_ratio": ratio(lost.number, lost.number + delivered.number),
        **loss_columns(table, group, groups),
        **_delay_columns(delivered.select(table.delivered_delay_ps), delivered),
        **_variation_columns(table, Grouping(group[table.successors.packet], groups), delivered),
        **_reordering_columns(table.reordered, Grouping(group[table.reordered.packet], groups), delivered.number),
        **_jitter_columns(table.jitter, Grouping(arrival_group, groups)),
        **_gap_columns(arrivals, arrival_group, groups),
    }


def _delay_columns(delay: Int, delivered: Grouping) -> Columns:
    low, high = delivered.extremes(delay)
    quantile = {f"delay_p{p}_ps": q for p, q in delivered.quantiles(delay, (50, 95, 99)).items()}
    return {"delay_min_ps": low, "delay_mean_ps": delivered.mean(delay), **quantile, "delay_max_ps": high}


def _variation_columns(table: PacketTable, successors: Grouping, delivered: Grouping) -> Columns:
    ipdv, pdv = successors.select(table.successors.ipdv_abs_ps), delivered.select(table.delivered_pdv_ps)
    pdv_quantiles = delivered.quantiles(pdv, (50, 99))
    return {
        "ipdv_pairs": successors.number,
        "ipdv_abs_mean_ps": successors.mean(ipdv),
        "ipdv_abs_p99_ps": successors.quantiles(ipdv, (99,))[99],
        "ipdv_abs_max_ps": successors.maximum(ipdv),
        "pdv_p50_ps": pdv_quantiles[50],
        "pdv_p99_ps": pdv_quantiles[99],
        "pdv_max_ps": delivered.maximum(pdv),
    }


def _reordering_columns(reordered: ReorderedArrivals, grouping: Grouping, delivered: Int) -> Columns:
    number, n, free_run = grouping.number, grouping.select(reordered.n), grouping.select(reordered.free_run)
    in_order = np.zeros(grouping.groups, np.int64)
    grouping.reduce_into(np.add, in_order, free_run)
    return {
        "reordered": number,
        "reordered_ratio": ratio(number, delivered),
        "reordering_extent_max_packets": grouping.maximum(grouping.select(reordered.extent)),
        "late_time_max_ps": grouping.maximum(grouping.select(reordered.late_ps)),
        "reordered_3": Grouping(grouping.group[n >= 3], grouping.groups).number,
        "reordering_n_max_packets": grouping.maximum(n),
        "free_runs": number,
        "free_run_mean_packets": ratio(in_order, number),
        "free_run_max_packets": grouping.maximum(free_run),
    }


def _jitter_columns(jitter: npt.NDArray[np.float64], arrivals: Grouping) -> Columns:
    value = arrivals.select(jitter)
    last, high = np.full(arrivals.groups, np.nan), np.zeros(arrivals.groups)
    last[arrivals.group] = value  # of several elements of one group the last stays
    arrivals.reduce_into(np.maximum, high, value)
    high[arrivals.number == 0] = np.nan
    return {"jitter_last_ps": last, "jitter_max_ps": high}


def _gap_columns(arrivals: Arrivals, arrival_group: Int, groups: int) -> Columns:
    grouping = Grouping(arrival_group[arrivals.gap_ends], groups)
    gap = grouping.select(arrivals.gap_ps)
    longest = grouping.maximum(gap)
    arrival = np.full(groups, -1, np.int64)
    ends_longest = grouping.select(arrivals.gap_ends)[gap == longest[grouping.group]][::-1]
    arrival[arrival_group[ends_longest]] = ends_longest  # reversed, so the first one stays
    begin_ps, end_ps = np.full(groups, -1, np.int64), np.full(groups, -1, np.int64)
    begin_ps[arrival >= 0] = arrivals.time_ps[arrival[arrival >= 0] - 1]
    end_ps[arrival >= 0] = arrivals.time_ps[arrival[arrival >= 0]]
    return {"gap_max_ps": longest, "gap_begin_ps": begin_ps, "gap_end_ps": end_ps}
