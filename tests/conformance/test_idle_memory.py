"""A mobile node that nothing happens to costs the machine no Python object, and one that has moved few."""

import gc
import types
from typing import Any

import numpy as np
import pytest

from engine import FOREVER, Network
from handoff.protocol.constants import MAX_LIFETIME_S
from handoff.protocol.procedures import PROCEDURES
from handoff.protocol.setup import Attachments, Options, Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import run_procedure

MS = 10**9
MOVERS = 20
PROCESSOR = (types.ModuleType, type, types.FunctionType, types.BuiltinFunctionType)


def run_controllers(procedure: str, idle: int) -> dict[int, Any]:
    """Those of a run in which ``MOVERS`` nodes move from one router to the other, and ``idle`` more stay."""
    net = Network()
    for name in ("cn", "ha", "gw"):
        net.node(name)
    net.link("cn", "ha", delay=5 * MS, both=True)
    net.link("ha", "gw", delay=5 * MS, both=True)
    for name in ("old", "new"):
        net.node(name)
        net.link("gw", name, delay=5 * MS, both=True)
        net.cell(name, delay=2 * MS)
    net.link("old", "new", delay=2 * MS, both=True)
    mobiles = net.mobiles(MOVERS + idle, home="ha")
    net.cbr("cn", mobiles, interval=50 * MS, size_bytes=100)
    old, new = net.node_index("old"), net.node_index("new")
    rows = []
    for m in mobiles:
        down = 500 * MS if m < MOVERS else FOREVER
        rows.append((m, old, 0, down, 300 * MS if m < MOVERS else -1, 450 * MS if m < MOVERS else -1))
        if m < MOVERS:
            rows.append((m, new, 480 * MS, FOREVER, -1, -1))
    movement = Attachments(*[np.array(column, np.int64) for column in zip(*rows, strict=True)])
    gateways = dict.fromkeys((old, new), net.node_index("gw"))
    found: dict[int, Any] = {}

    def keep(node: int, controller: Any) -> Any:
        found[node] = controller
        return controller

    seldom = Options(lifetime_s=MAX_LIFETIME_S)  # refreshed in hours: idle is who does nothing
    setup = Setup(net, net.node_index("ha"), movement, 1500 * MS, seldom, gateways)
    run = run_procedure(setup, procedure, reference=ZERO_BYTES, wrap=keep)
    assert run.summary()["completed"] == MOVERS
    return found


def count_objects(roots: list[Any], but: Any) -> int:
    """How many count_objects that the collector knows are held by ``roots``, without those held by ``but``."""
    seen, left = {id(but)}, list(roots)
    while left:
        thing = left.pop()
        if id(thing) not in seen and not isinstance(thing, PROCESSOR):
            seen.add(id(thing))
            left += gc.get_referents(thing)
    return len(seen)


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_idle_mobile_nodes_allocate_no_objects(procedure):
    few, many = (run_controllers(procedure, idle) for idle in (0, 1000))
    counts = [count_objects(list(found.values()), found[-1].roles.network) for found in (few, many)]
    assert counts[1] - counts[0] < 100, "of a thousand idle ones"
    assert set(many[-1].states) == set(range(MOVERS))
    assert counts[0] > MOVERS * 3, "those that have moved are there"
