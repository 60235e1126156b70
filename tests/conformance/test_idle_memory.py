"""Memory of mobile nodes: an idle one has no Python object in the controllers, and one that has moved has few."""

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
NOT_COUNTED = (types.ModuleType, type, types.FunctionType, types.BuiltinFunctionType)


def run_controllers(procedure: str, idle: int) -> dict[int, Any]:
    """Return the controllers of a run in which ``MOVERS`` nodes move between two routers and ``idle`` nodes stay."""
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
    controllers: dict[int, Any] = {}

    def collect(node: int, controller: Any) -> Any:
        controllers[node] = controller
        return controller

    options = Options(lifetime_s=MAX_LIFETIME_S)  # refreshes come after hours, so that nodes that do not move are idle
    setup = Setup(net, net.node_index("ha"), movement, 1500 * MS, options, gateways)
    run = run_procedure(setup, procedure, reference=ZERO_BYTES, wrap=collect)
    assert run.summary()["completed"] == MOVERS
    return controllers


def count_objects(roots: list[Any], excluded: Any) -> int:
    """Count the objects that ``roots`` refer to and the garbage collector tracks, without those of ``excluded``."""
    seen, pending = {id(excluded)}, list(roots)
    while pending:
        thing = pending.pop()
        if id(thing) not in seen and not isinstance(thing, NOT_COUNTED):
            seen.add(id(thing))
            pending += gc.get_referents(thing)
    return len(seen)


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_idle_mobile_nodes_allocate_no_objects(procedure):
    few, many = (run_controllers(procedure, idle) for idle in (0, 1000))
    counts = [count_objects(list(controllers.values()), controllers[-1].roles.network) for controllers in (few, many)]
    assert counts[1] - counts[0] < 100, "for a thousand idle nodes"
    assert set(many[-1].states) == set(range(MOVERS))
    assert counts[0] > MOVERS * 3, "nodes that have moved have state"
