"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from handoff.cli.terminal import WIDE

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

Completion = Callable[[click.Context, click.Parameter, str], list[Any]]

MAX_SEED = 2**63 - 1
MAX_THREADS = 64
MAX_LADDERS = 10

class NameChoice(click.Choice):  # type: ignore[type-arg]  # not generic in every version
    """Choice whose error message has similar names. Completion lists the names."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return the message for an unknown name."""
        from engine.similar_names import name_hint

        return f"no {self.noun} {value!r}; {name_hint(str(value), self.choices, count=3)}"

    def __init__(self, noun: str, choices: Iterable[str]) -> None:
        super().__init__(list(choices))
        self.noun = noun


class ProcedureName(click.types.StringParamType):
    """Name of a procedure, which the command checks. The message for a missing name lists all."""

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        """Return the names of the procedures."""
        from handoff.protocol.procedures import ALL_PROCEDURES

        return f"Choose one of {', '.join(ALL_PROCEDURES)}, or 'mixture'"


def completion(kind: str) -> Completion:
    """Return the completion of a kind of value (``handoff.cli.completion``), which is imported when a shell asks for it."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
        from handoff.cli.completion import complete_value

        return complete_value(kind, context, incomplete)

    return complete


scenario_argument = click.argument("scenario", type=click.Path(path_type=Path))
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
set_option = click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE",
    help="Change a key of the scenario, as in 'options.bicast=1s'. May be repeated.", shell_complete=completion("field"),
)  # fmt: skip


def wide_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option ``--wide``, which :func:`handoff.cli.terminal.output_width` reads."""

    def note(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        context.meta[WIDE] = value

    text = "Print all columns of tables, also where the terminal is narrower."
    return click.option("--wide", is_flag=True, expose_value=False, callback=note, help=text)(command)


def csv_option(text: str) -> Decorator:
    """Return the option ``--csv``."""
    return click.option("--csv", "as_csv", is_flag=True, help=text)


def procedure_option(required: bool = True) -> Decorator:
    """Return the option ``--procedure``."""
    return click.option(
        "--procedure", type=ProcedureName(), required=required, metavar="NAME", shell_complete=completion("procedure"),
        help="Name of the procedure; 'handoff procedures' lists them. "
        "'mixture' runs those of the scenario's [[mixture]] together."
    )


def seed_option(text: str = "Seed of every random draw; overrides the scenario's.") -> Decorator:
    """Return the option ``--seed`` with a help text of the command's own."""
    return click.option("--seed", type=click.IntRange(0, MAX_SEED), help=text)


def output_folder_option(text: str) -> Decorator:
    """Return the option ``-o`` for a folder."""
    return click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help=text)


def output_file_option(*names: str, text: str) -> Decorator:
    """Return an option for a file to write."""
    return click.option(*names, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help=text)


def memory_limit_option(text: str) -> Decorator:
    """Return the option ``--memory-limit``."""
    return click.option("--memory-limit", metavar="SIZE", help=text)


def progress_option(text: str) -> Decorator:
    """Return the option ``--progress/--no-progress``, which is on by default on a terminal only."""
    return click.option("--progress/--no-progress", default=None, help=f"{text}  [default: on a terminal]")


slo_option = click.option(
    "--slo", multiple=True, metavar="TARGET", shell_complete=completion("measure"),
    help="Target, as in 'loss_ratio<=1e-4', in addition to those of [slo]. The exit code is 3 if one is missed. May be repeated.",
)  # fmt: skip
junit_option = output_file_option("--junit", text="Write the targets as JUnit into FILE, one test case for each.")


def study_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument and options of ``run`` and ``compare`` to a command."""
    for decorate in reversed((
        scenario_argument,
        output_folder_option("Write Parquet tables of the results into DIR."),
        output_file_option(
            "--report", "report_file",
            text="Write a report of the results as one HTML file, which works offline.",
        ),
        click.option(
            "--ladders", type=click.IntRange(0, MAX_LADDERS), default=0, show_default=True, metavar="N",
            help="Draw the N worst handoffs in the report as ladder diagrams. Each takes one more run.",
        ),
        seed_option(),
        set_option,
        click.option(
            "--detail/--no-detail", default=None,
            help="Record every packet (200 bytes each) and compute all metrics. "
            "[default: on for runs of up to ten million packets]",
        ),
        click.option(
            "--threads", type=click.IntRange(1, MAX_THREADS), default=1, show_default=True,
            help="Number of threads that simulate the network. The results do not depend on it.",
        ),
        click.option(
            "--series", metavar="TIME",
            help="Record what links, nodes and runs do in each interval of TIME, as in '100ms', for the table 'series' of -o and "
            "for --report.",
        ),
        memory_limit_option("Refuse a run that may need more memory than this, as in '2GB'."),
        click.option(
            "--checkpoint-every", metavar="TIME",
            help="Write a checkpoint each TIME of real time, as in '10min'. A killed run loses at most that much work.",
        ),
        output_file_option(
            "--checkpoint",
            text="File of the checkpoint.  [default: handoff.checkpoint in the folder of -o, or in the current folder]",
        ),
        click.option(
            "--resume", is_flag=True,
            help="Continue from the checkpoint of the same command, with bit-identical results. "
            "Without a checkpoint, start from the beginning.",
        ),
        click.option(
            "--no-cache", is_flag=True,
            help="Run all procedures, also where nothing has changed since an earlier command, and store no results.",
        ),
        progress_option("Show simulated time, speed and remaining time on stderr."),
        slo_option,
        junit_option,
        json_option,
        csv_option("Print the table 'runs' as CSV, a line for each procedure."),
        wide_option,
    )):  # fmt: skip
        command = decorate(command)
    return command
