"""Parquet tables of results, with fixed schemas and provenance. The tables of a study replace those of an older one as a set."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.columns import Columns, Int
from engine.histogram import lower_edge
from engine.results import FLOW_COLUMNS, LINK_COLUMNS, NODE_COLUMNS
from handoff.metrics.bursts import BURST_COLUMNS
from handoff.output.fields import make_schema
from handoff.output.file_set import check_set, replace_set
from handoff.output.seconds import PS_PER_S, column_name, row_in_seconds, to_seconds
from handoff.protocol.handoff_records import COLUMNS
from handoff.protocol.procedures import MIXTURE
from handoff.protocol.setup import Setup
from handoff.simulation.handoff_metrics import METRICS, VOICE
from handoff.simulation.packets_around import PATHS
from handoff.simulation.result import ATTACK_FIGURES, STUDY_METRICS, RunResult


def _spread_fields(name: str) -> list[tuple[str, pa.DataType]]:
    return [*((f"{name}_{statistic}_ps", pa.float64()) for statistic in ("mean", "p50", "p99")), (f"{name}_samples", pa.int64())]


_SEAMLESS_FIELDS = [
    (f"seamless{scenario}_{figure}", pa.float64() if figure == "ratio" else pa.int64())
    for scenario in ("", "_1", "_2", "_3")
    for figure in ("ratio", "samples")
]
RUN_FIELDS = (
    ("procedure", pa.string()), ("seed", pa.uint64()), ("begin_ps", pa.int64()), ("until_ps", pa.int64()),
    ("interrupted_ps", pa.int64()),
    ("fingerprint", pa.uint64()), ("packet_hops", pa.int64()), ("handoffs", pa.int64()), ("completed", pa.int64()),
    ("unfinished_handoffs", pa.int64()),
    ("scenario_1", pa.int64()), ("scenario_2", pa.int64()), ("scenario_3", pa.int64()),
    ("retransmissions", pa.int64()), ("sent", pa.int64()), ("delivered", pa.int64()),
    ("lost", pa.int64()), *_spread_fields("disruption"), *_SEAMLESS_FIELDS,
    ("duplicate", pa.int64()), ("reordered", pa.int64()), ("after_marker", pa.int64()),
    ("in_flight", pa.int64()), *_spread_fields("latency"), *_spread_fields("registration_delay"),
    *((f"delay_{q}_ps", pa.float64()) for q in ("p50", "p95", "p99")), ("delay_resolution", pa.float64()),
    ("extra_bytes", pa.int64()), ("extra_air_bytes", pa.int64()),
    ("extra_core_bytes", pa.int64()), ("simultaneous_bindings", pa.int64()), ("signalling_messages", pa.int64()),
    ("signalling_bytes", pa.int64()), ("tunnel_bytes", pa.int64()), ("binding_seconds", pa.float64()),
    ("bindings_peak", pa.int64()), ("held_byte_seconds", pa.float64()), ("held_peak_bytes", pa.int64()),
    *((name, pa.int64() if is_integer else pa.float64()) for name, is_integer in BURST_COLUMNS.items()),
    *((name, pa.float64() if name.endswith("_seconds") else pa.int64()) for name in ATTACK_FIGURES),
)  # fmt: skip
# Times of a handoff come from protocol/handoff_records.py, measured columns from simulation/handoff_metrics.py.
HANDOFF_COLUMNS = (
    *(c for c in COLUMNS if c not in ("mobile", "old_router", "new_router")), "open_ps", "end_ps", "delivered", "dropped",
    "disruption_ps", "duplicate", "reordered", "after_marker", "latency_ps",
)  # fmt: skip

def _packet_metric_fields(other_columns: Sequence[str], *more: tuple[str, bool]) -> list[tuple[str, pa.DataType]]:
    """Return the fields that need a record of every packet. They are null for runs without one, except a flow's mean delay."""
    metrics = (*METRICS.items(), *more)
    return [(name, pa.int64() if is_integer else pa.float64()) for name, is_integer in metrics if name not in other_columns]


