"""A row made ready to run under the options of a study: numbered steps, who starts which, over which link, how large."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from handoff.protocol.constants import MAX_RR_BINDING_LIFETIME_S, SECOND
from handoff.protocol.messages import leg_bytes, message_kind
from handoff.protocol.options import Options
from handoff.protocol.procedures import Procedure, Step

PREDICT, UP, GOING_DOWN, DOWN, DISCOVERED, RETRANSMIT, REFRESH, SETTLED, SOLICIT = range(100, 109)
"""Codes of layer-2 events (scheduled) and timers of mobile nodes."""
RESTART, ADVERTISE, RELEASE, DELAYED, LINGER, FADE = range(120, 126)
"""Codes of events and timers of agents."""

HOME, REGIONAL = 0, 1
"""Variants of a procedure: to the home agent, or only to the gateway of the region."""

_OLD = {"oAR", "oGFA", "oMAP"}


@dataclass(frozen=True)
class ProgramStep:
    """One step with what the machine asks about it.

    Attributes
    ----------
    step : Step
    variant : int
        ``HOME`` or ``REGIONAL``.
    kind : str
        Of the message.
    leg_bytes : tuple of int
        IP length between each two nodes of the path.
    over_old : bool
        Whether the mobile node sends it over its old link.
    wants_old : bool
        Whether there has to be an old router other than the new one.
    per_peer : bool
        Whether it is sent for each correspondent.
    replies : frozenset of int
        Steps by which it is answered to the mobile node, however many nodes later.
    awaits : bool
        Whether the mobile node asks again when no answer comes; an update over a link that goes is sent once.
    registers : bool
        Whether one of these says that the mobile node is registered.
    twin : int
        The same request sent over the new link; -1 if there is none.
    starts : tuple of tuple of int
        Steps that the node at each hop starts on handling it.
    """

    step: Step
    variant: int
    kind: str
    leg_bytes: tuple[int, ...]
    over_old: bool
    wants_old: bool
    per_peer: bool
    replies: frozenset[int]
    needs_reply: bool
    registers: bool
    fallback_step: int
    starts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Program:
    """A row under the options of a study.

    Attributes
    ----------
    row : Procedure
    options : Options
    steps : tuple of Numbered
    begins : dict
        (variant, event) to the steps that the mobile node starts then; events are ``known`` (the new router, before the move),
        ``move``, ``going-down`` and the names of messages.
    prelude : tuple of int
        Steps by which the mobile node learns of the new router before the move; begun by a router at ``predict``.
    routability : dict of str to int
        Steps of return routability by their names; empty where it is off.
    solicitation, advertisement : int
        Steps of discovery over the new link.
    """

    row: Procedure
    options: Options
    steps: tuple[ProgramStep, ...]
    steps_by_event: dict[tuple[int, str], tuple[int, ...]]
    prelude: tuple[int, ...]
    routability: dict[str, int]
    solicitation: int
    advertisement: int

    @classmethod
    def of(cls, row: Procedure, options: Options) -> Program:
        """Number the steps of a row under the options of a study."""
        steps: list[tuple[int, Step, bool]] = []  # variant, step, over the old link
        twins: dict[int, int] = {}
        variants = [row.signalling] if not row.hierarchical else [row.between, row.signalling]
        for variant, rows in enumerate(variants):
            _number(variant, [*_optional(rows, row, options), *row.rescue], options.relay, steps, twins)
        first = len(steps)
        common = [*_prelude(row, options), *_DISCOVERY, *(_ROUTABILITY if options.needs_return_routability(row.ip) else ())]
        steps += [(HOME, step, step.path[:2] == ("MN", "oAR")) for step in common]
        numbers = {step.message: first + i for i, step in enumerate(common)}
        twins |= {numbers[m]: numbers[m[:-1] + "2"] for m in ("HoTI1", "CoTI1") if m in numbers}
        numbered = tuple(_numbered(i, steps, twins.get(i, -1), row, options) for i in range(len(steps)))
        begins: dict[tuple[int, str], tuple[int, ...]] = {}
        for i, (variant, step, _) in enumerate(steps[:first]):
            if step.path[0] == "MN":
                begins[variant, step.on] = (*begins.get((variant, step.on), ()), i)
        return cls(
            row,
            options,
            numbered,
            begins,
            tuple(numbers[s.message] for s in _prelude(row, options) if s.on == "predict"),
            {m: n for m, n in numbers.items() if m in _ROUTABILITY_MESSAGES},
            numbers["AS9"],
            numbers["AA9"],
        )

    @property
    def uses_ipsec(self) -> bool:
        """Whether messages of the home agent travel in ESP, and correspondents' carry authorization data (IPv6)."""
        return self.options.rfc or self.options.authenticates

    def refresh_ps(self, lifetime_s: int) -> int:
        """How long after a reply a registration is renewed: half of the shortest lifetime of its bindings."""
        shortest = min(lifetime_s, MAX_RR_BINDING_LIFETIME_S) if self.routability and self.row.route_optimization else lifetime_s
        return shortest * SECOND // 2

    def steps_on(self, variant: int, event: str) -> tuple[int, ...]:
        """Steps that the mobile node starts on an event."""
        return self.steps_by_event.get((variant, event), ())


