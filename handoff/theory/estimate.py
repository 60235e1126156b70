"""What closed forms say of each agent, link and cell of a scenario, without running it; and beside what a run measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.columns import Int
from engine.elements import Channel
from handoff.metrics.catalogue import Tables, Value, bottlenecks, evaluate
from handoff.protocol.constants import SECOND
from handoff.protocol.program import compile_program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import CorrespondentTable, Setup
from handoff.theory import queueing as queues
from handoff.theory.signalling_load import SignallingLoad, signalling_load
from handoff.theory.traffic_load import Moments, traffic_load

LARGE_QUEUE = 2000
"""Places beyond which a queue counts as unlimited: what it loses below full load is nothing."""
APART = 0.1
"""Relative difference from which theory and simulation are said to part."""
FEW_WAITERS = 100
"""Of arrivals that have to wait, below which a mean wait says too little to be compared."""


@dataclass(frozen=True)
class Estimate:
    """Closed form for one server or link.

    Attributes
    ----------
    what : str
        As in ``handoff.metrics.catalogue.Bottleneck``: ``ha registration``, ``ha forwarding``, ``ha>gw0``, ``ar3>*``.
    rate : float
        Arrivals a second.
    service_ps : float
        Mean time for one.
    load : float
        ``rate`` times ``service_ps``: more than 1 cannot be carried.
    law : str
        ``M/D/1``, ``M/D/1/K``, ``M/G/1`` (sizes differ; two moments), ``M/G/1/K`` (as M/D/1/K of the mean size), or
        ``D/D/1 batch`` where handoffs begin together.
    wait_ps : float
        Mean; inf where the load is 1 or more and the queue unlimited.
    loss_ratio : float
        Of all that come.
    """

    what: str
    rate: float
    service_ps: float
    load: float
    law: str
    wait_ps: float
    loss_ratio: float


def estimate(setup: Setup, procedure: str) -> list[Estimate]:
    """Estimates of all servers, links and shared downlinks that have a service time or rate and anything to do.

    Messages come from the movement's own handoffs and the steps that the procedure's row has for them, and from refreshes;
    packets from the flows, by the routers at which their mobile nodes are. Arrivals are taken as Poisson, but for handoffs that
    begin at one instant. Nothing is lost and sent again.

    Returns
    -------
    list of Estimate
        The most loaded first.

    Raises
    ------
    ValueError
        As ``handoff.protocol.program.compile_program``.
    """
    places, said = _said(setup, procedure)
    carried = traffic_load(setup, places, said)
    network, seconds = setup.network, setup.duration_ps / SECOND
    found = list(_registrations(setup, places, said, seconds))
    for i, node in enumerate(network.nodes):
        if node.service_ps:
            rate = carried.arrivals[i].packets / seconds
            found.append(_fixed(f"{node.name} forwarding", rate, node.service_ps, node.service_queue))
    for i, link in enumerate(network.links):
        found.append(_link(link.name, carried.links[i], link.channel, seconds))
    for cell in network.cells:
        if cell.shared:
            found.append(_link(f"{network.nodes[cell.node].name}>*", carried.downlinks[cell.node], cell.down, seconds))
    return sorted((e for e in found if e.load > 0), key=lambda e: (-e.load, e.what))


def max_mobile_nodes(setup: Setup, procedure: str, wait_ps: float, node: str | None = None) -> float:
    """How many mobile nodes like those of the setup an agent carries with this mean wait for its registration server (M/D/1).

    Parameters
    ----------
    setup : Setup
        Its movement and options say how often one registers.
    procedure : str
        Its row says with how many messages.
    wait_ps : float
        Wanted mean wait.
    node : str or None
        The agent; None: the home agent.

    Returns
    -------
    float
        inf if nothing comes to it, or it takes no time.

    Raises
    ------
    ValueError
        As ``handoff.protocol.program.compile_program``; or there is no such node.
    """
    places, said = _said(setup, procedure)
    at = setup.home_agent if node is None else setup.network.node_index(node)
    each = said.messages(at) / setup.duration_ps / max(setup.network.mobile_count, 1)
    service = _service(setup, places, at)
    return queues.max_sources(wait_ps, service, each) if each and service else math.inf


def _said(setup: Setup, procedure: str) -> tuple[RoleResolver, SignallingLoad]:
    program = compile_program(setup, procedure)
    places = RoleResolver(setup, program, CorrespondentTable(setup.network), 0)
    return places, signalling_load(setup, program, places)


def _service(setup: Setup, places: RoleResolver, node: int) -> int:
    """Of the registration server, with what authentication costs an anchor."""
    options = setup.options
    more = options.authentication_service_ps if options.authenticates and places.is_anchor(node) else 0
    return setup.network.nodes[node].registration_ps + more


def _registrations(setup: Setup, places: RoleResolver, said: SignallingLoad, seconds: float) -> Iterator[Estimate]:
    for i, node in enumerate(setup.network.nodes):
        service = _service(setup, places, i)
        if service:
            rate, batches = said.messages(i) / seconds, said.batches.get(i, np.zeros(0, np.int64))
            name = f"{node.name} registration"
            if len(batches) and (batches * (batches - 1)).sum() >= batches.sum():
                yield _batches(name, rate, service, node.registration_queue, batches)
            else:
                yield _fixed(name, rate, service, node.registration_queue)


def _batches(name: str, rate: float, service: int, places: int, batches: Int) -> Estimate:
    """Handoffs that begin together find an idle server; on average another one or more begins with each."""
    accepted = np.minimum(batches, places) if places else batches
    wait = sum(n * queues.batch_wait(int(n), service) for n in accepted.tolist()) / accepted.sum()
    return Estimate(name, rate, service, rate * service / SECOND, "D/D/1 batch", wait, 1 - float(accepted.sum() / batches.sum()))


def _fixed(name: str, rate: float, service: int, places: int) -> Estimate:
    load = rate * service / SECOND
    if 0 < places <= LARGE_QUEUE:
        wait, loss = queues.md1k_wait(load, places, service), queues.md1k_loss(load, places)
        return Estimate(name, rate, service, load, "M/D/1/K", wait, loss)
    return Estimate(name, rate, service, load, "M/D/1", queues.md1_wait(load, service), 0.0)


def _link(name: str, what: Moments, channel: Channel, seconds: float) -> Estimate:
    if not channel.rate_bps or not what.packets:
        return Estimate(name, what.packets / seconds, 0.0, 0.0, "", 0.0, 0.0)
    byte = 8 * SECOND / channel.rate_bps
    rate, mean, square = what.packets / seconds, byte * what.bytes / what.packets, byte**2 * what.squares / what.packets
    load, law = rate * mean / SECOND, "M/D/1" if square < 1.0001 * mean**2 else "M/G/1"
    places = min(
        channel.buffer_packets or math.inf, channel.buffer_bytes * what.packets / what.bytes if channel.buffer_bytes else math.inf
    )
    if places <= LARGE_QUEUE:
        k = max(1, int(places))
        return Estimate(name, rate, mean, load, f"{law}/K", queues.md1k_wait(load, k, mean), queues.md1k_loss(load, k))
    return Estimate(name, rate, mean, load, law, queues.mg1_wait(rate / SECOND, mean, square), 0.0)


# -- beside the simulation --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """An estimate and what a run measured.

    Attributes
    ----------
    estimate : Estimate
    utilisation, loss_ratio : float or None
    wait_ps : float or None
        Of a server; links do not tell theirs.
    difference : float
        The larger relative difference of load and wait: (simulated - theory) / theory, 0 where there is nothing to compare, or
        fewer than ``FEW_WAITERS`` had to wait.
    apart : str
        Why they part, if they do: ``retransmissions``, ``losses``, ``overload``, ``bursts``, ``smoother than Poisson``, ``load``.
    """

    estimate: Estimate
    utilisation: float | None
    wait_ps: float | None
    loss_ratio: float | None
    difference: float
    apart: str


def compare(estimates: Sequence[Estimate], tables: Tables) -> list[Comparison]:
    """Theory and simulation, row by row; a row that the run has nothing of has None."""
    measured = {b.what: b for b in bottlenecks(tables)}
    again = evaluate(tables, "retransmissions").value or 0
    rows = []
    for e in estimates:
        found = measured.get(e.what)
        utilisation = None if found is None else found.utilisation
        node, _, server = e.what.partition(" ")
        wait = evaluate(tables, f"{node}.{server}_wait_mean") if server else Value(None, 0)
        by_load = _relative(utilisation, e.load)
        by_wait = _relative(wait.value, e.wait_ps) if wait.samples * e.load >= FEW_WAITERS else 0.0
        loss = None if found is None else found.dropped_ratio
        worst = by_wait if abs(by_wait) > abs(by_load) else by_load
        rows.append(Comparison(e, utilisation, wait.value, loss, worst, _why(e, by_load, by_wait, loss or 0.0, again > 0)))
    return rows


def _relative(simulated: float | None, theory: float) -> float:
    return 0.0 if simulated is None or not theory or math.isinf(theory) else (simulated - theory) / theory


def _why(e: Estimate, by_load: float, by_wait: float, loss: float, again: bool) -> str:
    if max(abs(by_load), abs(by_wait)) < APART:
        return ""
    if e.load >= 1:
        return "overload"
    if by_load >= APART:
        return "retransmissions" if again else "load"
    if by_load <= -APART:
        return "losses" if loss > APART * abs(by_load) else "load"
    return "bursts" if by_wait > 0 else "smoother than Poisson"
