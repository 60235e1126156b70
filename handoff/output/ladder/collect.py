"""Collection of the messages, events and packets of one handoff from a run."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine import FOREVER, Fate
from handoff.output.ladder.diagram import Arrow, Ladder, LadderEvent, Traffic
from handoff.output.ladder.first_registration import first_registration_facts
from handoff.protocol.program import Program
from handoff.protocol.setup import Setup
from handoff.simulation.observer import Action, RunObserver

MN = "MN"
_MARGIN_PS = 60 * 10**9
"""Time shown before the first and after the last event of the handoff."""
_TIMES = (
    "open_ps", "request_ps", "going_down_ps", "down_ps", "up_ps", "reply_ps", "marker_ps", "rescue_ps", "acknowledged_ps",
    "bound_ps",
)  # fmt: skip
_LAYER_2_EVENTS = {
    "predict_ps": "move known", "going_down_ps": "old link going down", "down_ps": "old link down", "up_ps": "new link up",
    "marker_ps": "marker here",
}  # fmt: skip
_SCENARIO_NAMES = ("", ", scenario I", ", scenario II", ", scenario III")


@dataclass(frozen=True)
class Phases:
    """Names of phases and the times at which they begin."""

    names: tuple[str, ...]
    begins_ps: tuple[int, ...]

    def at(self, time_ps: int) -> str:
        """Return the phase at a time."""
        return self.names[max(0, bisect_right(self.begins_ps, time_ps) - 1)]


def build_ladder(setup: Setup, procedure: str, mobile: int, handoff: int | None, seed: int) -> Ladder:
    """Run a procedure and return one of its handoffs, or a first registration, as a ladder diagram.

    Parameters
    ----------
    setup : Setup
        Network, attachments and traffic of the run.
    procedure : str
        A key of ``PROCEDURES``.
    mobile : int
        Index of the mobile node.
    handoff : int or None
        Number of its handoff, from 0; None for its first registration.
    seed : int
        Seed of every random draw.

    Raises
    ------
    ValueError
        If the mobile node has no such handoff, or no first registration, in the run.
    """
    observer = RunObserver(setup, procedure, seed, mobile, detail=True)
    if handoff is None:
        return _Collector(setup, observer, first_registration_facts(observer, mobile)).ladder(procedure)
    columns = observer.run.handoffs
    rows = np.flatnonzero((columns["mobile"] == mobile) & (columns["index"] == handoff))
    if not len(rows):
        existing = columns["index"][columns["mobile"] == mobile].tolist()
        hint = f"it has handoffs {existing[0]} to {existing[-1]}" if existing else "it has none"
        raise ValueError(f"{setup.network.mobile_name(mobile)} has no handoff {handoff} in this run: {hint}")
    facts = {name: int(values[rows[0]]) for name, values in columns.items() if values.dtype.kind == "i"}
    return _Collector(setup, observer, facts).ladder(procedure)


class _Collector:
    def __init__(self, setup: Setup, observer: RunObserver, facts: dict[str, int]) -> None:
        self.setup, self.observer, self.facts = setup, observer, facts
        self.mobile, self.program = facts["mobile"], observer.program
        self.columns = self._columns()
        self.phases = handoff_phases(facts, self.program, observer.actions)
        times = [facts[name] for name in _TIMES if 0 <= facts[name] < FOREVER]
        self.begin, self.end = max(0, min(times) - _MARGIN_PS), max(times) + _MARGIN_PS

    def _columns(self) -> dict[int, str]:
        """Return the column of each node of the handoff, from left to right. The mobile node has the number -1."""
        procedure, gateways = self.program.procedure, self.setup.gateways
        old, new = self.facts["old_router"], self.facts["new_router"]
        columns = {-1: MN, new: "router"} if old < 0 else {-1: MN, old: "old router", new: "new router"}
        if procedure.hierarchical:
            word = "MAP" if procedure.ip == 6 else "GFA"
            if old in gateways and gateways[old] != gateways.get(new):
                columns[gateways[old]] = f"old {word}"
            if new in gateways:  # the home link belongs to no region
                columns[gateways[new]] = word
        columns[self.setup.home_agent] = "HA"
        flows = self.setup.network.flows()
        peers = np.unique(flows["node"][(flows["mobile"] == self.mobile) & (flows["peer"] < 0)]).tolist()
        for i, peer in enumerate(peers, 1):
            columns.setdefault(peer, "CN" if len(peers) == 1 else f"CN {i}")
        return columns

    def ladder(self, procedure: str) -> Ladder:
        name = self.setup.network.mobile_name(self.mobile)
        nodes = self.setup.network.nodes
        names = ", ".join(f"{column} {nodes[node].name}" for node, column in self.columns.items() if node >= 0)
        scenario = _SCENARIO_NAMES[self.facts["scenario"]]
        arrows, events, traffic = tuple(self._arrows()), tuple(self._events()), tuple(self._traffic())
        shown = {a.phase for a in arrows} | {e.phase for e in events} | {t.phase for t in traffic}
        subject = f"handoff {self.facts['index']}" if self.facts["old_router"] >= 0 else "first registration"
        return Ladder(
            f"{procedure}{scenario}: {subject} of {name} ({names})",
            tuple(self.columns.values()),
            arrows,
            events,
            traffic,
            tuple(p for p in self.phases.names if p in shown),
        )

    def _arrows(self) -> Iterator[Arrow]:
        for hop in self.observer.sent(self.mobile):
            if self.begin <= hop.sent_ps <= self.end and hop.source in self.columns and hop.to in self.columns:
                note = "" if hop.got_ps is not None else "lost, or still under way"
                yield Arrow(
                    hop.message, self.columns[hop.source], self.columns[hop.to], hop.sent_ps, hop.got_ps,
                    self.phases.at(hop.sent_ps), note,
                )  # fmt: skip

    def _events(self) -> Iterator[LadderEvent]:
        events = [(self.facts[name], MN, text) for name, text in _LAYER_2_EVENTS.items() if 0 <= self.facts[name] < FOREVER]
        for action in self.observer.actions:
            if action.verb != "send" and action.mobile == self.mobile and action.node in self.columns:
                events.append((action.time_ps, self.columns[action.node], self._action_text(action)))
        for time_ps, column, text in sorted(events, key=lambda event: event[0]):
            if self.begin <= time_ps <= self.end:
                yield LadderEvent(time_ps, column, text, self.phases.at(time_ps))

    def _action_text(self, action: Action) -> str:
        arguments = action.arguments
        if action.verb == "bind":
            to = self.columns.get(arguments["coa"], self.setup.network.nodes[arguments["coa"]].name)
            return f"{'also ' if arguments['simultaneous'] else ''}binds to {to}"
        if action.verb == "set_upstream_route":
            return f"upstream by {self.columns.get(arguments['node'], 'another router')}"
        return {
            "deliver_locally": "visitor", "buffer": "holds packets", "unbind": "entry removed",
            "buffer_upstream": "upstream waits", "clear_upstream_route": "no upstream",
        }[action.verb]  # fmt: skip

    def _traffic(self) -> Iterator[Traffic]:
        packets = self.observer.run.result.packets
        assert packets is not None
        flows = self.setup.network.flows()
        shown = (flows["mobile"] == self.mobile) & (flows["peer"] < 0)  # none between mobile nodes
        packet_rows = np.flatnonzero(shown[packets["flow"]])
        sent = packets["sent_ps"][packet_rows]
        groups: dict[tuple[str, str, tuple[str, ...], str], list[int]] = {}
        for i in packet_rows[(sent >= self.begin) & (sent <= self.end)].tolist():
            flow = int(packets["flow"][i])
            up, peer, time_ps = bool(flows["up"][flow]), int(flows["node"][flow]), int(packets["sent_ps"][i])
            fate = Fate(int(packets["fate"][i]))
            received = fate in (Fate.DELIVERED, Fate.DUPLICATE)
            outcome = fate.label if received or fate == Fate.IN_FLIGHT else f"lost: {fate.label}"
            last_node = int(packets["via"][i]) if received else int(packets["node"][i])
            path = self._up(peer) if up else self._down(peer, last_node, int(packets["tunnels"][i]), received, time_ps)
            key = (self.phases.at(time_ps), "up" if up else "down", path, outcome)
            groups.setdefault(key, []).append(time_ps)
        order = {name: i for i, name in enumerate(self.phases.names)}
        for (phase, direction, path, outcome), times in sorted(groups.items(), key=lambda x: (order[x[0][0]], min(x[1]))):
            yield Traffic(phase, min(times), max(times), direction, path, len(times), outcome)

    def _up(self, peer: int) -> tuple[str, ...]:
        return MN, self.columns[peer]

    def _down(self, peer: int, last_node: int, tunnels: int, received: bool, sent_ps: int) -> tuple[str, ...]:
        """Return the columns that a downstream packet passed. The path is inferred from the last node and the tunnels."""
        procedure = self.program.procedure
        anchors = [self.columns[peer]]
        if not procedure.route_optimization or self._has_no_binding(peer, sent_ps):
            anchors.append("HA")
        if procedure.hierarchical:
            anchors += [c for c in self.columns.values() if c in ("GFA", "MAP")]
        last = self.columns.get(last_node, MN if last_node < 0 else "")
        routers = [c for c in ("router", "old router", "new router") if c == last]
        if last == "new router" and tunnels > 1 + procedure.hierarchical:
            routers.insert(0, "old router")
        ends = [MN] if received else [last] if last not in (*routers, *anchors, "") else []
        if not received and last in anchors:
            anchors = anchors[: anchors.index(last) + 1]
        return (*anchors, *routers, *ends)

    def _has_no_binding(self, peer: int, time_ps: int) -> bool:
        """Return True if a correspondent had removed its binding of the mobile node before a time."""
        verb = ""
        for action in self.observer.actions:
            if action.node == peer and action.mobile == self.mobile and action.verb != "send" and action.time_ps <= time_ps:
                verb = action.verb
        return verb == "unbind"


def handoff_phases(facts: dict[str, int], program: Program, actions: list[Action]) -> Phases:
    """Return the phases of a handoff as the seed names them.

    A procedure without a marker has two phases, before and after the new binding.
    """
    switched_ps = _switch(facts, program, actions)
    done_ps = max(facts[n] for n in ("reply_ps", "marker_ps", "acknowledged_ps", "bound_ps", "up_ps", "down_ps"))
    if facts["scenario"] == 0:
        phases = [("1", 0), ("2", switched_ps)]
    elif facts["scenario"] == 1:
        phases = [("I-1", 0), ("I-2", facts["request_ps"]), ("I-3", switched_ps), ("I-4", facts["marker_ps"]), ("I-5", done_ps)]
    elif facts["scenario"] == 2:
        forwards_ps = _first(actions, "bind", facts["old_router"], facts["rescue_ps"])
        phases = [
            ("II-1", 0), ("II-2", facts["request_ps"]), ("II-3", switched_ps), ("II-4", facts["rescue_ps"]),
            ("II-5", forwards_ps), ("II-6", done_ps),
        ]  # fmt: skip
    else:
        phases = [
            ("III-1", 0), ("III-2", facts["request_ps"]), ("III-3", facts["rescue_ps"]), ("III-4", facts["up_ps"]),
            ("III-5", switched_ps), ("III-6", done_ps),
        ]  # fmt: skip
    reached = [(begin_ps, name) for name, begin_ps in phases if 0 <= begin_ps < FOREVER]
    begins = sorted(reached, key=lambda phase: phase[0])
    return Phases(tuple(name for _, name in begins), tuple(begin_ps for begin_ps, _ in begins))


def _switch(facts: dict[str, int], program: Program, actions: list[Action]) -> int:
    """Return when the last anchor bound to the new care-of address, so that every new packet takes the new path."""
    request_ps = facts["request_ps"] if facts["request_ps"] >= 0 else facts["open_ps"]
    routers = (facts["old_router"], facts["new_router"])
    until_ps = facts["reply_ps"] if facts["reply_ps"] >= 0 else FOREVER
    times = [a.time_ps for a in actions if a.verb == "bind" and a.node not in routers and request_ps <= a.time_ps <= until_ps]
    return max(times, default=-1)


def _first(actions: list[Action], verb: str, node: int, after_ps: int) -> int:
    return next((a.time_ps for a in actions if a.verb == verb and a.node == node and a.time_ps >= after_ps), -1)
