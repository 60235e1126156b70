"""View of one handoff, or of a first registration, in an observed run: columns, messages, journeys of packets, phases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from engine import FOREVER
from handoff.output.ladder.journeys import MOBILE, Journey, JourneyRecorder
from handoff.output.ladder.phases import Phases, handoff_phases, switch_times
from handoff.output.printable import printable
from handoff.protocol.procedures import Procedure
from handoff.protocol.setup import CorrespondentTable, Setup
from handoff.simulation.observer import Action, RunObserver, SentMessage

MN, OLD, NEW = "MN", "old router", "new router"
MARGIN_PS = 60 * 10**9
"""Time shown before the first and after the last event."""
_DATA_MARGINS = 4
"""Time shown after a first registration, in margins: the first packets have to arrive."""
_TIMES = (
    "open_ps", "request_ps", "going_down_ps", "down_ps", "up_ps", "reply_ps", "marker_ps", "rescue_ps", "acknowledged_ps",
    "bound_ps",
)  # fmt: skip


@dataclass(frozen=True)
class RunView:
    """A part of a run of one procedure that concerns one mobile node.

    Attributes
    ----------
    setup : Setup
    observer : RunObserver
    mobile : int
    columns : mapping of int to str
        Name of each node that is shown, from left to right; ``MOBILE`` stands for the mobile node.
    journeys : tuple of Journey
        Copies of the mobile node's packets that are on their way in the time that is shown.
    phases : Phases
    begin_ps, end_ps : int
        Time that is shown.
    facts : mapping of str to int
        Row of the table of handoffs; empty for a first registration.
    """

    setup: Setup
    observer: RunObserver
    mobile: int
    columns: Mapping[int, str]
    journeys: tuple[Journey, ...]
    phases: Phases
    begin_ps: int
    end_ps: int
    facts: Mapping[str, int]

    @cached_property
    def hops(self) -> list[SentMessage]:
        """Hops of messages between the nodes that are shown, by time of sending.

        A message to a mobile node whose new link is not up yet leaves the new router when the link comes up.
        """
        return [
            self._when_attached(hop)
            for hop in self.observer.sent(self.mobile)
            if hop.source in self.columns and hop.to in self.columns
        ]

    def _when_attached(self, hop: SentMessage) -> SentMessage:
        up_ps = self.facts.get("up_ps", FOREVER)
        waits = hop.to == MOBILE and hop.source == self.facts.get("new_router") and hop.got_ps is not None
        if waits and hop.sent_ps < up_ps < (hop.got_ps or 0):
            return replace(hop, sent_ps=up_ps)
        return hop

    @property
    def node_names(self) -> str:
        """Columns of fixed nodes with the names of the nodes in the network, separated by commas."""
        nodes = self.setup.network.nodes
        return ", ".join(f"{column} {nodes[node].name}" for node, column in self.columns.items() if node != MOBILE)

    @property
    def actions(self) -> Iterator[Action]:
        """Actions on the tables and the upstream route of the mobile node at the nodes that are shown."""
        return (
            a for a in self.observer.actions if a.verb != "send" and a.mobile == self.mobile and a.node in self.columns
        )

    def path(self, journey: Journey) -> tuple[str, ...]:
        """Return the columns on the way of a copy; a copy that does not arrive ends with the node that had it last."""
        return tuple(self.columns[stop.node] for stop in journey.stops() if stop.node in self.columns)


@dataclass(frozen=True)
class MobileRun:
    """Run of one procedure that was observed for one mobile node, to look at any of its handoffs.

    Attributes
    ----------
    setup : Setup
    observer : RunObserver
        Its result has no record of packets, which would be large.
    mobile : int
    journeys : tuple of Journey
        Every copy of the mobile node's packets.
    """

    setup: Setup
    observer: RunObserver
    mobile: int
    journeys: tuple[Journey, ...]

    def views(self, handoff: int, reach: int = 0) -> list[RunView]:
        """Return the views of a handoff, by its number from 0, and of up to ``reach`` handoffs before and after it.

        Raises
        ------
        ValueError
            If the mobile node has no such handoff in the run.
        """
        columns = self.observer.run.handoffs
        rows = np.flatnonzero(columns["mobile"] == self.mobile)
        existing = columns["index"][rows]
        if handoff not in existing:
            hint = f"it has handoffs {existing[0]} to {existing[-1]}" if len(rows) else "it has none"
            name = printable(self.setup.network.mobile_name(self.mobile))
            raise ValueError(f"{name} has no handoff {handoff} in this run: {hint}")
        return [_handoff_view(self, row) for row in rows[np.abs(existing - handoff) <= reach].tolist()]


def observe_mobile(setup: Setup, procedure: str | Procedure, mobile: int, seed: int) -> MobileRun:
    """Run a procedure and record every message, table entry and packet of a mobile node.

    Parameters
    ----------
    setup : Setup
        Network, attachments and traffic of the run.
    procedure : str or Procedure
        A key of ``PROCEDURES``, or a procedure.
    mobile : int
        Index of the mobile node.
    seed : int
        Seed of every random draw.
    """
    recorder = JourneyRecorder(setup.network, mobile)
    observer = RunObserver(setup, procedure, seed, mobile, detail=True, record=recorder.open)
    result = observer.run.result
    assert result.packets is not None
    journeys = tuple(recorder.journeys(result.packets))
    result.packets = None  # 200 bytes for each packet of all mobile nodes
    return MobileRun(setup, observer, mobile, journeys)


def observe_handoff(setup: Setup, procedure: str | Procedure, mobile: int, handoff: int, seed: int) -> RunView:
    """Run a procedure (:func:`observe_mobile`) and return the view of one handoff.

    Raises
    ------
    ValueError
        If the mobile node has no such handoff in the run.
    """
    (view,) = observe_mobile(setup, procedure, mobile, seed).views(handoff)
    return view


def _handoff_view(run: MobileRun, row: int) -> RunView:
    setup, observer, mobile, journeys = run.setup, run.observer, run.mobile, run.journeys
    columns = observer.run.handoffs
    facts = {name: int(values[row]) for name, values in columns.items() if values.dtype.kind == "i"}
    nodes = {MOBILE: MN, facts["old_router"]: OLD, facts["new_router"]: NEW}
    columns_of_nodes = _columns(setup, observer, mobile, nodes, facts["old_router"], facts["new_router"])
    hops, actions = observer.sent(mobile), observer.actions
    _, switched_ps = switch_times(facts, observer.program.procedure, hops, actions, setup.home_agent)
    drained_ps = _last_forwarded(journeys, facts, switched_ps, observer.program.procedure.prepared)
    phases = handoff_phases(facts, observer.program.procedure, hops, actions, drained_ps, setup.home_agent)
    times = [facts[name] for name in _TIMES if 0 <= facts[name] < FOREVER] + [phases.begins[-1][0]]
    begin_ps, end_ps = max(0, min(times) - MARGIN_PS), max(times) + MARGIN_PS
    shown = _moving(journeys, begin_ps, end_ps)
    return RunView(setup, observer, mobile, columns_of_nodes, shown, phases, begin_ps, end_ps, facts)


def observe_first_registration(setup: Setup, procedure: str | Procedure, mobile: int, seed: int) -> RunView:
    """Run a procedure and return the view of the registration of a mobile node whose first link comes up after time 0.

    Raises
    ------
    ValueError
        If the mobile node has no link, its first link is up at time 0, or no registration reply arrives.
    """
    attachments, refusal = setup.attachments, f"{printable(setup.network.mobile_name(mobile))} does not register in this run"
    rows = np.flatnonzero(attachments.mobile == mobile)
    if not len(rows):
        raise ValueError(f"{refusal}: it is never attached")
    up_ps, router = int(attachments.up_ps[rows[0]]), int(attachments.router[rows[0]])
    if up_ps == 0:
        raise ValueError(f"{refusal}: it is registered at time 0")
    run = observe_mobile(setup, procedure, mobile, seed)
    observer, replies = run.observer, _replies(run.observer)
    times = [hop.got_ps for hop in observer.sent(mobile) if hop.to == MOBILE and hop.message in replies]
    registered_ps = min((time_ps for time_ps in times if time_ps is not None), default=-1)
    if registered_ps < 0:
        raise ValueError(f"{refusal}: no registration reply arrives")
    nodes = {MOBILE: MN, router: "router"}
    phases = Phases(((0, "none"), (up_ps, "registration"), (registered_ps, "data")), {})
    end_ps = registered_ps + _DATA_MARGINS * MARGIN_PS
    columns, shown = _columns(setup, observer, mobile, nodes, router, router), _moving(run.journeys, up_ps, end_ps)
    return RunView(setup, observer, mobile, columns, shown, phases, up_ps, end_ps, {})


def _replies(observer: RunObserver) -> set[str]:
    """Return the replies that complete a first registration; in a hierarchical procedure it includes the home agent."""
    procedure = observer.program.procedure
    return {step.message for step in procedure.between or procedure.signalling if step.effect == "registered"}


def _moving(journeys: tuple[Journey, ...], begin_ps: int, end_ps: int) -> tuple[Journey, ...]:
    return tuple(j for j in journeys if j.sent_ps <= end_ps and (j.ended_ps < 0 or j.ended_ps >= begin_ps))


def _columns(
    setup: Setup, observer: RunObserver, mobile: int, nodes: dict[int, str], old: int, new: int
) -> dict[int, str]:  # fmt: skip
    """Return the column of each node, from left to right, after those of mobile node and routers."""
    procedure, gateways, columns = observer.program.procedure, setup.gateways, dict(nodes)
    if procedure.hierarchical:
        word = "MAP" if procedure.ip == 6 else "GFA"
        if old in gateways and gateways[old] != gateways.get(new):
            columns[gateways[old]] = f"old {word}"
        if new in gateways:  # the home link belongs to no region
            columns[gateways[new]] = word
    columns[setup.home_agent] = "HA"
    peers = CorrespondentTable(setup.network)[mobile]
    for i, peer in enumerate(peers, 1):
        columns.setdefault(peer, "CN" if len(peers) == 1 else f"CN {i}")
    return columns


def _last_forwarded(journeys: tuple[Journey, ...], facts: Mapping[str, int], switched_ps: int, prepared: bool) -> int:
    """Return when the last packet that the old router forwarded to the new one arrived; -1 if there is none."""
    last_ps, since_ps = -1, facts["rescue_ps"]
    if since_ps < 0 and prepared:  # without a command the old router forwards after the request of the new one
        since_ps = facts["request_ps"]
    if since_ps < 0:
        return last_ps
    for journey in journeys:
        if journey.up or not journey.received or journey.sent_ps > switched_ps:
            continue
        stops = journey.stops()
        for stop, following in pairwise(stops):
            if (stop.node, following.node) == (facts["old_router"], facts["new_router"]) and stop.leave_ps is not None:
                last_ps = max(last_ps, stops[-1].arrival_ps if stop.leave_ps >= since_ps else -1)
    return last_ps
