"""What a capture holds: ``handoff trace info``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import handoff_traces

MOST_MESSAGES = 100_000
"""Messages that are listed in JSON, so that memory is bounded; the others are counted."""
SHOWN = 200
"""Messages that are shown to people."""
_INFINITE_S = 65_535
_LISTED = 20
_TABLES = {
    "interfaces": ("name", "link_type", "snap_length", "packets"),
    "top_addresses": ("address", "packets", "bytes"),
    "flows": ("protocol", "src", "sport", "dst", "dport", "packets", "bytes"),
    "tunnels": ("protocol", "src", "dst", "packets", "bytes"),
}
_MESSAGE = ("frame", "s", "message", "from", "to", "home", "agent", "care-of", "lifetime s", "code", "id", "flags", "answer")
_TITLES = {
    "interfaces": "interfaces, in the order of the file",
    "top_addresses": "addresses, most bytes first",
    "flows": "flows, most bytes first",
    "tunnels": "tunnels, most bytes first, with their headers",
}
_PROTOCOLS = {1: "icmp", 4: "ipip", 6: "tcp", 17: "udp", 41: "ipv6", 47: "gre", 55: "minimal", 58: "icmp6", 135: "mobility"}


def facts(file: Path, ratio: int | None = None) -> dict[str, Any]:
    """Describe a capture and the Mobile IP signalling in it; plain values, fit for JSON.

    Parameters
    ----------
    file : Path
        The capture.
    ratio : int, optional
        How many times it may grow as it is decompressed.

    Raises
    ------
    handoff_traces.TraceError
        If it cannot be read.
    """
    limits = handoff_traces.Limits() if ratio is None else handoff_traces.Limits(ratio=ratio)
    found = handoff_traces.read_signalling(file, limits=limits, max_messages=MOST_MESSAGES)
    return handoff_traces.summarise(found.facts) | {"signalling": handoff_traces.summarise_signalling(found)}


def lines(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    out = []
    for name, value in found.items():
        if name in _TABLES or name == "signalling":
            continue
        if name == "first_time_ns" and value is not None:
            name, value = "first", _time(value)
        elif isinstance(value, float):
            value = f"{value:,.6g}"
        elif isinstance(value, int):
            value = f"{value:,}"
        out.append(f"{name.replace('_', ' '):<16} {'-' if value in (None, '') else value}")
    for name, columns in _TABLES.items():
        if rows := found[name]:
            out.append(_TITLES[name] + (f" (the first {len(rows)})" if len(rows) == _LISTED else ""))
            out += _table(columns, [[_text(column, row[column]) for column in columns] for row in rows])
    return out + _signalling(found["signalling"], found["first_time_ns"])


def _signalling(found: dict[str, Any], start_ns: int | None) -> list[str]:
    out = []
    if found["kinds"]:
        out.append("Mobile IP signalling: " + ", ".join(f"{n:,} {kind}" for kind, n in found["kinds"].items()))
        out += _table(_MESSAGE, [_row(m, found["messages"], start_ns) for m in found["messages"][:SHOWN]])
        if len(found["messages"]) > SHOWN:
            out.append(f"  … {len(found['messages']) - SHOWN:,} more with --json")
        if found["unlisted"]:
            out.append(f"  … {found['unlisted']:,} more that are only counted")
    if found["damaged"]:
        out.append(f"Mobile IP messages that are cut or wrong inside: {found['damaged']:,}")
    for echo in found["echoes"]:
        lost = ", ".join(map(str, echo["unanswered"])) or "none"
        out.append(
            f"echo {echo['asking']} > {echo['asked']}: {echo['requests']:,} requests, {echo['replies']:,} replies; "
            f"unanswered: {lost}"
        )
    return out


def _text(column: str, value: Any) -> Any:
    return _PROTOCOLS.get(value, value) if column == "protocol" else value


def _row(message: dict[str, Any], messages: list[dict[str, Any]], start_ns: int | None) -> list[Any]:
    lifetime, answer = message["lifetime_s"], message["answer"]
    return [
        message["frame"], f"{(message['time_ns'] - (start_ns or 0)) / 1e9:.6f}",
        *(message[name] for name in ("kind", "source", "destination", "home", "agent", "care_of")),
        "for ever" if lifetime == _INFINITE_S else lifetime, message["code"], f"{message['identification']:x}",
        message["flag_letters"], "" if answer is None else f"frame {messages[answer]['frame']}",
    ]  # fmt: skip


def _table(columns: tuple[str, ...], rows: list[list[Any]]) -> list[str]:
    texts = [list(columns), *([("" if v is None else str(v)) for v in row] for row in rows)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(columns))]
    return ["  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in texts]


def _time(ns: int) -> str:
    whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ns // 10**9)
    return f"{whole:%Y-%m-%d %H:%M:%S}.{ns % 10**9:09d} UTC"
