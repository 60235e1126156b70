"""A node that says what it likes: messages about other people's mobile nodes, sent in the middle of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

import handoff.simulation.run
from engine import Engine
from handoff.protocol.messages import CODES, MessageFields, message_kind
from handoff.protocol.program import Program, ProgramStep
from handoff.protocol.setup import Setup
from tests.conformance.spy import Spy

MS = 10**9
_SAY = 999


@dataclass(frozen=True)
class Said:
    """One message: when (ms), to which node, and what it says. Its hop is that of the node, as if it came from the one before."""

    at: float
    to: str
    fields: MessageFields


class Attacker:
    """The controller of the attacker's node."""

    def __init__(self, program: Program, setup: Setup, said: Sequence[Said]) -> None:
        self.program, self.setup, self.said = program, setup, said

    def on_event(self, ctx: Any, event: Any) -> None:
        if event.kind == 0:
            message = self.said[event.args[0]]
            numbered = self.program.steps[message.fields.step]
            to = self.setup.network.node_index(message.to)
            size = numbered.leg_bytes[message.fields.hop - 1]
            ctx.send(CODES[message_kind(numbered.step.message)], to, size_bytes=size, args=message.fields)


def attacked(
    setup: Setup, procedure: str, said: Sequence[Said], node: str = "peer", mobile: int = 0, run: Callable[..., Any] = Spy
) -> Any:
    """A run, watched or not, during which a node says all this about a mobile node."""

    def engine(network: Any, **options: Any) -> Engine:
        where = network.node_index(node)
        for i, message in enumerate(said):
            network.schedule_event(round(message.at * MS), mobile, _SAY, i, node=where)
        made = Engine(network, **options)
        made.attach(where, Attacker(handoff.simulation.run.compile_program(setup, procedure), setup, said))
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handoff.simulation.run, "Engine", engine)
        return run(setup, procedure)


def request(program: Program, message: str, to: str) -> tuple[int, ProgramStep]:
    """The step, with its number, by which a mobile node asks a node in a role over the new link."""
    return next(
        (i, n) for i, n in enumerate(program.steps)
        if n.step.message == message and n.step.path[0] == "MN" and n.step.path[-1] == to and not n.over_old
    )  # fmt: skip


def data_on(spy: Spy, link: str) -> int:
    """Data packets that entered a link."""
    links = spy.run.result.links
    i = spy.run.result.link_names.index(link)
    return int(links["packets"][i] - links["control_packets"][i])
