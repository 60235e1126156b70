"""Random scenarios with more lengths of links than an inbox has runs: two hubs whose routers are all at different distances.

What the hubs send arrives in any order: many packets are late. Some queue on their links, and those of both hubs in a cell. In
one scenario of four the links are a hundred times as long and each flow sends 20 packets, so that a late packet may be all that
happens in a window.
"""

from __future__ import annotations

from random import Random

from engine.quantities import FOREVER

from .controllers import Script
from .scenarios import AttachmentRow, CellRow, EntryRow, FlowRow, LinkRow, MobileRow, NodeRow, Pipe, Scenario

US, MS = 10**6, 10**9
BYTES = 50
SLOW = 8 * BYTES * 500  # bits per second: 2 ms for a packet
ROUTERS = 40


def many_lengths(seed: int) -> Scenario:
    """Return a scenario with traffic both ways; packets of 80 mobile nodes are up to 80 ms or 8 s on their way to 40 routers."""
    dice = Random(f"lengths {seed}")
    longest, count = (8000 * MS, 20) if seed % 4 == 2 else (80 * MS, FOREVER)
    ties = seed % 2 == 1
    grid = 100 * US if ties else 1
    routers = [f"r{i}" for i in range(ROUTERS)]
    script = Script(
        seed=seed, nodes=("cn", "far", "hub", *sorted(routers)), cells=tuple(sorted(routers)), grid_ps=grid, patience_ps=MS,
        sizes=(BYTES,), headers=(0,), chaos=0.0, bicast=0.0, hops=2, copy_in_flight=False,
    )  # fmt: skip
    scenario = Scenario(seed, ties, longest + 40 * MS, 4, script, still="everywhere")
    scenario.nodes += [NodeRow(name) for name in ("cn", "hub", "far", *routers)]
    ends = (("cn", "hub"), ("hub", "cn"), ("cn", "far"))
    scenario.links += [LinkRow(a, b, f"{a}>{b}", Pipe(None, 5 * MS)) for a, b in ends]
    for i, router in enumerate(routers):
        wire = Pipe(dice.choice((None, None, SLOW)), dice.randint(MS, longest) // grid * grid)
        scenario.links += [LinkRow(a, b, f"{a}>{b}", wire) for a, b in (("hub", router), (router, "hub"))]
        scenario.links.append(LinkRow("far", router, f"far>{router}", Pipe(None, dice.randint(MS, longest) // grid * grid)))
        scenario.cells.append(CellRow(router, True, Pipe(4 * SLOW, MS), Pipe(None, MS)))
        for mobile, home, directions in ((f"phone {i}", "hub", (False, True)), (f"pad {i}", "far", (False,))):
            scenario.mobiles.append(MobileRow(mobile, home))
            scenario.attachments.append(AttachmentRow(mobile, router, 0, FOREVER))
            scenario.entries += [EntryRow(router, mobile, None), EntryRow(home, mobile, router)]
            scenario.routes_up.append((mobile, router))
            for up in directions:
                step = grid * dice.randint(10, 30) if ties else dice.randint(MS, 3 * MS)
                start = dice.randint(0, 5 * MS) // grid * grid
                scenario.flows.append(FlowRow("cbr", "cn", mobile, up, "lengths", start, FOREVER, step, count, BYTES))
    return scenario
