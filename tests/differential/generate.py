"""Random scenarios by seed. Half of them use a coarse grid of times and sizes, so that events tie."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from engine.quantities import FOREVER

from .controllers import EARLY, HANDOFF, STIR, Script
from .scenarios import AttachmentRow, CellRow, EntryRow, EventRow, FlowRow, LinkRow, MobileRow, NodeRow, Pipe, Scenario

US, MS = 10**6, 10**9
TIE_BYTES = 50  # 400 bits, and a tunnel header of as many: twice the time


def generate(seed: int) -> Scenario:
    """Return scenario number ``seed``; odd numbers force ties."""
    return _Generator(seed).scenario


class _Generator:
    def __init__(self, seed: int) -> None:
        self.dice = dice = Random(f"scenario {seed}")
        self.answering = Random(f"answering {seed}")
        self.clocks = Random(f"clocks {seed}")
        self.peers = Random(f"peers {seed}")
        self.ties = seed % 2 == 1
        self.grid = dice.choice((50 * US, MS)) if self.ties else 1
        self.until = self.on_grid(dice.choice((40 * MS, 200 * MS, 1000 * MS)))
        many = Random(f"many {seed}")  # more than the engine keeps in one group
        few = many.random() >= 0.2
        self.immediate = 0.3 if few else many.choice((0, 0.03))  # one such wire, and no nodes go side by side
        self.names = dice.sample([f"n{i}" for i in range(30)], dice.randint(2, 10) if few else many.randint(17, 30))
        most = min(5, len(self.names))
        self.with_cell = dice.sample(self.names, dice.choice((1, *[dice.randint(2, most)] * 7)))
        self.place = {name: i for i, name in enumerate(dice.sample([*self.names, None], len(self.names) + 1))}
        self.flow_count = dice.randint(1, 14)
        self.packets = dice.randint(200, 1600)
        self.gap = self.on_grid(self.until * self.flow_count // self.packets)
        self.loss = dice.choice(("0", "0.01", "0.2"))
        self.scenario = Scenario(seed, self.ties, self.until, dice.choice((1, 2, 3, 4, 4, 4)), self.script(seed))
        self.topology()
        self.radio()
        self.movement()
        self.traffic()

    def script(self, seed: int) -> Script:
        dice = self.dice
        return Script(
            seed=seed,
            nodes=tuple(sorted(self.names)),
            cells=tuple(sorted(self.with_cell)),
            grid_ps=self.grid,
            patience_ps=dice.choice((self.until // 50, self.until // 8)),
            sizes=(TIE_BYTES,) if self.ties else (40, 48, 76, 120),
            headers=(0, 0, TIE_BYTES) if self.ties else (0, 8, 20, 40),
            chaos=dice.choice((0.0, 0.1, 0.3, 0.6)),
            bicast=dice.choice((0.0, 0.3, 0.8)),
            hops=dice.choice((2, 3, 4)),
            copy_in_flight=seed % 4 == 1,
            prepared=(0.0, 0.2, 0.6)[seed % 3],
        )

    # -- quantities ------------------------------------------------------------------------------------------------------
    def on_grid(self, t: int) -> int:
        return max(self.grid, t // self.grid * self.grid)

    def moment(self, low: int, high: int) -> int:
        return self.dice.randint(low, max(low, high)) // self.grid * self.grid

    def delay(self) -> int:
        if self.ties:
            return self.grid * self.dice.choice((1, 1, 2, 3, 10))
        exponent = self.dice.choice((10 * US, 100 * US, MS, 5 * MS, 20 * MS))
        return self.dice.randint(exponent // 2, min(exponent * 5 // 2, 50 * MS))

    def rate(self, utilisation: float) -> int | None:
        """Draw a rate that carries the mean load at about ``utilisation``; sometimes None, which is infinite."""
        if self.dice.random() < (0.4 if self.ties else 0.15):
            return None
        if self.ties:
            steps = self.dice.choice((1, 1, 2, 4, 5))
            return 8 * TIE_BYTES * 10**12 // (self.grid * steps)
        return max(1000, int(8 * 400 * 10**12 * self.flow_count / (self.gap * utilisation)))

    def pipe(self, slowest: float, may_be_immediate: bool) -> Pipe:
        dice = self.dice
        return Pipe(
            self.rate(dice.choice((0.05, 0.3, 0.8, slowest))),
            0 if may_be_immediate and dice.random() < self.immediate else self.delay(),
            dice.choice((None, None, 1, 3, 8, 20)),
            dice.choice((None, None, None, 2 * TIE_BYTES, 20 * TIE_BYTES) if self.ties else (None, None, None, 1500, 4000)),
            self.loss if dice.random() < 0.4 else "0",
        )

    # -- nodes and links ---------------------------------------------------------------------------------------------------
    def topology(self) -> None:
        dice, names = self.dice, self.names
        for name in names:
            service = self.on_grid(int(self.gap / self.flow_count * dice.uniform(0.05, 1.2))) if dice.random() < 0.3 else 0
            registration = self.on_grid(dice.choice((US, 100 * US, MS))) if dice.random() < 0.5 else 0
            queue, registration_queue = dice.choice((None, 2, 10)), dice.choice((None, 1, 2)) if registration else None
            answers = self.answering.random() < 0.7
            if answers and self.answering.random() < 0.5:  # so slow that many are refused
                registration, registration_queue = self.on_grid(self.until // 40), self.answering.choice((1, 1, 2))
            self.scenario.nodes.append(NodeRow(name, service, queue, registration, registration_queue, answers))
        shape = dice.choice(("chain", "tree", "mesh", "ring"))
        arcs = []
        for i in range(1, len(names)):
            parent = names[dice.randrange(i)] if shape == "tree" else names[i - 1]
            arcs += [(parent, names[i])] + ([(names[i], parent)] if shape != "ring" else [])
        if shape == "ring":
            arcs.append((names[-1], names[0]))
        extra = {"mesh": len(names), "ring": 1}.get(shape, 0)
        for _ in range(extra):
            a, b = dice.sample(names, 2)
            arcs.append((a, b))
        for number, (a, b) in enumerate(arcs):
            name = f"{a}>{b}" if (a, b) not in arcs[:number] else f"{a}>{b} {number}"
            pipe = self.pipe(1.5, self.place[a] < self.place[b])
            self.scenario.links.append(LinkRow(a, b, name, pipe))

    def radio(self) -> None:
        fleet = self.place[None]
        for name in self.with_cell:
            down = self.pipe(6, self.place[name] < fleet)
            up = self.pipe(3, fleet < self.place[name])
            self.scenario.cells.append(CellRow(name, self.dice.random() < 0.6, down, up))

    # -- mobiles -------------------------------------------------------------------------------------------------------------
    def movement(self) -> None:
        dice, scenario = self.dice, self.scenario
        family = dice.randint(0, 8)
        if family:
            scenario.mobiles.append(MobileRow("mn", self.home(), family))
        for i in range(dice.randint(0 if family else 1, 4)):
            scenario.mobiles.append(MobileRow(f"phone {i}", self.home()))
        self.who = [(name, row.home) for row in scenario.mobiles for name in row.names()]
        self.overlap = dice.choice((0, self.until // 20, self.until // 4))
        self.busy = dice.sample(self.who, min(len(self.who), dice.randint(1, 3)))
        for mobile, home in self.who:
            self.walk(mobile, home, most=15 if (mobile, home) in self.busy else 2)

    def home(self) -> str:
        """Draw a home node, usually one without a cell."""
        apart = [name for name in self.names if name not in self.with_cell]
        return self.dice.choice(apart if apart and self.dice.random() < 0.7 else self.names)

    def walk(self, mobile: str, home: str, most: int) -> None:
        """Draw consecutive attachments with gaps or overlaps, and a handoff near each change."""
        dice, scenario = self.dice, self.scenario
        first = cell = dice.choice(self.with_cell)
        up, stay = 0, dice.choice((self.until // 8, self.until // 3, self.until))
        last: dict[str, int] = {}
        for _ in range(most):
            if up >= self.until:
                break
            down = FOREVER if dice.random() < 0.05 else self.on_grid(up + self.moment(1, stay))
            if up > last.get(cell, -1):
                scenario.attachments.append(AttachmentRow(mobile, cell, up, down))
                last[cell] = down
            gap = self.until // 20
            change = down if down < FOREVER else self.moment(up, self.until)
            up = max(0, self.moment(change - self.overlap, change + gap // 2))
            cell = dice.choice([c for c in self.with_cell if c != cell] or [cell])
            lead = self.moment(0, gap) * dice.choice((-1, 0, 1))
            arg = scenario.script.nodes.index(cell) + (EARLY if lead < 0 else 0)
            scenario.events.append(EventRow(max(0, up + lead), None, mobile, HANDOFF, arg))
        for node in dice.sample(self.names, min(2, len(self.names))):
            if scenario.script.chaos and dice.random() < 0.5:
                t = self.moment(0, self.until)
                scenario.events.append(EventRow(t, dice.choice((node, None)), mobile, STIR, dice.randrange(3)))
        self.first_entries(mobile, home, first)

    def first_entries(self, mobile: str, home: str, first: str) -> None:
        dice, scenario = self.dice, self.scenario
        header, end = dice.choice(scenario.script.headers), dice.choice(("router", "mobile"))
        if dice.random() < 0.9:
            scenario.entries.append(EntryRow(first, mobile, None))
            if home != first and dice.random() < 0.9:
                scenario.entries.append(EntryRow(home, mobile, first, header, end))
        other = dice.choice(self.names)
        if other not in (home, first) and dice.random() < 0.2:
            scenario.entries.append(EntryRow(other, mobile, first, header, end))
        if dice.random() < 0.8:
            scenario.routes_up.append((mobile, first))

    # -- traffic -------------------------------------------------------------------------------------------------------------
    def traffic(self) -> None:
        dice = self.dice
        for number in range(self.flow_count):
            source = dice.choice(("cbr", "cbr", "poisson", "replay"))
            start, stop = self.moment(0, self.gap), FOREVER if dice.random() < 0.7 else self.moment(0, self.until)
            count = FOREVER if dice.random() < 0.8 else dice.randint(0, 40)
            size = TIE_BYTES if self.ties else dice.choice((60, 200, 576, 1400))
            times, sizes, step = self.replayed(size) if source == "replay" else ((), (), self.gap)
            self.scenario.flows.append(
                self.recorded(
                    source,
                    dice.choice(self.names),
                    dice.choice(self.busy if dice.random() < 0.8 else self.who)[0],
                    dice.random() < 0.3,
                    f"{source} {number}",
                    start,
                    stop,
                    step,
                    count,
                    size,
                    times,
                    sizes,
                )
            )
        self.between_mobiles()

    def between_mobiles(self) -> None:
        """Add some of the flows again with another mobile as correspondent, in half of the scenarios with several mobiles."""
        flows, peers = self.scenario.flows, self.peers
        if len(self.who) > 1 and peers.random() < 0.5:
            for flow in peers.sample(flows, min(len(flows), peers.randint(1, 4))):
                others = [name for name, _ in self.who if name != flow.mobile]
                flows.append(replace(flow, label=f"{flow.label} call", up=peers.random() < 0.5, peer=peers.choice(others)))

    def recorded(self, *row: Any) -> FlowRow:
        """Return the flow with the times of its replay in a recorder's clock."""
        flow, clocks = FlowRow(*row), self.clocks
        if not flow.times:
            return flow
        origin = clocks.choice((0, 1_700_000_000 * 10**9))
        if self.ties:  # no time moves
            multiply, divide = clocks.choice(((1, 1), (1000, 1), (1000, 4)))
        else:
            multiply, divide = clocks.choice(((1, 1), (1000, 1), (1000, 3), (10**12 + 39, 10**12 - 11)))
        times = tuple(origin + t * divide // multiply for t in flow.times)
        return replace(flow, times=times, origin=origin, multiply=multiply, divide=divide)

    def replayed(self, size: int) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        """Draw a replay with bursts: some packets have equal times."""
        dice, packets = self.dice, self.dice.randint(1, 12)
        length = self.gap * packets
        times = sorted(self.moment(0, length) for _ in range(packets))
        times = [dice.choice(times[: i + 1][-2:]) for i in range(packets)]
        sizes = tuple(size if self.ties else dice.randint(40, 1500) for _ in range(packets))
        return tuple(sorted(times)), sizes, dice.choice((0, length + self.grid))
