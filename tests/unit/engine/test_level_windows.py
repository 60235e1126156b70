"""Windows of levels: how long they may be, and how long before the end of a window each level ends."""

from collections.abc import Iterator
from random import Random

import pytest

from bench.duplex_networks import build, commute
from bench.small import star
from engine.lookahead import LookaheadPlan, plan_lookahead
from tests.differential.generate import generate
from tests.differential.many_lengths import many_lengths

MS = 10**9
Arcs = dict[tuple[int, int], int]


def shortest_arcs(network) -> tuple[LookaheadPlan, Arcs]:
    """Return the plan, and the shortest arc from each level to another one, from the links, cells and servers."""
    plan = plan_lookahead(network)
    level = {(unit.node, unit.name.endswith("|")): n for unit, n in zip(plan.units, plan.levels, strict=True)}
    front = [level[i, bool(node.service_ps)] for i, node in enumerate(network.nodes)]
    mobiles = level[-1, False]
    arcs = [(level[x.src, False], front[x.dst], x.channel.delay_ps) for x in network.links]
    arcs += [(front[i], level[i, False], node.service_ps) for i, node in enumerate(network.nodes) if node.service_ps]
    for cell in network.cells:
        arcs += [(level[cell.node, False], mobiles, cell.down.delay_ps), (mobiles, front[cell.node], cell.up.delay_ps)]
    shortest: Arcs = {}
    for s, d, length in arcs:
        shortest[s, d] = min(length, shortest.get((s, d), length))
    return plan, shortest


def find_cycles(arcs: Arcs) -> Iterator[list[int]]:
    """Yield each cycle of two levels or more, from its first level on."""

    def extend(path: list[int]) -> Iterator[list[int]]:
        for s, d in arcs:
            if s == path[-1] and d == path[0] and len(path) > 1:
                yield path
            if s == path[-1] and d > path[0] and d not in path:
                yield from extend([*path, d])

    for first in {s for s, _ in arcs}:
        yield from extend([first])


def test_the_window_of_a_star_is_the_way_there_and_back():
    plan, arcs = shortest_arcs(star(5))
    assert plan.window_ps == min(arcs.values()) == MS
    assert plan.level_window_ps == 2 * MS


def test_links_between_routers_do_not_shorten_the_window_of_the_others():
    """Gateways are 2 ms from their routers, which are 3 ms from each other."""
    plan, _ = shortest_arcs(build(commute(seconds=1)))
    assert plan.level_window_ps == 4 * MS
    routers = {n for unit, n in zip(plan.units, plan.levels, strict=True) if unit.name.startswith("r")}
    assert [plan.level_steps_ps[n] for n in routers] == [3 * MS]


@pytest.mark.parametrize("seed", range(60))
def test_the_window_is_that_of_the_tightest_cycle(seed):
    """On a cycle, the packet gains its delays, and a window for each step to a level that is visited before."""
    network = (many_lengths if seed % 3 == 0 else generate)(Random(seed).randrange(10**6)).network()
    plan, arcs = shortest_arcs(network)
    bounds = []
    for cycle in find_cycles({pair: length for pair, length in arcs.items() if pair[0] != pair[1]}):
        steps = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
        bounds.append(sum(arcs[pair] for pair in steps) // sum(s > d for s, d in steps))
    if not bounds:
        assert plan.level_window_ps >= plan.window_ps
    elif plan.level_window_ps < 2**61:  # half of the clock bounds the lags, too
        assert plan.level_window_ps == max(min(bounds), plan.window_ps)
    for (s, d), length in arcs.items():
        if s == d:
            assert plan.level_steps_ps[s] <= length
        else:
            reached = -plan.level_lags_ps[s] - (plan.level_window_ps if s > d else 0)
            assert reached + length >= -plan.level_lags_ps[d]
