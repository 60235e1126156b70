"""View of an observed run for assertions: message hops in ms with node names, and tables and upstream routes at an instant."""

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
    """One hop of a control message, with times in ms; ``received`` is None for a lost message."""

    message: str
    source: str
    to: str
    sent: float
    received: float | None


class RunView(RunObserver):
    """One observed run of a procedure."""

    def __init__(self, setup: Setup, procedure: str, seed: int = 1) -> None:
        super().__init__(setup, procedure, seed)
        self._names = {i: n.name for i, n in enumerate(setup.network.nodes)} | {-1: "mn"}

    def hops(self, mobile: int = 0) -> list[Hop]:
        """Return all hops of control messages about a mobile node, by time of sending."""
        names = self._names
        return [
            Hop(x.message, names[x.source], names[x.to], x.sent_ps / MS, None if x.got_ps is None else x.got_ps / MS)
            for x in self.sent(mobile)
        ]

    def sends(self, message: str, mobile: int = 0) -> list[Action]:
        """Return the send actions of a mobile node for a message."""
        return [
            a
            for a in self.actions
            if a.verb == "send" and a.node == -1 and a.mobile == mobile
            and self.message(MessageFields.unpack(a.arguments["args"])) == message
        ]

    def table(self, node: str, at: float, mobile: int = 0) -> Any:
        """Return a node's table entry for a mobile node just after ``at`` (ms).

        The entry is None, ``"local"``, ``"hold"``, ``"gate"`` (a hold with one) or the list of the care-of routers' names, of
        which the node itself stands for its cell.
        """
        index, now = self.setup.network.node_index(node), round(at * MS)
        entry: Any = self._initial_entry(index, mobile)  # (kind, until) or {care-of node: until} or None
        for action in self.actions:
            if action.node == index and action.mobile == mobile and action.time_ps <= now and action.verb in TABLE:
                entry = self._entry_after(entry, action)
        if isinstance(entry, dict):
            return [self._names[coa] for coa, until in entry.items() if until is None or now < until] or None
        if entry is None:
            return None
        kind, until = entry
        return kind if until is None or now < until else None

    def upstream(self, at: float, mobile: int = 0) -> str:
        """Return the upstream route of a mobile node just after ``at`` (ms): a router's name, ``"hold"`` or ``"nowhere"``."""
        route = self._names[self.setup.attachments.router[self.setup.attachments.mobile == mobile][0]]
        for action in self.actions:
            if action.mobile == mobile and action.time_ps <= round(at * MS) and action.verb in UPSTREAM:
                if action.verb == "set_upstream_route":
                    route = self._names[action.arguments["node"]]
                else:
                    route = {"buffer_upstream": "hold", "clear_upstream_route": "nowhere"}[action.verb]
        return route

    def _initial_entry(self, node: int, mobile: int) -> Any:
        """Return the entry of time 0: the mobile node is registered through its first router, with every anchor."""
        router = int(self.setup.attachments.router[self.setup.attachments.mobile == mobile][0])
        procedure, gateways = self.program.procedure, self.setup.gateways
        if router == self.setup.home_agent:
            return ("local", None) if node == router else None
        care_of = gateways[router] if procedure.hierarchical else router
        anchors = {self.setup.home_agent: care_of}
        if procedure.route_optimization:
            flows = self.setup.network.flows()
            anchors |= dict.fromkeys(flows["node"][flows["mobile"] == mobile].tolist(), care_of)
        if procedure.hierarchical:
            anchors[care_of] = router
        if node == router:
            return "local", None
        return {anchors[node]: None} if node in anchors else None

    @staticmethod
    def _entry_after(entry: Any, action: Action) -> Any:
        arguments = action.arguments
        if action.verb in ENTRY_OF_VERB:
            gated = action.verb == "buffer" and arguments["gate"] is not None
            return "gate" if gated else ENTRY_OF_VERB[action.verb], arguments["until_ps"]
        if action.verb == "unbind":
            if arguments["coa"] is None or not isinstance(entry, dict):
                return None
            return {coa: until for coa, until in entry.items() if coa != arguments["coa"]} or None
        others = entry if arguments["simultaneous"] and isinstance(entry, dict) else {}
        if arguments["beside_cell"]:
            others = {action.node: arguments["until_ps"]}
        return others | {arguments["coa"]: arguments["until_ps"]}
