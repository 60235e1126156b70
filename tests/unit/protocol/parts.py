"""Parts of a run for unit tests: a program with its roles on a small network, and a context that records actions.

The network is that of ``tests.conformance.two_router_scene``. Mobile node 0 is registered at ``old`` at time 0; its link is up
until 600 ms, and the link to ``new`` comes up at 520 ms. The correspondent ``cn`` sends to it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from handoff.protocol.program import compile_program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import CorrespondentTable
from tests.conformance.two_router_scene import Scene, Stay

MS = 10**9
SECOND = 10**12
STAYS = (Stay("old", down=600, predict=500, warn=590), Stay("new", up=520))


class RecordingContext:
    """Context of an event that records every action as (name, arguments, keyword arguments)."""

    def __init__(self, time_ps: int = 0, mobile: int = 0, node: int = -1) -> None:
        self.time_ps, self.mobile, self.node = time_ps, mobile, node
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: self.calls.append((name, args, kwargs))

    def take(self, name: str | None = None) -> list[Any]:
        """Return the recorded calls and forget them; with ``name``, only (arguments, keyword arguments) of that action."""
        calls, self.calls = self.calls, []
        return calls if name is None else [(args, kwargs) for called, args, kwargs in calls if called == name]

    def names(self) -> list[str]:
        """Return the names of the recorded actions."""
        return [name for name, _, _ in self.calls]


def build_parts(
    procedure: str, regions: int = 1, stays: Any = STAYS, home_link: bool = False, **options: Any
) -> SimpleNamespace:  # fmt: skip
    """Return setup, program, roles and the indices of the nodes for a procedure with options."""
    setup = Scene(stays, regions=regions, home_link=home_link).setup(down=[100], options=options)
    program = compile_program(setup, procedure)
    roles = RoleResolver(setup, program, CorrespondentTable(setup.network), 1)
    nodes = {node.name: i for i, node in enumerate(setup.network.nodes)}
    return SimpleNamespace(setup=setup, program=program, roles=roles, **nodes)


def step_number(program: Any, message: str, on: str | None = None, variant: int = 0) -> int:
    """Return the number of the first step with a message and, if ``on`` is given, with this event."""
    return next(
        i for i, s in enumerate(program.steps)
        if s.step.message == message and s.variant == variant and on in (None, s.step.on)
    )  # fmt: skip
