"""What a run needs to know beforehand: units and their order, the largest exact window, next hops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.network import Network, NetworkError
from engine.routing import next_hops

UNLIMITED_WINDOW = 2**62
FLEET = -1


@dataclass(frozen=True)
class LogicalProcess:
    """``kind``: 0 a node, 1 the forwarding server in front of it, 2 the fleet (node -1)."""

    kind: int
    node: int
    name: str


@dataclass(frozen=True)
class LookaheadPlan:
    """Units in the order of their visits (rank), windows in ps, and next hops.

    ``window_ps`` is W*, the largest exact one. ``ahead`` are the units that may run ahead of the others: those that have no cell
    and hear from none that has; each with the number of arcs on its longest way among them and out, the others with 0. ``leads``
    are the arcs from them: source, destination, length. In a window of ``beside_ps`` or less, nothing that another unit sends
    arrives at a node or server before its end: these can be visited side by side, and the fleet after them.
    """

    units: list[LogicalProcess]
    window_ps: int
    parallel_window_ps: int
    run_ahead_depth: list[int]
    run_ahead_arcs: list[tuple[int, int, int]]
    hops: npt.NDArray[np.int32]  # (node, node): index of the next link, -1 unreachable, own node -1


def plan_lookahead(network: Network, uplinks: bool = True) -> LookaheadPlan:
    """Units in topological order of the arcs shorter than W*; W* is the largest exact window.

    An arc is a way from one unit to another with the least time it takes: a link's or cell's delay, a server's service
    time. A window is exact if the arcs shorter than it form no cycle: then each unit can be visited once, in topological
    order, and everything that an arc of at least the window's length brings belongs to a later window. Adding arcs only
    makes cycles, so the largest such window is found by bisection over the sorted lengths. Without ``uplinks`` (no mobile
    sends anything) the ways from the fleet are no arcs.
    """
    units, arcs = _units(network, uplinks)
    names = [u.name for u in units]
    lengths = sorted({length for _, _, length in arcs})
    good, bad = -1, len(lengths)  # the arcs shorter than lengths[good] form no cycle
    while bad - good > 1:
        middle = (good + bad) // 2
        if _order(names, [a for a in arcs if a[2] < lengths[middle]]) is None:
            bad = middle
        else:
            good = middle
    everything = _order(names, arcs)
    window = UNLIMITED_WINDOW if everything is not None else lengths[good]
    if window == 0:
        raise NetworkError("links and cells without delay form a cycle: give at least one of them a delay")
    order = _order(names, [a for a in arcs if a[2] < window])
    assert order is not None
    place = {unit: i for i, unit in enumerate(order)}
    ahead = _ahead(network, units, arcs)
    beside = min([length for s, d, length in arcs if units[d].kind != 2 and not ahead[s]], default=UNLIMITED_WINDOW)
    leads = [(place[s], place[d], length) for s, d, length in arcs if ahead[s]]
    return LookaheadPlan([units[i] for i in order], window, min(window, beside), [ahead[i] for i in order], leads, next_hops(network))


def _units(network: Network, uplinks: bool) -> tuple[list[LogicalProcess], list[tuple[int, int, int]]]:
    units = [LogicalProcess(0, i, n.name) for i, n in enumerate(network.nodes)]
    front = list(range(len(units)))
    arcs = []
    for i, n in enumerate(network.nodes):
        if n.service_ps:
            front[i] = len(units)
            arcs.append((front[i], i, n.service_ps))
            units.append(LogicalProcess(1, i, n.name + "|"))
    fleet = len(units)
    units.append(LogicalProcess(2, FLEET, "*"))
    arcs += [(link.src, front[link.dst], link.channel.delay_ps) for link in network.links]
    for cell in network.cells:
        arcs.append((cell.node, fleet, cell.down.delay_ps))
        if uplinks:
            arcs.append((fleet, front[cell.node], cell.up.delay_ps))
    return units, arcs


def _ahead(network: Network, units: list[LogicalProcess], arcs: list[tuple[int, int, int]]) -> list[int]:
    """``Plan.ahead`` of each unit; of none if one of them sends something that arrives at once."""
    busy = {FLEET, *(cell.node for cell in network.cells)}
    out: list[list[int]] = [[] for _ in units]
    for s, d, _ in arcs:
        out[s].append(d)
    behind = [i for i, unit in enumerate(units) if unit.node in busy]
    found = set(behind)
    while behind:
        onward = {d for s in behind for d in out[s]} - found
        found |= onward
        behind = [*onward]
    among = [arc for arc in arcs if arc[0] not in found]
    order = _order([str(i) for i in range(len(units))], [arc for arc in among if arc[1] not in found])
    if order is None or not all(length for _, _, length in among):
        return [0] * len(units)
    depth = [0] * len(units)
    for i in reversed(order):
        if i not in found:
            depth[i] = 1 + max((depth[d] for d in out[i]), default=0)
    return depth


def _order(names: list[str], arcs: list[tuple[int, int, int]]) -> list[int] | None:
    """Topological order of the units, by name where it leaves a choice; None if there is a cycle."""
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
