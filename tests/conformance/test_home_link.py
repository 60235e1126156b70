"""Return to the home link and departure from it (RFC 5944 3.6.1, RFC 6275 11.5.5): hops of messages, tables, paths of data.

Every expectation is computed by hand from the delays of ``two_router_scene``. The radio of the home agent has 3 ms. The home
agent is the new router of a return and the old router of a departure, so that these hops do not exist.
"""

import numpy as np
import pytest

from handoff.protocol.messages import MessageFields
from handoff.protocol.procedures import PROCEDURES
from handoff.protocol.program import compile_program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import CorrespondentTable
from handoff.simulation.run import run_procedure
from handoff.theory.signalling_load import signalling_load
from tests.conformance.case_runs import assert_messages, path_rows, run_case, table_rows
from tests.conformance.cases import BY_NEW, BY_OLD, KEPT, UP_NEW, UP_OLD, Case, arriving_at, path_changes
from tests.conformance.run_assertions import RunView
from tests.conformance.two_router_scene import Scene, Stay, delivered
from tests.unit.protocol.parts import MS, SECOND

AT_HOME = delivered("cn>ha", "ha>*", delay=23)
UP_HOME = delivered("ha<*", "ha>cn", delay=23)
FORWARDED_HOME = delivered("cn>ha", "ha>old", "old>ha", "ha>*", delay=43)


def scene(*stays, **parameters):
    return Scene(stays, home_link=True, **parameters)


RETURN = scene(Stay("old", down=600, predict=500, warn=590), Stay("ha", up=520))
DEPARTURE = scene(Stay("ha", down=600, predict=500, warn=590), Stay("new", up=520))

