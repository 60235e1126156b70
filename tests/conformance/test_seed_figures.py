"""Every procedure as in the seed's figures: messages with every hop, tables after each phase, paths of data.

The cases, computed by hand, are in ``cases_ipv4``, ``cases_ipv6``, ``cases_hmipv4`` and ``cases_hmipv6``; those with the phases
in the order of their numbers in ``cases_in_order``; those without a prediction in ``cases_unannounced`` and ``cases_discovered``.
Those between regions in ``cases_between`` and in the other modules are an extension of the seed.
"""

import pytest

from handoff.protocol.procedures import PROCEDURES
from tests.conformance import (
    cases_between,
    cases_discovered,
    cases_hmipv4,
    cases_hmipv6,
    cases_in_order,
    cases_ipv4,
    cases_ipv6,
    cases_unannounced,
)
from tests.conformance.case_runs import assert_messages, path_rows, run_case, sort_hops, table_rows
from tests.conformance.cases import LATE, TIMELY, UP_LOST, UP_NEW, UP_OLD
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import Scene, Stay

_GROUPS = (
    cases_ipv4.HOME, cases_ipv4.ROUTE_OPTIMIZATION, cases_hmipv4.HIERARCHY,
    cases_ipv6.HOME, cases_ipv6.ROUTE_OPTIMIZATION, cases_hmipv6.HIERARCHY,
    cases_in_order.IN_ORDER, cases_unannounced.UNANNOUNCED, cases_discovered.WITHOUT_PREDICTION,
    cases_between.BETWEEN_REGIONS,
)  # fmt: skip
CASES = {name: case for group in _GROUPS for name, case in group.items()}
RELAYED_BY_LAYER2 = [name for name, case in CASES.items() if case.hops_with_layer2_relay() != case.expected_hops()]
ANCHORS = {"HA": "ha", "CN": "cn", "GFA": "gw", "MAP": "gw"}


# -- completeness ------------------------------------------------------------------------------------------------------------
ANNOUNCED, ANNOUNCED_IN_ORDER, UNPREDICTED = "announced", "announced, phases in order", "unpredicted"
KINDS = {  # (scenario, access, announcement) of the cases of each family; 0: without the phases of a scenario
    "conventional": {(0, "single", UNPREDICTED), (0, "dual", UNPREDICTED)},
    "bicasting": {(0, "dual", ANNOUNCED), (0, "dual", UNPREDICTED)},
    "synchronized": {
        (1, "dual", ANNOUNCED), (2, "dual", ANNOUNCED), (2, "dual", ANNOUNCED_IN_ORDER), (3, "single", ANNOUNCED_IN_ORDER),
        (0, "single", UNPREDICTED), (1, "dual", UNPREDICTED),
    },
}  # fmt: skip


def kind(case):
    """Return scenario, access and announcement of a case."""
    leaves, comes = case.scene.stays
    announcement = UNPREDICTED if leaves.predict is None else ANNOUNCED
    if announcement == ANNOUNCED and case.scenario > 1 and phases_in_order(case):
        announcement = ANNOUNCED_IN_ORDER
    return case.scenario, "single" if comes.up > leaves.down else "dual", announcement


def phases_in_order(case):
    """Return whether II-4 (update) follows II-3 (switch of the anchor), and III-5 (switch) follows III-4 (acknowledgement)."""
    procedure = PROCEDURES[case.procedure]
    switched = max(at for at, _ in case.tables[ANCHORS[procedure.anchor]])
    update, *_, acknowledgement = (step.message for step in procedure.rescue)
    hops = case.expected_hops()
    if case.scenario == 2:
        return next(hop.sent for hop in hops if (hop.message, hop.to) == (update, "old")) > switched
    return next(hop.received for hop in hops if (hop.message, hop.to) == (acknowledgement, "mn")) < switched


SEED = {name: procedure for name, procedure in PROCEDURES.items() if procedure.figures or procedure.family != "synchronized"}
"""All procedures but the extension, which ``test_extension`` is about."""


def missing_cases(cases):
    """Return all (procedure, scenario, access, announcement, between regions) without a case."""
    required = {(name, *k, False) for name, procedure in SEED.items() for k in KINDS[procedure.family]}
    required |= {
        (name, int(procedure.family == "synchronized"), "dual", ANNOUNCED, True)
        for name, procedure in SEED.items() if procedure.hierarchical
    }  # fmt: skip
    return sorted(required - {(case.procedure, *kind(case), case.scene.regions == 2) for case in cases if not case.options})


def test_every_procedure_and_scenario_has_a_case():
    assert len(CASES) == sum(map(len, _GROUPS)), "two cases of one name"
    assert {case.procedure for case in CASES.values()} == set(SEED)
    assert missing_cases(CASES.values()) == []
    announced = [c for c in CASES.values() if c.scenario and not c.options and c.scene.regions == 1 and kind(c)[2] != UNPREDICTED]
    assert len(announced) == 30, "six variants: I, II in two orders, III with the new link up early or late"


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.options])
def test_a_missing_case_is_reported(name):
    """Remove the cases of one kind; also, each case has the tables of all nodes with an entry."""
    case = CASES[name]
    rest = [c for c in CASES.values() if c.procedure != case.procedure or kind(c) != kind(case)]
    is_required = kind(case) in KINDS[PROCEDURES[case.procedure].family]
    assert {procedure for procedure, *_ in missing_cases(rest)} == ({case.procedure} if is_required else set())
    assert {"ha", "old", "new", ANCHORS[PROCEDURES[case.procedure].anchor]} <= set(case.tables)


# -- the cases -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", CASES)
def test_messages_in_order_with_every_hop(name):
    assert_messages(CASES[name])
    assert run_case(CASES[name]).run.handoffs["between"].tolist() == [CASES[name].scene.regions == 2]


