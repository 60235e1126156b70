"""sync-mipv4 in addition to its cases (``cases_ipv4``): layer-2 relay, stored packets, buffered messages."""

from tests.conformance.cases import LATE, TIMELY
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import Scene, Stay


def test_layer_2_carries_the_request_past_the_old_router():
    view = RunView(TIMELY.setup(options={"relay": "l2"}), "sync-mipv4")
    links = dict(zip(view.run.result.link_names, view.run.result.links["control_packets"].tolist(), strict=True))
    assert (links["old<*"], links["old>new"], links["new<*"]) == (1, 1, 0)
    old = view.setup.network.node_index("old")
    assert [a.fields.lifetime_s for a in view.arrivals if a.node == old] == [0], "the old router gets the marker alone"


def test_packets_queued_at_the_old_router_are_forwarded():
    """Five packets reach the old router at 500; each takes 16 ms on the radio; three still wait when the update arrives."""
    scene = Scene(LATE.stays, old_cell={"rate": "100kbit/s", "up_rate": None})
    result = scene.run("sync-mipv4", down=[470] * 5).result
    links = {n: i for i, n in enumerate(result.link_names)}
    data = result.links["packets"] - result.links["control_packets"]
    assert result.links["rescued"][links["old>*"]] == 3
    assert data[links["old>new"]] == data[links["new>*"]] == 3
    assert result.fate_counts() == {"delivered": 5}


def test_acknowledgement_and_reply_are_buffered_in_order():
    """The mobile node attaches at 560: phase III-4 comes after both messages have reached the new router.

    Request and update leave at 510; the acknowledgement is there at 514 + 6 = 520, the reply at 533 + 12 = 545.
    """
    scene = Scene([Stay("old", down=518, predict=500, warn=510), Stay("new", up=560)])
    view = RunView(scene.setup(), "sync-mipv4")
    last = [h for h in view.hops() if h.to == "mn"]
    assert last == [Hop("BA", "new", "mn", 520, 565), Hop("RR", "new", "mn", 545, 565)]
    at_mobile = [(view.run.handoffs[c] // 10**9).tolist() for c in ("acknowledged_ps", "reply_ps")]
    assert at_mobile == [[565], [565]]
    assert view.table("new", 559.999) == "hold"
    assert view.table("new", 560) == "local"
    order = [a.fields.step for a in view.arrivals if a.node == -1]
    assert len(order) == 2
    assert order[0] > order[1], "the acknowledgement, a later row of the procedure, was here first"
