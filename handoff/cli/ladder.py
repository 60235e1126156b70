"""``handoff ladder``: run a study and draw one of its handoffs."""

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

_DEFAULT_TERMINAL = (130, 24)
"""Columns and lines where the output is no terminal."""


def ladder_command(
    *, scenario: Path, procedure: str, mn: str, handoff: int | None, output: Path | None, seed: int | None,
    changes: tuple[str, ...],
) -> None:  # fmt: skip
    """Print the diagram of a handoff, or of the first registration if ``handoff`` is None, or write it as SVG.

    Raises
    ------
    ScenarioError
        If the scenario, the procedure or the mobile node is invalid, or the folder of the SVG file does not exist.
    ValueError
        If the mobile node has no such handoff or registration.
    """
    if errors := name_errors([procedure]):
        raise ScenarioError(errors)
    if output is not None and not output.parent.is_dir():
        raise ScenarioError([f"-o: {output.parent} is not a folder"])
    loaded, _ = load_scenario(scenario, changes)
    seed = loaded.seed if seed is None else seed
    setup = build_setup(loaded, scenario, seed)
    ladder = build_ladder(setup, procedure, _find_mobile(setup, mn), handoff, seed)
    if output is None:
        print(render_text(ladder, shutil.get_terminal_size(_DEFAULT_TERMINAL).columns))
        return
    partial = output.with_name(f"{output.name}.partial")
    try:
        partial.write_text(render_svg(ladder), encoding="utf-8")
        os.replace(partial, output)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _find_mobile(setup: Setup, text: str) -> int:
    try:
        return setup.network.mobile_index(text)
    except NetworkError:
        count = setup.network.mobile_count
        if text.isdecimal() and int(text) < count:
            return int(text)
        first, last = setup.network.mobile_name(0), setup.network.mobile_name(count - 1)
        raise ScenarioError([f"--mn: no mobile node {text!r}: give a name ({first} to {last}) or 0 to {count - 1}"]) from None
