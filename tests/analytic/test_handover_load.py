"""Messages that a handover of LTE or 5G brings to each node: by the steps of the standards, by the estimate, and by a run."""

from dataclasses import replace

import pytest

from handoff.protocol.procedures import HANDOVERS
from handoff.protocol.program import compile_program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import CorrespondentTable, Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import run_procedure
from handoff.theory.signalling_load import signalling_load
from tests.conformance.two_router_scene import Scene, Stay

SINGLE = {"predict": 300, "old_down": 504, "new_up": 554}
MOVES = {
    "single": SINGLE,
    "single, announced twice": SINGLE | {"predict": 300, "warn": 350},
    "dual": SINGLE | {"old_down": 900, "new_up": 520},
    "unannounced": SINGLE | {"predict": None},
    "unannounced, on the second radio": {"predict": None, "old_down": 900, "new_up": 520},
}
ARRIVALS = {
    # Path Switch Request and the session's answer; at the SMF the session's request and the UPF's answer; at the source the
    # measurement report, Handover Request Acknowledge and Context Release; at the target Handover Request, Status Transfer,
    # Reconfiguration Complete and Path Switch Request Acknowledge. The End Marker passes the servers.
    "x2": {"amf": 2, "smf": 0, "ha": 1, "old": 3, "new": 4},
    "xn": {"amf": 2, "smf": 2, "ha": 1, "old": 3, "new": 4},
    # At the AMF: Required, Request Acknowledge, Status Transfer, Notify, Release Complete, and three answers of the SMF in 5G, or
    # of the serving gateway in LTE.
    "s1-indirect": {"amf": 8, "smf": 0, "ha": 3, "old": 3, "new": 3},
    "n2-indirect": {"amf": 8, "smf": 6, "ha": 3, "old": 3, "new": 3},
}  # fmt: skip


def handover(*, predict: float | None, old_down: float, new_up: float, warn: float | None = None) -> Setup:
    setup = Scene([Stay("old", 0, old_down, predict=predict, warn=warn), Stay("new", new_up)]).setup()
    index = setup.network.node_index
    return replace(setup, control_nodes={"AMF": index("gw"), "SMF": index("gw2"), "CMD": index("peer")})


def estimated(setup: Setup, procedure: str) -> dict[str, float]:
    program = compile_program(setup, procedure)
    load = signalling_load(setup, program, RoleResolver(setup, program, CorrespondentTable(setup.network), 1))
    names = {"gw": "amf", "gw2": "smf"}
    return {names.get(node.name, node.name): load.messages(i) for i, node in enumerate(setup.network.nodes)}


@pytest.mark.parametrize("procedure", ARRIVALS)
def test_the_messages_of_a_handover_are_those_of_the_standards(procedure):
    counts = estimated(handover(**SINGLE), procedure)
    assert {node: counts[node] for node in ARRIVALS[procedure]} == ARRIVALS[procedure]


@pytest.mark.parametrize("procedure", HANDOVERS)
@pytest.mark.parametrize("move", MOVES)
def test_every_node_gets_the_estimated_messages_of_one_handover(procedure, move):
    setup = handover(**MOVES[move])
    result = run_procedure(setup, procedure, reference=ZERO_BYTES).result
    counted = result.nodes["registered"].tolist()
    assert list(estimated(setup, procedure).values()) == pytest.approx(counted, abs=0.01)  # a refresh is an expectation
