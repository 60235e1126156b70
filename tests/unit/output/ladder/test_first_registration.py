"""Tests of handoff.output.ladder.first_registration, with times by hand from the delays of two_router_scene."""

import pytest

from handoff.output.ladder.collect import build_ladder
from handoff.output.ladder.first_registration import first_registration_facts
from handoff.simulation.observer import RunObserver
from tests.conformance.two_router_scene import Scene, Stay

MS = 10**9


def facts_of(*stays, **options):
    setup = Scene(stays).setup(options=options)
    return setup, first_registration_facts(RunObserver(setup, "mipv4", mobile=0), 0)


def test_the_registration_lasts_from_the_link_to_the_reply():
    """Link up at 300, agent discovered at 400; radio 5, home agent 12 and service 1: the reply is back at 435."""
    setup, facts = facts_of(Stay("new", up=300))
    assert (facts["old_router"], facts["new_router"]) == (-1, setup.network.node_index("new"))
    assert [facts[name] / MS for name in ("up_ps", "request_ps", "reply_ps")] == [300, 400, 435]


def test_a_link_that_ends_before_the_request_does_not_count():
    _, facts = facts_of(Stay("old", up=100, down=150), Stay("new", up=300))
    assert [facts[name] / MS for name in ("up_ps", "request_ps")] == [300, 400]


@pytest.mark.parametrize(("up", "message"), [(0, "its link is up at time 0"), (1990, "does not register in this run")])
def test_a_mobile_node_without_a_first_registration_is_refused(up, message):
    with pytest.raises(ValueError, match=message):
        facts_of(Stay("new", up=up))


def test_a_return_home_is_an_ordinary_handoff_without_hops_within_the_home_agent():
    stays = [Stay("old", down=600, predict=500, warn=590), Stay("ha", up=520)]
    ladder = build_ladder(Scene(stays, home_link=True).setup(), "sync-mipv4", 0, 0, 1)
    assert [(a.message, a.source, a.target) for a in ladder.arrows] == [
        ("RQ", "MN", "old router"), ("RQ", "old router", "HA"), ("RR", "HA", "MN"), ("DRR", "HA", "old router"),
        ("DRR", "old router", "MN"),
    ]  # fmt: skip
