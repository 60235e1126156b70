"""Time series of a run: what links, nodes and flows did in each interval (docs/series.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine import Engine, Network, format_duration
from engine.columns import Columns
from engine.results import FLOW_SAMPLE, LINK_SAMPLE, NODE_SAMPLE, IntervalTables

MAX_ROWS = 5_000_000
"""Largest number of rows of the time series of a study: 0.4 GB of columns, and twice as much as a table."""


@dataclass(frozen=True)
class TimeSeries:
    """Rows of the intervals in which something happened, by element, and of each element in the order of time.

    Attributes
    ----------
    links, nodes, flows : dict of str to ndarray
        ``begin_ps``, ``end_ps``: the interval. ``row``: number of the link or node. The columns of
        ``engine.results.LINK_SAMPLE``, ``NODE_SAMPLE`` and ``FLOW_SAMPLE``, with ``utilisation`` in the place of the words of
        the busy time.
    """

    links: Columns
    nodes: Columns
    flows: Columns


def series_errors(option: str, interval_ps: int | None, network: Network, until_ps: int, runs: int) -> list[str]:
    """Return the errors of an interval: it is positive, and the rows of a study are at most ``MAX_ROWS``.

    Parameters
    ----------
    option : str
        Name of the option for the messages.
    interval_ps : int or None
        None: no time series.
    network : Network
        Network of the study.
    until_ps : int
        End of each run.
    runs : int
        Number of procedures.
    """
    if interval_ps is None:
        return []
    if interval_ps == 0:
        return [f"{option} is 0: give an interval longer than 0, as in '100ms'"]
    elements = (len(network.links) + 2 * len(network.cells) + len(network.nodes) + 1) * runs
    intervals = -(-until_ps // interval_ps)
    if intervals * elements <= MAX_ROWS:
        return []
    shortest_ps = -(-until_ps // max(MAX_ROWS // elements, 1))
    step = 10 ** max(len(str(shortest_ps)) - 2, 0)  # two digits
    return [
        f"{option} {format_duration(interval_ps)} may make {intervals * elements:,} rows: {intervals:,} intervals of "
        f"{elements:,} links, nodes and runs; at most {MAX_ROWS:,} are possible: "
        f"give {format_duration(-(-shortest_ps // step) * step)} or more"
    ]


class SeriesRecorder:
    """Recorder of the intervals of a run: from each multiple of a time to the next one, and to the end of the run.

    Parameters
    ----------
    interval_ps : int
    """

    def __init__(self, interval_ps: int) -> None:
        self._interval_ps = interval_ps
        self._tables: IntervalTables | None = None

    def advance(self, engine: Engine, stop_ps: int) -> None:
        """Advance an engine to ``stop_ps``, and record the intervals up to there."""
        engine.advance_by_intervals(stop_ps, self._interval_ps)

    def end(self, engine: Engine) -> None:
        """Take the rows from the engine. The last interval ends with the run."""
        self._tables = engine.take_intervals()

    def series(self) -> TimeSeries:
        """Return the rows of all intervals; the recorder is empty afterwards."""
        if self._tables is None:
            raise ValueError("the run has not ended")
        tables, self._tables = self._tables, None
        return TimeSeries(*(
            _make_columns(names, blocks)
            for names, blocks in zip((LINK_SAMPLE, NODE_SAMPLE, FLOW_SAMPLE), tables, strict=True)
        ))  # fmt: skip


def _make_columns(names: tuple[str, ...], blocks: list[npt.NDArray[np.int64]]) -> Columns:
    """Return the columns of one kind of element, by element and time, and empty the list of the blocks of their rows."""
    order = _element_order(np.concatenate([block[:, 2] for block in blocks]))
    columns: Columns = {
        name: np.concatenate([block[:, i] for block in blocks])[order]
        for i, name in enumerate(("begin_ps", "end_ps", "row", *names))
    }
    blocks.clear()
    if "busy_low" in columns:
        high, low = columns.pop("busy_high"), columns.pop("busy_low").view(np.uint64)
        columns["utilisation"] = (high * 2.0**64 + low) / (columns["end_ps"] - columns["begin_ps"])
    return columns


def _element_order(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Return the order of the rows by element, each in the order of time. Numpy is fast with 16 bits (radix sort)."""
    return np.argsort(rows.astype(np.uint16) if not len(rows) or rows.max() < 1 << 16 else rows, kind="stable")
