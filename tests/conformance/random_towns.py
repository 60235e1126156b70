"""Random scenarios for the procedures: mobile nodes that move quickly back and forth between three routers."""

from dataclasses import dataclass, replace

import numpy as np

from engine import FOREVER, Network
from handoff.protocol.options import CHOICES, Options
from handoff.protocol.setup import Attachments, Restart, Setup

MS = 10**9
_RADIO_MS, _NEIGHBOUR_MS, _WIRED_MS, _SERVICE_MS = 6, 8, 10 + 10 + 30, 3
LONGEST_PATH_MS = _RADIO_MS + _NEIGHBOUR_MS + _WIRED_MS + _SERVICE_MS + _WIRED_MS + _RADIO_MS
"""Longest time from a request to its marker: radio, new router, two gateways, service at the anchor, and the same way back."""


@dataclass(frozen=True)
class Town:
    """Kind of random scenario.

    ``rough``: slow and lossy links with small buffers, and random layer-2 events. Otherwise every move is predicted ``lead_ms``
    before the warning, which comes ``guard_ms`` before the link goes down, and ``overlap`` selects dual access. ``wild``: random
    values of all options, and restarts of agents. ``calls``: mobile nodes also send to each other. ``home_link``: mobile nodes
    also visit the home agent, which has a radio. ``control``: AMF and SMF are nodes of their own, which are often busy, and the
    options of prepared procedures are random. ``longest_stay_ms``: the longest attachment to a router but the last one.
    ``longest_lead_ms``: the longest time from prediction to warning in a rough town.
    """

    rough: bool = True
    wild: bool = False
    lead_ms: int = 0
    guard_ms: int = 0
    overlap: bool = True
    mobiles: int = 6
    home_link: bool = False
    moving_ms: int = 5_000
    until_ms: int = 6_000
    calls: bool = False
    control: bool = False
    longest_stay_ms: int = 2_000
    longest_lead_ms: int = 80

    def setup(self, seed: int) -> Setup:
        """Return the setup with number ``seed`` of this kind."""
        rng = np.random.default_rng(seed)

        def ms(low: float, high: float) -> int:
            return int(rng.integers(round(low * MS), round(high * MS)))

        def rough(*values: object) -> object:
            return values[rng.integers(len(values))] if self.rough else values[0]

        net = Network()
        for name in ("cn", "peer"):
            net.node(name, registration=rough(0, MS))
        net.node("ha", registration=ms(0, 2), registration_queue=rough(None, 1, 3))
        for name in ("g0", "g1"):
            net.node(name, registration=rough(0, MS))
        names = ["r0", "r1", "r2"]
        for name in names:
            net.node(name, registration=rough(0, MS))
            net.cell(name, delay=ms(1, 6), rate=rough(None, 2_000_000), loss=rough("0", "0.05"), shared=bool(rng.integers(2)))
        wired = {"rate": rough(None, 5_000_000), "buffer_packets": rough(None, 20)}
        for name in ("cn", "peer"):
            net.link(name, "ha", delay=ms(5, 20), both=True)
            net.link(name, "g0", delay=ms(5, 30), both=True)
        for name in ("g0", "g1"):
            net.link("ha", name, delay=ms(2, 10), both=True)
        net.link("g0", "g1", delay=ms(2, 10), both=True)
        for name, gateway in zip(names, ("g0", "g0", "g1"), strict=True):
            net.link(gateway, name, delay=ms(2, 10), loss=rough("0", "0.03"), both=True, **wired)
        for a, b in (("r0", "r1"), ("r1", "r2"), ("r2", "r0")):
            net.link(a, b, delay=ms(1, 8), both=True, **wired)
        if self.home_link:
            net.cell("ha", delay=ms(1, 6), rate=rough(None, 2_000_000), loss=rough("0", "0.05"), shared=bool(rng.integers(2)))
        control_nodes = self._add_control_nodes(net, np.random.default_rng([seed, 3])) if self.control else {}
        rows = []
        for i in range(self.mobiles):
            mobile = net.mobile(f"mn{i}", home="ha")
            net.cbr("cn", mobile, interval=ms(3, 9), size_bytes=int(rng.integers(100, 900)), start_ps=ms(0, 9))
            net.cbr("cn" if i % 2 else "peer", mobile, interval=ms(8, 20), size_bytes=150, start_ps=ms(0, 9), up=True, label="up")
            rows += self._random_attachments(rng, mobile, [net.node_index(n) for n in (*names, *["ha"] * self.home_link)])
        if self.calls:
            calls = np.random.default_rng([seed, 2])
            for i in range(self.mobiles):
                peer = (i + int(calls.integers(1, self.mobiles))) % self.mobiles
                interval, start_ps = int(calls.integers(5 * MS, 15 * MS)), int(calls.integers(0, 9 * MS))
                net.cbr(None, i, peers=peer, interval=interval, size_bytes=160, start_ps=start_ps, up=i % 2 == 1, label="call")
        options = Options(
            relay=("router", "l2")[rng.integers(2)],
            lifetime_s=rough(600, 3),
            new_buffer_packets=rough(None, 0, 5, 50),
            forwarding_lifetime_ps=rough(10_000 * MS, ms(20, 3000)),
            bicast_ps=ms(50, 500),
            agent_discovery_ps=ms(0, 200),
            old_buffer_packets=rough(None if self.home_link else 0, None, 5, 50),
        )
        movement = Attachments(*[np.array(c, np.int64) for c in zip(*rows, strict=True)])
        restarts: tuple[Restart, ...] = ()
        if self.wild:
            options = replace(options, **self.random_options(np.random.default_rng([seed, 1])))
            if self.control:
                options = replace(options, **self.prepared_options(np.random.default_rng([seed, 4])))
            if rng.random() < 0.2:
                restarts = (Restart(int(rng.integers(len(net.nodes))), ms(100, self.until_ms)),)
        gateways = {net.node_index(r): net.node_index(g) for r, g in zip(names, ("g0", "g0", "g1"), strict=True)}
        return Setup(net, net.node_index("ha"), movement, self.until_ms * MS, options, gateways, restarts,
            control_nodes=control_nodes,
        )  # fmt: skip

    def _add_control_nodes(self, net: Network, rng: np.random.Generator) -> dict[str, int]:
        """Add AMF and SMF beside the home agent, each with a probability of 3/4, and return the nodes of their roles."""
        nodes = {}
        for role in ("AMF", "SMF"):
            if rng.random() < 0.75:
                queue = (None, None, 1, 3)[rng.integers(4)] if self.rough else None
                service = int(rng.integers(0, 2 * MS if queue is None else 10 * MS))
                net.node(role.lower(), registration=service, registration_queue=queue)
                for name in ("ha", "r0", "r1", "r2"):
                    net.link(role.lower(), name, delay=int(rng.integers(MS, 15 * MS)), both=True)
                nodes[role] = net.node_index(role.lower())
        return nodes

    @staticmethod
    def prepared_options(rng: np.random.Generator) -> dict[str, object]:
        """Return random values of the options of prepared procedures."""
        timer_ps = int(rng.integers(0, 200 * MS))
        containers = {f"{name}_container_bytes": (None, 0, 20, 800)[rng.integers(4)] for name in ("request", "command")}
        return {"gate_timer_ps": timer_ps, **containers} if rng.random() < 0.5 else containers

    @staticmethod
    def random_options(rng: np.random.Generator) -> dict[str, object]:
        """Return random values of the options, the default with a probability above one half."""
        values: dict[str, object] = {
            name: words[0 if rng.random() < 0.5 else rng.integers(len(words))] for name, words in CHOICES.items()
        }
        for name in ("forward_unacked", "upstream_early"):
            values[name] = bool(rng.random() < 0.3)
        values["upstream_hold"] = bool(rng.random() < 0.8)
        if rng.random() < 0.5:
            values |= {"bicast_ps": None, "bicast_linger_ps": int(rng.integers(0, 300 * MS))}
        for name in ("dad_ps", "address_time_ps", "linger_ps", "authentication_service_ps"):
            values[name] = int(rng.integers(0, 40 * MS)) if rng.random() < 0.5 else Options.__dataclass_fields__[name].default
        low = int(rng.integers(20 * MS, 400 * MS))
        return values | {
            "advertisement_min_ps": low,
            "advertisement_max_ps": low + int(rng.integers(0, 400 * MS)),
            "tunnel_limit": int(rng.integers(2, 5)),
            "upstream_packets": (None, *range(20))[rng.integers(21)],
            "new_buffer_bytes": (None, 0, 3000, 6000)[rng.integers(4)],
            "old_buffer_bytes": (None, None, 3000)[rng.integers(3)],
        }

    def _random_attachments(self, rng: np.random.Generator, mobile: int, routers: list[int]) -> list[tuple[int, ...]]:
        """Return rows (mobile, router, up, down, predict, going_down) of one mobile node, in ps."""
        rows = []
        last_down = dict.fromkeys(routers, -1)  # by router
        at, up = int(rng.choice(routers)), 700 * MS * int(self.rough and rng.random() < 0.3)
        while True:
            shortest = 20 if self.rough else 2 * (self.lead_ms + self.guard_ms + LONGEST_PATH_MS)
            stay = int(rng.integers(shortest * MS, self.longest_stay_ms * MS))
            down = up + stay
            if down >= self.moving_ms * MS:
                rows.append((mobile, at, up, FOREVER, -1, -1))
                return rows
            if self.rough:
                warn = int(rng.integers(max(up, down - 30 * MS), down + 1))
                predict = int(rng.integers(max(up, warn - self.longest_lead_ms * MS), warn + 1))
                predict, warn = predict if rng.random() < 0.8 else -1, warn if rng.random() < 0.9 else -1
                next_up = int(rng.integers(down - min(stay, 60 * MS), down + 60 * MS))
            else:
                warn = down - self.guard_ms * MS
                predict = warn - self.lead_ms * MS
                next_up = predict if self.overlap else down + int(rng.integers(MS, 60 * MS))
            rows.append((mobile, at, up, down, predict, warn))
            last_down[at] = down
            at = int(rng.choice([r for r in routers if r != at]))
            up = max(last_down[at] + MS, up + MS, next_up)
