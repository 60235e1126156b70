"""Observation of a run: its controllers are wrapped, so that every event and every action is recorded."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine import Context
from handoff.protocol.background import BACKGROUND, BACKGROUND_CODE
from handoff.protocol.messages import MessageFields
from handoff.protocol.mixture import Mixture, compile_procedure
from handoff.protocol.procedures import Procedure
from handoff.protocol.setup import Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import RunResult, run_procedure

TABLE = ("bind", "deliver_locally", "buffer", "unbind")
"""Actions on the binding table of a node."""
UPSTREAM = ("set_upstream_route", "buffer_upstream", "clear_upstream_route")
"""Actions on the upstream route of a mobile node."""
MESSAGE_EVENT = 2
"""``kind`` of the event that a message has arrived."""


@dataclass(frozen=True)
class Action:
    """An action of a controller: its node (-1 for a mobile node) and the arguments by name, defaults included."""

    time_ps: int
    node: int
    mobile: int
    verb: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class ReceivedMessage:
    """A message that a controller received; ``via`` is the cell that it came through, -1 at a fixed node."""

    time_ps: int
    node: int
    mobile: int
    via: int
    code: int
    fields: MessageFields


@dataclass(frozen=True)
class SentMessage:
    """One hop of a control message between nodes (-1 for the mobile node); ``got_ps`` is None if no node received it.

    ``size_bytes`` is its IP length on this hop, and ``fields`` has its contents.

    ``via`` is the node whose cell a mobile node received it through, which differs from ``source`` if that node forwarded it like
    data; -1 otherwise.
    """

    message: str
    source: int
    to: int
    sent_ps: int
    got_ps: int | None
    via: int = field(default=-1, compare=False)
    size_bytes: int = field(default=0, compare=False)
    fields: MessageFields | None = field(default=None, compare=False)


_SIGNATURES = {verb: inspect.signature(getattr(Context, verb)) for verb in ("send", *TABLE, *UPSTREAM)}


class _ObservedContext:
    """Context that records each action and then performs it."""

    def __init__(self, ctx: Context, actions: list[Action]) -> None:
        self._ctx, self._actions = ctx, actions

    def __getattr__(self, verb: str) -> Any:
        method = getattr(self._ctx, verb)
        if verb not in _SIGNATURES:
            return method

        def act(*args: Any, **kwargs: Any) -> None:
            call = _SIGNATURES[verb].bind(self._ctx, *args, **kwargs)
            call.apply_defaults()
            self._actions.append(Action(self._ctx.time_ps, self._ctx.node, self._ctx.mobile, verb, call.arguments))
            method(*args, **kwargs)

        return act


class _ObservedController:
    def __init__(self, controller: Any, observer: RunObserver) -> None:
        self.controller, self.observer = controller, observer

    def on_event(self, ctx: Any, event: Any) -> None:
        observer = self.observer
        if (observer.mobile is not None and event.mobile != observer.mobile) or event.code in (BACKGROUND, BACKGROUND_CODE):
            self.controller.on_event(ctx, event)
            return
        if event.kind == MESSAGE_EVENT:
            fields = MessageFields.unpack(event.args)
            observer.arrivals.append(ReceivedMessage(event.time_ps, event.node, event.mobile, event.via, event.code, fields))
        self.controller.on_event(_ObservedContext(ctx, observer.actions), event)


class RunObserver:
    """Observer of one run of a procedure, which it runs when it is created.

    Parameters
    ----------
    setup : Setup
    procedure : str
        A key of ``PROCEDURES``, or ``mixture`` with ``mobile``.
    seed : int
        Seed of every draw.
    mobile : int or None
        If not None, record only the events and actions of this mobile node.
    **options
        As for ``run_procedure``.

    Attributes
    ----------
    run : RunResult
    program : Program
        Program of the observed mobile nodes.
    actions : list of Action
        In the order of the run.
    arrivals : list of ReceivedMessage

    Raises
    ------
    ValueError
        If all mobile nodes of a mixture would be observed: their messages belong to different programs.
    """

    def __init__(
        self, setup: Setup, procedure: str | Procedure, seed: int = 1, mobile: int | None = None, **options: Any
    ) -> None:
        self.actions: list[Action] = []
        self.arrivals: list[ReceivedMessage] = []
        self.setup, self.mobile = setup, mobile
        program = compile_procedure(setup, procedure)
        if isinstance(program, Mixture) and mobile is None:
            raise ValueError("a mixture has a program for each group: observe one mobile node")
        self.program = program.programs[program.groups.group[mobile]] if isinstance(program, Mixture) else program
        self.run: RunResult = run_procedure(
            setup, program, seed=seed, reference=ZERO_BYTES, wrap=lambda _, c: _ObservedController(c, self), **options
        )

    def message(self, fields: MessageFields) -> str:
        """Return the name of a message in its procedure."""
        return self.program.steps[fields.step].step.message

    def sent(self, mobile: int) -> list[SentMessage]:
        """Return every hop of every control message about a mobile node, sorted by sending time."""
        unmatched = [a for a in self.arrivals if a.mobile == mobile]
        hops = []
        for action in self.actions:
            if action.verb != "send" or action.mobile != mobile:
                continue
            arguments = action.arguments
            target = -1 if arguments["for_mobile"] and arguments["to"] == action.node else arguments["to"]
            fields = MessageFields.unpack(arguments["args"])
            key = (target, arguments["code"], fields)
            arrival = next((a for a in unmatched if (a.node, a.code, a.fields) == key and a.time_ps >= action.time_ps), None)
            if arrival is not None:
                unmatched.remove(arrival)
            got_ps, via = (None, -1) if arrival is None else (arrival.time_ps, arrival.via)
            size_bytes, name = arguments["size_bytes"], self.message(fields)
            hops.append(SentMessage(name, action.node, target, action.time_ps, got_ps, via, size_bytes, fields))
        assert not unmatched, f"messages that no controller sent: {unmatched}"
        return sorted(hops, key=lambda hop: hop.sent_ps)
