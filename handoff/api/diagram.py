"""Sequence diagrams of the Python interface."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from handoff.api.errors import named_errors
from handoff.api.scenario import load
from handoff.api.study import Source
from handoff.output.ladder.collect import build_ladder
from handoff.output.ladder.diagram import Ladder
from handoff.output.ladder.diagram_svg import render_svg
from handoff.output.ladder.diagram_text import DEFAULT_WIDTH, render_text
from handoff.protocol.procedures import Procedure, name_errors
from handoff.protocol.setup import Setup
from handoff.scenario.errors import ScenarioError
from handoff.workload.mobile_names import find_mobile


class Diagram:
    """Sequence diagram of one handoff. A notebook shows it as SVG.

    Attributes
    ----------
    ladder : Ladder
        Nodes, messages and events of the diagram.
    """

    def __init__(self, ladder: Ladder) -> None:
        self.ladder = ladder

    @cached_property
    def svg(self) -> str:
        """The diagram as SVG without script."""
        return render_svg(self.ladder)

    def text(self, width: int = DEFAULT_WIDTH) -> str:
        """Return the diagram as text of at most ``width`` columns."""
        return render_text(self.ladder, width)

    def __repr__(self) -> str:
        return f"<handoff.Diagram {self.ladder.title}>"

    def __str__(self) -> str:
        return self.text()

    def _repr_svg_(self) -> str:
        return self.svg


def ladder(
    scenario: Source, procedure: str | Procedure, mobile_node: str | int | None = None, handoff: int | None = 0,
    seed: int | None = None,
) -> Diagram:  # fmt: skip
    """Run a procedure and draw one handoff of a mobile node.

    Parameters
    ----------
    scenario : str, Path, mapping or Scenario
        See :func:`handoff.load`.
    procedure : str or Procedure
        Name, or a procedure of your own.
    mobile_node : str, int or None
        Name or number of the mobile node; None: the first one that moves.
    handoff : int or None
        Number of the handoff, from 0; None: the first registration.
    seed : int or None
        Seed of the run; None: the scenario's.

    Raises
    ------
    HandoffError
        If the scenario, the procedure or the mobile node is wrong.
    """
    loaded = load(scenario)
    if isinstance(procedure, str) and (errors := name_errors([procedure])):
        raise ScenarioError(errors)
    seed = loaded.model.seed if seed is None else seed
    setup = loaded.build(seed)
    mobile = _first_moving(setup) if mobile_node is None else find_mobile(setup, str(mobile_node), "mobile_node")
    with named_errors():
        return Diagram(build_ladder(setup, procedure, mobile, handoff, seed))


def _first_moving(setup: Setup) -> int:
    mobiles = setup.attachments.mobile
    again = np.flatnonzero((mobiles[1:] == mobiles[:-1]) & (setup.attachments.up_ps[1:] < setup.duration_ps))
    return int(mobiles[again[0]]) if len(again) else 0


__all__ = ["Diagram", "ladder"]
