"""Build the ``Result`` of a stopped run and check the conservation laws."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.columns import Columns
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

# the order of the compiled engine's arrays
RAW_FLOW = (
    "sent", "copies", "delivered", "duplicate", "dropped", "lost", "reordered",
    "delay_sum_ps", "delay_max_ps", "gap_max_ps", "last_ps", "in_flight",
)  # fmt: skip
RAW_LINK = (
    "packets", "bytes", "control_packets", "control_bytes", "tunnel_bytes", "dropped", "lost", "detached",
    "rescued", "rescued_bytes", "peak_packets", "peak_bytes", "busy_ps", "out_packets", "out_bytes",
)  # fmt: skip


def build_result(network: CompiledNetwork, until_ps: int, raw: dict[str, Any]) -> Result:
    """Build the result of a run up to ``until_ps`` from the engine's raw arrays.

    Raises
    ------
    ConservationError
        If packets, copies or bytes do not add up.
    """
    flows = dict(zip(RAW_FLOW, raw["flows"], strict=True))
    links = dict(zip(RAW_LINK, network.tallies.T.copy(), strict=True))
    links["queued"], links["queued_bytes"] = raw["queued"].T.copy()
    check_conservation(network, until_ps, flows, links, raw["fates"])
    spans = dict(zip(SPAN_COLUMNS, raw["spans"], strict=True))
    nodes = dict(zip(NODE_COLUMNS, raw["nodes"].T.copy(), strict=True))
    nodes |= {name: np.array(values, object) for name, values in zip(NODE_INTEGRALS, raw["integrals"], strict=True)}
    packets = None
    if raw["record"]:
        packets = dict(zip(PACKET_COLUMNS, raw["ended"], strict=True))
        rows = np.lexsort((packets["copy"], packets["seq"], packets["flow"]))
        packets = {k: v[rows] for k, v in packets.items()}
    return Result(
        until_ps=until_ps,
        fingerprint=raw["fingerprint"],
        events=raw["events"],
        flows={c: flows[c] for c in FLOW_COLUMNS},
        links={c: links[c] for c in LINK_COLUMNS},
        nodes=nodes,
        spans=spans,
        link_names=network.row_names,
        node_names=network.node_names,
        fates=raw["fates"],
        delay_histogram=raw["histogram"],
        packets=packets,
    )


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
