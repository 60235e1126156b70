"""What a capture holds, in a few figures."""

from typing import Any

import numpy as np

from traces.capture import NO_TIME_NS, Capture, Flows

_TOP = 20


def summarise(capture: Capture) -> dict[str, Any]:
    """Describe a capture.

    Parameters
    ----------
    capture : Capture
        From ``read_capture``.

    Returns
    -------
    dict
        Plain numbers, strings and lists, fit for JSON: ``format``; ``truncated`` (str or None); ``link_types`` (sorted
        LINKTYPE numbers of the interfaces); ``packets``, ``ip_packets`` and ``untimed``; ``bytes`` (frames as sent) and
        ``ip_bytes``; ``first_time_ns`` (earliest, None if no packet has a time), ``duration_s`` (earliest to latest);
        ``rate_bps`` and ``rate_pps`` (of frames over the duration, None if that is 0); ``addresses`` (distinct IP
        addresses); ``flow_count``; ``flows``, the 20 with most bytes, each with ``flow``, ``version``, ``protocol``,
        ``src``, ``sport``, ``dst``, ``dport``, ``packets``, ``bytes`` and ``first_time_ns``.
    """
    times = capture.time_ns[capture.time_ns != NO_TIME_NS] if capture.untimed else capture.time_ns
    first_ns = int(times.min()) if len(times) else None
    duration_ns = int(times.max()) - first_ns if first_ns is not None else 0
    wire_bytes = int(capture.wire_length.sum(dtype=np.uint64))
    flows = capture.flows
    top = np.argsort(-flows.bytes.astype(np.int64), kind="stable")[:_TOP] if len(flows) else ()
    return {
        "format": capture.format,
        "truncated": capture.truncated,
        "link_types": sorted({interface.link_type for interface in capture.interfaces}),
        "packets": len(capture),
        "ip_packets": int(flows.packets.sum()),
        "untimed": capture.untimed,
        "bytes": wire_bytes,
        "ip_bytes": int(flows.bytes.sum()),
        "first_time_ns": first_ns,
        "duration_s": duration_ns / 1e9,
        "rate_bps": wire_bytes * 8e9 / duration_ns if duration_ns else None,
        "rate_pps": len(capture) * 1e9 / duration_ns if duration_ns else None,
        "addresses": _addresses(flows),
        "flow_count": len(flows),
        "flows": [_flow(flows, int(flow)) for flow in top],
    }


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
