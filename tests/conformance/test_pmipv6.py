"""pmipv6 as RFC 5213 has it (5.3, 6.9): the access router registers for the mobile node, whose address stays.

The old link ends at 500 ms, the new one is up at 700 and its router known at 800 (scene.py has the delays).
"""

import pytest

from tests.conformance.scene import Scene, Stay, delivered, dropped
from tests.conformance.spy import Hop, Spy

BREAK = Scene([Stay("old", down=500), Stay("new", up=700)])


def test_the_access_router_updates_the_local_mobility_anchor():
    spy = Spy(BREAK.setup(), "pmipv6")
    assert spy.hops() == [
        Hop("AS", "mn", "new", 800, 805),
        Hop("BU", "new", "ha", 805, 818),
        Hop("BA", "ha", "new", 818, 830),
        Hop("AA", "new", "mn", 830, 835),
    ]
    assert spy.run.handoffs["completed"].tolist() == [1]
    assert [spy.table("ha", t) for t in (817.999, 818)] == [["old"], ["new"]]


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (466, delivered("cn>ha", "ha>old", "old>*", delay=34)),
        (797.999, dropped("cn>ha", "ha>old", "old>*", fate="detached")),
        (798, delivered("cn>ha", "ha>new", "new>*", delay=37)),
    ],
)
def test_downstream(sent, path):
    assert BREAK.path("pmipv6", down=sent) == path


def test_the_tunnel_ends_at_the_access_router():
    """40 bytes on the way to it, none on the radio; and no address is checked in the profile rfc."""
    run = BREAK.run("pmipv6", down=[100])
    tunnelled = dict(zip(run.result.link_names, run.result.links["tunnel_bytes"].tolist(), strict=True))
    assert (tunnelled["ha>old"], tunnelled["old>*"]) == (40, 0)
    assert [h.sent for h in Spy(BREAK.setup(options={"profile": "rfc"}), "pmipv6").hops()] == [800, 805, 818, 830]


def test_a_lost_update_is_sent_again():
    spy = Spy(Scene(BREAK.stays, loss=["new>ha"]).setup(), "pmipv6")
    assert [a.time_ps / 10**9 for a in spy.sends("AS")] == [800, 1800]
