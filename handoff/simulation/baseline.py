"""Baseline run with instantaneous, cost-free handoffs, against which extra bytes are counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine import Engine, Result
from engine.columns import distinct
from handoff.protocol.mixture import Mixture
from handoff.protocol.procedures import MIXTURE
from handoff.protocol.program import UP, Program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Setup
from handoff.simulation.initial_state import anchors_with_bindings, install_initial_state


class ByteCounts(NamedTuple):
    """Bytes sent on all links: on the radio cells (``air``) and in the fixed network (``core``)."""

    air: int
    core: int

    @classmethod
    def of(cls, result: Result) -> ByteCounts:
        """Sum the bytes of a result."""
        radio = np.array([name.endswith((">*", "<*")) for name in result.link_names], bool)
        return cls(int(result.links["bytes"][radio].sum()), int(result.links["bytes"][~radio].sum()))

    def __sub__(self, other: ByteCounts) -> ByteCounts:
        """Return the difference of both counts."""
        return ByteCounts(self.air - other.air, self.core - other.core)


ZERO_BYTES = ByteCounts(0, 0)
"""A baseline for callers that do not need extra bytes: with it no baseline run takes place."""


def baseline_bytes(
    setup: Setup, roles_of_parts: Sequence[RoleResolver], seed: int, run: Callable[[Engine], ByteCounts | None]
) -> ByteCounts | None:
    """Count the bytes on all links and cells if every handoff were done at once and at no cost, as the new link comes up.

    The baseline has the same packets, movement, anchors and tunnels; it has no message, no bicast copy and no forwarding.

    Parameters
    ----------
    setup : Setup
        As for the procedure.
    roles_of_parts : sequence of RoleResolver
        Roles under the procedure of each part of the run: they name its anchors and tunnels.
    seed : int
        Seed of every draw.
    run : callable
        Takes the engine to the end of the setup and returns its bytes; None if the run was stopped.

    Returns
    -------
    ByteCounts or None
        None if the run was stopped.
    """
    movement = setup.attachments
    network = setup.network.fork()
    install_initial_state(setup, network, roles_of_parts)
    moves = np.flatnonzero(movement.up_ps > 0)
    network.schedule_event(movement.up_ps[moves], movement.mobile[moves], UP, movement.router[moves])
    controllers: dict[int, Any] = {}
    anchors: dict[int, _BindAtOnce] = {}
    for router in distinct(movement.router[moves]).tolist():
        arrivals = moves[movement.router[moves] == router]
        if router != setup.home_agent:  # the home agent is an anchor below
            network.schedule_event(movement.up_ps[arrivals], movement.mobile[arrivals], UP, router, node=router)
            controllers[router] = _DeliverLocally()
        for part, roles in enumerate(roles_of_parts):
            for node, role, mobiles in anchors_with_bindings(roles, router, distinct(movement.mobile[arrivals])):
                rows = arrivals[np.isin(movement.mobile[arrivals], mobiles)]
                network.schedule_event(movement.up_ps[rows], movement.mobile[rows], UP, router | part << 16, node=node)
                controllers[node] = anchors.setdefault(node, _BindAtOnce())
                controllers[node].roles_of_parts[part] = roles, role
    engine = Engine(network, seed=seed, tunnel_limit=setup.options.tunnel_limit)
    engine.attach_mobiles(_RouteUpstream())
    for node, controller in controllers.items():
        engine.attach(node, controller)
    return run(engine)


def baseline_key(program: Program | Mixture) -> tuple[object, ...]:
    """Return the properties that decide the baseline of a setup: procedures with the same anchors and tunnels share one."""
    if isinstance(program, Mixture):
        return (MIXTURE,)
    procedure = program.procedure
    return procedure.ip, procedure.hierarchical, procedure.route_optimization, procedure.network_based, procedure.tunnel_bytes


class _RouteUpstream:
    def on_event(self, ctx: Any, event: Any) -> None:
        ctx.set_upstream_route(event.args[0])


class _DeliverLocally:
    def on_event(self, ctx: Any, event: Any) -> None:
        ctx.deliver_locally()


class _BindAtOnce:
    def __init__(self) -> None:
        self.roles_of_parts: dict[int, tuple[RoleResolver, str]] = {}

    def on_event(self, ctx: Any, event: Any) -> None:
        part, router = event.args[0] >> 16, event.args[0] & 0xFFFF
        roles, role = self.roles_of_parts[part]
        if router != roles.home_agent:
            header, end = roles.tunnel_end(role)
            ctx.bind(roles.care_of(role, router), header_bytes=header, end=end)
        elif role == "HA":
            ctx.deliver_locally()
        else:
            ctx.unbind()