@pytest.mark.deep
@pytest.mark.parametrize("name", RELAYED_BY_LAYER2)
def test_messages_with_layer_2_relay(name):
    case = CASES[name]
    assert sort_hops(run_case(case, relay="l2").hops()) == sort_hops(case.hops_with_layer2_relay())


@pytest.mark.parametrize(("name", "node", "at", "entry"), table_rows(CASES))
def test_tables_after_each_phase(name, node, at, entry):
    assert run_case(CASES[name]).table(node, at) == entry


@pytest.mark.parametrize(("name", "sent", "path"), path_rows(CASES, "down", deep_ends=True))
def test_path_of_new_downstream_packets(name, sent, path):
    case = CASES[name]
    assert case.scene.path(case.procedure, down=sent, **case.options) == path


@pytest.mark.parametrize(("name", "sent", "path"), path_rows(CASES, "up", deep_ends=True))
def test_path_of_new_upstream_packets(name, sent, path):
    case = CASES[name]
    assert case.scene.path(case.procedure, up=sent, **case.options) == path


@pytest.mark.deep
@pytest.mark.parametrize(("name", "sent", "path"), path_rows(CASES, "up", deep_ends=True))
def test_upstream_route(name, sent, path):
    """Check the upstream route at the time of sending, whatever happens to the packet."""
    held = path.delay is not None and path.delay > UP_NEW.delay
    expected = "nowhere" if path == UP_LOST else "old" if path == UP_OLD else "hold" if held else "new"
    assert run_case(CASES[name]).upstream(sent) == expected


# -- several correspondents, late packets -------------------------------------------------------------------------------------
@pytest.mark.parametrize("procedure", ["sync-mipv4-ro", "sync-mipv6-ro"])
def test_each_correspondent_has_its_own_marker(procedure):
    """DBU at the old router: 504; at peer: 504 + 22 + 1 = 527; the DBA arrives at 527 + 22 + 4 = 553, that of cn at 559."""
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
    """From the home agent at 523, 18 + 1 ms to peer; from the new router at 510, 21 + 1."""
    view = RunView(TIMELY.setup(down=[1800], peer=[1800]), procedure)
    bound = {node: [view.table(node, at + t) for t in (-0.001, 0)] for node, at in (("peer", peer), ("cn", cn))}
    assert bound == {"peer": [None, ["new"]], "cn": [None, ["new"]]}


@pytest.mark.parametrize(("warn", "scenario"), [(556, 2), (560, 1)])
@pytest.mark.parametrize("procedure", ["sync-mipv4-ro", "sync-mipv6-ro"])
def test_scenario_i_requires_all_markers(procedure, warn, scenario):
    """The markers arrive at 553 and 559 (decision 4)."""
    scene = Scene([Stay("old", down=600, predict=500, warn=warn), Stay("new", up=520)])
    assert RunView(scene.setup(down=[1800], peer=[1800]), procedure).run.handoffs["scenario"].tolist() == [scenario]


@pytest.mark.parametrize(("race", "late"), [("patent", 8), ("hold", 0)])
@pytest.mark.parametrize("procedure", ["sync-mipv4-ro", "sync-mipv6-ro"])
def test_packets_by_the_home_network_follow_the_marker(procedure, race, late):
    """The request is lost, so that the home agent still tunnels to the old router. Packets sent from 530 on arrive from 564.

    The marker arrives at 559 and the link lasts until 600: eight packets follow it. With ``hold`` the binding is kept.
    """
    lossy = Scene(TIMELY.stays, loss=["new>ha", "new>cn"])
    run = lossy.run(procedure, down=range(530, 566, 5), correspondent_race=race)
    assert run.handoffs["after_marker"].tolist() == [late]


# -- the race of update and deregistration at home agent and MAP --------------------------------------------------------------
@pytest.mark.parametrize(("race", "after"), [("hold", ["new"]), ("patent", ["new"]), ("rfc6275", None)])
def test_a_deregistration_that_arrives_second(race, after):
    """Over a slow radio (50 kbit/s) the update of 96 bytes takes 15.36 ms, and the home agent has processed it at 538.36.

    The deregistration behind it is processed at 500 + 30.72 + 4 + 10 + 1 = 545.72. With one entry for each home address it
    deletes the new binding (decision 1).
    """
    scene = Scene(TIMELY.stays, old_cell={"up_rate": "50kbit/s", "rate": None})
    view = RunView(scene.setup(options={"race": race}), "sync-mipv6")
    assert [view.table("ha", t) for t in (538.359, 538.36, 545.719, 545.72)] == [["old"], ["new"], ["new"], after]


@pytest.mark.parametrize("procedure", ["sync-hmipv4", "sync-hmipv6"])
def test_a_deregistration_without_an_update_waits_ten_seconds(procedure):
    """sync-hmipv6: the update is lost between new router and gateway. sync-hmipv4 has no deregistration."""
    view = RunView(Scene(LATE.stays, loss=["new>gw"], until=12_000).setup(), procedure)
    sent = [h.sent for h in view.hops() if h.message == "DBA" and h.source == "gw"]
    assert sent == ([508 + 10_000] if procedure == "sync-hmipv6" else [])


def test_a_return_to_the_old_region_before_the_reply_registers_with_the_home_agent():
    """After a move between regions the home agent's binding may have moved, so that the mobile node registers with it again."""
    stays = [Stay("old", down=600, predict=500), Stay("new", up=520, down=700), Stay("old", up=690)]
    view = RunView(Scene(stays, regions=2, loss=["ha>gw2"]).setup(), "sync-hmipv4")
    last = view.sends("RQ")[-1]
    assert last.time_ps >= 690 * 10**9
    assert view.table("ha", 1900) == ["gw"]
