"""Controllers of the random scenarios: a simple handoff script with random disturbances.

Every choice is drawn from (seed, place, mobile, event) by names. It is the same in oracle and engine and for any order of
declaration; shifted or scaled times give shifted or scaled choices. Controllers that count also draw with the number of
the event: their choices show the order of their events.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from engine.network import Network
from engine.results import Fate

HANDOFF, STIR, SERVE, REGISTER, FORWARD, MARKER, CHATTER, LEAVE, LATER = range(1, 10)
EARLY = 100  # added to a handoff's target: the mobile is not there yet and sends through its old cell
ANY_CODE = (SERVE, REGISTER, FORWARD, MARKER, CHATTER, LEAVE)


@dataclass(frozen=True)
class Script:
    """Parameters that all controllers of a scenario share."""

    seed: int
    nodes: tuple[str, ...]  # messages name nodes by their place in this list
    cells: tuple[str, ...]
    grid_ps: int  # durations are multiples of it
    patience_ps: int  # order of magnitude of durations
    sizes: tuple[int, ...]  # of messages
    headers: tuple[int, ...]
    chaos: float  # share of events with random actions
    bicast: float  # share of bindings that are simultaneous
    hops: int  # how many messages may follow from one
    copy_in_flight: bool  # bindings copy what is in the air
    prepared: float = 0.0  # share of events at nodes that are followed by an action of prepared handoffs
    counts: bool = False  # choices depend on the number of earlier events at the place, and so on the order of its events


class Actor:
    """Scripted controller of one node, or of the mobiles."""

    def __init__(self, script: Script, network: Network, place: str | None, shift: int = 0, scale: int = 1) -> None:
        self.script, self.network, self.place = script, network, place
        self.shift, self.scale = shift, scale
        self.cell: dict[int, str] = {}  # the fleet's: mobile -> the cell that it used last
        self.events = 0

    def on_event(self, ctx: Any, event: Any) -> None:
        moment = (event.time_ps - self.shift) // self.scale
        mobile = self.network.mobile_name(event.mobile)
        self.events += 1
        place = f"{self.place} {self.events}" if self.script.counts else self.place
        dice = Random(f"{self.script.seed}/{place}/{mobile}/{moment}/{event.kind}/{event.code}/{event.args}")
        if self.place is None:
            self.at_fleet(ctx, event, dice)
        else:
            self.at_node(ctx, event, dice)
        for _ in range(2):
            if dice.random() < self.script.chaos:
                self.disturb(ctx, event, dice)
        if self.place is not None and dice.random() < self.script.prepared:
            self.prepare(ctx, dice)

    # -- helpers -------------------------------------------------------------------------------------------------------
    def index(self, name: str) -> int:
        return self.network.node_index(name)

    def rank(self, name: str) -> int:
        return self.script.nodes.index(name)

    def name(self, rank: int) -> str:
        return self.script.nodes[rank % len(self.script.nodes)]

    def span(self, dice: Random, least: int = 1) -> int:
        """Draw a duration of at least ``least`` grid steps."""
        steps = max(1, self.script.patience_ps // self.script.grid_ps)
        return self.scale * self.script.grid_ps * dice.randint(least, least + steps)

    def until(self, ctx: Any, dice: Random, share: float) -> int | None:
        return ctx.time_ps + self.span(dice) if dice.random() < share else None

    def hops_left(self, event: Any) -> int:
        return event.args[5] if event.kind >= 2 else event.args[0] % 8 if event.kind == 1 else self.script.hops

    def message(self, ctx: Any, event: Any, dice: Random, code: int, to: str, *args: int, **how: Any) -> None:
        left = self.hops_left(event)
        if left <= 0 or (to == self.place and not how.get("for_mobile")):
            return
        six = (*args, *(0,) * (5 - len(args)), left - 1)
        if self.place is None:
            how["via"] = self.index(how["via"])
        if dice.random() < 0.2:
            how["like_data"] = True  # passes the registration server; means nothing for a message to a mobile
        how["hostile"] = left % 2 == 0  # counted apart, without another effect
        ctx.send(code, self.index(to), size_bytes=dice.choice(self.script.sizes), args=six, **how)

    def bind(self, ctx: Any, dice: Random, coa: str, simultaneous: bool | None = None) -> None:
        if coa == self.place:
            return
        ctx.bind(
            self.index(coa),
            header_bytes=dice.choice(self.script.headers),
            end="mobile" if dice.random() < 0.3 else "router",
            until_ps=self.until(ctx, dice, 0.2),
            simultaneous=dice.random() < self.script.bicast if simultaneous is None else simultaneous,
            copy_in_flight=self.script.copy_in_flight,
            hostile=self.rank(coa) % 2 == 1,
        )

    # -- a node ----------------------------------------------------------------------------------------------------------
    def at_node(self, ctx: Any, event: Any, dice: Random) -> None:
        code, other = event.code, self.name(event.args[0])
        if event.kind == 1:
            other = self.name(event.args[0] // 8)
            if code == FORWARD:
                self.bind(ctx, dice, other, simultaneous=False)
            elif code == LEAVE:
                ctx.unbind(self.index(other))
        elif event.kind == 3:
            self.deny(ctx, event, dice, other)
        elif code == SERVE and self.place in self.script.cells:
            ctx.deliver_locally(until_ps=self.until(ctx, dice, 0.15))
            if dice.random() < 0.3:
                self.message(ctx, event, dice, MARKER, self.place, for_mobile=True)
        elif code == REGISTER:
            self.register(ctx, event, dice, other)
        elif code == FORWARD:
            if dice.random() < 0.4:
                limits = {"packets": dice.choice((None, 0, 1, 3, 10)), "bytes": dice.choice((None, None, self.few_bytes(2500)))}
                ctx.buffer(**limits, until_ps=self.until(ctx, dice, 0.5))
                ctx.timer(ctx.time_ps + self.span(dice), FORWARD, self.rank(other) * 8)
            else:
                self.bind(ctx, dice, other, simultaneous=False)
        elif code == LEAVE:
            ctx.unbind()

    def register(self, ctx: Any, event: Any, dice: Random, new: str) -> None:
        if dice.random() < 0.1:
            ctx.reject(dice.choice((Fate.AUTHENTICATION_FAILED, Fate.REPLAYED)))
            return
        old = self.name(event.args[1])
        if new == self.place and new in self.script.cells:
            ctx.deliver_locally()
        elif dice.random() < self.script.bicast:
            self.bind(ctx, dice, new, simultaneous=True)
            ctx.timer(ctx.time_ps + 2 * self.span(dice), LEAVE, self.rank(old) * 8)
        else:
            self.bind(ctx, dice, new, simultaneous=False)
        self.message(ctx, event, dice, MARKER, old, event.args[1], for_mobile=True)
        if dice.random() < 0.5:
            self.message(ctx, event, dice, FORWARD, old, event.args[0])

    def deny(self, ctx: Any, event: Any, dice: Random, other: str) -> None:
        """Answer a refused message to the mobile or to a node, or set a timer for it."""
        what = dice.random()
        if what < 0.5:
            self.message(ctx, event, dice, MARKER, self.place if what < 0.2 else other, event.code, for_mobile=True)
        elif what < 0.7:
            self.message(ctx, event, dice, event.code, other, *event.args[:2])
        elif what < 0.9:
            ctx.timer(ctx.time_ps + self.span(dice, least=0), FORWARD, self.rank(other) * 8)
        else:
            ctx.unbind()

    def few_bytes(self, usual: int) -> int:
        """Draw a buffer limit; if all packets have one size, the limit is a multiple of it."""
        sizes = self.script.sizes
        return usual if len(sizes) > 1 else 3 * sizes[0]

    # -- the fleet ---------------------------------------------------------------------------------------------------------
    def at_fleet(self, ctx: Any, event: Any, dice: Random) -> None:
        if event.code == HANDOFF:
            self.hand_off(ctx, event, dice)
        elif event.code == LATER:
            ctx.set_upstream_route(self.index(self.name(event.args[0] // 8)))
            what = dice.random()  # while data is on the air, and no message in sight
            if what < 0.4:
                ctx.begin_measurement(dice.randrange(1000))
            elif what < 0.6:
                ctx.end_measurement()
            if dice.random() < 0.7:
                ctx.timer(ctx.time_ps + self.span(dice), LATER, event.args[0])
        elif event.code == MARKER:
            if event.via >= 0 and dice.random() < 0.5:
                ctx.count_after_marker(event.via)
            if dice.random() < 0.5:
                ctx.end_measurement()

    def hand_off(self, ctx: Any, event: Any, dice: Random) -> None:
        early, rank = divmod(event.args[0], EARLY)
        new = self.name(rank)
        old = self.cell.get(event.mobile, new)
        self.cell[event.mobile] = new
        if dice.random() < 0.8:
            ctx.begin_measurement(dice.randrange(1000))
        upstream = dice.random()
        if upstream < 0.4:
            ctx.buffer_upstream(packets=dice.choice((None, 0, 2, 8)), bytes=dice.choice((None, None, self.few_bytes(3000))))
        elif upstream < 0.5:
            ctx.clear_upstream_route()
        ctx.timer(ctx.time_ps + self.span(dice, least=0), LATER, self.rank(new) * 8)
        first, second = (old, old) if early else (new, new)
        if dice.random() < 0.2:
            first, second = new, old
        self.message(ctx, event, dice, SERVE, new, self.rank(old), via=first)
        home = self.network.nodes[int(self.network.mobile_homes()[event.mobile])].name
        self.message(ctx, event, dice, REGISTER, home, rank, self.rank(old), via=first)
        if dice.random() < 0.7 and old != new:
            self.message(ctx, event, dice, LEAVE if dice.random() < 0.3 else FORWARD, old, rank, via=second)

    # -- anything ------------------------------------------------------------------------------------------------------------
    def disturb(self, ctx: Any, event: Any, dice: Random) -> None:
        """Perform one random action."""
        left, other = self.hops_left(event), dice.choice(self.script.nodes)
        what = dice.randrange(10)
        if what == 0 and left > 0:
            ctx.timer(ctx.time_ps + self.span(dice, least=0), dice.choice((STIR, LATER)), self.cell_rank(dice) * 8 + left - 1)
        elif what == 1 and event.kind == 2:
            ctx.reject(dice.choice((Fate.AUTHENTICATION_FAILED, Fate.REPLAYED)))
        elif what in (2, 3):
            via = {"via": dice.choice(self.script.cells)} if self.place is None else {}
            args = (dice.randrange(len(self.script.nodes)), dice.randrange(len(self.script.nodes)))
            code = dice.choice(ANY_CODE)
            if self.place in self.script.cells and dice.random() < 0.3:
                self.message(ctx, event, dice, code, self.place, *args, for_mobile=True, radio=True)
            else:
                self.message(ctx, event, dice, code, other, *args, for_mobile=dice.random() < 0.4, **via)
        elif self.place is None:
            self.disturb_fleet(ctx, dice)
        else:
            self.disturb_table(ctx, dice, other)

    def prepare(self, ctx: Any, dice: Random) -> None:
        """Perform one action of prepared handoffs: a gate, copies beside the cell, or a binding for relayed packets."""
        what, other = dice.randrange(5), dice.choice(self.script.nodes)
        in_flight = self.script.copy_in_flight
        if what <= 1 and self.place in self.script.cells:
            limits = {"packets": dice.choice((None, 0, 1, 4)), "bytes": dice.choice((None, None, self.few_bytes(1500)))}
            gate = dice.choice((0, 1, 1, 2))
            ctx.buffer(**limits, until_ps=self.until(ctx, dice, 0.3), gate=gate, copy_in_flight=in_flight)
        elif other == self.place:
            pass
        elif what == 2 and self.place in self.script.cells:
            header, until_ps = dice.choice(self.script.headers), self.until(ctx, dice, 0.3)
            ctx.bind(self.index(other), header_bytes=header, until_ps=until_ps, beside_cell=True, copy_in_flight=in_flight)
        else:
            header, until_ps = dice.choice(self.script.headers), self.until(ctx, dice, 0.3)
            ctx.bind(self.index(other), header_bytes=header, until_ps=until_ps, simultaneous=True, relayed=True)

    def cell_rank(self, dice: Random) -> int:
        return self.rank(dice.choice(self.script.cells))

    def disturb_table(self, ctx: Any, dice: Random, other: str) -> None:
        what = dice.randrange(8)
        if what <= 2:
            self.bind(ctx, dice, other)
            if dice.random() < self.script.bicast:
                self.bind(ctx, dice, dice.choice(self.script.nodes), simultaneous=True)
        elif what == 3 and self.place in self.script.cells:
            ctx.deliver_locally(until_ps=self.until(ctx, dice, 0.4))
        elif what <= 5:
            limits = {"packets": dice.choice((None, 0, 1, 2, 5)), "bytes": dice.choice((None, None, self.few_bytes(1500)))}
            ctx.buffer(**limits, until_ps=self.until(ctx, dice, 0.6), copy_in_flight=self.script.copy_in_flight)
        elif what == 6:
            ctx.unbind(self.index(other))
        elif dice.random() < 0.5:
            ctx.unbind()

    def disturb_fleet(self, ctx: Any, dice: Random) -> None:
        what, cell = dice.randrange(7), self.index(dice.choice(self.script.cells))
        if what <= 1:
            ctx.set_upstream_route(cell)
        elif what == 2:
            ctx.buffer_upstream(packets=dice.choice((None, 0, 1, 4)), bytes=dice.choice((None, self.few_bytes(2000))))
        elif what == 3:
            ctx.clear_upstream_route()
        elif what == 4:
            ctx.begin_measurement(dice.randrange(1000))
        elif what == 5:
            ctx.end_measurement()
        else:
            ctx.count_after_marker(cell)
