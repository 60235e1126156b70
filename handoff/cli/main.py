"""The program ``handoff``. Stop signals are handled before anything else is imported."""

import gc
import os
import signal

EXIT_BASE = 128
COLLECTION_THRESHOLD = 200_000
"""New objects between two collections of cyclic garbage. Imports make many objects and no garbage."""


class Program:
    """The command line of a process; :meth:`main` alone is the root command without the handling of a process."""

    name = "handoff"

    def __call__(self, *arguments):  # type: ignore[no-untyped-def]  # typing is not imported yet
        """Run the command line and end the process."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _end_at_once)  # until all that ends a process in order is imported
        gc.set_threshold(COLLECTION_THRESHOLD)
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # the search reads every installed package
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy's idle threads take processor time from each process
        from handoff.cli.process import run_in_process

        run_in_process(self.main, *arguments)

    def main(self, *arguments, **options):  # type: ignore[no-untyped-def]
        """Run the root command, as ``click.Command.main`` does."""
        from handoff.cli.root import root

        return root.main(*arguments, **{"prog_name": self.name} | options)


def _end_at_once(number, frame):  # type: ignore[no-untyped-def]
    os._exit(EXIT_BASE + number)


main = Program()
