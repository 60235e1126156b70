"""Every procedure as the seed's figures show it: messages with every hop, tables after each phase, paths of data.

The cases, worked out by hand, are in ``cases_ipv4``, ``cases_ipv6``, ``cases_hmipv4`` and ``cases_hmipv6``.
"""

from functools import cache

import pytest

from handoff.protocol.procedures import PROCEDURES
from tests.conformance import cases_hmipv4, cases_hmipv6, cases_ipv4, cases_ipv6
from tests.conformance.cases import LATE, TIMELY, UP_LOST, UP_NEW, UP_OLD
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import Scene, Stay

_GROUPS = (
    cases_ipv4.HOME, cases_ipv4.ROUTE_OPTIMIZATION, cases_hmipv4.HIERARCHY,
    cases_ipv6.HOME, cases_ipv6.ROUTE_OPTIMIZATION, cases_hmipv6.HIERARCHY,
)  # fmt: skip
CASES = {name: case for group in _GROUPS for name, case in group.items()}
CARRIED = [name for name, case in CASES.items() if case.hops_with_layer2_relay() != case.expected_hops()]
ANCHORS = {"HA": "ha", "CN": "cn", "GFA": "gw", "MAP": "gw"}


@cache
def watched(name, **options):
    case = CASES[name]
    setup = case.scene.setup(down=[1800], options={**case.options, **options})  # a flow: the correspondent has a binding
    return RunView(setup, case.procedure)


def sort_hops(hops):
    """By time; what several nodes send at one instant has no order, what one of them sends has."""
    return sorted(hops, key=lambda hop: (hop.sent, hop.source))


# -- is there a case for everything? -------------------------------------------------------------------------------------------
def missing_cases(cases):
    """What has no case: (procedure, scenario, single access?, between regions?)."""
    wanted = set()
    for name, row in PROCEDURES.items():
        scenarios = [(1, False), (2, False), (3, True)] if row.family == "synchronized" else [(0, False)]
        wanted |= {(name, scenario, single, False) for scenario, single in scenarios}
        if row.hierarchical:
            wanted.add((name, scenarios[0][0], False, True))
    found = set()
    for case in cases:
        if not case.options:
            leaves, comes = case.scene.stays
            single = PROCEDURES[case.procedure].predictive and comes.up > leaves.down
            found.add((case.procedure, case.scenario, single, case.scene.regions == 2))
    return sorted(wanted - found)


def test_every_procedure_and_scenario_has_a_case():
    assert len(CASES) == sum(map(len, _GROUPS)), "two cases of one name"
    assert {case.procedure for case in CASES.values()} == set(PROCEDURES)
    assert missing_cases(CASES.values()) == []
    assert len([c for c in CASES.values() if c.scenario and not c.options and c.scene.regions == 1]) == 18


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.options])
def test_a_missing_case_is_reported(name):
    """Without this one and those of the same kind; and each shows the tables of all that have one."""
    case = CASES[name]
    rest = [c for c in CASES.values() if (c.procedure, c.scenario) != (case.procedure, case.scenario)]
    assert case.procedure in {procedure for procedure, *_ in missing_cases(rest)}
    assert {"ha", "old", "new", ANCHORS[PROCEDURES[case.procedure].anchor]} <= set(case.tables)


# -- the cases -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", CASES)
def test_messages_in_order_with_every_hop(name):
    case, view = CASES[name], watched(name)
    assert sort_hops(view.hops()) == sort_hops(case.expected_hops())
    facts = {k: v[0] for k, v in view.run.handoffs.items()}
    assert (facts["scenario"], facts["completed"]) == (case.scenario, 1)
    assert facts["marker_ps"] == (-1 if case.marker is None else round(case.marker * 10**9))
    assert facts["between"] == (case.scene.regions == 2)


@pytest.mark.parametrize("name", CARRIED)
def test_messages_with_layer_2_relay(name):
    case = CASES[name]
    assert sort_hops(watched(name, relay="l2").hops()) == sort_hops(case.hops_with_layer2_relay())


@pytest.mark.parametrize(
    ("name", "node", "at", "entry"),
    [(n, node, at, entry) for n, c in CASES.items() for node, rows in c.tables.items() for at, entry in rows],
)
def test_tables_after_each_phase(name, node, at, entry):
    assert watched(name).table(node, at) == entry


@pytest.mark.parametrize(("name", "sent", "path"), [(n, *row) for n, c in CASES.items() for row in c.down])
def test_path_of_new_downstream_packets(name, sent, path):
    case = CASES[name]
    assert case.scene.path(case.procedure, down=sent, **case.options) == path


@pytest.mark.parametrize(("name", "sent", "path"), [(n, *row) for n, c in CASES.items() for row in c.up])
def test_path_of_new_upstream_packets(name, sent, path):
    case = CASES[name]
    assert case.scene.path(case.procedure, up=sent, **case.options) == path


@pytest.mark.parametrize(("name", "sent", "path"), [(n, *row) for n, c in CASES.items() for row in c.up])
def test_upstream_route(name, sent, path):
    """What the mobile node does with its packets at that time, whatever becomes of them."""
    held = path.delay is not None and path.delay > UP_NEW.delay
    expected = "nowhere" if path == UP_LOST else "old" if path == UP_OLD else "hold" if held else "new"
    assert watched(name).upstream(sent) == expected


