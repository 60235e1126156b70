"""A small study for reports: tables of three procedures on a random town."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import pyarrow as pa

from handoff.output.parquet import build_tables
from handoff.simulation.run import run_procedure
from tests.unit.output.pcap.recorded_runs import setup_of

SEED = 3
PROCEDURES = ("mipv4", "sync-mipv4", "mipv4-bicast")


@cache
def small_tables(names: tuple[str, ...] = PROCEDURES, detail: bool = True) -> Mapping[str, pa.Table]:
    """Return the tables of a study, which the tests of a process share: read only."""
    setup = setup_of(2, "patent")
    facts = {"scenario": "name = 1", "scenario_file": "town.toml", "seed": SEED, "command": ["compare", "town.toml"],
             "versions": {}}  # fmt: skip
    runs = [run_procedure(setup, name, seed=SEED, detail=detail, packets_around=True) for name in names]
    return MappingProxyType(build_tables(runs, setup, SEED, {b"handoff": json.dumps(facts).encode()}))


def with_cells(tables: Mapping[str, pa.Table], table: str, **columns: list[object]) -> dict[str, pa.Table]:
    """Return tables in which columns of one table have other values."""
    changed = tables[table]
    for name, values in columns.items():
        field = changed.schema.field(name)
        changed = changed.set_column(changed.column_names.index(name), field, pa.array(values, field.type))
    return {**tables, table: changed}
