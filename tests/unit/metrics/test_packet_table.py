"""The packet table: its rows, its groups, and the records that it refuses."""

import numpy as np
import pytest

from handoff.metrics import group_metrics
from handoff.metrics.packet_table import build_packet_table

from .naive_metrics import IN_FLIGHT, Packet
from .packet_records import build_records, packet, pick, single_flow_metrics


def test_rows_are_packets_by_flow_and_number():
    """Two flows: a packet with a duplicate and a lost one; a delivered one and one in flight."""
    flows = [[packet(0, 7, 0, duplicates=1), packet(1, None, 10, fate=5)], [packet(0, 9, 0), packet(1, None, 5, fate=IN_FLIGHT)]]
    table = build_packet_table(build_records(flows)[0])
    assert table.flow.tolist() == [0, 0, 1, 1]
    assert table.seq.tolist() == [0, 1, 0, 1]
    assert table.first_record.tolist() == [0, 2, 3, 4]
    assert table.packet_of_record.tolist() == [0, 0, 1, 2, 3]
    assert table.delivered.tolist() == [True, False, True, False]
    assert table.lost.tolist() == [False, True, False, False]
    assert table.unfinished.tolist() == [False, False, False, True]
    assert table.copies.tolist() == [1, 0, 0, 0]
    assert table.delay_ps.tolist() == [7, -1, 9, -1]


def test_the_variation_of_a_delay_is_that_against_the_smallest_of_the_flow():
    flows = [[packet(0, 7, 0), packet(1, 4, 10)], [packet(0, 9, 0)]]
    assert build_packet_table(build_records(flows)[0]).pdv_ps.tolist() == [3, 0, 0]


def test_one_table_serves_several_groupings():
    """Packets 0 1 2 of one flow, 1 with a duplicate; grouped as a whole, by halves, and not at all."""
    records, _ = build_records([[packet(0, 1, 0), packet(1, 1, 10, duplicates=1), packet(2, 1, 20)]])
    table = build_packet_table(records)
    assert table.packet_groups(np.zeros(4, np.int64), 1).tolist() == [0, 0, 0]
    assert table.packet_groups(np.array([0, 1, 1, 1]), 2).tolist() == [0, 1, 1]
    assert table.packet_groups(np.full(4, -1), 2).tolist() == [-1, -1, -1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seq": [1, 0]}, "not sorted"),
        ({"flow": [1, 0]}, "not sorted"),
        ({"seq": [0, 0], "copy": [1, 0]}, "not sorted"),
        ({"seq": [0, 0]}, "not sorted"),
        ({"seq": [0, 0], "copy": [0, 1]}, "several first deliveries"),
        ({"fate": [0, 1]}, "duplicates without"),
    ],
)
def test_contradictions_are_refused(change, message):
    table, group = build_records([[packet(0, 1, 0), packet(1, 1, 1)]])
    for name, value in change.items():
        table[name] = np.array(value)
    with pytest.raises(ValueError, match=message):
        group_metrics(table, group, 1)


@pytest.mark.parametrize(("group", "message"), [([0], "one"), ([0, 0, 2], "each below 2"), ([0, 1, 1], "different groups")])
def test_wrong_groups_are_refused(group, message):
    table, _ = build_records([[packet(0, 1, 0, duplicates=1), packet(1, 1, 1)]])
    with pytest.raises(ValueError, match=message):
        group_metrics(table, np.array(group), 2)


def test_a_copy_that_arrives_saves_the_packet():
    flow = [Packet(0, 0, [5, 0], [3, 9], [-1, 9]), Packet(1, 0, [0, IN_FLIGHT], [12, -1], [2, -1])]
    assert pick(single_flow_metrics(flow), "delivered", "lost", "unfinished") == (2, 0, 0)
