"""Parquet tables with fixed schemas and provenance; a file is there complete or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.checkpoint_file import sync_folder
from engine.results import FLOW_COLUMNS, LINK_COLUMNS, NODE_COLUMNS
from handoff.protocol.handoff_records import COLUMNS
from handoff.protocol.setup import Setup
from handoff.simulation.handoff_metrics import METRICS, VOICE
from handoff.simulation.result import STUDY_METRICS, RunResult

_SPREADS = tuple(
    (f"{name}_{of}", pa.int64() if of == "samples" else pa.float64())
    for name in ("disruption", "latency", "registration_delay")
    for of in ("mean_ps", "p50_ps", "p99_ps", "samples")
)
RUN_FIELDS = (
    ("procedure", pa.string()), ("seed", pa.uint64()), ("begin_ps", pa.int64()), ("until_ps", pa.int64()),
    ("interrupted_ps", pa.int64()),
    ("fingerprint", pa.uint64()), ("packet_hops", pa.int64()), ("handoffs", pa.int64()), ("completed", pa.int64()),
    ("unfinished_handoffs", pa.int64()),
    ("scenario_1", pa.int64()), ("scenario_2", pa.int64()), ("scenario_3", pa.int64()),
    ("retransmissions", pa.int64()), ("sent", pa.int64()), ("delivered", pa.int64()),
    ("lost", pa.int64()), ("duplicate", pa.int64()), ("reordered", pa.int64()), ("after_marker", pa.int64()),
    ("in_flight", pa.int64()), *_SPREADS,
    ("delay_p99_ps", pa.float64()), ("extra_bytes", pa.int64()), ("extra_air_bytes", pa.int64()),
    ("extra_core_bytes", pa.int64()), ("simultaneous_bindings", pa.int64()), ("signalling_messages", pa.int64()),
    ("signalling_bytes", pa.int64()), ("tunnel_bytes", pa.int64()),
)  # fmt: skip
HANDOFF_COLUMNS = (
    *(c for c in COLUMNS if c not in ("mobile", "old_router", "new_router")), "open_ps", "end_ps", "delivered", "duplicate",
    "reordered", "after_marker", "disruption_ps", "latency_ps", "dropped",
)  # fmt: skip
_KINDS = {True: pa.int64(), False: pa.float64()}


def _detailed(known: Sequence[str], *more: tuple[str, bool]) -> list[tuple[str, pa.DataType]]:
    """Metrics beside the columns that are there anyway; null where a run kept no record of packets."""
    return [(name, _KINDS[whole]) for name, whole in (*METRICS.items(), *more) if name not in known]


_HANDOFF_DETAIL = _detailed(HANDOFF_COLUMNS, ("forwarded", True))
_FLOW_DETAIL = _detailed(FLOW_COLUMNS, *((name, False) for name in VOICE))

_INT = pa.int64()
SCHEMAS = {
    "runs": pa.schema([*RUN_FIELDS, *((name, pa.float64()) for name in STUDY_METRICS)]),
    "handoffs": pa.schema(
        [(n, pa.string()) for n in ("procedure", "mobile", "old_router", "new_router")]
        + [(c, _INT) for c in HANDOFF_COLUMNS]
        + _HANDOFF_DETAIL
    ),
    "flows": pa.schema(
        [(n, pa.string()) for n in ("procedure", "label", "mobile", "direction")]
        + [(c, _INT) for c in FLOW_COLUMNS]
        + _FLOW_DETAIL
    ),
    "links": pa.schema(
        [("procedure", pa.string()), ("link", pa.string()), ("pooled", pa.bool_())]
        + [(c, _INT) for c in LINK_COLUMNS]
        + [("utilisation", pa.float64())]
    ),
    "nodes": pa.schema(
        [("procedure", pa.string()), ("node", pa.string()), *((c, _INT) for c in NODE_COLUMNS)]
        + [(c, pa.float64()) for c in ("registrations_per_s", "registration_utilisation", "forwarding_utilisation")]
    ),
}
"""One table a file; sizes in bytes, times in picoseconds (``_ps``), everything else in packets or messages.

