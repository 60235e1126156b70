"""Pydantic models of the table ``[[traffic]]``: captures to replay (docs/replay.md), or constant-bit-rate and Poisson flows."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, StrictBool, model_validator

from engine.similar_names import name_hint
from handoff.scenario.field_types import (
    Count,
    Duration,
    Name,
    Pace,
    Positive,
    Prefix,
    Size,
    StrictModel,
    ValueReader,
    as_list,
    parse_prefix,
    read_duration,
)

Ranges = tuple[tuple[int, int], ...]
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "dccp": 33, "gre": 47, "esp": 50, "icmp6": 58, "sctp": 132, "udplite": 136}
"""Numbers of transport protocols by name (IANA)."""
MAX_PORT = 65_535
MAX_PROTOCOL = 255


def _read_prefixes(value: Any) -> tuple[Prefix, ...]:
    return tuple(map(parse_prefix, as_list(value)))


def _read_ports(value: Any) -> Ranges:
    return tuple(map(_read_port, as_list(value)))


def _read_port(value: Any) -> tuple[int, int]:
    ends = value.split("-") if isinstance(value, str) else [value, value]
    is_range = not isinstance(value, bool) and len(ends) == 2 and all(str(end).strip().isdecimal() for end in ends)
    low, high = (int(end) for end in ends) if is_range else (0, 0)
    if not 1 <= low <= high <= MAX_PORT:
        raise ValueError(f"{value!r} is not a port: give a number from 1 to 65535, or a range as in '5000-5010'")
    return low, high


def _read_protocols(value: Any) -> tuple[int, ...]:
    return tuple(map(_read_protocol, as_list(value)))


def _read_protocol(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_PROTOCOL:
        return value
    if isinstance(value, str) and value.lower() in PROTOCOLS:
        return PROTOCOLS[value.lower()]
    numbers = f"give a number from 0 to {MAX_PROTOCOL} or one of {', '.join(PROTOCOLS)}"
    raise ValueError(f"{value!r} is not a protocol; {name_hint(str(value), PROTOCOLS, numbers)}")


class TimeWindow(NamedTuple):
    """Times from ``begin_ns`` on and before ``end_ns`` (None: without end)."""

    begin_ns: int
    end_ns: int | None

    def holds(self, time_ns: int) -> bool:
        """Return whether a time is in the window."""
        return self.begin_ns <= time_ns and (self.end_ns is None or time_ns < self.end_ns)


def _read_window(value: Any) -> TimeWindow:
    if not isinstance(value, list) or not 1 <= len(value) <= 2:
        raise ValueError(f"{value!r} is not a window: give its begin and, if it has one, its end, as in ['10s', '1min']")
    times_ps = [read_duration(time) for time in value]
    if any(t % 1000 for t in times_ps):
        raise ValueError(f"{value!r} is finer than the times of a capture: give whole nanoseconds")
    begin, end = times_ps[0] // 1000, times_ps[1] // 1000 if len(times_ps) == 2 else None
    if end is not None and end <= begin:
        raise ValueError(f"{value!r} ends before it begins: give a later end")
    return TimeWindow(begin, end)


def _read_pairing(value: Any) -> str | dict[str, str]:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not value or not all(isinstance(name, str) for name in value.values()):
        raise ValueError(
            f"{value!r} names no mobile nodes: give 'ring', 'random', the name of one, or a table as in {{ mn0 = 'mn1' }}"
        )
    if itself := [name for name, correspondent in value.items() if name == correspondent]:
        raise ValueError(f"{itself[0]!r} is its own correspondent: name another mobile node")
    return value


Pairing = str | dict[str, str]
"""Correspondents that are mobile nodes: ``"ring"``, ``"random"``, one name for all, or a table by mobile node."""
Prefixes = Annotated[tuple[Prefix, ...], ValueReader(_read_prefixes), Field(min_length=1)]
Ports = Annotated[Ranges, ValueReader(_read_ports), Field(min_length=1)]
Protocols = Annotated[tuple[int, ...], ValueReader(_read_protocols), Field(min_length=1)]
Within = Annotated[TimeWindow, ValueReader(_read_window)]


class Filter(StrictModel):
    """Conditions on the flows of a capture; a flow must meet all of them."""

    source: Prefixes | None = None
    destination: Prefixes | None = None
    address: Prefixes | None = None
    source_port: Ports | None = None
    destination_port: Ports | None = None
    port: Ports | None = None
    protocol: Protocols | None = None
    direction: Literal["down", "up"] | None = None
    min_packets: Count = 0
    min_bytes: Size = 0
    min_duration: Duration = 0
    begins: Within = TimeWindow(0, None)

    @model_validator(mode="after")
    def _check_not_empty(self) -> Filter:
        if not self.model_fields_set:
            raise ValueError(f"is empty; give at least one of {', '.join(type(self).model_fields)}")
        return self


Filters = Annotated[list[Filter], ValueReader(as_list), Field(min_length=1)]

_CAPTURE_KEYS = {
    "mobile_address", "clocks", "clip", "select", "exclude", "clip_flows", "assign", "flows_per_mobile", "table", "origin",
    "pace", "shift", "loop",
}  # fmt: skip
_FLOW_KEYS = {"interval", "size_bytes", "poisson", "direction", "label"}


class Traffic(StrictModel):
    """One source of traffic for every mobile node: captures, or a constant-bit-rate or Poisson flow.

    With ``mobile_correspondent`` it is one for every mobile node that has a correspondent.
    """

    correspondent: Name | None = None
    mobile_correspondent: Annotated[Pairing, ValueReader(_read_pairing)] | None = None
    phase: Duration = 0
    capture: Annotated[list[str], ValueReader(as_list), Field(min_length=1)] | None = None
    mobile_address: Prefixes | None = None
    clocks: Literal["absolute", "each"] = "absolute"
    clip: Within = TimeWindow(0, None)
    select: Filters | None = None
    exclude: Filters | None = None
    clip_flows: Within = TimeWindow(0, None)
    assign: Literal["round-robin", "hash"] = "round-robin"
    flows_per_mobile: Positive | Literal["all"] = 1
    table: dict[str, list[str]] | None = None
    origin: Literal["flow", "stream"] = "flow"
    pace: Pace = "1"
    shift: Duration = 0
    loop: StrictBool = True
    label: Name | None = None
    interval: Duration | None = None
    poisson: StrictBool = False
    size_bytes: Annotated[int, Field(ge=1, le=65_000, strict=True)] | None = None
    direction: Literal["down", "up"] = "down"

    @property
    def factor(self) -> Fraction:
        """Exact value of ``pace``."""
        return Fraction(self.pace)

    @model_validator(mode="after")
    def _check_source(self) -> Traffic:
        is_replay = self.capture is not None
        if is_replay == (self.interval is not None):
            raise ValueError("give either 'capture' (a file to replay) or 'interval' and 'size_bytes' (a flow)")
        if is_replay and self.mobile_address is None:
            raise ValueError("give 'mobile_address' with the 'capture': the address in it that becomes the mobile node")
        if unused := sorted(self.model_fields_set & (_FLOW_KEYS if is_replay else _CAPTURE_KEYS)):
            source = "the replay of a capture" if is_replay else "a flow"
            raise ValueError(f"leave out {', '.join(map(repr, unused))}: not used for {source}")
        if not is_replay and (self.size_bytes is None or self.interval == 0):
            raise ValueError("a flow needs an 'interval' above 0 and 'size_bytes': give both")
        if self.correspondent is not None and self.mobile_correspondent is not None:
            raise ValueError("'correspondent' is a node, 'mobile_correspondent' a mobile node: leave one out")
        if problems := self._replay_problems():
            raise ValueError("; ".join(problems))
        return self

    def _replay_problems(self) -> list[str]:
        keys, problems = self.model_fields_set, []
        if self.table is not None and not self.table:
            problems.append("'table' is empty: name at least one mobile node, or leave it out")
        if self.table is not None and (replaced := sorted(keys & {"flows_per_mobile", "assign"})):
            problems.append(f"'table' replaces {' and '.join(map(repr, replaced))}: leave one or the other out")
        if self.assign == "hash" and "flows_per_mobile" in keys:
            problems.append("'flows_per_mobile' does not apply to assignment by hash, one mobile node a flow: leave it out")
        if self.capture is not None and len(self.capture) == 1 and "clocks" in keys:
            problems.append("'clocks' does not apply to a single capture: leave it out")
        return problems
