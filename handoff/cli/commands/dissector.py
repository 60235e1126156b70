"""``handoff dissector``: where the Wireshark dissector is installed."""

from __future__ import annotations

from importlib.resources import files

import click

from handoff.cli.grouped_help import Command
from handoff.cli.terminal import show


@click.command(cls=Command)
def dissector() -> None:
    """Print the path of the Wireshark dissector.

    Wireshark needs this Lua script for route optimization and regional registrations in captures of Mobile IPv4.

    Example: tshark -X lua_script:$(handoff dissector) -r FILE
    """
    show(str(files("handoff.output.pcap") / "mipv4_ro.lua"))
