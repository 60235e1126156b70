"""Flows: times, clipping, and each condition of a filter."""

from ipaddress import ip_address

import numpy as np
import pytest

from handoff.scenario.traffic import Filter
from handoff.workload import flow as flow_module
from handoff.workload.flow import Endpoint, Flow, PacketSegment


def segment(times, sizes, clock_ns=0):
    return PacketSegment(np.array(times, np.int64) + clock_ns, np.array(sizes, np.uint32), clock_ns, None)


PHONE, WEB = Endpoint(ip_address("10.0.2.2"), 4000), Endpoint(ip_address("10.0.1.2"), 80)
FLOW = Flow(6, PHONE, WEB, True, [segment([17, 31], [1500, 1400]), segment([90], [100], 1000)], [segment([10], [60])])


def test_times_and_counts_are_those_of_all_segments():
    assert (FLOW.first_ns, FLOW.last_ns, FLOW.packets, len(FLOW.segments)) == (10, 90, 4, 3)


@pytest.mark.parametrize(
    ("protocol", "correspondent", "name"),
    [
        (6, WEB, "tcp 10.0.1.2:80 10.0.2.2:4000"),
        (17, Endpoint(ip_address("2001:db8::1"), 53), "udp [2001:db8::1]:53 10.0.2.2:4000"),
        (50, Endpoint(ip_address("2001:db8::1"), 0), "50 [2001:db8::1] 10.0.2.2:4000"),
    ],
)
def test_names_of_flows(protocol, correspondent, name):
    assert Flow(protocol, PHONE, correspondent, True).name == name


@pytest.mark.parametrize(("from_mobile", "source", "destination"), [(True, PHONE, WEB), (False, WEB, PHONE)])
def test_the_source_sent_the_first_packet(from_mobile, source, destination):
    flow = Flow(6, PHONE, WEB, from_mobile)
    assert (flow.source, flow.destination) == (source, destination)


@pytest.mark.parametrize(
    ("begin", "end", "down", "up"),
    [(0, None, [17, 31, 90], [10]), (17, 90, [17, 31], []), (31, 32, [31], []), (91, None, [], []), (0, 10, [], [])],
)
def test_a_clip_includes_its_begin_and_excludes_its_end(begin, end, down, up):
    clipped = FLOW.clip(begin, end)
    times = [[t - s.clock_ns for s in segments for t in s.times.tolist()] for segments in (clipped.down, clipped.up)]
    assert times == [down, up]
    assert all(len(s) for s in clipped.segments)


def test_a_clip_beyond_the_range_of_the_clock_is_empty():
    assert len(segment([1, 2], [1, 1], 10).clip(2**63 - 5, None)) == 0


@pytest.mark.parametrize("block_rows", [1, 2, 100])
def test_bytes_are_counted_over_all_segments(block_rows, monkeypatch):
    monkeypatch.setattr(flow_module, "BLOCK_ROWS", block_rows)
    assert FLOW.has_bytes(0)
    assert FLOW.has_bytes(1500 + 1400 + 100 + 60)
    assert not FLOW.has_bytes(1500 + 1400 + 100 + 60 + 1)


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        ({"protocol": "tcp"}, True), ({"protocol": ["udp", 1]}, False),
        ({"source": "10.0.2.0/24"}, True), ({"source": "10.0.1.2"}, False),
        ({"destination": "10.0.1.2"}, True), ({"destination": "10.0.2.2"}, False),
        ({"address": "10.0.1.2"}, True), ({"address": "10.0.3.0/24"}, False),
        ({"source_port": 4000}, True), ({"source_port": 80}, False),
        ({"destination_port": "79-81"}, True), ({"destination_port": 4000}, False),
        ({"port": [1, 4000]}, True), ({"port": "81-3999"}, False),
        ({"begins": ["10ns", "11ns"]}, True), ({"begins": ["11ns"]}, False),
        ({"min_packets": 4}, True), ({"min_packets": 5}, False),
        ({"min_duration": "80ns"}, True), ({"min_duration": "81ns"}, False),
        ({"min_bytes": "3060B"}, True), ({"min_bytes": "3061B"}, False),
        ({"protocol": "tcp", "port": 9}, False),
    ],
)  # fmt: skip
def test_each_condition_of_a_filter(condition, matches):
    for direction in ("down", "up"):
        assert FLOW.matches(Filter(**condition), direction) == matches


def test_select_and_exclude_apply_to_each_direction():
    down, web, other = Filter(direction="down"), Filter(port=80), Filter(port=81)
    sizes = [
        (len(flow.down), len(flow.up))
        for flow in (FLOW.filter([], []), FLOW.filter([down], []), FLOW.filter([], [down]), FLOW.filter([other, web], [down]))
    ]
    assert sizes == [(2, 1), (2, 0), (0, 1), (0, 1)]
    assert FLOW.filter([other], []).segments == FLOW.filter([web], [web]).segments == []
