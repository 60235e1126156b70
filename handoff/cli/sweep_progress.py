"""One line that says how far a sweep has come."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from handoff.cli.progress import StatusLine, format_remaining
from handoff.experiments.sweep.dataset import FinishedRun, Run, StoredRun


class Progress:
    """Runs done of all, speed and time to go on stderr; on a terminal one line that is written over.

    Points differ in size by orders: what is to come is reckoned from the runs of the same point where there are some, and how
    many are done side by side from what the time so far has brought.

    Parameters
    ----------
    missing : iterable of Run
        To be done.
    stored : mapping of Run to Stored
        Runs that are there already.
    wanted : bool or None
        Elsewhere than on a terminal a line every ten seconds if True; nothing anywhere if False.
    """

    TERMINAL_SECONDS = 0.2
    LOG_SECONDS = 10.0

    def __init__(self, missing: Iterable[Run], stored: Mapping[Run, StoredRun], wanted: bool | None) -> None:
        self._left: dict[str, int] = {}
        self._seconds: dict[str, list[float]] = {}
        for key, _ in missing:
            self._left[key] = self._left.get(key, 0) + 1
        for (key, _), run in stored.items():
            self._seconds.setdefault(key, []).append(run.wall_seconds)
        self._total, self._done, self._worked = sum(self._left.values()), 0, 0.0
        self._line = StatusLine(wanted)
        self._begun = self._told = time.perf_counter()

    def __call__(self, run: FinishedRun) -> None:
        """Take note of a run that is done."""
        self._left[run.point.key] -= 1
        self._seconds.setdefault(run.point.key, []).append(run.wall_seconds)
        self._done += 1
        self._worked += run.wall_seconds
        now = time.perf_counter()
        if self._line.shown and now - self._told >= (self.TERMINAL_SECONDS if self._line.terminal else self.LOG_SECONDS):
            self._told = now
            self._line(f"{self._done:,} of {self._total:,} runs, {self._rest(now - self._begun)} to go")

    def end(self) -> None:
        """Leave the line to what comes next."""
        self._line.end()

    def _rest(self, passed: float) -> str:
        each = {key: sum(known) / len(known) for key, known in self._seconds.items()}
        mean = sum(each.values()) / len(each)
        work = sum(left * each.get(key, mean) for key, left in self._left.items())
        return format_remaining(work * passed / max(self._worked, 1e-9))
