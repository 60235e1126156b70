"""Progress on stderr: one changing line on a terminal, separate lines or nothing elsewhere."""

import io
import re
import sys

import pytest

from handoff.cli import progress
from handoff.cli.progress import ComparisonProgress, Progress, StatusLine, format_remaining
from handoff.simulation.run import StudyProgress

S = 10**12


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.fixture
def stderr(monkeypatch):
    def replace(terminal):
        monkeypatch.setattr(sys, "stderr", Stream(terminal))
        return sys.stderr

    for name in ("TERM", "COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return replace


@pytest.mark.parametrize(
    ("terminal", "wanted", "shown"),
    [
        (True, None, True),
        (True, True, True),
        (True, False, False),
        (False, None, False),
        (False, False, False),
        (False, True, True),
    ],
)
def test_the_line_is_shown_on_a_terminal_or_on_request(stderr, terminal, wanted, shown):
    stream = stderr(terminal)
    line = StatusLine(wanted)
    line("first")
    line("second")
    line.end()
    assert (line.terminal, line.shown) == (terminal, shown)
    output = stream.getvalue()
    if not shown:
        assert output == ""
    elif not terminal:
        assert output == "first\nsecond\n"
    else:
        assert output.index("first") < output.index("second")


def test_a_text_on_a_terminal_replaces_the_previous_one_and_end_removes_it(stderr):
    stream = stderr(terminal=True)
    line = StatusLine(None)
    line("a long first text")
    line("second")
    assert screen(stream.getvalue()) == ["second"]
    line.end()
    assert screen(stream.getvalue()) == [""]
    assert stream.getvalue().count("\x1b[?25l") == stream.getvalue().count("\x1b[?25h") == 1, "the cursor is visible again"


def test_a_long_text_is_cut_at_the_width_of_the_terminal(stderr, monkeypatch):
    stream = stderr(terminal=True)
    monkeypatch.setenv("COLUMNS", "20")
    line = StatusLine(None)
    line("x" * 100)
    (last,) = screen(stream.getvalue())
    line.end()
    assert len(last) <= 20


def screen(output):
    """Interpret the control sequences of one changing line and return the lines of the screen."""
    lines, row, column = [""], 0, 0
    for control, text in re.findall(r"(\x1b\[[?\d;]*[A-Za-z]|\r|\n)|([^\x1b\r\n]+)", output):
        if control == "\r":
            column = 0
        elif control == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif control == "\x1b[2K":
            lines[row] = ""
        elif control == "\x1b[1A":
            row -= 1
        elif text:
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            column += len(text)
    while len(lines) > 1 and not lines[-1]:
        lines.pop()
    return lines


class Interruption:
    requested = False


def test_progress_of_a_run_counts_from_where_the_run_starts(stderr, monkeypatch):
    """A run resumed at 10 s: 20 s in 4 s of real time are 5 times real time, so 60 s need 12 s."""
    stream = stderr(terminal=False)
    monkeypatch.setattr(Progress, "LOG_SECONDS", 0)
    clock = iter([0.0, 100.0, 104.0])
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock))
    show = Progress("mipv4", Interruption(), True)
    assert show(StudyProgress(10 * S, 90 * S, 5_000_000))
    assert stream.getvalue() == ""
    assert show(StudyProgress(30 * S, 90 * S, 13_000_000))
    assert stream.getvalue() == "mipv4: 30.0 of 90 s, 5.0 × real time, 2.0 M packet-hops/s, 12 s to go\n"


def test_progress_starts_again_with_the_next_run(stderr, monkeypatch):
    """The baseline ends at 8 s; the run of the procedure then starts at 2 s."""
    stream = stderr(terminal=False)
    monkeypatch.setattr(Progress, "LOG_SECONDS", 0)
    clock = iter([0.0, 1.0, 2.0, 10.0, 11.0])
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock))
    show = Progress("mipv4", Interruption(), True)
    for time_s in (2, 8, 2, 5):
        show(StudyProgress(time_s * S, 8 * S, 0))
    assert [line.split(",")[1] for line in stream.getvalue().splitlines()] == [" 6.0 × real time", " 3.0 × real time"]


def test_a_run_stops_after_an_interruption(stderr):
    stderr(terminal=False)
    interruption = Interruption()
    show = Progress("mipv4", interruption)
    assert show(StudyProgress(1, 10, 0))
    interruption.requested = True
    assert not show(StudyProgress(2, 10, 0))


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (61, "1 min 1 s"), (3661, "1 h 1 min")])
def test_remaining_times_are_rounded(seconds, text):
    assert format_remaining(seconds) == text


def test_progress_of_a_comparison_names_its_latest_runs(stderr, monkeypatch):
    stream = stderr(False)
    monkeypatch.setattr(Progress, "LOG_SECONDS", 0)
    progress = ComparisonProgress(16, True)
    progress("mipv4", StudyProgress(30 * 10**12, 60 * 10**12, 5))
    progress("mipv6", StudyProgress(6 * 10**12, 60 * 10**12, 5))
    assert stream.getvalue().splitlines() == [
        "1 of 16 procedures started; mipv4: 30.0 of 60 s",
        "2 of 16 procedures started; mipv4: 30.0 of 60 s, mipv6: 6.0 of 60 s",
    ]


def test_progress_of_a_comparison_leaves_out_the_runs_that_are_complete(stderr):
    stream = stderr(True)
    progress = ComparisonProgress(2, True)
    progress("mipv4", StudyProgress(60 * 10**12, 60 * 10**12, 5))
    progress("mipv6", StudyProgress(6 * 10**12, 60 * 10**12, 5))
    progress("mipv6", StudyProgress(60 * 10**12, 60 * 10**12, 5))
    shown = [line.strip() for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "\n", stream.getvalue()).splitlines() if line.strip()]
    assert shown == ["1 of 2 procedures started", "2 of 2 procedures started; mipv6: 6.0 of 60 s", "2 of 2 procedures started"]


def test_progress_of_a_comparison_is_shown_only_on_request_off_a_terminal(stderr, monkeypatch):
    stream = stderr(False)
    monkeypatch.setattr(Progress, "LOG_SECONDS", 0)
    ComparisonProgress(2)("mipv4", StudyProgress(1, 2, 3))
    assert stream.getvalue() == ""
