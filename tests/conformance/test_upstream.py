"""Upstream data in a handoff: packets in transition are lost or drained, and later ones wait (decisions 14 and 28).

An uplink of 200 kbit/s takes 8 ms for a packet. Packets that wait there when the link goes down are lost in every procedure.
"""

import pytest

from handoff.protocol.procedures import PROCEDURES
from tests.conformance.cases import BREAK, LATE, SINGLE, TIMELY, upstream_wait
from tests.conformance.two_router_scene import Scene, Stay

SYNCHRONIZED = [name for name, procedure in PROCEDURES.items() if procedure.family == "synchronized"]
AT_HOME = ["sync-mipv4", "sync-mipv4-ro", "sync-mipv6", "sync-mipv6-ro"]
"""Procedures whose reply comes from the home agent, at 540; that of a gateway arrives at 526."""
SLOW = {"up_rate": "200kbit/s"}


def upstream(scene, procedure, times, **options):
    """Return the fates of packets, and the numbers of packets on the old and the new link."""
    result = scene.run(procedure, up=times, **options).result
    data = dict(zip(result.link_names, (result.links["packets"] - result.links["control_packets"]).tolist(), strict=True))
    return result.fate_counts(), data["old<*"], data["new<*"]


@pytest.mark.parametrize("procedure", [n for n, procedure in PROCEDURES.items() if procedure.family == "conventional"])
def test_conventional_procedures_lose_upstream_packets_in_transition(procedure):
    """X in figure 3B: two of four packets from 480 on are sent by 500, when the link goes down; later ones wait until 835."""
    fates, _, new = upstream(Scene(BREAK.stays, old_cell=SLOW), procedure, [480, 481, 482, 483, 600, 834, 835])
    assert (fates, new) == ({"delivered": 5, "detached": 2}, 3)


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
def test_upstream_packets_in_transition_drain_over_the_old_link(procedure):
    """I-4: the correspondent may still receive through the old router. The last of six packets from 515 is sent by 515 + 50.

    The reply arrives before 550: packets sent then take the new link, and arrive before the last of the six.
    """
    times = [515, 516, 517, 518, 519, 520, 550, 551]
    assert upstream(Scene(TIMELY.stays, old_cell=SLOW), procedure, times) == ({"delivered": 8}, 6, 2)


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
def test_upstream_packets_still_queued_at_link_down_are_lost(procedure):
    """Scenario II: the update leaves at 520, the packets behind it; two of three are sent by 545."""
    fates, _, new = upstream(Scene(LATE.stays, old_cell=SLOW), procedure, [521, 522, 523])
    assert (fates, new) == ({"delivered": 2, "detached": 1}, 0)


@pytest.mark.parametrize("procedure", AT_HOME)
@pytest.mark.parametrize(("sent", "path"), upstream_wait(530, 540))
def test_upstream_packets_wait_for_the_reply_on_the_new_link(procedure, sent, path):
    """Dual access; the old link goes down at 530, before the reply arrives."""
    scene = Scene([Stay("old", down=530, predict=500, warn=520), Stay("new", up=505)])
    assert scene.path(procedure, up=sent) == path


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
def test_buffered_upstream_packets_keep_their_order(procedure):
    run = SINGLE.run(procedure, up=[510, 511, 512, 560])
    assert run.result.fate_counts() == {"delivered": 4}
    assert run.result.flows["reordered"].tolist() == [0]
