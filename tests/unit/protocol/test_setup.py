"""Tests of handoff.protocol.setup."""

import numpy as np
import pytest

from engine import FOREVER, Network
from handoff.protocol.setup import Attachments, CorrespondentTable, Setup


def attachments(*rows):
    """Attachments of rows (mobile, router, up, down)."""
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    nothing = np.full(len(rows), -1)
    return Attachments(*columns, nothing, nothing)


def test_attachments_must_be_sorted_by_mobile_and_up():
    attachments((0, 1, 5, 6), (0, 1, 7, 8), (1, 1, 0, 1))
    for rows in ([(1, 1, 0, 1), (0, 1, 5, 6)], [(0, 1, 7, 8), (0, 1, 5, 6)]):
        with pytest.raises(ValueError, match="must be sorted"):
            attachments(*rows)


@pytest.mark.parametrize(
    ("mobile", "router", "at", "down"),
    [
        (0, 1, 0, 50),
        (0, 1, 89, 50),  # it is down already
        (0, 1, 90, 120),  # the mobile node is back
        (0, 2, 39, -1),  # not yet
        (0, 2, 40, FOREVER),
        (1, 1, 99, 60),
        (1, 2, 99, -1),
        (7, 1, 99, -1),
    ],
)
def test_the_end_of_the_latest_link_to_a_router(mobile, router, at, down):
    moves = attachments((0, 1, 0, 50), (0, 2, 40, FOREVER), (0, 1, 90, 120), (1, 1, 10, 60))
    assert moves.link_down_ps(mobile, router, at) == down


def test_presence_is_from_the_first_link_up_to_the_last_link_down_with_a_margin():
    moves = attachments((0, 1, 0, 50), (0, 2, 40, FOREVER), (1, 1, 10, 60), (1, 2, 70, 100))
    presence = moves.presence(mobiles=3, margin_ps=5)
    assert presence.begin_ps.tolist() == [0, 15, 0], "no margin at time 0"
    assert presence.end_ps.tolist() == [FOREVER, 95, 0], "mobile node 2 is never present"


def test_presence_never_ends_before_it_begins():
    presence = attachments((0, 1, 10, 20)).presence(mobiles=1, margin_ps=8)
    assert (presence.begin_ps.tolist(), presence.end_ps.tolist()) == ([18], [18])


@pytest.mark.parametrize(
    ("rows", "last", "first"),
    [
        ([], [], []),
        ([(0, 1, 0, 5), (0, 2, 4, 9), (2, 1, 0, 5)], [False, True, True], [0, 2]),
    ],
)
def test_first_and_last_attachments(rows, last, first):
    setup = Setup(Network(), 0, attachments(*rows), 10)
    assert setup.last_attachments().tolist() == last
    assert setup.first_attachments().tolist() == first


def test_correspondents_are_the_nodes_of_the_flows():
    network = Network()
    for name in ("ha", "cn", "peer"):
        network.node(name)
    first, second, _ = (network.mobile(name, home="ha") for name in ("a", "b", "c"))
    for node, mobile, up in (("peer", first, False), ("cn", first, True), ("cn", first, False), ("peer", second, True)):
        network.cbr(node, mobile, interval=10**9, size_bytes=100, up=up, label=f"{node}{mobile}{up}")
    table = CorrespondentTable(network)
    assert [table[m] for m in range(3)] == [[1, 2], [2], []]
    assert table.nodes == [1, 2]
    assert table.mobiles(1).tolist() == [0]
    assert table.mobiles(2).tolist() == [0, 1]


def test_a_mobile_correspondent_is_none_of_the_nodes():
    """Packets to it go through its home agent, which therefore does not become a correspondent."""
    network = Network()
    for name in ("ha", "cn"):
        network.node(name)
    first, second = (network.mobile(name, home="ha") for name in ("a", "b"))
    network.cbr(None, first, peers=second, interval=10**9, size_bytes=100)
    network.cbr("cn", second, interval=10**9, size_bytes=100)
    table = CorrespondentTable(network)
    assert (table[first], table[second], table.nodes) == ([], [1], [1])


def test_a_network_without_flows_has_no_correspondents():
    network = Network()
    network.node("ha")
    network.mobile("a", home="ha")
    table = CorrespondentTable(network)
    assert (table[0], table.nodes, table.mobiles(0).tolist()) == ([], [], [])
