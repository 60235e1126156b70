"""A network with one mobile node between two routers, each of which has its own link to the correspondent node.

Delays in ms: cn-ha 20, ha-old 10, ha-new 12, old-new 6, old-cn 25, new-cn 27, radio of old 4, of new 5. Downstream packets take
the longer path through the home agent, and upstream packets do not (triangular routing). Second correspondent: peer-ha 18,
peer-old 22, peer-new 21. Gateways: ha-gw 7.5, gw-old 3, gw-new 5, ha-gw2 8.5, gw2-new 4, cn-gw 24, cn-gw2 26; the delays show
which node sends directly to a gateway. Both routers belong to gw, or with two regions new belongs to gw2. Home agent, gateways
and correspondents take 1 ms for a message, routers no time. With ``home_link`` the home agent has a radio too, with 3 ms. With
``temporary_home_agent`` the router old has the temporary home agent tha: old-tha 2, tha-new 7, no time for a message. With
``control`` AMF and SMF are nodes that take 1 ms for a message: amf-old 8, amf-new 9, amf-ha 5, amf-smf 2, smf-ha 4.5.
The database of distributed mobility is at the AMF.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine import FOREVER, Network
from handoff.protocol.setup import Attachments, Options, Restart, Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import RunResult, run_procedure

MS = 10**9
SIZE = 200
ALMOST_CERTAIN_LOSS = 1 - 2**-53  # the largest allowed probability of loss


def ps(ms: float) -> int:
    return round(ms * MS)


@dataclass(frozen=True)
class Stay:
    """One attachment, times in ms. ``down`` None: the link stays up. ``predict``, ``warn`` None: layer 2 sends no such event."""

    router: str
    up: float = 0
    down: float | None = None
    predict: float | None = None
    warn: float | None = None


@dataclass(frozen=True)
class Scene:
    """Parameters of the network that tests vary.

    ``loss``: links that lose every packet. ``mobiles``: number of mobile nodes, which all move alike. ``delays``: other delays of
    links (``"a>b"``, in ms). ``busy``: nodes with the limit ``registration_queue`` and with ``answers`` to refused messages.
    ``service``: other times for a message (in ms).
    """

    stays: Sequence[Stay]
    until: float = 2000
    loss: Sequence[str] = ()
    registration_queue: int | None = None
    answers: bool = False
    busy: Sequence[str] = ("ha",)
    regions: int = 1
    restarts: Sequence[tuple[str, float]] = ()
    mobiles: int = 1
    old_cell: Mapping[str, int | str] | None = None
    home_link: bool = False
    temporary_home_agent: bool = False
    control: bool = False
    delays: Mapping[str, float] = field(default_factory=dict)
    service: Mapping[str, float] = field(default_factory=dict)

    def setup(
        self, down: Sequence[float] = (), up: Sequence[float] = (), options: Mapping[str, object] | None = None,
        peer: Sequence[float] = (),
    ) -> Setup:  # fmt: skip
        """Return a setup with packets at times in ms: down from ``cn``, up from each mobile node, and down from ``peer``."""
        net = Network()
        for name in ("ha", "cn", "peer", "gw", "gw2", "old", "new"):
            limits = {"registration_queue": self.registration_queue, "registration_answers": self.answers}
            service = self.service.get(name, 0 if name in ("old", "new") else 1)
            net.node(name, registration=ps(service), **(limits if name in self.busy else {}))
        for a, b, delay in (
            ("cn", "ha", 20), ("ha", "old", 10), ("ha", "new", 12), ("old", "new", 6), ("old", "cn", 25), ("new", "cn", 27),
            ("peer", "ha", 18), ("peer", "old", 22), ("peer", "new", 21),
            ("ha", "gw", 7.5), ("gw", "old", 3), ("gw", "new", 5), ("ha", "gw2", 8.5), ("gw2", "new", 4),
            ("cn", "gw", 24), ("cn", "gw2", 26),
        ):  # fmt: skip
            for x, y in ((a, b), (b, a)):
                link_delay = ps(self.delays.get(f"{x}>{y}", delay))
                net.link(x, y, delay=link_delay, loss=ALMOST_CERTAIN_LOSS if f"{x}>{y}" in self.loss else 0)
        net.cell("old", delay=ps(4), **(self.old_cell or {}))
        net.cell("new", delay=ps(5))
        if self.home_link:
            net.cell("ha", delay=ps(3))
        if self.temporary_home_agent:
            net.node("tha")
            net.link("old", "tha", delay=ps(2), both=True)
            net.link("tha", "new", delay=ps(7), both=True)
        control_nodes = self._add_control_nodes(net) if self.control else {}
        mobiles = net.mobiles(self.mobiles, home="ha")
        for label, node, times, upward in (("down", "cn", down, False), ("up", "cn", up, True), ("peer", "peer", peer, False)):
            if len(times):
                net.replay(node, mobiles, [ps(t) for t in times], [SIZE] * len(times), up=upward, label=label)
        columns = {
            "router": [net.node_index(s.router) for s in self.stays],
            "up_ps": [ps(s.up) for s in self.stays],
            "down_ps": [FOREVER if s.down is None else ps(s.down) for s in self.stays],
            "predict_ps": [-1 if s.predict is None else ps(s.predict) for s in self.stays],
            "going_down_ps": [-1 if s.warn is None else ps(s.warn) for s in self.stays],
        }
        mobile = np.repeat(mobiles, len(self.stays))
        movement = Attachments(mobile=mobile, **{c: np.tile(v, self.mobiles) for c, v in columns.items()})
        gateways = {"old": "gw", "new": "gw" if self.regions == 1 else "gw2"}
        return Setup(
            net,
            net.node_index("ha"),
            movement,
            ps(self.until),
            Options(**(options or {})),  # type: ignore[arg-type]
            {net.node_index(r): net.node_index(g) for r, g in gateways.items()},
            tuple(Restart(net.node_index(node), ps(at)) for node, at in self.restarts),
            temporary_home_agents={net.node_index("old"): net.node_index("tha")} if self.temporary_home_agent else {},
            control_nodes=control_nodes,
        )

    @staticmethod
    def _add_control_nodes(net: Network) -> dict[str, int]:
        for name in ("amf", "smf"):
            net.node(name, registration=ps(1))
        for a, b, delay in (("amf", "old", 8), ("amf", "new", 9), ("amf", "ha", 5), ("amf", "smf", 2), ("smf", "ha", 4.5)):
            net.link(a, b, delay=ps(delay), both=True)
        return {role: net.node_index(name) for role, name in (("AMF", "amf"), ("SMF", "smf"), ("CMD", "amf"))}

    def run(self, procedure: str, down: Sequence[float] = (), up: Sequence[float] = (), **options: object) -> RunResult:
        return run_procedure(self.setup(down, up, options), procedure, reference=ZERO_BYTES)

    def run_with_baseline(self, procedure: str, down: Sequence[float] = (), **options: object) -> RunResult:
        """Run a procedure and its baseline of handoffs without cost."""
        return run_procedure(self.setup(down, options=options), procedure)

    def path(self, procedure: str, *, down: float | None = None, up: float | None = None, **options: object) -> Path:
        """Return the path of a single data packet sent at a time in ms, in a network without other data packets."""
        run = self.run(procedure, [] if down is None else [down], [] if up is None else [up], **options)
        links = run.result.links
        data = links["packets"] - links["control_packets"]
        delay = int(run.result.flows["delay_max_ps"][0]) / MS if run.result.flows["delivered"][0] else None
        entered = {name: int(n) for name, n in zip(run.result.link_names, data, strict=True) if n}
        return Path(entered, run.result.fate_counts(), delay)


@dataclass(frozen=True)
class Path:
    """Path of a packet: copies that entered each link, fates of the copies, and delay (ms) of the delivered one."""

    links: dict[str, int]
    fates: dict[str, int]
    delay: float | None


def delivered(*links: str, delay: float) -> Path:
    """Return the path of a packet that passed each of the links once and arrived."""
    return Path(dict.fromkeys(links, 1), {"delivered": 1}, delay)


def dropped(*links: str, fate: str) -> Path:
    """Return the path of a packet that passed the links and was dropped with a fate."""
    return Path(dict.fromkeys(links, 1), {fate: 1}, None)
