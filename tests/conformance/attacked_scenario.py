"""A scenario with one mobile node that receives 400 packets, and attacks on it.

    cn --5 ms-- core --5 ms-- ha --1 ms-- rogue
                               | 5 ms to each of ar0, ar1, which have radios of 2 ms and a link of 3 ms between them

The home agent takes 1 ms for a message, and everything else no time. ``cn`` sends a packet of 200 bytes every 10 ms from 0 on,
400 in all; each is at the home agent 10 ms later. Times in comments and docstrings are in ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from handoff.protocol.setup import Setup
from handoff.scenario.load import load_scenario
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.result import RunResult
from handoff.simulation.run import run_procedure
from handoff.workload.build import build_setup

SCENARIO = """
name = "attack"
duration = "{duration}"
correspondent = {{ name = "cn" }}
home_agent = {{ name = "ha", registration = "1ms" }}
node = [{{ name = "core", registration = "{core}" }}, {{ name = "rogue" }}]
link = [
    {{ between = ["cn", "core"], delay = "5ms" }}, {{ between = ["core", "ha"], delay = "5ms" }},
    {{ between = ["ha", "rogue"], delay = "1ms" }},
]
traffic = [{{ interval = "10ms", size_bytes = 200 }}]
movement = {{ associations = "moves.csv", margin = "{margin}" }}

[routers]
names = ["ar0", "ar1"]
wired_to = "ha"
wired = {{ delay = "5ms" }}
neighbours = {{ delay = "3ms" }}
cell = {{ delay = "2ms" }}

[options]
{options}
"""
STAYS_AT_AR0 = (("ar0", 0, 4100),)
"""The traffic ends 100 ms before the last link goes down."""


def build(
    folder: Path, *attacks: str, stays: Sequence[tuple[str, int, int]] = STAYS_AT_AR0, options: str = "", duration: str = "5s",
    margin: str = "100ms", core: str = "0s",
) -> Setup:  # fmt: skip
    """Return the setup with one ``[[attack]]`` table for each text, and links to routers from and until times in ms.

    ``core``: time that the node ``core`` takes for a message that is for it.
    """
    rows = [f"mn0,{router},{up / 1000},{down / 1000},," for router, up, down in stays]
    (folder / "moves.csv").write_text("\n".join(["mobile,router,up_s,down_s,predict_s,going_down_s", *rows, ""]))
    tables = "".join(f"\n[[attack]]\n{text}\n" for text in attacks)
    path = folder / "attack.toml"
    path.write_text(SCENARIO.format(duration=duration, margin=margin, core=core, options=options) + tables)
    return build_setup(load_scenario(path)[0], path, seed=1)


def run(setup: Setup, procedure: str, **options: Any) -> RunResult:
    return run_procedure(setup, procedure, reference=ZERO_BYTES, **options)


def figures(result: RunResult, *names: str) -> tuple[Any, ...]:
    """Return figures of the comparison table."""
    row = result.summary()
    return tuple(row[name] for name in names)
