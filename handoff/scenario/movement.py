"""Pydantic models of the tables ``[movement]`` and ``[coverage]`` (docs/movement.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, StrictBool, WithJsonSchema, model_validator

from engine.quantities import DURATION
from handoff.mobility import Commuters, GaussMarkov, RandomWaypoint
from handoff.mobility.commuters import NONE
from handoff.mobility.coverage import Coverage, Radio
from handoff.scenario.field_types import (
    TEXT,
    DecimalReader,
    Duration,
    Gap,
    MobileCount,
    Name,
    OnBadRecord,
    Positive,
    Prefix,
    QuantityReader,
    StrictModel,
    ValueReader,
    as_list,
    parse_prefix,
)
from handoff.scenario.handoff_times import Distance, GapDuration, UniformDuration
from handoff.scenario.units import DECIBELS, FREQUENCY, LENGTH, MEGAHOUR_PS, POWER, SPEED

_MAX_COORDINATE_M = 10**8
_MAX_SIDE_MM = 2**31 - 1
_SHARE_DIGITS = 6
_SHARE = 10**_SHARE_DIGITS
_SECOND, _MILLISECOND = DURATION.units["s"], DURATION.units["ms"]

Length = Annotated[int, ValueReader(QuantityReader(LENGTH))]
Speed = Annotated[int, ValueReader(QuantityReader(SPEED))]
Decibels = Annotated[int, ValueReader(QuantityReader(DECIBELS))]
Power = Annotated[int, ValueReader(QuantityReader(POWER))]
Frequency = Annotated[int, ValueReader(QuantityReader(FREQUENCY))]
Side = Annotated[Length, Field(ge=1, le=_MAX_SIDE_MM)]
Metres = Annotated[int, ValueReader(DecimalReader("a coordinate in metres", -_MAX_COORDINATE_M, _MAX_COORDINATE_M, 3))]
Latitude = Annotated[int, ValueReader(DecimalReader("a latitude in degrees", -90, 90, 9))]
Longitude = Annotated[int, ValueReader(DecimalReader("a longitude in degrees", -180, 180, 9))]
Share = Annotated[int, ValueReader(DecimalReader("a share", 0, 1, _SHARE_DIGITS, is_share=True))]


class RandomWaypointModel(StrictModel):
    """Random waypoint mobility in a rectangle."""

    mobiles: MobileCount = Field(description="Number of mobile nodes.")
    prefix: Name = Field(default="mn", description="Name of the mobile nodes, to which a number from 0 is appended.")
    width: Side = Field(description="Width of the area.")
    height: Side = Field(description="Height of the area.")
    slowest: Speed = Field(description="Lowest speed; above 0.")
    fastest: Speed = Field(description="Highest speed.")
    pause: Duration = Field(default=0, description="Longest rest at a waypoint; each is drawn uniformly from 0 on.")

    @model_validator(mode="after")
    def _check_speeds(self) -> RandomWaypointModel:
        if not 0 < self.slowest <= self.fastest:
            raise ValueError("give a 'slowest' above 0, as the mean speed otherwise decays to 0, and at most 'fastest'")
        return self

    def model(self) -> RandomWaypoint:
        """Return the generator of positions."""
        return RandomWaypoint(self.width, self.height, self.slowest, self.fastest, self.pause)


class GaussMarkovModel(StrictModel):
    """Gauss-Markov mobility in a rectangle."""

    mobiles: MobileCount = Field(description="Number of mobile nodes.")
    prefix: Name = Field(default="mn", description="Name of the mobile nodes, to which a number from 0 is appended.")
    width: Side = Field(description="Width of the area.")
    height: Side = Field(description="Height of the area.")
    speed: Speed = Field(description="Mean speed.")
    memory: Share = Field(
        default=900_000,
        description="Share of the velocity that remains from one step to the next: 0 is Brownian motion, 1 a straight line.",
    )
    step: Duration = Field(default=_SECOND, description="Time between two changes of the velocity, in whole milliseconds.")

    @model_validator(mode="after")
    def _check_step(self) -> GaussMarkovModel:
        if self.step == 0 or self.step % _MILLISECOND:
            raise ValueError("give a 'step' of a whole number of milliseconds above 0")
        return self

    def model(self) -> GaussMarkov:
        """Return the generator of positions."""
        return GaussMarkov(self.width, self.height, self.speed, (self.memory << 20) // _SHARE, self.step)


class CommutersModel(StrictModel):
    """Handoffs between neighbouring routers at a rate, without positions."""

    mobile_nodes: MobileCount = Field(description="Number of mobile nodes.")
    prefix: Name = Field(default="mn", description="Name of the mobile nodes, to which a number from 0 is appended.")
    handoff_rate: Frequency | None = Field(
        default=None, description="Mean rate of handoffs of a mobile node, over all mobile nodes."
    )
    distance: Distance | None = Field(
        default=None,
        description="Mean path between two handoffs of a mobile node that moves, instead of 'handoff_rate': a length, or the "
        "name of a measured one such as '5g-nsa-low'.",
    )
    speed: Speed | None = Field(default=None, description="Speed of the mobile nodes that move, with 'distance'.")
    moving: Share = Field(default=_SHARE, description="Share of the mobile nodes that hand off at all.")
    dwell: Literal["exponential", "constant"] = Field(default="exponential", description="Distribution of the time at a router.")
    path: Literal["line", "random", "ring"] = Field(
        default="line",
        description="Order of the routers: back and forth along their list, to a random neighbour in it, or around it as a ring.",
    )
    gap: GapDuration | None = Field(
        default=None,
        description="Time without a link during a handoff (single access): a duration, the two ends of a uniform distribution, "
        "a list of shares and quantiles, or the name of a measured distribution such as 'lte-measured'.",
    )
    overlap: UniformDuration | None = Field(
        default=None,
        description="Time with two links during a handoff (dual access): a duration, or the two ends of a uniform distribution.",
    )
    single_access: Share | None = Field(
        default=None, description="Share of handoffs with a gap, if both 'gap' and 'overlap' are given."
    )
    announced: Share = Field(default=_SHARE, description="Share of handoffs that layer 2 announces.")
    lead: UniformDuration = Field(
        default=NONE,
        description="Time from the prediction to the warning: a duration, or the two ends of a uniform distribution.",
    )
    guard: UniformDuration = Field(
        default=NONE,
        description="Time from the warning to the end of the old link: a duration, or the two ends of a uniform distribution.",
    )
    start: Literal["spread", "first"] = Field(
        default="spread", description="Where mobile nodes begin: spread over all routers, or at the first one."
    )
    group: Positive = Field(default=1, description="Number of mobile nodes that move together.")

    @model_validator(mode="after")
    def _check_handoffs(self) -> CommutersModel:
        problems = []
        by_path = (self.distance is not None, bool(self.speed))
        if by_path != (self.handoff_rate is None,) * 2:
            problems.append("give either 'handoff_rate', or 'distance' and a 'speed' above 0")
        both = self.gap is not None and self.overlap is not None
        if both == (self.single_access is None) or (self.gap is None and self.overlap is None):
            problems.append(
                "give either 'gap' (time without a link) or 'overlap' (time with two links), where '0s' means neither; or give "
                "both and 'single_access', the share of handoffs with a gap"
            )
        if self.lead != NONE and self.overlap is not None and self.overlap.high > self.lead.low + self.guard.low:
            problems.append("give an 'overlap' of at most 'lead' and 'guard' together: the prediction comes before the new link")
        if not self.moving and (self.handoff_rate or self.distance):
            problems.append("'moving' is 0, which excludes a 'handoff_rate' above 0: change one of them")
        if not problems and (problem := self.model().validation_error()):
            problems.append(problem)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def model(self) -> Commuters:
        """Return the generator of attachments; moving nodes hand off more often, so that the mean of all nodes is the rate."""
        moving, dwell_ps = 0, 0
        if self.handoff_rate:
            moving, dwell_ps = self.moving, MEGAHOUR_PS * self.moving // (_SHARE * self.handoff_rate)
        elif self.distance is not None and self.speed:
            moving, dwell_ps = self.moving, self.distance * _SECOND // self.speed
        return Commuters(
            dwell_ps, (moving << 64) // _SHARE, self.dwell == "constant", self.path, self.gap or NONE, self.overlap or NONE,
            None if self.single_access is None else (self.single_access << 64) // _SHARE, (self.announced << 64) // _SHARE,
            self.guard, self.lead, self.start == "first",
            min(self.group, self.mobile_nodes),
        )  # fmt: skip

    def names(self) -> list[str]:
        """Return the names of the mobile nodes."""
        return [f"{self.prefix}{i}" for i in range(self.mobile_nodes)]


_MAX_TIME_PS = 2**63 - 1
_LONG_SECONDS = re.compile(r"(\d{1,12})(?:\.(\d{1,12}))? ?s")


@dataclass(frozen=True)
class BeginReader(QuantityReader):
    """Validator of a time in a file: a duration, or UNIX seconds beyond the largest duration."""

    def __call__(self, value: Any) -> int:
        """Return a time in picoseconds.

        Raises
        ------
        ValueError
            If the value has no unit, or is out of range.
        """
        if isinstance(value, str) and (match := _LONG_SECONDS.fullmatch(value.strip())):
            return int(match[1]) * _SECOND + int((match[2] or "0").ljust(12, "0"))
        return super().__call__(value)


def _read_texts(value: Any) -> dict[str, str]:
    is_table = isinstance(value, dict) and all(isinstance(text, str) and text for text in value.values())
    if not is_table:
        raise ValueError("give a table of names, as in { cell = 'CellID', time = 'Timestamp' }")
    return dict(value)


def _read_columns(value: Any) -> dict[str, str]:
    columns = _read_texts(value)
    if not {"cell", "time"} <= columns.keys() <= {"mobile", "cell", "time"}:
        raise ValueError("give 'cell' and 'time', and 'mobile' unless there is one mobile node only; no other column is used")
    return columns


def _read_router_prefixes(value: Any) -> dict[Prefix, Any]:
    if not isinstance(value, dict):
        raise ValueError("give a table of care-of addresses or prefixes and router names, as in { '10.1.0.0/16' = 'ar0' }")
    return {parse_prefix(address): router for address, router in value.items()}


RouterPrefixes = Annotated[
    dict[Prefix, Name], ValueReader(_read_router_prefixes), Field(min_length=1),
    WithJsonSchema({"type": "object", "additionalProperties": TEXT, "minProperties": 1}),
]  # fmt: skip


TraceFormat = Literal["fcd", "fcd-geo", "gpx", "setdest", "bonnmotion", "bonnmotion-3d", "gnettrack"]
LogFormat = Literal["associations", "gnettrack", "csv", "syslog", "crawdad"]
FileFormat = Literal[TraceFormat, LogFormat]
_TEXTS = {"type": "object", "additionalProperties": TEXT, "minProperties": 1}
Columns = Annotated[dict[str, str], ValueReader(_read_columns), WithJsonSchema(_TEXTS)]
Cells = Annotated[dict[str, Name], ValueReader(_read_texts), Field(min_length=1), WithJsonSchema(_TEXTS)]


class Movement(StrictModel):
    """Source of movement: attachments, registrations of a capture, or positions from a file or a mobility model."""

    associations: str | None = Field(
        default=None, description="File of associations (mobile node, router, time up, time down), or a log of another program."
    )
    capture: Annotated[list[str], ValueReader(as_list), Field(min_length=1)] | None = Field(
        default=None, description="Captures whose registrations give the movement: a file, or a list of files."
    )
    routers: RouterPrefixes | None = Field(
        default=None, description="Router of each care-of address or prefix in the capture; the longest prefix wins."
    )
    home: Name | None = Field(default=None, description="Name of the router that represents the home link of a capture.")
    lead: Duration | None = Field(
        default=None,
        description="Time from the prediction to the warning, for the handoffs of a capture. Default: no prediction.",
    )
    guard: Duration | None = Field(
        default=None,
        description="Time from the warning to the end of the old link, for the handoffs of a capture. Default: no warning.",
    )
    trace: str | None = Field(
        default=None, description="File of positions: SUMO floating car data, GPX, setdest, BonnMotion or a drive test."
    )
    format: FileFormat | None = Field(default=None, description="Format of the file. Default: detected from its content.")
    activity: str | None = Field(default=None, description="File of the times in which mobile nodes of a trace are switched on.")
    origin: tuple[Latitude, Longitude] | None = Field(
        default=None, description="Latitude and longitude of the point (0, 0) of a trace in degrees."
    )
    columns: Columns | None = Field(
        default=None, description="Names of the columns 'mobile', 'cell' and 'time' of associations in a CSV file."
    )
    cells: Cells | None = Field(default=None, description="Router of each cell or access point of the associations.")
    begin: Annotated[int, ValueReader(BeginReader(DURATION))] = Field(
        default=0, description="Time in the file at which the run begins."
    )
    on_bad_record: OnBadRecord = Field(
        default="refuse",
        description="What happens to a bad record: the file is refused, the record is skipped, "
        "or of two that contradict each other the first one is kept.",
    )
    strict: StrictBool = Field(
        default=False,
        description="If true, a trace with implausible speeds or positions is refused; otherwise there is a warning.",
    )
    random_waypoint: RandomWaypointModel | None = Field(default=None, description="Random waypoint model in a rectangle.")
    gauss_markov: GaussMarkovModel | None = Field(default=None, description="Gauss-Markov model in a rectangle.")
    commuters: CommutersModel | None = Field(
        default=None, description="Handoffs between neighbouring routers at a rate, without positions."
    )
    margin: Duration = Field(
        default=0, description="Time after the first link comes up, and before the last one goes down, without traffic."
    )

    @property
    def has_positions(self) -> bool:
        """If true, movement consists of positions, which a coverage model turns into attachments."""
        return self.associations is None and self.capture is None and self.commuters is None

    @model_validator(mode="after")
    def _check_source(self) -> Movement:
        sources = ("associations", "capture", "trace", "random_waypoint", "gauss_markov", "commuters")
        if sum(getattr(self, source) is not None for source in sources) != 1:
            raise ValueError(f"give exactly one of {', '.join(map(repr, sources))}")
        only_traces = {"activity", "origin", "strict"} | (set() if self.format in (*get_args(LogFormat), None) else {"format"})
        if self.trace is None and (unused := sorted(self.model_fields_set & only_traces)):
            raise ValueError(f"leave out {', '.join(map(repr, unused))}: not used without a 'trace'")
        if self.associations is None and (unused := sorted(self.model_fields_set & {"cells", "columns"})):
            raise ValueError(f"leave out {', '.join(map(repr, unused))}: not used without 'associations'")
        if self.trace is None and self.associations is None and "format" in self.model_fields_set:
            raise ValueError("leave out 'format': not used without a 'trace' or 'associations'")
        if self.trace is not None and self.format not in (*get_args(TraceFormat), None):
            raise ValueError(f"'format' is {self.format!r}: give one of {', '.join(get_args(TraceFormat))}")
        if self.format is not None and (self.columns is not None) != (self.format == "csv"):
            raise ValueError("give 'columns' with the format 'csv', and with no other")
        if self.capture is None and (unused := sorted(self.model_fields_set & {"routers", "home", "lead", "guard"})):
            raise ValueError(f"leave out {', '.join(map(repr, unused))}: not used without a 'capture'")
        has_file = (self.trace, self.capture, self.associations) != (None, None, None)
        if "on_bad_record" in self.model_fields_set and not has_file:
            raise ValueError("leave out 'on_bad_record': not used without a 'trace' or 'associations' or a 'capture'")
        if "begin" in self.model_fields_set and not has_file:
            raise ValueError("leave out 'begin': not used without a 'trace', 'associations' or a 'capture'")
        if self.associations is None and self.begin > _MAX_TIME_PS:
            raise ValueError("'begin' is beyond 106 days: only 'associations' may have UNIX times")
        if self.capture is not None and self.routers is None:
            raise ValueError("give 'routers' with the 'capture': it maps care-of addresses to routers")
        return self


class CoverageModel(StrictModel):
    """Conversion of positions to attachments: positions of routers, radio propagation, handoff decision, layer-2 events."""

    positions_m: dict[Name, tuple[Metres, Metres]] | None = Field(
        default=None, description="Position of each router: x and y in metres."
    )
    positions_deg: dict[Name, tuple[Latitude, Longitude]] | None = Field(
        default=None, description="Position of each router: latitude and longitude in degrees, instead of 'positions_m'."
    )
    transmit: Power = Field(default=Radio.transmit, description="Transmitted power of a router.")
    reference_loss: Decibels = Field(default=Radio.reference_loss, description="Loss over the first 'reference' metres.")
    reference: Annotated[Length, Field(ge=1, le=10**6)] = Field(
        default=Radio.reference_mm, description="Distance within which the path loss is constant."
    )
    exponent: Annotated[int, ValueReader(DecimalReader("an exponent of path loss", 1, 10, 3))] = Field(
        default=Radio.exponent, description="Exponent of the path loss with distance."
    )
    shadowing: Annotated[Decibels, Field(ge=0, le=40_000)] = Field(
        default=Radio.shadowing, description="Standard deviation of the log-normal shadowing."
    )
    decorrelation: Annotated[Length, Field(ge=8)] = Field(
        default=Radio.decorrelation_mm, description="Distance over which the correlation of the shadowing falls to 1/e."
    )
    minimum: Power = Field(default=Coverage.minimum, description="Received power below which a link is lost.")
    hysteresis: Annotated[Decibels, Field(ge=0)] = Field(
        default=Coverage.hysteresis, description="Margin by which another router has to be stronger for a handoff."
    )
    time_to_trigger: Annotated[Duration, Field(gt=0)] = Field(
        default=Coverage.trigger_ps, description="Time for which another router has to be stronger."
    )
    interval: Annotated[Duration, Field(ge=_MILLISECOND, le=10 * _SECOND)] = Field(
        default=Coverage.interval_ps, description="Time between two measurements of the received powers."
    )
    lead: Duration = Field(default=Coverage.lead_ps, description="Time from the prediction to the warning.")
    lead_spread: Duration = Field(
        default=Coverage.lead_spread_ps, description="The lead is drawn uniformly within plus or minus this time."
    )
    guard: Duration = Field(default=Coverage.guard_ps, description="Time from the warning to the end of the old link.")
    going_down: Power | None = Field(
        default=Coverage.warning,
        description="Received power below which layer 2 warns that the link may be lost. Default: no warning.",
    )
    single_access: Share = Field(default=0, description="Share of the mobile nodes with a single radio.")
    switch: Duration = Field(
        default=Coverage.switch_ps, description="Time from the end of one link to the start of the next with a single radio."
    )
    longest_gap: Gap = Field(
        default=Coverage.longest_gap_ps,
        description="A mobile node is absent between two samples that are farther apart. Default: never.",
    )

    @model_validator(mode="after")
    def _check_events(self) -> CoverageModel:
        problems = []
        if (self.positions_m is None) == (self.positions_deg is None):
            problems.append("give routers' positions as either 'positions_m' (x, y) or 'positions_deg' (latitude, longitude)")
        if self.lead_spread > self.lead:
            problems.append("give a 'lead_spread' of at most 'lead': a prediction comes before its warning")
        if self.going_down is not None and self.going_down < self.minimum:
            problems.append("give a 'going_down' of at least 'minimum': the warning comes before the link is lost")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def placed(self) -> list[str]:
        """Return the names of the routers that have a position."""
        return list(self.positions_m or self.positions_deg or {})

    def model(self, x_mm: list[int], y_mm: list[int]) -> Coverage:
        """Return the coverage model.

        Parameters
        ----------
        x_mm, y_mm : list of int
            Positions of the routers in the plane of the tracks, in the order of ``placed``.
        """
        radio = Radio(self.transmit, self.reference_loss, self.reference, self.exponent, self.shadowing, self.decorrelation)
        return Coverage(
            tuple(self.placed()), tuple(x_mm), tuple(y_mm), radio, self.minimum, self.hysteresis, self.time_to_trigger,
            self.interval, self.lead, self.lead_spread, self.guard, self.going_down, (self.single_access << 64) // _SHARE,
            self.switch, self.longest_gap,
        )  # fmt: skip


__all__ = ["CommutersModel", "CoverageModel", "GaussMarkovModel", "Movement", "RandomWaypointModel"]
