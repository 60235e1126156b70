"""What a capture holds, in a few figures."""

from typing import Any

import numpy as np

from traces.capture import NO_TIME_NS, Facts, Flows
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
        ``addresses`` (distinct IP addresses); ``flow_count``; ``flows``, the 20 with most bytes, each with ``flow``,
        ``version``, ``protocol``, ``src``, ``sport``, ``dst``, ``dport``, ``packets``, ``bytes`` and ``first_time_ns``.
    """
    first_ns, last_ns = facts.times_ns if facts.times_ns is not None else (None, None)
    duration_ns = last_ns - first_ns if first_ns is not None and last_ns is not None else 0
    flows = facts.flows
    top = np.argsort(-flows.bytes.astype(np.int64), kind="stable")[:_TOP] if len(flows) else ()
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
        "addresses": _addresses(flows),
        "flow_count": len(flows),
        "flows": [_flow(flows, int(flow)) for flow in top],
    }


def summarise_signalling(found: Signalling) -> dict[str, Any]:
    """Describe the Mobile IP messages of a capture.

    Returns
    -------
    dict
        Fit for JSON: ``kinds`` (messages of each kind), ``messages`` (each with what it says; a request with ``answer``, the
        number of its reply in the list, None if there is none), ``unlisted``, and ``echoes``: who pinged whom, and what was not
        answered.
    """
    messages = found.messages
    names = [messages.kind_text(i) for i in range(len(messages))]
    answers = messages.answers().tolist()
    return {
        "kinds": {name: names.count(name) for name in dict.fromkeys(names)},
        "messages": [_message(messages, i, names[i], answers[i]) for i in range(len(messages))],
        "unlisted": found.unlisted,
        "echoes": [{name: getattr(echo, name) for name in echo.__slots__} for echo in found.echoes],
    }


def _message(messages: Messages, i: int, name: str, answer: int) -> dict[str, Any]:
    said: dict[str, Any] = {"time_ns": int(messages.time_ns[i]), "kind": name}
    said |= {c: messages.text(c, i) for c in ("source", "destination", "home", "agent", "care_of")}
    lifetime, code = int(messages.lifetime_s[i]), int(messages.code[i])
    said["lifetime_s"] = None if lifetime < 0 else lifetime
    said["code"] = None if code < 0 else code
    said["identification"], said["flags"] = int(messages.identification[i]), int(messages.flags[i])
    return said | {"answer": None if answer < 0 else answer}


def _addresses(flows: Flows) -> int:
    versions = np.concatenate([flows.version, flows.version])[:, None]
    ends = np.concatenate([flows.src, flows.dst])
    return len(np.unique(np.hstack([versions, ends]), axis=0))


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
