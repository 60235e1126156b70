"""Network as the arrays that the compiled engine reads, built once and owned for the length of a run."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.columns import distinct, is_sorted, sort_columns, unique_rows
from engine.elements import Channel
from engine.lookahead import plan_lookahead
from engine.network import Network
from engine.quantities import FOREVER
from engine.rng import log_table, name_key
from engine.routing import check_routes

LINK_COUNTERS = 16
CACHE_LINE = 64
NO_LIMIT = 0
"""No limit in the columns of rates and queues, where a limit is never 0 (``kernel/world_init.pxd``)."""
POISSON = 1
MOBILE_GROUP = np.dtype([("key", "u8"), ("first", "u4"), ("home", "u2"), ("numbered", "u2")])
BOUNDARY = np.dtype([("t", "i8"), ("mobile", "i4"), ("step", "i4")])


def _column_limit(limit: int | None) -> int:
    return NO_LIMIT if limit is None else limit


def _channel(c: Channel) -> tuple[int, int, int, int]:
    return _column_limit(c.rate_bps), c.delay_ps, _column_limit(c.buffer_packets), _column_limit(c.buffer_bytes)


def _aligned_zeros(rows: int, columns: int) -> npt.NDArray[np.int64]:
    """Return an array of zeros that begins at a cache line."""
    memory = np.zeros(rows * columns + CACHE_LINE // 8, np.int64)
    begin = -memory.ctypes.data % CACHE_LINE // 8
    return memory[begin : begin + rows * columns].reshape(rows, columns)


class CompiledNetwork:
    """A valid network as contiguous arrays (int64 unless stated; keys uint64).

    The engine reads columns of mobiles, attachments and flows in place, without a copy.

    Attributes
    ----------
    tallies : ndarray, shape (links + 2 cells, 16)
        Counters: one row for each link, then one for the downlinks and one for the uplinks of each cell.
    mobile_groups : structured ndarray of ``MOBILE_GROUP``
        Groups of mobiles, by first mobile: from a group follow the key and the home of each mobile.
    attach_first : ndarray of uint32, shape (mobiles + 1,)
        Attachments of mobile m are rows ``attach_first[m]`` to ``attach_first[m + 1]``, by (up, down).
    attach_up, attach_down, attach_longest, attach_cell : ndarray
        Begin, end, the latest end up to this one of the same mobile, cell (int32) of each attachment.
    boundaries : structured ndarray of ``BOUNDARY``
        Begins (+1, after time 0) and ends (-1) of attachments, sorted by time.
    boundary_times : ndarray
        For each mobile that has any: the times of its boundaries and of its scheduled events, sorted, then ``FOREVER``.
        The first element is the ``FOREVER`` of mobiles without any.
    flow_keys, flow_nodes, flow_schedule : ndarray of uint64, int32 and uint32
        Key, fixed node and schedule of each flow; flows with equal parameters share a row of the schedules.
    flows_by_mobile : ndarray of uint32
        Flows sorted by mobile (the receiver, if two take part); empty if they are sorted already.
    startup_columns : dict of str to ndarray
        Columns that only the start of the engine reads; ``release_inputs`` replaces them by a digest.
    """

    def __init__(self, network: Network, uplinks: bool = True) -> None:
        self.digest: bytes | None = None  # of all attributes (engine.checkpoint_file)
        self.has_uplinks = uplinks
        self.plan = plan_lookahead(network, uplinks)
        self.node_names = [n.name for n in network.nodes]
        self.node_keys = [name_key(n) for n in self.node_names]
        self.link_names = [link.name for link in network.links]
        cells = [network.nodes[c.node].name for c in network.cells]
        self.row_names = self.link_names + [f"{n}{side}*" for n in cells for side in "><"]
        self.tallies = _aligned_zeros(len(self.row_names), LINK_COUNTERS)
        self.links = np.array(
            [(k.src, k.dst, *_channel(k.channel)) for k in network.links], np.int64
        ).reshape(-1, 6)
        self.link_keys = np.array([name_key(n) for n in self.link_names], np.uint64)
        self.link_loss = np.array([k.channel.loss for k in network.links], np.uint64)
        self.cells = np.array(
            [(c.node, int(c.shared), *_channel(c.down), *_channel(c.up)) for c in network.cells], np.int64
        ).reshape(-1, 10)
        self.cell_keys = np.array([(name_key(n + ">*"), name_key(n + "<*")) for n in cells], np.uint64).reshape(-1, 2)
        self.cell_loss = np.array([(c.down.loss, c.up.loss) for c in network.cells], np.uint64).reshape(-1, 2)
        self.servers = np.array(
            [(n.service_ps, _column_limit(n.service_queue), n.registration_ps, _column_limit(n.registration_queue),
              int(n.registration_answers)) for n in network.nodes], np.int64
        ).reshape(-1, 5)  # fmt: skip
        self.server_keys = np.array([name_key(n + "|") for n in self.node_names], np.uint64)
        self.units = np.array([(u.kind, u.node) for u in self.plan.units], np.int64)
        self.unit_levels = np.array(self.plan.levels, np.int64)
        self.level_lags = np.array(self.plan.level_lags_ps, np.int64)
        self.level_steps = np.array(self.plan.level_steps_ps, np.int64)
        self.hops = np.ascontiguousarray(self.plan.hops)
        check_routes(network, self.plan.hops)
        self.mobiles = network.mobile_count
        self.mobile_groups = np.array([(g.key, g.first, g.home, g.numbered) for g in network.groups if g.mobiles], MOBILE_GROUP)
        self.startup_columns: dict[str, npt.NDArray[np.generic]] = {}
        self.opening_digest = b""
        self._movement(network)
        self._sources(network)
        self._known_events(network)
        for name, dtype in [("node", np.int32), ("mobile", np.int32), ("coa", np.int32), ("header", np.uint8), ("end", np.int8)]:
            self.startup_columns[f"entry_{name}"] = network.entry_column(name, dtype)
        routes = network.routes_up(np.int32)
        self.startup_columns |= {"route_mobile": routes["mobile"], "route_node": routes["node"]}
        self.startup_columns["route_cell"] = network.cells_of(routes["node"])
        self.logarithms = log_table()

    @property
    def movement_bytes(self) -> int:
        """Memory of the columns of attachments and their boundaries, without the startup columns."""
        columns = [self.attach_up, self.attach_down, self.attach_cell, self.boundaries, self.boundary_times]
        if self.attach_longest is not self.attach_down:
            columns.append(self.attach_longest)
        return sum(column.nbytes for column in columns)

    @property
    def flow_bytes(self) -> int:
        """Memory of the columns of flows, without the startup columns."""
        return sum(column.nbytes for column in (self.flow_keys, self.flow_nodes, self.flow_schedule, self.flows_by_mobile))

    def release_inputs(self) -> None:
        """Replace the startup columns by their digest."""
        import hashlib  # loads OpenSSL, which slows the import of the engine

        digest = hashlib.blake2b()
        for column in self.startup_columns.values():
            digest.update(column.view(np.uint8).data)
        self.startup_columns, self.opening_digest = {}, digest.digest()

    def _movement(self, network: Network) -> None:
        a = network.sorted_attachments()
        count = network.mobile_count
        self.attach_up, self.attach_down, self.attach_cell = a["up"], a["down"], a["cell"]
        self.attach_first = np.zeros(count + 1, np.uint32)
        np.cumsum(np.bincount(a["mobile"], minlength=count)[:count], out=self.attach_first[1:])
        again = a["mobile"][1:] == a["mobile"][:-1]
        self.attach_longest = a["down"]
        if (again & (a["down"][1:] < a["down"][:-1])).any():
            self.attach_longest = a["down"].copy()
            for m in distinct(a["mobile"][1:][again]).tolist():
                rows = slice(self.attach_first[m], self.attach_first[m + 1])
                np.maximum.accumulate(a["down"][rows], out=self.attach_longest[rows])
        begins, ends = np.flatnonzero(a["up"] > 0), np.flatnonzero(a["down"] < FOREVER)
        t = np.concatenate([a["up"][begins], a["down"][ends]])
        order = np.argsort(t, kind="stable")
        self.boundaries = np.zeros(len(t), BOUNDARY)
        self.boundaries["t"] = t[order]
        self.boundaries["mobile"] = a["mobile"][np.concatenate([begins, ends])[order]]
        self.boundaries["step"] = np.where(order < len(begins), 1, -1)
        self.startup_columns["attached"] = np.bincount(a["mobile"][a["up"] == 0], minlength=count).astype(np.uint8)

    def _known_events(self, network: Network) -> None:
        due = network.scheduled_events()
        self.startup_columns |= {f"due_{f}": due[f].astype(np.int32 if f in ("node", "mobile") else np.int64) for f in due}
        fleet = due["node"] < 0
        mobile = np.concatenate([self.boundaries["mobile"], due["mobile"][fleet].astype(np.int32)])
        t = np.concatenate([self.boundaries["t"], due["time"][fleet]])
        who = distinct(mobile)
        rows = {"mobile": np.concatenate([mobile, who]), "t": np.concatenate([t, np.full(len(who), FOREVER)])}
        rows = sort_columns(rows, ("mobile", "t"))
        self.boundary_times = np.append(FOREVER, rows["t"])
        first = np.zeros(network.mobile_count, np.uint32)
        first[who] = 1 + np.searchsorted(rows["mobile"], who)
        self.startup_columns["known_first"] = first

    def _sources(self, network: Network) -> None:
        self.replays = network.replays.copy()
        self.releases = list(dict.fromkeys(r.mapping.drop_pages for r in self.replays if r.mapping is not None))
        self.flow_keys = network.flow_keys()
        self.flow_nodes = network.flow_column("node", np.int32)
        start, source = network.flow_column("start"), network.flow_column("source", np.int32)
        sender, receiver = network.flow_mobiles()
        mobile = np.where(receiver < 0, sender, receiver).astype(np.uint32)
        by_mobile = np.zeros(0) if is_sorted(mobile) else np.argsort(mobile, kind="stable")
        self.flows_by_mobile = by_mobile.astype(np.uint32)
        self.startup_columns |= {
            "flow_mobile": mobile,
            "flow_sender": sender,
            "flow_start": start,
            "flow_size": network.flow_column("size", np.uint16),
            "flow_order": np.lexsort((self.flow_keys, start)).astype(np.uint32),
        }
        columns = [  # the schedule of a CBR flow does not depend on its start; only a Poisson flow has draws
            network.flow_column("interval"),
            np.where(source > POISSON, start, 0),
            network.flow_column("stop"),
            network.flow_column("count"),
            source,
            np.where(source == POISSON, self.flow_keys, np.uint64(0)).view(np.int64),
        ]
        self.flow_schedule, rows = unique_rows(columns)
        self.schedules = len(rows)
        self.startup_columns["schedules"] = np.stack([column[rows] for column in columns], axis=1, dtype=np.int64)
