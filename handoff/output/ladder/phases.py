"""Phases of a handoff, with the seed's names, in the order in which they happened."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from engine import FOREVER
from handoff.output.ladder.journeys import MOBILE
from handoff.protocol.prepared_mobile_node import COMMANDED
from handoff.protocol.procedures import Procedure
from handoff.simulation.observer import Action, SentMessage

SCENARIOS = ("", "I", "II", "III")
"""The seed's names of the scenarios; the first one stands for procedures without scenarios."""


@dataclass(frozen=True)
class Phases:
    """Phases of one handoff.

    Attributes
    ----------
    begins : tuple of (int, str)
        Time at which a phase begins, and its name, sorted. A phase that another one interrupts begins twice.
    of_messages : mapping of (str, int, int) to str
        Phase of a message by its name, the node that sends it, and the time of sending, if it is not the phase at that time.
    """

    begins: tuple[tuple[int, str], ...]
    of_messages: Mapping[tuple[str, int, int], str]

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order in which the phases begin."""
        return tuple(dict.fromkeys(name for _, name in self.begins))

    def at(self, time_ps: int) -> str:
        """Return the phase at a time."""
        return self.begins[max(0, bisect_right(self.begins, time_ps, key=itemgetter(0)) - 1)][1]

    def of(self, hop: SentMessage) -> str:
        """Return the phase of a message on one hop."""
        return self.of_messages.get((hop.message, hop.source, hop.sent_ps)) or self.at(hop.sent_ps)

    def intervals(self, name: str) -> list[tuple[int, int]]:
        """Return begin and end of each interval of a phase; the last phase ends at ``FOREVER``."""
        ends = [begin_ps for begin_ps, _ in self.begins[1:]] + [FOREVER]
        return [(begin_ps, end_ps) for (begin_ps, n), end_ps in zip(self.begins, ends, strict=True) if n == name]


def handoff_phases(
    facts: Mapping[str, int], procedure: Procedure, hops: Sequence[SentMessage], actions: Iterable[Action], drained_ps: int,
    home_agent: int = -1,
) -> Phases:  # fmt: skip
    """Return the phases of a handoff, named by what happened.

    Phase 3 of the scenarios I and II, and III-5, begin when the first anchor answers the request: the sender of the marker, or
    the home agent if it answers before. II-4 and III-3 begin at the rescue, the update to the old router. The acknowledgement of
    the rescue belongs to the same phase, until (in III) the new router passes it on. II-5 begins when the mobile node has it. A
    procedure without a marker has two phases, before and after the beginning of the handoff.

    A prepared procedure has the phases of TS 23.502 4.9.1: preparation from the report on, execution from the command on (or from
    the arrival, without a command), and completion from the arrival on.

    Parameters
    ----------
    facts : mapping of str to int
        Row of the handoff in the table of handoffs.
    procedure : Procedure
        Procedure of the run.
    hops : sequence of SentMessage
        All hops of messages about the mobile node, by time of sending.
    actions : iterable of Action
        Actions of the controllers about the mobile node.
    drained_ps : int
        Arrival of the last packet that the old router forwarded; -1 if there is none.
    home_agent : int
        Node of the home agent, which answers requests even if it is one of the two routers.
    """
    if procedure.prepared:
        return _prepared_phases(facts, drained_ps)
    scenario = SCENARIOS[facts["scenario"]]
    request_ps, rescue_ps = facts["request_ps"], facts["rescue_ps"]
    if not scenario:
        begin_ps = min((t for t in (request_ps, facts["down_ps"]) if 0 <= t < FOREVER), default=FOREVER)
        return Phases(_sorted([("1", 0), ("2", begin_ps)]), {})
    first_ps, last_ps = switch_times(facts, procedure, hops, actions, home_agent)
    ends = [facts[name] for name in ("reply_ps", "marker_ps", "acknowledged_ps", "bound_ps", "up_ps", "down_ps")]
    done_ps = FOREVER if facts["reply_ps"] < 0 else max(t for t in [*ends, drained_ps] if t < FOREVER)
    rescue = {step.message for step in procedure.rescue}
    of_messages = {}
    for hop in hops:
        key = hop.message, hop.source, hop.sent_ps
        if hop.source == MOBILE and hop.sent_ps == request_ps and hop.message not in rescue:
            of_messages[key] = f"{scenario}-2"
        elif hop.message in rescue and 0 <= rescue_ps <= hop.sent_ps <= done_ps:
            if scenario == "II":
                of_messages[key] = "II-4"
            elif scenario == "III" and hop.source != facts["new_router"]:
                of_messages[key] = "III-3"
    if scenario == "I":
        phases = [("I-1", 0), ("I-2", request_ps), ("I-3", first_ps), ("I-4", facts["marker_ps"]), ("I-5", done_ps)]
    elif scenario == "II":
        acknowledged_ps = facts["acknowledged_ps"] if facts["acknowledged_ps"] >= 0 else FOREVER
        phases = [("II-1", 0), ("II-2", request_ps), ("II-3", first_ps), ("II-4", rescue_ps)]
        if rescue_ps < first_ps:
            phases.append(("II-4", last_ps + 1))
        phases += [("II-5", min(acknowledged_ps, done_ps)), ("II-6", done_ps)]
    else:
        switched_ps = max(facts["up_ps"], rescue_ps)
        phases = [
            ("III-1", 0), ("III-2", request_ps), ("III-3", rescue_ps), ("III-4", switched_ps), ("III-5", first_ps),
            ("III-6", done_ps),
        ]  # fmt: skip
    return Phases(_sorted(phases), of_messages)


def _prepared_phases(facts: Mapping[str, int], drained_ps: int) -> Phases:
    arrived_ps = max(facts["up_ps"], facts["request_ps"], facts["reply_ps"] if facts["scenario"] == COMMANDED else -1)
    command_ps = facts["rescue_ps"] if facts["rescue_ps"] >= 0 else arrived_ps
    done_ps = max(facts["bound_ps"], facts["marker_ps"], drained_ps) if facts["completed"] else FOREVER
    phases = [("before", 0), ("preparation", facts["request_ps"]), ("execution", command_ps), ("completion", arrived_ps)]
    return Phases(_sorted([*phases, ("after", done_ps)]), {})


def _sorted(phases: list[tuple[str, int]]) -> tuple[tuple[int, str], ...]:
    reached = [(begin_ps, name) for name, begin_ps in phases if 0 <= begin_ps < FOREVER]
    return tuple(sorted(reached, key=lambda phase: phase[0]))


def switch_times(
    facts: Mapping[str, int], procedure: Procedure, hops: Sequence[SentMessage], actions: Iterable[Action], home_agent: int = -1
) -> tuple[int, int]:
    """Return when the first and the last anchor answered the request or bound to the new care-of address; -1 if none did.

    On the home link the home agent is an anchor and a router.
    """
    routers = {facts["old_router"], facts["new_router"]} - {home_agent} | {MOBILE}
    steps = (*procedure.signalling, *procedure.between)
    answers = {step.message for step in steps if step.path[0] not in ("MN", "oAR", "nAR")}
    until_ps = max(facts[name] for name in ("reply_ps", "marker_ps", "bound_ps"))
    until_ps = until_ps if facts["reply_ps"] >= 0 else FOREVER
    since_ps = max(0, facts["request_ps"])
    received: set[tuple[str, int]] = set()
    times = []
    for hop in hops:
        if not since_ps <= hop.sent_ps <= until_ps:
            continue
        if hop.message in answers and hop.source not in routers and (hop.message, hop.source) not in received:
            times.append(hop.sent_ps)
        if hop.got_ps is not None:
            received.add((hop.message, hop.to))
    times += [a.time_ps for a in actions if a.verb == "bind" and a.node not in routers and since_ps <= a.time_ps <= until_ps]
    return min(times, default=-1), max(times, default=-1)
