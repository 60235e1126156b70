"""Loss periods and loss distances (RFC 3357)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.columns import Int
from handoff.metrics.grouped import Bool, count, maximum
from handoff.metrics.packet_table import Packets


@dataclass(frozen=True)
class LossPeriods:
    """Runs of lost packets with consecutive sequence numbers, each within one group.

    Attributes
    ----------
    group, packets : ndarray of int64
        The run's group, and its length.
    """

    group: Int
    packets: Int


def loss_periods(packets: Packets, lost: Bool) -> LossPeriods:
    """Loss periods of the packets marked in ``lost``; those of no group are left out."""
    row = _by_group(packets, lost)
    start = np.flatnonzero(~_follows(packets, row, 1))
    return LossPeriods(packets.group[row[start]], np.diff(start, append=len(row)))


def loss_distance_min(packets: Packets, groups: int) -> Int:
    """Smallest difference of the sequence numbers of two successive lost packets; -1 where there are no two."""
    row = _by_group(packets, packets.lost)
    pair = np.flatnonzero(_follows(packets, row, None))
    least = np.full(groups, np.iinfo(np.int64).max)
    np.minimum.at(least, packets.group[row[pair]], packets.seq[row[pair]] - packets.seq[row[pair - 1]])
    least[least == np.iinfo(np.int64).max] = -1
    return least


def loss_columns(packets: Packets, groups: int) -> dict[str, Int]:
    """The columns ``loss_*`` of :func:`handoff.metrics.group_metrics` except the ratio."""
    periods = loss_periods(packets, packets.lost)
    return {
        "loss_periods": count(periods.group, groups),
        "loss_period_max_packets": np.maximum(maximum(periods.packets, periods.group, groups), 0),
        "loss_distance_min_packets": loss_distance_min(packets, groups),
    }


def _by_group(packets: Packets, lost: Bool) -> Int:
    row = np.flatnonzero(lost & (packets.group >= 0))
    return row[np.argsort(packets.group[row], kind="stable")]


def _follows(packets: Packets, row: Int, distance: int | None) -> Bool:
    """Whether a row comes after the one before it, of the same group and flow, at that distance (None: any)."""
    follows = np.zeros(len(row), np.bool_)
    this, last = row[1:], row[:-1]
    follows[1:] = (packets.group[this] == packets.group[last]) & (packets.flow[this] == packets.flow[last])
    if distance is not None:
        follows[1:] &= packets.seq[this] - packets.seq[last] == distance
    return follows
