"""The observer: messages and actions of one handoff, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from handoff.protocol.setup import ProcedureGroups
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.observer import RunObserver
from handoff.simulation.run import run_procedure
from tests.analytic.one_handoff import MS, one_handoff_setup


@pytest.fixture(scope="module")
def setup():
    return one_handoff_setup("mipv4", old_down=500, new_up=700, until_ms=1000)


def test_every_hop_of_a_registration_is_recorded(setup):
    """The request leaves 100 ms after the new link is up: 5 ms of radio, 12 ms to the home agent, 1 ms of service, and back.

    A controller receives a message when its registration server has served it.
    """
    node = setup.network.node_index
    hops = [(hop.source, hop.to, hop.sent_ps / MS, hop.got_ps / MS) for hop in RunObserver(setup, "mipv4").sent(0)]
    assert hops == [
        (-1, node("new"), 800, 805), (node("new"), node("ha"), 805, 818),
        (node("ha"), node("new"), 818, 830), (node("new"), -1, 830, 835),
    ]  # fmt: skip


def test_actions_have_their_arguments_by_name(setup):
    observer = RunObserver(setup, "mipv4")
    (bind,) = [action for action in observer.actions if action.verb == "bind"]
    assert (bind.time_ps / MS, bind.node, bind.mobile) == (818, setup.home_agent, 0)
    assert bind.arguments["coa"] == setup.network.node_index("new")
    assert not bind.arguments["simultaneous"]


def test_observation_changes_nothing(setup):
    plain = run_procedure(setup, "mipv4", reference=ZERO_BYTES)
    assert RunObserver(setup, "mipv4").run.result.fingerprint == plain.result.fingerprint


def test_one_mobile_node_of_a_mixture_is_observed_with_its_own_program(setup):
    mixed = replace(setup, groups=ProcedureGroups(("mipv6", "mipv4"), np.array([1])))
    observer = RunObserver(mixed, "mixture", mobile=0)
    assert observer.program.procedure.name == "mipv4"
    assert observer.sent(0) == RunObserver(setup, "mipv4").sent(0)
    with pytest.raises(ValueError, match="a mixture has a program for each group: observe one mobile node"):
        RunObserver(mixed, "mixture")


def test_other_mobile_nodes_are_left_out(setup):
    observer = RunObserver(setup, "mipv4", mobile=1)
    assert (observer.actions, observer.arrivals) == ([], [])
