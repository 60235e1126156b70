"""Build the ``Result`` of a stopped run and check the conservation laws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.columns import Columns, Int, sort_columns
from engine.compiled_network import CompiledNetwork
from engine.results import (
    FLOW_COLUMNS,
    LINK_COLUMNS,
    NODE_COLUMNS,
    NODE_INTEGRALS,
    PACKET_COLUMNS,
    SPAN_COLUMNS,
    ConservationError,
    Result,
)  # fmt: skip

# The order of the compiled engine's arrays. A name that is listed twice is an exact sum: its low, then its high 64 bits.
RAW_FLOW = (
    "sent", "copies", "delivered", "duplicate", "dropped", "lost", "reordered",
    "delay_sum_ps", "delay_sum_ps", "delay_max_ps", "gap_max_ps", "last_ps", "in_flight",
)  # fmt: skip
RAW_LINK = (
    "packets", "tunnel_bytes", "peak_packets", "peak_bytes", "out_packets", "out_bytes", "bytes", "control_packets",
    "control_bytes", "dropped", "lost", "detached", "rescued", "rescued_bytes", "busy_ps", "busy_ps",
)  # fmt: skip
RAW_NODE = (
    "forwarded", "forwarding_dropped", "forwarding_peak", "forwarding_wait_ps", "forwarding_wait_ps", "forwarding_wait_max_ps",
    "messages", "registered", "registration_dropped", "registration_peak", "registration_wait_ps", "registration_wait_ps",
    "registration_wait_max_ps", "entries_peak", "bindings_peak", "visitors_peak", "held_peak_packets", "held_peak_bytes",
    "diverted", "diverted_bytes", "hostile_registered", "hostile_dropped",
    "binding_ps", "binding_ps", "visitor_ps", "visitor_ps", "held_byte_ps", "held_byte_ps",
)  # fmt: skip


def build_result(network: CompiledNetwork, until_ps: int, raw: dict[str, Any]) -> Result:
    """Build the result of a run up to ``until_ps`` from the engine's raw arrays.

    Raises
    ------
    ConservationError
        If packets, copies or bytes do not add up.
    """
    flows = name_columns(RAW_FLOW, raw["flows"])
    links = name_columns(RAW_LINK, network.tallies.T.copy())
    links["queued"], links["queued_bytes"] = raw["queued"].T.copy()
    check_conservation(network, until_ps, flows, links, raw["fates"])
    spans = dict(zip(SPAN_COLUMNS, raw["spans"], strict=True))
    nodes = name_columns(RAW_NODE, raw["nodes"].T.copy())
    packets = None
    if raw["record"]:
        packets = dict(zip(PACKET_COLUMNS, raw["ended"], strict=True))
        if not raw["is_sorted"]:
            packets = sort_columns(packets, ("flow", "seq", "copy"))
    return Result(
        until_ps=until_ps,
        fingerprint=raw["fingerprint"],
        events=raw["events"],
        flows={c: flows[c] for c in FLOW_COLUMNS},
        links={c: links[c] for c in LINK_COLUMNS},
        nodes={c: nodes[c] for c in NODE_COLUMNS + NODE_INTEGRALS},
        spans=spans,
        link_names=network.row_names,
        node_names=network.node_names,
        fates=raw["fates"],
        delay_histogram=raw["histogram"],
        packets=packets,
    )


def name_columns(names: Sequence[str], arrays: Iterable[Int]) -> Columns:
    """Return the arrays by name. Two arrays of one name are the low and the high 64 bits of Python integers."""
    columns: Columns = {}
    for name, values in zip(names, arrays, strict=True):
        columns[name] = exact_integers(columns[name], values) if name in columns else values
    return columns


def exact_integers(low: Int, high: Int) -> npt.NDArray[Any]:
    """Return an array of Python integers from their low and high 64 bits."""
    integers: npt.NDArray[Any] = low.view(np.uint64).astype(object)
    return integers + (high.astype(object) << 64) if high.any() else integers


def check_conservation(network: CompiledNetwork, until_ps: int, flows: Columns, links: Columns, fates: Any) -> None:
    """Raise :class:`ConservationError` unless each copy has one fate, and each byte that entered a link left it or is queued."""
    ended = flows["delivered"] + flows["duplicate"] + flows["dropped"] + flows["in_flight"]
    if (bad := np.flatnonzero(flows["sent"] + flows["copies"] != ended)).size:
        i = int(bad[0])
        raise ConservationError(
            f"flow {i} at {until_ps} ps: {flows['sent'][i]} packets and {flows['copies'][i]} copies entered, "
            f"{ended[i]} have a fate"
        )
    if int(fates[0].sum()) != int(ended.sum()):
        raise ConservationError(f"at {until_ps} ps: {fates[0].sum()} fates of data for {ended.sum()} packet copies")
    for what, out, rescued, queued in [
        ("packets", "out_packets", "rescued", "queued"),
        ("bytes", "out_bytes", "rescued_bytes", "queued_bytes"),
    ]:
        gone = links[out] + links[rescued] + links[queued]
        if (bad := np.flatnonzero(links[what] != gone)).size:
            i = int(bad[0])
            raise ConservationError(
                f"link {network.row_names[i]!r} at {until_ps} ps: {links[what][i]} {what} in, {gone[i]} out or queued"
            )
