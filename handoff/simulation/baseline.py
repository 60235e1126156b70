"""Handoffs that are done at once and for nothing: what "extra bytes" are counted against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from engine import Engine, Result
from handoff.protocol.procedures import Procedure
from handoff.protocol.program import UP
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Setup
from handoff.simulation.initial_state import anchors_with_bindings, install_initial_state


class ByteCounts(NamedTuple):
    """Bytes that links took, on the radio and in the fixed network."""

    air: int
    core: int

    @classmethod
    def of(cls, result: Result) -> ByteCounts:
        """Those of a run."""
        radio = np.array([name.endswith((">*", "<*")) for name in result.link_names], bool)
        return cls(int(result.links["bytes"][radio].sum()), int(result.links["bytes"][~radio].sum()))

    def minus(self, other: ByteCounts) -> ByteCounts:
        """What is more here than there."""
        return ByteCounts(self.air - other.air, self.core - other.core)


ZERO_BYTES = ByteCounts(0, 0)
"""A reference for those who do not want to know."""


def baseline_bytes(setup: Setup, places: RoleResolver, seed: int, run: Callable[[Engine], ByteCounts | None]) -> ByteCounts | None:
    """Bytes on all links and cells when every handoff is done at once and for nothing, as the new link comes up.

    Same packets, same movement, same anchors and tunnels; no message, no copy, no forwarding.

    Parameters
    ----------
    setup : Setup
        As for the procedure.
    places : Places
        Its anchors.
    seed : int
        Of every draw.
    run : callable
        Takes the engine to the end of the setup and reads off its bytes; None if it was stopped.

    Returns
    -------
    Bytes or None
        None if it was stopped.
    """
    move = setup.movement
    network = setup.network.fork()
    install_initial_state(setup, network, places)
    later = np.flatnonzero(move.up_ps > 0)
    network.schedule_event(move.up_ps[later], move.mobile[later], UP, move.router[later])
    acts: dict[int, Any] = {}
    for router in np.unique(move.router[later]).tolist():
        at = later[move.router[later] == router]
        network.schedule_event(move.up_ps[at], move.mobile[at], UP, router, node=router)
        acts[router] = _Local()
        for node, role, who in anchors_with_bindings(places, router, np.unique(move.mobile[at])):
            rows = at[np.isin(move.mobile[at], who)]
            network.schedule_event(move.up_ps[rows], move.mobile[rows], UP, router, node=node)
            acts[node] = _Binds(places, role)
    engine = Engine(network, seed=seed, tunnel_limit=setup.options.tunnel_limit)
    engine.attach_mobiles(_RoutesUp())
    for node, controller in acts.items():
        engine.attach(node, controller)
    return run(engine)


def baseline_key(row: Procedure) -> tuple[object, ...]:
    """What ``ideal_bytes`` depends on beside the setup: procedures with the same anchors and tunnels have one reference."""
    return row.ip, row.hierarchical, row.route_optimization, row.network_based


class _RoutesUp:
    def on_event(self, ctx: Any, event: Any) -> None:
        ctx.set_upstream_route(event.args[0])


class _Local:
    def on_event(self, ctx: Any, event: Any) -> None:
        ctx.deliver_locally()


class _Binds:
    def __init__(self, places: RoleResolver, role: str) -> None:
        self.places, self.role = places, role

    def on_event(self, ctx: Any, event: Any) -> None:
        ctx.bind(self.places.care_of(self.role, event.args[0]), **self.places.tunnel(self.role))
