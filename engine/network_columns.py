"""Content of a network as columns for the engine, with the look-ups and the validation of what it contains."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.arguments import INT64_MAX, INT64_MIN, check_integer
from engine.attachments import attachment_problems
from engine.columns import GrowableTable, Int, distinct, is_sorted, repeated_pairs, sort_columns
from engine.elements import Cell, Link, MobileGroup, Node
from engine.replay import Replay
from engine.rng import combine_array, name_key


class NetworkError(ValueError):
    """The network cannot be run; the message says where the error is and what would be right."""


class NetworkColumns:
    """Nodes, links, cells, mobiles and flows. :class:`engine.Network` adds the methods that build them."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.links: list[Link] = []
        self.cells: list[Cell] = []
        self.cell_of_node: dict[int, int] = {}
        self._node_index: dict[str, int] = {}
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

    def mobile_name(self, mobile: int) -> str:
        """Return the name of a mobile."""
        mobile = check_integer("the index of a mobile", mobile, INT64_MIN, INT64_MAX)
        if not 0 <= mobile < self.mobile_count:
            raise NetworkError(f"no mobile with index {mobile}: there are {self.mobile_count}")
        group = self.groups[bisect_right(self.groups, mobile, key=lambda group: group.first) - 1]
        return f"{group.name}{mobile - group.first}" if group.numbered else group.name

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
        if self._has_dangling_references():
            return ["an element refers to another one that does not exist: lists of a network are changed by its methods alone"]
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
        cellless = {int(n) for n in distinct(local)} - set(self.cell_of_node)
        problems += [f"local entries at {self.nodes[n].name!r}, which has no cell" for n in sorted(cellless)]
        return problems

    def _has_dangling_references(self) -> bool:
        """Return whether an index is out of range: somebody has changed a public list directly."""
        nodes, cells, mobiles, sources = len(self.nodes), len(self.cells), self.mobile_count, 2 + len(self.replays)
        indices: list[tuple[Any, int]] = [
            ([end for link in self.links for end in (link.src, link.dst)], nodes),
            ([cell.node for cell in self.cells] + [group.home for group in self.groups if group.mobiles], nodes),
            (list(self.cell_of_node), nodes), (list(self.cell_of_node.values()), cells),
            (self._attachments.view("mobile"), mobiles), (self._attachments.view("cell"), cells),
            (self._flows.view("mobile"), mobiles), (self._flows.view("node"), nodes), (self._flows.view("source"), sources),
            (self._schedule.view("mobile"), mobiles), (self._schedule.view("node"), nodes),
            (self._entries.view("mobile"), mobiles), (self._entries.view("node"), nodes), (self._entries.view("coa"), nodes),
            (self._routes_up.view("mobile"), mobiles), (self._routes_up.view("node"), nodes),
        ]  # fmt: skip
        counts = sum(group.mobiles for group in self.groups), len(self._flows.view("node"))
        return counts != (mobiles, self.flow_count) or any(np.max(column, initial=-1) >= limit for column, limit in indices)

    def check(self) -> None:
        """Raise :class:`NetworkError` with all validation errors if there are any."""
        if problems := self.validation_errors():
            raise NetworkError("\n".join(problems))