Links are ``pooled`` where a row stands for many queues, one of each mobile node: uplinks, and downlinks that are not shared;
their utilisation is the sum of all."""
BATCHES = pa.schema([("batch", pa.int64()), *SCHEMAS["runs"]])
"""Of a run that was cut into batches: a row each, in order, with the columns of ``runs``; no file."""


def provenance(scenario_text: str, scenario_path: Path, seed: int, command: Sequence[str]) -> dict[bytes, bytes]:
    """What made the tables, as metadata of each: scenario, seed, command, versions."""
    facts = {
        "scenario": scenario_text,
        "scenario_file": scenario_path.name,
        "seed": seed,
        "command": list(command),
        "versions": {name: version(name) for name in ("handoff", "handoff-traces", "numpy", "pyarrow")},
    }
    return {b"handoff": json.dumps(facts).encode()}


def write_tables(folder: Path, runs: Sequence[RunResult], setup: Setup, seed: int, facts: dict[bytes, bytes]) -> list[Path]:
    """Write ``runs``, ``handoffs``, ``flows``, ``links`` and ``nodes`` (Parquet) into a folder; returns the files.

    Raises
    ------
    OSError
        If the folder or a file cannot be written; nothing half written stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    temporaries = []
    for name, schema in SCHEMAS.items():
        parts = [table_columns(name, run, setup, seed) for run in runs]
        columns = {
            field.name: pa.chunked_array([pa.array(p[field.name], field.type) for p in parts], field.type) for field in schema
        }
        table = pa.table(columns, schema=schema.with_metadata(facts))
        temporaries.append(folder / f"{name}.parquet.partial")
        try:
            _write(table, temporaries[-1])
        except BaseException:
            for temporary in temporaries:
                temporary.unlink(missing_ok=True)
            raise
    written = [t.replace(t.with_suffix("")) for t in temporaries]  # all are there: none of an older study stays
    sync_folder(folder)
    return written


def table_columns(name: str, run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    """Columns of one run for the table ``name``, each a sequence with an element a row."""
    return _ROWS[name](run, setup, seed)


def _write(table: pa.Table, temporary: Path) -> None:
    with temporary.open("wb") as file:
        pq.write_table(table, file)
        file.flush()
        os.fsync(file.fileno())


def _batches(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    parts = [_runs(part, setup, seed) for part in run.batches]
    return {"batch": list(range(len(parts)))} | {name: [p[name][0] for p in parts] for name in SCHEMAS["runs"].names}


def _runs(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    row = run.summary() | {
        "seed": seed, "until_ps": run.result.until_ps, "fingerprint": run.result.fingerprint, "packet_hops": run.result.events,
    }  # fmt: skip
    return {name: [row[name]] for name in SCHEMAS["runs"].names}


def _handoffs(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    h = run.handoffs
    nodes = np.array(run.result.node_names)
    return {
        "procedure": [run.procedure] * len(h["mobile"]),
        "mobile": [setup.network.mobile_name(m) for m in h["mobile"].tolist()],
        "old_router": nodes[h["old_router"]],
        "new_router": nodes[h["new_router"]],
        **{c: h[c] for c in HANDOFF_COLUMNS},
        **_given(h if run.detail else None, _HANDOFF_DETAIL, len(h["mobile"])),
    }


def _given(columns: Any, wanted: list[tuple[str, pa.DataType]], count: int) -> dict[str, Any]:
    """Columns of metrics, or as many nulls."""
    return {name: [None] * count if columns is None else columns[name] for name, _ in wanted}


def _flows(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    flows = setup.network.flows()
    labels = np.array([label for label, _, n in setup.network.flow_labels for _ in range(n)], object)
    return {
        "procedure": [run.procedure] * len(labels),
        "label": labels,
        "mobile": [setup.network.mobile_name(m) for m in flows["mobile"].tolist()],
        "direction": np.where(flows["up"] == 1, "up", "down"),
        **{c: run.result.flows[c] for c in FLOW_COLUMNS},
        **_given(None if run.detail is None else run.detail.flows, _FLOW_DETAIL, len(labels)),
    }


def _links(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    names = run.result.link_names
    counts = {c: run.result.links[c] for c in LINK_COLUMNS}
    pooled = [False] * len(setup.network.links) + [p for cell in setup.network.cells for p in (not cell.shared, True)]
    return {"procedure": [run.procedure] * len(names), "link": names, "pooled": pooled, **counts, **run.utilisation()[0]}


def _nodes(run: RunResult, setup: Setup, seed: int) -> dict[str, Any]:
    names = run.result.node_names
    counts = {c: run.result.nodes[c] for c in NODE_COLUMNS}
    return {"procedure": [run.procedure] * len(names), "node": names, **counts, **run.utilisation()[1]}


_ROWS = {"runs": _runs, "batches": _batches, "handoffs": _handoffs, "flows": _flows, "links": _links, "nodes": _nodes}
