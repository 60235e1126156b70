"""Programs: procedures compiled for the options of a study into numbered steps with links, sizes and replies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from handoff.protocol.constants import MAX_RR_BINDING_LIFETIME_S, SECOND
from handoff.protocol.message_formats import FORMATS, format_bytes
from handoff.protocol.messages import leg_bytes, message_kind
from handoff.protocol.options import Options
from handoff.protocol.procedure_errors import procedure_errors
from handoff.protocol.procedures import Procedure, Step, find_procedure
from handoff.protocol.setup import Setup

PREDICT, UP, GOING_DOWN, DOWN, DISCOVERED, RETRANSMIT, REFRESH, SETTLED, SOLICIT = range(100, 109)
"""Codes of the layer-2 events and timers of mobile nodes."""
RESTART, ADVERTISE, RELEASE, DELAYED, LINGER, FADE, GATE = range(120, 127)
"""Codes of the events and timers of agents."""
ATTACK, RESEND = range(130, 132)
"""Codes of the events and timers of attackers."""

HOME, REGIONAL = 0, 1
"""Variants of a program: registration with the home agent, or only with the gateway of the region."""

_OLD_ROLES = {"oAR", "oGFA", "oMAP", "tHA"}

_NumberedStep = tuple[int, Step, bool]
"""Variant, step, and whether the mobile node sends it over its old link."""


@dataclass(frozen=True)
class ProgramStep:
    """One step of a program with everything that agents and mobile nodes need to know about it.

    Attributes
    ----------
    step : Step
        The step of the procedure.
    variant : int
        ``HOME`` or ``REGIONAL``.
    kind : str
        Kind of the message.
    leg_bytes : tuple of int
        IP length of the message on each leg of the path.
    over_old_link : bool
        If true, the mobile node sends the message over its old link.
    needs_old_router : bool
        If true, the step requires an old router that differs from the new one.
    forwards_after_move : bool
        If true, the message asks the old router over the new link to forward, or asks for a router that does.
    per_peer : bool
        If true, the message is sent once for each correspondent.
    replies : frozenset of int
        Steps that bring the reply to the mobile node, directly or through further nodes.
    needs_reply : bool
        If true, the mobile node retransmits the message until a reply arrives.
    registers : bool
        If true, one of the replies tells the mobile node that it is registered.
    fallback_step : int
        The same request over the new link, for use when the old link is down; -1 if there is none.
    starts : tuple of tuple of int
        Steps that the node at each hop starts when it handles the message.
    """

    step: Step
    variant: int
    kind: str
    leg_bytes: tuple[int, ...]
    over_old_link: bool
    needs_old_router: bool
    forwards_after_move: bool
    per_peer: bool
    replies: frozenset[int]
    needs_reply: bool
    registers: bool
    fallback_step: int
    starts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Program:
    """A procedure compiled for the options of a study.

    Attributes
    ----------
    procedure : Procedure
        The procedure.
    options : Options
        Options of the study.
    steps : tuple of ProgramStep
        Steps, which messages refer to by their index.
    steps_by_event : dict
        Maps (variant, event) to the steps that the mobile node starts on the event: ``known`` (it knows the new router before
        the move), ``move``, ``going-down`` or the name of a message; in prepared procedures also ``predict``, ``attach`` and
        ``refresh``.
    prelude : tuple of int
        Steps by which the mobile node learns the new router before the move. A router starts them at ``predict``.
    return_routability : dict of str to int
        Steps of return routability by message name; empty if it is off.
    solicitation, advertisement : int
        Steps of router discovery over the new link.
    """

    procedure: Procedure
    options: Options
    steps: tuple[ProgramStep, ...]
    steps_by_event: dict[tuple[int, str], tuple[int, ...]]
    prelude: tuple[int, ...]
    return_routability: dict[str, int]
    solicitation: int
    advertisement: int

    @classmethod
    def compile(cls, procedure: Procedure, options: Options) -> Program:
        """Compile a procedure for the options of a study."""
        steps: list[_NumberedStep] = []
        fallbacks: dict[int, int] = {}
        variants = [procedure.between, procedure.signalling] if procedure.hierarchical else [procedure.signalling]
        for variant, signalling in enumerate(variants):
            adapted = [*_apply_options(signalling, procedure, options), *procedure.rescue]
            _append_variant(variant, adapted, options.relay, procedure.prepared, steps, fallbacks)
        first_common = len(steps)
        prelude = _prelude(procedure, options)
        common = [*prelude, *_DISCOVERY, *(_ROUTABILITY if options.needs_return_routability(procedure.ip) else ())]
        steps += [(HOME, step, step.path[:2] == ("MN", "oAR")) for step in common]
        numbers = {step.message: first_common + i for i, step in enumerate(common)}
        fallbacks |= {numbers[m]: numbers[m[:-1] + "2"] for m in ("HoTI1", "CoTI1") if m in numbers}
        steps_by_event: dict[tuple[int, str], tuple[int, ...]] = {}
        for i, (variant, step, _) in enumerate(steps[:first_common]):
            if step.path[0] == "MN":
                steps_by_event[variant, step.on] = (*steps_by_event.get((variant, step.on), ()), i)
        return cls(
            procedure,
            options,
            tuple(_program_step(i, steps, fallbacks.get(i, -1), procedure, options) for i in range(len(steps))),
            steps_by_event,
            tuple(numbers[step.message] for step in prelude if step.on == "predict"),
            {m: n for m, n in numbers.items() if m in _ROUTABILITY_MESSAGES},
            numbers["AS9"],
            numbers["AA9"],
        )

    @property
    def uses_ipsec(self) -> bool:
        """True if messages of the IPv6 home agent travel in ESP, and those of correspondents carry authorization data."""
        return self.options.rfc or self.options.authenticates

    @property
    def has_commands(self) -> bool:
        """True if the old router commands the move."""
        return any(step.step.effect == "command" for step in self.steps)

    @property
    def can_wait(self) -> bool:
        """True if with the option ``request = "auto"`` a mobile node asks only when it can leave (decisions 27 and 37)."""
        return bool(self.procedure.rescue) or (self.procedure.prepared and not self.procedure.conditional)

    def waits_for_warning(self, single: bool) -> bool:
        """Return whether a mobile node with single or dual access asks at the warning, if layer 2 gives one."""
        request = self.options.request
        return request == "going-down" or (request == "auto" and single and self.can_wait)

    @property
    def waits_for_link(self) -> bool:
        """True if a mobile node with dual access asks when its new link is up (decision 37)."""
        return self.options.request == "auto" and self.procedure.prepared and self.can_wait

    @property
    def reacts_to_warning(self) -> bool:
        """True if a mobile node may send a message when layer 2 warns that its link is about to go down."""
        requests = self.procedure.predictive and self.waits_for_warning(single=True)
        return requests or bool(self.steps_on(HOME, "going-down"))

    def refresh_ps(self, lifetime_s: int) -> int:
        """Return the time from a reply to the refresh of the registration: half of the shortest lifetime of its bindings."""
        tested = self.return_routability and self.procedure.route_optimization
        shortest = min(lifetime_s, MAX_RR_BINDING_LIFETIME_S) if tested else lifetime_s
        return shortest * SECOND // 2

    def steps_on(self, variant: int, event: str) -> tuple[int, ...]:
        """Return the steps that the mobile node starts on an event."""
        return self.steps_by_event.get((variant, event), ())

    def registration_steps(self, variant: int, event: str, keeps_gateway: bool) -> tuple[int, ...]:
        """Return the steps that register a mobile node, which the mobile node starts on an event.

        A mobile node that keeps its gateway deregisters there even if it registers with the home agent: the gateway steers the
        old path, so that the marker has to come from there.
        """
        numbers = self.steps_on(variant, event)
        if variant != HOME or not keeps_gateway:
            return numbers
        home = tuple(n for n in numbers if self.steps[n].step.effect != "delete")
        return home + tuple(n for n in self.steps_on(REGIONAL, event) if self.steps[n].step.effect == "delete")


def compile_program(setup: Setup, procedure: str | Procedure) -> Program:
    """Compile a procedure for a setup.

    Parameters
    ----------
    setup : Setup
        Setup with the options and regions.
    procedure : str or Procedure
        Name of a procedure, or one of the caller's own.

    Raises
    ------
    ValueError
        If the procedure is unknown, an option is invalid, or the procedure is hierarchical and a router has no gateway. The
        message has one problem per line.
    """
    definition = find_procedure(procedure) if isinstance(procedure, str) else procedure
    errors = [*setup.options.problems(), *procedure_errors(definition)]
    without_gateway = sorted({int(r) for r in setup.attachments.router} - {*setup.gateways, setup.home_agent})
    if definition.hierarchical and without_gateway:
        names = ", ".join(setup.network.nodes[r].name for r in without_gateway)
        remedy = "give each router a region with a gateway, or leave this procedure out"
        errors.append(f"{definition.name} is hierarchical: {remedy}; {names} have none")
    if definition.prepared and setup.home_agent in setup.network.cell_of_node:
        errors.append(f"{definition.name} has no home link: give the home agent no cell, or leave this procedure out")
    if errors:
        raise ValueError("\n".join(errors))
    return Program.compile(definition, setup.options)


def _append_variant(
    variant: int, signalling: list[Step], relay: str, prepared: bool, steps: list[_NumberedStep], fallbacks: dict[int, int]
) -> None:
    """Append the steps of one variant to ``steps``.

    A request before the move gets a fallback step over the new link, for a move without a prediction. The fallback of an update
    at the warning is the update at the move. A prepared procedure has steps of its own for such moves.
    """
    for step in signalling:
        before_move, number = step.on == "predict" and not prepared, len(steps)
        if step.on == "going-down" and not prepared:
            fallbacks[number] = number + 1  # the same update over the new link comes next (``steps.rescue_steps``)
        request = replace(step, on="known", path=_relayed_path(step.path, relay)) if before_move else step
        over_old_link = step.path[:2] == ("MN", "oAR") if prepared else before_move or step.on == "going-down"
        steps.append((variant, request, over_old_link))
        if before_move and step.effect != "delete":
            fallbacks[number] = number + 1
            effect = "bind" if step.effect == "simultaneous" else step.effect
            steps.append((variant, replace(step, on="move", path=("MN", *step.path[2:]), effect=effect), False))


def _relayed_path(path: tuple[str, ...], relay: str) -> tuple[str, ...]:
    """Remove the old router from a path if layer 2 carries the message past it: the router then does not process it."""
    return path[:1] + path[2:] if relay == "l2" and path[:3] == ("MN", "oAR", "nAR") else path


def _apply_options(signalling: tuple[Step, ...], procedure: Procedure, options: Options) -> list[Step]:
    """Return the steps of a procedure with those replaced that depend on options."""
    steps: list[Step] = []
    for step in signalling:
        forwards_after_move = step.on == "move" and step.effect == "forward"
        if forwards_after_move and procedure.ip == 6 and options.temporary_home_agent == "discovery":
            steps += [
                Step("move", "HADQ", step.path),
                Step("HADQ", "HADR", (step.path[-1], "nAR", "MN")),
                replace(step, on="HADR"),
            ]
        elif forwards_after_move and procedure.ip == 4 and options.notification == "router":
            steps.append(replace(step, on="RQ", path=step.path[1:]))
        else:
            steps.append(step)
    return steps


def _prelude(procedure: Procedure, options: Options) -> tuple[Step, ...]:
    """Return the steps that bring the new router's advertisement to the mobile node before the move (two methods of the seed)."""
    if not procedure.predictive or procedure.prepared or options.prediction == "layer2":
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
"""Home and care-of tests (RFC 6275 5.2.5): digit 1 over the old link, digit 2 over the new one."""
_ROUTABILITY_MESSAGES = {step.message for step in _ROUTABILITY}


