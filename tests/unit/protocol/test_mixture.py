"""Mixtures: compilation of the groups' procedures, and the dispatcher before their controllers."""

from array import array
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from engine import EventKind
from handoff.protocol.mixture import GroupDispatcher, Mixture, compile_procedure, unsupported_reasons
from handoff.protocol.options import Options
from handoff.protocol.procedures import MIXTURE, PROCEDURES
from handoff.protocol.setup import ProcedureGroups
from tests.unit.protocol.parts import MS, build_parts


def setup_with_groups(*procedures):
    return replace(build_parts("mipv4").setup, groups=ProcedureGroups(procedures, np.zeros(1, np.int64)))


def test_a_mixture_has_the_program_of_each_group():
    mixture = compile_procedure(setup_with_groups("sync-mipv6", "mipv4", "sync-mipv6"), MIXTURE)
    assert [program.procedure.name for program in mixture.programs] == ["sync-mipv6", "mipv4", "sync-mipv6"]


def test_a_compiled_procedure_stays_as_it_is():
    setup = setup_with_groups("mipv4")
    mixture, program = compile_procedure(setup, MIXTURE), compile_procedure(setup, "mipv4")
    assert isinstance(mixture, Mixture)
    assert not isinstance(program, Mixture)
    assert compile_procedure(setup, mixture) is mixture
    assert compile_procedure(setup, program) is program


def test_a_mixture_without_groups_is_refused():
    with pytest.raises(ValueError, match=r"mixture: the scenario has no groups: give each group a table \[\[mixture\]\]"):
        compile_procedure(build_parts("mipv4").setup, MIXTURE)


def test_the_problems_of_all_groups_are_reported_once():
    setup = replace(setup_with_groups("sync-hmipv4", "mipv9", "sync-hmipv6"), gateways={}, options=Options(lifetime_s=0))
    with pytest.raises(ValueError, match="lifetime") as error:
        compile_procedure(setup, MIXTURE)
    assert [line.split()[0] for line in str(error.value).splitlines()] == ["lifetime", "sync-hmipv4", "no", "sync-hmipv6"]


def test_all_reasons_are_listed_for_each_procedure():
    setup = build_parts("mipv4").setup
    setup = replace(setup, gateways={}, options=Options(lifetime_s=0, retransmit_ps=MS))
    flat, hierarchical, mixture = unsupported_reasons(setup, ["mipv4", "sync-hmipv4", MIXTURE])
    assert [line.split()[0] for line in flat.splitlines()] == ["lifetime", "the"]
    assert [line.split()[0] for line in hierarchical.splitlines()] == ["lifetime", "the", "sync-hmipv4"]
    assert mixture.startswith("mixture: the scenario has no groups")
    assert unsupported_reasons(build_parts("mipv4").setup, PROCEDURES) == []


class Listener:
    def __init__(self):
        self.mobiles = []

    def on_event(self, ctx, event):
        self.mobiles.append((ctx, event.mobile))


def test_a_dispatcher_passes_an_event_to_the_group_of_its_mobile_node():
    first, third = Listener(), Listener()
    dispatcher = GroupDispatcher(array("i", [2, 0, 1, 2]), [first, None, third], [0, 0, 0])
    for mobile in (0, 1, 2, 3):
        dispatcher.on_event("context", SimpleNamespace(mobile=mobile, kind=EventKind.TIMER, node=4))
    assert first.mobiles == [("context", 1)]
    assert third.mobiles == [("context", 0), ("context", 3)]
    assert dispatcher.messages == [0, 0, 0]


def test_a_dispatcher_counts_the_messages_that_agents_receive():
    messages = [0, 5]
    dispatcher = GroupDispatcher(array("i", [1, 0]), [None, None], messages)
    for kind, node in ((EventKind.MESSAGE, 4), (EventKind.REFUSED_MESSAGE, 4), (EventKind.MESSAGE, -1)):
        dispatcher.on_event("context", SimpleNamespace(mobile=0, kind=kind, node=node))
    assert messages == [0, 6]
