"""The line that says how far long work has come: written over on a terminal, line by line elsewhere, or not there."""

import io
import sys

import pytest

from handoff.cli.progress import StatusLine, format_remaining


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "wanted", "said"),
    [
        (True, None, "\r1\033[K\r2\033[K\r\033[K"),
        (True, True, "\r1\033[K\r2\033[K\r\033[K"),
        (True, False, ""),
        (False, None, ""),
        (False, False, ""),
        (False, True, "1\n2\n"),
    ],
)
def test_where_it_is_seen(monkeypatch, terminal, wanted, said):
    monkeypatch.setattr(sys, "stderr", Stream(terminal))
    line = StatusLine(wanted)
    line("1")
    line("2")
    line.end()
    assert sys.stderr.getvalue() == said


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (61, "1 min 1 s"), (3661, "1 h 1 min")])
def test_times_to_go(seconds, text):
    assert format_remaining(seconds) == text
