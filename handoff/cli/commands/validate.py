"""``handoff validate``: check a scenario without running it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from handoff.cli.grouped_help import Command
from handoff.cli.options import scenario_argument, set_option

if TYPE_CHECKING:
    from handoff.protocol.setup import Setup

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
    handoffs = _count_handoffs(setup)
    name = printable(str(scenario))  # its newlines too
    show(
        f"{name}: valid: {setup.network.mobile_count} mobile nodes, {len(loaded.routers.names)} routers, "
        f"{handoffs} handoffs, {setup.network.flow_count} flows, {setup.duration_ps / _PS_PER_S:g} s"
    )
    for note in setup.notes:
        show(f"{name}: {printable(note)}")
    for warning in setup.warnings:
        show(f"{name}: warning: {printable(warning)}")


def _count_handoffs(setup: Setup) -> int:
    """Return the number of handoffs with a layer-2 event before the end of the run; a log may go on after it."""
    import numpy as np

    moves = setup.attachments
    next_up_ps = np.append(moves.up_ps[1:], -1)
    events = np.stack([moves.predict_ps, moves.going_down_ps, moves.down_ps, next_up_ps[: len(moves.mobile)]])
    begun = ((events >= 0) & (events < setup.duration_ps)).any(axis=0)
    return int((begun & ~setup.last_attachments()).sum())
