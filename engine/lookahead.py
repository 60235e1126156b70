"""Lookahead of a network: logical processes, their order, and the largest exact window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.network import Network
from engine.network_columns import NetworkError
from engine.routing import next_hops

UNLIMITED_WINDOW = 2**62
MAX_LEVELS = 24
"""Number of levels from which the parts of units are not divided further: each level costs time in each window."""
FLEET = -1
"""Node number of the logical process of all mobiles."""
NODE, SERVER, MOBILES = range(3)
"""Kinds of logical processes: a node, the forwarding server in front of a node, all mobiles."""


@dataclass(frozen=True)
class LogicalProcess:
    """A unit of the simulation with a clock of its own; ``kind`` is NODE, SERVER or MOBILES (with node -1)."""

    kind: int
    node: int
    name: str


@dataclass(frozen=True)
class LookaheadPlan:
    """Order and windows of a conservative parallel simulation, and next hops.

    Attributes
    ----------
    units : list of LogicalProcess
        Units in the order of their visits; the index is the rank.
    levels : list of int
        Level of each unit, from 0 on and ascending: the units of a level do not hear of each other within a window. The mobiles
        are a level of their own.
    window_ps : int
        W*, the largest exact window.
    level_window_ps : int
        Largest exact window of levels that end their windows at different times; at least W*.
    level_lags_ps : list of int
        Time from the end of each level to the end of the window.
    level_steps_ps : list of int
        Delay of the shortest arc between two units of each level, which advances by no more in a visit.
    parallel_window_ps : int
        Largest window in which no packet of another unit arrives at a node or server before the window ends. Nodes and
        servers can then be visited in parallel, and the mobiles after them.
    run_ahead_depth : list of int
        For each unit that may run ahead of the others, the number of arcs on the longest path through such units and out;
        0 for the others. A unit may run ahead if it has no cell and no unit with a cell is upstream of it.
    run_ahead_arcs : list of (int, int, int)
        Arcs from units that may run ahead: source rank, destination rank, length in ps.
    hops : ndarray of int32, shape (nodes, nodes)
        Index of the next link from a node to another one; -1 if unreachable, and for the node itself.
    """

    units: list[LogicalProcess]
    levels: list[int]
    window_ps: int
    level_window_ps: int
    level_lags_ps: list[int]
    level_steps_ps: list[int]
    parallel_window_ps: int
    run_ahead_depth: list[int]
    run_ahead_arcs: list[tuple[int, int, int]]
    hops: npt.NDArray[np.int32]


def plan_lookahead(network: Network, uplinks: bool = True) -> LookaheadPlan:
    """Return the units in topological order of the arcs shorter than W*, the largest exact window.

    An arc leads from one unit to another and has a length: the delay of a link or cell, or the service time of a server.
    A window is exact if the arcs shorter than it form no cycle. Each unit can then be visited once, in topological order:
    a packet on a longer arc arrives in a later window. Adding arcs can only add cycles, so bisection over the sorted
    lengths finds the largest exact window. If no mobile sends (``uplinks`` is false), there are no arcs from the mobiles.

    Raises
    ------
    NetworkError
        If links and cells without delay form a cycle.
    """
    units, arcs = _units(network, uplinks)
    names = [u.name for u in units]
    lengths = sorted({length for _, _, length in arcs})
    good, bad = -1, len(lengths)  # invariant: the arcs shorter than lengths[good] form no cycle
    while bad - good > 1:
        middle = (good + bad) // 2
        if _order(names, [a for a in arcs if a[2] < lengths[middle]]) is None:
            bad = middle
        else:
            good = middle
    window = lengths[good] if _order(names, arcs) is None else UNLIMITED_WINDOW
    if window == 0:
        raise NetworkError("links and cells without delay form a cycle: give at least one of them a delay")
    short_arcs = [a for a in arcs if a[2] < window]
    order = _order(names, short_arcs)
    assert order is not None
    level = _levels(units, arcs, _depths(order, short_arcs), {cell.node for cell in network.cells})
    order.sort(key=level.__getitem__)
    rank = {unit: i for i, unit in enumerate(order)}
    level_window, lags, steps = _lag_levels(level, arcs, window)
    depth = _run_ahead_depths(network, units, arcs)
    shortest = min([length for s, d, length in arcs if units[d].kind != MOBILES and not depth[s]], default=UNLIMITED_WINDOW)
    return LookaheadPlan(
        units=[units[i] for i in order],
        levels=[level[i] for i in order],
        window_ps=window,
        level_window_ps=level_window,
        level_lags_ps=lags,
        level_steps_ps=steps,
        parallel_window_ps=min(window, shortest),
        run_ahead_depth=[depth[i] for i in order],
        run_ahead_arcs=[(rank[s], rank[d], length) for s, d, length in arcs if depth[s]],
        hops=next_hops(network),
    )


def _units(network: Network, uplinks: bool) -> tuple[list[LogicalProcess], list[tuple[int, int, int]]]:
    units = [LogicalProcess(NODE, i, n.name) for i, n in enumerate(network.nodes)]
    front = list(range(len(units)))
    arcs = []
    for i, n in enumerate(network.nodes):
        if n.service_ps:
            front[i] = len(units)
            arcs.append((front[i], i, n.service_ps))
            units.append(LogicalProcess(SERVER, i, n.name + "|"))
    fleet = len(units)
    units.append(LogicalProcess(MOBILES, FLEET, "*"))
    arcs += [(link.src, front[link.dst], link.channel.delay_ps) for link in network.links]
    for cell in network.cells:
        arcs.append((cell.node, fleet, cell.down.delay_ps))
        if uplinks:
            arcs.append((fleet, front[cell.node], cell.up.delay_ps))
    return units, arcs


def _depths(order: list[int], short_arcs: list[tuple[int, int, int]]) -> list[int]:
    """Return for each unit the number of short arcs on the longest path to it."""
    after: list[list[int]] = [[] for _ in order]
    for s, d, _ in short_arcs:
        after[s].append(d)
    depth = [0] * len(order)
    for unit in order:
        for d in after[unit]:
            depth[d] = max(depth[d], depth[unit] + 1)
    return depth


def _levels(
    units: list[LogicalProcess], arcs: list[tuple[int, int, int]], depth: list[int], with_cell: set[int]
) -> list[int]:
    """Return the level of each unit: one for all units that have the same depth and play the same part.

    Any division of the units of one depth is exact. A good one keeps apart what comes from different directions, so that packets
    enter a level in the order of time. Units play the same part if they are of one kind, and if the units before and after them
    play the same parts.
    """
    before: list[set[int]] = [set() for _ in units]
    after: list[set[int]] = [set() for _ in units]
    for s, d, _ in arcs:
        before[d].add(s)
        after[s].add(d)
    level = _ranks([(depth[i], unit.kind, unit.node in with_cell) for i, unit in enumerate(units)])
    while True:
        finer = _ranks([
            (level[i], tuple(sorted({level[s] for s in before[i]})), tuple(sorted({level[d] for d in after[i]})))
            for i in range(len(units))
        ])
        if max(finer) == max(level) or max(finer) >= MAX_LEVELS:
            return level
        level = finer


def _lag_levels(level: list[int], arcs: list[tuple[int, int, int]], window: int) -> tuple[int, list[int], list[int]]:
    """Return the largest exact window of the levels, their lags in it, and their steps.

    All units of a level end a window at one time, but not all levels do. In a network of links with one delay in both directions,
    each second level ends that delay earlier. Then the window may be twice as long: what matters is the delay of a way there and
    back. A level with links between its units advances to the end of the window in several visits. ``window`` is exact without
    lags and with one visit.
    """
    count = max(level) + 1
    steps = [UNLIMITED_WINDOW] * count
    shortest: dict[tuple[int, int], int] = {}
    for s, d, length in arcs:
        if level[s] == level[d]:
            steps[level[s]] = min(length, steps[level[s]])
        else:
            shortest[level[s], level[d]] = min(length, shortest.get((level[s], level[d]), length))
    if window >= UNLIMITED_WINDOW:
        return window, [0] * count, steps
    good, bad = window, 2 * window  # invariant: good is exact, and bad is not
    while _find_lags(shortest, count, bad) is not None:
        good, bad = bad, 2 * bad
    while bad - good > 1:
        middle = (good + bad) // 2
        if _find_lags(shortest, count, middle) is None:
            bad = middle
        else:
            good = middle
    lags = _find_lags(shortest, count, good)
    assert lags is not None
    return good, lags, steps


def _find_lags(shortest: dict[tuple[int, int], int], levels: int, window: int) -> list[int] | None:
    """Return the smallest lags with which a window is exact; None if there are none, or none below half of the clock.

    A level is visited when all packets that arrive before its end have been sent. A level that is visited before it has reached
    the end of its window, any other one the end of its last window.
    """
    lags = [0] * levels
    for _ in range(levels + 1):
        if window > UNLIMITED_WINDOW or max(lags) > UNLIMITED_WINDOW:
            return None
        is_final = True
        for (s, d), length in shortest.items():
            lag = lags[s] - length + (0 if s < d else window)
            if lag > lags[d]:
                lags[d], is_final = lag, False
        if is_final:
            return lags
    return None


def _ranks(keys: list[tuple[Any, ...]]) -> list[int]:
    """Return the rank of each key among the different ones."""
    rank = {key: i for i, key in enumerate(sorted(set(keys)))}
    return [rank[key] for key in keys]


def _run_ahead_depths(network: Network, units: list[LogicalProcess], arcs: list[tuple[int, int, int]]) -> list[int]:
    """Return ``LookaheadPlan.run_ahead_depth`` by unit; all 0 if an arc of such a unit has no length."""
    busy = {FLEET, *(cell.node for cell in network.cells)}
    out: list[list[int]] = [[] for _ in units]
    for s, d, _ in arcs:
        out[s].append(d)
    frontier = [i for i, unit in enumerate(units) if unit.node in busy]
    downstream = set(frontier)  # units with a cell, and everything that they can reach
    while frontier:
        reached = {d for s in frontier for d in out[s]} - downstream
        downstream |= reached
        frontier = [*reached]
    arcs_ahead = [arc for arc in arcs if arc[0] not in downstream]
    order = _order([str(i) for i in range(len(units))], [arc for arc in arcs_ahead if arc[1] not in downstream])
    if order is None or not all(length for _, _, length in arcs_ahead):
        return [0] * len(units)
    depth = [0] * len(units)
    for i in reversed(order):
        if i not in downstream:
            depth[i] = 1 + max((depth[d] for d in out[i]), default=0)
    return depth


def _order(names: list[str], arcs: list[tuple[int, int, int]]) -> list[int] | None:
    """Return a topological order of the units, by name where several are possible; None if there is a cycle."""
    after: list[set[int]] = [set() for _ in names]
    before = [0] * len(names)
    for s, d, _ in arcs:
        if d not in after[s]:
            after[s].add(d)
            before[d] += 1
    ready = sorted((i for i, n in enumerate(before) if n == 0), key=names.__getitem__)
    order = []
    while ready:
        unit = ready.pop(0)
        order.append(unit)
        for d in after[unit]:
            before[d] -= 1
            if before[d] == 0:
                ready.append(d)
        ready.sort(key=names.__getitem__)
    return order if len(order) == len(names) else None
