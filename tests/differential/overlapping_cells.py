"""Random scenarios with overlapping cells: mostly data, paths of unequal length, a few changes of tunnels.

They test the engine's shortcut for packets of a mobile that no other cell contests.
"""

from __future__ import annotations

from random import Random

from engine.quantities import FOREVER

from .controllers import FORWARD, LATER, Script
from .scenarios import AttachmentRow, CellRow, EntryRow, EventRow, FlowRow, LinkRow, MobileRow, NodeRow, Pipe, Scenario

MS = 10**9
BYTES = 50
FAST = 8 * BYTES * 1000  # bits per second: 1 ms for a packet


def overlapping_cells(seed: int) -> Scenario:
    """Return a scenario with two correspondents, an agent and two routers; the agent's tunnels change the router at times."""
    dice = Random(f"calm {seed}")
    ties = seed % 2 == 1
    grid = MS if ties else 1
    until = 400 * MS

    def moment(low: int, high: int) -> int:
        return dice.randint(low, high) // grid * grid

    def pipe(longest: int) -> Pipe:
        return Pipe(dice.choice((None, FAST, 4 * FAST if not ties else FAST)), max(grid, moment(MS // 2, longest * MS)))

    one, two, agent, near, far = names = dice.sample([f"n{i}" for i in range(30)], 5)
    script = Script(
        seed=seed, nodes=tuple(sorted(names)), cells=tuple(sorted((near, far))), grid_ps=grid, patience_ps=until // 20,
        sizes=(BYTES,), headers=(0, BYTES) if ties else (0, 20), chaos=0.0, bicast=0.0, hops=2, copy_in_flight=False,
        prepared=(0.0, 0.3)[seed % 2],
    )  # fmt: skip
    scenario = Scenario(seed, ties, until, 4, script, [NodeRow(name) for name in names])
    ways = [(one, agent, 3), (two, agent, 3), (agent, near, 3), (agent, far, 20), (near, far, 5)]
    for a, b, longest in [*ways, *((b, a, longest) for a, b, longest in ways)]:
        scenario.links.append(LinkRow(a, b, f"{a}>{b}", pipe(longest)))
    for router in (near, far):
        scenario.cells.append(CellRow(router, dice.random() < 0.3, pipe(6), pipe(6)))
    phones = [f"phone {i}" for i in range(dice.randint(1, 3))]
    for mobile in phones:
        scenario.mobiles.append(MobileRow(mobile, agent))
        # attached to both cells for a while, or for the whole run
        leaves, comes = moment(until // 3, until), moment(0, until // 2)
        scenario.attachments.append(AttachmentRow(mobile, near, 0, dice.choice((FOREVER, leaves))))
        scenario.attachments.append(AttachmentRow(mobile, far, dice.choice((0, comes)), FOREVER))
        scenario.entries += [EntryRow(near, mobile, None), EntryRow(far, mobile, None), EntryRow(agent, mobile, near)]
        for correspondent in dice.sample((one, two), dice.randint(1, 2)):
            step = grid * dice.choice((2, 3, 5)) if ties else dice.randint(MS, 8 * MS)
            scenario.flows.append(
                FlowRow("cbr", correspondent, mobile, False, "calm", moment(0, 10 * MS), FOREVER, step, FOREVER, BYTES)
            )
        rank = {name: script.nodes.index(name) for name in (near, far)}
        for k in range(dice.randint(0, 4)):
            t = moment(until // 20, until)
            scenario.events.append(EventRow(t, agent, mobile, FORWARD, rank[(near, far)[k % 2]]))
        for _ in range(dice.randint(0, 2)):
            scenario.events.append(EventRow(moment(0, until), None, mobile, LATER, 8 * rank[dice.choice((near, far))]))
        scenario.routes_up.append((mobile, near))
    pairs = Random(f"calm pairs {seed}")
    for sender in phones:
        for receiver in phones:
            if sender != receiver and pairs.random() < 0.5:
                step = grid * pairs.choice((2, 3, 5)) if ties else pairs.randint(MS, 8 * MS)
                start = pairs.randint(0, 10) * grid
                scenario.flows.append(
                    FlowRow("cbr", agent, receiver, False, "pair", start, FOREVER, step, FOREVER, BYTES, peer=sender)
                )
    return scenario
