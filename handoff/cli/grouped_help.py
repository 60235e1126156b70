"""Help texts with options and commands in groups, and examples that can be copied."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from handoff.cli.log import verbosity_options

OPTION_GROUPS: Mapping[str, Sequence[str]] = {
    "Scenario": ("--scenario", "--set", "--seed", "--from"),
    "Movement files": ("--format", "--columns", "--activity", "--on-bad-record", "--strict"),
    "Procedures and points": (
        "--procedure", "--procedures", "--vary", "--zip", "--where", "--runs", "--size", "--find", "--mn", "--handoff",
        "--registration", "--figure",
    ),
    "Measures and targets": (
        "--slo", "--metric", "--detail", "--series", "--warmup", "--batches", "--confidence", "--tolerance", "--precision",
        "--most-runs", "--analytic",
    ),
    "Output": (
        "--output", "--json", "--csv", "--wide", "--junit", "--report", "--ladders", "--pcap", "--pcap-links", "--pcap-snap",
        "--progress", "--markdown", "--list", "--dry-run", "--verbose", "--quiet", "--help",
    ),
    "Execution": (
        "--port", "--open", "--threads", "--jobs", "--memory-limit", "--max-ratio", "--checkpoint-every", "--checkpoint",
        "--resume", "--no-cache", "--rerun-stale", "--scheduler", "--cluster", "--cluster-option",
    ),
}  # fmt: skip
"""Options of each group, in the order of the help texts. An option of no group is listed under "Other options"."""
COMMAND_GROUPS: Mapping[str, Sequence[str]] = {
    "Begin": ("init", "validate", "explain", "procedures", "measures"),
    "Run": ("run", "compare", "ladder", "report", "view"),
    "Many runs": ("sweep", "plan", "query", "diff"),
    "Files and editors": ("trace", "dissector", "schema", "completion"),
}
"""Commands of each group. A command of no group is listed under "Other commands"."""
OTHER = "Other"
MIN_GROUPED = 8
"""Number of options from which on they are grouped."""
_EXAMPLES = re.compile(r"^Examples?:\s*(.*?)(?=\n\s*\n\S|\Z)", re.S | re.M)


def split_examples(text: str) -> tuple[str, list[str]]:
    """Return a help text without its examples, and the examples, one command each."""
    text, examples = inspect.cleandoc(text), []
    for match in _EXAMPLES.finditer(text):
        lines = [line.strip() for line in match[1].splitlines() if line.strip(" \b")]
        examples += " ".join(lines).replace(" handoff ", "\nhandoff ").split("\n") if lines else []
    return re.sub(r"\n\s*\n\s*\n", "\n\n", _EXAMPLES.sub("", text)), examples


class Command(click.Command):
    """Command with ``-v`` and ``-q``, whose help has its options in groups and its examples at the end."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.params += verbosity_options()

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the description without the examples."""
        text, self.help = self.help, split_examples(self.help or "")[0]
        try:
            super().format_help_text(ctx, formatter)
        finally:
            self.help = text

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in groups."""
        records = [(_long_name(option), record) for option in self.get_params(ctx) if (record := _record(option, ctx))]
        if len(records) < MIN_GROUPED:
            super().format_options(ctx, formatter)
            return
        for group, rows in group_rows(records, OPTION_GROUPS, "options"):
            with formatter.section(group):
                formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        if examples := split_examples(self.help or "")[1]:
            with formatter.section("Examples" if len(examples) > 1 else "Example"):
                for example in examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
        super().format_epilog(ctx, formatter)


def group_rows(
    records: Sequence[tuple[str, tuple[str, str]]], groups: Mapping[str, Iterable[str]], noun: str
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the rows of each group that has any, in the order of the groups; the remaining rows come last.

    Parameters
    ----------
    records : sequence of (str, (str, str))
        Name and row of each entry.
    groups : mapping of str to iterable of str
        Names of each group.
    noun : str
        What the entries are, for the heading of the remaining rows.
    """
    rows: dict[str, Any] = dict(records)
    grouped = [(group, [rows.pop(name) for name in names if name in rows]) for group, names in groups.items()]
    return [(group, members) for group, members in [*grouped, (f"{OTHER} {noun}", list(rows.values()))] if members]


def _record(option: click.Parameter, ctx: click.Context) -> tuple[str, str] | None:
    return option.get_help_record(ctx) if isinstance(option, click.Option) else None


def _long_name(option: click.Parameter) -> str:
    return max(option.opts, key=len)
