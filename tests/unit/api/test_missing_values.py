"""Means of the tables in polars are those of the values that the engine and the metrics have measured."""

import math
from pathlib import Path

import numpy as np
import polars as pl

import handoff
from handoff.simulation.study import compile_programs, run_study

COMMUTE = Path(__file__).parents[3] / "examples" / "commute.toml"


def measured(name: str, values: np.ndarray) -> np.ndarray:
    """Return the measured values of a column of records, whose others are -1 or NaN, with times in seconds."""
    present = values[~np.isnan(values)] if values.dtype.kind == "f" else values[values >= 0]
    return present / 1e12 if name.endswith("_ps") else present.astype(float)


def test_means_in_polars_are_those_of_the_records():
    scenario = handoff.load(COMMUTE, duration="30s")
    setup = scenario.build(scenario.model.seed, None)
    programs = compile_programs(setup, ["sync-mipv4"])
    records = run_study(setup, programs, seed=scenario.model.seed, threads=1, memory_limit_bytes=None, detail=True)[0].handoffs
    table = pl.from_arrow(handoff.run(scenario, "sync-mipv4", cache=False).handoffs)
    with_gaps = 0
    for name, values in records.items():
        column = name.removesuffix("_ps") + "_s" * name.endswith("_ps")
        if column not in table.columns or not table[column].dtype.is_numeric():
            continue  # nodes are names in the table
        expected = measured(name, np.asarray(values))
        assert table[column].null_count() == len(values) - len(expected), name
        with_gaps += len(expected) < len(values)
        mean = table[column].mean()
        assert mean is None if not len(expected) else math.isclose(mean, expected.mean(), rel_tol=1e-12), name
    assert with_gaps >= 10


def test_polars_takes_a_sweep_as_it_is(walk):
    result = handoff.sweep(walk, {"buffer": [1, 50]}, ["mipv4", "sync-mipv4"], runs=2, measures=["lost"], jobs=1)
    table = pl.DataFrame(result).sort("procedure", "buffer")
    assert table.select("procedure", "buffer", "runs").rows() == [
        ("mipv4", 1, 2), ("mipv4", 50, 2), ("sync-mipv4", 1, 2), ("sync-mipv4", 50, 2),
    ]  # fmt: skip
    runs = pl.DataFrame(result.runs)
    means = runs.group_by("procedure", "buffer").agg(pl.col("lost").mean()).sort("procedure", "buffer")
    assert means["lost"].to_list() == table["lost"].to_list()
