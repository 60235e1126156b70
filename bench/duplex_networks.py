"""Networks with traffic both ways, described once for the engine and for the programs in ``bench/peers/duplex``.

    PYTHONPATH=CHECKOUT:CHECKOUT/traces/python python bench/duplex_networks.py star '{"routers": 8}'

runs a network in the engine of any checkout and prints what it delivers, the sum of delays and the processor time, as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine import Engine, Network

Int = npt.NDArray[np.int64]
PS = 10**12
MS = 10**9
DATA_BYTES, MESSAGE_BYTES = 228, 80
CORRESPONDENT, HOME_AGENT = 0, 1
LEAVE, ENTER, BIND, MARKER, REPLY, ACKNOWLEDGEMENT = range(1, 7)
LINGER_PS = PS // 5
"""How long a mobile node hears its old router after a move."""
GOLDEN = 0x9E3779B97F4A7C15
SAME = ("delivered", "hops", "delay_sum_ps", "weighted_delays", "acknowledged", "markers")
"""Numbers that every program has to agree on. ``weighted_delays``: sum over the flows of their delays times a weight."""


class Wire(NamedTuple):
    """Directed link; ``upward`` leads away from the mobile nodes."""

    src: int
    dst: int
    bits_per_s: int
    delay_ps: int
    upward: bool


@dataclass
class Duplex:
    """Description of a network; nodes are the correspondent, the hub or home agent, gateways, and routers from ``first_router``.

    With ``roaming`` mobile nodes move among all routers, have the home agent as home and share the downlink of a cell. Without it
    they stay at their router, which is their home, and each has a downlink of its own. The engine numbers mobile nodes by router,
    the programs by ``number``, which is the order of the first packets, so that state lies in the order of its use.
    """

    nodes: list[str]
    first_router: int
    until_ps: int
    router: Int
    number: Int
    wires: list[Wire] = field(default_factory=list)
    next_wire: dict[tuple[int, int], int] = field(default_factory=dict)
    radio_bits_per_s: int = 10**9
    radio_delay_ps: int = MS
    roaming: bool = False
    interval_ps: int = 0
    start_ps: list[Int] = field(default_factory=list)
    times_ps: list[list[Int]] = field(default_factory=list)
    moves: list[tuple[int, int, int, int]] = field(default_factory=list)

    def wire(self, a: int, b: int, bits_per_s: int, delay_ps: int, upward: bool) -> None:
        self.next_wire[a, b] = len(self.wires)
        self.wires.append(Wire(a, b, bits_per_s, delay_ps, upward))

    def both(self, a: int, b: int, bits_per_s: int, delay_ps: int) -> None:
        self.wire(a, b, bits_per_s, delay_ps, False)
        self.wire(b, a, bits_per_s, delay_ps, True)


def star(
    routers: int = 8, mobiles: int = 1000, seconds: float = 20, *, phases: int = 0, spread: tuple[int, ...] = (MS,)
) -> Duplex:
    """Describe ``bench.small.star``: a hub with ``routers`` routers; every mobile node sends and receives a packet each 20 ms.

    ``phases`` above 0 lets many flows begin at one instant; ``spread`` lists the delays of the wires to the routers in turn.
    """
    router = np.concatenate([np.full(len(range(i, mobiles, routers)), 2 + i) for i in range(routers)])
    number = np.concatenate([np.arange(i, mobiles, routers) for i in range(routers)])
    phases = phases or mobiles
    start = 20 * MS * (number % phases) // phases
    net = Duplex(
        ["cn", "n0", *(f"r{i}" for i in range(routers))], 2, round(seconds * PS), router, number, interval_ps=20 * MS,
        start_ps=[start, start],
    )  # fmt: skip
    net.both(0, 1, 10**10, 5 * MS)
    for i in range(routers):
        r = 2 + i
        net.both(1, r, 10**10, spread[i % len(spread)])
        net.next_wire[0, r], net.next_wire[r, 0] = net.next_wire[0, 1], net.next_wire[r, 1]
    return net


def commute(
    moves_per_s: float = 9, seconds: float = 300, mobiles: int = 200, *, seed: int = 1, grid_ps: int = 1,
    packets_per_s: float = 10,
) -> Duplex:  # fmt: skip
    """Describe a network like ``examples/commute.toml``: two gateways with four routers each, which form a line.

    Each mobile node sends and receives ``packets_per_s`` packets a second, with gaps of 0.5 to 1.5 times the mean of its flow. It
    moves along the line and back, regularly. All times are multiples of ``grid_ps``; a coarse grid makes many of them equal.
    """
    routers, rng = 8, np.random.default_rng(seed)
    net = Duplex(
        ["cn", "ha", "gw0", "gw1", *(f"r{i}" for i in range(routers))], 4, round(seconds * PS), 4 + np.arange(mobiles) % routers,
        np.arange(mobiles), radio_bits_per_s=5 * 10**7, radio_delay_ps=4 * MS, roaming=True,
    )  # fmt: skip
    net.both(0, 1, 10**9, 20 * MS)
    for gateway in (2, 3):
        net.both(1, gateway, 10**9, 8 * MS)
        net.both(0, gateway, 10**9, 15 * MS)
    for r in range(4, 12):
        gateway = 2 + (r - 4) // 4
        net.both(gateway, r, 10**8, 2 * MS)
        net.next_wire[1, r] = net.next_wire[1, gateway]
        net.next_wire[r, 0] = net.next_wire[r, 1] = net.next_wire[r, gateway]
    for r in range(4, 11):
        net.wire(r, r + 1, 10**8, 3 * MS, False)
        net.wire(r + 1, r, 10**8, 3 * MS, False)
    mean = PS / (packets_per_s * rng.uniform(0.5, 1.5, mobiles))
    for _ in range(2):
        flows = []
        for m in range(mobiles):
            gaps = mean[m] * rng.uniform(0.5, 1.5, round(2.2 * net.until_ps / mean[m]) + 2)
            times = np.maximum(gaps.astype(np.int64) // grid_ps, 1).cumsum() * grid_ps
            flows.append(times[times < net.until_ps])
        net.times_ps.append(flows)
    net.moves = sorted(_moves(mobiles, moves_per_s, net.until_ps, rng, grid_ps)) if moves_per_s else []
    return net


def _moves(mobiles: int, per_s: float, until_ps: int, rng: np.random.Generator, grid_ps: int) -> list[tuple[int, int, int, int]]:
    """Return (time, mobile node, old router, new router) of every move."""
    between = max(int(mobiles / per_s * PS) // grid_ps, 1) * grid_ps
    line = [*range(4, 12), *range(10, 4, -1)]  # there and back
    moves = []
    for m in range(mobiles):
        at = m % 8
        for t in range(int(rng.integers(0, between)) // grid_ps * grid_ps, until_ps, between):
            moves.append((t, m, line[at % 14], line[(at + 1) % 14]))
            at += 1
    return moves


# -- in the engine ----------------------------------------------------------------------------------------------------
def build(net: Duplex) -> Network:
    """Describe the network with the engine's API."""
    out = Network()
    for name in net.nodes:
        out.node(name)
    for w in net.wires:
        out.link(w.src, w.dst, rate=w.bits_per_s, delay=w.delay_ps)
    for r in range(net.first_router, len(net.nodes)):
        out.cell(r, rate=net.radio_bits_per_s, delay=net.radio_delay_ps, shared=net.roaming)
        if not net.roaming and (count := int((net.router == r).sum())):
            out.mobiles(count, prefix=f"mn{r - net.first_router}.", home=r)
    mobiles = np.arange(len(net.router))
    if net.roaming:
        out.mobiles(len(mobiles), home=HOME_AGENT)
        out.bind(HOME_AGENT, mobiles, net.router)
    out.set_local(net.router, mobiles)
    out.set_upstream_route(mobiles, net.router)
    _attach(out, net)
    for up in (0, 1):
        if net.interval_ps:
            out.cbr("cn", mobiles, interval=net.interval_ps, size_bytes=DATA_BYTES, start_ps=net.start_ps[up], up=bool(up))
        for m, times in enumerate(net.times_ps[up] if net.times_ps else ()):
            if len(times):
                sizes = np.full(len(times), DATA_BYTES, np.int64)
                out.replay("cn", [m], times, sizes, origin=0, start_ps=0, up=bool(up), label="times")
    return out


