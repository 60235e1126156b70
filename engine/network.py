"""Description of a network: nodes, links, cells, mobiles, attachments, flows.

A :class:`Network` is plain data, built by names and checked once by :meth:`Network.check`. No result depends on the order of
declaration (docs/model.md, 2).
"""

from __future__ import annotations

import copy
import difflib
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.attachments import attachment_problems
from engine.columns import GrowableTable, Int, is_sorted, repeated_pairs, sort_columns
from engine.elements import Cell, Channel, Link, MobileGroup, Node
from engine.quantities import FOREVER, parse_duration
from engine.replay import MAX_PACKET_BYTES, FileMapping, Replay, ReplayError
from engine.rng import combine_array, name_key


class NetworkError(ValueError):
    """The network cannot be run; the message says where the error is and what would be right."""


class Network:
    """A directed network of nodes and links, with cells that mobiles attach to.

    Every method takes names or the indices that the methods return; durations, rates and sizes are texts with a unit
    (``"5ms"``, ``"1Gbit/s"``, ``"64kB"``) or integers in picoseconds, bits per second and bytes. The look-ups at the end
    return columns for the engine. The correspondent of flows is ``node`` or, if that is None, another mobile for each one in
    ``mobiles``, listed in ``peers``.

    Examples
    --------
    >>> net = Network()
    >>> _ = net.node("server"), net.node("gateway"), net.node("ap")
    >>> net.link("server", "gateway", rate="1Gbit/s", delay="5ms", buffer_packets=1000)
    >>> net.link("gateway", "ap", rate="100Mbit/s", delay="10ms", buffer_packets=100)
    >>> net.cell("ap", rate="10Mbit/s", delay="2ms", buffer_packets=100)
    >>> phones = net.mobiles(3, prefix="phone", home="gateway")
    >>> net.attach(phones, "ap")
    >>> net.bind("gateway", phones, "ap"), net.set_local("ap", phones)
    (None, None)
    >>> _ = net.cbr("server", phones, interval="20ms", size_bytes=228)
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.links: list[Link] = []
        self.cells: list[Cell] = []
        self.cell_of_node: dict[int, int] = {}
        self._node_index: dict[str, int] = {}
        self._mobile_index: dict[str, int] = {}
        self.groups: list[MobileGroup] = []
        self._group_index: dict[tuple[str, bool], int] = {}
        self.mobile_count = 0
        self._attachments = GrowableTable({"mobile": np.int32, "cell": np.int32, "up": np.int64, "down": np.int64})
        self._flows = GrowableTable(
            {
                "key": np.uint64, "node": np.int32, "peer": np.int32, "mobile": np.int32, "up": np.int8, "source": np.int32,
                "start": np.int64, "stop": np.int64, "interval": np.int64, "count": np.int64, "size": np.int32,
            }
        )  # fmt: skip
        self.flow_labels: list[tuple[str, int, int]] = []  # label, first flow, count
        self.flow_count = 0
        self.replays: list[Replay] = []
        self._schedule = GrowableTable(
            {"time": np.int64, "node": np.int32, "mobile": np.int32, "code": np.int64, "arg": np.int64}
        )
        self._entries = GrowableTable(  # coa -1: local
            {"node": np.int32, "mobile": np.int32, "coa": np.int32, "header": np.int64, "end": np.int8}
        )
        self._routes_up = GrowableTable({"mobile": np.int32, "node": np.int32})

    def fork(self) -> Network:
        """Return an independent copy that can be extended; both share the arrays."""
        other = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, (list, dict)):
                setattr(other, name, value.copy())
            elif isinstance(value, GrowableTable):
                setattr(other, name, GrowableTable(value.fields, value.parts.copy()))
        return other

    # -- nodes, links, cells ------------------------------------------------------------------------------------------
    def node(
        self,
        name: str,
        *,
        service: int | str = 0,
        service_queue: int = 0,
        registration: int | str = 0,
        registration_queue: int = 0,
        registration_answers: bool = False,
    ) -> int:
        """Add a fixed node and return its index.

        Parameters
        ----------
        name : str
            Unique name. The order of simultaneous events and all random draws depend on it.
        service, service_queue
            Forwarding server in front of the node: service time of a packet (0 = no server) and queue limit in packets
            (0 = unlimited).
        registration, registration_queue, registration_answers
            Registration server: service time of a control message and queue limit in messages (0 = unlimited). If
            ``registration_answers`` is true, the controller of the node gets an event for each dropped message.
        """
        if name in self._node_index:
            raise NetworkError(f"node {name!r} is defined twice")
        if len(self.nodes) >= 65_534:
            raise NetworkError("a network has at most 65,534 fixed nodes")
        self._node_index[name] = len(self.nodes)
        server = parse_duration(registration), int(registration_queue), bool(registration_answers)
        self.nodes.append(Node(name, parse_duration(service), int(service_queue), *server))
        return len(self.nodes) - 1

    def link(
        self,
        src: str | int,
        dst: str | int,
        *,
        rate: int | str = 0,
        delay: int | str,
        buffer_packets: int = 0,
        buffer_bytes: int | str = 0,
        loss: float | str = 0,
        name: str | None = None,
        both: bool = False,
    ) -> None:
        """Add a directed link, and its reverse if ``both`` is true. A buffer limit of 0 is unlimited, a rate of 0 infinite."""
        channel = Channel.of(rate, delay, buffer_packets, buffer_bytes, loss)
        a, b = self.node_index(src), self.node_index(dst)
        if a == b:
            raise NetworkError(f"link from {self.nodes[a].name!r} to itself")
        for s, d in [(a, b), (b, a)] if both else [(a, b)]:
            plain = f"{self.nodes[s].name}>{self.nodes[d].name}"
            self.links.append(Link(plain if name is None else name if s == a else f"{name}~", s, d, channel))

    def cell(
        self,
        node: str | int,
        *,
        rate: int | str = 0,
        delay: int | str,
        buffer_packets: int = 0,
        buffer_bytes: int | str = 0,
        loss: float | str = 0,
        shared: bool = False,
        up_rate: int | str | None = None,
        up_delay: int | str | None = None,
        up_buffer_packets: int | None = None,
        up_buffer_bytes: int | str | None = None,
        up_loss: float | str | None = None,
    ) -> None:
        """Give a node a radio cell.

        If ``shared`` is true, one downlink FIFO serves the cell; else each mobile has its own. Each mobile has an uplink
        FIFO; its parameters default to those of the downlink.
        """
        n = self.node_index(node)
        if n in self.cell_of_node:
            raise NetworkError(f"node {self.nodes[n].name!r} has a cell already")
        up = Channel.of(
            rate if up_rate is None else up_rate,
            delay if up_delay is None else up_delay,
            buffer_packets if up_buffer_packets is None else up_buffer_packets,
            buffer_bytes if up_buffer_bytes is None else up_buffer_bytes,
            loss if up_loss is None else up_loss,
        )
        self.cell_of_node[n] = len(self.cells)
        self.cells.append(Cell(n, Channel.of(rate, delay, buffer_packets, buffer_bytes, loss), up, shared))

    # -- mobiles and their movement -----------------------------------------------------------------------------------
    def mobile(self, name: str, *, home: str | int) -> int:
        """Add one mobile by name and return its index."""
        return int(self._add_mobiles(name, 1, home, numbered=False)[0])

    def mobiles(self, count: int, *, prefix: str = "mn", home: str | int) -> Int:
        """Add ``count`` mobiles named prefix0, prefix1, …; return their indices, int64 of shape (count,)."""
        return self._add_mobiles(prefix, count, home, numbered=True)

    def _add_mobiles(self, name: str, count: int, home: str | int, numbered: bool) -> Int:
        if (name, numbered) in self._group_index:
            raise NetworkError(f"mobile {name!r} is defined twice")
        self._group_index[name, numbered] = len(self.groups)
        first = self.mobile_count
        self.groups.append(MobileGroup(name, name_key(name), first, count, numbered, self.node_index(home) if count else 0))
        self.mobile_count += count
        return np.arange(first, self.mobile_count, dtype=np.int64)

    def attach(
        self,
        mobiles: Any,
        node: Any,
        up_ps: Any = 0,
        down_ps: Any = FOREVER,
    ) -> None:
        """Attach mobiles to the cells of nodes over [up, down] in picoseconds; the arguments broadcast as NumPy arrays."""
        nodes = np.atleast_1d(self._node_array(node))
        cells = self.cells_of(nodes)
        if (cells < 0).any():
            bad = self.nodes[int(nodes[cells < 0][0])].name
            raise NetworkError(f"node {bad!r} has no cell to attach to; give it one with cell()")
        self._attachments.add(self._mobile_array(mobiles), cells, up_ps, down_ps)

    def schedule_event(self, times_ps: Any, mobiles: Any, code: Any, arg: Any = 0, node: Any = None) -> None:
        """Schedule events for the controller of ``node``, or for that of the mobiles if ``node`` is None (docs/model.md, 4)."""
        where = -1 if node is None else self._node_array(node)
        self._schedule.add(times_ps, where, self._mobile_array(mobiles), code, arg)

    # -- tables at time 0 ---------------------------------------------------------------------------------------------
    def bind(self, node: str | int, mobiles: Any, coa: Any, *, header_bytes: int = 20, end: str = "router") -> None:
        """Bind mobiles at time 0: ``node`` tunnels their packets to the care-of nodes ``coa``."""
        self._entries.add(
            self.node_index(node), self._mobile_array(mobiles), self._node_array(coa), header_bytes, _tunnel_end(end)
        )

    def set_local(self, node: Any, mobiles: Any) -> None:
        """Make mobiles local at time 0: ``node`` delivers their packets through its own cell."""
        self._entries.add(self._node_array(node), self._mobile_array(mobiles), -1, 0, 0)

    def set_upstream_route(self, mobiles: Any, node: Any) -> None:
        """Set the upstream route at time 0: the mobiles send through the cell of ``node``."""
        self._routes_up.add(self._mobile_array(mobiles), self._node_array(node))

    # -- flows --------------------------------------------------------------------------------------------------------
    def cbr(
        self,
        node: str | int | None,
        mobiles: Any,
        *,
        peers: Any = None,
        interval: int | str,
        size_bytes: Any,
        start_ps: Any = 0,
        stop_ps: Any = FOREVER,
        count: Any = FOREVER,
        up: bool = False,
        label: str = "cbr",
    ) -> Int:
        """Add a constant-bit-rate flow from the correspondent to each mobile (``up``: from each mobile); return flow indices."""
        step = parse_duration(interval)
        if step <= 0:
            raise NetworkError("the interval of a flow is at least 1 ps")
        return self._add_flows(label, node, mobiles, peers, up, 0, start_ps, stop_ps, step, count, size_bytes)

    def poisson(
        self,
        node: str | int | None,
        mobiles: Any,
        *,
        peers: Any = None,
        mean: int | str,
        size_bytes: Any,
        start_ps: Any = 0,
        stop_ps: Any = FOREVER,
        count: Any = FOREVER,
        up: bool = False,
        label: str = "poisson",
    ) -> Int:
        """Add a Poisson flow with mean gap ``mean`` for each mobile; a gap is drawn by (seed, flow, packet number)."""
        gap = parse_duration(mean)
        if gap <= 0:
            raise NetworkError("the mean gap of a flow is at least 1 ps")
        return self._add_flows(label, node, mobiles, peers, up, 1, start_ps, stop_ps, gap, count, size_bytes)

    def replay(
        self,
        node: str | int | None,
        mobiles: Any,
        times: npt.ArrayLike,
        sizes_bytes: npt.ArrayLike,
        *,
        peers: Any = None,
        origin: int = 0,
        multiply: int = 1,
        divide: int = 1,
        mapping: FileMapping | None = None,
        start_ps: Any = 0,
        stop_ps: Any = FOREVER,
        period_ps: int = 0,
        up: bool = False,
        label: str = "replay",
    ) -> Int:
        """Replay one packet sequence to each mobile; a ``period_ps`` above 0 repeats it.

        :class:`engine.replay.Replay` explains the conversion of times and ``mapping``.
        """
        try:
            replay = Replay.of(times, sizes_bytes, origin, multiply, divide, mapping)
        except ReplayError as error:
            raise NetworkError(f"replay {label!r}: {error}") from None
        if period_ps and not replay.time_ps(-1) - replay.time_ps(0) < period_ps <= FOREVER:
            raise NetworkError(f"replay {label!r}: a period of {period_ps} ps is not longer than the sequence or not below 2**63")
        self.replays.append(replay)
        source = 1 + len(self.replays)
        return self._add_flows(label, node, mobiles, peers, up, source, start_ps, stop_ps, period_ps, FOREVER, replay.largest)

    def _add_flows(
        self, label: str, node: str | int | None, mobiles: Any, peers: Any, up: bool, source: int, start: Any, stop: Any,
        step: int, count: Any, size_bytes: Any,
    ) -> Int:  # fmt: skip
        mobile = np.atleast_1d(self._mobile_array(mobiles))
        sizes = np.asarray(size_bytes)
        if (sizes < 1).any() or (sizes > MAX_PACKET_BYTES).any():
            raise NetworkError(f"flow {label!r}: a packet has 1 to {MAX_PACKET_BYTES} bytes")
        if (np.asarray(start) < 0).any():
            raise NetworkError(f"flow {label!r}: starts before time 0")
        mobile_keys = self.mobile_keys()
        where, peer, correspondent_keys = self._correspondents(label, node, mobile, peers, up, mobile_keys)
        flow_keys = combine_array(combine_array(name_key(label), correspondent_keys), mobile_keys[mobile])
        first, n = self.flow_count, len(mobile)
        if n:
            self._flows.add(
                flow_keys + np.uint64(up), where, peer, mobile, int(up), source, start, stop, step, count, size_bytes
            )
        self.flow_labels.append((label, first, n))
        self.flow_count += n
        return np.arange(first, first + n, dtype=np.int64)

    def _correspondents(
        self, label: str, node: str | int | None, mobile: Int, peers: Any, up: bool, mobile_keys: npt.NDArray[np.uint64]
    ) -> tuple[Any, Any, npt.NDArray[np.uint64]]:
        """Return node (of a mobile correspondent: the receiver's home), mobile (-1: none) and key of the correspondents."""
        if (node is None) == (peers is None):
            raise NetworkError(f"flow {label!r}: give either a node or 'peers' as correspondent")
        if node is not None:
            where = self.node_index(node)
            return where, -1, np.array([name_key(self.nodes[where].name)], np.uint64)
        peer = np.broadcast_to(self._mobile_array(peers), mobile.shape)
        if (itself := mobile[peer == mobile]).size:
            name = self.mobile_name(int(itself[0]))
            raise NetworkError(f"flow {label!r}: {name!r} is its own correspondent: give it another one")
        return self.mobile_homes()[peer if up else mobile], peer, mobile_keys[peer]

    # -- look-ups -----------------------------------------------------------------------------------------------------
    def node_index(self, node: str | int) -> int:
        """Return the index of a node by name or index; the error for an unknown name suggests the nearest one."""
        if isinstance(node, str):
            if node not in self._node_index:
                near = difflib.get_close_matches(node, self._node_index, 1)
                raise NetworkError(f"no node {node!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
            return self._node_index[node]
        if not 0 <= int(node) < len(self.nodes):
            raise NetworkError(f"no node with index {node}: there are {len(self.nodes)}")
        return int(node)

    def mobile_name(self, mobile: int) -> str:
        """Return the name of a mobile."""
        if not 0 <= mobile < self.mobile_count:
            raise NetworkError(f"no mobile with index {mobile}: there are {self.mobile_count}")
        group = self.groups[bisect_right(self.groups, mobile, key=lambda group: group.first) - 1]
        return f"{group.name}{mobile - group.first}" if group.numbered else group.name

    def mobile_index(self, name: str) -> int:
        """Return the index of a mobile by its name."""
        for group in self.groups:
            if (index := group.find(name)) is not None:
                return index
        raise NetworkError(f"no mobile {name!r}")

    def _node_array(self, nodes: Any) -> Any:
        if isinstance(nodes, (str, int, np.integer)):
            return self.node_index(nodes if isinstance(nodes, str) else int(nodes))
        if isinstance(nodes, np.ndarray) and nodes.dtype.kind == "i":
            for extreme in (nodes.min(initial=0), nodes.max(initial=0)) if self.nodes else nodes[:1]:
                self.node_index(int(extreme))
            return nodes
        return np.array([self.node_index(n if isinstance(n, str) else int(n)) for n in nodes], np.int64)

    def _mobile_array(self, mobiles: Any) -> Any:
        if isinstance(mobiles, str):
            return self.mobile_index(mobiles)
        if isinstance(mobiles, Sequence) and mobiles and isinstance(mobiles[0], str):
            return np.array([self.mobile_index(m) for m in mobiles], np.int64)
        array = np.asarray(mobiles, np.int64)
        if array.size and (array.min() < 0 or array.max() >= self.mobile_count):
            raise NetworkError(f"no such mobile: indices run from 0 to {self.mobile_count - 1}")
        return array

    # -- columns for the engine -----------------------------------------------------------------------------------------
    def mobile_keys(self) -> npt.NDArray[np.uint64]:
        """Return the keys of all mobiles, uint64 of shape (mobile_count,)."""
        keys = np.arange(self.mobile_count, dtype=np.uint64)
        for group in self.groups:
            rows = keys[group.first : group.first + group.mobiles]
            rows[:] = combine_array(group.key, rows - np.uint64(group.first)) if group.numbered else group.key
        return keys

    def mobile_homes(self, dtype: Any = np.int64) -> npt.NDArray[Any]:
        """Return the home node of each mobile, shape (mobile_count,)."""
        groups = self.groups
        return np.repeat(np.array([f.home for f in groups], dtype), np.array([f.mobiles for f in groups], np.int64))

    def cells_of(self, nodes: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Return the cell of each node, -1 for a node without one."""
        cells = np.full(len(self.nodes), -1, np.int32)
        cells[list(self.cell_of_node)] = list(self.cell_of_node.values())
        selected: npt.NDArray[np.int32] = cells[nodes]
        return selected

    def link_names(self) -> list[str]:
        """Return the names of all links, then of each cell's downlink and uplink, in the order of ``Result.link_names``."""
        cells = [self.nodes[c.node].name for c in self.cells]
        return [link.name for link in self.links] + [f"{name}{side}*" for name in cells for side in "><"]

    def attachments(self) -> dict[str, Int]:
        """Return columns mobile, cell, up, down (ps), sorted by (mobile, up, down, cell)."""
        return {f: v.astype(np.int64) for f, v in self.sorted_attachments().items()}

    def sorted_attachments(self) -> dict[str, npt.NDArray[Any]]:
        """Return ``attachments`` with int32 mobile and cell. The arrays may be shared: do not change them."""
        c = {f: self._attachments.view(f) for f in self._attachments.fields}
        by = ("mobile", "up", "down", "cell")
        return c if is_sorted(*(c[f] for f in by)) else sort_columns(c, by)

    def flow_keys(self) -> npt.NDArray[np.uint64]:
        """Return ``flows()["key"]``. The array may be shared: do not change it."""
        return self._flows.view("key")

    def flow_column(self, name: str, dtype: Any = np.int64) -> npt.NDArray[Any]:
        """Return one column of ``flows``."""
        return self._flows.column(name, dtype)

    def flows(self) -> dict[str, npt.NDArray[Any]]:
        """Return columns key, node, peer, mobile, up, source, start, stop, interval, count, size.

        ``source`` is 0 (CBR), 1 (Poisson) or 2 + i (replay i). ``peer`` is the mobile that is the correspondent, -1 if
        ``node`` is. With a ``peer``, ``node`` is the home node of the receiver.
        """
        return {f: self.flow_column(f, np.uint64 if f == "key" else np.int64) for f in self._flows.fields}

    def flow_mobiles(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Return the mobiles that send and receive each flow; -1 if the node does."""
        mobile, peer, up = self.flow_column("mobile", np.int32), self.flow_column("peer", np.int32), self.flow_column("up", bool)
        return np.where(up, mobile, peer), np.where(up, peer, mobile)

    def scheduled_events(self) -> dict[str, Int]:
        """Return the scheduled controller events: columns time, node (-1: the mobiles), mobile, code, arg (docs/model.md, 4)."""
        c = {f: self._schedule.column(f) for f in self._schedule.fields}
        if len(c["mobile"]):
            c["key"] = self.mobile_keys()[c["mobile"]]
            c = sort_columns(c, ("time", "key", "code", "arg"))
            del c["key"]
        return c

    def initial_bindings(self) -> dict[str, Int]:
        """Return columns node, mobile, coa (-1: local), header, end (0 router, 1 mobile) of the entries at time 0."""
        return {f: self.entry_column(f) for f in self._entries.fields}

    def entry_column(self, name: str, dtype: Any = np.int64) -> npt.NDArray[Any]:
        """Return one column of ``initial_bindings``."""
        return self._entries.column(name, dtype)

    def routes_up(self, dtype: Any = np.int64) -> dict[str, npt.NDArray[Any]]:
        """Return columns mobile, node of the upstream routes at time 0."""
        return {f: self._routes_up.column(f, dtype) for f in self._routes_up.fields}

    def validation_errors(self) -> list[str]:
        """Return all reasons why the network cannot be run; empty if it is valid."""
        node_link_keys = np.array([name_key(n) for n in (*self._node_index, *(link.name for link in self.links))], np.uint64)
        problems = []
        for what, keys in [
            ("nodes and links", node_link_keys),
            ("mobiles", self.mobile_keys()),
            ("flows", self.flow_column("key", np.uint64)),
        ]:
            keys.sort()
            if (keys[1:] == keys[:-1]).any():
                problems.append(f"two {what} have the same name (or label): order and random draws depend on it")
        del keys
        cell_names = [self.nodes[cell.node].name for cell in self.cells]
        problems += attachment_problems(self.sorted_attachments(), self.mobile_name, cell_names)
        problems += [
            f"two entries at time 0 for node {self.nodes[n].name!r}, mobile {self.mobile_name(m)!r}: give one"
            for n, m in repeated_pairs(self.entry_column("node"), self.entry_column("mobile", np.int32))
        ]
        routes = self.routes_up()["mobile"]
        problems += [f"two upstream routes at time 0 for {self.mobile_name(m)!r}" for _, m in repeated_pairs(routes * 0, routes)]
        local = self.entry_column("node", np.int32)[self.entry_column("coa", np.int32) < 0]
        cellless = {int(n) for n in np.unique(local)} - set(self.cell_of_node)
        problems += [f"local entries at {self.nodes[n].name!r}, which has no cell" for n in sorted(cellless)]
        return problems

    def check(self) -> None:
        """Raise :class:`NetworkError` with all validation errors if there are any."""
        if problems := self.validation_errors():
            raise NetworkError("\n".join(problems))


def _tunnel_end(end: str) -> int:
    if end not in ("router", "mobile"):
        raise NetworkError(f"a tunnel ends at the 'router' or the 'mobile', not {end!r}")
    return int(end == "mobile")
