"""The arrays that the compiled engine starts from, made once from a network; it owns them for the length of a run."""

from __future__ import annotations

import numpy as np

from engine.keys import key
from engine.network import Network, NetworkError
from engine.parts import Channel
from engine.plan import logarithms, plan
from engine.quantities import FOREVER

TALLIES = 15
CHANNEL_FIELDS = 5


def _channel(c: Channel) -> tuple[int, int, int, int]:
    return c.rate_bps, c.delay_ps, c.buffer_packets, c.buffer_bytes


class Built:
    """A checked network as contiguous arrays (int64 unless said; keys uint64).

    Attributes
    ----------
    tallies : ndarray, shape (links + 2 cells, 15)
        One row a link, then a row for the downlinks and one for the uplinks of each cell; the engine counts in it.
    attach_first : ndarray, shape (mobiles + 1,)
        Attachments of mobile m are rows ``attach_first[m]`` to ``attach_first[m + 1]``, by (up, down).
    boundary_t, boundary_mobile, boundary_step : ndarray
        Begins (+1) and ends (-1) of all attachments, by time.
    known : ndarray
        Of each mobile in turn the times of its boundaries and of what is scheduled for the fleet, in order, and ``FOREVER``;
        those of mobile m begin at ``known_first[m]``.
    """

    def __init__(self, network: Network, uplinks: bool = True) -> None:
        self.digest: bytes | None = None  # of all this (engine.checkpoint)
        self.plan = plan(network, uplinks)
        self.node_names = [n.name for n in network.nodes]
        self.node_keys = [key(n) for n in self.node_names]
        self.link_names = [link.name for link in network.links]
        cells = [network.nodes[c.node].name for c in network.cells]
        self.row_names = self.link_names + [f"{n}{side}*" for n in cells for side in "><"]
        self.tallies = np.zeros((len(self.row_names), TALLIES), np.int64)
        self.links = np.array(
            [(k.src, k.dst, *_channel(k.channel)) for k in network.links], np.int64
        ).reshape(-1, 6)
        self.link_keys = np.array([key(n) for n in self.link_names], np.uint64)
        self.link_loss = np.array([k.channel.loss for k in network.links], np.uint64)
        self.cells = np.array(
            [(c.node, int(c.shared), *_channel(c.down), *_channel(c.up)) for c in network.cells], np.int64
        ).reshape(-1, 10)
        self.cell_keys = np.array([(key(n + ">*"), key(n + "<*")) for n in cells], np.uint64).reshape(-1, 2)
        self.cell_loss = np.array([(c.down.loss, c.up.loss) for c in network.cells], np.uint64).reshape(-1, 2)
        self.servers = np.array(
            [(n.service_ps, n.service_queue, n.registration_ps, n.registration_queue, int(n.registration_answers))
             for n in network.nodes], np.int64
        ).reshape(-1, 5)  # fmt: skip
        self.server_keys = np.array([key(n + "|") for n in self.node_names], np.uint64)
        self.units = np.array([(u.kind, u.node) for u in self.plan.units], np.int64)
        self.hops = np.ascontiguousarray(self.plan.hops)
        self._reachable(network)
        self.mobile_keys = network.mobile_keys()
        self.homes = network.mobile_homes()
        self._movement(network)
        self._sources(network)
        self.schedule = network.scheduled()
        self._known_events(network)
        self.entries = network.entries()
        self.routes = network.routes_up()
        self.routes["cell"] = np.array([network.cell_of_node.get(int(n), -1) for n in self.routes["node"]], np.int64)
        self.logarithms = logarithms()

    def _reachable(self, network: Network) -> None:
        """Refuse flows that have no way: from the correspondent to the home node, from each cell to the correspondent."""
        flows, hops = network.flows(), self.plan.hops
        homes = network.mobile_homes()
        down = np.unique(np.stack([flows["node"], homes[flows["mobile"]]])[:, flows["up"] == 0], axis=1).T.tolist()
        cells = [c.node for c in network.cells]
        up = [(c, n) for n in np.unique(flows["node"][flows["up"] == 1]).tolist() for c in cells]
        found = [
            f"no way from {self.node_names[a]!r} to {self.node_names[b]!r}, which a flow needs: add a link"
            for a, b in [*down, *up]
            if a != b and hops[a, b] < 0
        ]
        if found:
            raise NetworkError("\n".join(found))

    def _movement(self, network: Network) -> None:
        a = network.attachments()
        count = network.mobile_count
        self.attach_up, self.attach_down, self.attach_cell = a["up"], a["down"], a["cell"]
        self.attach_first = np.searchsorted(a["mobile"], np.arange(count + 1)).astype(np.int64)
        # running maximum of "down" within each mobile: restart it by lifting each mobile above the one before
        self.attach_longest = a["down"].copy()
        for m in np.flatnonzero(np.diff(self.attach_first) > 1):
            rows = slice(self.attach_first[m], self.attach_first[m + 1])
            np.maximum.accumulate(a["down"][rows], out=self.attach_longest[rows])
        t = np.concatenate([a["up"], a["down"]])
        order = np.argsort(t, kind="stable")
        self.boundary_t = t[order]
        self.boundary_mobile = np.concatenate([a["mobile"], a["mobile"]])[order]
        self.boundary_step = np.repeat(np.array([1, -1], np.int64), len(a["up"]))[order]

    def _known_events(self, network: Network) -> None:
        count = network.mobile_count
        fleet = self.schedule["node"] < 0
        mobile = np.concatenate([self.boundary_mobile, self.schedule["mobile"][fleet], np.arange(count)])
        t = np.concatenate([self.boundary_t, self.schedule["time"][fleet], np.full(count, FOREVER)])
        self.known = t[np.lexsort((t, mobile))]
        self.known_first = np.searchsorted(np.sort(mobile), np.arange(count)).astype(np.int64)

    def _sources(self, network: Network) -> None:
        f = network.flows()
        self.flows = f
        self.flow_order = np.lexsort((f["key"], f["start"]))
        self.replays = network.replays.copy()
        self.releases = list(dict.fromkeys(r.release for r in self.replays if r.release is not None))
