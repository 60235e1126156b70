"""Agents as servers with queues, and restarts of agents.

A message takes 1 ms, and queues are limited. Two mobile nodes move alike, with a prediction at 500 ms, so that their messages
meet. Times follow from the delays of ``two_router_scene``.
"""

import pytest

from handoff.protocol.constants import Status
from tests.conformance.cases import BY_OLD, FORWARDED, STRAIGHT_OLD, TIMELY, UNBOUND
from tests.conformance.run_assertions import RunView
from tests.conformance.two_router_scene import Scene, Stay, dropped

MS = 10**9
DUAL = (Stay("old", down=3000, predict=500, warn=2990), Stay("new", up=520))
HERE = (Stay("old", down=900_000), Stay("new", up=910_000))

SERVERS = [
    # procedure, node, reply, its arrival at the mobile node, arrival after a retransmission, drops, refusal, its arrival
    ("sync-mipv4", "ha", "RR", 540, 1535, 1, Status.HA_INSUFFICIENT_RESOURCES, 539),  # at the home agent at 522 and 1517
    ("sync-hmipv4", "gw", "RR", 526, 1521, 1, Status.FA_INSUFFICIENT_RESOURCES, 525),  # at the gateway at 515 and 1510
    ("sync-mipv6", "ha", "BA", 540, 1535, 2, Status.BA_INSUFFICIENT_RESOURCES, 539),  # two: a deregistration, an update
    ("sync-hmipv6", "gw", "BA", 526, 1521, 2, Status.BA_INSUFFICIENT_RESOURCES, 525),
    ("sync-mipv6-ro", "cn", "BA2", 570, 1565, 2, Status.BA_INSUFFICIENT_RESOURCES, 569),  # at the correspondent at 537 and 1532
]


def watch(scene, procedure, **options):
    return RunView(scene.setup(down=[100], options=options), procedure)


def arrivals(view, message, status=None):
    """Return the arrival times (ms) of a message at mobile nodes, with status accepted or another one."""
    expected = Status.ACCEPTED if status is None else status
    here = [a for a in view.arrivals if a.node == -1 and view.message(a.fields) == message]
    return sorted(a.time_ps / MS for a in here if a.fields.status == expected)


@pytest.mark.parametrize(("procedure", "node", "reply", "at", "again", "lost", "status", "refused_at"), SERVERS)
@pytest.mark.parametrize("answers", [False, True])
def test_a_full_queue_drops_or_refuses_and_the_mobile_node_retransmits(
    procedure, node, reply, at, again, lost, status, refused_at, answers
):
    """With one place in the queue, the second message of each instant finds it full. The codes are 130, 66 and 130."""
    scene = Scene(DUAL, mobiles=2, registration_queue=1, busy=(node,), answers=answers)
    view = watch(scene, procedure)
    drops = dict(zip(view.run.result.node_names, view.run.result.nodes["registration_dropped"].tolist(), strict=True))
    assert {n: d for n, d in drops.items() if d} == {node: lost}
    assert arrivals(view, reply) == [at, again]
    assert arrivals(view, reply, status) == ([refused_at] if answers else [])
    assert status in (130, 66)
    assert view.run.handoffs["completed"].tolist() == [1, 1]


@pytest.mark.parametrize(("procedure", "node", "reply", "at"), [row[:4] for row in SERVERS])
def test_without_a_queue_limit_the_second_request_waits(procedure, node, reply, at):
    view = watch(Scene(DUAL, mobiles=2), procedure)
    assert arrivals(view, reply) == [at, at + 1]
    peaks = dict(zip(view.run.result.node_names, view.run.result.nodes["registration_peak"].tolist(), strict=True))
    assert peaks[node] == 2


# -- restarts ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("procedure", "node", "entry"),
    [
        ("mipv4", "ha", ["old"]), ("mipv6", "ha", ["old"]), ("sync-hmipv4", "ha", ["gw"]), ("sync-hmipv4", "gw", ["old"]),
        ("sync-hmipv6", "gw", ["old"]), ("mipv6-ro", "cn", ["old"]), ("sync-mipv4-ro", "cn", ["old"]), ("mipv4", "old", "local"),
    ],
)  # fmt: skip
def test_a_restarted_agent_has_no_bindings_until_the_refresh(procedure, node, entry):
    """Bindings of 4 s are refreshed every 2 s. A restarted router announces that (RFC 5944 2.3.2), and nodes register."""
    view = watch(Scene(HERE, restarts=[(node, 500)], until=5000), procedure, lifetime_s=4)
    assert [view.table(node, t) for t in (499.999, 500)] == [entry, None]
    latest = 500 + 4 + 4 if node == "old" else 500 + 2000 + 100
    assert view.table(node, latest) == entry


