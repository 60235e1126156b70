"""Watch a run: controllers wrapped so that every event they get and every action they take is written down."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine import Context
from handoff.machine.messages import Fields
from handoff.setup import Setup
from handoff.study import Run, program_of, run_procedure

MS = 10**9
TABLE = ("bind", "local", "hold", "unbind")
UPSTREAM = ("route_up", "hold_up", "unroute_up")


@dataclass(frozen=True)
class Action:
    """What a controller did: its node (-1 = the fleet), and the arguments by name, defaults included."""

    time_ps: int
    node: int
    mobile: int
    verb: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Arrival:
    """A message that a controller got; ``via`` is the cell it came through, -1 at a fixed node."""

    time_ps: int
    node: int
    mobile: int
    via: int
    code: int
    fields: Fields


@dataclass(frozen=True)
class Hop:
    """One hop of a control message; times in ms, ``got`` None if nobody got it."""

    message: str
    source: str
    to: str
    sent: float
    got: float | None


_CALLS = {verb: inspect.signature(getattr(Context, verb)) for verb in ("send", *TABLE, *UPSTREAM)}


class WatchedContext:
    """A context that writes down what is done with it, then does it."""

    def __init__(self, ctx: Context, log: list[Action]) -> None:
        self._ctx, self._log = ctx, log

    def __getattr__(self, verb: str) -> Any:
        target = getattr(self._ctx, verb)
        if verb not in _CALLS:
            return target

        def act(*args: Any, **kwargs: Any) -> None:
            given = _CALLS[verb].bind(self._ctx, *args, **kwargs)
            given.apply_defaults()
            self._log.append(Action(self._ctx.time_ps, self._ctx.node, self._ctx.mobile, verb, given.arguments))
            target(*args, **kwargs)

        return act


class Watched:
    """A controller under watch."""

    def __init__(self, controller: Any, actions: list[Action], arrivals: list[Arrival]) -> None:
        self.controller, self.actions, self.arrivals = controller, actions, arrivals

    def on_event(self, ctx: Any, event: Any) -> None:
        if event.kind == 2:
            fields = Fields.unpack(event.args)
            self.arrivals.append(Arrival(event.time_ps, event.node, event.mobile, event.via, event.code, fields))
        self.controller.on_event(WatchedContext(ctx, self.actions), event)


class Spy:
    """One run of a procedure, watched.

    Attributes
    ----------
    run : Run
    actions : list of Action
        In the order of the run.
    arrivals : list of Arrival
    """

    def __init__(self, setup: Setup, procedure: str, seed: int = 1) -> None:
        self.actions: list[Action] = []
        self.arrivals: list[Arrival] = []
        self.setup = setup
        self.program = program_of(setup, procedure)
        self.run: Run = run_procedure(
            setup, procedure, seed=seed, reference_bytes=0, wrap=lambda _, c: Watched(c, self.actions, self.arrivals)
        )
        self._names = {i: n.name for i, n in enumerate(setup.network.nodes)} | {-1: "mn"}

    def message(self, fields: Fields) -> str:
        """Name of a message in its row."""
        return self.program.steps[fields.step].step.message

    def hops(self, mobile: int = 0) -> list[Hop]:
        """Every hop of every control message about a mobile node, by the time it was sent."""
        waiting = [a for a in self.arrivals if a.mobile == mobile]
        found = []
        for action in self.actions:
            if action.verb != "send" or action.mobile != mobile:
                continue
            sent = action.arguments
            target = -1 if sent["for_mobile"] and sent["to"] == action.node else sent["to"]
            fields = Fields.unpack(sent["args"])
            key = (target, sent["code"], fields)
            got = next((a for a in waiting if (a.node, a.code, a.fields) == key and a.time_ps >= action.time_ps), None)
            if got is not None:
                waiting.remove(got)
            found.append(
                Hop(
                    self.message(fields), self._names[action.node], self._names[target],
                    action.time_ps / MS, None if got is None else got.time_ps / MS,
                )
            )  # fmt: skip
        assert not waiting, f"messages that nobody sent: {waiting}"
        return sorted(found, key=lambda hop: hop.sent)

    def sends(self, message: str, mobile: int = 0) -> list[Action]:
        """Every sending of a message by a mobile node itself."""
        return [
            a
            for a in self.actions
            if a.verb == "send" and a.node == -1 and a.mobile == mobile
            and self.message(Fields.unpack(a.arguments["args"])) == message
        ]

    def table(self, node: str, at: float, mobile: int = 0) -> Any:
        """The entry of a node for a mobile node just after ``at`` (ms): None, "local", "hold" or the care-of routers' names."""
        index, now = self.setup.network.node_index(node), round(at * MS)
        entry: Any = self._entry_at_start(index, mobile)  # (kind, until) or {care-of node: until} or None
        for action in self.actions:
            if action.node == index and action.mobile == mobile and action.time_ps <= now and action.verb in TABLE:
                entry = self._after(entry, action)
        if isinstance(entry, dict):
            return [self._names[coa] for coa, until in entry.items() if until is None or now < until] or None
        if entry is None:
            return None
        kind, until = entry
        return kind if until is None or now < until else None

    def upstream(self, at: float, mobile: int = 0) -> str:
        """Where a mobile node's upstream data go just after ``at`` (ms): a router's name, "hold" or "nowhere"."""
        route = self._names[self.setup.movement.router[self.setup.movement.mobile == mobile][0]]
        for action in self.actions:
            if action.mobile == mobile and action.time_ps <= round(at * MS) and action.verb in UPSTREAM:
                route = {"hold_up": "hold", "unroute_up": "nowhere"}.get(action.verb) or self._names[action.arguments["node"]]
        return route

    def _entry_at_start(self, node: int, mobile: int) -> Any:
        """Before time 0 the mobile node has been registered through the router it is up at, with every anchor of the row."""
        router = int(self.setup.movement.router[self.setup.movement.mobile == mobile][0])
        row, gateways = self.program.row, self.setup.gateways
        region = gateways[router] if row.hierarchical else router
        anchors = {self.setup.home_agent: region}
        if row.route_optimization:
            flows = self.setup.network.flows()
            anchors |= dict.fromkeys(flows["node"][flows["mobile"] == mobile].tolist(), region)
        if row.hierarchical:
            anchors[region] = router
        if node == router:
            return "local", None
        return {anchors[node]: None} if node in anchors else None

    @staticmethod
    def _after(entry: Any, action: Action) -> Any:
        given = action.arguments
        if action.verb in ("local", "hold"):
            return action.verb, given["until_ps"]
        if action.verb == "unbind":
            if given["coa"] is None or not isinstance(entry, dict):
                return None
            return {coa: until for coa, until in entry.items() if coa != given["coa"]} or None
        kept = entry if given["simultaneous"] and isinstance(entry, dict) else {}
        return kept | {given["coa"]: given["until_ps"]}
