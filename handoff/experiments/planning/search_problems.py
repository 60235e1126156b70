"""Search problems: a field of a scenario, the values it may have, and which end of them is searched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.quantities import UNLIMITED, parse_duration
from handoff.experiments.planning.field_scale import Values, parse_range
from handoff.experiments.planning.value_search import SearchRange, Sense
from handoff.scenario import ScenarioError
from handoff.scenario.load import build_scenario
from handoff.scenario.overrides import set_value, variable_fields

Tables = dict[str, Any]
"""Tables of a scenario file, as parsed."""
OLD_BUFFER, NEW_BUFFER = "options.old_buffer_packets", "options.new_buffer_packets"
LEAD = "movement.commuters.lead"
MAX_BUFFER_PACKETS = 2**20
MAX_LEAD_PS = 10 * 10**12
LEAD_STEPS_PER_INTERVAL = 10
"""The lead is resolved to this fraction of the shortest interval between packets."""
DEFAULT_INTERVAL_PS = 10**9
"""Interval that sets the resolution of the lead if no traffic has an interval."""


@dataclass(frozen=True)
class SearchProblem:
    """A field to vary and the values to search.

    Attributes
    ----------
    name : str
        Name for display.
    path : str
        Name that ``handoff.scenario.overrides`` resolves.
    values : Values
        Scale of the field.
    range : SearchRange
        Positions on that scale.
    sense : {"largest", "smallest"} or None
        Which of the values that meet the targets is searched; None: the search finds out.
    fixed : tuple of (str, str)
        Other fields that have a value of their own in this problem.
    """

    name: str
    path: str
    values: Values
    range: SearchRange
    sense: Sense | None = None
    fixed: tuple[tuple[str, str], ...] = field(default=())

    def tables(self, data: Tables, position: int) -> Tables:
        """Return the scenario with the field at a position."""
        changed = data
        for name, value in (*self.fixed, (self.path, self.values.text(position))):
            changed = set_value(changed, name, value)
        return changed

    def range_errors(self, data: Tables) -> list[str]:
        """Return the mistakes in the scenario at either end of the range."""
        errors: dict[str, str] = {}
        for end in (self.range.low, self.range.high):
            for error in scenario_errors(self.tables(data, end)):
                errors.setdefault(error, f"{self.path}={self.values.text(end)}: {error}")
        return list(errors.values())


SearchStep = Callable[[dict[str, int]], SearchProblem]
"""Makes a search problem from the answers to the problems before it, by their paths."""


def scenario_errors(data: Tables) -> list[str]:
    """Return the mistakes in a scenario's tables."""
    try:
        build_scenario(data)
    except ScenarioError as error:
        return error.problems
    return []


def vary_problem(text: str, data: Tables, precision: float, sense: Sense | None) -> SearchProblem:
    """Parse ``NAME=LOW..HIGH`` into a search problem.

    Raises
    ------
    ValueError
        If there is no such field, or no such range.
    """
    name, equals, ends = (part.strip() for part in text.partition("="))
    if not equals or not name:
        raise ValueError(f"--vary {text!r}: write NAME=LOW..HIGH, as in mobile_nodes=1k..1M")
    try:
        values, limits = parse_range(data, name, ends, precision)
    except ValueError as error:
        raise ValueError(f"--vary {error}") from None
    return SearchProblem(name, name, values, limits, sense)


def sizing_steps(size: str, data: Tables) -> list[SearchStep]:
    """Return the steps of ``--size``, each of which may depend on the answers before it.

    Parameters
    ----------
    size : {"buffer", "lead", "agents"}
        Quantity to dimension.
    data : dict
        Tables of the scenario file.

    Raises
    ------
    ValueError
        If the scenario does not have the field to size.
    """
    return _SIZES[size](data)


def _buffer_steps(data: Tables) -> list[SearchStep]:
    # The old router is sized beside a new router without a limit, then the new router beside an old one of that size.
    old, new = Values.of(data, OLD_BUFFER), Values.of(data, NEW_BUFFER)
    old_range, new_range = SearchRange(0, MAX_BUFFER_PACKETS, 0), SearchRange(0, MAX_BUFFER_PACKETS, 0)
    return [
        lambda answers: SearchProblem(
            "old router's buffer (packets)", OLD_BUFFER, old, old_range, "smallest", fixed=((NEW_BUFFER, UNLIMITED[0]),)
        ),
        lambda answers: SearchProblem(
            "new router's buffer (packets)", NEW_BUFFER, new, new_range, "smallest",
            fixed=((OLD_BUFFER, str(answers[OLD_BUFFER])),),
        ),
    ]  # fmt: skip


def _lead_steps(data: Tables) -> list[SearchStep]:
    movement = data.get("movement", {})
    if "commuters" not in movement:
        raise ValueError("--size lead: movement gives no lead that can vary: it needs [movement.commuters]")
    values = Values.of(data, LEAD)
    intervals = [parse_duration(t["interval"]) for t in data.get("traffic", []) if "interval" in t]
    resolution = min([i for i in intervals if i], default=DEFAULT_INTERVAL_PS) // LEAD_STEPS_PER_INTERVAL

    def is_valid(position: int) -> bool:
        return not scenario_errors(set_value(data, LEAD, values.text(position)))

    low, high = 0, MAX_LEAD_PS
    commuters = movement["commuters"]
    if not is_valid(low):  # a link does not come up before the move is predicted
        low = _spread_ends(commuters.get("overlap", "0s"))[1] - _spread_ends(commuters.get("guard", "0s"))[0]
    while high > max(low, resolution) and not is_valid(high):
        high //= 2
    if not low < high or not is_valid(low):
        raise ValueError("--size lead: no lead is valid in this scenario: its handoffs follow each other too closely")
    lead_range = SearchRange(low, high, 0, max(1, resolution))
    return [lambda answers: SearchProblem("lead", LEAD, values, lead_range, "smallest")]


def _spread_ends(spread: Any) -> tuple[int, int]:
    # A time of the scenario is one duration, or a pair between which it is drawn.
    low, high = spread if isinstance(spread, list) else (spread, spread)
    return parse_duration(low), parse_duration(high)


def _agent_steps(data: Tables) -> list[SearchStep]:
    if "agents" not in variable_fields(data):
        raise ValueError("--size agents: the scenario has no [regions] whose 'count' could vary")
    max_agents = len(build_scenario(data).routers.names)
    if max_agents < 2:
        raise ValueError("--size agents: there is one router, and so one agent at most")
    values, agent_range = Values.of(data, "agents"), SearchRange(1, max_agents, 0)
    return [lambda answers: SearchProblem("agents (GFAs or MAPs)", "agents", values, agent_range, "smallest")]


_SIZES = {"buffer": _buffer_steps, "lead": _lead_steps, "agents": _agent_steps}
DEFAULT_TARGET = {"buffer": "lost<=0", "lead": "scenario_1_ratio>=1"}
"""Target of a size if neither the scenario nor the user names one."""
