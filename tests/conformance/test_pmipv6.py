"""pmipv6 (RFC 5213) in addition to its case (``cases_ipv6``): end of the tunnel, and retransmission."""

from tests.conformance.cases import BREAK
from tests.conformance.run_assertions import RunView
from tests.conformance.two_router_scene import Scene


def test_the_tunnel_ends_at_the_access_router():
    """Tunnel headers of 40 bytes on the way to the router and none on the radio; no address is checked in the profile rfc."""
    run = BREAK.run("pmipv6", down=[100])
    tunnelled = dict(zip(run.result.link_names, run.result.links["tunnel_bytes"].tolist(), strict=True))
    assert (tunnelled["ha>old"], tunnelled["old>*"]) == (40, 0)
    assert [h.sent for h in RunView(BREAK.setup(options={"profile": "rfc"}), "pmipv6").hops()] == [800, 805, 818, 830]


def test_a_lost_proxy_update_is_retransmitted():
    view = RunView(Scene(BREAK.stays, loss=["new>ha"]).setup(), "pmipv6")
    assert [a.time_ps / 10**9 for a in view.sends("AS")] == [800, 1800]