_HANDOFF_METRICS = _packet_metric_fields(HANDOFF_COLUMNS, ("seamless", True), ("forwarded", True))
_FLOW_METRICS = _packet_metric_fields(FLOW_COLUMNS, *((name, False) for name in VOICE))

_INT = pa.int64()
_RUN_TYPES = [*RUN_FIELDS, *((name, pa.float64()) for name in STUDY_METRICS)]
_TYPES: dict[str, list[tuple[str, pa.DataType]]] = {
    "runs": _RUN_TYPES,
    "handoffs": [
        *((n, pa.string()) for n in ("procedure", "mobile_procedure", "mobile", "old_router", "new_router")),
        *((c, _INT) for c in HANDOFF_COLUMNS),
        *_HANDOFF_METRICS,
    ],
    "flows": [
        *((n, pa.string()) for n in ("procedure", "mobile_procedure", "label", "mobile", "correspondent", "direction")),
        *((c, _INT) for c in FLOW_COLUMNS),
        *_FLOW_METRICS,
    ],
    "links": [
        ("procedure", pa.string()), ("link", pa.string()), ("pooled", pa.bool_()),
        *((c, _INT) for c in LINK_COLUMNS),
        ("utilisation", pa.float64()),
    ],
    "nodes": [
        ("procedure", pa.string()), ("node", pa.string()), *((c, _INT) for c in NODE_COLUMNS),
        *((c, pa.float64()) for c in ("registration_wait_mean_ps", "forwarding_wait_mean_ps")),
        *((c, pa.float64()) for c in ("registrations_per_s", "registration_utilisation", "forwarding_utilisation")),
        *((c, pa.float64()) for c in ("binding_seconds", "visitor_seconds", "held_byte_seconds")),
    ],
    "delays": [("procedure", pa.string()), *((c, _INT) for c in ("delay_from_ps", "delay_until_ps", "packets"))],
    "packets_around": [
        ("procedure", pa.string()), ("path", pa.string()),
        *((c, _INT) for c in ("since_ps", "delay_from_ps", "delay_until_ps", "packets")),
    ],
}  # fmt: skip
SCHEMAS = {name: make_schema(name, types) for name, types in _TYPES.items()}
"""Schema of each table, which is a file of its own.

Each field has its unit and its definition as metadata (``handoff.output.fields``). Times are in seconds (``_s``), and a value
that was not measured is null. A link is ``pooled`` if its row stands for the queues of all mobile nodes: uplinks, and downlinks
that are not shared. Its utilisation is the sum over all queues. Means and utilisations are computed from exact sums.
"""
_RUN_FACTS = ("fingerprint", "packet_hops")
GROUPS = make_schema(
    "runs", [("mobile_procedure", pa.string()), ("mobile_nodes", _INT), ("agent_messages", _INT), *_RUN_TYPES]
)
"""Schema of the groups of a mixture: one row for each, with the columns of ``runs``. Figures of shared elements are null."""
SERIES = make_schema("series", [
    *((c, pa.string()) for c in ("procedure", "kind", "element")), *((c, _INT) for c in ("begin_ps", "end_ps")),
    *((c, _INT) for c in ("packets", "bytes", "dropped", "lost", "detached", "sent", "delivered", "registrations")),
    *((c, _INT) for c in ("queue_packets", "bindings", "visitors", "held_bytes")), ("utilisation", pa.float64()),
])  # fmt: skip
"""Schema of the time series (docs/series.md): one row for each interval and link, node or run, unless nothing happened in it."""
OPTIONAL = {"groups": GROUPS, "series": SERIES}
"""Schema of each table that only some studies have."""
TABLES = (*SCHEMAS, *OPTIONAL)
TABLE_FILES = tuple(f"{name}.parquet" for name in TABLES)
"""Files that a study may leave in its folder."""
BATCHES = make_schema("runs", [("batch", pa.int64()), *_RUN_TYPES])
"""Schema of the batches of a run: one row for each batch, with the columns of ``runs``. Single runs write no such file."""


