"""``handoff trace``: captures and movement files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from handoff.cli.grouped_help import Command
from handoff.cli.log import verbosity_options
from handoff.cli.options import json_option, wide_option

FORMATS = (
    "fcd", "fcd-geo", "gpx", "setdest", "bonnmotion", "bonnmotion-3d", "gnettrack", "associations", "syslog", "crawdad",
)  # fmt: skip

ON_BAD_RECORD = ("refuse", "skip", "keep-first")

OPTIONS_OF_KIND = {
    "capture": ("max_ratio", "on_bad_record"),
    "movement file": ("scenario", "format", "activity", "strict", "on_bad_record"),
    "association log": ("format", "columns", "on_bad_record"),
}
"""Options of ``trace info`` that say how a file of each kind is read."""


def _parse_columns(_: click.Context, __: click.Parameter, value: str | None) -> dict[str, str] | None:
    if value is None:
        return None
    columns = dict(part.partition("=")[::2] for part in value.split(","))
    if not {"cell", "time"} <= columns.keys() <= {"mobile", "cell", "time"} or not all(columns.values()):
        raise click.BadParameter("give cell=…, time=… and, unless there is one mobile node only, mobile=…")
    return columns


@click.group(params=verbosity_options())
def trace() -> None:
    """Inspect captures and movement files."""


@trace.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@wide_option
@click.option(
    "--scenario", type=click.Path(path_type=Path),
    help="For a movement FILE, also show the attachments under the coverage of this scenario.",
)
@click.option(
    "--format", type=click.Choice(FORMATS),
    help="Format of a movement FILE or association log.  [default: its content shows it]",
)
@click.option(
    "--columns", metavar="NAMES", callback=_parse_columns,
    help="Columns of an association log in CSV, as in 'mobile=user,cell=CellID,time=when'.",
)
@click.option(
    "--activity", type=click.Path(path_type=Path), help="SUMO's activity file of ns-2 movement: who is present when.",
)
@click.option(
    "--on-bad-record", type=click.Choice(ON_BAD_RECORD), default="refuse", show_default=True,
    help="Refuse a file with a bad record, or skip bad records. keep-first: of two records of movement that contradict each "
    "other keep the first; of a capture keep the records before the bad one.",
)
@click.option("--strict", is_flag=True, help="Refuse positions that are not plausible.")
@click.option(
    "--max-ratio", type=click.IntRange(1, 2**63 - 1),
    help="Maximum factor by which a compressed capture may grow when it is decompressed.  [default: 100]",
)
def info(file: Path, as_json: bool, scenario: Path | None, max_ratio: int | None, **reading: Any) -> None:
    """Describe a capture or a movement FILE.

    A capture: packets, rate, flows and Mobile IP signalling. A movement file: nodes, area, speeds, and what is not
    plausible. An association log: handoffs and residence times.

    Example: handoff trace info examples/captures/commute.pcap
    """
    import handoff_traces
    from handoff.cli.terminal import show_json

    guess = handoff_traces.guess_format(file)
    kind = _find_kind(guess.kind, guess.format, reading["format"], reading["columns"] is not None)
    if kind == "unknown" and scenario is None:
        raise handoff_traces.unknown_format_error(file, guess)
    _refuse_unused_options(kind, {"scenario": scenario, "max_ratio": max_ratio, **reading})
    if kind != "capture":
        from handoff.cli.movement_info import ReadOptions, describe_movement, print_movement

        description = describe_movement(file, scenario, ReadOptions(**reading))
        show = print_movement
    else:
        from handoff.cli.capture_info import describe_capture, print_capture

        description = describe_capture(file, max_ratio, reading["on_bad_record"])
        show = print_capture
    if as_json:
        show_json(description)
    else:
        show(description)


def _find_kind(guessed_kind: str, guessed_format: str, stated_format: str | None, has_columns: bool) -> str:
    """Return how a file is read: as a capture if it begins like one, else as the options say, else as its content shows."""
    if guessed_kind == "capture":
        return "capture"
    from handoff.cli.movement_info import LOGS

    if has_columns or stated_format in LOGS:
        return "association log"
    if stated_format is not None or guessed_format == "gnettrack":  # G-NetTrack has positions and attachments
        return "movement file"
    return {"movement": "movement file", "associations": "association log"}.get(guessed_kind, guessed_kind)


def _refuse_unused_options(kind: str, options: dict[str, Any]) -> None:
    """Refuse the options that have no meaning for a file of this kind."""
    if kind not in OPTIONS_OF_KIND:
        return
    used = OPTIONS_OF_KIND[kind]
    unused = sorted(_flag(name) for name, value in options.items() if value and name not in used)
    if unused:
        article = "an" if kind[0] in "aeiou" else "a"
        raise click.UsageError(
            f"{', '.join(unused)}: leave {'it' if len(unused) == 1 else 'them'} out; the FILE is {article} {kind}, "
            f"which is read with {', '.join(map(_flag, used[:-1]))} and {_flag(used[-1])}"
        )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
