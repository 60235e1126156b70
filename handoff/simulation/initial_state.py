"""The state of time 0, the layer-2 events, and the controllers of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from engine import FOREVER, Network
from engine.columns import Int
from engine.rng import PURPOSE_USER, RandomStreams
from handoff.protocol.agent import Agent
from handoff.protocol.handoff_records import HandoffRecords
from handoff.protocol.message_routing import MessageHop
from handoff.protocol.mobile_node import MobileNodeController
from handoff.protocol.program import DOWN, FADE, GOING_DOWN, PREDICT, REFRESH, RESTART, UP, Program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import CorrespondentTable, Setup

PURPOSE_AGE = PURPOSE_USER + 1
"""Draws of how old a registration is that was made before time 0."""


def install_initial_state(setup: Setup, network: Network, places: RoleResolver) -> None:
    """Attachments, and the bindings of time 0: a mobile node that is up then has been registered before."""
    move = setup.movement
    network.attach(move.mobile, move.router, move.up_ps, move.down_ps)
    for router, here in _at_start(setup):
        network.set_local(router, here)
        network.set_upstream_route(here, router)
        if router == setup.home_agent:
            raise ValueError("a mobile node at its home agent is at home: attach it to another router")
        for node, role, who in anchors_with_bindings(places, router, here):
            network.bind(node, who, places.care_of(role, router), **places.tunnel(role))  # type: ignore[arg-type]


def prepare_network(setup: Setup, program: Program, seed: int) -> tuple[Network, RoleResolver]:
    """The network of one run of a program on a setup, with its state of time 0 and its schedule; and who is where in it."""
    places = RoleResolver(setup, program, CorrespondentTable(setup.network), seed)
    network = setup.network.fork()
    install_initial_state(setup, network, places)
    schedule_events(setup, network, program, places, seed)
    return network, places


def anchors_with_bindings(places: RoleResolver, router: int, mobiles: Int) -> Iterator[tuple[int, str, Int]]:
    """Each anchor of mobile nodes at a router: node, role, and those of them that it has a binding for."""
    row = places.row
    yield places.home_agent, "HA", mobiles
    if row.hierarchical:
        yield places.gateways[router], "MAP" if row.ip == 6 else "GFA", mobiles
    if row.route_optimization:
        for node in places.peers.nodes:
            who = np.intersect1d(mobiles, places.peers.mobiles(node))
            if len(who):
                yield node, "CN", who


def schedule_events(setup: Setup, network: Network, program: Program, places: RoleResolver, seed: int) -> None:
    """Layer-2 events for mobile nodes and routers, restarts, the first refresh of registrations made before time 0."""
    move = setup.movement
    attachment = np.arange(len(move.mobile))
    moves = ~setup.last_attachments()
    for code, times, which in [
        (PREDICT, move.predict_ps, moves & (move.predict_ps >= 0)),
        (GOING_DOWN, move.going_down_ps, moves & (move.going_down_ps >= 0)),
        (DOWN, move.down_ps, move.down_ps < FOREVER),
        (UP, move.up_ps, move.up_ps > 0),
    ]:
        rows = np.flatnonzero(which)
        network.schedule_event(times[rows], move.mobile[rows], code, attachment[rows])
        if code in (UP, DOWN):
            _for_routers(network, move.router[rows], times[rows], move.mobile[rows], code, attachment[rows])
        elif code == PREDICT and program.prelude:
            old, new = move.router[rows], move.router[rows + 1]
            first = old if program.steps[program.prelude[0]].step.path[0] == "oAR" else new
            _for_routers(network, first, times[rows], move.mobile[rows], code, old | new << 16)
    if setup.options.old_buffer_packets:
        rows = np.flatnonzero(move.down_ps < FOREVER)
        cells = [network.cells[network.cell_of_node[r]] for r in move.router[rows].tolist()]
        delays = np.array([cell.down.delay_ps for cell in cells], np.int64)
        fade = np.clip(move.down_ps[rows] - delays + 1, move.up_ps[rows], move.down_ps[rows])
        _for_routers(network, move.router[rows], fade, move.mobile[rows], FADE, attachment[rows])
    for restart in setup.restarts:
        everyone = np.arange(network.mobile_count)
        network.schedule_event(restart.at_ps, everyone, RESTART, 0, node=restart.node)
    start = setup.first_attachments()
    here = move.mobile[start[move.up_ps[start] == 0]]
    half = program.refresh_ps(setup.options.lifetime_s)
    first = half - RandomStreams(seed, PURPOSE_AGE, places.mobile_keys[here]).uniform_all(half)
    soon = first < setup.duration_ps
    network.schedule_event(first[soon], here[soon], REFRESH, 0)
    if setup.options.authenticates and setup.options.authentication_service_ps:
        for i, node in enumerate(network.nodes):
            if places.is_anchor(i):
                network.nodes[i] = replace(node, registration_ps=node.registration_ps + setup.options.authentication_service_ps)


def _for_routers(network: Network, routers: Int, times: Int, mobiles: Int, code: int, args: Int) -> None:
    for router in np.unique(routers).tolist():
        at = routers == router
        network.schedule_event(times[at], mobiles[at], code, args[at], node=router)


def make_controllers(
    setup: Setup, program: Program, places: RoleResolver, message_hops: dict[int, MessageHop], records: HandoffRecords
) -> Iterator[tuple[int, Any]]:
    """The fleet's controller (node -1), and one of each router and anchor."""
    yield -1, MobileNodeController(program, places, message_hops, setup.movement, records)
    nodes = {*np.unique(setup.movement.router).tolist(), setup.home_agent}
    if program.row.hierarchical:
        nodes |= set(setup.gateways.values())
    if program.row.route_optimization:
        nodes |= set(places.peers.nodes)
    for node in sorted(nodes):
        yield node, Agent(program, places, message_hops, node)


def _at_start(setup: Setup) -> Iterator[tuple[int, Int]]:
    """Routers, and the mobile nodes that are up there at time 0."""
    move, start = setup.movement, setup.first_attachments()
    start = start[move.up_ps[start] == 0]
    for router in np.unique(move.router[start]).tolist():
        yield router, move.mobile[start[move.router[start] == router]]
