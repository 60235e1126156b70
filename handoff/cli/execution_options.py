"""Options of every command that does many runs. Their help imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from handoff.experiments.execution.task import Executor

MAX_JOBS = 4096


def execution_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--jobs``, ``--scheduler``, ``--cluster`` and ``--cluster-option`` to a command.

    The command receives a callable ``begin`` without parameters. It returns the selected
    :class:`handoff.experiments.execution.task.Executor`, or raises a ValueError with the mistakes in the options.
    """

    @click.option(
        "--jobs", type=click.IntRange(1, MAX_JOBS), metavar="N",
        help="Number of runs at a time: processes of this machine, or workers of --cluster.  [default: the number of cores]",
    )
    @click.option(
        "--scheduler", metavar="ADDRESS",
        help="Send the runs to a running Dask scheduler, tls://HOST:PORT (docs/execution.md).",
    )
    @click.option(
        "--cluster", type=click.Choice(["local"]),
        help="Send the runs to a Dask cluster on this machine, which starts and ends with this command (docs/execution.md).",
    )
    @click.option(
        "--cluster-option", "cluster_options", multiple=True, metavar="KEY=VALUE",
        help="Option of --cluster, as in memory_limit=2GB. May be repeated.",
    )
    @wraps(command)
    def with_executor(
        *arguments: Any, jobs: int | None, scheduler: str | None, cluster: str | None, cluster_options: tuple[str, ...],
        **others: Any,
    ) -> Any:  # fmt: skip
        def begin() -> Executor:
            from handoff.experiments.execution.factory import make_executor

            return make_executor(jobs, scheduler, cluster, _parse_pairs(cluster_options))

        return command(*arguments, begin=begin, **others)

    return with_executor


def _parse_pairs(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    if errors := [text for text, (name, equals, _) in zip(texts, pairs, strict=True) if not name or not equals]:
        raise ValueError("\n".join(f"--cluster-option {text!r}: write KEY=VALUE" for text in errors))
    return {name.strip(): value.strip() for name, _, value in pairs}
