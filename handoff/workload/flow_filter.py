"""Which packets of a stream are replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from handoff.scenario.traffic import Filter, Ranges
from handoff.workload.capture_stream import Endpoint, Flow, Prefixes


def filter_flows(flows: Sequence[Flow], select: Sequence[Filter], exclude: Sequence[Filter]) -> list[Flow]:
    """What is left of flows: what one of ``select`` wants (everything if there is none) and none of ``exclude``."""
    found = []
    for flow in flows:
        down = flow.down if _wanted(flow, "down", select, exclude) else []
        up = flow.up if _wanted(flow, "up", select, exclude) else []
        if down or up:
            found.append(replace(flow, down=down, up=up))
    return found


def _wanted(flow: Flow, way: str, select: Sequence[Filter], exclude: Sequence[Filter]) -> bool:
    return (not select or any(matches(f, flow, way) for f in select)) and not any(matches(f, flow, way) for f in exclude)


def matches(wanted: Filter, flow: Flow, way: str) -> bool:
    """Whether the packets of a flow that go ``way`` (down or up) meet every condition of a filter."""
    ends = (flow.source, flow.destination)
    return (
        wanted.direction in (None, way)
        and (wanted.protocol is None or flow.protocol in wanted.protocol)
        and _at(wanted.source, flow.source)
        and _at(wanted.destination, flow.destination)
        and any(_at(wanted.address, end) for end in ends)
        and _on(wanted.source_port, flow.source)
        and _on(wanted.destination_port, flow.destination)
        and any(_on(wanted.port, end) for end in ends)
        and wanted.begins.holds(flow.first_ns)
        and flow.packets >= wanted.min_packets
        and (flow.last_ns - flow.first_ns) * 1000 >= wanted.min_duration
        and flow.has_bytes(wanted.min_bytes)
    )


def _at(prefixes: Prefixes | None, end: Endpoint) -> bool:
    return prefixes is None or any(end.address in prefix for prefix in prefixes)


def _on(ports: Ranges | None, end: Endpoint) -> bool:
    return ports is None or any(low <= end.port <= high for low, high in ports)
