"""Run a study and take out what one handoff of one mobile node looks like."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine import FOREVER, Fate
from handoff.output.ladder.diagram import Arrow, Ladder, LadderEvent, Traffic
from handoff.protocol.program import Program
from handoff.protocol.setup import Setup
from handoff.simulation.observer import Action, RunObserver

MN = "MN"
_AROUND_PS = 60 * 10**9
"""How much is shown before the first and after the last thing of the handoff."""


@dataclass(frozen=True)
class Phases:
    """Names of phases and when each begins."""

    names: tuple[str, ...]
    begins_ps: tuple[int, ...]

    def at(self, time_ps: int) -> str:
        """Phase of an instant."""
        return self.names[max(0, bisect_right(self.begins_ps, time_ps) - 1)]


def build_ladder(setup: Setup, procedure: str, mobile: int, handoff: int, seed: int) -> Ladder:
    """One handoff as a ladder.

    Parameters
    ----------
    setup : Setup
        Study that it is part of.
    procedure : str
        A key of ``PROCEDURES``.
    mobile, handoff : int
        Index of the mobile node, and number of its handoff, from 0.
    seed : int
        Of every draw.

    Raises
    ------
    ValueError
        If the mobile node has no such handoff, or the run ends before it begins.
    """
    watch = RunObserver(setup, procedure, seed, mobile, detail=True)
    columns = watch.run.handoffs
    rows = np.flatnonzero((columns["mobile"] == mobile) & (columns["index"] == handoff))
    if not len(rows):
        there = columns["index"][columns["mobile"] == mobile].tolist()
        has = f"it has handoffs {there[0]} to {there[-1]}" if there else "it has none"
        raise ValueError(f"{setup.network.mobile_name(mobile)} has no handoff {handoff} in this run: {has}")
    facts = {name: int(values[rows[0]]) for name, values in columns.items() if values.dtype.kind == "i"}
    return _Collector(setup, watch, facts).ladder(procedure)


class _Collector:
    def __init__(self, setup: Setup, watch: RunObserver, facts: dict[str, int]) -> None:
        self.setup, self.watch, self.facts = setup, watch, facts
        self.mobile, self.program = facts["mobile"], watch.program
        self.columns = self._columns()
        self.phases = handoff_phases(facts, self.program, watch.actions)
        known = [facts[n] for n in ("open_ps", "request_ps", "going_down_ps", "down_ps", "up_ps", "reply_ps", "marker_ps")]
        known += [facts["rescue_ps"], facts["acknowledged_ps"], facts["bound_ps"]]
        times = [t for t in known if 0 <= t < FOREVER]
        self.begin, self.end = max(0, min(times) - _AROUND_PS), max(times) + _AROUND_PS

    def _columns(self) -> dict[int, str]:
        """Column of each node that plays a part, from left to right; -1 is the mobile node."""
        row, gateways = self.program.row, self.setup.gateways
        old, new = self.facts["old_router"], self.facts["new_router"]
        found = {-1: MN, old: "old router", new: "new router"}
        if row.hierarchical:
            word = "MAP" if row.ip == 6 else "GFA"
            if gateways[old] != gateways[new]:
                found[gateways[old]] = f"old {word}"
            found[gateways[new]] = word
        found[self.setup.home_agent] = "HA"
        flows = self.setup.network.flows()
        peers = np.unique(flows["node"][flows["mobile"] == self.mobile]).tolist()
        for i, peer in enumerate(peers, 1):
            found.setdefault(peer, "CN" if len(peers) == 1 else f"CN {i}")
        return found

    def ladder(self, procedure: str) -> Ladder:
        name = self.setup.network.mobile_name(self.mobile)
        nodes = self.setup.network.nodes
        who = ", ".join(f"{c} {nodes[n].name}" for n, c in self.columns.items() if n >= 0)
        scenario = {0: "", 1: ", scenario I", 2: ", scenario II", 3: ", scenario III"}[self.facts["scenario"]]
        arrows, marks, traffic = tuple(self._arrows()), tuple(self._marks()), tuple(self._traffic())
        shown = {a.phase for a in arrows} | {m.phase for m in marks} | {t.phase for t in traffic}
        return Ladder(
            f"{procedure}{scenario}: handoff {self.facts['index']} of {name} ({who})",
            tuple(self.columns.values()),
            arrows,
            marks,
            traffic,
            tuple(p for p in self.phases.names if p in shown),
        )

    def _arrows(self) -> Iterator[Arrow]:
        for hop in self.watch.sent(self.mobile):
            if self.begin <= hop.sent_ps <= self.end and hop.source in self.columns and hop.to in self.columns:
                note = "" if hop.got_ps is not None else "lost, or still under way"
                yield Arrow(
                    hop.message, self.columns[hop.source], self.columns[hop.to], hop.sent_ps, hop.got_ps,
                    self.phases.at(hop.sent_ps), note,
                )  # fmt: skip

    def _marks(self) -> Iterator[LadderEvent]:
        words = {
            "predict_ps": "move known", "going_down_ps": "old link going down", "down_ps": "old link down",
            "up_ps": "new link up", "marker_ps": "marker here",
        }  # fmt: skip
        found = [(self.facts[n], MN, text) for n, text in words.items() if 0 <= self.facts[n] < FOREVER]
        for action in self.watch.actions:
            if action.verb != "send" and action.mobile == self.mobile and action.node in self.columns:
                found.append((action.time_ps, self.columns[action.node], self._text(action)))
        for time_ps, column, text in sorted(found, key=lambda x: x[0]):
            if self.begin <= time_ps <= self.end:
                yield LadderEvent(time_ps, column, text, self.phases.at(time_ps))

    def _text(self, action: Action) -> str:
        given = action.arguments
        if action.verb == "bind":
            to = self.columns.get(given["coa"], self.setup.network.nodes[given["coa"]].name)
            return f"{'also ' if given['simultaneous'] else ''}binds to {to}"
        if action.verb == "set_upstream_route":
            return f"upstream by {self.columns.get(given['node'], 'another router')}"
        return {
            "deliver_locally": "visitor", "buffer": "holds packets", "unbind": "entry removed", "buffer_upstream": "upstream waits",
            "clear_upstream_route": "no upstream",
        }[action.verb]  # fmt: skip

    # -- data -----------------------------------------------------------------------------------------------------------
    def _traffic(self) -> Iterator[Traffic]:
        packets = self.watch.run.result.packets
        assert packets is not None
        flows = self.setup.network.flows()
        mine = np.flatnonzero(flows["mobile"][packets["flow"]] == self.mobile)
        sent = packets["sent_ps"][mine]
        groups: dict[tuple[str, str, tuple[str, ...], str], list[int]] = {}
        for i in mine[(sent >= self.begin) & (sent <= self.end)].tolist():
            flow = int(packets["flow"][i])
            up, peer, time_ps = bool(flows["up"][flow]), int(flows["node"][flow]), int(packets["sent_ps"][i])
            fate = Fate(int(packets["fate"][i]))
            heard = fate in (Fate.DELIVERED, Fate.DUPLICATE)
            outcome = fate.label if heard or fate == Fate.IN_FLIGHT else f"lost: {fate.label}"
            where = int(packets["via"][i]) if heard else int(packets["node"][i])
            path = self._up(peer) if up else self._down(peer, where, int(packets["tunnels"][i]), heard, time_ps)
            key = (self.phases.at(time_ps), "up" if up else "down", path, outcome)
            groups.setdefault(key, []).append(time_ps)
        order = {name: i for i, name in enumerate(self.phases.names)}
        for (phase, direction, path, outcome), times in sorted(groups.items(), key=lambda x: (order[x[0][0]], min(x[1]))):
            yield Traffic(phase, min(times), max(times), direction, path, len(times), outcome)

    def _up(self, peer: int) -> tuple[str, ...]:
        return MN, self.columns[peer]

    def _down(self, peer: int, where: int, tunnels: int, heard: bool, sent_ps: int) -> tuple[str, ...]:
        """Columns that a downstream packet passed, as far as its record tells; of a lost one, to where it ended."""
        row = self.program.row
        anchors = [self.columns[peer]]
        if not row.route_optimization or self._unbound(peer, sent_ps):
            anchors.append("HA")
        if row.hierarchical:
            anchors += [c for c in self.columns.values() if c in ("GFA", "MAP")]
        last = self.columns.get(where, MN if where < 0 else "")
        routers = [c for c in ("old router", "new router") if c == last]
        if last == "new router" and tunnels > 1 + row.hierarchical:
            routers.insert(0, "old router")
        ends = [MN] if heard else [last] if last not in (*routers, *anchors, "") else []
        if not heard and last in anchors:
            anchors = anchors[: anchors.index(last) + 1]
        return (*anchors, *routers, *ends)

    def _unbound(self, peer: int, time_ps: int) -> bool:
        """Whether a correspondent had no binding at an instant."""
        verb = ""
        for action in self.watch.actions:
            if action.node == peer and action.mobile == self.mobile and action.verb != "send" and action.time_ps <= time_ps:
                verb = action.verb
        return verb == "unbind"


def handoff_phases(facts: dict[str, int], program: Program, actions: list[Action]) -> Phases:
    """The seed's phases of a handoff; a procedure without a marker has two, before and after the new binding."""
    switched = _switch(facts, program, actions)
    done = max(facts[n] for n in ("reply_ps", "marker_ps", "acknowledged_ps", "bound_ps", "up_ps", "down_ps"))
    if facts["scenario"] == 0:
        found = [("1", 0), ("2", switched)]
    elif facts["scenario"] == 1:
        found = [("I-1", 0), ("I-2", facts["request_ps"]), ("I-3", switched), ("I-4", facts["marker_ps"]), ("I-5", done)]
    elif facts["scenario"] == 2:
        forwards = _first(actions, "bind", facts["old_router"], facts["rescue_ps"])
        found = [
            ("II-1", 0), ("II-2", facts["request_ps"]), ("II-3", switched), ("II-4", facts["rescue_ps"]), ("II-5", forwards),
            ("II-6", done),
        ]  # fmt: skip
    else:
        found = [
            ("III-1", 0), ("III-2", facts["request_ps"]), ("III-3", facts["rescue_ps"]), ("III-4", facts["up_ps"]),
            ("III-5", switched), ("III-6", done),
        ]  # fmt: skip
    began = sorted(((t, name) for name, t in found if 0 <= t < FOREVER), key=lambda x: x[0])
    return Phases(tuple(name for _, name in began), tuple(t for t, _ in began))


def _switch(facts: dict[str, int], program: Program, actions: list[Action]) -> int:
    """When an anchor bound to the new care-of address: the last of them, so that every new packet takes the new path."""
    asked = facts["request_ps"] if facts["request_ps"] >= 0 else facts["open_ps"]
    routers = (facts["old_router"], facts["new_router"])
    until = facts["reply_ps"] if facts["reply_ps"] >= 0 else FOREVER
    times = [a.time_ps for a in actions if a.verb == "bind" and a.node not in routers and asked <= a.time_ps <= until]
    return max(times, default=-1)


def _first(actions: list[Action], verb: str, node: int, after_ps: int) -> int:
    return next((a.time_ps for a in actions if a.verb == verb and a.node == node and a.time_ps >= after_ps), -1)
