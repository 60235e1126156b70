"""Random scenarios with traffic in one direction: from correspondents through agents and servers to cells, and on to a sink.

Upstream units may then run ahead of the others by the length of the links between them. The links have very different
lengths, and the load is high enough that packets arrive at the edge of every window.
"""

from __future__ import annotations

from random import Random

from engine.quantities import FOREVER

from .controllers import Script
from .scenarios import AttachmentRow, CellRow, EntryRow, FlowRow, LinkRow, MobileRow, NodeRow, Pipe, Scenario

US, MS = 10**6, 10**9
BYTES = 50
FAST = 8 * BYTES * 10_000  # bits per second: 0.1 ms for a packet


def feedforward_network(seed: int) -> Scenario:
    """Return one to three layers of nodes upstream of two or three routers; in half of them the mobiles send to a sink."""
    dice = Random(f"still {seed}")
    ties = seed % 2 == 1
    grid = 100 * US if ties else 1
    until = 100 * MS

    def pipe() -> Pipe:
        longest = dice.choice((200 * US, MS, 10 * MS, 40 * MS))
        return Pipe(dice.choice((None, None, FAST)), max(grid, dice.randint(longest // 4, longest) // grid * grid))

    names = dice.sample([f"n{i}" for i in range(30)], 10)
    layers = [[names.pop() for _ in range(dice.randint(1, 2))] for _ in range(dice.randint(1, 3))]
    routers = [names.pop() for _ in range(dice.randint(2, 3))]
    sink = dice.choice((None, names.pop()))
    nodes = [name for layer in [*layers, routers, [sink] if sink else []] for name in layer]
    script = Script(
        seed=seed, nodes=tuple(sorted(nodes)), cells=tuple(sorted(routers)), grid_ps=grid, patience_ps=until // 20,
        sizes=(BYTES,), headers=(0,), chaos=0.0, bicast=0.0, hops=2, copy_in_flight=False,
    )  # fmt: skip
    scenario = Scenario(seed, ties, until, 4, script, still=dice.choice(("nodes", "everywhere", "")))
    for name in nodes:
        service = dice.choice((0, 0, 0, 100 * US))
        scenario.nodes.append(NodeRow(name, service, 8 if service else None))
    for upper, lower in zip(layers, [*layers[1:], routers], strict=True):
        scenario.links += [LinkRow(a, b, f"{a}>{b}", pipe()) for a in upper for b in lower]
    for router in routers:
        if sink:
            scenario.links.append(LinkRow(router, sink, f"{router}>{sink}", pipe()))
        scenario.cells.append(CellRow(router, dice.random() < 0.3, pipe(), pipe()))
    for i in range(dice.randint(2, 5)):
        mobile, router = f"phone {i}", dice.choice(routers)
        home = dice.choice(layers[-1])
        scenario.mobiles.append(MobileRow(mobile, home))
        scenario.attachments.append(AttachmentRow(mobile, router, 0, dice.choice((FOREVER, dice.randint(until // 4, until)))))
        scenario.entries += [EntryRow(router, mobile, None), EntryRow(home, mobile, router)]
        sources = [name for layer in layers for name in layer] if home in layers[0] else layers[0]
        source = dice.choice([name for name in sources if name == home or name not in layers[-1]] or [home])
        step = grid * dice.choice((1, 2, 3)) if ties else dice.randint(200 * US, MS)
        law = "cbr" if ties else dice.choice(("cbr", "poisson"))
        ends = [(source, False)] + [(sink, True)] * (sink is not None)
        for correspondent, up in ends:
            start = dice.randint(0, 5 * MS) // grid * grid
            scenario.flows.append(FlowRow(law, correspondent, mobile, up, "still", start, FOREVER, step, FOREVER, BYTES))
        scenario.routes_up.append((mobile, router))
    return scenario
