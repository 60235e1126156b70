"""``handoff trace``: captures and movement files."""

from __future__ import annotations

from pathlib import Path

import click

from handoff.cli.grouped_help import Command
from handoff.cli.options import json_option


@click.group()
def trace() -> None:
    """Inspect captures and movement files."""


@trace.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@click.option(
    "--scenario", type=click.Path(path_type=Path),
    help="For a movement FILE, also show the attachments under the coverage of this scenario.",
)
@click.option(
    "--max-ratio", type=click.IntRange(1, 2**63 - 1),
    help="Maximum factor by which a compressed capture may grow when it is decompressed.  [default: 100]",
)
def info(file: Path, as_json: bool, scenario: Path | None, max_ratio: int | None) -> None:
    """Describe a capture or a movement FILE.

    A capture: packets, rate, flows and Mobile IP signalling. A movement file: nodes, area and speeds. An association log:
    handoffs and residence times.

    Example: handoff trace info examples/captures/commute.pcap
    """
    import handoff_traces
    from handoff.cli.terminal import show_json

    if scenario is not None or handoff_traces.detect_format(file) != "other":
        from handoff.cli.movement_info import describe_movement, print_movement

        description = describe_movement(file, scenario)
        show = print_movement
    else:
        from handoff.cli.capture_info import describe_capture, print_capture

        description = describe_capture(file, max_ratio)
        show = print_capture
    if as_json:
        show_json(description)
    else:
        show(description)