def versions() -> dict[str, str]:
    """Return the versions of the packages that compute and write results."""
    return {name: version(name) for name in ("handoff-sim", "handoff-traces", "numpy", "pyarrow")}


def provenance(scenario_text: str, scenario_path: Path, seed: int, command: Sequence[str]) -> dict[bytes, bytes]:
    """Return the origin of tables as Parquet metadata: scenario, seed, command, versions."""
    facts = {
        "scenario": scenario_text,
        "scenario_file": scenario_path.name,
        "seed": seed,
        "command": list(command),
        "versions": versions(),
    }
    return {b"handoff": json.dumps(facts).encode()}


def write_tables(
    folder: Path, runs: Sequence[RunResult], setup: Setup, seed: int, facts: dict[bytes, bytes],
    built: Mapping[str, pa.Table] | None = None,
) -> list[Path]:  # fmt: skip
    """Write the tables of ``SCHEMAS``, ``GROUPS`` of a mixture, and ``SERIES`` if recorded, into a folder; return the files.

    At every instant the folder has all tables of the older study or all of this one. Two programs must not write into one folder:
    hold ``engine.output_file.lock_folder`` meanwhile. ``built`` has the tables that :func:`build_tables` has made already.

    Raises
    ------
    OutputError
        If a link, folder or device has the name of a table.
    OSError
        If the folder or a file cannot be written. The older tables stay, and no partial file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = built or {}

    def write(name: str, file: BinaryIO) -> None:
        table = tables[name] if name in tables else build_table(name, runs, setup, seed, facts)
        pq.write_table(table, file, **(_series_encoding() if name == "series" else {}))

    return replace_set(folder, {f"{name}.parquet": partial(write, name) for name in _table_names(runs)}, TABLE_FILES)


def _series_encoding() -> dict[str, Any]:
    """Return options of a Parquet file with many different numbers: a dictionary of them would take longer and not less room."""
    numbers = {pa.int64(): "DELTA_BINARY_PACKED", pa.float64(): "BYTE_STREAM_SPLIT"}
    return {
        "use_dictionary": [f.name for f in SERIES if f.type not in numbers],
        "column_encoding": {f.name: numbers[f.type] for f in SERIES if f.type in numbers},
    }


def build_tables(
    runs: Sequence[RunResult], setup: Setup, seed: int, facts: dict[bytes, bytes], names: Collection[str] = TABLES
) -> dict[str, pa.Table]:
    """Return those of the tables that :func:`write_tables` writes, by name, that ``names`` contains."""
    return {name: build_table(name, runs, setup, seed, facts) for name in _table_names(runs) if name in names}


def _table_names(runs: Sequence[RunResult]) -> list[str]:
    recorded = {"groups": any(run.groups for run in runs), "series": any(run.series is not None for run in runs)}
    return [*SCHEMAS, *(name for name in OPTIONAL if recorded[name])]


def build_table(name: str, runs: Sequence[RunResult], setup: Setup, seed: int, facts: dict[bytes, bytes]) -> pa.Table:
    """Return a table of ``SCHEMAS``, ``groups`` or ``series``, with the rows of all runs and the facts as metadata."""
    schema = OPTIONAL.get(name) or SCHEMAS[name]
    if setup.skipped:
        facts = facts | {b"skipped_records": json.dumps(setup.skipped).encode()}
    parts = [table_columns(name, run, setup, seed) for run in runs]
    columns = [pa.chunked_array([_make_array(part[f.name], f) for part in parts], f.type) for f in schema]
    return pa.table(columns, schema=schema.with_metadata(facts))


def check_folder(folder: Path) -> None:
    """Check that tables can be written into a folder, and remove what a process that was killed has left there.

    Raises
    ------
    OutputError
        If a link, folder or device has the name of a table.
    """
    check_set(folder, TABLE_FILES)


def table_columns(name: str, run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    """Return the columns of one run for the table ``name``, as its schema has them.

    Each is a sequence with one element for each row, and None for a value that was not measured.
    """
    return _TABLES[name](run, setup, seed)


def _make_array(values: Any, field: pa.Field) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, field.type)


def _batches(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    parts = [_runs(part, setup, seed) for part in run.batches]
    return {"batch": list(range(len(parts)))} | {name: [p[name][0] for p in parts] for name in SCHEMAS["runs"].names}


def _groups(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    facts = {"procedure": run.procedure, "seed": seed, "until_ps": run.result.until_ps} | dict.fromkeys(_RUN_FACTS)
    rows = [row_in_seconds({"mobile_procedure": row["procedure"]} | row | facts) for row in run.groups]
    return {field.name: [_cell(row[field.name], field) for row in rows] for field in GROUPS}


def _runs(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    row = row_in_seconds(run.summary() | {
        "seed": seed, "until_ps": run.result.until_ps, "fingerprint": run.result.fingerprint, "packet_hops": run.result.events,
    })  # fmt: skip
    return {field.name: [_cell(row[field.name], field)] for field in SCHEMAS["runs"]}


def _cell(value: Any, field: pa.Field) -> Any:
    """Return a value as the type of its column. Arrow refuses an integer above 2^53 in a column of floats."""
    return float(value) if value is not None and field.type == pa.float64() else value


def _in_seconds(columns: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return columns of which every value was measured; exact sums of times are Python integers of any size."""
    return {
        column_name(name): [*map(to_seconds, columns[name])] if name.endswith("_ps") else columns[name] for name in names
    }  # fmt: skip


