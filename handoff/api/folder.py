"""Results that a command has written, for the Python interface."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from handoff.api.arguments import as_tuple
from handoff.api.errors import named_errors
from handoff.api.results import Results
from handoff.api.sweeping import SweepResults
from handoff.experiments.sweep.summary import DEFAULT_MEASURES
from handoff.metrics.catalogue import get_measure
from handoff.output.parquet import OPTIONAL
from handoff.output.table_file import read_table_file
from handoff.scenario.errors import ScenarioError


def read(folder: str | Path, measures: str | Sequence[str] = DEFAULT_MEASURES) -> Results | SweepResults:
    """Return the tables that ``handoff run -o``, ``compare -o``, ``sweep -o`` or ``plan -o`` wrote.

    Parameters
    ----------
    folder : str or Path
        The folder.
    measures : str or sequence of str
        Measures of the summary of a sweep.

    Raises
    ------
    HandoffError
        If the folder has no results, a file is damaged, or there is no such measure.
    """
    folder = Path(folder)
    if (folder / "runs").is_dir():
        problems = []
        chosen = as_tuple(measures)
        for name in chosen:
            try:
                get_measure(name)
            except ValueError as error:
                problems.append(f"measures: {error}")
        if problems:
            raise ScenarioError(problems)
        return SweepResults(folder, chosen)
    if not (folder / "runs.parquet").is_file():
        raise ScenarioError([f"{folder}: no results: there is neither runs.parquet nor a folder 'runs' in it"])

    def read_table(name: str) -> pa.Table:
        path = folder / f"{name}.parquet"
        if name in OPTIONAL and not path.exists():
            return OPTIONAL[name].empty_table()
        with named_errors():
            return read_table_file(path)

    runs = read_table("runs")
    facts = json.loads((runs.schema.metadata or {}).get(b"handoff", b"{}"))
    return Results(f"{facts.get('scenario_file', folder.name)}, seed {facts.get('seed', '?')}", read_table)


__all__ = ["read"]
