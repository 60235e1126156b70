"""Collection of the messages, events and packets of one handoff from a run."""

from __future__ import annotations

from collections.abc import Iterator

from engine import FOREVER
from handoff.output.ladder.diagram import Arrow, Ladder, LadderEvent, Traffic
from handoff.output.ladder.phases import SCENARIOS
from handoff.output.ladder.view import MN, RunView, observe_first_registration, observe_handoff
from handoff.protocol.procedures import Procedure
from handoff.protocol.setup import Setup
from handoff.simulation.observer import Action, SentMessage

_LAYER_2_EVENTS = {
    "predict_ps": "move known", "going_down_ps": "old link going down", "down_ps": "old link down", "up_ps": "new link up",
    "marker_ps": "marker here",
}  # fmt: skip


def build_ladder(setup: Setup, procedure: str | Procedure, mobile: int, handoff: int | None, seed: int) -> Ladder:
    """Run a procedure and return a handoff (:func:`observe_handoff`) as a ladder diagram; without one, the first registration."""
    if handoff is None:
        return ladder_of(observe_first_registration(setup, procedure, mobile, seed))
    return ladder_of(observe_handoff(setup, procedure, mobile, handoff, seed))


def ladder_of(view: RunView) -> Ladder:
    """Return a view as a ladder diagram; its title names the handoff, or the first registration."""
    name = view.setup.network.mobile_name(view.mobile)
    subject = f"handoff {view.facts['index']}" if view.facts else "first registration"
    scenario = SCENARIOS[view.facts.get("scenario", 0)]
    arrows, events, traffic = tuple(_arrows(view)), tuple(_events(view)), tuple(_traffic(view))
    shown = {a.phase for a in arrows} | {e.phase for e in events} | {t.phase for t in traffic}
    phases = tuple(p for p in view.phases.names if p in shown)
    title = f"{view.observer.program.procedure.name}{', scenario ' if scenario else ''}{scenario}"
    return Ladder(
        f"{title}: {subject} of {name} ({view.node_names})",
        tuple(view.columns.values()),
        arrows,
        events,
        traffic,
        phases,
        tuple(sorted(interval for phase in phases for interval in _intervals(view, phase))),
        view.end_ps,
    )


def _intervals(view: RunView, phase: str) -> Iterator[tuple[int, int, str]]:
    """Yield the intervals of a phase within the time that is shown."""
    for begin_ps, end_ps in view.phases.intervals(phase):
        begin_ps, end_ps = max(begin_ps, view.begin_ps), min(end_ps, view.end_ps)
        if begin_ps <= end_ps:
            yield begin_ps, end_ps, phase


def _arrows(view: RunView) -> Iterator[Arrow]:
    for hop in view.hops:
        if view.begin_ps <= hop.sent_ps <= view.end_ps:
            note = "" if hop.got_ps is not None else "lost, or still under way"
            if hop.via not in (-1, hop.source):  # forwarded like data
                note = f"through the {view.columns.get(hop.via, 'another router')}"
            yield Arrow(
                hop.message, view.columns[hop.source], view.columns[hop.to], hop.sent_ps, hop.got_ps, view.phases.of(hop), note,
                hop.size_bytes, message_facts(view, hop),
            )


def message_facts(view: RunView, hop: SentMessage) -> tuple[tuple[str, str], ...]:
    """Return the fields of a message that have a value, as names and texts."""
    fields = hop.fields
    if fields is None:
        return ()

    def node(index: int) -> str:
        return view.columns.get(index, view.setup.network.nodes[index].name) if index >= 0 else ""

    texts = {
        "old router": node(fields.old), "new router": node(fields.new), "correspondent": node(fields.peer),
        "identification": str(fields.identification), "lifetime": f"{fields.lifetime_s} s" if fields.lifetime_s else "",
        "code": str(fields.status) if fields.status else "", "hop on its path": str(fields.hop),
    }  # fmt: skip
    return tuple((name, text) for name, text in texts.items() if text)


def _events(view: RunView) -> Iterator[LadderEvent]:
    times = ((view.facts.get(name, -1), text) for name, text in _LAYER_2_EVENTS.items())
    events = [(time_ps, MN, text) for time_ps, text in times if 0 <= time_ps < FOREVER]
    events += [(a.time_ps, view.columns[a.node], action_text(view, a)) for a in view.actions]
    for time_ps, column, text in sorted(events, key=lambda event: event[0]):
        if view.begin_ps <= time_ps <= view.end_ps:
            yield LadderEvent(time_ps, column, text, view.phases.at(time_ps))


def action_text(view: RunView, action: Action) -> str:
    """Return what a controller did to a table or to the upstream route."""
    arguments = action.arguments
    if action.verb == "bind":
        to = view.columns.get(arguments["coa"], view.setup.network.nodes[arguments["coa"]].name)
        if arguments["relayed"]:
            return f"relays to {to}"
        return f"{'also ' if arguments['simultaneous'] else ''}{'copies' if arguments['beside_cell'] else 'binds'} to {to}"
    if action.verb == "buffer" and arguments["gate"] is not None:
        return "gate closed"
    if action.verb == "set_upstream_route":
        return f"upstream by {view.columns.get(arguments['node'], 'another router')}"
    return {
        "deliver_locally": "visitor", "buffer": "holds packets", "unbind": "entry removed",
        "buffer_upstream": "upstream waits", "clear_upstream_route": "no upstream",
    }[action.verb]  # fmt: skip


def _traffic(view: RunView) -> Iterator[Traffic]:
    groups: dict[tuple[str, str, tuple[str, ...], str], list[int]] = {}
    for journey in view.journeys:
        if view.begin_ps <= journey.sent_ps <= view.end_ps:
            phase, direction = view.phases.at(journey.sent_ps), "up" if journey.up else "down"
            groups.setdefault((phase, direction, view.path(journey), journey.outcome), []).append(journey.sent_ps)
    order = {name: i for i, name in enumerate(view.phases.names)}
    for (phase, direction, path, outcome), times in sorted(groups.items(), key=lambda x: (order[x[0][0]], min(x[1]))):
        yield Traffic(phase, min(times), max(times), direction, path, len(times), outcome)
