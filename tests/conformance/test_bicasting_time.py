"""Duration of bicasting (decision 29): until the old link is down, and a while longer ("after handoff completion", seed).

The request of 500 binds in addition at 523 (home agent) or 516 (gateway).
"""

import pytest

from tests.conformance.run_assertions import RunView
from tests.conformance.two_router_scene import Scene, Stay

MS = 10**9
ANCHORS = [
    ("mipv4-bicast", "ha", 523, 20), ("hmipv4-bicast", "gw", 516, 27.5), ("hmipv6-bicast", "gw", 516, 27.5),
    ("hmipv6-ro-bicast", "gw", 516, 24),
]  # fmt: skip
"""Procedure, anchor, time of the second binding, and delay from the correspondent to the anchor."""


def dual(down):
    return Scene([Stay("old", down=down, predict=500), Stay("new", up=505)])


def ends(view, anchor, at):
    return [view.table(anchor, t) for t in (at - 0.001, at)] == [["old", "new"], ["new"]]


@pytest.mark.parametrize(("procedure", "anchor", "bound", "_"), ANCHORS)
@pytest.mark.parametrize("linger", [1, 50, 200])
@pytest.mark.parametrize("down", [530, 600, 1200])
def test_the_old_binding_outlasts_the_old_link(procedure, anchor, bound, _, down, linger):
    view = RunView(dual(down).setup(down=[1800], options={"bicast_linger_ps": linger * MS}), procedure)
    assert [view.table(anchor, t) for t in (bound - 0.001, bound)] == [["old"], ["old", "new"]]
    assert ends(view, anchor, down + linger)


@pytest.mark.parametrize(("procedure", "anchor", "bound", "_"), ANCHORS)
def test_a_link_that_is_down_at_the_binding_counts_from_the_binding(procedure, anchor, bound, _):
    """The old link goes down at 510, when the request is on its way."""
    assert ends(RunView(dual(510).setup(down=[1800]), procedure), anchor, bound + 200)


@pytest.mark.parametrize(("procedure", "anchor", "bound", "_"), ANCHORS)
def test_without_linger_the_old_binding_ends_with_the_link(procedure, anchor, bound, _):
    assert ends(RunView(dual(600).setup(down=[1800], options={"bicast_linger_ps": 0}), procedure), anchor, 600)


@pytest.mark.parametrize(("procedure", "anchor", "bound", "_"), ANCHORS)
def test_an_old_link_that_stays_up_is_served_to_the_end(procedure, anchor, bound, _):
    view = RunView(dual(None).setup(down=[1800]), procedure)
    assert [view.table(anchor, t) for t in (bound, 1900)] == [["old", "new"]] * 2


@pytest.mark.parametrize(("procedure", "anchor", "bound", "_"), ANCHORS)
@pytest.mark.parametrize("down", [510, 600, 1200])
def test_a_fixed_duration_does_not_depend_on_the_link(procedure, anchor, bound, _, down):
    view = RunView(dual(down).setup(down=[1800], options={"bicast_ps": 300 * MS}), procedure)
    assert ends(view, anchor, bound + 300)


@pytest.mark.parametrize(("procedure", "_", "bound", "way"), ANCHORS)
@pytest.mark.parametrize(("options", "end"), [({}, 600 + 200), ({"bicast_ps": 300 * MS}, None)])
def test_every_packet_of_that_time_is_copied(procedure, _, bound, way, options, end):
    """One packet a ms, at the anchor at full or half ms: one copy for each of them with two bindings."""
    run = dual(600).run(procedure, down=[t - way for t in range(450, 1000)], **options)
    assert run.result.flows["copies"].tolist() == [(end or bound + 300) - bound]


def test_each_stay_at_a_router_has_its_own_end():
    """The mobile node moves between the routers three times: each time the end of the link that it leaves counts.

    Requests of 200 and 1100 through the old router bind 23 ms later; that of 600 through the new one at 600 + 5 + 6 + 10 + 1.
    """
    stays = [
        Stay("old", down=300, predict=200), Stay("new", up=250, down=700, predict=600),
        Stay("old", up=650, down=1200, predict=1100), Stay("new", up=1150),
    ]  # fmt: skip
    view = RunView(Scene(stays).setup(), "mipv4-bicast")
    assert [view.table("ha", t) for t in (222.999, 223, 499.999, 500)] == [["old"], ["old", "new"], ["old", "new"], ["new"]]
    assert [view.table("ha", t) for t in (621.999, 622, 899.999, 900)] == [["new"], ["new", "old"], ["new", "old"], ["old"]]
    assert [view.table("ha", t) for t in (1122.999, 1123, 1399.999, 1400)] == [["old"], ["old", "new"], ["old", "new"], ["new"]]
