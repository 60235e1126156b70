"""``handoff ladder``: run a study, draw one handoff of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from engine import NetworkError
from handoff.output.ladder.collect import build_ladder
from handoff.output.ladder.svg import render_svg
from handoff.output.ladder.text import render_text
from handoff.protocol.procedures import name_errors
from handoff.protocol.setup import Setup
from handoff.scenario import ScenarioError, load_scenario
from handoff.workload.build import build_setup


def ladder_command(
    *, scenario: Path, procedure: str, mn: str, handoff: int, output: Path | None, seed: int | None, changes: tuple[str, ...]
) -> None:  # fmt: skip
    """Print a ladder, or write it as SVG.

    Raises
    ------
    ScenarioError
        If the scenario, the procedure, the mobile node or the handoff is wrong, or the picture has no place.
    """
    if wrong := name_errors([procedure]):
        raise ScenarioError(wrong)
    if output is not None and not output.parent.is_dir():
        raise ScenarioError([f"-o: {output.parent} is no folder"])
    checked, _ = load_scenario(scenario, changes)
    seed = checked.seed if seed is None else seed
    setup = build_setup(checked, scenario, seed)
    ladder = build_ladder(setup, procedure, _mobile(setup, mn), handoff, seed)
    if output is None:
        print(render_text(ladder, shutil.get_terminal_size((130, 24)).columns))
        return
    partial = output.with_name(f"{output.name}.partial")
    try:
        partial.write_text(render_svg(ladder), encoding="utf-8")
        os.replace(partial, output)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _mobile(setup: Setup, wanted: str) -> int:
    """Index of a mobile node by its name or number."""
    try:
        return setup.network.mobile_index(wanted)
    except NetworkError:
        count = setup.network.mobile_count
        if wanted.isdecimal() and int(wanted) < count:
            return int(wanted)
        first, last = setup.network.mobile_name(0), setup.network.mobile_name(count - 1)
        raise ScenarioError([f"--mn: no mobile node {wanted!r}: give a name ({first} to {last}) or 0 to {count - 1}"]) from None
