"""Setup of examples/figures.toml and the pictures of all figures, built once for all tests of a process."""

from functools import cache
from pathlib import Path

from handoff.output.ladder.figures import FIGURES
from handoff.output.ladder.picture import Picture, build_figures
from handoff.protocol.setup import Setup
from handoff.scenario import load_scenario
from handoff.workload.build import build_setup

SCENARIO = Path(__file__).parents[4] / "examples" / "figures.toml"


@cache
def figures_setup() -> Setup:
    scenario, _ = load_scenario(SCENARIO, ())
    return build_setup(scenario, SCENARIO, scenario.seed)


@cache
def pictures() -> dict[str, Picture]:
    return {figure.number: picture for figure, picture in build_figures(figures_setup(), FIGURES.values(), 1)}
