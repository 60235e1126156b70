"""Mixtures: several procedures in one run, each for a group of mobile nodes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from mypy_extensions import mypyc_attr

from engine import Context, Event, EventKind
from handoff.protocol.procedures import MIXTURE, Procedure
from handoff.protocol.program import Program, compile_program
from handoff.protocol.setup import ProcedureGroups, Setup

_MESSAGE: Final = int(EventKind.MESSAGE)  # a plain integer, since every event is compared with it


@dataclass(frozen=True)
class Mixture:
    """Programs of the groups of mobile nodes of one run.

    Attributes
    ----------
    programs : tuple of Program
        Program of each group.
    groups : ProcedureGroups
        Group of each mobile node.
    """

    programs: tuple[Program, ...]
    groups: ProcedureGroups


def compile_procedure(setup: Setup, procedure: str | Procedure | Program | Mixture) -> Program | Mixture:
    """Compile a procedure, or the mixture of the setup, unless it is compiled already.

    Raises
    ------
    ValueError
        As for ``handoff.protocol.program.compile_program``, for every procedure of a mixture; or if the setup has no groups.
    """
    if isinstance(procedure, Program | Mixture):
        return procedure
    if procedure != MIXTURE:
        return compile_program(setup, procedure)
    if setup.groups is None:
        raise ValueError(f"{MIXTURE}: the scenario has no groups: give each group a table [[{MIXTURE}]]")
    programs: dict[str, Program] = {}
    problems: dict[str, None] = {}
    for name in setup.groups.procedures:
        try:
            programs[name] = compile_program(setup, name)
        except ValueError as error:
            problems |= dict.fromkeys(str(error).splitlines())
    if problems:
        raise ValueError("\n".join(problems))
    return Mixture(tuple(programs[name] for name in setup.groups.procedures), setup.groups)


def unsupported_reasons(setup: Setup, procedures: Iterable[str]) -> list[str]:
    """Return the error message of :func:`compile_procedure` for each procedure that cannot run on a setup."""
    reasons = []
    for name in procedures:
        try:
            compile_procedure(setup, name)
        except ValueError as error:
            reasons.append(str(error))
    return reasons


@mypyc_attr(allow_interpreted_subclasses=True)
class GroupDispatcher:
    """Controller of a node, or of all mobile nodes, in a mixture: it passes each event to the controller of a group.

    Every event, and so every message, concerns one mobile node. The arguments of a message are step numbers of the program of
    that mobile node, which only the controllers of its group read.

    Parameters
    ----------
    group : array of int
        Group of each mobile node.
    controllers : list of controller or None
        Controller of each group. None for a group whose procedure gives the node no role: the node then ignores the event, as a
        node without a controller does.
    messages : list of int
        Number of messages of each group that agents have received. All dispatchers of a run count in the same list.
    """

    def __init__(self, group: array[int], controllers: list[Any], messages: list[int]) -> None:
        self.group, self.controllers, self.messages = group, controllers, messages

    def on_event(self, ctx: Context, event: Event) -> None:
        """Pass an event to the controller of its mobile node's group."""
        group = self.group[event.mobile]
        if event.kind == _MESSAGE and event.node >= 0:
            self.messages[group] += 1
        controller = self.controllers[group]
        if controller is not None:
            controller.on_event(ctx, event)
