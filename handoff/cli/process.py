"""The process of a command: signals, standard streams, exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn

from handoff.cli.exit_codes import ExitCode
from handoff.cli.interrupt import STATE, handle_stop_signals
from handoff.cli.standard_streams import guard_standard_streams, lost_output


def run_in_process(command: Callable[..., Any], *arguments: Any) -> NoReturn:
    """Run a command that ends with SystemExit, and end the process; the exit code also says whether output was lost."""
    guard_standard_streams()  # first: a file that is opened before gets the number of a closed stream
    handle_stop_signals()
    code: Any = ExitCode.OK
    try:
        command(*arguments)
    except SystemExit as end:
        code = end.code
    if (reason := lost_output()) is not None:
        sys.stderr.write(reason)
        code = code or ExitCode.FAILED
    STATE.is_over = True
    sys.exit(code)
