"""What a scenario file may say about traffic: captures to replay (docs/replay.md), or flows at a rate."""

from __future__ import annotations

import difflib
from fractions import Fraction
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, StrictBool, model_validator

from handoff.scenario.field_types import (
    Count,
    Duration,
    Name,
    Pace,
    Positive,
    Prefix,
    Size,
    StrictModel,
    as_list,
    parse_prefix,
    read_duration,
)

Ranges = tuple[tuple[int, int], ...]
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "dccp": 33, "gre": 47, "esp": 50, "icmp6": 58, "sctp": 132, "udplite": 136}


def _prefixes(value: Any) -> tuple[Prefix, ...]:
    return tuple(map(parse_prefix, as_list(value)))


def _ports(value: Any) -> Ranges:
    return tuple(map(_port, as_list(value)))


def _port(value: Any) -> tuple[int, int]:
    ends = value.split("-") if isinstance(value, str) else [value, value]
    known = not isinstance(value, bool) and len(ends) == 2 and all(str(e).strip().isdecimal() for e in ends)
    low, high = (int(e) for e in ends) if known else (0, 0)
    if not 1 <= low <= high <= 65535:
        raise ValueError(f"{value!r} is not a port: give a number from 1 to 65535, or a range as in '5000-5010'")
    return low, high


def _protocols(value: Any) -> tuple[int, ...]:
    return tuple(map(_protocol, as_list(value)))


def _protocol(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255:
        return value
    if isinstance(value, str) and value.lower() in PROTOCOLS:
        return PROTOCOLS[value.lower()]
    near = difflib.get_close_matches(str(value), PROTOCOLS, 1)
    right = f"did you mean {near[0]!r}?" if near else f"give a number from 0 to 255 or one of {', '.join(PROTOCOLS)}"
    raise ValueError(f"{value!r} is not a protocol; {right}")


class TimeWindow(NamedTuple):
    """Times from ``begin_ns`` until before ``end_ns`` (None: for ever)."""

    begin_ns: int
    end_ns: int | None

    def holds(self, time_ns: int) -> bool:
        """Whether a time is in it."""
        return self.begin_ns <= time_ns and (self.end_ns is None or time_ns < self.end_ns)


def _window(value: Any) -> TimeWindow:
    if not isinstance(value, list) or not 1 <= len(value) <= 2:
        raise ValueError(f"{value!r} is not a window: give when it begins and, if it does, ends, as in ['10s', '1min']")
    times_ps = [read_duration(time) for time in value]
    if any(t % 1000 for t in times_ps):
        raise ValueError(f"{value!r} is finer than captures are: give whole nanoseconds")
    begin, end = times_ps[0] // 1000, times_ps[1] // 1000 if len(times_ps) == 2 else None
    if end is not None and end <= begin:
        raise ValueError(f"{value!r} ends before it begins")
    return TimeWindow(begin, end)


Prefixes = Annotated[tuple[Prefix, ...], BeforeValidator(_prefixes), Field(min_length=1)]
Ports = Annotated[Ranges, BeforeValidator(_ports), Field(min_length=1)]
Protocols = Annotated[tuple[int, ...], BeforeValidator(_protocols), Field(min_length=1)]
Within = Annotated[TimeWindow, BeforeValidator(_window)]


class Filter(StrictModel):
    """Packets of flows that meet every condition that is given."""

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
    def _some(self) -> Filter:
        if not self.model_fields_set:
            raise ValueError(f"is empty; give at least one of {', '.join(type(self).model_fields)}")
        return self


Filters = Annotated[list[Filter], BeforeValidator(as_list), Field(min_length=1)]

_OF_A_CAPTURE = {
    "mobile_address", "clocks", "clip", "select", "exclude", "clip_flows", "assign", "flows_per_mobile", "table", "origin",
    "pace", "shift", "loop",
}  # fmt: skip
_OF_A_FLOW = {"interval", "size_bytes", "poisson", "direction", "label"}


class Traffic(StrictModel):
    """One source of traffic for every mobile node: captures, or a constant-bit-rate or Poisson flow."""

    correspondent: Name | None = None
    phase: Duration = 0
    capture: Annotated[list[str], BeforeValidator(as_list), Field(min_length=1)] | None = None
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
    poisson: bool = False
    size_bytes: Annotated[int, Field(ge=1, le=65_000, strict=True)] | None = None
    direction: Literal["down", "up"] = "down"

    @property
    def factor(self) -> Fraction:
        """``pace``, exactly."""
        return Fraction(self.pace)

    @model_validator(mode="after")
    def _one_kind(self) -> Traffic:
        if (self.capture is None) == (self.interval is None):
            raise ValueError("give either 'capture' (a file to replay) or 'interval' and 'size_bytes' (a flow)")
        if self.capture is not None and self.mobile_address is None:
            raise ValueError("a capture needs 'mobile_address', the address in it that becomes the mobile node")
        if idle := sorted(self.model_fields_set & (_OF_A_FLOW if self.capture is not None else _OF_A_CAPTURE)):
            kind = "a capture is replayed" if self.capture is not None else "nothing is replayed"
            raise ValueError(f"{', '.join(map(repr, idle))} means nothing where {kind}: leave it out")
        if self.interval is not None and (self.size_bytes is None or self.interval == 0):
            raise ValueError("a flow needs an 'interval' above 0 and 'size_bytes'")
        if found := self._replayed():
            raise ValueError("; ".join(found))
        return self

    def _replayed(self) -> list[str]:
        """What is wrong with a replay."""
        given, found = self.model_fields_set, []
        if self.table is not None and (not self.table or given & {"flows_per_mobile", "assign"}):
            found.append("a 'table' names at least one mobile node, and stands instead of 'flows_per_mobile' and 'assign'")
        if self.assign == "hash" and "flows_per_mobile" in given:
            found.append("'flows_per_mobile' means nothing where flows are assigned by hash: each goes to one mobile node")
        if self.capture is not None and len(self.capture) == 1 and "clocks" in given:
            found.append("'clocks' means nothing where there is one capture: leave it out")
        return found
