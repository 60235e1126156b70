"""sync-hmipv6-ro, the extension of decision 19: correspondents send to the gateway, and mark their own paths between regions.

Delays as in ``two_router_scene``; the second correspondent is ``peer``, which reaches the old router in 22 ms.
"""

import pytest

from handoff.protocol.procedures import PROCEDURES
from tests.conformance.cases import BETWEEN, LATE_BETWEEN, TIMELY
from tests.conformance.cases_between import SINGLE_BETWEEN
from tests.conformance.cases_hmipv6 import TO_MAP_NEW, TO_MAP_OLD
from tests.conformance.run_assertions import RunView


def test_within_a_region_the_gateway_sends_the_marker_as_in_the_seed():
    assert PROCEDURES["sync-hmipv6-ro"].signalling == PROCEDURES["sync-hmipv6"].signalling
    assert RunView(TIMELY.setup(), "sync-hmipv6-ro").hops() == RunView(TIMELY.setup(), "sync-hmipv6").hops()


def test_packets_take_the_direct_path_to_the_gateway():
    """The gateway binds to the new router at 516, and a packet takes 24 ms to it."""
    assert [TIMELY.path("sync-hmipv6-ro", down=t) for t in (491.999, 492)] == [TO_MAP_OLD, TO_MAP_NEW]


def test_between_regions_each_correspondent_sends_a_marker():
    """The deregistrations reach cn at 530 and peer at 527 (1 ms of service); each marker takes the way through the old gateway,
    which peer reaches in 25 ms by the old router, and cn in 24 ms.

    Correspondents delete their binding at once (decision 3) and bind again at 539 (cn: 510 + 28 + 1 of the second message).
    """
    view = RunView(BETWEEN.setup(down=[100], peer=[100]), "sync-hmipv6-ro")
    markers = [(h.source, h.to, h.sent, h.received) for h in view.hops() if h.message == "DBA"]
    assert markers == [
        ("peer", "gw", 527, 552), ("cn", "gw", 530, 554), ("gw", "old", 552, 555), ("gw", "old", 554, 557),
        ("old", "mn", 555, 559), ("old", "mn", 557, 561),
    ]  # fmt: skip
    assert view.run.handoffs["markers"].tolist() == [2]
    assert view.run.handoffs["marker_ps"].tolist() == [561 * 10**9]
    assert view.run.handoffs["scenario"].tolist() == [1]


def test_the_old_gateway_keeps_its_binding_until_the_last_marker():
    view = RunView(BETWEEN.setup(down=[100], peer=[100]), "sync-hmipv6-ro")
    assert [view.table("gw", t) for t in (552, 553.999, 554)] == [["old"], ["old"], None]


@pytest.mark.parametrize("scene", [BETWEEN, LATE_BETWEEN, SINGLE_BETWEEN])
def test_no_packet_is_lost_between_regions(scene):
    times = [400 + 3 * i for i in range(100)]
    run = scene.run("sync-hmipv6-ro", down=times, new_buffer_packets=None)
    assert run.result.fate_counts() == {"delivered": 100}
