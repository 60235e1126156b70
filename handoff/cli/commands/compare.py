"""``handoff compare``: several procedures on the same packets."""

from __future__ import annotations

from typing import Any

import click

from handoff.cli.execution_options import MAX_JOBS
from handoff.cli.grouped_help import Command
from handoff.cli.options import completion, study_options


@click.command(cls=Command)
@study_options
@click.option(
    "--procedures", default="mobile-ip", show_default=True, metavar="NAMES", shell_complete=completion("procedures"),
    help="Names of the procedures, separated by commas. 'mobile-ip', 'lte', '5g', 'fast' and 'all' stand for several; "
    "'mixture' runs those of the scenario's [[mixture]] together.",
)
@click.option(
    "--jobs", type=click.IntRange(1, MAX_JOBS), metavar="N",
    help="Number of procedures that run at the same time, in processes of this machine. The results do not depend on it.  "
    "[default: as many as cores and memory allow; 1 with checkpoints, a memory limit, or little to do]",
)
def compare(procedures: str, jobs: int | None, **options: Any) -> int:
    """Compare procedures on the same packets and random draws.

    Example: handoff compare examples/commute.toml --procedures mipv4,sync-mipv4
    """
    from handoff.cli.run import run_study
    from handoff.protocol.procedures import parse_names

    return run_study(parse_names(procedures), jobs=jobs, **options)
