"""What is asked: a field of a scenario, the values it may have, and which end of them is wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.quantities import parse_duration
from handoff.experiments.planning.bisection import SearchRange, Sense
from handoff.experiments.planning.field_scale import Values, parse_range
from handoff.scenario import Scenario, ScenarioError
from handoff.scenario.load import validate
from handoff.scenario.overrides import set_value, variable_fields

Tables = dict[str, Any]
"""A scenario file as it is parsed."""
OLD, NEW = "options.old_buffer_packets", "options.new_buffer_packets"
MOST_PACKETS = 2**20
"""Places of the largest buffer that is tried."""
LONGEST_LEAD_PS = 10 * 10**12
FINEST_LEAD_PS = 10**8
"""How near the answer is where no traffic has an interval."""


@dataclass(frozen=True)
class SearchProblem:
    """One field that varies.

    Attributes
    ----------
    name : str
        As it is told.
    path : str
        As ``handoff.scenario.overrides`` knows it.
    values : Values
    range : Range
    sense : {"largest", "smallest"} or None
        Which value is wanted; None: to be found out.
    also : tuple of (str, str)
        Other fields with a value for this question.
    """

    name: str
    path: str
    values: Values
    range: SearchRange
    sense: Sense | None = None
    also: tuple[tuple[str, str], ...] = field(default=())

    def tables(self, data: Tables, position: int) -> Tables:
        """The scenario with the field at a value."""
        changed = data
        for name, value in (*self.also, (self.path, self.values.text(position))):
            changed = set_value(changed, name, value)
        return changed

    def problems(self, data: Tables) -> list[str]:
        """What is wrong with the scenario at either end of the range."""
        found: dict[str, str] = {}
        for end in (self.range.low, self.range.high):
            for problem in problems(self.tables(data, end)):
                found.setdefault(problem, f"{self.path}={self.values.text(end)}: {problem}")
        return list(found.values())


Ask = Callable[[dict[str, int]], SearchProblem]
"""A question that may depend on what those before it have found, by their paths."""


def problems(data: Tables) -> list[str]:
    """What is wrong with a scenario's tables."""
    try:
        validate(data, "")
    except ScenarioError as error:
        return [problem.removeprefix(".:1: ") for problem in error.problems]
    return []


def vary_problem(text: str, data: Tables, precision: float, sense: Sense | None) -> SearchProblem:
    """The question of ``NAME=LOW:HIGH``.

    Raises
    ------
    ValueError
        If there is no such field, or no such range.
    """
    name, equals, ends = (part.strip() for part in text.partition("="))
    if not equals or not name:
        raise ValueError(f"--vary {text!r}: write NAME=LOW:HIGH, as in mobile_nodes=1k:1M")
    try:
        values, limits = parse_range(data, name, ends, precision)
    except ValueError as error:
        raise ValueError(f"--vary {error}") from None
    return SearchProblem(name, name, values, limits, sense)


def sizing_problems(what: str, data: Tables) -> list[Ask]:
    """The questions of ``--size``, each of what the ones before it have found.

    Raises
    ------
    ValueError
        If the scenario has no such thing.
    """
    return _SIZES[what](data)


def _buffers(data: Tables) -> list[Ask]:
    """First the old router's with no limit at the new one (0 there), then the new router's with what the old one needs."""
    old, new = Values.of(data, OLD), Values.of(data, NEW)
    return [
        lambda found: SearchProblem(
            "old router's buffer (packets)", OLD, old, SearchRange(0, MOST_PACKETS, 0), "smallest", also=((NEW, "0"),)
        ),
        lambda found: SearchProblem(
            "new router's buffer (packets)", NEW, new, SearchRange(1, MOST_PACKETS, 0), "smallest", also=((OLD, str(found[OLD])),)
        ),
    ]  # fmt: skip


def _lead(data: Tables) -> list[Ask]:
    movement = data.get("movement", {})
    if "commuters" not in movement:
        raise ValueError("--size lead: movement gives no lead that can vary: it needs [movement.commuters]")
    name = "movement.commuters.lead"
    values = Values.of(data, name)
    intervals = [parse_duration(t["interval"]) for t in data.get("traffic", []) if "interval" in t]
    grain = min([i for i in intervals if i], default=10 * FINEST_LEAD_PS) // 10

    def sound(position: int) -> bool:
        return not problems(set_value(data, name, values.text(position)))

    low, high = 0, LONGEST_LEAD_PS
    commuters = movement["commuters"]
    if not sound(low):  # a link does not come up before the move is predicted
        low = _ends(commuters.get("overlap", "0s"))[1] - _ends(commuters.get("guard", "0s"))[0]
    while high > max(low, grain) and not sound(high):
        high //= 2
    if not low < high or not sound(low):
        raise ValueError("--size lead: no lead is sound in this scenario: its handoffs come too often for any")
    return [lambda found: SearchProblem("lead", name, values, SearchRange(low, high, 0, max(1, grain)), "smallest")]


def _ends(spread: Any) -> tuple[int, int]:
    """Of a time that is drawn."""
    low, high = spread if isinstance(spread, list) else (spread, spread)
    return parse_duration(low), parse_duration(high)


def _agents(data: Tables) -> list[Ask]:
    if "agents" not in variable_fields(data):
        raise ValueError("--size agents: the scenario has no [regions] whose 'count' could vary")
    most = len(Scenario.model_validate(data).routers.names)
    if most < 2:
        raise ValueError("--size agents: there is one router, and so one agent at most")
    return [lambda found: SearchProblem("agents (GFAs or MAPs)", "agents", Values.of(data, "agents"), SearchRange(1, most, 0), "smallest")]


_SIZES = {"buffer": _buffers, "lead": _lead, "agents": _agents}
SIZES = tuple(_SIZES)
DEFAULT_TARGET = {"buffer": "lost<=0", "lead": "scenario_1_ratio>=1"}
"""What a size is asked for if nothing else is."""
