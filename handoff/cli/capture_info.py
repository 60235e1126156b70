"""``handoff trace info`` of a capture: packets, flows, tunnels and the Mobile IP messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import handoff_traces
from handoff.cli.tables import print_cells, print_pairs
from handoff.cli.terminal import show

MAX_LISTED_MESSAGES = 100_000
"""Messages listed in JSON, a bound on memory. Further messages are only counted."""
MAX_PRINTED_MESSAGES = 200
_INFINITE_LIFETIME_S = 65_535
"""Lifetime of a binding that does not expire (RFC 5944 3.3)."""
_MAX_SUMMARY_ROWS = 20
"""Rows to which ``handoff_traces.summarise`` limits each table."""
_INDENT = 2
_TABLES = {
    "interfaces": ("name", "link_type", "snap_length", "packets"),
    "top_addresses": ("address", "packets", "bytes"),
    "flows": ("protocol", "src", "sport", "dst", "dport", "packets", "bytes"),
    "tunnels": ("protocol", "src", "dst", "packets", "bytes"),
}
_TITLES = {
    "interfaces": "interfaces, in file order",
    "top_addresses": "addresses, most bytes first",
    "flows": "flows, most bytes first",
    "tunnels": "tunnels, most bytes first, headers included",
}
_COUNTS = {
    "skipped": "records left out",
    "opaque": "packets whose content is not looked into",
}
"""Titles of the counts by reason."""
_UDP_TUNNELS = {434: "mobile ip", 2152: "gtp-u", 3544: "teredo", 4789: "vxlan", 6081: "geneve", 8472: "vxlan"}
_MESSAGE_COLUMNS = (
    "frame", "s", "message", "from", "to", "home", "agent", "care-of", "lifetime s", "code", "id", "flags", "answer",
)  # fmt: skip
_PROTOCOLS = {1: "icmp", 4: "ipip", 6: "tcp", 17: "udp", 41: "ipv6", 47: "gre", 55: "minimal", 58: "icmp6", 135: "mobility"}


def describe_capture(
    file: Path, ratio: int | None = None, on_bad_record: handoff_traces.OnBadRecord = "refuse"
) -> dict[str, Any]:
    """Describe a capture and the Mobile IP signalling in it.

    Parameters
    ----------
    file : Path
        Capture to read.
    ratio : int, optional
        Maximum factor by which a compressed file may grow.
    on_bad_record : {"refuse", "skip", "keep-first"}
        Treatment of a bad record.

    Returns
    -------
    dict
        Numbers, strings, lists and dictionaries, ready for JSON.

    Raises
    ------
    handoff_traces.TraceError
        If the file cannot be read.
    """
    limits = handoff_traces.Limits() if ratio is None else handoff_traces.Limits(ratio=ratio)
    signalling = handoff_traces.read_signalling(
        file, limits=limits, on_bad_record=on_bad_record, max_messages=MAX_LISTED_MESSAGES
    )
    return handoff_traces.summarise(signalling.facts) | {"signalling": handoff_traces.summarise_signalling(signalling)}


def print_capture(description: dict[str, Any]) -> None:
    """Print the result of :func:`describe_capture` as text."""
    names = [name for name in description if name not in (*_TABLES, *_COUNTS, "signalling")]
    print_pairs([_pair(name, description[name]) for name in names])
    for name, title in _COUNTS.items():
        if counts := description.get(name):
            show(f"{title}: " + "; ".join(f"{count:,} ({reason})" for reason, count in counts.items()))
    for name, columns in _TABLES.items():
        if rows := description[name]:
            show(_TITLES[name] + (f" (the first {len(rows)})" if len(rows) == _MAX_SUMMARY_ROWS else ""))
            _print_rows(columns, [[_cell(column, row) for column in columns] for row in rows], ("sport", "dport"))
    _print_signalling(description["signalling"], description["first_time_ns"])


def _pair(name: str, value: Any) -> tuple[str, str]:
    if name == "first_time_ns" and value is not None:
        name, value = "first", _time(value)
    elif isinstance(value, float):
        value = f"{value:,.6g}"
    elif isinstance(value, int):
        value = f"{value:,}"
    return name.replace("_", " "), "-" if value in (None, "") else str(value)


def _print_signalling(signalling: dict[str, Any], start_ns: int | None) -> None:
    messages = signalling["messages"]
    if signalling["kinds"]:
        show("Mobile IP signalling: " + ", ".join(f"{count:,} {kind}" for kind, count in signalling["kinds"].items()))
        _print_rows(_MESSAGE_COLUMNS, [_message_cells(m, messages, start_ns or 0) for m in messages[:MAX_PRINTED_MESSAGES]])
        if len(messages) > MAX_PRINTED_MESSAGES:
            show(f"  … {len(messages) - MAX_PRINTED_MESSAGES:,} more with --json")
        if signalling["unlisted"]:
            show(f"  … {signalling['unlisted']:,} more that are only counted")
    if signalling["damaged"]:
        show(f"Mobile IP messages that are truncated or malformed: {signalling['damaged']:,}")
    for echo in signalling["echoes"]:
        unanswered = ", ".join(map(str, echo["unanswered"])) or "none"
        show(
            f"echo {echo['asking']} > {echo['asked']}: {echo['requests']:,} requests, {echo['replies']:,} replies; "
            f"unanswered: {unanswered}"
        )


def _print_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]], last: Sequence[str] = ()) -> None:
    cells = [["" if value is None else str(value) for value in row] for row in rows]
    print_cells(columns, cells, left=columns, indent=_INDENT, last=last)


def _cell(column: str, row: dict[str, Any]) -> Any:
    if column == "snap_length" and row[column] is None:
        return "unlimited"
    if column != "protocol":
        return row[column]
    return _UDP_TUNNELS.get(row.get("port", 0)) or _PROTOCOLS.get(row[column], row[column])


def _message_cells(message: dict[str, Any], messages: list[dict[str, Any]], start_ns: int) -> list[Any]:
    lifetime, answer = message["lifetime_s"], message["answer"]
    return [
        message["frame"], f"{(message['time_ns'] - start_ns) / 1e9:.6f}",
        *(message[name] for name in ("kind", "source", "destination", "home", "agent", "care_of")),
        "infinite" if lifetime == _INFINITE_LIFETIME_S else lifetime, message["code"], f"{message['identification']:x}",
        message["flag_letters"], "" if answer is None else f"frame {messages[answer]['frame']}",
    ]  # fmt: skip


def _time(ns: int) -> str:
    whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ns // 10**9)
    return f"{whole:%Y-%m-%d %H:%M:%S}.{ns % 10**9:09d} UTC"