@pytest.mark.parametrize(("procedure", "asks"), [("mipv4", 1), ("mipv6", 0), ("pmipv6", 1)])
def test_mobile_nodes_register_again_with_a_restarted_router_that_had_visitors(procedure, asks):
    """A foreign agent has visitors, and so has a mobile access gateway; an IPv6 router delivers to every node on its link."""
    view = watch(Scene(HERE, restarts=[("old", 500)]), procedure)
    assert len(view.sends("RQ") + view.sends("BU1") + view.sends("AS")) == asks
    assert view.table("old", 600) == "local"


def test_without_a_binding_packets_are_dropped_or_sent_through_the_home_agent():
    """The lifetime is long, so that the next refresh comes after the end of the run."""
    scene = Scene(HERE, restarts=[("ha", 500)])
    assert scene.path("mipv4", down=479) == BY_OLD
    assert scene.path("mipv4", down=481) == UNBOUND
    scene = Scene(HERE, restarts=[("cn", 500)])
    assert scene.path("mipv6-ro", down=499) == STRAIGHT_OLD
    assert scene.path("mipv6-ro", down=501) == BY_OLD


def test_a_restart_ends_forwarding():
    scene = Scene([Stay("old", down=510, predict=500, warn=502), Stay("new", up=513)], restarts=[("old", 512)])
    assert RunView(scene.setup(), "sync-mipv4").table("old", 512) is None
    assert scene.path("sync-mipv4", down=481) == FORWARDED  # there at 511
    assert scene.path("sync-mipv4", down=483) == dropped("cn>ha", "ha>old", fate="no visitor")


def test_a_restarted_agent_does_not_reply_to_deferred_messages():
    """A deregistration waits for its update, due at the home agent at 523; a new router checks an address until 540."""
    view = watch(Scene(TIMELY.stays, restarts=[("ha", 520)]), "sync-mipv6")
    assert arrivals(view, "DBA") == []
    view = watch(Scene(TIMELY.stays, restarts=[("new", 520)], until=1400), "sync-mipv6", dad_ps=30 * MS)
    assert arrivals(view, "BA") == []


@pytest.mark.parametrize("nodes", [1, 30, 200])
def test_a_restarted_router_causes_a_burst_of_registrations(nodes):
    """All nodes learn of it at 504; their requests reach the home agent at 518. In a batch (D/D/1) the k-th waits (k - 1) S."""
    view = watch(Scene(HERE, mobiles=nodes, restarts=[("old", 500)]), "mipv4")
    served = [518 + k for k in range(1, nodes + 1)]  # S = 1 ms
    assert arrivals(view, "RR") == [t + 10 + 4 for t in served]


def test_a_burst_at_a_short_queue_is_served_in_waves():
    """Thirty requests and ten places: ten are served, twenty are retransmitted after 1 s, and ten of these again after 2 s."""
    view = watch(Scene(HERE, mobiles=30, restarts=[("old", 500)], registration_queue=10, until=5000), "mipv4")
    assert arrivals(view, "RR") == [wave + k + 10 + 4 for wave in (518, 1518, 3518) for k in range(1, 11)]
    dropped_at = dict(zip(view.run.result.node_names, view.run.result.nodes["registration_dropped"].tolist(), strict=True))
    assert dropped_at["ha"] == 20 + 10


def test_refreshes_at_a_restarted_home_agent_are_spread_over_half_the_lifetime():
    """The home agent does not announce its restart: each mobile node notices it at its next refresh, at a random time in 10 s."""
    view = watch(Scene(HERE, mobiles=200, restarts=[("ha", 500)], until=12_000), "mipv4", lifetime_s=20)
    first = sorted(min(a.time_ps / MS for a in view.sends("RQ", m)) for m in range(200))
    assert first[0] > 0
    assert first[-1] < 10_000
    assert 4300 < sum(first) / 200 < 5700  # uniform: standard error 204
    assert all(view.table("ha", 11_900, m) == ["old"] for m in range(200))
