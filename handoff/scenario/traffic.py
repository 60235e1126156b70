"""Pydantic models of the table ``[[traffic]]``: captures to replay (docs/replay.md), or constant-bit-rate and Poisson flows."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, StrictBool, WithJsonSchema, model_validator

from engine.similar_names import name_hint
from handoff.scenario.field_types import (
    PREFIX,
    TEXT,
    Count,
    Duration,
    Name,
    OnBadRecord,
    Pace,
    Positive,
    Prefix,
    Size,
    StrictModel,
    ValueReader,
    as_list,
    one_or_more,
    parse_prefix,
    read_all,
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
_PORT = {
    "anyOf": [{"type": "integer", "minimum": 1, "maximum": MAX_PORT}, {"type": "string", "pattern": r"^\s*\d+\s*(-\s*\d+\s*)?$"}]
}
_PROTOCOL = {"anyOf": [{"enum": list(PROTOCOLS)}, {"type": "integer", "minimum": 0, "maximum": MAX_PROTOCOL}]}
_WINDOW = {"type": "array", "items": read_duration.json_schema(), "minItems": 1, "maxItems": 2}
_PAIRING = {"anyOf": [TEXT, {"type": "object", "additionalProperties": TEXT, "minProperties": 1}]}
Prefixes = Annotated[tuple[Prefix, ...], ValueReader(_read_prefixes), Field(min_length=1), WithJsonSchema(one_or_more(PREFIX))]
Ports = Annotated[Ranges, ValueReader(_read_ports), Field(min_length=1), WithJsonSchema(one_or_more(_PORT))]
Protocols = Annotated[tuple[int, ...], ValueReader(_read_protocols), Field(min_length=1), WithJsonSchema(one_or_more(_PROTOCOL))]
Within = Annotated[TimeWindow, ValueReader(_read_window), WithJsonSchema(_WINDOW)]


class Filter(StrictModel):
    """Conditions on the flows of a capture; a flow must meet all of them."""

    source: Prefixes | None = Field(
        default=None, description="Address or prefix of the sender of the flow's first packet in the capture."
    )
    destination: Prefixes | None = Field(
        default=None, description="Address or prefix of the receiver of the flow's first packet in the capture."
    )
    address: Prefixes | None = Field(default=None, description="Address or prefix of either endpoint.")
    source_port: Ports | None = Field(
        default=None, description="Port of the sender of the flow's first packet: a number, or a range such as '5000-5010'."
    )
    destination_port: Ports | None = Field(
        default=None, description="Port of the receiver of the flow's first packet: a number, or a range such as '5000-5010'."
    )
    port: Ports | None = Field(default=None, description="Port of either endpoint: a number, or a range such as '5000-5010'.")
    protocol: Protocols | None = Field(default=None, description="Transport protocol, by name or number.")
    direction: Literal["down", "up"] | None = Field(
        default=None, description="Direction of the packets: down to the mobile node, or up from it."
    )
    min_packets: Count = Field(default=0, description="Least number of packets of the flow, both directions together.")
    min_bytes: Size = Field(default=0, description="Least total size of the flow, both directions together.")
    min_duration: Duration = Field(default=0, description="Least time from the first to the last packet of the flow.")
    begins: Within = Field(
        default=TimeWindow(0, None), description="Times between which the first packet of the flow lies, as in ['10s', '1min']."
    )

    @model_validator(mode="after")
    def _check_not_empty(self) -> Filter:
        if not self.model_fields_set:
            raise ValueError(f"is empty; give at least one of {', '.join(type(self).model_fields)}")
        return self


Filters = Annotated[list[Filter], ValueReader(as_list), Field(min_length=1)]

_CAPTURE_KEYS = {
    "mobile_address", "tunnel", "on_bad_record", "clocks", "clip", "select", "exclude", "clip_flows", "assign",
    "flows_per_mobile", "table", "origin", "pace", "shift", "loop",
}  # fmt: skip
_FLOW_KEYS = {"interval", "size_bytes", "poisson", "direction", "label"}


class Traffic(StrictModel):
    """One source of traffic for every mobile node: captures, or a constant-bit-rate or Poisson flow.

    With ``mobile_correspondent`` it is one for every mobile node that has a correspondent.
    """

    correspondent: Name | None = Field(default=None, description="Name of the correspondent. Default: the first one.")
    mobile_correspondent: Annotated[Pairing, ValueReader(_read_pairing), WithJsonSchema(_PAIRING)] | None = Field(
        default=None,
        description="Other mobile node that is the correspondent: 'ring', 'random', a name, or a table by mobile node.",
    )
    phase: Duration = Field(
        default=0, description="Random offset of the start, drawn uniformly from 0 to this time for each mobile node."
    )
    capture: Annotated[list[str], ValueReader(as_list), Field(min_length=1)] | None = Field(
        default=None, description="Capture to replay: a file, or a list of files."
    )
    mobile_address: Prefixes | None = Field(
        default=None, description="Address or prefix in the capture that becomes the mobile node."
    )
    tunnel: Literal["inner", "outer"] | None = Field(
        default=None,
        description="Addresses of packets in tunnels. Default: the inner ones if they match 'mobile_address', "
        "else the outer ones.",
    )
    on_bad_record: OnBadRecord = Field(
        default="refuse",
        description="What happens to a bad record: the capture is refused, the record is skipped, "
        "or the packets before it are kept.",
    )
    clocks: Literal["absolute", "each"] = Field(
        default="absolute", description="Times of several captures: on one clock, or each from its own beginning."
    )
    clip: Within = Field(
        default=TimeWindow(0, None), description="Times of the capture between which packets are replayed, as in ['10s', '1min']."
    )
    select: Filters | None = Field(
        default=None, description="Flows to replay: a filter, or a list of filters of which one has to match."
    )
    exclude: Filters | None = Field(default=None, description="Flows that are not replayed: a filter, or a list of filters.")
    clip_flows: Within = Field(
        default=TimeWindow(0, None),
        description="Times of each flow, counted from its first packet, between which packets are replayed.",
    )
    assign: Literal["round-robin", "hash"] = Field(
        default="round-robin", description="Assignment of flows to mobile nodes: in turn, or by a hash of their names."
    )
    flows_per_mobile: Annotated[Positive | None, ValueReader(read_all)] = Field(
        default=1, description="Number of flows that each mobile node replays, or 'all'."
    )
    table: dict[str, list[str]] | None = Field(
        default=None, description="Names of the flows of each mobile node, instead of an assignment."
    )
    origin: Literal["flow", "stream"] = Field(
        default="flow", description="Time 0 of a flow: its own first packet, or the beginning of the capture."
    )
    pace: Pace = Field(default="1", description="Factor of all recorded times, as in 2 or '1/3'; 2 halves the rate.")
    shift: Duration = Field(default=0, description="Time that is added to the start of every flow.")
    loop: StrictBool = Field(default=True, description="If true, a flow starts again when it ends before the run.")
    label: Name | None = Field(default=None, description="Name of a generated flow. Default: 'cbr' or 'poisson'.")
    interval: Duration | None = Field(
        default=None, description="Time between two packets of a generated flow; with 'poisson' its mean."
    )
    poisson: StrictBool = Field(
        default=False, description="If true, the intervals of a generated flow are exponential instead of constant."
    )
    size_bytes: Annotated[int, Field(ge=1, le=65_000, strict=True)] | None = Field(
        default=None, description="Packet size of a generated flow in bytes."
    )
    direction: Literal["down", "up"] = Field(
        default="down", description="Direction of a generated flow: down to the mobile node, or up from it."
    )

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
