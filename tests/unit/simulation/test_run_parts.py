"""Parts of a run: the programs of a mixture with their members, and the controllers of several parts at one node."""

from array import array
from dataclasses import replace

import numpy as np

from handoff.protocol.mixture import GroupDispatcher, compile_procedure
from handoff.protocol.procedures import MIXTURE
from handoff.protocol.setup import ProcedureGroups
from handoff.simulation.run_parts import anchor_tunnels, group_array, make_parts, merge_controllers, procedure_name
from tests.conformance.random_towns import Town


def town(procedures, group):
    setup = Town(mobiles=4, moving_ms=500, until_ms=600).setup(1)
    return replace(setup, groups=ProcedureGroups(procedures, np.array(group, np.int64)))


def test_one_procedure_is_one_part_of_all_mobile_nodes():
    setup = town(("mipv4",), [0] * 4)
    program = compile_procedure(setup, "mipv4")
    (part,) = make_parts(setup, program, 1)
    assert (part.program, part.roles.members, part.group) == (program, None, 0)
    assert part.roles.select_members(np.array([1, 3])).tolist() == [True, True]
    assert list(group_array(program)) == []
    assert procedure_name(program) == "mipv4"


def test_a_mixture_has_a_part_for_each_group_that_is_not_empty():
    setup = town(("mipv4", "mipv6", "sync-mipv4"), [2, 0, 2, 0])
    mixture = compile_procedure(setup, MIXTURE)
    parts = make_parts(setup, mixture, 1)
    assert [(part.group, part.program.procedure.name) for part in parts] == [(0, "mipv4"), (2, "sync-mipv4")]
    assert [part.roles.select_members(np.array([3, 0])).tolist() for part in parts] == [[True, False], [False, True]]
    assert parts[0].roles.peers is parts[1].roles.peers
    assert list(group_array(mixture)) == [2, 0, 2, 0]
    assert procedure_name(mixture) == MIXTURE


def test_the_anchors_of_a_hierarchical_procedure_send_through_two_tunnels():
    setup = town(("mipv4", "sync-hmipv6"), [1, 0, 0, 1])
    mobile_of_flow = np.array([0, 1, 3, 3])
    assert anchor_tunnels(compile_procedure(setup, MIXTURE), mobile_of_flow).tolist() == [2, 1, 2, 2]
    assert anchor_tunnels(compile_procedure(setup, "sync-hmipv6"), mobile_of_flow).tolist() == [2, 2, 2, 2]
    assert anchor_tunnels(compile_procedure(setup, "mipv4"), mobile_of_flow).tolist() == [1, 1, 1, 1]


def test_a_single_part_keeps_its_controllers():
    controllers = [(-1, "mobile"), (4, "router")]
    assert list(merge_controllers([(3, iter(controllers))], array("i"), [])) == controllers


def test_each_node_of_several_parts_has_a_dispatcher():
    group, messages = array("i", [0, 2]), [0, 0, 0]
    merged = dict(merge_controllers([(0, iter([(-1, "a"), (4, "b")])), (2, iter([(-1, "c"), (7, "d")]))], group, messages))
    assert list(merged) == [-1, 4, 7]
    assert all(isinstance(controller, GroupDispatcher) for controller in merged.values())
    assert all(controller.group is group and controller.messages is messages for controller in merged.values())
    assert {node: d.controllers for node, d in merged.items()} == {
        -1: ["a", None, "c"], 4: ["b", None, None], 7: [None, None, "d"],
    }  # fmt: skip
