"""``handoff plan``: how much a scenario can carry."""

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
    output_file_option,
    output_folder_option,
    progress_option,
    scenario_argument,
    seed_option,
    set_option,
    wide_option,
)

MAX_RUNS_PER_VALUE = 1000


@click.command(cls=Command)
@scenario_argument
@click.option(
    "--vary", multiple=True, metavar="NAME=LOW..HIGH", shell_complete=completion("field"),
    help="Field whose limit is searched, and its range, as in 'mobile_nodes=1k..1M'.",
)
@click.option(
    "--size", type=click.Choice(["buffer", "lead", "agents"]),
    help="Search instead for the smallest buffers of the old and new routers, the latest layer-2 trigger, or the smallest "
    "number of GFAs or MAPs.",
)
@click.option(
    "--slo", multiple=True, metavar="TARGET", shell_complete=completion("measure"),
    help="Target MEASURE<=LIMIT, as in 'registration_delay_p99<=50ms'. All targets have to be met, and those of [slo] as well. "
    "May be repeated.",
)
@click.option(
    "--procedures", default="sync-mipv4", show_default=True, metavar="NAMES", shell_complete=completion("procedures"),
    help="Names of the procedures, separated by commas. 'mobile-ip', 'lte', '5g', 'fast' and 'all' stand for several. "
    "Each gets an answer of its own.",
)
@click.option(
    "--find", type=click.Choice(["largest", "smallest"]),
    help="Search for the largest or the smallest value that meets the targets.  [default: detected]",
)
@click.option(
    "--confidence", type=click.FloatRange(0.5, 0.9999), default=0.95, show_default=True,
    help="Probability that the answer's interval contains the limit.",
)
@click.option(
    "--precision", type=click.FloatRange(1e-4, 0.5), default=0.01, show_default=True,
    help="Relative width of the interval at which the search stops.",
)
@click.option(
    "--most-runs", type=click.IntRange(2, MAX_RUNS_PER_VALUE), default=12, show_default=True,
    help="Maximum number of runs for one value. A value that is not clear by then stays undecided.",
)
@click.option(
    "--warmup", default="0s", show_default=True, metavar="TIME", help="Exclude the first TIME of each run from the measures."
)
@seed_option("Seed of the first run of each value; overrides the scenario's.")
@set_option
@output_folder_option(
    "Keep the runs in DIR, the dataset of a sweep. The same command then continues where it stopped, "
    "and 'handoff query' reads the runs."
)
@memory_limit_option("Leave out values whose runs may need more memory than this, as in '2GB'.")
@click.option("--analytic", is_flag=True, help="Print the closed forms only, without any simulation.")
@click.option("--dry-run", is_flag=True, help="Show the values that would be tried and their number of packets.")
@output_file_option(
    "--report", "report_file", text="Write a report of the answers and of the search as one HTML file, which works offline."
)
@junit_option
@progress_option("Show the current step on stderr.")
@execution_options
@json_option
@wide_option
def plan(
    procedures: str, begin: Any, as_json: bool, dry_run: bool, progress: bool | None, junit: Path | None,
    report_file: Path | None, **options: Any
) -> int:
    """Find how much a SCENARIO can carry.

    The answer is the last value of a field that meets all targets, with a confidence interval, and the target that fails next.

    Example: handoff plan examples/commute.toml --vary mobile_nodes=100..10k --slo 'registration_delay_p99<=50ms'

    Exit codes: 0 found, 1 undecided or not monotone, 2 invalid input, 3 the targets cannot be met, 130 interrupted.
    """
    from handoff.cli.plan import PlanRequest, plan_command
    from handoff.protocol.procedures import parse_names

    request = PlanRequest(procedures=tuple(parse_names(procedures)), **options)
    return plan_command(request, begin, as_json=as_json, dry_run=dry_run, progress=progress, junit=junit, report_file=report_file)
