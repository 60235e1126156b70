"""The mobile side of captures: which packets have its addresses, inside tunnels or outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

import handoff_traces
from handoff.scenario.traffic import Traffic
from handoff.workload.flow import Prefixes


def in_prefixes(version: npt.NDArray[np.uint8], address: npt.NDArray[np.uint8], prefixes: Prefixes) -> npt.NDArray[np.bool_]:
    """Return which addresses, given as uint8 of shape (n, 16), are in one of the prefixes."""
    inside = np.zeros(len(version), bool)
    for prefix in prefixes:
        mask, network = (np.frombuffer(a.packed, np.uint8) for a in (prefix.netmask, prefix.network_address))
        inside |= (version == prefix.version) & ((address[:, : len(mask)] & mask) == network).all(axis=1)
    return inside


def format_sides(mobile: Prefixes) -> str:
    """Format the addresses and prefixes of the mobile side as in a scenario."""
    return ", ".join(str(prefix).removesuffix("/32").removesuffix("/128") for prefix in mobile)


def count_packets(captures: Sequence[handoff_traces.CompiledCapture], mobile: Prefixes) -> tuple[int, int]:
    """Return the number of packets with exactly one end in ``mobile``, and with both ends in it."""
    one, both = 0, 0
    for capture in captures:
        table = capture.flows
        source, destination = (in_prefixes(table.version, side, mobile) for side in (table.src, table.dst))
        one += int(table.packets[source ^ destination].sum())
        both += int(table.packets[source & destination].sum())
    return one, both


def describe_absence(captures: Sequence[handoff_traces.CompiledCapture], traffic: Traffic) -> str:
    """Return why no packet can be replayed, and where the addresses of the mobile side are instead."""
    assert traffic.mobile_address is not None
    names = ", ".join(map(str, traffic.capture or ()))
    sides = format_sides(traffic.mobile_address)
    if both := count_packets(captures, traffic.mobile_address)[1]:
        return f"{both:,} packets of {names} have {sides} at both ends and none at one: give 'mobile_address' of one side"
    tunnel_ends = 0
    for capture in captures:
        tunnels = capture.facts.tunnels
        ends = [in_prefixes(tunnels.version, side, traffic.mobile_address) for side in (tunnels.src, tunnels.dst)]
        tunnel_ends += int(tunnels.packets[ends[0] | ends[1]].sum())
    if tunnel_ends:
        return (
            f"{sides} is only an end of a tunnel inside another one in {names} ({tunnel_ends:,} packets): give an address of the "
            "innermost or the outermost packets"
        )
    opaque: Counter[str] = Counter()
    for capture in captures:
        opaque.update(capture.facts.opaque)
    absence = f"no packet of {names} has {sides} as source or destination"
    return f"{absence}, but some are not looked into: {format_counts(opaque)}" if opaque else absence


def format_counts(counts: Mapping[str, int]) -> str:
    """Format numbers of records or packets by their reason."""
    return "; ".join(f"{count:,} ({reason})" for reason, count in counts.items())
