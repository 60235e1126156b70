"""From a scenario to what a study runs on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import handoff_traces
from engine import FOREVER, Network, NetworkError
from engine.build import Built
from engine.keys import PURPOSE_USER
from handoff.draws import Draws
from handoff.movement import associations_of
from handoff.replay.assign import assigned
from handoff.replay.conversation import add_replay, conversations
from handoff.replay.stream import open_capture
from handoff.scenario.load import ScenarioError
from handoff.scenario.models import Cell, Channel, Scenario, Server, Serving, options_of
from handoff.scenario.traffic import Traffic
from handoff.scenario.values import listed
from handoff.setup import Int, Movement, Presence, Restart, Setup

PURPOSE_PHASE = PURPOSE_USER + 2
"""Draws of when a constant-bit-rate or Poisson flow of a mobile node begins."""


_SERVER = tuple(Serving.model_fields)


def build(scenario: Scenario, path: Path, seed: int) -> Setup:
    """Network, traffic and movement of a scenario.

    Parameters
    ----------
    scenario : Scenario
        Checked already.
    path : Path
        The scenario file: captures and movement are found beside it.
    seed : int
        Of the phase shifts.

    Raises
    ------
    ScenarioError
        With everything that is wrong in the files that the scenario names, and between them and it.
    """
    network = network_of(scenario)
    problems: list[str] = []
    gateway = _gateways(scenario)
    names, movement = _movement(scenario, path, network, seed, problems)
    present = movement.presence(len(names), scenario.movement.margin) if movement is not None else None
    captures, unread = _captures(scenario, path.parent)
    problems += unread
    notes = []
    for i, traffic in enumerate(scenario.traffic):
        node = traffic.correspondent or scenario.correspondent[0].name
        try:
            if traffic.capture is None:
                _flow(network, node, traffic, present, seed)
            elif captures.keys() >= set(traffic.capture):
                told = _replay(network, node, traffic, [captures[name] for name in traffic.capture], names, present, seed)
                notes.append(f"traffic.{i}: {told} are replayed")
        except (ValueError, NetworkError) as error:
            problems.append(f"{path}: traffic.{i}: {error}")
    problems += [f"{path}: {p}" for p in ([] if problems else _unsound(network))]
    if problems or movement is None:
        raise ScenarioError(problems)
    return Setup(
        network,
        network.node_index(scenario.home_agent.name),
        movement,
        scenario.duration,
        options_of(scenario.options),
        {network.node_index(r): network.node_index(g) for r, g in gateway.items()},
        tuple(Restart(network.node_index(r.node), r.at) for r in scenario.restart),
        tuple(notes),
    )


def network_of(scenario: Scenario) -> Network:
    """Nodes, links and cells of a scenario, before there are mobile nodes and traffic."""
    network = Network()
    for server in (*scenario.correspondent, scenario.home_agent, *scenario.node):
        _node(network, server)
    routers = scenario.routers
    gateway = _gateways(scenario)
    for name in routers.names:
        _node(network, Server.model_construct(name=name, **{k: getattr(routers, k) for k in _SERVER}))
        _cell(network, name, routers.cell)
        _link(network, name, gateway.get(name) or str(routers.wired_to), routers.wired)
    if routers.neighbours is not None:
        for a, b in zip(routers.names, routers.names[1:], strict=False):
            _link(network, a, b, routers.neighbours)
    for link in scenario.link:
        _link(network, link.between[0], link.between[1], link)
    return network


def _gateways(scenario: Scenario) -> dict[str, str]:
    """Gateway of each router that is in a region."""
    return {router: region.gateway for region in scenario.region for router in region.routers}


def _unsound(network: Network) -> list[str]:
    """What forbids a run of the network; flows that have no way are found as it is built."""
    if found := network.problems():
        return found
    try:
        Built(network)
    except NetworkError as error:
        return str(error).splitlines()
    return []


def _node(network: Network, server: Server) -> None:
    network.node(server.name, **{k: getattr(server, k) for k in _SERVER})


def _link(network: Network, a: str, b: str, channel: Channel) -> None:
    network.link(
        a, b, rate=channel.rate, delay=channel.delay, buffer_packets=channel.buffer_packets,
        buffer_bytes=channel.buffer_bytes, loss=channel.loss, both=True,
    )  # fmt: skip


def _cell(network: Network, name: str, cell: Cell) -> None:
    network.cell(name, **cell.model_dump())


def _movement(
    scenario: Scenario, path: Path, network: Network, seed: int, problems: list[str]
) -> tuple[list[str], Movement | None]:
    """Mobile nodes by name in the order of the log, and their attachments."""
    try:
        log = associations_of(scenario, path.parent, seed)
    except (ValueError, OSError) as error:
        problems.append(str(error) if isinstance(error, handoff_traces.TraceError) else f"{path}: movement: {error}")
        return [], None
    where = path.parent / scenario.movement.associations if scenario.movement.associations else f"{path}: movement"
    known = set(scenario.routers.names)
    if unknown := [r for r in log.router_names if r not in known]:
        problems.append(f"{where}: unknown routers {listed(unknown)}; routers.names has {listed(scenario.routers.names)}")
        return [], None
    if not len(log.mobile):
        problems.append(f"{where}: no mobile node in it is ever attached")
        return [], None
    mobiles = _mobiles(scenario, network, log.mobile_names)
    nodes = np.array([network.node_index(name) for name in log.router_names], np.int64)
    down = np.where(log.down_ps < 0, FOREVER, log.down_ps)
    order = np.lexsort((log.up_ps, mobiles[log.mobile]))
    columns = (mobiles[log.mobile], nodes[log.router], log.up_ps, down, log.predict_ps, log.going_down_ps)
    return list(log.mobile_names), Movement(*(np.asarray(c, np.int64)[order] for c in columns))


def _mobiles(scenario: Scenario, network: Network, names: list[str]) -> Int:
    """Add mobile nodes to the network; those whose names are numbers behind a prefix are one family, however many."""
    riders, home = scenario.movement.commuters, scenario.home_agent.name
    if riders is not None:
        return network.mobiles(riders.mobile_nodes, prefix=riders.prefix, home=home)
    return np.array([network.mobile(name, home=home) for name in names], np.int64)


def _captures(scenario: Scenario, folder: Path) -> tuple[dict[str, handoff_traces.CompiledCapture], list[str]]:
    """Captures to replay, each once; and what is wrong with the others."""
    found, problems = {}, []
    for name in dict.fromkeys(name for traffic in scenario.traffic for name in traffic.capture or ()):
        try:
            found[name] = open_capture(folder / name)
        except handoff_traces.TraceError as error:
            problems.append(str(error))
    return found, problems


def _replay(
    network: Network, node: str, traffic: Traffic, captures: list[handoff_traces.CompiledCapture], names: list[str],
    present: Presence | None, seed: int,
) -> str:  # fmt: skip
    """Replay captures; says how much of them."""
    flows, told = conversations(captures, traffic)
    if names:  # else the movement is wrong, and that has been said
        who = assigned([c.name for c in flows], names, network.mobile_keys(), traffic)
        add_replay(network, node, who, flows, seed=seed, traffic=traffic, present=present)
    return told


def _flow(network: Network, node: str, traffic: Traffic, present: Presence | None, seed: int) -> None:
    """A constant-bit-rate or Poisson flow for each mobile node."""
    assert traffic.interval is not None
    assert traffic.size_bytes is not None
    starts = Draws(seed, PURPOSE_PHASE, network.mobile_keys()).each_within(traffic.phase)
    stops = np.full(len(starts), FOREVER)
    if present is not None:
        starts, stops = present.begin_ps + starts, present.end_ps
    up = traffic.direction == "up"
    mobiles = np.arange(len(starts))
    if traffic.poisson:
        network.poisson(
            node, mobiles, mean=traffic.interval, size_bytes=traffic.size_bytes, start_ps=starts, stop_ps=stops, up=up,
            label=traffic.label or "poisson",
        )  # fmt: skip
    else:
        network.cbr(
            node, mobiles, interval=traffic.interval, size_bytes=traffic.size_bytes, start_ps=starts, stop_ps=stops, up=up,
            label=traffic.label or "cbr",
        )  # fmt: skip
