"""Random scenarios with crowded cells: 60 mobile nodes of two routers send up at the same instants, packets of few sizes or many.

Their packets reach a router in the order of the uplinks' keys, not in the order in which they are sent.
"""

from __future__ import annotations

from random import Random

from engine.quantities import FOREVER

from .controllers import Script
from .scenarios import AttachmentRow, CellRow, EntryRow, FlowRow, LinkRow, MobileRow, NodeRow, Pipe, Scenario

US, MS = 10**6, 10**9
BYTES = 50
SLOW = 8 * BYTES * 1000  # bits per second: 1 ms for a packet
ROUTERS = ("ar", "br")
MOBILES = 60


def crowded_cells(seed: int) -> Scenario:
    """Return a scenario with a correspondent, two routers, and mobile nodes that send at once, each 20 ms and some more often."""
    dice = Random(f"crowd {seed}")
    until = 70 * MS
    script = Script(
        seed=seed, nodes=("ar", "br", "cn"), cells=ROUTERS, grid_ps=MS, patience_ps=MS,
        sizes=(BYTES,), headers=(0,), chaos=0.0, bicast=0.0, hops=2, copy_in_flight=False,
    )  # fmt: skip
    scenario = Scenario(seed, True, until, 4, script, [NodeRow(name) for name in ("cn", *ROUTERS)], still="everywhere")
    for router in ROUTERS:
        scenario.links += [LinkRow(a, b, f"{a}>{b}", Pipe(40 * SLOW, MS)) for a, b in ((router, "cn"), ("cn", router))]
        scenario.cells.append(CellRow(router, dice.random() < 0.5, Pipe(SLOW, MS), Pipe(dice.choice((SLOW, 4 * SLOW)), 2 * MS)))
    for i in range(MOBILES):
        mobile, router = f"phone {i}", dice.choice(ROUTERS)
        scenario.mobiles.append(MobileRow(mobile, router))
        scenario.attachments.append(AttachmentRow(mobile, router, 0, FOREVER))
        scenario.entries.append(EntryRow(router, mobile, None))
        scenario.routes_up.append((mobile, router))
        size = BYTES if dice.random() < 0.5 else dice.randint(1, 4 * BYTES)
        scenario.flows.append(FlowRow("cbr", "cn", mobile, True, "crowd", MS, FOREVER, 20 * MS, FOREVER, size))
        if dice.random() < 0.3:
            start = MS * dice.randint(0, 2)
            scenario.flows.append(FlowRow("cbr", "cn", mobile, True, "more", start, FOREVER, 5 * MS, FOREVER, BYTES))
    return scenario
