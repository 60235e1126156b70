"""Child processes start with the stop signals blocked; the parent gets them afterwards."""

import signal
import subprocess
import sys

from handoff.experiments.execution.stop_signals import block_stop_signals

PRINT_MASK = "import signal; print(*sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
STOP_SIGNALS = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM}


def blocked_in_a_child():
    done = subprocess.run([sys.executable, "-c", PRINT_MASK], capture_output=True, text=True, check=True)
    return STOP_SIGNALS & {*map(int, done.stdout.split())}


def test_only_children_started_inside_the_context_block_stop_signals():
    with block_stop_signals():
        inside = blocked_in_a_child()
    assert (inside, blocked_in_a_child()) == (STOP_SIGNALS, set())
    assert not STOP_SIGNALS & signal.pthread_sigmask(signal.SIG_BLOCK, [])
