"""Metrics of flows, or of any other groups of packets, by their standard names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from handoff.metrics._group_loops import count_elements, measure_runs
from handoff.metrics._packet_loops import count_packets, measure_arrivals
from handoff.metrics.grouped import quantiles, ratio, summarise
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
        :func:`handoff.metrics.grouped.quantiles`) is -1. Means are rounded down. Delays and their variation are those of
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
    sent, delivered, lost, unfinished, duplicate, copies = count_packets(
        group, table.delivered, table.lost, table.unfinished, table.copies, groups
    )
    loss_periods, longest_loss, loss_distance = measure_runs(np.flatnonzero(table.lost), group, table.flow, table.seq, groups)
    arrivals = table.arrivals
    jitter_last, jitter_max, gap_max, gap_begin, gap_end = measure_arrivals(
        arrivals.packet, arrivals.time_ps, arrivals.delay_ps, arrivals.first, group, groups
    )
    return {
        "sent": sent,
        "delivered": delivered,
        "lost": lost,
        "unfinished": unfinished,
        "duplicate": duplicate,
        "duplicate_copies": copies,
        "loss_ratio": ratio(lost, lost + delivered),
        "loss_periods": loss_periods,
        "loss_period_max_packets": longest_loss,
        "loss_distance_min_packets": loss_distance,
        **_delay_columns(table, group, groups),
        **_reordering_columns(table.reordered, group, groups, delivered),
        "jitter_last_ps": jitter_last,
        "jitter_max_ps": jitter_max,
        "gap_max_ps": gap_max,
        "gap_begin_ps": gap_begin,
        "gap_end_ps": gap_end,
    }


def _delay_columns(table: PacketTable, group: Int, groups: int) -> Columns:
    delay, pdv = (summarise(group, value, table.delivered, groups) for value in (table.delay_ps, table.pdv_ps))
    ipdv = summarise(group, table.ipdv_abs_ps, table.has_predecessor, groups)
    delay_quantiles = quantiles(group, table.delay_ps, table.delivered, delay.number, (50, 95, 99))
    pdv_quantiles = quantiles(group, table.pdv_ps, table.delivered, pdv.number, (50, 99))
    return {
        "delay_min_ps": delay.low,
        "delay_mean_ps": delay.mean,
        **{f"delay_p{percent}_ps": quantile for percent, quantile in delay_quantiles.items()},
        "delay_max_ps": delay.high,
        "ipdv_pairs": ipdv.number,
        "ipdv_abs_mean_ps": ipdv.mean,
        "ipdv_abs_p99_ps": quantiles(group, table.ipdv_abs_ps, table.has_predecessor, ipdv.number, (99,))[99],
        "ipdv_abs_max_ps": ipdv.high,
        "pdv_p50_ps": pdv_quantiles[50],
        "pdv_p99_ps": pdv_quantiles[99],
        "pdv_max_ps": pdv.high,
    }


def _reordering_columns(reordered: ReorderedArrivals, group_of_packet: Int, groups: int, delivered: Int) -> Columns:
    group = group_of_packet[reordered.packet]
    values, all_present = (reordered.extent, reordered.late_ps, reordered.n, reordered.free_run), np.ones(len(group), np.bool_)
    extent, late, n, run = (summarise(group, value, all_present, groups) for value in values)
    in_order = np.zeros(groups, np.int64)
    np.add.at(in_order, group[group >= 0], reordered.free_run[group >= 0])
    return {
        "reordered": n.number,
        "reordered_ratio": ratio(n.number, delivered),
        "reordering_extent_max_packets": extent.high,
        "late_time_max_ps": late.high,
        "reordered_3": count_elements(group[reordered.n >= 3], groups),
        "reordering_n_max_packets": n.high,
        "free_runs": n.number,
        "free_run_mean_packets": ratio(in_order, n.number),
        "free_run_max_packets": run.high,
    }
