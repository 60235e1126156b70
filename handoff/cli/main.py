"""The program ``handoff``. Signals and streams are handled before anything else is imported."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from handoff.cli.exit_codes import ExitCode
from handoff.cli.interrupt import STATE, handle_stop_signals
from handoff.cli.standard_streams import guard_standard_streams, lost_output


class Program:
    """The command line of a process; :attr:`main` alone is the root command without the handling of a process."""

    name = "handoff"

    def __call__(self, *arguments: Any) -> NoReturn:
        """Run the command line and end the process."""
        handle_stop_signals()
        guard_standard_streams()
        code: Any = ExitCode.OK
        try:
            self.main(*arguments)
        except SystemExit as end:
            code = end.code
        if (reason := lost_output()) is not None:
            print(reason, file=sys.stderr, end="")
            code = code or ExitCode.FAILED
        STATE.is_over = True
        sys.exit(code)

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the root command, as ``click.Command.main`` does."""
        from handoff.cli.root import root

        return root.main(*arguments, **options)


main = Program()