def _measured(columns: Mapping[str, Any], names: Sequence[str]) -> dict[str, pa.Array]:
    """Return columns with null for each -1, or NaN in columns of floats, which mark a value that was not measured."""
    arrays = {}
    for name in names:
        values = np.asarray(columns[name])
        missing = np.isnan(values) if values.dtype == np.float64 else values == -1
        arrays[column_name(name)] = pa.array(values / float(PS_PER_S) if name.endswith("_ps") else values, mask=missing)
    return arrays


def _handoffs(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    handoffs = run.handoffs
    nodes = np.array(run.result.node_names)
    return {
        "procedure": [run.procedure] * len(handoffs["mobile"]),
        "mobile_procedure": _mobile_procedures(run, setup, handoffs["mobile"]),
        "mobile": [setup.network.mobile_name(m) for m in handoffs["mobile"].tolist()],
        "old_router": nodes[handoffs["old_router"]],
        "new_router": nodes[handoffs["new_router"]],
        **_measured(handoffs, HANDOFF_COLUMNS),
        **_metric_columns(handoffs if run.detail else None, _HANDOFF_METRICS, len(handoffs["mobile"])),
    }


def _mobile_procedures(run: RunResult, setup: Setup, mobiles: Int) -> list[str]:
    """Return the procedure that each mobile node executes in a run."""
    if run.procedure != MIXTURE or setup.groups is None:
        return [run.procedure] * len(mobiles)
    return [setup.groups.procedures[group] for group in setup.groups.group[mobiles].tolist()]


def _metric_columns(columns: Columns | None, fields: list[tuple[str, pa.DataType]], count: int) -> dict[str, Any]:
    names = [name for name, _ in fields]
    return dict.fromkeys(map(column_name, names), [None] * count) if columns is None else _measured(columns, names)


def _flows(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    flows = setup.network.flows()
    labels = np.array([label for label, _, n in setup.network.flow_labels for _ in range(n)], object)
    nodes, ends = run.result.node_names, zip(flows["node"].tolist(), flows["peer"].tolist(), strict=True)
    return {
        "procedure": [run.procedure] * len(labels),
        "mobile_procedure": _mobile_procedures(run, setup, flows["mobile"]),
        "label": labels,
        "mobile": [setup.network.mobile_name(m) for m in flows["mobile"].tolist()],
        "correspondent": [nodes[node] if peer < 0 else setup.network.mobile_name(peer) for node, peer in ends],
        "direction": np.where(flows["up"] == 1, "up", "down"),
        **_measured(run.result.flows, FLOW_COLUMNS),
        **_metric_columns(None if run.detail is None else run.detail.flows, _FLOW_METRICS, len(labels)),
        **(_measured({"delay_mean_ps": run.delay_means()}, ["delay_mean_ps"]) if run.detail is None else {}),
    }


def _links(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    names = run.result.link_names
    counts = _in_seconds(run.result.links, LINK_COLUMNS)
    pooled = [False] * len(setup.network.links) + [p for cell in setup.network.cells for p in (not cell.shared, True)]
    return {"procedure": [run.procedure] * len(names), "link": names, "pooled": pooled, **counts, **run.utilisation()[0]}


def _nodes(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    names = run.result.node_names
    waits = run.mean_waits()
    counts = _in_seconds(run.result.nodes, NODE_COLUMNS) | _in_seconds(waits, list(waits))
    return {"procedure": [run.procedure] * len(names), "node": names, **counts, **run.utilisation()[1], **run.occupancy()}


def _delays(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    buckets = np.flatnonzero(run.result.delay_histogram).tolist()
    bounds = {"delay_from_ps": [lower_edge(b) for b in buckets], "delay_until_ps": [lower_edge(b + 1) for b in buckets]}
    return {
        "procedure": [run.procedure] * len(buckets), **_in_seconds(bounds, list(bounds)),
        "packets": run.result.delay_histogram[buckets],
    }  # fmt: skip


def _packets_around(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    nothing = np.zeros(0, np.int64)
    counts = run.packets_around or dict.fromkeys(("path", "since_ps", "delay_from_ps", "delay_until_ps", "packets"), nothing)
    times = _in_seconds(counts, [name for name in counts if name.endswith("_ps")])
    paths = [PATHS[path] for path in counts["path"]]
    return {"procedure": [run.procedure] * len(paths), "path": paths, "packets": counts["packets"], **times}


def _series(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    if run.series is None:
        return {field.name: [] for field in SERIES}
    names_of_links, names_of_nodes = run.result.link_names, run.result.node_names
    kinds = (
        ("link", names_of_links, run.series.links), ("node", names_of_nodes, run.series.nodes), ("run", [None], run.series.flows),
    )  # fmt: skip
    parts: list[dict[str, Any]] = []
    for kind, names, columns in kinds:
        count = len(columns["row"])
        rows: dict[str, Any] = {
            column_name(name): values / float(PS_PER_S) if name.endswith("_ps") else values for name, values in columns.items()
        }
        rows |= {
            "procedure": pa.repeat(run.procedure, count), "kind": pa.repeat(kind, count),
            "element": _repeat_names(names, columns["row"]),
        }  # fmt: skip
        parts.append({f.name: rows[f.name] if f.name in rows else pa.nulls(count, f.type) for f in SERIES})
    return {f.name: pa.concat_arrays([_make_array(part[f.name], f) for part in parts]) for f in SERIES}


def _repeat_names(names: Sequence[str | None], rows: Int) -> pa.Array:
    """Return the name of the element of each row, sorted by element.

    Arrow's ``take`` and ``cast`` would import all its functions, which takes longer than to build the table.
    """
    repeated = (pa.repeat(pa.scalar(names[row], pa.string()), int(n)) for row, n in enumerate(np.bincount(rows)) if n)
    return pa.concat_arrays([pa.nulls(0, pa.string()), *repeated])


_TABLES = {
    "runs": _runs, "batches": _batches, "groups": _groups, "handoffs": _handoffs, "flows": _flows, "links": _links,
    "nodes": _nodes, "delays": _delays, "packets_around": _packets_around, "series": _series,
}  # fmt: skip
