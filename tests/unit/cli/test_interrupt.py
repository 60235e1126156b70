"""Ctrl-C once and twice."""

import signal

import pytest

from handoff.cli.interrupt import InterruptHandler


@pytest.fixture
def restored_handler():
    previous = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.usefixtures("restored_handler")
def test_the_first_ctrl_c_is_noted_and_the_second_raises(capsys):
    calls = []
    handler = InterruptHandler("finishing the runs", lambda: calls.append("stop"))
    assert not handler.requested
    signal.raise_signal(signal.SIGINT)
    assert handler.requested
    assert calls == ["stop"]
    assert capsys.readouterr().err == "handoff: interrupted: finishing the runs (once more to end at once)\n"
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert calls == ["stop"]


@pytest.mark.usefixtures("restored_handler")
def test_the_second_ctrl_c_restores_the_previous_handler():
    received = []
    signal.signal(signal.SIGINT, lambda number, frame: received.append(number))
    InterruptHandler()
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
    assert received == [signal.SIGINT]
