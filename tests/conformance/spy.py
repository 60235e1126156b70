"""What a test asks of a watched run: hops in ms by the names of nodes, tables and upstream routes at an instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handoff.protocol.messages import MessageFields
from handoff.protocol.setup import Setup
from handoff.simulation.observer import TABLE, UPSTREAM, Action, RunObserver

MS = 10**9

ENTRY_OF_VERB = {"deliver_locally": "local", "buffer": "hold"}


@dataclass(frozen=True)
class Hop:
    """One hop of a control message; times in ms, ``got`` None if nobody got it."""

    message: str
    source: str
    to: str
    sent: float
    got: float | None


class Spy(RunObserver):
    """One run of a procedure, watched."""

    def __init__(self, setup: Setup, procedure: str, seed: int = 1) -> None:
        super().__init__(setup, procedure, seed)
        self._names = {i: n.name for i, n in enumerate(setup.network.nodes)} | {-1: "mn"}

    def hops(self, mobile: int = 0) -> list[Hop]:
        """Every hop of every control message about a mobile node, by the time it was sent."""
        names = self._names
        return [
            Hop(x.message, names[x.source], names[x.to], x.sent_ps / MS, None if x.got_ps is None else x.got_ps / MS)
            for x in self.sent(mobile)
        ]

    def sends(self, message: str, mobile: int = 0) -> list[Action]:
        """Every sending of a message by a mobile node itself."""
        return [
            a
            for a in self.actions
            if a.verb == "send" and a.node == -1 and a.mobile == mobile
            and self.message(MessageFields.unpack(a.arguments["args"])) == message
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
                route = {"buffer_upstream": "hold", "clear_upstream_route": "nowhere"}.get(action.verb) or self._names[action.arguments["node"]]
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
        if action.verb in ENTRY_OF_VERB:
            return ENTRY_OF_VERB[action.verb], given["until_ps"]
        if action.verb == "unbind":
            if given["coa"] is None or not isinstance(entry, dict):
                return None
            return {coa: until for coa, until in entry.items() if coa != given["coa"]} or None
        kept = entry if given["simultaneous"] and isinstance(entry, dict) else {}
        return kept | {given["coa"]: given["until_ps"]}
