"""Loss periods and loss distances (RFC 3357)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.columns import Int
from handoff.metrics.grouped import Bool, Grouping
from handoff.metrics.packet_table import PacketTable


@dataclass(frozen=True)
class LossPeriods:
    """Runs of lost packets with consecutive sequence numbers, each within one group.

    Attributes
    ----------
    group, packets : ndarray of int64
        Group of each run, and its length.
    """

    group: Int
    packets: Int


def loss_periods(table: PacketTable, group: Int, lost: Bool) -> LossPeriods:
    """Find the loss periods.

    Parameters
    ----------
    table : PacketTable
        Table of the packets.
    group : ndarray of int64
        Group of each packet; packets with a group below 0 are left out.
    lost : ndarray of bool
        True for each packet that counts as lost.
    """
    row = _sort_by_group(group, lost)
    start = np.flatnonzero(~_follows(table, group, row, distance=1))
    return LossPeriods(group[row[start]], np.diff(start, append=len(row)))


def loss_distance_min(table: PacketTable, group: Int, groups: int) -> Int:
    """Return, for each group, the smallest difference of the numbers of two successive lost packets; -1 if there is none."""
    row = _sort_by_group(group, table.lost)
    pair = np.flatnonzero(_follows(table, group, row, distance=None))
    smallest = np.full(groups, np.iinfo(np.int64).max)
    np.minimum.at(smallest, group[row[pair]], table.seq[row[pair]] - table.seq[row[pair - 1]])
    smallest[smallest == np.iinfo(np.int64).max] = -1
    return smallest


def loss_columns(table: PacketTable, group: Int, groups: int) -> dict[str, Int]:
    """Return the columns ``loss_*`` of :func:`handoff.metrics.group_metrics`, except the ratio."""
    periods = loss_periods(table, group, table.lost)
    grouping = Grouping(periods.group, groups)
    return {
        "loss_periods": grouping.number,
        "loss_period_max_packets": np.maximum(grouping.maximum(periods.packets), 0),
        "loss_distance_min_packets": loss_distance_min(table, group, groups),
    }


def _sort_by_group(group: Int, lost: Bool) -> Int:
    row = np.flatnonzero(lost & (group >= 0))
    return row[np.argsort(group[row], kind="stable")]


def _follows(table: PacketTable, group: Int, row: Int, distance: int | None) -> Bool:
    """Mark each row that continues the one before it: same group, same flow, and ``distance`` further (None: any)."""
    follows = np.zeros(len(row), np.bool_)
    this, previous = row[1:], row[:-1]
    follows[1:] = (group[this] == group[previous]) & (table.flow[this] == table.flow[previous])
    if distance is not None:
        follows[1:] &= table.seq[this] - table.seq[previous] == distance
    return follows
