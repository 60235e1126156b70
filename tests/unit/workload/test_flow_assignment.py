"""Assignment of flows to mobile nodes: round robin, rendezvous hashing, and the scenario's table."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Network
from engine.rng import combine, name_key
from handoff.scenario.traffic import Traffic
from handoff.workload.flow_assignment import assign_by_hash, assign_by_table, assign_flows, assign_round_robin

from .replay_strategies import EXAMPLES

FLOWS = [f"udp 10.0.1.2:{port} 10.0.2.2:{port}" for port in range(1000, 3000)]


@functools.cache
def mobile_keys(names):
    net = Network()
    net.node("ha")
    for name in names:
        net.mobile(name, home="ha")
    return net.mobile_keys()


@pytest.mark.parametrize("count", [1, 2, 9])
def test_an_additional_mobile_node_takes_flows_and_moves_no_others(count):
    """One flow in count + 1 moves on average; the bound is five standard deviations of the binomial distribution."""
    names = tuple(f"mn{i}" for i in range(count))
    before = [names[mobiles[0]] for mobiles in assign_by_hash(FLOWS, mobile_keys(names))]
    after = [(*names, "new")[mobiles[0]] for mobiles in assign_by_hash(FLOWS, mobile_keys((*names, "new")))]
    moved = [b for a, b in zip(before, after, strict=True) if a != b]
    assert set(moved) == {"new"}
    p, n = 1 / (count + 1), len(FLOWS)
    assert abs(len(moved) - n * p) < 5 * (n * p * (1 - p)) ** 0.5
    assert {name: before.count(name) for name in names} == pytest.approx(dict.fromkeys(names, n / count), rel=0.35)


def test_the_hash_does_not_depend_on_the_order_of_mobile_nodes_and_flows():
    names = ("a", "b", "c", "d")
    one = {f: names[mobiles[0]] for f, mobiles in zip(FLOWS, assign_by_hash(FLOWS, mobile_keys(names)), strict=True)}
    reversed_names, reversed_flows = names[::-1], FLOWS[::-1]
    by_hash = assign_by_hash(reversed_flows, mobile_keys(reversed_names))
    other = {f: reversed_names[mobiles[0]] for f, mobiles in zip(reversed_flows, by_hash, strict=True)}
    assert one == other


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(1, 12), st.integers(0, 30), st.data())
def test_round_robin_spreads_flows_evenly(flows, mobiles, data):
    k = data.draw(st.one_of(st.integers(1, flows), st.none()))
    mobiles_of_flow = assign_round_robin(flows, mobiles, k)
    k = flows if k is None else k
    assert sorted(m for each in mobiles_of_flow for m in each) == sorted(list(range(mobiles)) * k)
    assert {len(each) for each in mobiles_of_flow} <= {mobiles * k // flows, -(-mobiles * k // flows)}
    assert all(len(set(each)) == len(each) for each in mobiles_of_flow)


def test_round_robin_by_hand():
    """Three flows, two for each mobile node: node i replays the flows 2 i and 2 i + 1 modulo 3."""
    assert assign_round_robin(3, 3, 2) == [[0, 1], [0, 2], [1, 2]]
    with pytest.raises(ValueError, match="flows_per_mobile is 4, but there are 3 flows"):
        assign_round_robin(3, 1, 4)


def test_the_hash_takes_the_greatest_combined_key():
    names = ("a", "b", "c")
    expected = [[max(range(3), key=lambda i: combine(name_key(flow), name_key(names[i])))] for flow in FLOWS[:50]]
    assert assign_by_hash(FLOWS[:50], np.array([name_key(name) for name in names], np.uint64)) == expected


def test_the_table_lists_flows_by_mobile_node():
    table = {"b": ["x", "y"], "a": ["y"]}
    assert assign_by_table(["x", "y", "z"], ["a", "b"], table) == [[1], [1, 0], []]


def test_unknown_names_in_the_table_are_reported_together():
    with pytest.raises(ValueError, match=r"no mobile node 'mn11'; did you mean 'mn1'.*no flow 'q'; there are 'x', 'y'"):
        assign_by_table(["x", "y"], ["mn0", "mn1"], {"mn11": ["q"]})


@pytest.mark.parametrize(
    ("keys", "expected"),
    [({}, [[0], [1], [2]]), ({"flows_per_mobile": "all"}, [[0, 1, 2]] * 3), ({"table": {"c": ["x"]}}, [[2], [], []])],
)
def test_the_kind_of_assignment_is_that_of_the_traffic_table(keys, expected):
    traffic = Traffic(capture=["c.pcap"], mobile_address="10.0.2.2", **keys)
    assert assign_flows(["x", "y", "z"], ["a", "b", "c"], mobile_keys(("a", "b", "c")), traffic) == expected
