"""Closed-form estimates of the agents, links and cells of a scenario, and their comparison with a run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.columns import Int
from engine.elements import Channel
from handoff.metrics.bottlenecks import bottlenecks
from handoff.metrics.catalogue import Tables, Value, evaluate
from handoff.protocol.constants import SECOND
from handoff.protocol.procedures import MIXTURE
from handoff.protocol.program import compile_program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import CorrespondentTable, Setup
from handoff.theory import queueing as queues
from handoff.theory.signalling_load import SignallingLoad, signalling_load
from handoff.theory.traffic_load import Moments, traffic_load

LARGE_QUEUE = 2000
"""Number of places beyond which a queue counts as unlimited: below full load it loses nothing."""
MAX_DIFFERENCE = 0.1
"""Relative difference from which theory and simulation count as different."""
MIN_WAITERS = 100
"""Smallest number of arrivals that have to wait for which mean waits are compared."""
EQUAL_SIZES = 1.0001
"""Ratio of second moment to squared mean of the service time up to which service counts as constant (M/D/1)."""


@dataclass(frozen=True)
class Estimate:
    """Estimate for one server or link.

    Attributes
    ----------
    what : str
        Name of the server or link as in ``handoff.metrics.bottlenecks.Bottleneck``: ``ha registration``, ``ha forwarding``,
        ``ha>gw0``, ``ar3>*``.
    rate : float
        Arrivals per second.
    service_ps : float
        Mean service time.
    load : float
        ``rate`` times ``service_ps``; a load above 1 cannot be carried.
    law : str
        Queueing model: ``M/D/1``, ``M/D/1/K``, ``M/G/1`` (packet sizes differ; two moments), ``M/G/1/K`` (computed as M/D/1/K
        of the mean size), or ``D/D/1 batch`` where handoffs begin together.
    wait_ps : float
        Mean wait; inf if the load is 1 or more and the queue unlimited.
    loss_ratio : float
        Share of the arrivals that are lost.
    """

    what: str
    rate: float
    service_ps: float
    load: float
    law: str
    wait_ps: float
    loss_ratio: float


def estimate(setup: Setup, procedure: str) -> list[Estimate]:
    """Estimate all servers, links and shared downlinks that have a service time or rate and carry any load.

    Messages come from the handoffs of the movement, by the steps of the procedure, and from refreshes. Packets come from the
    flows, by the routers at which their mobile nodes are. Arrivals are taken as Poisson, except for handoffs that begin at one
    instant. The estimate has no losses and no retransmissions.

    Parameters
    ----------
    setup : Setup
        Network with traffic, movement and options.
    procedure : str
        A key of ``PROCEDURES``.

    Returns
    -------
    list of Estimate
        Sorted by load, the highest first. Empty for a mixture, which has no estimate.

    Raises
    ------
    ValueError
        If the procedure cannot run on the setup.
    """
    if procedure == MIXTURE:
        return []
    roles, signalling = _signalling(setup, procedure)
    load = traffic_load(setup, roles, signalling)
    network, seconds = setup.network, setup.duration_ps / SECOND
    estimates = list(_registration_servers(setup, roles, signalling, seconds))
    for i, node in enumerate(network.nodes):
        if node.service_ps:
            rate = load.arrivals[i].packets / seconds
            estimates.append(_deterministic_server(f"{node.name} forwarding", rate, node.service_ps, node.service_queue))
    for i, link in enumerate(network.links):
        estimates.append(_link(link.name, load.links[i], link.channel, seconds))
    for cell in network.cells:
        if cell.shared:
            estimates.append(_link(f"{network.nodes[cell.node].name}>*", load.downlinks[cell.node], cell.down, seconds))
    return sorted((e for e in estimates if e.load > 0), key=lambda e: (-e.load, e.what))


def max_mobile_nodes(setup: Setup, procedure: str, wait_ps: float, node: str | None = None) -> float:
    """Return the number of mobile nodes for which an agent's registration server has a mean wait of ``wait_ps`` (M/D/1).

    Parameters
    ----------
    setup : Setup
        Movement and options decide how often a mobile node registers.
    procedure : str
        A key of ``PROCEDURES``; it decides the number of messages of a registration.
    wait_ps : float
        Mean wait.
    node : str or None
        The agent; None for the home agent.

    Returns
    -------
    float
        inf if no message comes to the agent, or its service takes no time.

    Raises
    ------
    ValueError
        If the procedure cannot run on the setup, or there is no such node.
    """
    roles, signalling = _signalling(setup, procedure)
    agent = setup.home_agent if node is None else setup.network.node_index(node)
    rate_per_node = signalling.messages(agent) / setup.duration_ps / max(setup.network.mobile_count, 1)
    service = _registration_service(setup, roles, agent)
    return queues.max_sources(wait_ps, service, rate_per_node) if rate_per_node and service else math.inf


def _signalling(setup: Setup, procedure: str) -> tuple[RoleResolver, SignallingLoad]:
    program = compile_program(setup, procedure)
    roles = RoleResolver(setup, program, CorrespondentTable(setup.network), 0)
    return roles, signalling_load(setup, program, roles)


def _registration_service(setup: Setup, roles: RoleResolver, node: int) -> int:
    """Return the service time of a registration server (ps), with the authentication at an anchor."""
    options = setup.options
    authentication = options.authentication_service_ps if options.authenticates and roles.is_anchor(node) else 0
    return setup.network.nodes[node].registration_ps + authentication


def _registration_servers(
    setup: Setup, roles: RoleResolver, signalling: SignallingLoad, seconds: float
) -> Iterator[Estimate]:
    for i, node in enumerate(setup.network.nodes):
        service = _registration_service(setup, roles, i)
        if service:
            rate, batches = signalling.messages(i) / seconds, signalling.batches.get(i, np.zeros(0, np.int64))
            name = f"{node.name} registration"
            # Batches decide the wait if, on average, at least one other handoff begins together with each.
            if len(batches) and (batches * (batches - 1)).sum() >= batches.sum():
                yield _batch_server(name, rate, service, node.registration_queue, batches)
            else:
                yield _deterministic_server(name, rate, service, node.registration_queue)


def _batch_server(name: str, rate: float, service: int, places: int | None, batches: Int) -> Estimate:
    accepted = batches if places is None else np.minimum(batches, places)
    wait = sum(n * queues.batch_wait(int(n), service) for n in accepted.tolist()) / accepted.sum()
    return Estimate(name, rate, service, rate * service / SECOND, "D/D/1 batch", wait, 1 - float(accepted.sum() / batches.sum()))


def _deterministic_server(name: str, rate: float, service: int, places: int | None) -> Estimate:
    load = rate * service / SECOND
    if places is not None and places <= LARGE_QUEUE:
        wait, loss = queues.md1k_wait(load, places, service), queues.md1k_loss(load, places)
        return Estimate(name, rate, service, load, "M/D/1/K", wait, loss)
    return Estimate(name, rate, service, load, "M/D/1", queues.md1_wait(load, service), 0.0)


def _link(name: str, load: Moments, channel: Channel, seconds: float) -> Estimate:
    rate = load.packets / seconds
    if channel.rate_bps is None or not load.packets:
        return Estimate(name, rate, 0.0, 0.0, "", 0.0, 0.0)
    byte = 8 * SECOND / channel.rate_bps
    mean, square = byte * load.bytes / load.packets, byte**2 * load.squares / load.packets
    utilisation, law = rate * mean / SECOND, "M/D/1" if square < EQUAL_SIZES * mean**2 else "M/G/1"
    places = math.inf if channel.buffer_packets is None else channel.buffer_packets
    if channel.buffer_bytes is not None:
        places = min(places, channel.buffer_bytes * load.packets / load.bytes)
    if places <= LARGE_QUEUE:
        k = max(1, int(places))
        wait, loss = queues.md1k_wait(utilisation, k, mean), queues.md1k_loss(utilisation, k)
        return Estimate(name, rate, mean, utilisation, f"{law}/K", wait, loss)
    return Estimate(name, rate, mean, utilisation, law, queues.mg1_wait(rate / SECOND, mean, square), 0.0)


# -- comparison with a run --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """Comparison of an estimate with a run.

    Attributes
    ----------
    estimate : Estimate
    utilisation, loss_ratio : float or None
        Measured values; None if the run has no such server or link.
    wait_ps : float or None
        Measured mean wait of a server; the waits of links are not measured.
    difference : float
        The larger relative difference of load and wait, (simulated - theory) / theory; 0 if nothing can be compared or fewer
        than ``MIN_WAITERS`` arrivals had to wait.
    apart : str
        Cause of a difference of ``MAX_DIFFERENCE`` or more: ``attacks``, ``retransmissions``, ``losses``, ``overload``,
        ``bursts``, ``smoother than Poisson`` or ``load``; empty without one.
    """

    estimate: Estimate
    utilisation: float | None
    wait_ps: float | None
    loss_ratio: float | None
    difference: float
    apart: str


def compare(estimates: Sequence[Estimate], tables: Tables) -> list[Comparison]:
    """Compare estimates with the tables of a run of the same scenario and procedure.

    Returns
    -------
    list of Comparison
        One for each estimate, in their order.
    """
    measured = {b.what: b for b in bottlenecks(tables)}
    nodes = tables["nodes"]
    attacks = sum(nodes["hostile_registered"]) + sum(nodes["hostile_dropped"])
    more_load = "attacks" if attacks else "retransmissions" if evaluate(tables, "retransmissions").value else "load"
    comparisons = []
    for e in estimates:
        bottleneck = measured.get(e.what)
        utilisation = None if bottleneck is None else bottleneck.utilisation
        node, _, server = e.what.partition(" ")
        wait = evaluate(tables, f"{node}.{server}_wait_mean") if server else Value(None, 0)
        load_difference = _relative_difference(utilisation, e.load)
        enough_waiters = wait.samples * e.load >= MIN_WAITERS
        wait_difference = _relative_difference(wait.value, e.wait_ps) if enough_waiters else 0.0
        loss = None if bottleneck is None else bottleneck.dropped_ratio
        larger = wait_difference if abs(wait_difference) > abs(load_difference) else load_difference
        cause = _cause(e, load_difference, wait_difference, loss or 0.0, more_load)
        comparisons.append(Comparison(e, utilisation, wait.value, loss, larger, cause))
    return comparisons


def _relative_difference(simulated: float | None, theory: float) -> float:
    return 0.0 if simulated is None or not theory or math.isinf(theory) else (simulated - theory) / theory


def _cause(e: Estimate, load_difference: float, wait_difference: float, loss: float, more_load: str) -> str:
    if max(abs(load_difference), abs(wait_difference)) < MAX_DIFFERENCE:
        return ""
    if e.load >= 1:
        return "overload"
    if load_difference >= MAX_DIFFERENCE:
        return more_load
    if load_difference <= -MAX_DIFFERENCE:
        return "losses" if loss > MAX_DIFFERENCE * abs(load_difference) else "load"
    return "bursts" if wait_difference > 0 else "smoother than Poisson"
