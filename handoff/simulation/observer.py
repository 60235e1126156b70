"""Watch a run: controllers wrapped so that every event they get and every action they take is written down."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine import Context
from handoff.protocol.messages import MessageFields
from handoff.protocol.program import compile_program
from handoff.protocol.setup import Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import RunResult, run_procedure

MS = 10**9
TABLE = ("bind", "deliver_locally", "buffer", "unbind")
UPSTREAM = ("set_upstream_route", "buffer_upstream", "clear_upstream_route")


@dataclass(frozen=True)
class Action:
    """What a controller did: its node (-1 = the fleet), and the arguments by name, defaults included."""

    time_ps: int
    node: int
    mobile: int
    verb: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class ReceivedMessage:
    """A message that a controller got; ``via`` is the cell it came through, -1 at a fixed node."""

    time_ps: int
    node: int
    mobile: int
    via: int
    code: int
    fields: MessageFields


@dataclass(frozen=True)
class SentMessage:
    """One hop of a control message between nodes (-1 = the mobile node); ``got_ps`` None if nobody got it."""

    message: str
    source: int
    to: int
    sent_ps: int
    got_ps: int | None


_CALLS = {verb: inspect.signature(getattr(Context, verb)) for verb in ("send", *TABLE, *UPSTREAM)}


class _WatchedContext:
    """A context that writes down what is done with it, then does it."""

    def __init__(self, ctx: Context, log: list[Action]) -> None:
        self._ctx, self._log = ctx, log

    def __getattr__(self, verb: str) -> Any:
        target = getattr(self._ctx, verb)
        if verb not in _CALLS:
            return target

        def act(*args: Any, **kwargs: Any) -> None:
            given = _CALLS[verb].bind(self._ctx, *args, **kwargs)
            given.apply_defaults()
            self._log.append(Action(self._ctx.time_ps, self._ctx.node, self._ctx.mobile, verb, given.arguments))
            target(*args, **kwargs)

        return act


class _Watched:
    """A controller under watch."""

    def __init__(self, controller: Any, watch: RunObserver) -> None:
        self.controller, self.watch = controller, watch

    def on_event(self, ctx: Any, event: Any) -> None:
        watch = self.watch
        if watch.mobile is not None and event.mobile != watch.mobile:
            self.controller.on_event(ctx, event)
            return
        if event.kind == 2:
            fields = MessageFields.unpack(event.args)
            watch.arrivals.append(ReceivedMessage(event.time_ps, event.node, event.mobile, event.via, event.code, fields))
        self.controller.on_event(_WatchedContext(ctx, watch.actions), event)


class RunObserver:
    """One run of a procedure, watched.

    Parameters
    ----------
    setup : Setup
        What it runs on.
    procedure : str
        A key of ``PROCEDURES``.
    seed : int
        Of every draw.
    mobile : int or None
        Write down only what concerns this mobile node.
    **options
        As for ``run_procedure``.

    Attributes
    ----------
    run : Run
    program : Program
    actions : list of Action
        In the order of the run.
    arrivals : list of Arrival
    """

    def __init__(self, setup: Setup, procedure: str, seed: int = 1, mobile: int | None = None, **options: Any) -> None:
        self.actions: list[Action] = []
        self.arrivals: list[ReceivedMessage] = []
        self.setup, self.mobile = setup, mobile
        self.program = compile_program(setup, procedure)
        self.run: RunResult = run_procedure(
            setup, procedure, seed=seed, reference=ZERO_BYTES, wrap=lambda _, c: _Watched(c, self), **options
        )

    def message(self, fields: MessageFields) -> str:
        """Name of a message in its row."""
        return self.program.steps[fields.step].step.message

    def sent(self, mobile: int) -> list[SentMessage]:
        """Every hop of every control message about a mobile node, by the time it was sent."""
        waiting = [a for a in self.arrivals if a.mobile == mobile]
        found = []
        for action in self.actions:
            if action.verb != "send" or action.mobile != mobile:
                continue
            sent = action.arguments
            target = -1 if sent["for_mobile"] and sent["to"] == action.node else sent["to"]
            fields = MessageFields.unpack(sent["args"])
            key = (target, sent["code"], fields)
            got = next((a for a in waiting if (a.node, a.code, a.fields) == key and a.time_ps >= action.time_ps), None)
            if got is not None:
                waiting.remove(got)
            arrived = None if got is None else got.time_ps
            found.append(SentMessage(self.message(fields), action.node, target, action.time_ps, arrived))
        assert not waiting, f"messages that nobody sent: {waiting}"
        return sorted(found, key=lambda hop: hop.sent_ps)
