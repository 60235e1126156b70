"""``handoff validate``: check a scenario without running it."""

from __future__ import annotations

from pathlib import Path

import click

from handoff.cli.grouped_help import Command
from handoff.cli.options import scenario_argument, set_option

_PS_PER_S = 1e12


@click.command(cls=Command)
@scenario_argument
@set_option
@click.option("--strict", is_flag=True, help="Refuse positions that are not plausible: movement.strict=true.")
def validate(scenario: Path, changes: tuple[str, ...], strict: bool) -> None:
    """Check a SCENARIO and the files that it names.

    All problems are reported at once. Nothing is simulated.

    Example: handoff validate examples/commute.toml
    """
    from handoff.cli.terminal import show
    from handoff.output.printable import printable
    from handoff.scenario import load_scenario
    from handoff.workload.build import build_setup

    loaded, _ = load_scenario(scenario, changes)
    if strict and loaded.movement.trace is not None:
        loaded = loaded.model_copy(update={"movement": loaded.movement.model_copy(update={"strict": True})})
    setup = build_setup(loaded, scenario, loaded.seed)
    handoffs = setup.count_handoffs()
    name = printable(str(scenario))  # its newlines too
    show(
        f"{name}: valid: {setup.network.mobile_count} mobile nodes, {len(loaded.routers.names)} routers, "
        f"{handoffs} handoffs, {setup.network.flow_count} flows, {setup.duration_ps / _PS_PER_S:g} s"
    )
    for note in setup.notes:
        show(f"{name}: {printable(note)}")
    for warning in setup.warnings:
        show(f"{name}: warning: {printable(warning)}")
