"""An attacker: a node that sends forged messages about a mobile node in the middle of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

import handoff.simulation.run
from engine import Engine, EventKind
from handoff.protocol.messages import CODES, MessageFields, message_kind
from handoff.protocol.program import Program, ProgramStep, compile_program
from handoff.protocol.setup import Setup
from tests.conformance.run_assertions import RunView

MS = 10**9
_SEND = 999  # code of the scheduled events


@dataclass(frozen=True)
class ForgedMessage:
    """A message of the attacker: time of sending (ms), receiver and content.

    Its hop is that of the receiver, as if the message came from the previous node of the path.
    """

    at: float
    to: str
    fields: MessageFields


class Attacker:
    """Controller of the attacker's node."""

    def __init__(self, program: Program, setup: Setup, messages: Sequence[ForgedMessage]) -> None:
        self.program, self.setup, self.messages = program, setup, messages

    def on_event(self, ctx: Any, event: Any) -> None:
        if event.kind == EventKind.SCHEDULED:
            message = self.messages[event.args[0]]
            step = self.program.steps[message.fields.step]
            to = self.setup.network.node_index(message.to)
            size = step.leg_bytes[message.fields.hop - 1]
            ctx.send(CODES[message_kind(step.step.message)], to, size_bytes=size, args=message.fields)


def run_with_attacker(
    setup: Setup, procedure: str, messages: Sequence[ForgedMessage], node: str = "peer", mobile: int = 0,
    run: Callable[..., Any] = RunView,
) -> Any:  # fmt: skip
    """Run a procedure while ``node`` sends forged messages about a mobile node; ``run`` performs the run."""

    def engine_with_attacker(network: Any, **options: Any) -> Engine:
        attacker = network.node_index(node)
        for i, message in enumerate(messages):
            network.schedule_event(round(message.at * MS), mobile, _SEND, i, node=attacker)
        engine = Engine(network, **options)
        engine.attach(attacker, Attacker(compile_program(setup, procedure), setup, messages))
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handoff.simulation.run, "Engine", engine_with_attacker)
        return run(setup, procedure)


def find_request_step(program: Program, message: str, to: str) -> tuple[int, ProgramStep]:
    """Return number and step of the request ``message`` that a mobile node sends over the new link to a node in role ``to``."""
    return next(
        (i, s) for i, s in enumerate(program.steps)
        if s.step.message == message and s.step.path[0] == "MN" and s.step.path[-1] == to and not s.over_old_link
    )  # fmt: skip


def data_packets_on(view: RunView, link: str) -> int:
    """Return the number of data packets that entered a link."""
    links = view.run.result.links
    i = view.run.result.link_names.index(link)
    return int(links["packets"][i] - links["control_packets"][i])
