"""Agents as servers: a message takes 1 ms, queues are limited, mobile nodes come again; and what a restart does.

Two mobile nodes that move alike, predicted at 500 ms, so all their messages meet. Times are those of ``scene``.
"""

import pytest

from handoff.protocol.constants import Status
from tests.conformance.scene import Scene, Stay, delivered, dropped
from tests.conformance.spy import Spy

MS = 10**9
DUAL = (Stay("old", down=3000, predict=500, warn=2990), Stay("new", up=520))
HERE = (Stay("old", down=900_000), Stay("new", up=910_000))

SERVERS = [
    # procedure, node, reply to the mobile node, when it is there, when the one sent again is, messages dropped, refusal, when
    ("sync-mipv4", "ha", "RR", 540, 1535, 1, Status.HA_INSUFFICIENT_RESOURCES, 539),  # at the home agent at 522 and 1517
    ("sync-hmipv4", "gw", "RR", 526, 1521, 1, Status.FA_INSUFFICIENT_RESOURCES, 525),  # at the gateway at 515 and 1510
    ("sync-mipv6", "ha", "BA", 540, 1535, 2, Status.BA_INSUFFICIENT_RESOURCES, 539),  # two: a deregistration, an update
    ("sync-hmipv6", "gw", "BA", 526, 1521, 2, Status.BA_INSUFFICIENT_RESOURCES, 525),
    ("sync-mipv6-ro", "cn", "BA2", 570, 1565, 2, Status.BA_INSUFFICIENT_RESOURCES, 569),  # at the correspondent at 537 and 1532
]


def watch(scene, procedure, **options):
    return Spy(scene.setup(down=[100], options=options), procedure)


def got(spy, message, status=None):
    """When mobile nodes got a message, in ms; accepted, or with a status."""
    wanted = Status.ACCEPTED if status is None else status
    here = [a for a in spy.arrivals if a.node == -1 and spy.message(a.fields) == message]
    return sorted(a.time_ps / MS for a in here if a.fields.status == wanted)


@pytest.mark.parametrize(("procedure", "node", "reply", "at", "again", "lost", "status", "told"), SERVERS)
@pytest.mark.parametrize("answers", [False, True])
def test_a_full_queue_drops_or_answers_and_the_mobile_node_comes_again(
    procedure, node, reply, at, again, lost, status, told, answers
):
    """One place in the queue: the second message of each instant finds it full. The codes are 130, 66 and 130."""
    scene = Scene(DUAL, mobiles=2, registration_queue=1, busy=(node,), answers=answers)
    spy = watch(scene, procedure)
    drops = dict(zip(spy.run.result.node_names, spy.run.result.nodes["registration_dropped"].tolist(), strict=True))
    assert {n: d for n, d in drops.items() if d} == {node: lost}
    assert got(spy, reply) == [at, again]
    assert got(spy, reply, status) == ([told] if answers else [])
    assert status in (130, 66)
    assert spy.run.handoffs["completed"].tolist() == [1, 1]


@pytest.mark.parametrize(("procedure", "node", "reply", "at"), [row[:4] for row in SERVERS])
def test_without_a_limit_the_second_waits_for_the_first(procedure, node, reply, at):
    spy = watch(Scene(DUAL, mobiles=2), procedure)
    assert got(spy, reply) == [at, at + 1]
    peaks = dict(zip(spy.run.result.node_names, spy.run.result.nodes["registration_peak"].tolist(), strict=True))
    assert peaks[node] == 2


# -- restarts ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("procedure", "node", "entry"),
    [
        ("mipv4", "ha", ["old"]), ("mipv6", "ha", ["old"]), ("sync-hmipv4", "ha", ["gw"]), ("sync-hmipv4", "gw", ["old"]),
        ("sync-hmipv6", "gw", ["old"]), ("mipv6-ro", "cn", ["old"]), ("sync-mipv4-ro", "cn", ["old"]), ("mipv4", "old", "local"),
    ],
)  # fmt: skip
def test_a_restarted_agent_has_lost_its_bindings_until_they_are_refreshed(procedure, node, entry):
    """Lifetime 4 s, so refreshed every 2 s; a restarted router says so at once (RFC 5944 2.3.2), and is asked at once."""
    spy = watch(Scene(HERE, restarts=[(node, 500)], until=5000), procedure, lifetime_s=4)
    assert [spy.table(node, t) for t in (499.999, 500)] == [entry, None]
    latest = 500 + 4 + 4 if node == "old" else 500 + 2000 + 100
    assert spy.table(node, latest) == entry