def _steps_started(steps: list[_NumberedStep], variant: int, message: str, role: str) -> tuple[int, ...]:
    """Return the steps that a node in ``role`` starts when it handles a message. A mobile node starts its own by event."""
    return tuple(k for k, (v, s, _) in enumerate(steps) if v == variant and s.on == message and s.path[0] == role != "MN")


def _replies(steps: list[_NumberedStep], variant: int, step: Step) -> Iterator[int]:
    """Yield the steps to the mobile node that the last node of ``step`` starts, directly or through further nodes."""
    for k in _steps_started(steps, variant, step.message, step.path[-1]):
        if steps[k][1].path[-1] == "MN":
            yield k
        else:
            yield from _replies(steps, variant, steps[k][1])


def _leg_bytes(step: Step, procedure: Procedure, options: Options) -> tuple[int, ...]:
    if not step.format:
        return leg_bytes(step.message, step.path, procedure.ip, options.rfc or options.authenticates)
    size = format_bytes(step.format, *options.container_bytes(FORMATS[step.format].family))
    return (size,) * (len(step.path) - 1)


def _program_step(
    number: int, steps: list[_NumberedStep], fallback_step: int, procedure: Procedure, options: Options
) -> ProgramStep:
    variant, step, over_old = steps[number]
    replies = frozenset(_replies(steps, variant, step))
    return ProgramStep(
        step=step,
        variant=variant,
        kind=message_kind(step.message),
        leg_bytes=_leg_bytes(step, procedure, options),
        over_old_link=over_old,
        needs_old_router=bool(_OLD_ROLES & set(step.path)),
        forwards_after_move=message_kind(step.message) == "HADQ" or (step.effect == "forward" and not over_old),
        per_peer="CN" in step.path,
        replies=replies,
        needs_reply=bool(replies),
        registers=any(steps[k][1].effect == "registered" for k in replies),
        fallback_step=fallback_step,
        starts=tuple(_steps_started(steps, variant, step.message, role) for role in step.path),
    )
