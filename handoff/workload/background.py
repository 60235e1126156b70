"""Background load of a scenario with nodes as numbers."""

from __future__ import annotations

from engine import Network
from engine.routing import next_links
from handoff.protocol.background import Background
from handoff.scenario.scenario import Scenario
from handoff.scenario.units import MEGAHOUR_PS


def build_background(scenario: Scenario, network: Network) -> tuple[Background, ...]:
    """Return the background load of a scenario.

    The messages to a node come from the last node before it on the way from the first access router.
    """
    start = network.node_index(scenario.routers.names[0])
    loads = []
    for table in scenario.background:
        for name, count in table.messages.items():
            node = network.node_index(name)
            rate = table.rate * count * network.mobile_count  # in a million hours
            if not rate:
                continue
            interval_ps = max(1, MEGAHOUR_PS // rate)
            loads.append(
                Background(
                    table.name, node, _last_before(network, start, node), interval_ps, table.size_bytes, tuple(table.profile)
                )
            )
    return tuple(loads)


def _last_before(network: Network, start: int, node: int) -> int:
    links, source = next(next_links(network, [node])), start
    while (after := network.links[links[source]].dst) != node:
        source = after
    return source
