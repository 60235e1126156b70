"""The baseline: bytes of the same traffic under handoffs that cost nothing, by hand."""

from types import SimpleNamespace

import numpy as np

from handoff.protocol.procedures import PROCEDURES
from handoff.simulation.baseline import ByteCounts, baseline_key
from handoff.simulation.run import run_procedure
from tests.analytic.one_handoff import one_handoff_setup
from tests.conformance.two_router_scene import Scene, Stay


def test_cells_are_radio_and_links_are_the_fixed_network():
    result = SimpleNamespace(link_names=["a>b", "b>*", "b<*", "b>a"], links={"bytes": np.array([1, 20, 300, 4000])})
    assert ByteCounts.of(result) == ByteCounts(air=320, core=4001)


def test_counts_are_subtracted_by_part():
    assert ByteCounts(5, 7) - ByteCounts(2, 10) == ByteCounts(3, -3)


def test_procedures_with_the_same_anchors_and_tunnels_share_a_baseline():
    key = {name: baseline_key(SimpleNamespace(procedure=procedure)) for name, procedure in PROCEDURES.items()}
    assert key["mipv4"] == key["sync-mipv4"]
    assert key["mipv4"] != key["mipv6"] != key["mipv6-ro"]
    assert key["sync-mipv4"] != key["sync-hmipv4"]


def test_the_baseline_of_one_handoff_by_hand():
    """Packets of 200 B every 10 ms from 0.3 ms on in 100 ms; the new link is up at 50 ms, the old one down at 60 ms.

    10 packets on cn>ha. Of those, 8 reach the home agent, which is 20 ms away, in time and get 20 B of tunnel header: 3 go to the
    old router (10 ms), 5 to the new one (12 ms), where the last arrives too late. Tunnels end at the router.
    """
    setup = one_handoff_setup("mipv4", interval_ms=10, old_down=60, new_up=50, until_ms=100)
    run = run_procedure(setup, "mipv4")
    assert ByteCounts.of(run.result) - run.extra == ByteCounts(air=(3 + 4) * 200, core=10 * 200 + 8 * 220)


def test_the_baseline_of_a_return_home_by_hand():
    """Packets of 200 B every 10 ms from 0 on in 100 ms; the home link is up at 50 ms.

    Of the 10 packets on cn>ha, which takes 20 ms, 8 reach the home agent before 100 ms: those of 0, 10 and 20 ms get 20 B of
    tunnel header and go to the old router, 10 ms away; the others, from 50 ms on, go to the mobile node without a tunnel.
    """
    stays = Scene([Stay("old", down=60), Stay("ha", up=50)], until=100, home_link=True)
    run = run_procedure(stays.setup(range(0, 100, 10)), "mipv4")
    assert ByteCounts.of(run.result) - run.extra == ByteCounts(air=(3 + 5) * 200, core=10 * 200 + 3 * 220)
