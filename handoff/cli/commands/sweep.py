"""``handoff sweep``: a scenario at many points, in replications."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from handoff.cli.execution_options import execution_options
from handoff.cli.grouped_help import Command
from handoff.cli.options import (
    completion,
    json_option,
    junit_option,
    memory_limit_option,
    output_folder_option,
    progress_option,
    scenario_argument,
    seed_option,
    set_option,
    slo_option,
    wide_option,
)

MAX_REPLICATIONS = 10**6
MAX_BATCHES = 10_000


@click.command(cls=Command)
@scenario_argument
@output_folder_option("Folder of the dataset, which may exist already. --dry-run needs none.")
@click.option(
    "--vary", multiple=True, metavar="NAME=VALUES", shell_complete=completion("field"),
    help="Vary a field, in addition to the fields of [sweep] or instead of the one of this name: 'buffer=10,20', "
    "'lead_time=0..60ms step 20ms', 'mobile_nodes=1k..1M log 7'. NAME is a short name, or a path as in 'options.bicast'.",
)
@click.option(
    "--zip", "side_by_side", multiple=True, metavar="NAMES", help="Fields, separated by commas, that vary together."
)
@click.option(
    "--procedures", metavar="NAMES", shell_complete=completion("procedures"),
    help="Names of the procedures, separated by commas. 'mobile-ip', 'lte', '5g', 'fast' and 'all' stand for several.  "
    "[default: those of [sweep]]",
)
@click.option(
    "--runs", type=click.IntRange(1, MAX_REPLICATIONS), help="Replications of each point.  [default: those of [sweep], else 10]"
)
@click.option(
    "--where", "condition", metavar="SQL",
    help="Run only the points that fulfil this condition, as in \"buffer < 30 or procedure = 'mipv4'\".",
)
@click.option("--dry-run", is_flag=True, help="Show the planned runs, their packets, memory and time, and run nothing.")
@seed_option("Seed of the first replication; overrides the scenario's.")
@set_option
@click.option("--warmup", metavar="TIME", help="Exclude the first TIME of each run from the measures.")
@click.option(
    "--batches", type=click.IntRange(1, MAX_BATCHES),
    help="Cut each run into this many batches, which give a confidence interval from a single run.",
)
@click.option("--detail/--no-detail", default=None, help="Record every packet and compute all measures.")
@memory_limit_option("Fail a run that may need more memory than this, as in '2GB'.")
@click.option(
    "--metric", "measures", multiple=True, metavar="NAME", shell_complete=completion("measure"),
    help="Show this measure instead of the usual ones. May be repeated."
)
@click.option("--rerun-stale", is_flag=True, help="Repeat the runs that another version of the code made.")
@slo_option
@junit_option
@progress_option("Show finished runs and remaining time on stderr.")
@execution_options
@json_option
@wide_option
def sweep(
    output: Path | None, dry_run: bool, rerun_stale: bool, progress: bool | None, as_json: bool, begin: Any, slo: tuple[str, ...],
    junit: Path | None, **options: Any,
) -> int:  # fmt: skip
    """Run a SCENARIO at many points, in replications.

    The same command, started again, does only the runs that are missing, however the first one ended. A larger --runs adds
    replications to those in the dataset.

    Example: handoff sweep examples/commute.toml -o results --vary 'buffer=0..40 step 10' --procedures mipv4,sync-mipv4

    Exit codes: 0 success, 1 some points cannot be run or a run failed, 2 invalid input, 3 a target is missed,
    130 interrupted.
    """
    if output is None and not dry_run:
        raise click.UsageError("give the folder of the dataset with -o DIR, or preview the runs with --dry-run")
    from handoff.cli.sweep import SweepRequest
    from handoff.cli.sweep import sweep as run_sweep

    request = SweepRequest(**options)
    return run_sweep(
        request, output, begin, dry_run=dry_run, rerun_stale=rerun_stale, progress=progress, as_json=as_json, slo=slo, junit=junit
    )
