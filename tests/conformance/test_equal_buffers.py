"""Buffers of every node, the same for all procedures (decision 28): only packets in transition are lost (seed, figures 3 to 6).

The old link goes down at 500 without a warning, and the new router is discovered at 800. A packet that reaches the old router
after 496 could not arrive. One sent at t is there at t + 30 through the home agent, and at t + 25 straight from the
correspondent.
"""

import pytest

from handoff.protocol.options import Options
from handoff.protocol.procedures import PROCEDURES
from tests.conformance.cases import BREAK
from tests.conformance.two_router_scene import Scene, Stay

NOBODY_ASKS = ["mipv4", "pmipv6", *(name for name, p in PROCEDURES.items() if p.family == "bicasting")]
"""Procedures without an update to the old router after the move."""


def fate_of_kept(procedure):
    return "in flight" if procedure in NOBODY_ASKS else "delivered"


def count_fates(*fates):
    return {fate: fates.count(fate) for fate in sorted(set(fates))}


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_only_packets_on_the_radio_are_lost(procedure):
    """Four packets reach the old router at 487, 488, 489 and 497.

    Each takes 6.4 ms on the radio, or up to 8.96 ms with 80 bytes of headers. The first is sent by 496 and heard. The second is
    on the radio from 496 at the latest until 499.8 or later, in transition when the link goes down: X in the figures. The third
    waits in the queue until then, and the fourth comes too late: both are kept.
    """
    straight = PROCEDURES[procedure].route_optimization and not PROCEDURES[procedure].hierarchical
    to_gateway = procedure in ("hmipv6-ro-bicast", "sync-hmipv6-ro")
    way = 25 if straight else 27 if to_gateway else 30.5 if PROCEDURES[procedure].hierarchical else 30
    scene = Scene(BREAK.stays, old_cell={"rate": "250kbit/s", "up_rate": None})
    run = scene.run(procedure, down=[487 - way, 488 - way, 489 - way, 497 - way])
    kept = fate_of_kept(procedure)
    assert dict(sorted(run.result.fate_counts().items())) == count_fates("delivered", "detached", kept, kept)
    links = dict(zip(run.result.link_names, run.result.links["rescued"].tolist(), strict=True))
    assert links["old>*"] == 1, "the third one"


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_the_old_router_keeps_fifty_packets_under_every_procedure(procedure):
    """Sixty packets reach the old router from 624 on, long after the link went down and before any update or binding."""
    fates = BREAK.run(procedure, down=range(600, 660)).result.fate_counts()
    assert fates == {fate_of_kept(procedure): 50, "queue full": 10}
    for room, other_fates in ((None, {fate_of_kept(procedure): 60}), (0, {"detached": 60})):
        run = BREAK.run(procedure, down=range(600, 660), old_buffer_packets=room)
        assert run.result.fate_counts() == other_fates


def test_old_and_new_router_and_mobile_node_have_the_same_room():
    options = Options()
    assert options.old_buffer_packets == options.new_buffer_packets == options.upstream_packets == 50
    assert options.old_buffer_bytes is options.new_buffer_bytes is None
    assert options.upstream_hold


@pytest.mark.parametrize("procedure", ["sync-mipv4", "sync-hmipv4", "sync-mipv6", "sync-hmipv6"])
def test_the_new_router_keeps_fifty_packets_too(procedure):
    """Single access: acknowledgement, reply and (IPv6) marker take two or three of the places until the link is up at 700.

    The sixty packets reach the new router from 552 on, after all messages (537 at the latest).
    """
    scene = Scene([Stay("old", down=510, predict=490, warn=500), Stay("new", up=700)])
    messages = 2 + (PROCEDURES[procedure].ip == 6)
    fates = scene.run(procedure, down=range(520, 580)).result.fate_counts()
    assert fates == {"delivered": 60 - 10 - messages, "queue full": 10 + messages}


@pytest.mark.parametrize(("procedure", "seconds"), [("mipv4", 10), ("pmipv6", 12)])
def test_what_nobody_asks_for_is_dropped_in_the_end(procedure, seconds):
    """The buffer begins just after 496 and lasts as long as a forwarding entry would."""
    for until, fate in ((496 + seconds * 1000, "in flight"), (496.001 + seconds * 1000, "buffer timeout")):
        assert Scene(BREAK.stays, until=until).run(procedure, down=[600]).result.fate_counts() == {fate: 1}


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_packets_wait_for_a_return(procedure):
    """The mobile node comes back at 700: nothing that was kept is lost, whatever the procedure."""
    scene = Scene([Stay("old", down=500), Stay("old", up=700)])
    assert scene.run(procedure, down=range(600, 640)).result.fate_counts() == {"delivered": 40}
