"""Co-located care-of addresses in IPv4 (RFC 5944 1.7, seed L164): no foreign agent, and tunnels end at the mobile node.

Delays as in ``two_router_scene``. The mobile node discovers the new link at 800 and then needs the address time.
"""

import pytest

from tests.conformance.cases import BREAK, BY_NEW, BY_OLD, FORWARDED, LATE, TIMELY
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import MS, SIZE, Scene

CO_LOCATED = {"care_of_address": "co-located", "address_time_ps": 40 * MS}


def hops(scene: Scene, procedure: str, **options: object) -> list[Hop]:
    return RunView(scene.setup(options={**CO_LOCATED, **options}), procedure).hops()


def test_the_registration_waits_for_the_address():
    assert hops(BREAK, "mipv4") == [
        Hop("RQ", "mn", "new", 840, 845), Hop("RQ", "new", "ha", 845, 858), Hop("RR", "ha", "new", 858, 870),
        Hop("RR", "new", "mn", 870, 875),
    ]  # fmt: skip


@pytest.mark.parametrize(("address", "on_the_air"), [("agent", SIZE), ("co-located", SIZE + 20)])
def test_the_tunnel_ends_at_the_agent_or_at_the_mobile_node(address, on_the_air):
    run = BREAK.run("mipv4", down=[1500], care_of_address=address)
    size = dict(zip(run.result.link_names, (run.result.links["bytes"] - run.result.links["control_bytes"]).tolist(), strict=True))
    assert (size["ha>new"], size["new>*"]) == (SIZE + 20, on_the_air)


def test_a_router_without_an_agent_delivers_to_every_node_on_its_link():
    view = RunView(BREAK.setup(options=CO_LOCATED), "mipv4")
    assert [view.table("new", t) for t in (699.999, 700, 1900)] == [None, "local", "local"]
    foreign_agent = RunView(BREAK.setup(), "mipv4")
    assert [foreign_agent.table("new", t) for t in (700, 804.999, 805)] == [None, None, "local"]  # not before the request


def test_the_new_router_passes_a_predicted_request_on_when_the_address_exists():
    """The request is at the new router at 510 and leaves at 550, so that the home agent binds at 563."""
    view = RunView(TIMELY.setup(options=CO_LOCATED), "sync-mipv4")
    assert [h for h in view.hops() if h.message == "RQ"] == [
        Hop("RQ", "mn", "old", 500, 504), Hop("RQ", "old", "new", 504, 510), Hop("RQ", "new", "ha", 550, 563),
    ]  # fmt: skip
    assert [view.table("ha", t) for t in (562.999, 563)] == [["old"], ["new"]]


def test_a_marker_is_forwarded_to_the_mobile_nodes_own_address():
    """Scenario II: the update makes the old router forward at 524; the marker passes it at 533 and reaches the node at 544."""
    view = RunView(LATE.setup(options={"care_of_address": "co-located"}), "sync-mipv4")
    assert [h for h in view.hops() if h.message == "DRR"] == [
        Hop("DRR", "ha", "old", 523, 533), Hop("DRR", "old", "mn", 533, 544),  # 6 + 5 ms by the tunnel to the new router
    ]  # fmt: skip
    assert [LATE.path("sync-mipv4", down=t, care_of_address="co-located") for t in (493.999, 494, 503)] == [
        BY_OLD, FORWARDED, BY_NEW,
    ]  # fmt: skip
