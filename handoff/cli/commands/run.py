"""``handoff run``: one procedure on a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from handoff.cli.grouped_help import Command
from handoff.cli.options import output_file_option, procedure_option, study_options

MAX_SNAP_BYTES = 65_535
DEFAULT_SNAP_BYTES = 128


class SnapLength(click.IntRange):
    """A number of bytes, or a word that means no limit, which becomes None."""

    name = "BYTES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value of a text."""
        from engine.quantities import is_unlimited

        if is_unlimited(value):
            return None
        if str(value).strip() == "0":
            self.fail("0 captures nothing of a packet: write 'unlimited' for whole packets", param, ctx)
        return super().convert(value, param, ctx)


@click.command(cls=Command)
@study_options
@procedure_option()
@output_file_option("--pcap", text="Write the packets on the links as pcapng into FILE.")
@click.option(
    "--pcap-links", multiple=True, metavar="NAMES",
    help="Capture only these links: names, with * and ?, separated by commas, as in 'ha>ar*,ar0>*'. May be repeated.",
)
@click.option(
    "--pcap-snap", type=SnapLength(1, MAX_SNAP_BYTES), metavar="BYTES", default=DEFAULT_SNAP_BYTES, show_default=True,
    help="Maximum number of bytes captured of each packet; 'unlimited' captures whole packets.",
)
def run(procedure: str, pcap: Path | None, pcap_links: tuple[str, ...], pcap_snap: int | None, **options: Any) -> int:
    """Run one procedure on a SCENARIO.

    Example: handoff run examples/commute.toml --procedure sync-mipv6 -o results
    """
    if pcap is None and pcap_links:
        raise click.UsageError("--pcap-links chooses the links of a capture: give its file with --pcap")
    from handoff.cli.run import run_study

    patterns = [name.strip() for text in pcap_links for name in text.split(",")]
    return run_study([procedure], capture=None if pcap is None else (pcap, patterns, pcap_snap), **options)
