"""Workloads W1 and W2, described with the public API.

The network is cn -> ha (1 Gbit/s, 5 ms) -> 8 routers (100 Mbit/s, 10 ms) -> mobile nodes (10 Mbit/s each, 2 ms), with drop-tail
queues of 1000, 100 and 100 packets. Each mobile node receives 50 packets/s of 228 B. W2 adds tunnels (IP in IP) from ha to the
routers. A delivered packet makes three packet-hops. The peers in ``bench/peers`` run the same workload with the same phases.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine import Network
from engine.rng import combine, splitmix64_array

ROUTERS = 8
PERIOD_PS = 20 * 10**9
PACKET_BYTES = 228
HOPS = 3
GOLDEN = 0x9E3779B97F4A7C15
GAP = 2  # purpose number of the draws of gaps


def phases_ps(count: int, period_ps: int = PERIOD_PS) -> npt.NDArray[np.int64]:
    """Return first send times: 53 bits of SplitMix64 from seed 1, as a fraction of the period."""
    z = np.uint64(1) + np.uint64(GOLDEN) * np.arange(1, count + 1, dtype=np.uint64)
    z = splitmix64_array(z)
    return ((z >> np.uint64(11)) * 2.0**-53 * period_ps).astype(np.int64)


def workload(
    mobiles: int = 1000,
    *,
    tunnel: bool = False,
    scale: int = 1,
    correspondents: int = 1,
    poisson: bool = False,
    few: bool = False,
) -> Network:
    """Build W1, or W2 with ``tunnel``, for a number of mobile nodes; ``scale`` multiplies every rate.

    In W1 the home of a mobile node is its router, which packets reach by routing; in W2 it is ha, which tunnels them. Mobile node
    m receives from correspondent m modulo ``correspondents``, each of which has its own link to ha. With ``poisson`` the gaps are
    exponential with the same mean, from time 0. With ``few`` each mobile node receives a packet a second, and the delays are
    50 ms, 1 ms and 10 us.
    """
    period = 10**12 if few else PERIOD_PS
    backbone, access, radio = ("50ms", "1ms", "10us") if few else ("5ms", "10ms", "2ms")
    net = Network()
    net.node("ha")
    for k in range(correspondents):
        net.link(net.node(f"cn{k}"), "ha", rate=scale * 10**9, delay=backbone, buffer_packets=1000)
    phases = phases_ps(mobiles, period)
    for i in range(ROUTERS):
        router = net.node(f"r{i}")
        net.link("ha", router, rate=scale * 10**8, delay=access, buffer_packets=100)
        net.cell(router, rate=scale * 10**7, delay=radio, buffer_packets=100)
        here = net.mobiles(len(range(i, mobiles, ROUTERS)), prefix=f"mn{i}.", home="ha" if tunnel else router)
        net.attach(here, router)
        net.set_local([router] * len(here), here)
        if tunnel:
            net.bind("ha", here, router)
        numbers = np.arange(i, mobiles, ROUTERS)
        for k in range(correspondents):
            receives = numbers % correspondents == k
            if not receives.any():
                continue
            if poisson:
                net.poisson(f"cn{k}", here[receives], mean=period, size_bytes=PACKET_BYTES)
            else:
                net.cbr(f"cn{k}", here[receives], interval=period, size_bytes=PACKET_BYTES, start_ps=phases[numbers[receives]])
    return net


def gap_draws(mobiles: int, correspondents: int = 1, seed: int = 1) -> npt.NDArray[np.uint64]:
    """Return, by number of mobile node, the state that the draws of its gaps start from (docs/model.md, 9), for the peers."""
    numbers = np.concatenate([np.arange(i, mobiles, ROUTERS) for i in range(ROUTERS)])
    flows = workload(mobiles, correspondents=correspondents, poisson=True).flows()
    purpose = combine(seed, GAP)
    draws = np.zeros(mobiles, np.uint64)
    draws[numbers[flows["mobile"]]] = [combine(purpose, key) for key in flows["key"].tolist()]
    return draws
