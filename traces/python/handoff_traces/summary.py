"""Summaries of captures, fit for JSON."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handoff_traces.capture import NO_TIME_NS, Facts, Flows, TunnelTable, format_address
from handoff_traces.signalling import Messages, Signalling

_MAX_ROWS = 20
"""Rows of each table of a summary."""


def summarise(facts: Facts) -> dict[str, Any]:
    """Summarise a capture.

    Parameters
    ----------
    facts : Facts
        A ``Capture``, or the ``facts`` of a ``CompiledCapture`` or of a ``Signalling``.

    Returns
    -------
    dict
        Plain numbers, strings and lists with these keys:

        - ``format``, ``compression``, ``truncated`` (str or None), ``link_types`` (sorted LINKTYPE numbers of the interfaces);
        - ``packets``, ``ip_packets``, ``untimed``, ``cut``, ``out_of_order``, ``tunnelled``;
        - ``skipped`` (records left out) and ``opaque`` (packets not looked into), each with the number for each reason;
        - ``bytes`` (of frames as sent), ``ip_bytes``;
        - ``first_time_ns`` (earliest time, None if no packet has a time), ``duration_s`` (from the earliest to the latest time);
        - ``rate_bps``, ``rate_pps`` (of frames over the duration, None if that is 0);
        - ``interfaces``, the first 20;
        - ``addresses`` (number of distinct IP addresses) and ``top_addresses``, the 20 with most bytes sent and received, each
          with ``address``, ``packets`` and ``bytes``;
        - ``flow_count`` and ``flows``, the 20 with most bytes, each with ``flow``, ``version``, ``protocol``, ``src``,
          ``sport``, ``dst``, ``dport``, ``packets``, ``bytes`` and ``first_time_ns``;
        - ``tunnel_count`` and ``tunnels``, the 20 with most bytes, each with ``version``, ``protocol``, ``port``, ``src``,
          ``dst``, ``packets`` and ``bytes``.
    """
    first_ns, last_ns = facts.times_ns if facts.times_ns is not None else (None, None)
    duration_ns = last_ns - first_ns if first_ns is not None and last_ns is not None else 0
    flows = facts.flows
    address_count, top_addresses = _summarise_addresses(flows)
    return {
        "format": facts.format,
        "compression": facts.compression,
        "truncated": facts.truncated,
        "link_types": sorted({interface.link_type for interface in facts.interfaces}),
        "packets": facts.packets,
        "ip_packets": int(flows.packets.sum()),
        "untimed": facts.untimed,
        "cut": facts.cut,
        "out_of_order": facts.out_of_order,
        "tunnelled": facts.tunnelled,
        "skipped": facts.skipped,
        "opaque": facts.opaque,
        "bytes": facts.bytes,
        "ip_bytes": int(flows.bytes.sum()),
        "first_time_ns": first_ns,
        "duration_s": duration_ns / 1e9,
        "rate_bps": facts.bytes * 8e9 / duration_ns if duration_ns else None,
        "rate_pps": facts.packets * 1e9 / duration_ns if duration_ns else None,
        "interfaces": [asdict(interface) for interface in facts.interfaces[:_MAX_ROWS]],
        "addresses": address_count,
        "top_addresses": top_addresses,
        "flow_count": len(flows),
        "flows": [_summarise_flow(flows, flow) for flow in _largest_rows(flows.bytes)],
        "tunnel_count": len(facts.tunnels),
        "tunnels": [_summarise_tunnel(facts.tunnels, row) for row in _largest_rows(facts.tunnels.bytes)],
    }


def summarise_signalling(signalling: Signalling) -> dict[str, Any]:
    """Summarise the Mobile IP messages and pings of a capture.

    Returns
    -------
    dict
        Plain numbers, strings and lists with these keys:

        - ``kinds`` (number of messages of each kind), ``damaged``, ``unlisted``;
        - ``messages``, each with ``frame`` (Wireshark's number), its fields, and ``answer``: for a request the row of its
          reply in this list, from 0, None without a reply;
        - ``echoes``, the fields of each ``Echo``, and ``unfollowed``.
    """
    messages = signalling.messages
    replies = messages.match_replies().tolist()
    return {
        "kinds": signalling.kinds,
        "damaged": signalling.damaged,
        "messages": [_summarise_message(messages, i, replies[i]) for i in range(len(messages))],
        "unlisted": signalling.unlisted,
        "echoes": [asdict(echo) for echo in signalling.echoes],
        "unfollowed": signalling.unfollowed,
    }


def _summarise_message(messages: Messages, i: int, reply: int) -> dict[str, Any]:
    lifetime, code = int(messages.lifetime_s[i]), int(messages.code[i])
    return {
        "frame": int(messages.packet[i]) + 1,
        "time_ns": int(messages.time_ns[i]),
        "kind": messages.kind_name(i),
        **{column: messages.format_address(column, i) for column in ("source", "destination", "home", "agent", "care_of")},
        "lifetime_s": None if lifetime < 0 else lifetime,
        "code": None if code < 0 else code,
        "identification": int(messages.identification[i]),
        "flags": int(messages.flags[i]),
        "flag_letters": messages.flag_letters(i),
        "answer": None if reply < 0 else reply,
    }


def _largest_rows(values: NDArray[np.uint64]) -> list[int]:
    """Return the rows with the largest values; of equal values, the first row first."""
    return [int(row) for row in np.argsort(-values.astype(np.int64), kind="stable")[:_MAX_ROWS]]


def _summarise_addresses(flows: Flows) -> tuple[int, list[dict[str, Any]]]:
    """Return the number of addresses, and those with most bytes sent and received."""
    ends = np.empty((2, len(flows)), np.dtype("V17"))
    raw = ends.view(np.uint8).reshape(2, len(flows), 17)
    raw[:, :, 0], raw[0, :, 1:], raw[1, :, 1:] = flows.version, flows.src, flows.dst
    distinct, number = np.unique(ends.ravel(), return_inverse=True)
    to_itself = (flows.src == flows.dst).all(axis=1)
    packets, total = np.zeros(len(distinct), np.uint64), np.zeros(len(distinct), np.uint64)
    for sums, column in ((packets, flows.packets), (total, flows.bytes)):
        np.add.at(sums, number.ravel(), np.concatenate([column, np.where(to_itself, 0, column).astype(np.uint64)]))
    rows = distinct.view(np.uint8).reshape(-1, 17)
    return len(distinct), [
        {"address": format_address(int(rows[i, 0]), rows[i, 1:]), "packets": int(packets[i]), "bytes": int(total[i])}
        for i in _largest_rows(total)
    ]


def _summarise_flow(flows: Flows, flow: int) -> dict[str, Any]:
    first_ns = int(flows.first_time_ns[flow])
    return {
        "flow": flow,
        "version": int(flows.version[flow]),
        "protocol": int(flows.protocol[flow]),
        "src": flows.src_text(flow),
        "sport": int(flows.sport[flow]),
        "dst": flows.dst_text(flow),
        "dport": int(flows.dport[flow]),
        "packets": int(flows.packets[flow]),
        "bytes": int(flows.bytes[flow]),
        "first_time_ns": None if first_ns == NO_TIME_NS else first_ns,
    }


def _summarise_tunnel(tunnels: TunnelTable, row: int) -> dict[str, Any]:
    version = int(tunnels.version[row])
    return {
        "version": version,
        "protocol": int(tunnels.protocol[row]),
        "port": int(tunnels.port[row]),
        "src": format_address(version, tunnels.src[row]),
        "dst": format_address(version, tunnels.dst[row]),
        "packets": int(tunnels.packets[row]),
        "bytes": int(tunnels.bytes[row]),
    }
