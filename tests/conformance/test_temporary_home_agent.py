"""A temporary home agent that is not the old router (seed, figures 4A-5B, where it is node 40 beside the old router 42).

Every expectation is computed by hand from the delays of ``two_router_scene``: old-tha 2 ms, tha-new 7, no service. The packets of
the old care-of address take the link from the old router to the temporary home agent and the tunnel from there. The temporary
home agent sends its acknowledgement first, then the neighbour advertisement (docs/procedures.md).
"""

import numpy as np
import pytest

from tests.conformance.case_runs import assert_messages, path_rows, run_case, table_rows
from tests.conformance.cases import BREAK, BY_NEW, BY_OLD, STRAIGHT_NEW, STRAIGHT_OLD, Case, arriving_at, path_changes
from tests.conformance.run_assertions import RunView
from tests.conformance.two_router_scene import SIZE, Scene, Stay, delivered

SCENE = Scene(BREAK.stays, temporary_home_agent=True)
BY_THIRD = delivered("cn>ha", "ha>old", "old>tha", "tha>new", "new>*", delay=44)
STRAIGHT_BY_THIRD = delivered("cn>old", "old>tha", "tha>new", "new>*", delay=39)

CASES = {
    "mipv6": Case(  # the old router keeps its packets from 496 to 814, when the neighbour advertisement arrives
        "mipv6", SCENE, 0,
        """
        BU1 mn new 800 805
        BU3 mn new 800 805
        BU1 new ha 805 818
        BU3 new tha 805 812
        BA3 tha new 812 819
        NA tha old 812 814
        BA1 ha new 818 830
        BA3 new mn 819 824
        BA1 new mn 830 835
        """,
        {
            "ha": [(817.999, ["old"]), (818, ["new"])],
            "old": [(813.999, "hold"), (814, ["tha"]), (1900, ["tha"])],
            "tha": [(811.999, None), (812, ["new"]), (1900, ["new"])],
        },
        path_changes(BY_OLD, (466.001, arriving_at(828, BY_THIRD)), (784, BY_THIRD), (798, BY_NEW)),
        (),
    ),
    "mipv6-ro": Case(
        "mipv6-ro", SCENE, 0,
        """
        BU1 mn new 800 805
        BU2 mn new 800 805
        BU3 mn new 800 805
        BU1 new ha 805 818
        BU2 new cn 805 833
        BU3 new tha 805 812
        BA3 tha new 812 819
        NA tha old 812 814
        BA1 ha new 818 830
        BA3 new mn 819 824
        BA1 new mn 830 835
        BA2 cn new 833 860
        BA2 new mn 860 865
        """,
        {
            "cn": [(832.999, ["old"]), (833, ["new"])],
            "old": [(813.999, "hold"), (814, ["tha"])],
            "tha": [(811.999, None), (812, ["new"])],
        },
        path_changes(STRAIGHT_OLD, (471.001, arriving_at(828, STRAIGHT_BY_THIRD)), (789, STRAIGHT_BY_THIRD), (833, STRAIGHT_NEW)),
        (),
    ),
    "mipv6, discovered": Case(  # the request for home agents of the old sub-network is answered by the third router
        "mipv6", SCENE, 0,
        """
        BU1 mn new 800 805
        HADQ mn new 800 805
        BU1 new ha 805 818
        HADQ new tha 805 812
        HADR tha new 812 819
        BA1 ha new 818 830
        HADR new mn 819 824
        BU3 mn new 824 829
        BU3 new tha 829 836
        BA1 new mn 830 835
        BA3 tha new 836 843
        NA tha old 836 838
        BA3 new mn 843 848
        """,
        {"old": [(837.999, "hold"), (838, ["tha"])], "tha": [(835.999, None), (836, ["new"])]},
        path_changes(BY_OLD, (466.001, arriving_at(838 + 14, BY_THIRD)), (798, BY_NEW)),
        (),
        options={"temporary_home_agent": "discovery"},
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


def test_a_packet_is_handed_over_without_a_header_and_tunnelled_from_there():
    """The tunnel of the home agent (40 bytes) ends at the mobile node; the temporary home agent adds its own."""
    result = SCENE.run("mipv6", [790]).result
    data = dict(zip(result.link_names, result.links["bytes"] - result.links["control_bytes"], strict=True))
    assert [data[name] for name in ("ha>old", "old>tha", "tha>new", "new>*")] == [SIZE + 40, SIZE + 40, SIZE + 80, SIZE + 80]


def test_a_mobile_node_that_returns_gets_its_packets_from_the_old_router():
    stays = [Stay("old", down=500), Stay("new", up=700, down=1100), Stay("old", up=1200)]
    scene = Scene(stays, temporary_home_agent=True)
    view = RunView(scene.setup(down=[1600]), "mipv6")
    assert [view.table("old", at) for at in (1199.999, 1200, 1900)] == [["tha"], "local", "local"]
    assert view.run.result.flows["delivered"].tolist() == [1]


def test_forwarding_ends_with_its_lifetime_at_both_nodes():
    view = RunView(Scene(BREAK.stays, until=13_000, temporary_home_agent=True).setup(), "mipv6")
    assert [view.table("tha", at) for at in (12_811.999, 12_812)] == [["new"], None]
    assert [view.table("old", at) for at in (12_813.999, 12_814)] == [["tha"], None]


@pytest.mark.parametrize("procedure", ["sync-mipv6", "mipv4-smooth"])
def test_other_procedures_ask_the_old_router(procedure):
    """In phases II-4 and III-3 the old router itself becomes the temporary home agent; IPv4 has none."""
    with_third = RunView(SCENE.setup(down=[1800]), procedure).hops()
    assert with_third == RunView(BREAK.setup(down=[1800]), procedure).hops()


def test_no_packet_is_lost():
    run = SCENE.run("mipv6", np.arange(400, 1000, 20))
    assert run.result.flows["lost"].tolist() == [0]
