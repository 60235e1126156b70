"""What a capture holds: ``handoff trace info``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import traces

SHOWN = 200
"""Messages that are shown to people; JSON has them all."""
_INFINITE_S = 65_535
_FLOW = ("protocol", "src", "sport", "dst", "dport", "packets", "bytes")
_PROTOCOLS = {1: "icmp", 4: "ipip", 6: "tcp", 17: "udp", 41: "ipv6", 47: "gre", 55: "minimal", 58: "icmp6", 135: "mobility"}


def facts(file: Path) -> dict[str, Any]:
    """Describe a capture and the Mobile IP signalling in it; plain values, fit for JSON.

    Raises
    ------
    traces.TraceError
        If it cannot be read.
    """
    found = traces.read_signalling(file)
    return traces.summarise(found.facts) | {"signalling": traces.summarise_signalling(found)}


def lines(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    out = []
    for name, value in found.items():
        if name in ("flows", "signalling"):
            continue
        if name == "first_time_ns" and value is not None:
            name, value = "first", _time(value)
        elif isinstance(value, float):
            value = f"{value:,.6g}"
        elif isinstance(value, int):
            value = f"{value:,}"
        out.append(f"{name.replace('_', ' '):<16} {value if value is not None else '-'}")
    out.append(f"flows, most bytes first ({len(found['flows'])} of {found['flow_count']:,})")
    rows = [{**flow, "protocol": _PROTOCOLS.get(flow["protocol"], flow["protocol"])} for flow in found["flows"]]
    out += _table(_FLOW, [[row[c] for c in _FLOW] for row in rows])
    return out + _signalling(found["signalling"], found["first_time_ns"])


def _signalling(found: dict[str, Any], start_ns: int | None) -> list[str]:
    out = []
    if found["kinds"]:
        out.append("Mobile IP signalling: " + ", ".join(f"{n:,} {kind}" for kind, n in found["kinds"].items()))
        columns = ("s", "message", "from", "to", "home", "agent", "care-of", "lifetime s", "code", "id", "answer")
        out += _table(columns, [_row(i, m, start_ns) for i, m in enumerate(found["messages"][:SHOWN])])
        if len(found["messages"]) > SHOWN:
            out.append(f"  … {len(found['messages']) - SHOWN:,} more with --json")
    for echo in found["echoes"]:
        lost = ", ".join(map(str, echo["unanswered"])) or "none"
        out.append(
            f"echo {echo['asking']} > {echo['asked']}: {echo['requests']:,} requests, {echo['replies']:,} replies; "
            f"unanswered: {lost}"
        )
    return out


def _row(i: int, message: dict[str, Any], start_ns: int | None) -> list[Any]:
    lifetime = message["lifetime_s"]
    return [
        f"{(message['time_ns'] - (start_ns or 0)) / 1e9:.6f}", message["kind"], message["source"], message["destination"],
        message["home"], message["agent"], message["care_of"], "for ever" if lifetime == _INFINITE_S else lifetime,
        message["code"], f"{message['identification']:x}", "" if message["answer"] is None else f"+{message['answer'] - i}",
    ]  # fmt: skip


def _table(columns: tuple[str, ...], rows: list[list[Any]]) -> list[str]:
    texts = [list(columns), *([("" if v is None else str(v)) for v in row] for row in rows)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(columns))]
    return ["  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in texts]


def _time(ns: int) -> str:
    whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ns // 10**9)
    return f"{whole:%Y-%m-%d %H:%M:%S}.{ns % 10**9:09d} UTC"
