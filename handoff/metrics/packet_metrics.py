"""All metrics of flows, or of any other groups of packets, in one pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from handoff.metrics.grouped import count, extremes, maximum, mean, quantiles, ratio
from handoff.metrics.loss import loss_columns
from handoff.metrics.packet_table import Arrivals, Packets, build_packet_table, jitter
from handoff.metrics.reordering import find_reordered

Columns = dict[str, npt.NDArray[Any]]


def flow_metrics(columns: Mapping[str, Int], flows: int) -> Columns:
    """Metrics of each flow: :func:`group_metrics` with the flow as group."""
    return group_metrics(columns, columns["flow"], flows)


def group_metrics(columns: Mapping[str, Int], group: Int, groups: int) -> Columns:
    """Metrics of each group of packets by their standard names.

    What a metric says of a single packet is the flow's, whichever group the packet is in: whether it is reordered, the
    jitter at its arrival, its delay variation against the packet before or against the flow's smallest delay, the gap
    that it ends. The group only decides which packets are counted. A loss period or distance is within one group.

    Parameters
    ----------
    columns : mapping of str to ndarray of int64
        Records of packet copies, sorted by (flow, seq, copy): ``flow``, ``seq`` (0, 1, 2 ... in sending order), ``copy``,
        ``fate`` (:class:`engine.results.Fate`), ``time_ps`` and ``delay_ps`` (of delivered copies; else not read). A
        packet is *lost* if all its copies were dropped and *unfinished* if none was delivered and one is in flight.
    group : ndarray of int64
        Group of each record, the same for all copies of a packet; below 0: in none. A mask is ``where(mask, flow, -1)``.
    groups : int
        Number of groups.

    Returns
    -------
    dict of str to ndarray
        One element a group. Integers, -1 where there is nothing to measure (counts: 0); ratios and jitter are floats,
        NaN where there is nothing. A *too short* sample (see :func:`handoff.metrics.grouped.quantiles`) has -1. Means are
        rounded down. Delays and their variation are those of delivered packets, not taken as infinite for lost ones.

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
            delay variation; RFC 5481, 4.1), and how many such pairs there are.
        ``pdv_p50_ps``, ``pdv_p99_ps``, ``pdv_max_ps``
            Delay minus the smallest of the flow (RFC 5481, 4.2).
        ``reordered``, ``reordered_ratio``
            Packets that arrived with a number below the next expected one, and their share of the delivered (RFC 4737, 3.3
            and 4.1). Duplicates do not count as arrivals. Packets of one instant count as arrived in sending order, because
            the records do not tell; the engine's own count knows better, so it may be larger.
        ``reordering_extent_max_packets``
            Most arrivals between a reordered packet, itself counted, and the earliest one of a larger number (4.2).
        ``late_time_max_ps``
            Longest time between those two (4.3).
        ``reordered_3``, ``reordering_n_max_packets``
            3-reordered packets (they make TCP retransmit), and the largest n for which some packet is n-reordered: the n
            arrivals just before it all have larger numbers (5.3).
        ``free_runs``, ``free_run_mean_packets``, ``free_run_max_packets``
            Reordering-free runs: arrivals in order before a reordered one, since the one before it, often 0 (4.6). Each
            reordered packet ends one; the arrivals after the last are no run, because nothing ended it. The mean is a float.
        ``jitter_last_ps``, ``jitter_max_ps``
            Interarrival jitter (RFC 3550, 6.4.1) after the last arrival, and the largest; sending times serve as RTP
            timestamps.
        ``gap_max_ps``, ``gap_begin_ps``, ``gap_end_ps``
            Longest time between two successive deliveries of the flow, and when it began and ended (the first one, if several
            are equal; it belongs to the group of the packet that ended it).

    Raises
    ------
    ValueError
        The records are not sorted or contradict each other, or a group is out of range.
    """
    table = build_packet_table(columns, group, groups)
    used = table.group >= 0

    def number(where: npt.NDArray[np.bool_]) -> Int:
        return count(table.group[where & used], groups)

    result: Columns = {name: number(getattr(table, name)) for name in ("delivered", "lost", "unfinished")}
    result = {"sent": count(table.group[used], groups), **result, "duplicate": number(table.copies > 0)}
    copies = np.zeros(groups, np.int64)
    np.add.at(copies, table.group[used], table.copies[used])
    result["duplicate_copies"] = copies
    result["loss_ratio"] = ratio(result["lost"], result["lost"] + result["delivered"])
    result |= loss_columns(table, groups)
    result |= _delay(table, groups)
    result |= _variation(table, groups)
    result |= _order(table.arrivals, result["delivered"], groups)
    result |= _jitter(table.arrivals, groups)
    result |= _gap(table.arrivals, groups)
    return result


def _delay(table: Packets, groups: int) -> Columns:
    seen = table.delivered & (table.group >= 0)
    value, group = table.delay_ps[seen], table.group[seen]
    low, high = extremes(value, group, groups)
    quantile = {f"delay_p{p}_ps": q for p, q in quantiles(value, group, groups, (50, 95, 99)).items()}
    return {"delay_min_ps": low, "delay_mean_ps": mean(value, group, groups), **quantile, "delay_max_ps": high}


def _variation(table: Packets, groups: int) -> Columns:
    pair = np.zeros(len(table.flow), np.bool_)
    pair[1:] = (table.flow[1:] == table.flow[:-1]) & (table.seq[1:] == table.seq[:-1] + 1)
    pair[1:] &= table.delivered[1:] & table.delivered[:-1] & (table.group[1:] >= 0)
    second = np.flatnonzero(pair)
    value, group = np.abs(table.delay_ps[second] - table.delay_ps[second - 1]), table.group[second]
    seen = table.delivered & (table.group >= 0)
    pdv, pdv_group = table.pdv_ps[seen], table.group[seen]
    quantile = quantiles(pdv, pdv_group, groups, (50, 99))
    return {
        "ipdv_pairs": count(group, groups),
        "ipdv_abs_mean_ps": mean(value, group, groups),
        "ipdv_abs_p99_ps": quantiles(value, group, groups, (99,))[99],
        "ipdv_abs_max_ps": maximum(value, group, groups),
        "pdv_p50_ps": quantile[50],
        "pdv_p99_ps": quantile[99],
        "pdv_max_ps": maximum(pdv, pdv_group, groups),
    }


def _order(arrivals: Arrivals, delivered: Int, groups: int) -> Columns:
    late = find_reordered(arrivals)
    used = late.group >= 0
    group = late.group[used]
    number = count(group, groups)
    in_order = np.zeros(groups, np.int64)
    np.add.at(in_order, group, late.run[used])
    return {
        "reordered": number,
        "reordered_ratio": ratio(number, delivered),
        "reordering_extent_max_packets": maximum(late.extent[used], group, groups),
        "late_time_max_ps": maximum(late.late_ps[used], group, groups),
        "reordered_3": count(late.group[used & (late.n >= 3)], groups),
        "reordering_n_max_packets": maximum(late.n[used], group, groups),
        "free_runs": number,
        "free_run_mean_packets": ratio(in_order, number),
        "free_run_max_packets": maximum(late.run[used], group, groups),
    }


def _jitter(arrivals: Arrivals, groups: int) -> Columns:
    value = jitter(arrivals)
    used = np.flatnonzero(arrivals.group >= 0)
    group = arrivals.group[used]
    none = count(group, groups) == 0
    last, high = np.full(groups, np.nan), np.zeros(groups)
    last[group] = value[used]  # of several elements of one group the last stays
    np.maximum.at(high, group, value[used])
    high[none] = np.nan
    return {"jitter_last_ps": last, "jitter_max_ps": high}


def _gap(arrivals: Arrivals, groups: int) -> Columns:
    end = np.flatnonzero(~arrivals.first & (arrivals.group >= 0))
    group, gap = arrivals.group[end], arrivals.time_ps[end] - arrivals.time_ps[end - 1]
    longest = maximum(gap, group, groups)
    which = np.full(groups, -1, np.int64)
    best = end[gap == longest[group]][::-1]
    which[arrivals.group[best]] = best  # reversed, so the first stays
    begin, finish = np.full(groups, -1, np.int64), np.full(groups, -1, np.int64)
    begin[which >= 0] = arrivals.time_ps[which[which >= 0] - 1]
    finish[which >= 0] = arrivals.time_ps[which[which >= 0]]
    return {"gap_max_ps": longest, "gap_begin_ps": begin, "gap_end_ps": finish}
