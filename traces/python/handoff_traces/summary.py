"""What a capture holds, in a few figures."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.capture import NO_TIME_NS, Facts, Flows, TunnelTable, address_text
from traces.signalling import Messages, Signalling

_TOP = 20


def summarise(facts: Facts) -> dict[str, Any]:
    """Describe a capture.

    Parameters
    ----------
    facts : Facts
        A ``Capture``, or the ``facts`` of one that was compiled or read for its signalling.

    Returns
    -------
    dict
        Plain numbers, strings and lists, fit for JSON: ``format``; ``compression``; ``truncated`` (str or None); ``link_types``
        (sorted LINKTYPE numbers of the interfaces); ``packets``, ``ip_packets``, ``untimed``, ``cut``, ``out_of_order`` and
        ``tunnelled``; ``bytes`` (frames as sent) and ``ip_bytes``; ``first_time_ns`` (earliest, None if no packet has a time),
        ``duration_s`` (earliest to latest); ``rate_bps`` and ``rate_pps`` (of frames over the duration, None if that is 0);
        ``interfaces``, the first 20; ``addresses`` (distinct IP addresses) and ``top_addresses``, the 20 with most bytes sent
        and received, each with ``address``, ``packets``, ``bytes``; ``flow_count``; ``flows``, the 20 with most bytes, each
        with ``flow``, ``version``, ``protocol``, ``src``, ``sport``, ``dst``, ``dport``, ``packets``, ``bytes`` and
        ``first_time_ns``; ``tunnel_count``; ``tunnels``, the 20 with most bytes, each with ``version``, ``protocol``, ``src``,
        ``dst``, ``packets`` and ``bytes``.
    """
    first_ns, last_ns = facts.times_ns if facts.times_ns is not None else (None, None)
    duration_ns = last_ns - first_ns if first_ns is not None and last_ns is not None else 0
    flows = facts.flows
    addresses, busiest = _addresses(flows)
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
        "bytes": facts.bytes,
        "ip_bytes": int(flows.bytes.sum()),
        "first_time_ns": first_ns,
        "duration_s": duration_ns / 1e9,
        "rate_bps": facts.bytes * 8e9 / duration_ns if duration_ns else None,
        "rate_pps": facts.packets * 1e9 / duration_ns if duration_ns else None,
        "interfaces": [asdict(interface) for interface in facts.interfaces[:_TOP]],
        "addresses": addresses,
        "top_addresses": busiest,
        "flow_count": len(flows),
        "flows": [_flow(flows, flow) for flow in _most(flows.bytes)],
        "tunnel_count": len(facts.tunnels),
        "tunnels": [_tunnel(facts.tunnels, row) for row in _most(facts.tunnels.bytes)],
    }


def summarise_signalling(found: Signalling) -> dict[str, Any]:
    """Describe the Mobile IP messages of a capture.

    Returns
    -------
    dict
        Fit for JSON: ``kinds`` (messages of each kind), ``damaged``, ``messages`` (each with ``frame``, as Wireshark numbers
        it, and what it says; a request with ``answer``, the number of its reply in the list from 0, None if there is none),
        ``unlisted``, and ``echoes``: who pinged whom, and what was not answered; ``unfollowed``.
    """
    messages = found.messages
    answers = messages.answers().tolist()
    return {
        "kinds": found.kinds,
        "damaged": found.damaged,
        "messages": [_message(messages, i, answers[i]) for i in range(len(messages))],
        "unlisted": found.unlisted,
        "echoes": [asdict(echo) for echo in found.echoes],
        "unfollowed": found.unfollowed,
    }


def _message(messages: Messages, i: int, answer: int) -> dict[str, Any]:
    said: dict[str, Any] = {"frame": int(messages.packet[i]) + 1, "time_ns": int(messages.time_ns[i])}
    said["kind"] = messages.kind_text(i)
    said |= {c: messages.text(c, i) for c in ("source", "destination", "home", "agent", "care_of")}
    lifetime, code = int(messages.lifetime_s[i]), int(messages.code[i])
    said["lifetime_s"] = None if lifetime < 0 else lifetime
    said["code"] = None if code < 0 else code
    said["identification"], said["flags"] = int(messages.identification[i]), int(messages.flags[i])
    said["flag_letters"] = messages.flag_letters(i)
    return said | {"answer": None if answer < 0 else answer}


def _most(values: NDArray[np.uint64]) -> list[int]:
    """Rows with the largest values, the first of equal ones first."""
    return [int(row) for row in np.argsort(-values.astype(np.int64), kind="stable")[:_TOP]]


def _addresses(flows: Flows) -> tuple[int, list[dict[str, Any]]]:
    """How many there are, and those that sent and received most."""
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
        {"address": address_text(int(rows[i, 0]), rows[i, 1:]), "packets": int(packets[i]), "bytes": int(total[i])}
        for i in _most(total)
    ]


def _flow(flows: Flows, flow: int) -> dict[str, Any]:
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


def _tunnel(tunnels: TunnelTable, row: int) -> dict[str, Any]:
    version = int(tunnels.version[row])
    return {
        "version": version,
        "protocol": int(tunnels.protocol[row]),
        "src": address_text(version, tunnels.src[row]),
        "dst": address_text(version, tunnels.dst[row]),
        "packets": int(tunnels.packets[row]),
        "bytes": int(tunnels.bytes[row]),
    }