def _number(
    variant: int, rows: list[Step], relay: str, steps: list[tuple[int, Step, bool]], twins: dict[int, int]
) -> None:
    """Append the steps of one variant; a request before the move gets a twin over the new link, for when nobody warned."""
    for step in rows:
        before = step.on == "predict"
        here = len(steps)
        known = replace(step, on="known", path=_carried(step.path, relay)) if before else step
        steps.append((variant, known, before or step.on == "going-down"))
        if before and step.effect != "delete":
            twins[here] = here + 1
            effect = "bind" if step.effect == "simultaneous" else step.effect
            steps.append((variant, replace(step, on="move", path=("MN", *step.path[2:]), effect=effect), False))


def _carried(path: tuple[str, ...], relay: str) -> tuple[str, ...]:
    """With layer-2 relay the old router carries the message as a frame: it does not process it (yaml, path)."""
    return path[:1] + path[2:] if relay == "l2" and path[:3] == ("MN", "oAR", "nAR") else path


def _optional(rows: tuple[Step, ...], row: Procedure, options: Options) -> list[Step]:
    """The steps of a row with what options put in the place of some of them."""
    found: list[Step] = []
    for step in rows:
        late = step.on == "move" and step.effect == "forward"
        if late and row.ip == 6 and options.temporary_home_agent == "discovery":
            found += [
                Step("move", "HADQ", step.path),
                Step("HADQ", "HADR", ("oAR", "nAR", "MN")),
                replace(step, on="HADR"),
            ]
        elif late and row.ip == 4 and options.notification == "router":
            found.append(replace(step, on="RQ", path=step.path[1:]))
        else:
            found.append(step)
    return found


def _prelude(row: Procedure, options: Options) -> tuple[Step, ...]:
    """How the new router's advertisement comes to the mobile node before the move (seed: two methods)."""
    if not row.predictive or options.prediction == "layer2":
        return ()
    if options.prediction == "solicitation":
        return Step("predict", "AS", ("oAR", "nAR")), Step("AS", "AA", ("nAR", "oAR", "MN"))
    return (Step("predict", "AA", ("nAR", "oAR", "MN")),)


_DISCOVERY = (Step("", "AS9", ("MN", "nAR")), Step("AS9", "AA9", ("nAR", "MN")))
"""Solicitation and advertisement over the new link."""

_ROUTABILITY = (
    Step("", "HoTI1", ("MN", "oAR", "HA", "CN")),
    Step("HoTI1", "HoT1", ("CN", "HA", "oAR", "MN")),
    Step("", "HoTI2", ("MN", "nAR", "HA", "CN")),
    Step("HoTI2", "HoT2", ("CN", "HA", "nAR", "MN")),
    Step("", "CoTI1", ("MN", "oAR", "nAR", "CN")),
    Step("CoTI1", "CoT1", ("CN", "nAR", "MN")),
    Step("", "CoTI2", ("MN", "nAR", "CN")),
    Step("CoTI2", "CoT2", ("CN", "nAR", "MN")),
)
"""Home and care-of tests (RFC 6275 5.2.5), 1 over the old link and 2 over the new one."""
_ROUTABILITY_MESSAGES = {step.message for step in _ROUTABILITY}


def _started(steps: list[tuple[int, Step, bool]], variant: int, message: str, role: str) -> tuple[int, ...]:
    """Steps that a node in a role starts on handling a message."""
    return tuple(k for k, (v, s, _) in enumerate(steps) if v == variant and s.on == message and s.path[0] == role != "MN")


def _replies(steps: list[tuple[int, Step, bool]], variant: int, step: Step) -> Iterator[int]:
    """Steps to the mobile node that the last node of a step starts, or the last node of what it starts."""
    for k in _started(steps, variant, step.message, step.path[-1]):
        if steps[k][1].path[-1] == "MN":
            yield k
        else:
            yield from _replies(steps, variant, steps[k][1])


def _numbered(
    i: int, steps: list[tuple[int, Step, bool]], twin: int, row: Procedure, options: Options
) -> ProgramStep:
    variant, step, over_old = steps[i]
    starts = tuple(_started(steps, variant, step.message, role) for role in step.path)
    replies = frozenset(_replies(steps, variant, step))
    return ProgramStep(
        step,
        variant,
        message_kind(step.message),
        leg_bytes(step.message, step.path, row.ip, options.rfc or options.authenticates),
        over_old,
        bool(_OLD & set(step.path)),
        "CN" in step.path,
        replies,
        bool(replies) and step.on != "going-down",
        any(steps[k][1].effect == "registered" for k in replies),
        twin,
        starts,
    )