# -- several correspondents, late packets -----------------------------------------------------------------------------------
@pytest.mark.parametrize("procedure", ["sync-mipv4-ro", "sync-mipv6-ro"])
def test_each_correspondent_has_its_own_marker(procedure):
    """DBU at the old router 504; at peer 504 + 22 + 1 = 527, DBA at the mobile node 527 + 22 + 4 = 553; that of cn at 559."""
    view = RunView(TIMELY.setup(down=[1800], peer=[1800]), procedure)
    hops = view.hops()
    assert Hop("DBA", "peer", "old", 527, 549) in hops
    assert [h for h in hops if h.message == "DBA" and h.to == "mn"] == [
        Hop("DBA", "old", "mn", 549, 553), Hop("DBA", "old", "mn", 555, 559),
    ]  # fmt: skip
    assert view.run.handoffs["markers"].tolist() == [2]
    assert view.run.handoffs["marker_ps"].tolist() == [559 * 10**9]


@pytest.mark.parametrize(("procedure", "peer", "cn"), [("sync-mipv4-ro", 542, 544), ("sync-mipv6-ro", 532, 538)])
def test_each_correspondent_has_its_own_update(procedure, peer, cn):
    """From the home agent at 523, 18 + 1 to peer; from the new router at 510, 21 + 1."""
    view = RunView(TIMELY.setup(down=[1800], peer=[1800]), procedure)
    bound = {node: [view.table(node, at + t) for t in (-0.001, 0)] for node, at in (("peer", peer), ("cn", cn))}
    assert bound == {"peer": [None, ["new"]], "cn": [None, ["new"]]}


@pytest.mark.parametrize(("warn", "scenario"), [(556, 2), (560, 1)])
@pytest.mark.parametrize("procedure", ["sync-mipv4-ro", "sync-mipv6-ro"])
def test_scenario_i_requires_all_markers(procedure, warn, scenario):
    """One marker came at 553, the other comes at 559 (decisions, 4)."""
    scene = Scene([Stay("old", down=600, predict=500, warn=warn), Stay("new", up=520)])
    assert RunView(scene.setup(down=[1800], peer=[1800]), procedure).run.handoffs["scenario"].tolist() == [scenario]


@pytest.mark.parametrize(("race", "late"), [("patent", 8), ("hold", 0)])
@pytest.mark.parametrize("procedure", ["sync-mipv4-ro", "sync-mipv6-ro"])
def test_packets_by_the_home_network_follow_the_marker(procedure, race, late):
    """The request is lost, so the home agent tunnels to the old router as before. Sent from 530 on, packets are there from 564.

    The marker was there at 559 and the link lasts until 600: eight of them. A correspondent that waits keeps its binding.
    """
    lossy = Scene(TIMELY.stays, loss=["new>ha", "new>cn"])
    run = lossy.run(procedure, down=range(530, 566, 5), correspondent_race=race)
    assert run.handoffs["after_marker"].tolist() == [late]


# -- the race of update and deregistration at home agent and MAP --------------------------------------------------------------
@pytest.mark.parametrize(("race", "after"), [("hold", ["new"]), ("patent", ["new"]), ("rfc6275", None)])
def test_a_deregistration_that_arrives_second(race, after):
    """Over a slow radio (50 kbit/s) the update of 96 bytes takes 15.36 ms and is done with at the home agent at 538.36.

    The deregistration behind it is done with at 500 + 30.72 + 4 + 10 + 1 = 545.72: with one entry for each home address it
    deletes the new binding (decisions, 1).
    """
    scene = Scene(TIMELY.stays, old_cell={"up_rate": "50kbit/s", "rate": 0})
    view = RunView(scene.setup(options={"race": race}), "sync-mipv6")
    assert [view.table("ha", t) for t in (538.359, 538.36, 545.719, 545.72)] == [["old"], ["new"], ["new"], after]


@pytest.mark.parametrize("procedure", ["sync-hmipv4", "sync-hmipv6"])
def test_a_deregistration_without_an_update_waits_ten_seconds(procedure):
    """sync-hmipv6: the update is lost between new router and gateway; sync-hmipv4 has no deregistration that could wait."""
    view = RunView(Scene(LATE.stays, loss=["new>gw"], until=12_000).setup(), procedure)
    sent = [h.sent for h in view.hops() if h.message == "DBA" and h.source == "gw"]
    assert sent == ([508 + 10_000] if procedure == "sync-hmipv6" else [])


def test_a_return_to_the_old_region_before_the_reply_registers_with_the_home_agent():
    """Between regions and straight back: the home agent is asked again, since its binding may have moved."""
    stays = [Stay("old", down=600, predict=500), Stay("new", up=520, down=700), Stay("old", up=690)]
    view = RunView(Scene(stays, regions=2, loss=["ha>gw2"]).setup(), "sync-hmipv4")
    last = view.sends("RQ")[-1]
    assert last.time_ps >= 690 * 10**9
    assert view.table("ha", 1900) == ["gw"]
