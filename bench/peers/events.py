"""Workloads W1 and W2 (bench/w1.py) in SimPy, in its fastest form: a timeout with a callback for each packet and hop.

    uv run --no-project --with simpy==4.1.2 bench/peers/events.py mobiles=1000 seconds=5 tunnel=0 scale=1

Times are whole picoseconds. Written with processes, as SimPy models usually are, it takes several times as long.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator

import simpy

SECOND = 10**12
PERIOD = SECOND // 50
ROUTERS, PACKET_BYTES, TUNNEL_HEADER = 8, 228, 20
MASK = 2**64 - 1
Arrive = Callable[[simpy.Event], None]


class Link:
    """A drop-tail link with Lindley departures."""

    def __init__(self, env: simpy.Environment, rate: int, delay: int, buffer_packets: int, arrive: Arrive) -> None:
        self.env, self.delay, self.arrive = env, delay, arrive
        self.ps_per_byte = 8 * SECOND // rate
        self.longest_wait = buffer_packets * PACKET_BYTES * self.ps_per_byte
        self.free = self.dropped = 0

    def transmit(self, packet: tuple[int, int], size: int) -> None:
        now = self.env.now
        start = now if now > self.free else self.free
        if start - now > self.longest_wait:
            self.dropped += 1
            return
        self.free = start + size * self.ps_per_byte
        self.env.timeout(self.free + self.delay - now, packet).callbacks.append(self.arrive)


def phases() -> Iterator[int]:
    """Yield first send times: 53 bits of SplitMix64 from seed 1, as a fraction of the period."""
    state = 1
    while True:
        state = z = state + 0x9E3779B97F4A7C15 & MASK
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        yield int(((z ^ z >> 31) >> 11) * 2.0**-53 * PERIOD)


class Simulator:
    """Simulation of the workload; a packet is (mobile, send time)."""

    def __init__(self, mobiles: int, tunnel: bool, scale: int) -> None:
        self.env = env = simpy.Environment(initial_time=0)
        self.binding = [m % ROUTERS for m in range(mobiles)]
        self.size_in_tunnel = PACKET_BYTES + TUNNEL_HEADER * tunnel
        self.backbone = Link(env, scale * 10**9, SECOND // 200, 1000, self.at_home_agent)
        self.access = [Link(env, scale * 10**8, SECOND // 100, 100, self.at_router) for _ in range(ROUTERS)]
        self.radio = [Link(env, scale * 10**7, SECOND // 500, 100, self.at_mobile_node) for _ in range(mobiles)]
        self.delivered = self.delay_sum = 0
        for m, phase in zip(range(mobiles), phases(), strict=False):
            env.timeout(phase, m).callbacks.append(self.send)

    def send(self, event: simpy.Event) -> None:
        self.backbone.transmit((event._value, self.env.now), PACKET_BYTES)
        self.env.timeout(PERIOD, event._value).callbacks.append(self.send)

    def at_home_agent(self, event: simpy.Event) -> None:
        self.access[self.binding[event._value[0]]].transmit(event._value, self.size_in_tunnel)

    def at_router(self, event: simpy.Event) -> None:
        self.radio[event._value[0]].transmit(event._value, PACKET_BYTES)

    def at_mobile_node(self, event: simpy.Event) -> None:
        self.delivered += 1
        self.delay_sum += self.env.now - event._value[1]


def main() -> None:
    options = {"mobiles": 1000, "seconds": 5, "tunnel": 0, "scale": 1}
    for argument in sys.argv[1:]:
        name, _, value = argument.partition("=")
        if name not in options or not value.isdecimal():
            sys.exit(f"not an argument: {argument}; give mobiles= seconds= tunnel= scale=")
        options[name] = int(value)
    simulator = Simulator(options["mobiles"], bool(options["tunnel"]), options["scale"])
    wall, cpu = time.perf_counter(), time.process_time()
    simulator.env.run(until=options["seconds"] * SECOND)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    dropped = sum(link.dropped for link in (simulator.backbone, *simulator.access, *simulator.radio))
    counts = {"delivered": simulator.delivered, "dropped": dropped, "delay_sum_ps": simulator.delay_sum}
    print(json.dumps({"peer": "SimPy", **counts, "wall_s": wall, "cpu_s": cpu}))


if __name__ == "__main__":
    main()