def _attach(out: Network, net: Duplex) -> None:
    since = np.zeros(len(net.router), np.int64)
    now = net.router.copy()
    rows = []
    for t, m, old, new in net.moves:
        rows.append((m, old, since[m], t + LINGER_PS))
        since[m], now[m] = t, new
    if rows:
        mobile, router, up, down = np.array(rows).T
        out.attach(mobile, router, up, down)
        time_ps, mobile, old, new = np.array(net.moves).T
        out.schedule_event(time_ps, mobile, 0, old << 12 | new)
    out.attach(np.arange(len(now)), now, since)


class Mobiles:
    """Controller of the mobile nodes: tells both routers of a move, acknowledges the reply of the home agent."""

    markers = 0

    def on_event(self, context: Any, event: Any) -> None:
        place = event.args[0]
        old, new = place >> 12, place & 0xFFF
        if event.kind == 0:
            context.set_upstream_route(new)
            context.send(LEAVE, old, size_bytes=MESSAGE_BYTES, args=(place,), via=old)
            context.send(ENTER, new, size_bytes=MESSAGE_BYTES, args=(place,), via=new)
        elif event.code == MARKER:
            self.markers += 1
        else:
            context.send(ACKNOWLEDGEMENT, HOME_AGENT, size_bytes=MESSAGE_BYTES, args=(place,), via=new)


