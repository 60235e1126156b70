"""Options of every command that does many runs; nothing heavy is imported for their help."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from handoff.experiments.execution.task import Executor


def execution_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--jobs``, ``--scheduler``, ``--cluster`` and ``--cluster-option``.

    The command gets ``begin``, which takes nothing and returns the :class:`handoff.experiments.execution.task.Executor` that is asked for, or
    raises a ValueError that says what is wrong with it.
    """

    @click.option(
        "--jobs", type=click.IntRange(1, 4096), metavar="N",
        help="Runs at a time: processes of this machine, or workers of --cluster.  [default: the number of cores]",
    )
    @click.option(
        "--scheduler", metavar="ADDRESS",
        help="Runs go to a Dask scheduler: tls://HOST:PORT, or tcp://127.0.0.1:PORT on this machine.",
    )
    @click.option(
        "--cluster", type=click.Choice(["local", "ssh", "slurm"]),
        help="Runs go to a Dask cluster that begins and ends with this command (docs/execution.md).",
    )
    @click.option(
        "--cluster-option", "cluster_options", multiple=True, metavar="KEY=VALUE",
        help="What the cluster needs, as in hosts=head,node1,node2 or queue=short; may be repeated.",
    )
    @wraps(command)
    def with_executor(
        *arguments: Any, jobs: int | None, scheduler: str | None, cluster: str | None, cluster_options: tuple[str, ...],
        **others: Any,
    ) -> Any:  # fmt: skip
        def begin() -> Executor:
            from handoff.experiments.execution.factory import make_executor

            return make_executor(jobs, scheduler, cluster, _pairs(cluster_options))

        return command(*arguments, begin=begin, **others)

    return with_executor


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    if wrong := [text for text, (name, equals, _) in zip(texts, pairs, strict=True) if not name or not equals]:
        raise ValueError("\n".join(f"--cluster-option {text!r}: write KEY=VALUE" for text in wrong))
    return {name.strip(): value.strip() for name, _, value in pairs}
