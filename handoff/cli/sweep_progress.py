"""Progress of a sweep, as one line on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from handoff.cli.progress import StatusLine, format_remaining
from handoff.experiments.sweep.dataset import Run, StoredRun
from handoff.experiments.sweep.dataset_writer import FinishedRun


class Progress:
    """Finished runs and remaining time of a sweep.

    Points differ in size by orders of magnitude: the remaining work of a point is estimated from the runs of the same point,
    where there are some. The number of runs in parallel is inferred from the work that the time so far has achieved.

    Parameters
    ----------
    missing : iterable of Run
        Runs to do.
    stored : mapping of Run to StoredRun
        Runs that the dataset has already.
    shown : bool or None
        If true, show the line anywhere, off a terminal at most every ``LOG_SECONDS``; if false, nowhere; if None, on a terminal
        only.
    """

    TERMINAL_SECONDS = 0.2
    LOG_SECONDS = 10.0
    _MIN_WORK_SECONDS = 1e-9

    def __init__(self, missing: Iterable[Run], stored: Mapping[Run, StoredRun], shown: bool | None) -> None:
        self._missing: dict[str, int] = {}
        self._run_seconds: dict[str, list[float]] = {}
        for key, _ in missing:
            self._missing[key] = self._missing.get(key, 0) + 1
        for (key, _), run in stored.items():
            self._run_seconds.setdefault(key, []).append(run.wall_seconds)
        self._total, self._done, self._work_seconds = sum(self._missing.values()), 0, 0.0
        self._line = StatusLine(shown)
        self._started_at = self._shown_at = time.perf_counter()

    def __call__(self, run: FinishedRun) -> None:
        """Count a finished run."""
        self._missing[run.point.key] -= 1
        self._run_seconds.setdefault(run.point.key, []).append(run.wall_seconds)
        self._done += 1
        self._work_seconds += run.wall_seconds
        now = time.perf_counter()
        if self._line.shown and now - self._shown_at >= (self.TERMINAL_SECONDS if self._line.terminal else self.LOG_SECONDS):
            self._shown_at = now
            self._line(f"{self._done:,} of {self._total:,} runs, {self._remaining(now - self._started_at)} to go")

    def end(self) -> None:
        """Remove the line from the terminal, so that other output can follow."""
        self._line.end()

    def _remaining(self, elapsed: float) -> str:
        mean_seconds = {key: sum(seconds) / len(seconds) for key, seconds in self._run_seconds.items()}
        default = sum(mean_seconds.values()) / len(mean_seconds)
        work = sum(count * mean_seconds.get(key, default) for key, count in self._missing.items())
        return format_remaining(work * elapsed / max(self._work_seconds, self._MIN_WORK_SECONDS))
