"""Comparison of two results packet by packet, and results as tables keyed by names."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.link_trace import LinkTrace
from engine.network import Network
from engine.results import EXACT_SUMS, Fate, Result

Rows = dict[Any, dict[str, Any]]
TIMES = {"last_ps", "open_ps", "close_ps", "end_ps", "gap_end_ps", "last_before_ps", "time_ps", "sent_ps"}
SPANS_OF_TIME = {*EXACT_SUMS, "delay_max_ps", "gap_max_ps", "delay_ps", "forwarding_wait_max_ps", "registration_wait_max_ps"}


def differences(ours: Result, theirs: Result) -> list[str]:
    """Return the differences, packets first; empty if the results are equal."""
    found = []
    if ours.packets is not None and theirs.packets is not None:
        found += _first_packet(ours.packets, theirs.packets)
    for table in ("flows", "links", "nodes", "spans"):
        a, b = getattr(ours, table), getattr(theirs, table)
        for column in sorted(a.keys() | b.keys()):
            if column not in a or column not in b:
                found.append(f"{table}.{column} is missing in one")
            elif not np.array_equal(a[column], b[column]):
                found.append(f"{table}.{column}: oracle {a[column].tolist()}, engine {b[column].tolist()}")
    for name in ("link_names", "node_names", "until_ps", "events", "fingerprint"):
        if getattr(ours, name) != getattr(theirs, name):
            found.append(f"{name}: oracle {getattr(ours, name)}, engine {getattr(theirs, name)}")
    for name in ("fates", "delay_histogram"):
        a, b = getattr(ours, name), getattr(theirs, name)
        if not np.array_equal(a, b):
            where = np.argwhere(a != b)[:5].tolist() if a.shape == b.shape else (a.shape, b.shape)
            found.append(f"{name} differs at {where}")
    return found


def hop_differences(ours: LinkTrace, theirs: LinkTrace) -> list[str]:
    """Return the first transmission or message in which two traces differ."""
    for what, a, b in ("hop", ours.rows, theirs.rows), ("message", ours.messages, theirs.messages):
        for i, (one, other) in enumerate(zip(a, b, strict=False)):
            if one != other:
                return [f"{what} {i}: oracle {_named(one)}, engine {_named(other)}"]
        if len(a) != len(b):
            return [f"{what}s: oracle {len(a)}, engine {len(b)}"]
    return []


def _named(row: Any) -> dict[str, Any]:
    return dict(zip(row.dtype.names, row.tolist(), strict=True))


def _first_packet(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    a, b = (list(zip(*(p[c].tolist() for c in ours), strict=True)) for p in (ours, theirs))
    if a == b:
        return []
    first = min(set(a) ^ set(b), key=_when)
    both = [_told(name, rows, ours, first[:3]) for name, rows in (("oracle", a), ("engine", b))]
    return ["first differing packet: " + "; ".join(both)]


def _when(row: tuple[int, ...]) -> tuple[int, ...]:
    time = row[4]
    return (time if time >= 0 else 2**63, *row)


def _told(who: str, rows: list[tuple[int, ...]], columns: dict[str, Any], packet: tuple[int, ...]) -> str:
    for row in rows:
        if row[:3] == packet:
            told = dict(zip(columns, row, strict=True))
            return f"{who} {told | {'fate': Fate(told['fate']).label}}"
    return f"{who} has no flow, seq, copy {packet}"


def by_name(network: Network, result: Result, shift: int = 0, scale: int = 1) -> dict[str, Rows]:
    """Return the tables of a result by names and keys, with ``shift`` and ``scale`` of its times undone."""

    def values(table: dict[str, Any], i: int) -> dict[str, Any]:
        return {c: back(c, int(table[c][i])) for c in table}

    def back(column: str, value: int) -> Any:
        if column in TIMES and value >= 0:
            value -= shift
        if column in TIMES | SPANS_OF_TIME and value > 0:
            assert value % scale == 0, f"{column} {value} is not {scale}-fold"
            value //= scale
        return value

    keys = network.flows()["key"].tolist()
    told: dict[str, Rows] = {
        "flows": {keys[i]: values(result.flows, i) for i in range(len(keys))},
        "links": {name: values(result.links, i) for i, name in enumerate(result.link_names)},
        "nodes": {name: values(_from_begin(network, result.nodes, shift), i) for i, name in enumerate(result.node_names)},
        "fates": {"all": {"fates": result.fates.tolist()}},
        "spans": {},
        "packets": {},
    }
    for i in range(len(result.spans["id"])):
        row = values(result.spans, i)
        told["spans"][i] = row | {"mobile": network.mobile_name(row["mobile"])}
    packets = result.packets
    assert packets is not None
    for i in range(len(packets["seq"])):
        row = values(packets, i)
        for where in ("node", "via"):
            row[where] = result.node_names[row[where]] if row[where] >= 0 else None
        key = (keys[row.pop("flow")], row["seq"], row["copy"])
        told["packets"][key] = row
    return told


def _from_begin(network: Network, nodes: dict[str, Any], shift: int) -> dict[str, Any]:
    """Return columns of nodes without the ``shift`` by which entries of time 0 count longer: time 0 itself does not move."""
    entries = network.initial_bindings()
    longer = {
        name: nodes[name] - shift * np.bincount(entries["node"][where], minlength=len(network.nodes)).astype(object)
        for name, where in (("binding_ps", entries["coa"] >= 0), ("visitor_ps", entries["coa"] < 0))
    }
    return nodes | longer


def rows_that_differ(before: dict[str, Rows], after: dict[str, Rows]) -> list[str]:
    """Return the rows of ``before`` that differ in ``after``; ``after`` may have more rows."""
    return [
        f"{table} {name}: {row} became {after[table].get(name)}"
        for table, rows in before.items()
        for name, row in rows.items()
        if after[table].get(name) != row
    ]
