"""Child processes start with SIGINT blocked; the parent gets it afterwards."""

import signal
import subprocess
import sys

from handoff.experiments.execution.sigint import block_sigint_in_children

PRINT_MASK = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"


def test_only_children_started_inside_the_context_block_sigint():
    with block_sigint_in_children():
        inside = subprocess.run([sys.executable, "-c", PRINT_MASK], capture_output=True, text=True, check=True)
    outside = subprocess.run([sys.executable, "-c", PRINT_MASK], capture_output=True, text=True, check=True)
    assert (inside.stdout, outside.stdout) == ("True\n", "False\n")
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
