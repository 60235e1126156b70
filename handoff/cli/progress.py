"""Progress of long commands, as one line on stderr."""

from __future__ import annotations

import atexit
import sys
import time
from typing import TYPE_CHECKING

from handoff.cli.interrupt import InterruptHandler
from handoff.cli.log import is_quiet
from handoff.cli.terminal import report
from handoff.output.printable import printable
from handoff.simulation.run import StudyProgress

if TYPE_CHECKING:
    from rich.progress import Progress as LiveDisplay

_PS_PER_S = 1e12
MAX_SHOWN_RUNS = 4
"""Runs at the same time that a status line names; the latest ones."""


class StatusLine:
    """A line that shows the latest state of the work.

    On a terminal each text replaces the one before it. Elsewhere each text is a line of its own.

    Parameters
    ----------
    wanted : bool or None
        If true, show the line anywhere; if false, nowhere; if None, on a terminal only.

    Attributes
    ----------
    terminal : bool
        True if stderr is a terminal.
    shown : bool
        True if texts are shown at all.
    """

    def __init__(self, wanted: bool | None) -> None:
        self.terminal = sys.stderr.isatty()
        self.shown = self.terminal and not is_quiet() if wanted is None else wanted
        self._display: LiveDisplay | None = None

    def __call__(self, text: str) -> None:
        """Show a text instead of the previous one."""
        if not self.shown:
            return
        if not self.terminal:
            report(text)
            return
        if self._display is None:
            self._display = _open_display()
        self._display.update(self._display.task_ids[0], description=printable(text), refresh=True)

    def end(self) -> None:
        """Remove the line from the terminal, so that other output can follow."""
        if self._display is not None:
            self._display.stop()
            atexit.unregister(self._display.console.show_cursor)
            self._display = None


def _open_display() -> LiveDisplay:
    from rich.console import Console  # slow to import, and only a terminal shows a live line
    from rich.progress import Progress as LiveDisplay
    from rich.progress import TextColumn
    from rich.table import Column

    # No refresh thread: a command may fork worker processes while the line is shown.
    text = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
    display = LiveDisplay(
        text, console=Console(stderr=True), auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    )
    atexit.register(display.console.show_cursor)  # rich hides the cursor: a command that fails has to show it again
    display.start()
    display.add_task("")
    return display


class Progress:
    """Progress of one run: simulated time, speed relative to real time, packet-hops per second, remaining time.

    Parameters
    ----------
    name : str
        Name of the procedure.
    interruption : InterruptHandler
        Asked after each slice whether the run should stop.
    wanted : bool or None
        See :class:`StatusLine`. Off a terminal there is at most one line in ``LOG_SECONDS``.
    """

    LOG_SECONDS = 10.0

    def __init__(self, name: str, interruption: InterruptHandler, wanted: bool | None = None) -> None:
        self.name = name
        self.interruption = interruption
        self.line = StatusLine(wanted)
        self._shown_s = self._start_s = time.perf_counter()
        self._start = self._last = StudyProgress(0, 0, 0)  # a resumed run does not start at 0

    def __call__(self, state: StudyProgress) -> bool:
        """Show how far the run is; return False if it should stop there."""
        now_s = time.perf_counter()
        new_run = state.time_ps <= self._last.time_ps or self._last.until_ps == 0  # the baseline run comes first
        if new_run:
            self._start, self._start_s = state, now_s
        elif self.line.shown and (self.line.terminal or now_s - self._shown_s >= self.LOG_SECONDS):
            self._shown_s = now_s
            self._show(state, max(now_s - self._start_s, 1e-9))
        self._last = state
        if self.interruption.requested:
            self.line.end()
        return not self.interruption.requested

    def _show(self, state: StudyProgress, elapsed_s: float) -> None:
        done_ps = max(state.time_ps - self._start.time_ps, 1)
        hops = state.events - self._start.events
        self.line(
            f"{self.name}: {state.time_ps / _PS_PER_S:.1f} of {state.until_ps / _PS_PER_S:g} s, "
            f"{done_ps / _PS_PER_S / elapsed_s:.1f} × real time, {hops / elapsed_s / 1e6:.1f} M packet-hops/s, "
            f"{format_remaining(elapsed_s * (state.until_ps - state.time_ps) / done_ps)} to go"
        )
        if state.time_ps >= state.until_ps:
            self.line.end()


class ComparisonProgress:
    """Progress of runs at the same time: the simulated time of each.

    Parameters
    ----------
    count : int
        Number of all runs.
    wanted : bool or None
        See :class:`StatusLine`. Off a terminal there is at most one line in ``Progress.LOG_SECONDS``.
    """

    def __init__(self, count: int, wanted: bool | None = None) -> None:
        self.line = StatusLine(wanted)
        self._count = count
        self._states: dict[str, StudyProgress] = {}
        self._shown_s = time.perf_counter()

    def __call__(self, name: str, state: StudyProgress) -> None:
        """Show how far the runs are."""
        self._states[name] = state
        now_s = time.perf_counter()
        if self.line.shown and (self.line.terminal or now_s - self._shown_s >= Progress.LOG_SECONDS):
            self._shown_s = now_s
            shares = [
                f"{n}: {s.time_ps / _PS_PER_S:.1f} of {s.until_ps / _PS_PER_S:g} s"
                for n, s in self._states.items() if s.time_ps < s.until_ps
            ]  # fmt: skip
            started = f"{len(self._states)} of {self._count} procedures started"
            self.line("; ".join([started, *filter(None, [", ".join(shares[:MAX_SHOWN_RUNS])])]))


def format_remaining(seconds: float) -> str:
    """A time to go, as coarse as it is uncertain."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
