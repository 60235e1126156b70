"""Results of the Python interface: Arrow tables of a run, a comparison or a folder."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from handoff.api.display import html_table, text_table
from handoff.api.errors import named_errors
from handoff.experiments.planning.outcome import Outcome
from handoff.scenario.errors import ScenarioError

if TYPE_CHECKING:
    from handoff.api.plots import StudyPlots
    from handoff.api.study_source import StudySource

SUMMARY = (
    "procedure", "handoffs", "sent", "delivered", "lost", "duplicate", "reordered", "loss_ratio", "disruption_mean_s",
    "disruption_p99_s", "delay_p50_s", "delay_p99_s", "signalling_messages", "extra_bytes",
)  # fmt: skip
"""Columns of the table ``runs`` that a summary has."""


class Results:
    """Tables of one or several runs of a scenario. Libraries for data frames take the object itself as the table ``runs``.

    A time that was not measured is null. The columns are those of the Parquet tables of ``handoff compare -o``.

    Parameters
    ----------
    title : str
        Scenario and seed.
    read : callable
        Returns a table by its name.
    interrupted : bool
        True if Ctrl-C ended the study: the last run may be incomplete, and further ones are missing.
    write : callable or None
        Writes all tables into a folder.
    outcomes : sequence of Outcome
        Outcome of each target for each procedure.
    warnings : sequence of str
        Remarks on inputs that may not be what the user takes them for.
    source : StudySource or None
        What it takes to look at a run again; None for results of a folder.
    """

    def __init__(
        self, title: str, read: Callable[[str], pa.Table], interrupted: bool = False,
        write: Callable[[Path], Any] | None = None, outcomes: Sequence[Outcome] = (),
        warnings: Sequence[str] = (), source: StudySource | None = None,
    ) -> None:  # fmt: skip
        self.title, self.interrupted = title, interrupted
        self.outcomes, self.warnings = list(outcomes), list(warnings)
        self.source, self._read, self._write = source, read, write

    @property
    def plot(self) -> StudyPlots:
        """Charts of the results: ``plot.cdf("delay")``, ``plot.loss()``, ``plot.timeline(handoff=3)``, ``plot.map()``."""
        from handoff.api.plots import StudyPlots

        return StudyPlots(lambda name: getattr(self, name), self.source)

    @cached_property
    def runs(self) -> pa.Table:
        """One row for each procedure: what was sent, lost, delayed, reordered, doubled and signalled."""
        return self._read("runs")

    @cached_property
    def handoffs(self) -> pa.Table:
        """One row for each handoff: its times, its packets and the interruption."""
        return self._read("handoffs")

    @cached_property
    def flows(self) -> pa.Table:
        """One row for each flow: packets, delays and the other metrics."""
        return self._read("flows")

    @cached_property
    def links(self) -> pa.Table:
        """One row for each link and cell: packets, bytes, queues and utilisation."""
        return self._read("links")

    @cached_property
    def nodes(self) -> pa.Table:
        """One row for each node: messages, waits, bindings and buffers."""
        return self._read("nodes")

    @cached_property
    def groups(self) -> pa.Table:
        """One row for each group of mobile nodes of a mixture; no row without one."""
        return self._read("groups")

    @cached_property
    def series(self) -> pa.Table:
        """One row for each interval and link, node or run; no row without ``series``, or where nothing happened."""
        return self._read("series")

    @cached_property
    def delays(self) -> pa.Table:
        """One row for each bucket of the histogram of the delays of delivered packets."""
        return self._read("delays")

    @cached_property
    def packets_around(self) -> pa.Table:
        """Packets around handoffs, by path, time of sending and delay (docs/report.md)."""
        return self._read("packets_around")

    @property
    def summary(self) -> pa.Table:
        """The main columns of ``runs``."""
        return self.runs.select(SUMMARY)

    @property
    def passed(self) -> bool:
        """True if every target is met; also without a target."""
        return not self.interrupted and all(outcome.passed for outcome in self.outcomes)

    def write(self, folder: str | Path) -> None:
        """Write all tables as Parquet files, as ``handoff compare -o`` does.

        Raises
        ------
        HandoffError
            If a link, folder or device has the name of a table, or another program writes there.
        """
        if self._write is None:
            raise ScenarioError([f"{self.title}: these tables are in a folder already"])
        with named_errors():
            self._write(Path(folder))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the table ``runs`` by the Arrow PyCapsule interface."""
        return self.runs.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return int(self.runs.num_rows)

    def __repr__(self) -> str:
        return "\n".join([f"<handoff.Results {self._heading()}>", text_table(self.summary), *self._remarks()])

    def _repr_html_(self) -> str:
        return html_table(self.summary, self._heading()) + "".join(f"<p>{html.escape(line)}</p>" for line in self._remarks())

    def _remarks(self) -> list[str]:
        return [*map(str, self.outcomes), *(f"warning: {warning}" for warning in self.warnings)]

    def _heading(self) -> str:
        return self.title + (", interrupted" if self.interrupted else "")


__all__ = ["SUMMARY", "Results"]
