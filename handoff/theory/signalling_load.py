"""Signalling load: messages of handoffs and refreshes to each node, from the movement and the steps of the procedure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from handoff.protocol.messages import MessageFields
from handoff.protocol.procedures import Procedure
from handoff.protocol.program import HOME, REGIONAL, Program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Setup

AIR = -1
"""Stands for the mobile node in a leg."""
Leg = tuple[int, int, int]
"""A node, the next one that handles the message, and the size of the message in bytes."""


_Key = TypeVar("_Key")


@dataclass
class SignallingLoad:
    """Messages of a setup, if none is lost or retransmitted.

    Attributes
    ----------
    legs : Counter of Leg
        Number of messages of each leg; an expectation where the time of refreshes is random.
    served : Counter of int
        Number of messages to the registration server of each node. Markers pass it like data.
    batches : dict of int to ndarray of int64
        For each node: sizes of the batches of handoffs that begin at one instant and send messages to it.
    """

    legs: Counter[Leg]
    served: Counter[int]
    batches: dict[int, Int]

    def messages(self, node: int) -> float:
        """Return the number of messages to the registration server of a node."""
        return self.served[node]


def signalling_load(setup: Setup, program: Program, roles: RoleResolver) -> SignallingLoad:
    """Count the messages of all handoffs and refreshes, and of the background.

    A predicted handoff begins at the prediction or the warning (option ``request``) if the procedure registers before the move,
    otherwise when the new router has been found. The update to the old router is sent at the warning with single access, or if
    the request leaves then too, and after an unannounced move. A registration is refreshed at half its lifetime, which each
    handoff starts again. A predicted handoff of a prepared procedure counts as commanded, with the arrival on the new link; one
    without a prediction as a re-establishment. Retransmissions, refusals, tunnels of messages, commands that come too late, and
    updates of handoffs whose marker comes too late are left out.

    Parameters
    ----------
    setup : Setup
        Network with movement and options.
    program : Program
        Program of the procedure on the setup.
    roles : RoleResolver
        Roles under the procedure.
    """
    group, peers_of_group = _correspondent_groups(setup, program, roles)
    registrations = _registrations(setup, program)
    begin_ps = registrations.begin_ps
    legs: Counter[Leg] = Counter()
    served: Counter[int] = Counter()
    begin_by_node: dict[int, list[Int]] = {}
    for kind, rows in _handoffs_by_kind(setup, registrations, group, program.procedure):
        messages = _MessageCounter(program, roles, kind.old, kind.new, peers_of_group[kind.group])
        messages.add_handoff(kind)
        _add_multiple(legs, messages.legs, len(rows))
        _add_multiple(served, messages.served, len(rows))
        for node in messages.served:
            begin_by_node.setdefault(node, []).append(begin_ps[rows])
    for router, group_number, refreshes in _refreshes(setup, program, roles, registrations.registered_ps, group):
        messages = _MessageCounter(program, roles, router, router, peers_of_group[group_number])
        messages.add_registration(HOME, "refresh" if program.procedure.prepared else "move")
        _add_multiple(legs, messages.legs, refreshes)
        _add_multiple(served, messages.served, refreshes)
    for load in setup.background:
        expected = load.expected_messages(setup.duration_ps)
        _add_multiple(legs, Counter({(load.source, load.node, load.size_bytes): 1}), expected)
        _add_multiple(served, Counter({load.node: 1}), expected)
    batches = {node: np.unique(np.concatenate(times), return_counts=True)[1] for node, times in begin_by_node.items()}
    return SignallingLoad(legs, served, batches)


def _add_multiple(total: Counter[_Key], counts: Counter[_Key], factor: float) -> None:
    for key, n in counts.items():
        total[key] += n * factor  # type: ignore[assignment]  # an expectation


class _HandoffKind(NamedTuple):
    """Properties that decide the messages of a handoff."""

    old: int
    new: int
    registers_early: int
    discovered: int
    rescued: int
    group: int


def _correspondent_groups(setup: Setup, program: Program, roles: RoleResolver) -> tuple[Int, list[tuple[int, ...]]]:
    """Return the group of each mobile node, and the correspondents of each group that get messages."""
    if not program.procedure.route_optimization:
        return np.zeros(setup.network.mobile_count, np.int64), [()]
    numbers: dict[tuple[int, ...], int] = {}
    group = [numbers.setdefault(tuple(roles.peers[m]), len(numbers)) for m in range(setup.network.mobile_count)]
    return np.array(group, np.int64), list(numbers)


def _previous_attachments(setup: Setup) -> tuple[Int, npt.NDArray[np.bool_]]:
    """Return the row of the attachment before each one, and True for each that has none."""
    first = np.zeros(len(setup.attachments.mobile), bool)
    first[setup.first_attachments()] = True
    return np.arange(len(first)) - 1, first


class _Registrations(NamedTuple):
    """Registration of each attachment.

    Attributes
    ----------
    begin_ps : ndarray of int64
        Time of the request; 0 if it precedes the run, -1 if it follows it.
    early : ndarray of bool
        The request takes the old link, because layer 2 has announced the move or the new router has been found meanwhile.
    discovered : ndarray of bool
        The mobile node finds the router on the new link.
    rescued : ndarray of bool
        The mobile node sends the old router an update at the warning, or asks it for the command.
    registered_ps : ndarray of int64
        As ``begin_ps``, for the request that registers: in a prepared procedure it follows the arrival on the new link.
    """

    begin_ps: Int
    early: npt.NDArray[np.bool_]
    discovered: npt.NDArray[np.bool_]
    rescued: npt.NDArray[np.bool_]
    registered_ps: Int


def _registrations(setup: Setup, program: Program) -> _Registrations:
    movement, options, procedure = setup.attachments, setup.options, program.procedure
    previous, first = _previous_attachments(setup)
    prepared = procedure.prepared
    predict_ps, warning_ps, down_ps = (c[previous] for c in (movement.predict_ps, movement.going_down_ps, movement.down_ps))
    predicted = (predict_ps >= 0) & ~first
    single = movement.up_ps > down_ps
    discovery_ps = options.agent_discovery_ps if options.discovery == "layer2" else 0
    found_ps = movement.up_ps + (0 if prepared else discovery_ps + options.address_configuration_ps(procedure))
    found_before_down = ~first & (found_ps < down_ps)
    # lazy detection waits for the end of the old link, unless the move has begun before (decision 31)
    waits = found_before_down & (options.detection == "lazy") & ~(predicted & (not procedure.predictive))
    if program.has_commands:
        waits |= found_before_down & prepared  # without a command the mobile node leaves when its old link is down
    at_warning = (warning_ps >= 0) & np.where(single, *(program.waits_for_warning(single=s) for s in (True, False)))
    announced_ps = np.where(at_warning, np.maximum(predict_ps, warning_ps), predict_ps)
    if program.waits_for_link:
        announced_ps = np.where(single, announced_ps, np.maximum(announced_ps, movement.up_ps))
    announced = predicted & procedure.predictive
    begin_ps = np.where(announced, announced_ps, np.where(waits, down_ps, found_ps))
    begin_ps[first & (movement.up_ps == 0)] = 0
    registered_ps = np.where(announced & prepared & (begin_ps >= 0), np.maximum(movement.up_ps, begin_ps), begin_ps)
    for times in (begin_ps, registered_ps):
        times[times >= setup.duration_ps] = -1
    early = announced | (found_before_down & ~waits & procedure.predictive)
    rescued = predicted & np.where(single | at_warning, warning_ps >= 0, prepared)
    return _Registrations(begin_ps, early, ~announced, rescued, registered_ps)


def _handoffs_by_kind(
    setup: Setup, registrations: _Registrations, group: Int, procedure: Procedure
) -> Iterator[tuple[_HandoffKind, Int]]:
    """Yield the kinds of handoffs that begin in the run, each with its attachments. A first one has no old router (-1).

    A mobile node of a prepared procedure that returns to its router sends nothing. In distributed mobility the first router is
    the old one of all handoffs (RFC 8885).
    """
    movement = setup.attachments
    previous, first = _previous_attachments(setup)
    old = np.where(first, -1, movement.router[previous])
    begins = (registrations.begin_ps >= 0) & ~(first & (movement.up_ps == 0))
    rows = np.flatnonzero(begins & (old != movement.router) if procedure.prepared else begins)
    if procedure.anchor == "oAR":
        old = movement.router[np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))]
    columns = old + 1, movement.router, *registrations[1:4], group[movement.mobile]
    bounds = len(setup.network.nodes) + 1, len(setup.network.nodes), 2, 2, 2, int(group.max(initial=0)) + 1
    key = np.ravel_multi_index(tuple(c[rows].astype(np.int64) for c in columns), bounds)
    order = np.argsort(key, kind="stable")
    keys, starts = np.unique(key[order], return_index=True)
    for kind, kind_rows in zip(keys.tolist(), np.split(rows[order], starts)[1:], strict=True):
        old_router, *rest = (int(x) for x in np.unravel_index(kind, bounds))
        yield _HandoffKind(old_router - 1, *rest), kind_rows


def _refreshes(
    setup: Setup, program: Program, roles: RoleResolver, registered_ps: Int, group: Int
) -> Iterator[tuple[int, int, float]]:
    """Yield each router, group of correspondents, and the expected number of refreshes there.

    Between two registrations with the home agent there are floor(gap / interval) refreshes, each where the mobile node is at that
    time. The age of a registration made before time 0 is uniform, so that gap / interval refreshes are expected.
    """
    if program.procedure.lasting:
        return
    movement, interval_ps = setup.attachments, program.refresh_ps(setup.options.lifetime_s)
    rows = np.flatnonzero(registered_ps >= 0)
    end = np.full(len(rows), setup.duration_ps)
    same = movement.mobile[rows[1:]] == movement.mobile[rows[:-1]]
    end[:-1][same] = registered_ps[rows[1:]][same]
    end = np.maximum(np.minimum(end, movement.down_ps[rows]), registered_ps[rows])
    regional = np.append(False, same & _stays_in_region(roles, movement.router[rows]))
    home = registered_ps[rows][np.maximum.accumulate(np.where(regional, 0, np.arange(len(rows))))]
    start = np.where(regional, np.roll(end, 1), registered_ps[rows])
    number = np.where(home == 0, (end - start) / interval_ps, (end - home) // interval_ps - (start - home) // interval_ps)
    groups = int(group.max(initial=0)) + 1
    for key, n in enumerate(np.bincount(movement.router[rows] * groups + group[movement.mobile[rows]], number).tolist()):
        if n and key // groups != roles.home_agent:  # at home there is no binding to refresh
            yield *divmod(key, groups), n


def _stays_in_region(roles: RoleResolver, routers: Int) -> npt.NDArray[np.bool_]:
    """Return, for each router but the first, True if a move to it from the one before registers with the gateway alone."""
    gateway = np.array([roles.gateways.get(r, -1) for r in routers.tolist()])
    within: npt.NDArray[np.bool_] = (gateway[1:] == gateway[:-1]) & (gateway[1:] >= 0) & roles.procedure.hierarchical
    return within


class _MessageCounter:
    """Counter of the messages of one registration from the steps of its program."""

    def __init__(self, program: Program, roles: RoleResolver, old: int, new: int, peers: tuple[int, ...]) -> None:
        self.program, self.roles = program, roles
        self.old, self.new, self.peers = old, new, peers
        self.legs: Counter[Leg] = Counter()
        self.served: Counter[int] = Counter()

    def add_handoff(self, kind: _HandoffKind) -> None:
        program = self.program
        if program.procedure.prepared:
            asks = program.steps_on(HOME, "going-down")
            arrival = "attach" if kind.registers_early and (kind.rescued or not asks) else "move"
            for event in ("predict", *["going-down"] * kind.rescued, arrival) if kind.registers_early else (arrival,):
                self.add_registration(HOME, event)
            return
        regional = program.procedure.hierarchical and self.roles.share_gateway(kind.old, kind.new)
        if not kind.discovered:
            for number in program.prelude:
                self._add_step(number)
        elif program.options.discovery == "solicitation":
            self._add_step(program.solicitation)
        self.add_registration(REGIONAL if regional else HOME, "known" if kind.registers_early else "move")
        if kind.rescued:
            for number in program.steps_on(HOME, "going-down"):
                self._add_step(number)

    def add_registration(self, variant: int, event: str) -> None:
        for number in self.program.steps_on(variant, event):
            self._add_step(number)
        tests = ("HoTI1", "CoTI1") if event == "known" else ("HoTI2", "CoTI2")
        for peer in self.peers if self.program.return_routability else ():
            for test in tests:
                self._add_step(self.program.return_routability[test], peer)

    def _add_step(self, number: int, peer: int = -1) -> None:
        """Count the message of a step and all that it starts at the nodes on its path; ``peer`` -1 before a correspondent."""
        program_step = self.program.steps[number]
        if not self.roles.applies(program_step, self.old, self.new):
            return
        path = program_step.step.path
        for correspondent in self.peers if program_step.per_peer and peer < 0 else (peer,):
            fields = MessageFields(number, 0, self.old, self.new, correspondent, 0, 0)
            nodes = [self.roles.node(role, fields) for role in path]
            for hop in range(1, len(path)):
                if nodes[hop - 1] != nodes[hop]:
                    self.legs[nodes[hop - 1], nodes[hop], program_step.leg_bytes[hop - 1]] += 1
                    if nodes[hop] != AIR and program_step.kind != self.program.procedure.marker:
                        self.served[nodes[hop]] += 1
                for next_step in program_step.starts[hop] if path[hop] != "MN" else ():
                    self._add_step(next_step, correspondent)
            if path[-1] == "MN":
                for next_step in self.program.steps_on(program_step.variant, program_step.step.message):
                    self._add_step(next_step, correspondent)
