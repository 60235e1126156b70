"""Results that a command has written, for the Python interface."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.regular_file import open_regular
from handoff.api.results import Results
from handoff.api.sweeping import SweepResults
from handoff.experiments.sweep.summary import DEFAULT_MEASURES
from handoff.metrics.catalogue import get_measure
from handoff.output.parquet import OPTIONAL
from handoff.scenario.errors import ScenarioError


def read(folder: str | Path, measures: Sequence[str] = DEFAULT_MEASURES) -> Results | SweepResults:
    """Return the tables that ``handoff run -o``, ``compare -o``, ``sweep -o`` or ``plan -o`` wrote.

    Parameters
    ----------
    folder : str or Path
        The folder.
    measures : sequence of str
        Measures of the summary of a sweep.

    Raises
    ------
    HandoffError
        If the folder has no results, a file is damaged, or there is no such measure.
    """
    folder = Path(folder)
    if (folder / "runs").is_dir():
        problems = []
        for name in measures:
            try:
                get_measure(name)
            except ValueError as error:
                problems.append(f"measures: {error}")
        if problems:
            raise ScenarioError(problems)
        return SweepResults(folder, measures)
    if not (folder / "runs.parquet").is_file():
        raise ScenarioError([f"{folder}: no results: there is neither runs.parquet nor a folder 'runs' in it"])

    def read_table(name: str) -> pa.Table:
        path = folder / f"{name}.parquet"
        if name in OPTIONAL and not path.exists():
            return OPTIONAL[name].empty_table()
        try:
            with open_regular(path) as file:
                return pq.ParquetFile(file).read()
        except (pa.ArrowException, OSError) as error:
            raise ScenarioError([f"{path}: cannot be read: {error}"]) from None

    runs = read_table("runs")
    facts = json.loads((runs.schema.metadata or {}).get(b"handoff", b"{}"))
    return Results(f"{facts.get('scenario_file', folder.name)}, seed {facts.get('seed', '?')}", read_table)


__all__ = ["read"]