CASES = {
    "mipv4 returns": Case(  # discovered at 800; the deregistration takes 3 ms and 1 ms of service
        "mipv4", scene(Stay("old", down=500), Stay("ha", up=700)), 0,
        """
        RQ mn ha 800 804
        RR ha mn 804 807
        """,
        {"ha": [(499, ["old"]), (803.999, ["old"]), (804, "local"), (1900, "local")]},
        path_changes(BY_OLD, (466.001, KEPT), (784, AT_HOME)),  # nobody asks the old router to forward
        path_changes(UP_OLD, (500, arriving_at(807 + 23, UP_HOME)), (807, UP_HOME)),
    ),
    "mipv4 departs": Case(  # the home agent buffers from 497 on, when its radio cannot carry a packet until 500
        "mipv4", scene(Stay("ha", down=500), Stay("new", up=700)), 0,
        """
        RQ mn new 800 805
        RQ new ha 805 818
        RR ha new 818 830
        RR new mn 830 835
        """,
        {"ha": [(499, "hold"), (817.999, "hold"), (818, ["new"]), (1900, ["new"])], "new": [(804.999, None), (805, "local")]},
        path_changes(AT_HOME, (477.001, arriving_at(835, BY_NEW)), (798, BY_NEW)),
        path_changes(UP_HOME, (500, arriving_at(835 + 32, UP_NEW)), (835, UP_NEW)),
    ),
    "mipv6 returns": Case(  # the old router forwards to the home address, after the home agent has removed the binding
        "mipv6", scene(Stay("old", down=500), Stay("ha", up=700)), 0,
        """
        BU1 mn ha 800 804
        BU3 mn ha 800 805
        BA1 ha mn 804 807
        BU3 ha old 805 815
        BA3 old ha 815 826
        BA3 ha mn 826 829
        """,
        {"ha": [(803.999, ["old"]), (804, "local")], "old": [(814.999, "hold"), (815, ["ha"])]},
        path_changes(BY_OLD, (466.001, arriving_at(828, FORWARDED_HOME)), (784, AT_HOME)),
        path_changes(UP_OLD, (500, arriving_at(807 + 23, UP_HOME)), (807, UP_HOME)),
    ),
    "mipv6 departs": Case(  # it leaves no care-of address behind, so that nobody is asked to forward
        "mipv6", scene(Stay("ha", down=500), Stay("new", up=700)), 0,
        """
        BU1 mn new 800 805
        BU1 new ha 805 818
        BA1 ha new 818 830
        BA1 new mn 830 835
        """,
        {"ha": [(499, "hold"), (817.999, "hold"), (818, ["new"])], "new": [(499, None), (700, "local")]},
        path_changes(AT_HOME, (477.001, arriving_at(835, BY_NEW)), (798, BY_NEW)),
        path_changes(UP_HOME, (500, arriving_at(835 + 32, UP_NEW)), (835, UP_NEW)),
    ),
    "sync-mipv4 returns I": Case(  # the home agent buffers until the link is up at 520
        "sync-mipv4", RETURN, 1,
        """
        RQ mn old 500 504
        RQ old ha 504 515
        RR ha mn 515 523
        DRR ha old 515 525
        DRR old mn 525 529
        """,
        {
            "ha": [(514.999, ["old"]), (515, "hold"), (519.999, "hold"), (520, "local")],
            "old": [(599.999, "local"), (600, None)],
        },
        path_changes(BY_OLD, (495, arriving_at(523, AT_HOME)), (500, AT_HOME)),
        path_changes(UP_OLD, (523, UP_HOME)),
        529,
    ),
    "sync-mipv4 returns II": Case(  # the old router buffers until the marker: before 515 the home agent would send packets back
        "sync-mipv4", scene(Stay("old", down=545, predict=500, warn=510), Stay("ha", up=505)), 2,
        """
        RQ mn old 500 504
        RQ old ha 504 515
        BU mn old 510 514
        BA old ha 514 525
        RR ha mn 515 518
        DRR ha old 515 525
        BA ha mn 525 528
        """,
        {
            "ha": [(514.999, ["old"]), (515, "local")],
            "old": [(513.999, "local"), (514, "hold"), (524.999, "hold"), (525, None)],
        },
        path_changes(BY_OLD, (484, arriving_at(538, FORWARDED_HOME)), (495, AT_HOME)),
        path_changes(UP_OLD, (518, UP_HOME)),
    ),
    "sync-mipv4 departs I": Case(  # the home agent relays the request as the old router; its own radio carries the marker
        "sync-mipv4", DEPARTURE, 1,
        """
        RQ mn ha 500 504
        RQ ha new 504 516
        RQ new ha 516 529
        RR ha new 529 541
        DRR ha mn 529 532
        RR new mn 541 546
        """,
        {
            "ha": [(528.999, "local"), (529, ["new"]), (1900, ["new"])],
            "new": [(515.999, None), (516, "hold"), (520, "local")],
        },
        path_changes(AT_HOME, (509, BY_NEW)),
        path_changes(UP_HOME, (546, UP_NEW)),
        532,
    ),
    "sync-mipv4 departs III": Case(  # the home agent tunnels from the update at 507 on, before the registration at 531;
        # the marker is addressed to the home address, so that it takes the tunnel as well
        "sync-mipv4", scene(Stay("ha", down=510, predict=495, warn=502), Stay("new", up=513)), 3,
        """
        RQ mn ha 502 506
        BU mn ha 502 507
        RQ ha new 506 518
        BA ha new 507 519
        RQ new ha 518 531
        BA new mn 519 524
        RR ha new 531 543
        DRR ha mn 531 548
        RR new mn 543 548
        """,
        {"ha": [(506.999, "local"), (507, ["new"]), (1900, ["new"])], "new": [(517.999, None), (518, "local")]},
        path_changes(AT_HOME, (487, BY_NEW)),
        path_changes(UP_HOME, (510, arriving_at(548 + 32, UP_NEW)), (548, UP_NEW)),
        548,
    ),
    "sync-mipv6 returns I": Case(  # update and deregistration take the same way; the second one waits for the server
        "sync-mipv6", RETURN, 1,
        """
        BU mn old 500 504
        DBU mn old 500 504
        BU old ha 504 515
        DBU old ha 504 516
        BA ha mn 515 523
        DBA ha old 516 526
        DBA old mn 526 530
        """,
        {
            "ha": [(514.999, ["old"]), (515, "hold"), (519.999, "hold"), (520, "local")],
            "old": [(599.999, "local"), (1900, "local")],
        },
        path_changes(BY_OLD, (495, arriving_at(523, AT_HOME)), (500, AT_HOME)),
        path_changes(UP_OLD, (523, UP_HOME)),
        530,
    ),
    "sync-mipv6 departs I": Case(  # the deregistration waits for the registration (decision 1)
        "sync-mipv6", DEPARTURE, 1,
        """
        BU mn ha 500 504
        DBU mn ha 500 505
        BU ha new 504 516
        BU new ha 516 529
        BA ha new 529 541
        DBA ha mn 529 532
        BA new mn 541 546
        """,
        {"ha": [(528.999, "local"), (529, ["new"]), (1900, ["new"])], "new": [(515.999, None), (516, "hold"), (520, "local")]},
        path_changes(AT_HOME, (509, BY_NEW)),
        path_changes(UP_HOME, (546, UP_NEW)),
        532,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_messages_with_every_hop(name):
    assert_messages(CASES[name])


@pytest.mark.parametrize(("name", "node", "at", "entry"), table_rows(CASES))
def test_tables(name, node, at, entry):
    assert run_case(CASES[name]).table(node, at) == entry


@pytest.mark.parametrize(("name", "sent", "path"), path_rows(CASES, "down"))
def test_path_of_downstream_packets(name, sent, path):
    case = CASES[name]
    assert case.scene.path(case.procedure, down=sent, **case.options) == path


@pytest.mark.parametrize(("name", "sent", "path"), path_rows(CASES, "up"))
def test_path_of_upstream_packets(name, sent, path):
    case = CASES[name]
    assert case.scene.path(case.procedure, up=sent, **case.options) == path


# -- every procedure ---------------------------------------------------------------------------------------------------------
THERE_AND_BACK = scene(
    Stay("ha", down=700, predict=600, warn=690), Stay("old", up=600, down=1700, predict=1600, warn=1690),
    Stay("ha", up=1600, down=2700, predict=2600, warn=2690), Stay("new", up=2600), until=4000, regions=2,
)  # fmt: skip
AT = {1200: "old", 2200: "ha", 3500: "new"}


@pytest.mark.parametrize("profile", ["patent", pytest.param("rfc", marks=pytest.mark.deep)])
@pytest.mark.parametrize("procedure", PROCEDURES)
def test_every_procedure_leaves_home_returns_and_leaves_again(procedure, profile):
    """At home packets are sent to the home address, without a tunnel; away, through the router of the time."""
    stays = THERE_AND_BACK
    if profile == "rfc":  # address checks and tests take seconds
        times = [dict(up=s.up * 5, down=s.down and s.down * 5, predict=s.predict and s.predict * 5, warn=s.warn and s.warn * 5)
                 for s in stays.stays]  # fmt: skip
        stays = scene(*(Stay(s.router, **t) for s, t in zip(stays.stays, times, strict=True)), until=20_000, regions=2)
    scale = 5 if profile == "rfc" else 1
    setup = stays.setup(down=[400, *(at * scale for at in AT)], up=[at * scale for at in AT], options={"profile": profile})
    run = run_procedure(setup, procedure, detail=True)
    assert run.handoffs["completed"].tolist() == [1, 1, 1]
    packets = run.result.packets
    down = packets["flow"] == 0
    order = np.argsort(packets["sent_ps"][down])
    delivered_by = [setup.network.nodes[n].name for n in packets["via"][down][order].tolist()]
    assert delivered_by == ["ha", *AT.values()]
    tunnels = dict(zip(["start", *AT.values()], packets["tunnels"][down][order].tolist(), strict=True))
    assert (tunnels["start"], tunnels["ha"]) == (0, 0)
    assert min(tunnels["old"], tunnels["new"]) > 0
    assert run.result.flows["lost"].sum() == 0


@pytest.mark.parametrize("procedure", [name for name, p in PROCEDURES.items() if p.family == "synchronized"])
@pytest.mark.parametrize("lead_ms", [5, 100])
def test_synchronized_handoffs_lose_nothing_at_the_home_link(procedure, lead_ms):
    """Dual access with large buffers. Nothing follows a marker, with ``hold`` also at correspondents (decision 3)."""
    stays, up = [], 0
    for i, router in enumerate(("ha", "old", "ha", "new", "old", "ha")):
        end = 1000 * (i + 1)
        stays.append(Stay(router, up=up, down=end, predict=end - 20 - lead_ms, warn=end - 20))
        up = end - 20 - lead_ms
    stays.append(Stay("new", up=up))
    buffers = {"new_buffer_packets": None, "old_buffer_packets": None, "upstream_packets": None, "correspondent_race": "hold"}
    moving = scene(*stays, until=8000, regions=2)
    run = run_procedure(moving.setup(range(10, 7500, 3), range(10, 7500, 7), buffers), procedure)
    assert run.handoffs["completed"].tolist() == [1] * 6
    assert run.result.flows["lost"].tolist() == [0, 0]
    assert run.result.flows["duplicate"].tolist() == [0, 0]
    assert run.handoffs["after_marker"].sum() == 0
    assert set(run.handoffs["scenario"].tolist()) <= ({1} if lead_ms == 100 else {1, 2})


# -- rules ---------------------------------------------------------------------------------------------------------------------
def test_a_deregistration_has_lifetime_zero_and_is_not_refreshed():
    """With a lifetime of 4 s the binding is refreshed every 2 s at a router, and never at home."""
    stays = scene(Stay("old", down=5000), Stay("ha", up=5100), until=20_000)
    view = RunView(stays.setup(options={"lifetime_s": 4}), "mipv4")
    requests = [(a.time_ps, MessageFields.unpack(a.arguments["args"]).lifetime_s) for a in view.sends("RQ")]
    assert [lifetime for at, lifetime in requests if at >= 5 * SECOND] == [0]
    assert [lifetime for at, lifetime in requests if at < 5 * SECOND] == [4] * len(requests[:-1])
    assert len(requests) >= 3


def test_a_mobile_node_that_has_never_registered_is_at_home_without_a_message():
    view = RunView(scene(Stay("ha", up=300)).setup(down=[400]), "mipv4")
    assert view.hops() == []
    assert view.run.result.flows["delivered"].tolist() == [1]


def test_packets_take_the_tunnel_until_the_deregistration_although_the_home_link_is_up():
    """The home agent defends the home address. A packet at 730 still goes to the old router, whose link works."""
    stays = scene(Stay("old", down=900), Stay("ha", up=700))
    assert stays.path("mipv6", down=730) == BY_OLD
    assert stays.path("mipv6", down=790) == AT_HOME


def test_the_home_address_is_not_checked_for_duplicates():
    """RFC 6275 11.5.5; with a check of 1 s the update would leave at 1800 instead of 800."""
    view = RunView(scene(Stay("old", down=500), Stay("ha", up=700), until=5000).setup(options={"dad_ps": SECOND}), "mipv6")
    assert view.sends("BU1")[0].time_ps == 800 * MS


def test_a_correspondent_deletes_its_binding_when_the_mobile_node_is_at_home():
    """Seed: an update with the home address and lifetime 0. The home agent sends it at 804; 20 + 1 ms follow."""
    view = RunView(scene(Stay("old", down=500), Stay("ha", up=700)).setup(down=[1800]), "mipv4-smooth")
    assert [view.table("cn", at) for at in (824.999, 825)] == [["old"], None]


def test_a_restarted_home_agent_delivers_to_mobile_nodes_on_its_link():
    stays = scene(Stay("ha"), restarts=[("ha", 1000)])
    assert RunView(stays.setup(), "mipv4").table("ha", 1001) == "local"
    away = scene(Stay("old"), restarts=[("ha", 1000)])
    assert RunView(away.setup(), "mipv4").table("ha", 1001) is None


@pytest.mark.parametrize("procedure", [name for name, p in PROCEDURES.items() if not p.route_optimization])
def test_the_estimated_messages_to_the_home_agent_equal_those_of_a_run(procedure):
    """Hops within the home agent are no messages, and there is nothing to refresh at home."""
    setup = THERE_AND_BACK.setup()
    program = compile_program(setup, procedure)
    roles = RoleResolver(setup, program, CorrespondentTable(setup.network), 1)
    run = run_procedure(setup, procedure)
    assert signalling_load(setup, program, roles).messages(setup.home_agent) == run.result.nodes["registered"][setup.home_agent]