class HomeAgent:
    """Controller of the home agent: binds, sends a marker behind the last packet to the old router, and a reply."""

    acknowledged = 0

    def on_event(self, context: Any, event: Any) -> None:
        if event.code == ACKNOWLEDGEMENT:
            self.acknowledged += 1
            return
        place = event.args[0]
        old, new = place >> 12, place & 0xFFF
        context.bind(new)
        context.send(MARKER, old, size_bytes=MESSAGE_BYTES, args=(place,))
        context.send(REPLY, new, size_bytes=MESSAGE_BYTES, args=(place,), for_mobile=True)


class Router:
    """Controller of a router: forwards to the new router until the marker, which it passes on."""

    def on_event(self, context: Any, event: Any) -> None:
        place = event.args[0]
        if event.code == LEAVE:
            context.bind(place & 0xFFF)
        elif event.code == ENTER:
            context.deliver_locally()
            context.send(BIND, HOME_AGENT, size_bytes=MESSAGE_BYTES, args=(place,))
        else:
            context.unbind()
            context.send(MARKER, place & 0xFFF, size_bytes=MESSAGE_BYTES, args=(place,), for_mobile=True)


def run_engine(net: Duplex) -> dict[str, Any]:
    """Run the network in the engine; return its numbers and the user time of the run without its controllers."""
    network, mobiles, home_agent = build(net), Mobiles(), HomeAgent()
    engine = Engine(network)
    if net.moves:
        engine.attach_mobiles(mobiles)
        engine.attach(HOME_AGENT, home_agent)
        for r in range(net.first_router, len(net.nodes)):
            engine.attach(r, Router())
    engine.window_ps  # noqa: B018 (compiles the network)
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
    engine.advance(net.until_ps)
    user, wall = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before, time.perf_counter() - begin
    controllers = engine.profile["controller_ns"] / 1e9
    flows, result = network.flows(), engine.result()
    delays = [int(delay) for delay in result.flows["delay_sum_ps"]]
    numbers = (2 * net.number[flows["mobile"]] + flows["up"]).tolist()
    return {
        "delivered": result.fate_counts().get("delivered", 0), "hops": result.events, "delay_sum_ps": sum(delays),
        "weighted_delays": sum(d * (n + 1) * GOLDEN for d, n in zip(delays, numbers, strict=True)) % 2**64,
        "acknowledged": home_agent.acknowledged, "markers": mobiles.markers,
        "user_s": user * (1 - controllers / wall),
    }  # fmt: skip


