"""Mobile IP handoff procedures as rows of one machine, scenarios, studies and the command line.

    import handoff

    result = handoff.compare("commute.toml", ["mipv4", "sync-mipv4"])
    result.handoffs          # a pyarrow table; polars, pandas and duckdb take it as it is

docs/python.md describes the interface. The names are loaded at their first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handoff.api.comparison import DiffResults, diff
    from handoff.api.diagram import Diagram, ladder
    from handoff.api.folder import read
    from handoff.api.planning import PlanResults, plan
    from handoff.api.results import Results
    from handoff.api.scenario import Scenario, load
    from handoff.api.study import compare, run
    from handoff.api.sweeping import SweepResults, sweep
    from handoff.protocol.procedures import ALL_PROCEDURES, PROCEDURES, Procedure, Step
    from handoff.scenario.errors import HandoffError, ScenarioError

__version__ = "0.1.0"

_MODULES = {
    "handoff.api.comparison": ("DiffResults", "diff"),
    "handoff.api.diagram": ("Diagram", "ladder"),
    "handoff.api.folder": ("read",),
    "handoff.api.planning": ("PlanResults", "plan"),
    "handoff.api.results": ("Results",),
    "handoff.api.scenario": ("Scenario", "load"),
    "handoff.api.study": ("compare", "run"),
    "handoff.api.sweeping": ("SweepResults", "sweep"),
    "handoff.protocol.procedures": ("ALL_PROCEDURES", "PROCEDURES", "Procedure", "Step"),
    "handoff.scenario.errors": ("HandoffError", "ScenarioError"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "ALL_PROCEDURES", "PROCEDURES", "Diagram", "DiffResults", "HandoffError", "PlanResults", "Procedure", "Results", "Scenario",
    "ScenarioError", "Step", "SweepResults", "compare", "diff", "ladder", "load", "plan", "read", "run", "sweep",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
