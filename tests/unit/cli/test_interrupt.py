"""The first stop signal is noted, the second one ends the command."""

import signal

import pytest

from handoff.cli.interrupt import STOP_SIGNALS, InterruptHandler, Stopped, restored_signal_handlers


@pytest.fixture(autouse=True)
def restored_handlers():
    with restored_signal_handlers():
        yield


@pytest.mark.parametrize(
    ("number", "word", "code"),
    [(signal.SIGINT, "interrupted", 130), (signal.SIGTERM, "SIGTERM", 143), (signal.SIGHUP, "SIGHUP", 129)],
)
def test_the_first_signal_is_noted_and_the_second_ends_the_command(number, word, code, capsys):
    calls = []
    handler = InterruptHandler("finishing the runs", lambda: calls.append("stop"))
    assert (handler.requested, handler.exit_code) == (False, 0)
    signal.raise_signal(number)
    assert (handler.requested, handler.exit_code, calls) == (True, code, ["stop"])
    assert capsys.readouterr().err == f"handoff: {word}: finishing the runs (once more to end at once)\n"
    with pytest.raises(Stopped) as end:
        signal.raise_signal(number)
    assert (end.value.code, calls) == (code, ["stop"])


def test_the_handlers_are_restored():
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    with restored_signal_handlers():
        InterruptHandler()
        assert [signal.getsignal(number) for number in STOP_SIGNALS] != before
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before


def test_a_signal_breaks_a_wait_off_even_if_it_came_before():
    handler = InterruptHandler()
    with pytest.raises(KeyboardInterrupt), handler.breaks():
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), handler.breaks():
        pytest.fail("the signal has been received")


def test_an_ignored_sighup_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    handler = InterruptHandler()
    signal.raise_signal(signal.SIGHUP)
    assert not handler.requested
