"""Time series of a run: what links, nodes and flows did in each interval (docs/series.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine import Engine, Network, format_duration
from engine.columns import Columns
from engine.results import FLOW_SAMPLE, LINK_SAMPLE, NODE_SAMPLE, Sample

MAX_ROWS = 5_000_000
"""Largest number of rows of the time series of a study: 0.4 GB of columns, and twice as much as a table."""
CHUNK_VALUES = 1 << 17
"""Number of values of samples that are kept until their rows are made."""
STATES = ("queue_packets", "bindings", "visitors", "held_bytes")
"""Columns with the state at the end of an interval. The others count what happened in it."""
QUEUE_COLUMNS = ("busy_low", "busy_high")

Samples = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TimeSeries:
    """Rows of the intervals in which something happened, in the order of time.

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
    """Recorder of samples at each multiple of an interval, and at the end of the run.

    Parameters
    ----------
    interval_ps : int
    """

    def __init__(self, interval_ps: int) -> None:
        self._interval_ps = interval_ps
        self._samples: list[Sample] = []
        self._parts: list[TimeSeries] = []

    def advance(self, engine: Engine, stop_ps: int) -> None:
        """Advance an engine to ``stop_ps``, with a sample at each end of an interval."""
        for sample in engine.advance_sampled(stop_ps, self._interval_ps):
            self._add(sample)

    def end(self, engine: Engine) -> None:
        """Take a sample at the end of the run, unless an interval ends there."""
        self._add(engine.sample())

    def _add(self, sample: Sample) -> None:
        if not self._samples:
            self._samples.append(Sample(0, np.zeros_like(sample.links), np.zeros_like(sample.nodes), (0, 0, 0)))
        if sample.time_ps > self._samples[-1].time_ps:
            self._samples.append(sample)
            if len(self._samples) * (sample.links.size + sample.nodes.size) > CHUNK_VALUES:
                self._make_rows()

    def series(self) -> TimeSeries:
        """Return the rows of all intervals; the recorder is empty afterwards."""
        self._make_rows()
        parts, self._parts = self._parts, []
        return TimeSeries(*(_join_rows([getattr(part, kind) for part in parts]) for kind in ("links", "nodes", "flows")))

    def _make_rows(self) -> None:
        """Make the rows of the intervals between the samples, and keep only the last sample."""
        times = np.array([sample.time_ps for sample in self._samples], np.int64)
        flows = np.array([sample.flows for sample in self._samples], np.int64)[:, None, :]
        self._parts.append(TimeSeries(
            _interval_rows(LINK_SAMPLE, times, np.array([sample.links for sample in self._samples])),
            _interval_rows(NODE_SAMPLE, times, np.array([sample.nodes for sample in self._samples])),
            _interval_rows(FLOW_SAMPLE, times, flows),
        ))  # fmt: skip
        del self._samples[:-1]


def _join_rows(parts: list[Columns]) -> Columns:
    """Return the rows of all parts. The parts lose each column once it is joined, so that there are never two sets of columns."""
    return {name: np.concatenate([part.pop(name) for part in parts]) for name in list(parts[0])}


def _interval_rows(names: tuple[str, ...], times: Samples, samples: Samples) -> Columns:
    """Return the rows of one kind of element between samples, without rows in which every value is 0."""
    columns: Columns = {}
    for i, name in enumerate(names):
        if name not in QUEUE_COLUMNS:
            columns[name] = samples[1:, :, i] if name in STATES else np.diff(samples[:, :, i], axis=0)
    if "busy_low" in names:
        low = samples[:, :, names.index("busy_low")].view(np.uint64)
        high = np.diff(samples[:, :, names.index("busy_high")], axis=0) - (low[1:] < low[:-1])
        busy_ps = high * 2.0**64 + np.diff(low, axis=0)  # the difference of the low words is taken modulo 2^64
        columns["utilisation"] = busy_ps / np.diff(times)[:, None]
    interval, row = np.nonzero(np.any([values != 0 for values in columns.values()], axis=0))
    return {"begin_ps": times[interval], "end_ps": times[interval + 1], "row": row} | {
        name: values[interval, row] for name, values in columns.items()
    }
