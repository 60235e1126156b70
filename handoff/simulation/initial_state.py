"""State of a run at time 0: attachments and bindings, scheduled layer-2 events, controllers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engine import FOREVER, Network
from engine.columns import Int, distinct
from engine.rng import PURPOSE_USER, RandomStreams
from handoff.protocol.agent import Agent
from handoff.protocol.attacker import Attacker
from handoff.protocol.attacks import attacked_nodes
from handoff.protocol.background import BACKGROUND
from handoff.protocol.handoff_records import HandoffRecords
from handoff.protocol.mixture import Mixture
from handoff.protocol.mobile_node import MobileNodeController
from handoff.protocol.program import ATTACK, DOWN, FADE, GOING_DOWN, PREDICT, REFRESH, RESTART, UP, Program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Setup
from handoff.simulation.run_parts import RunPart, make_parts

PURPOSE_AGE = PURPOSE_USER + 1
"""Purpose of the random draws of the age of each registration that was made before time 0."""


def install_initial_state(setup: Setup, network: Network, roles_of_parts: Sequence[RoleResolver]) -> None:
    """Attach the mobile nodes and install the bindings of time 0.

    A mobile node whose link is up at time 0 counts as registered before, unless it is the home link: at home it has no binding.
    """
    movement = setup.attachments
    network.attach(movement.mobile, movement.router, movement.up_ps, movement.down_ps)
    for router, mobiles in _attached_at_start(setup):
        network.set_local(router, mobiles)
        network.set_upstream_route(mobiles, router)
        if router == setup.home_agent:
            continue
        for roles in roles_of_parts:
            for node, role, bound in anchors_with_bindings(roles, router, mobiles):
                header, end = roles.tunnel_end(role)
                network.bind(node, bound, roles.care_of(role, router), header_bytes=header, end=end)


def prepare_network(setup: Setup, program: Program | Mixture, seed: int) -> tuple[Network, list[RunPart]]:
    """Return a copy of the network for one run, with its state of time 0 and its scheduled events, and the parts of the run."""
    parts = make_parts(setup, program, seed)
    network = setup.network.fork()
    install_initial_state(setup, network, [part.roles for part in parts])
    schedule_events(setup, network, parts, seed)
    return network, parts


def anchors_with_bindings(roles: RoleResolver, router: int, mobiles: Int) -> Iterator[tuple[int, str, Int]]:
    """Yield each anchor of mobile nodes at a router: its node, its role, and the mobile nodes that it has a binding for.

    A mobile node on the home link has the same anchors, except the gateway, and no binding at them.
    """
    procedure = roles.procedure
    mobiles = mobiles[roles.select_members(mobiles)]
    if not len(mobiles):
        return
    yield roles.home_agent, "HA", mobiles
    if procedure.hierarchical and router != roles.home_agent:
        yield roles.gateways[router], "MAP" if procedure.ip == 6 else "GFA", mobiles
    if procedure.route_optimization:
        for node in roles.peers.nodes:
            bound = np.intersect1d(mobiles, roles.peers.mobiles(node))
            if len(bound):
                yield node, "CN", bound


def schedule_events(setup: Setup, network: Network, parts: Sequence[RunPart], seed: int) -> None:
    """Schedule layer-2 events of mobile nodes and routers, restarts, and the first refresh of earlier registrations.

    With authentication, the registration servers of the anchors of any part also become slower by its service time.
    """
    movement = setup.attachments
    attachment = np.arange(len(movement.mobile))
    moves = ~setup.last_attachments()
    warning_matters = np.zeros(len(movement.mobile), bool)
    for part in parts:
        if part.program.reacts_to_warning:
            warning_matters |= part.roles.select_members(movement.mobile)
    for code, times, selected in [
        (PREDICT, movement.predict_ps, moves & (movement.predict_ps >= 0)),
        (GOING_DOWN, movement.going_down_ps, moves & warning_matters & (movement.going_down_ps >= 0)),
        (DOWN, movement.down_ps, movement.down_ps < FOREVER),
        (UP, movement.up_ps, movement.up_ps > 0),
    ]:
        rows = np.flatnonzero(selected)
        network.schedule_event(times[rows], movement.mobile[rows], code, attachment[rows])
        if code in (UP, DOWN):
            _schedule_at_routers(network, movement.router[rows], times[rows], movement.mobile[rows], code, attachment[rows])
        elif code == PREDICT:
            for part in parts:
                _schedule_prelude(setup, network, part, rows[part.roles.select_members(movement.mobile[rows])])
    if setup.options.buffers_at_old_router:
        _schedule_fades(setup, network, attachment)
    for restart in setup.restarts:
        network.schedule_event(restart.at_ps, np.arange(network.mobile_count), RESTART, 0, node=restart.node)
    for number, attack in enumerate(setup.attacks):
        times, mobiles = attack.schedule(network, seed)
        network.schedule_event(times, mobiles, ATTACK, number, node=attack.node)
    for number, load in enumerate(setup.background):
        times, mobiles = load.schedule(network, seed, setup.duration_ps)
        network.schedule_event(times, mobiles, BACKGROUND, number, node=load.source)
    start = setup.first_attachments()
    registered = movement.mobile[start[(movement.up_ps[start] == 0) & (movement.router[start] != setup.home_agent)]]
    for part in parts:
        _schedule_first_refresh(setup, network, part, registered[part.roles.select_members(registered)], seed)
    if setup.options.authenticates and setup.options.authentication_service_ps:
        for i, node in enumerate(network.nodes):
            if any(part.roles.is_anchor(i) for part in parts):
                service_ps = node.registration_ps + setup.options.authentication_service_ps
                network.nodes[i] = replace(node, registration_ps=service_ps)


def _schedule_prelude(setup: Setup, network: Network, part: RunPart, rows: Int) -> None:
    """Schedule the predictions at the routers that start the prelude of a program, for the attachments ``rows``."""
    movement, program = setup.attachments, part.program
    if program.prelude:
        old, new = movement.router[rows], movement.router[rows + 1]
        first = old if program.steps[program.prelude[0]].step.path[0] == "oAR" else new
        _schedule_at_routers(network, first, movement.predict_ps[rows], movement.mobile[rows], PREDICT, old | new << 16)


def _schedule_first_refresh(setup: Setup, network: Network, part: RunPart, registered: Int, seed: int) -> None:
    """Schedule the first refresh of mobile nodes that are registered at time 0. The ages of their registrations are random."""
    if part.program.procedure.lasting:
        return
    refresh_interval = part.program.refresh_ps(setup.options.lifetime_s)
    age = RandomStreams(seed, PURPOSE_AGE, part.roles.mobile_keys[registered]).uniform_all(refresh_interval)
    first_refresh = refresh_interval - age
    in_run = first_refresh < setup.duration_ps
    network.schedule_event(first_refresh[in_run], registered[in_run], REFRESH, 0)


def _schedule_fades(setup: Setup, network: Network, attachment: Int) -> None:
    # A packet that the router sends from this time on would reach the mobile node after its link is down.
    movement = setup.attachments
    rows = np.flatnonzero(movement.down_ps < FOREVER)
    cells = [network.cells[network.cell_of_node[r]] for r in movement.router[rows].tolist()]
    delays = np.array([cell.down.delay_ps for cell in cells], np.int64)
    fade = np.clip(movement.down_ps[rows] - delays + 1, movement.up_ps[rows], movement.down_ps[rows])
    _schedule_at_routers(network, movement.router[rows], fade, movement.mobile[rows], FADE, attachment[rows])


def _schedule_at_routers(network: Network, routers: Int, times: Int, mobiles: Int, code: int, args: Int) -> None:
    for router in distinct(routers).tolist():
        rows = routers == router
        network.schedule_event(times[rows], mobiles[rows], code, args[rows], node=router)


def _controller_classes(program: Program) -> tuple[type[MobileNodeController], type[Agent]]:
    procedure = program.procedure
    classes: tuple[type[MobileNodeController], type[Agent]] = (MobileNodeController, Agent)
    if procedure.prepared:
        from handoff.protocol.prepared_agent import PreparedAgent  # other runs do not load them
        from handoff.protocol.prepared_mobile_node import PreparedMobileNode

        classes = (PreparedMobileNode, PreparedAgent)
    return procedure.mobile_node or classes[0], procedure.agent or classes[1]


def make_controllers(setup: Setup, part: RunPart, records: HandoffRecords) -> Iterator[tuple[int, Any]]:
    """Yield the controller of the mobile nodes of a part (as node -1), then that of each router and anchor."""
    program, roles, message_hops = part.program, part.roles, part.message_hops
    mobile_node, agent_class = _controller_classes(program)
    yield -1, mobile_node(program, roles, message_hops, setup.attachments, records)
    nodes = {*distinct(setup.attachments.router).tolist(), setup.home_agent, *setup.temporary_home_agents.values(),
             *setup.control_nodes.values(), *(end for load in setup.background for end in (load.node, load.source))}  # fmt: skip
    if program.procedure.hierarchical:
        nodes |= set(setup.gateways.values())
    if program.procedure.route_optimization:
        nodes |= set(roles.peers.nodes)
    attacks = attacked_nodes(setup.attacks)
    for node in sorted(nodes | attacks.keys()):
        agent = agent_class(program, roles, message_hops, node) if node in nodes else None
        if node in attacks:
            yield node, Attacker(program, roles, message_hops, node, attacks[node], agent)
        else:
            yield node, agent


def _attached_at_start(setup: Setup) -> Iterator[tuple[int, Int]]:
    """Yield each router and the mobile nodes whose link to it is up at time 0."""
    movement, start = setup.attachments, setup.first_attachments()
    start = start[movement.up_ps[start] == 0]
    for router in distinct(movement.router[start]).tolist():
        yield router, movement.mobile[start[movement.router[start] == router]]