# -- for the programs -------------------------------------------------------------------------------------------------
def write(net: Duplex, file: Path) -> None:
    """Write the network for the programs, as int64 words in the order in which ``network.hpp`` reads them."""
    from engine.rng import combine_array, name_key

    network = build(net)
    turn = np.argsort(net.number)
    mobile_keys, names, count = network.mobile_keys()[turn], net.nodes, len(net.nodes)
    routers = np.arange(net.first_router, count)
    mobile, cell = np.arange(len(turn)), net.router[turn]
    if net.roaming:  # an uplink of each mobile node to each router
        mobile, cell = np.repeat(mobile, len(routers)), np.tile(routers, len(mobile))
    down, up = (np.array([name_key(f"{name}>*".replace(">", mark)) for name in names], np.uint64) for mark in "><")
    downlinks = routers if net.roaming else cell
    down_keys = down[routers] if net.roaming else combine_array(down[cell], mobile_keys)
    wires = np.array(net.wires, np.int64)
    wire_keys = np.array([name_key(f"{names[w.src]}>{names[w.dst]}") for w in net.wires], np.uint64)
    link_order = _ranks(np.concatenate([wire_keys, down_keys, combine_array(up[cell], mobile_keys[mobile])]))
    radio = (net.radio_delay_ps, 8 * PS // net.radio_bits_per_s)
    links = np.concatenate([
        np.column_stack([wires[:, 3], 8 * PS // wires[:, 2], wires[:, 0], wires[:, 1], wires[:, 4]]),
        [(*radio, r, count, 0) for r in downlinks],
        [(*radio, count, r, 1) for r in cell],
    ])  # fmt: skip
    links = np.insert(links, 2, link_order, axis=1)
    table = np.full((count, count), -1, np.int64)
    for (a, b), wire in net.next_wire.items():
        table[a, b] = wire
    sources = _sources(net, _ranks(network.flows()["key"]), network.flows())
    words = [
        [net.until_ps, count, net.first_router, len(net.router), net.roaming, len(net.wires)], links.ravel(), table.ravel(),
        net.router[turn], _ranks(mobile_keys), [len(sources)], *(word for source in sources for word in source), [len(net.moves)],
        np.array(_in_order(net, mobile_keys), np.int64).ravel(),
    ]  # fmt: skip
    np.concatenate([np.asarray(part, np.int64) for part in words]).tofile(file)


def _ranks(keys: npt.NDArray[np.uint64]) -> Int:
    ranks = np.empty(len(keys), np.int64)
    ranks[np.argsort(keys)] = np.arange(len(keys))
    return ranks


def _in_order(net: Duplex, mobile_keys: npt.NDArray[np.uint64]) -> list[tuple[int, int, int, int]]:
    return sorted(net.moves, key=lambda move: (move[0], mobile_keys[move[1]]))


def _sources(net: Duplex, order: Int, flows: Any) -> list[list[Any]]:
    """Return the words of each source: one for all flows of a constant bit rate in a direction, else one for each flow."""
    sources: list[list[Any]] = []
    for up in (0, 1):
        rows = np.flatnonzero(flows["up"] == up)
        mobile = flows["mobile"][rows]
        if net.interval_ps:
            start = net.start_ps[up][mobile]
            turns = np.lexsort((order[rows], start))
            table = np.column_stack([start, net.number[mobile], order[rows]])[turns]
            sources.append([[up, net.interval_ps, len(rows)], table.ravel()])
            continue
        for m, key in zip(mobile.tolist(), order[rows].tolist(), strict=True):
            times = net.times_ps[up][m]
            sources.append([[up, 0, 1, times[0], net.number[m], key, len(times)], times])
    return sources


BUILDERS: dict[str, Callable[..., Duplex]] = {"star": star, "commute": commute}


if __name__ == "__main__":
    print(json.dumps(run_engine(BUILDERS[sys.argv[1]](**json.loads(sys.argv[2])))))
