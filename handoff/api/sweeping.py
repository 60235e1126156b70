"""Sweeps of the Python interface: many points with replications, as tables."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from handoff.api.arguments import as_ranges, as_tuple
from handoff.api.display import html_table, text_table
from handoff.api.errors import named_errors
from handoff.api.scenario import load, value_text
from handoff.api.study import Source
from handoff.api.waiting import Interruption, Report, interruptible, reporting
from handoff.experiments.execution.code_version import code_version
from handoff.experiments.execution.factory import make_executor
from handoff.experiments.sweep.dataset import DatasetContents, Run, StoredRun, read_contents, read_points
from handoff.experiments.sweep.dataset_writer import FinishedRun
from handoff.experiments.sweep.points import Failure
from handoff.experiments.sweep.query import make_views, query
from handoff.experiments.sweep.request import SweepRequest, plan_sweep
from handoff.experiments.sweep.runner import SweepObserver, run_sweep
from handoff.experiments.sweep.summary import LazyTables, estimate_measure
from handoff.metrics.catalogue import get_measure
from handoff.output.seconds import PS_PER_S

if TYPE_CHECKING:
    from handoff.api.plots import SweepPlots
    from handoff.output.report.sweep_report import SweepPoint


class SweepResults:
    """Runs of the points of a sweep, as tables. Libraries for data frames take the object itself as the table ``summary``.

    Parameters
    ----------
    folder : Path
        Folder of the dataset.
    measures : sequence of str
        Measures of the summary; ``handoff measures`` lists them.
    failures : sequence of Failure
        Points that cannot be run.
    interrupted : bool
        True if Ctrl-C ended the sweep: runs are missing.
    is_temporary : bool
        True: the folder is removed together with the results.
    runs : collection of (str, int) or None
        Point and seed of each run of this sweep; None: all in the folder.
    """

    def __init__(
        self, folder: Path, measures: Sequence[str], failures: Sequence[Failure] = (), interrupted: bool = False,
        is_temporary: bool = False, runs: Collection[Run] | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.measures, self.failures, self.interrupted = folder, tuple(measures), tuple(failures), interrupted
        self._runs = runs
        if is_temporary:
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    @property
    def plot(self) -> SweepPlots:
        """Charts of the sweep: ``plot.response("loss_ratio", targets="loss_ratio<=1%")``."""
        from handoff.api.plots import SweepPlots

        return SweepPlots(self.measures, self._estimate_points)

    @cached_property
    def _contents(self) -> DatasetContents:
        contents = read_contents(self.folder)
        if self._runs is not None:
            contents.runs = {key: run for key, run in contents.runs.items() if key in self._runs}
        return contents

    @property
    def notes(self) -> list[str]:
        """Damaged files, which the tables leave out, and runs of another version of the code, which they contain."""
        version = code_version()
        other = sum(run.code_version != version for run in self._contents.runs.values())
        stale = [f"{other:,} of {len(self._contents.runs):,} runs were made by another version of the code"] if other else []
        return [*map(str, self._contents.damaged), *stale]

    @cached_property
    def _views(self) -> dict[str, Any]:
        return make_views(self.folder, self._contents)

    @property
    def points(self) -> pa.Table:
        """One row for each point with a complete run: key, procedure, and a typed column for each field that varies."""
        points = self._views["points"]
        known = {point for point, _ in self._contents.runs}
        return points.filter(pa.array([key in known for key in points["point"].to_pylist()], pa.bool_()))

    @property
    def runs(self) -> pa.Table:
        """One row for each run: the fields that vary, then the columns of ``Results.runs``."""
        return self._with_fields(self._views["runs"])

    @property
    def nodes(self) -> pa.Table:
        """One row for each node and run."""
        return self._with_fields(self._views["nodes"])

    @property
    def links(self) -> pa.Table:
        """One row for each link and run."""
        return self._with_fields(self._views["links"])

    @cached_property
    def summary(self) -> pa.Table:
        """One row for each point: fields, procedure, runs, and of each measure the mean with both ends of its 95 % interval.

        Durations are in seconds (``delay_p99_s``). A value or an interval that the runs do not support is null.
        """
        stored: dict[str, list[LazyTables]] = {}
        for (point, _), run in self._contents.runs.items():
            stored.setdefault(point, []).append(LazyTables(run))
        points = self.points
        keys = points["point"].to_pylist()
        columns: dict[str, Any] = {"runs": pa.array([len(stored[key]) for key in keys], pa.int64())}
        for name in self.measures:
            is_time = get_measure(name).unit == "ps"
            scale, column = (PS_PER_S, f"{name}_s") if is_time else (1.0, name)
            intervals = [estimate_measure(name, stored[key]).interval for key in keys]
            ends = [(i.low / scale, i.high / scale) if i is not None and i.known else (None, None) for i in intervals]
            columns[column] = pa.array([None if i is None else i.mean / scale for i in intervals], pa.float64())
            columns[f"{column}_low"] = pa.array([low for low, _ in ends], pa.float64())
            columns[f"{column}_high"] = pa.array([high for _, high in ends], pa.float64())
        fields = points.drop_columns("point")
        if len({tuple(row.values()) for row in fields.to_pylist()}) < len(keys):
            fields = points  # points that differ in what did not vary: their keys tell them apart
        return pa.table({name: fields[name] for name in fields.column_names} | columns)

    def stored_runs(self) -> Iterator[tuple[dict[str, Any], int, StoredRun]]:
        """Yield the point, the seed and the stored tables of each complete run."""
        points = {row["point"]: row for row in read_points(self.folder)}
        for (key, seed), run in self._contents.runs.items():
            yield points[key], seed, run

    def query(self, sql: str) -> pa.Table:
        """Return the answer to an SQL query, as ``handoff query`` does."""
        with named_errors():
            result = query(self.folder, sql)
        columns = [pa.array([row[i] for row in result.rows]) for i in range(len(result.columns))]
        return pa.Table.from_arrays(columns, result.columns)

    def _estimate_points(self, measures: Sequence[str]) -> list[SweepPoint]:
        from handoff.api.sweep_points import sweep_points

        return sweep_points(read_points(self.folder), self._contents, measures)

    def _with_fields(self, table: Any) -> pa.Table:
        rows = table if isinstance(table, pa.Table) else table.to_table()
        position = {key: i for i, key in enumerate(self.points["point"].to_pylist())}
        fields = self.points.take(pa.array([position[key] for key in rows["point"].to_pylist()], pa.int64()))
        named = {n: fields[n] for n in fields.column_names}
        return pa.table(named | {n: rows[n] for n in rows.column_names if n not in named})

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the table ``summary`` by the Arrow PyCapsule interface."""
        return self.summary.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return int(self.summary.num_rows)

    def __repr__(self) -> str:
        return f"<handoff.SweepResults {self._heading()}>\n{text_table(self.summary)}"

    def _repr_html_(self) -> str:
        return html_table(self.summary, self._heading())

    def _heading(self) -> str:
        failed = f", {len(self.failures)} points cannot be run" if self.failures else ""
        head = f"{self.summary.num_rows} points, {len(self._contents.runs)} runs{failed}{', interrupted' * self.interrupted}"
        return "; ".join([head, *self.notes])


