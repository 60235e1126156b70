"""Description of a network: nodes, links, cells, mobiles, attachments, flows.

A :class:`Network` is plain data, built by names and checked once by :meth:`Network.check`. No result depends on the order of
declaration (docs/model.md, 2).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.arguments import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, check_column, check_integer, check_name
from engine.columns import GrowableTable, Int
from engine.elements import Cell, Channel, Limit, Link, MobileGroup, Node, parse_places
from engine.network_columns import NetworkColumns, NetworkError
from engine.quantities import FOREVER, parse_duration
from engine.replay import MAX_PACKET_BYTES, FileMapping, Replay
from engine.rng import MAX_EXPONENTIAL_MEAN, combine_array, name_key
from engine.similar_names import similar_names

MAX_HEADER_BYTES = 60
"""Largest tunnel header."""
MAX_FLOWS = 2**32 - 2
"""Largest number of flows: their indices have 32 bits."""
DOWNLINK = "downlink"
"""Value of a parameter of an uplink that is the same as for the downlink."""


class Network(NetworkColumns):
    """A directed network of nodes and links, with cells that mobiles attach to.

    Every method takes names or the indices that the methods return; durations, rates and sizes are texts with a unit
    (``"5ms"``, ``"1Gbit/s"``, ``"64kB"``) or integers in picoseconds, bits per second and bytes. Rates and limits of queues are
    None, ``"unlimited"`` or ``"infinite"`` if there is no limit; 0 would let no packet pass and is refused. The look-ups of the
    base class return columns for the engine. The correspondent of flows is ``node`` or, if that is None, another mobile for
    each one in ``mobiles``, listed in ``peers``.

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
        service_queue: Limit = None,
        registration: int | str = 0,
        registration_queue: Limit = None,
        registration_answers: bool = False,
    ) -> int:
        """Add a fixed node and return its index.

        Parameters
        ----------
        name : str
            Unique name. The order of simultaneous events and all random draws depend on it.
        service, service_queue
            Forwarding server in front of the node: service time of a packet (0: no server), and the largest number of packets
            in it, the one in service included.
        registration, registration_queue, registration_answers
            Registration server: service time of a control message, and the largest number of messages in it. If
            ``registration_answers`` is true, the controller of the node gets an event for each dropped message.
        """
        if check_name("the name of a node", name) in self._node_index:
            raise NetworkError(f"node {name!r} is defined twice")
        if len(self.nodes) >= 65_534:
            raise NetworkError("a network has at most 65,534 fixed nodes")
        node = Node(
            name, parse_duration(service), parse_places("service_queue", service_queue),
            parse_duration(registration), parse_places("registration_queue", registration_queue),
            bool(registration_answers),
        )  # fmt: skip
        self._node_index[name] = len(self.nodes)
        self.nodes.append(node)
        return len(self.nodes) - 1

    def link(
        self,
        src: str | int,
        dst: str | int,
        *,
        rate: Limit = None,
        delay: int | str,
        buffer_packets: Limit = None,
        buffer_bytes: Limit = None,
        loss: float | str = 0,
        name: str | None = None,
        both: bool = False,
    ) -> None:
        """Add a directed link, and its reverse if ``both`` is true. The limits include the packet in transmission."""
        channel = Channel.of(rate, delay, buffer_packets, buffer_bytes, loss)
        a, b = self.node_index(src), self.node_index(dst)
        if a == b:
            raise NetworkError(f"link from {self.nodes[a].name!r} to itself")
        if name is not None:
            check_name("the name of a link", name)
        for s, d in [(a, b), (b, a)] if both else [(a, b)]:
            plain = f"{self.nodes[s].name}>{self.nodes[d].name}"
            self.links.append(Link(plain if name is None else name if s == a else f"{name}~", s, d, channel))

    def cell(
        self,
        node: str | int,
        *,
        rate: Limit = None,
        delay: int | str,
        buffer_packets: Limit = None,
        buffer_bytes: Limit = None,
        loss: float | str = 0,
        shared: bool = False,
        up_rate: Limit = DOWNLINK,
        up_delay: int | str = DOWNLINK,
        up_buffer_packets: Limit = DOWNLINK,
        up_buffer_bytes: Limit = DOWNLINK,
        up_loss: float | str = DOWNLINK,
    ) -> None:
        """Give a node a radio cell.

        If ``shared`` is true, one downlink FIFO serves the cell; else each mobile has its own. Each mobile has an uplink
        FIFO; a parameter ``"downlink"`` is that of the downlink.
        """
        n = self.node_index(node)
        if n in self.cell_of_node:
            raise NetworkError(f"node {self.nodes[n].name!r} has a cell already")
        up = Channel.of(
            rate if up_rate == DOWNLINK else up_rate,
            delay if up_delay == DOWNLINK else up_delay,
            buffer_packets if up_buffer_packets == DOWNLINK else up_buffer_packets,
            buffer_bytes if up_buffer_bytes == DOWNLINK else up_buffer_bytes,
            loss if up_loss == DOWNLINK else up_loss,
        )
        cell = Cell(n, Channel.of(rate, delay, buffer_packets, buffer_bytes, loss), up, bool(shared))
        self.cell_of_node[n] = len(self.cells)
        self.cells.append(cell)

    # -- mobiles and their movement -----------------------------------------------------------------------------------
    def mobile(self, name: str, *, home: str | int) -> int:
        """Add one mobile by name and return its index."""
        return int(self._add_mobiles(name, 1, home, numbered=False)[0])

    def mobiles(self, count: int, *, prefix: str = "mn", home: str | int) -> Int:
        """Add ``count`` mobiles named prefix0, prefix1, …; return their indices, int64 of shape (count,)."""
        return self._add_mobiles(prefix, count, home, numbered=True)

    def _add_mobiles(self, name: str, count: int, home: str | int, numbered: bool) -> Int:
        if (check_name("the name of a mobile", name), numbered) in self._group_index:
            raise NetworkError(f"mobile {name!r} is defined twice")
        first = self.mobile_count
        count = check_integer("the number of mobiles", count, 0, INT32_MAX - first)
        group = MobileGroup(name, name_key(name), first, count, numbered, self.node_index(home) if count else 0)
        indices = np.arange(first, first + count, dtype=np.int64)
        self._group_index[name, numbered] = len(self.groups)
        self.groups.append(group)
        self.mobile_count += count
        return indices

    def attach(
        self,
        mobiles: Any,
        node: Any,
        up_ps: Any = 0,
        down_ps: Any = FOREVER,
    ) -> None:
        """Attach mobiles to the cells of nodes over [up, down] in picoseconds; the arguments broadcast as NumPy arrays."""
        up, down = check_column("up_ps", up_ps, 0, FOREVER), check_column("down_ps", down_ps, 0, FOREVER)
        nodes = np.atleast_1d(self._node_array(node))
        cells = self.cells_of(nodes)
        if (cells < 0).any():
            bad = self.nodes[int(nodes[cells < 0][0])].name
            raise NetworkError(f"node {bad!r} has no cell to attach to; give it one with cell()")
        self._attachments.add(self._mobile_array(mobiles), cells, up, down)

    def schedule_event(self, times_ps: Any, mobiles: Any, code: Any, arg: Any = 0, node: Any = None) -> None:
        """Schedule events for the controller of ``node``, or for that of the mobiles if ``node`` is None (docs/model.md, 4)."""
        where = -1 if node is None else self._node_array(node)
        self._schedule.add(
            check_column("times_ps", times_ps, 0, FOREVER), where, self._mobile_array(mobiles),
            check_column("code", code, INT32_MIN, INT32_MAX), check_column("arg", arg, INT64_MIN, INT64_MAX),
        )  # fmt: skip

    # -- tables at time 0 ---------------------------------------------------------------------------------------------
    def bind(self, node: str | int, mobiles: Any, coa: Any, *, header_bytes: int = 20, end: str = "router") -> None:
        """Bind mobiles at time 0: ``node`` tunnels their packets to the care-of nodes ``coa``."""
        header = check_integer("header_bytes", header_bytes, 0, MAX_HEADER_BYTES)
        self._entries.add(self.node_index(node), self._mobile_array(mobiles), self._node_array(coa), header, _tunnel_end(end))

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
        if not 0 < gap <= MAX_EXPONENTIAL_MEAN:
            raise NetworkError(f"the mean gap of a flow is 1 to {MAX_EXPONENTIAL_MEAN} ps, not {gap}")
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
        period_ps: int | None = None,
        up: bool = False,
        label: str = "replay",
    ) -> Int:
        """Replay one packet sequence to each mobile, once or, with a ``period_ps``, again and again.

        :class:`engine.replay.Replay` explains the conversion of times and ``mapping``.
        """
        try:
            replay = Replay.of(times, sizes_bytes, origin, multiply, divide, mapping)
        except ValueError as error:
            raise NetworkError(f"replay {label!r}: {error}") from None
        step = 0  # of a sequence without repetition
        if period_ps is not None:
            step = check_integer("period_ps", period_ps, 0, FOREVER)
            if step <= replay.time_ps(-1) - replay.time_ps(0):
                raise NetworkError(f"replay {label!r}: a period of {step} ps is not longer than the sequence")
        source, size = 2 + len(self.replays), replay.largest
        flows = self._add_flows(label, node, mobiles, peers, up, source, start_ps, stop_ps, step, FOREVER, size)
        self.replays.append(replay)
        return flows

    def _add_flows(
        self, label: str, node: str | int | None, mobiles: Any, peers: Any, up: bool, source: int, start: Any, stop: Any,
        step: int, count: Any, size_bytes: Any,
    ) -> Int:  # fmt: skip
        mobile = np.atleast_1d(self._mobile_array(mobiles))
        prefix = f"flow {check_name('the label of a flow', label)!r}:"
        sizes = check_column(f"{prefix} size_bytes", size_bytes, 1, MAX_PACKET_BYTES)
        start, stop = check_column(f"{prefix} start_ps", start, 0, FOREVER), check_column(f"{prefix} stop_ps", stop, 0, FOREVER)
        count = check_column(f"{prefix} count", count, 0, FOREVER)
        for column in (sizes, start, stop, count):
            if column.size not in (1, len(mobile)):
                raise NetworkError(f"{prefix} an argument has {column.size} values for {len(mobile)} mobiles")
        if self.flow_count + len(mobile) > MAX_FLOWS:
            raise NetworkError(f"a network has at most {MAX_FLOWS:,} flows")
        mobile_keys = self.mobile_keys()
        where, peer, correspondent_keys = self._correspondents(label, node, mobile, peers, up, mobile_keys)
        flow_keys = combine_array(combine_array(name_key(label), correspondent_keys), mobile_keys[mobile])
        first, n = self.flow_count, len(mobile)
        if n:
            self._flows.add(
                flow_keys + np.uint64(bool(up)), where, peer, mobile, bool(up), source, start, stop, step, count, sizes
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
                near = similar_names(node, self._node_index)
                raise NetworkError(f"no node {node!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
            return self._node_index[node]
        number = check_integer("the index of a node", node, INT64_MIN, INT64_MAX)
        if not 0 <= number < len(self.nodes):
            raise NetworkError(f"no node with index {node}: there are {len(self.nodes)}")
        return number

    def mobile_index(self, name: str) -> int:
        """Return the index of a mobile by its name."""
        check_name("the name of a mobile", name)
        for group in self.groups:
            if (index := group.find(name)) is not None:
                return index
        raise NetworkError(f"no mobile {name!r}")

    def _node_array(self, nodes: Any) -> Any:
        if isinstance(nodes, str) or not isinstance(nodes, (Iterable, np.ndarray)):
            return self.node_index(nodes)
        if not isinstance(nodes, np.ndarray):
            nodes = list(nodes)
            if any(isinstance(n, str) for n in nodes):
                return np.array([self.node_index(n) for n in nodes], np.int64)
        array = check_column("the index of a node", nodes, INT64_MIN, INT64_MAX)
        for extreme in (array.min(), array.max()) if array.size else ():
            self.node_index(int(extreme))
        return array

    def _mobile_array(self, mobiles: Any) -> Any:
        if isinstance(mobiles, str):
            return self.mobile_index(mobiles)
        if isinstance(mobiles, Sequence) and mobiles and isinstance(mobiles[0], str):
            return np.array([self.mobile_index(m) for m in mobiles], np.int64)
        array = check_column("the index of a mobile", mobiles, INT64_MIN, INT64_MAX)
        if array.size and (array.min() < 0 or array.max() >= self.mobile_count):
            raise NetworkError(f"no such mobile: indices run from 0 to {self.mobile_count - 1}")
        return array


def _tunnel_end(end: str) -> int:
    if end not in ("router", "mobile"):
        raise NetworkError(f"a tunnel ends at the 'router' or the 'mobile', not {end!r}")
    return int(end == "mobile")
