"""Conversion of a scenario and the files it names into the setup of a study: network, traffic and attachments."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import handoff_traces
from engine import FOREVER, Network, NetworkError
from engine.columns import Int
from engine.lookahead import plan_lookahead
from engine.rng import PURPOSE_USER, RandomStreams
from engine.routing import check_routes
from handoff.protocol.setup import Attachments, Presence, Restart, Setup
from handoff.scenario.errors import ScenarioError
from handoff.scenario.field_types import join_names
from handoff.scenario.models import to_options
from handoff.scenario.network import Channel, Node, ServerParameters
from handoff.scenario.scenario import Scenario
from handoff.scenario.traffic import Traffic
from handoff.workload.attacks import build_attacks
from handoff.workload.background import build_background
from handoff.workload.flow_ends import FlowEnds
from handoff.workload.mixture import choose_groups
from handoff.workload.mobile_correspondents import choose_correspondents
from handoff.workload.movement import MovementRemarks, load_attachments
from handoff.workload.movement_memory import check_movement_memory
from handoff.workload.replay import replay_captures
from handoff.workload.scenario_captures import ScenarioCaptures

PURPOSE_PHASE = PURPOSE_USER + 2
"""Draws of the phase shift of a constant-bit-rate or Poisson flow."""

_SERVER_FIELDS = tuple(ServerParameters.model_fields)


def message_path(folder: Path, scenario: Scenario) -> Path:
    """Return a file in a folder that stands for a scenario without a file of its own. Its name is a label, and never a path."""
    return folder / f"{scenario.name.replace('/', '_')}.toml"


def build_setup(scenario: Scenario, path: Path, seed: int, memory_limit_bytes: int | None = None) -> Setup:
    """Build the network, traffic and attachments of a scenario.

    Parameters
    ----------
    scenario : Scenario
        Validated scenario.
    path : Path
        Scenario file. The paths of captures and movement files are relative to its folder.
    seed : int
        Seed of the movement and the phase shifts.
    memory_limit_bytes : int or None
        Refuse movement that takes more memory.

    Raises
    ------
    MemoryLimitError
        If the movement takes more memory than the limit, or than this machine has.
    ScenarioError
        With every problem of the files that the scenario names and of their combination with the scenario.
    """
    check_movement_memory(scenario, memory_limit_bytes)
    network = build_network(scenario)
    problems: list[str] = []
    gateways = _gateways(scenario)
    remarks = MovementRemarks()
    mobile_names, attachments = _load_movement(scenario, path, network, seed, problems, remarks)
    presence = None
    if attachments is not None:
        presence = attachments.presence(len(mobile_names), scenario.movement.margin)
    captures = ScenarioCaptures(path.parent)
    notes, replay_warnings = [], []
    traffic_problems = []
    for i, traffic in enumerate(scenario.traffic):
        try:
            ends = _flow_ends(scenario, network, traffic, mobile_names, presence, seed)
            if traffic.capture is None:
                _add_flows(network, ends, traffic, seed)
            elif (opened := captures.open(traffic)) is not None:
                amount, warnings = replay_captures(
                    network, ends, opened, traffic, mobile_names, seed=seed, duration_ps=scenario.duration
                )
                notes.append(f"traffic.{i}: {amount}")
                replay_warnings += [f"traffic.{i}: {warning}" for warning in warnings]
        except (ValueError, NetworkError) as error:
            traffic_problems.append(f"{path}: traffic.{i}: {error}")
    problems += captures.problems + traffic_problems
    groups = None
    if attachments is not None and scenario.mixture:
        group_problems: list[str] = []
        groups = choose_groups(scenario.mixture, mobile_names, network.mobile_keys(), seed, group_problems)
        problems += [f"{path}: {p}" for p in group_problems]
    attacks = build_attacks(scenario, network, mobile_names, problems, path) if attachments is not None else ()
    problems += [f"{path}: {p}" for p in ([] if problems else _unsound(network))]
    if problems or attachments is None:
        raise ScenarioError(problems)
    index = network.node_index
    return Setup(
        network,
        index(scenario.home_agent.name),
        attachments,
        scenario.duration,
        options=to_options(scenario.options),
        gateways={index(router): index(gateway) for router, gateway in gateways.items()},
        restarts=tuple(Restart(index(r.node), r.at) for r in scenario.restart),
        groups=groups,
        temporary_home_agents={index(router): index(x.node) for x in scenario.temporary_home_agent for router in x.routers},
        control_nodes={role: index(node) for role, node in scenario.control.nodes().items()},
        attacks=attacks,
        background=build_background(scenario, network),
        notes=tuple(notes),
        # once each: one capture may have both the movement and the traffic
        warnings=tuple(dict.fromkeys((*replay_warnings, *remarks.warnings, *captures.warnings()))),
        skipped=remarks.skipped | captures.skipped(),
    )


def build_network(scenario: Scenario) -> Network:
    """Build the nodes, links and cells of a scenario, without mobile nodes and traffic."""
    network = Network()
    for server in (*scenario.correspondent, scenario.home_agent, *scenario.node):
        _add_node(network, server)
    if scenario.home_agent.cell is not None:
        network.cell(scenario.home_agent.name, **scenario.home_agent.cell.parameters())
    routers = scenario.routers
    gateways, tables = _gateways(scenario), {name: table for table in scenario.router for name in table.name}
    for name in routers.names:
        router = routers.changed(tables.get(name))
        _add_node(network, Node.model_construct(name=name, **{k: getattr(router, k) for k in _SERVER_FIELDS}))
        network.cell(name, **router.cell.parameters())
        _add_link(network, name, gateways.get(name) or str(routers.wired_to), router.wired)
    if routers.neighbours is not None:
        for a, b in zip(routers.names, routers.names[1:], strict=False):
            _add_link(network, a, b, routers.neighbours)
    for link in scenario.link:
        _add_link(network, link.between[0], link.between[1], link, link.back_delay)
    return network


def _gateways(scenario: Scenario) -> dict[str, str]:
    return {router: region.gateway for region in scenario.region for router in region.routers}


def _unsound(network: Network) -> list[str]:
    # Cycles without delay and missing routes show in the lookahead plan alone; a compiled network would be thrown away.
    if problems := network.validation_errors():
        return problems
    try:
        check_routes(network, plan_lookahead(network).hops)
    except NetworkError as error:
        return str(error).splitlines()
    return []


def _add_node(network: Network, server: Node) -> None:
    network.node(server.name, **{k: getattr(server, k) for k in _SERVER_FIELDS})


def _add_link(network: Network, a: str, b: str, channel: Channel, back_delay: int | None = None) -> None:
    for source, target, delay in ((a, b, channel.delay), (b, a, channel.delay if back_delay is None else back_delay)):
        network.link(
            source, target, rate=channel.rate, delay=delay, buffer_packets=channel.buffer_packets,
            buffer_bytes=channel.buffer_bytes, loss=channel.loss,
        )  # fmt: skip


def _load_movement(
    scenario: Scenario, path: Path, network: Network, seed: int, problems: list[str], remarks: MovementRemarks
) -> tuple[list[str], Attachments | None]:
    """Add the mobile nodes to the network; return their names and attachments, or add to ``problems``; add to ``remarks``."""
    try:
        log = load_attachments(scenario, path.parent, seed, remarks)
    except (ValueError, OSError) as error:
        problems += error.lines if isinstance(error, handoff_traces.TraceError) else [f"{path}: movement: {error}"]
        return [], None
    source = path.parent / scenario.movement.associations if scenario.movement.associations else f"{path}: movement"
    known = set(scenario.access_points)
    if unknown := [name for name in log.router_names if name not in known]:
        hint = "; a home agent is one if it has a home_agent.cell" if scenario.home_agent.name in unknown else ""
        problems.append(f"{source}: unknown routers {join_names(unknown)}; there are {join_names(scenario.access_points)}{hint}")
        return [], None
    if not len(log.mobile):
        problems.append(f"{source}: no mobile node in it is ever attached")
        return [], None
    mobiles = _add_mobiles(scenario, network, log.mobile_names)
    nodes = np.array([network.node_index(name) for name in log.router_names], np.int64)
    down = np.where(log.down_ps < 0, FOREVER, log.down_ps)
    order = np.lexsort((log.up_ps, mobiles[log.mobile]))
    columns = (mobiles[log.mobile], nodes[log.router], log.up_ps, down, log.predict_ps, log.going_down_ps)
    return list(log.mobile_names), Attachments(*(np.asarray(c, np.int64)[order] for c in columns))


def _add_mobiles(scenario: Scenario, network: Network, names: list[str]) -> Int:
    commuters, home = scenario.movement.commuters, scenario.home_agent.name
    if commuters is not None:  # numbered names behind one prefix are a single group, whatever their number
        return network.mobiles(commuters.mobile_nodes, prefix=commuters.prefix, home=home)
    return np.array([network.mobile(name, home=home) for name in names], np.int64)


def _flow_ends(
    scenario: Scenario, network: Network, traffic: Traffic, mobile_names: list[str], presence: Presence | None, seed: int
) -> FlowEnds:
    """Return the mobile nodes of a ``[[traffic]]`` table, with the correspondent of each."""
    if traffic.mobile_correspondent is None or not mobile_names:
        node = traffic.correspondent or scenario.correspondent[0].name
        return FlowEnds.with_node(node, network.mobile_count, presence)
    peers = choose_correspondents(traffic.mobile_correspondent, mobile_names, network.mobile_keys(), seed)
    return FlowEnds.with_peers(peers, presence)


def _add_flows(network: Network, ends: FlowEnds, traffic: Traffic, seed: int) -> None:
    """Add a constant-bit-rate or Poisson flow for each mobile node."""
    assert traffic.interval is not None
    assert traffic.size_bytes is not None
    phases = RandomStreams(seed, PURPOSE_PHASE, network.mobile_keys()[ends.mobiles]).uniform_all(traffic.phase)
    starts, stops, up = ends.begin_ps + phases, ends.end_ps, traffic.direction == "up"
    if traffic.poisson:
        network.poisson(
            ends.node, ends.mobiles, peers=ends.peers, mean=traffic.interval, size_bytes=traffic.size_bytes, start_ps=starts,
            stop_ps=stops, up=up, label=traffic.label or "poisson",
        )  # fmt: skip
    else:
        network.cbr(
            ends.node, ends.mobiles, peers=ends.peers, interval=traffic.interval, size_bytes=traffic.size_bytes, start_ps=starts,
            stop_ps=stops, up=up, label=traffic.label or "cbr",
        )  # fmt: skip