class _Observer(SweepObserver):
    def __init__(self, report: Report, interruption: Interruption) -> None:
        self._report, self._interruption = report, interruption
        self._done, self._missing = 0, 0

    def on_start(self, missing: set[Run], contents: DatasetContents) -> None:
        self._missing = len(missing)

    def on_run(self, run: FinishedRun) -> None:
        self._done += 1
        self._report(f"{self._done} of {self._missing} runs", self._done / self._missing)

    def should_stop(self) -> bool:
        return self._interruption.requested


def sweep(
    scenario: Source, vary: Mapping[str, str | Iterable[Any]] | None = None, procedures: str | Sequence[str] | None = None, *,
    runs: int | None = None, together: Sequence[Sequence[str]] = (), where: str | None = None, seed: int | None = None,
    warmup: str | None = None, batches: int | None = None, detail: bool | None = None, measures: str | Sequence[str] = (),
    folder: str | Path | None = None, jobs: int | None = None, memory_limit: str | None = None,
    progress: bool | Report | None = None,
) -> SweepResults:  # fmt: skip
    """Run procedures at many points with replications. What the folder has already is not repeated.

    Parameters
    ----------
    scenario : str, Path, mapping or Scenario
        See :func:`handoff.load`.
    vary : mapping of str to str or iterable
        Values of each field by its short name or path, in addition to those of ``[sweep]``. One text is a value, a list or a
        range of the command line: ``{"lead_time": ["20ms", "50ms"], "mobile_nodes": "10..50 step 10"}``.
    procedures : str, sequence of str or None
        Names; None: those of ``[sweep]``.
    runs : int or None
        Replications of each point, with consecutive seeds.
    together : sequence of sequence of str
        Fields that vary together instead of as a product.
    where : str or None
        SQL condition that points have to fulfil.
    seed, warmup, batches, detail, memory_limit
        As the options of ``handoff sweep``.
    measures : str or sequence of str
        Measures of the summary.
    folder : str, Path or None
        Folder of the dataset, which the sweep continues. None: a temporary one, which is removed with the result.
    jobs : int or None
        Processes; None: one for each core.
    progress : bool, callable or None
        See :func:`handoff.compare`.

    Raises
    ------
    HandoffError
        With every mistake of the scenario and the arguments.
    """
    loaded = load(scenario)
    ranges = as_ranges(vary, '{"mobile_nodes": [100, 1000]}')
    named = procedures if procedures is None or isinstance(procedures, str) else ",".join(procedures)
    request = SweepRequest(
        loaded.path, tuple(f"{name}={','.join(map(value_text, values))}" for name, values in ranges.items()),
        tuple(map(",".join, together)), named, runs, where, seed, (), warmup, batches, detail, memory_limit, as_tuple(measures),
        tables=loaded.tables,
    )  # fmt: skip
    with named_errors():
        plan, chosen = plan_sweep(request)
        executor = make_executor(jobs)
    place = Path(mkdtemp(prefix="handoff-") if folder is None else folder)
    try:
        with named_errors(), interruptible() as interruption, reporting(progress) as report:
            interruption.on_request(executor.stop)
            result = run_sweep(plan, place, executor, observer=_Observer(report, interruption))
    except BaseException:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)
        raise
    wanted = {(point.key, seed) for point in plan.points for seed in plan.seeds}
    return SweepResults(place, chosen, result.failures, result.interrupted, folder is None, wanted)


__all__ = ["SweepResults", "sweep"]