@pytest.mark.parametrize(("procedure", "asks"), [("mipv4", 1), ("mipv6", 0), ("pmipv6", 1)])
def test_a_restarted_router_is_asked_again_if_it_had_something_to_lose(procedure, asks):
    """A foreign agent its visitor, a mobile access gateway its list; an IPv6 router delivers to whoever is on its link."""
    spy = watch(Scene(HERE, restarts=[("old", 500)]), procedure)
    assert len(spy.sends("RQ") + spy.sends("BU1") + spy.sends("AS")) == asks
    assert spy.table("old", 600) == "local"


def test_without_a_binding_packets_are_dropped_or_go_the_long_way():
    """Registered for long: the next refresh comes after the end of the run."""
    by_home_agent = ("cn>ha", "ha>old", "old>*")
    scene = Scene(HERE, restarts=[("ha", 500)])
    assert scene.path("mipv4", down=479) == delivered(*by_home_agent, delay=34)
    assert scene.path("mipv4", down=481) == dropped("cn>ha", fate="no binding")
    scene = Scene(HERE, restarts=[("cn", 500)])
    assert scene.path("mipv6-ro", down=499) == delivered("cn>old", "old>*", delay=29)
    assert scene.path("mipv6-ro", down=501) == delivered(*by_home_agent, delay=34)


def test_a_restarted_router_forwards_no_more():
    scene = Scene([Stay("old", down=510, predict=500, warn=502), Stay("new", up=513)], restarts=[("old", 512)])
    assert Spy(scene.setup(), "sync-mipv4").table("old", 512) is None
    assert scene.path("sync-mipv4", down=481) == delivered("cn>ha", "ha>old", "old>new", "new>*", delay=41)  # there at 511
    assert scene.path("sync-mipv4", down=483) == dropped("cn>ha", "ha>old", fate="no visitor")


def test_a_restarted_agent_answers_nothing_that_waited_there():
    """A deregistration waits for its update, which is at the home agent at 523; and a new router checks an address until 540."""
    overlap = [Stay("old", down=600, predict=500, warn=590), Stay("new", up=520)]
    spy = watch(Scene(overlap, restarts=[("ha", 520)]), "sync-mipv6")
    assert got(spy, "DBA") == []
    spy = watch(Scene(overlap, restarts=[("new", 520)], until=1400), "sync-mipv6", dad_ps=30 * MS)
    assert got(spy, "BA") == []


@pytest.mark.parametrize("nodes", [1, 30, 200])
def test_a_restarted_router_brings_a_storm_on_the_home_agent(nodes):
    """All hear of it at 504 and ask; the requests are at the home agent at 518: D/D/1 with a batch, the k-th waits (k - 1) S."""
    spy = watch(Scene(HERE, mobiles=nodes, restarts=[("old", 500)]), "mipv4")
    served = [518 + k for k in range(1, nodes + 1)]  # S = 1 ms
    assert got(spy, "RR") == [t + 10 + 4 for t in served]


def test_a_storm_on_a_short_queue_comes_in_waves():
    """Thirty at once, ten places: ten are served, twenty come again after 1 s, ten of these after 2 s more."""
    spy = watch(Scene(HERE, mobiles=30, restarts=[("old", 500)], registration_queue=10, until=5000), "mipv4")
    assert got(spy, "RR") == [wave + k + 10 + 4 for wave in (518, 1518, 3518) for k in range(1, 11)]
    dropped_at = dict(zip(spy.run.result.node_names, spy.run.result.nodes["registration_dropped"].tolist(), strict=True))
    assert dropped_at["ha"] == 20 + 10


def test_the_storm_on_a_restarted_home_agent_is_spread_over_half_the_lifetime():
    """Nobody tells the mobile nodes: each finds out with its next refresh, which comes at a random time of 10 s."""
    spy = watch(Scene(HERE, mobiles=200, restarts=[("ha", 500)], until=12_000), "mipv4", lifetime_s=20)
    first = sorted(min(a.time_ps / MS for a in spy.sends("RQ", m)) for m in range(200))
    assert first[0] > 0
    assert first[-1] < 10_000
    assert 4300 < sum(first) / 200 < 5700  # uniform: standard error 204
    assert all(spy.table("ha", 11_900, m) == ["old"] for m in range(200))
