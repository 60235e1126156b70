"""Pydantic models of the tables ``[movement]`` and ``[coverage]`` (docs/movement.md)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from engine.quantities import DURATION
from handoff.mobility import Commuters, GaussMarkov, RandomWaypoint
from handoff.mobility.commuters import NONE, UniformTime
from handoff.mobility.coverage import Coverage, Radio
from handoff.scenario.field_types import (
    DecimalReader,
    Duration,
    Gap,
    MobileCount,
    Name,
    Positive,
    Prefix,
    QuantityReader,
    StrictModel,
    ValueReader,
    as_list,
    parse_prefix,
    read_duration,
)
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


def parse_uniform(value: Any) -> UniformTime:
    """Return the distribution of a value that is one duration, or the two ends of a uniform distribution.

    Raises
    ------
    ValueError
        If the value has another form, or its ends are in the wrong order.
    """
    ends = value if isinstance(value, list) else [value, value]
    if len(ends) != 2:
        raise ValueError(f"{value!r} is neither a duration nor the ends of a range, as in ['20ms', '100ms']")
    low, high = map(read_duration, ends)
    if high < low:
        raise ValueError(f"{value!r} ends before it begins: write the shorter duration first")
    return UniformTime(low, high)


UniformDuration = Annotated[UniformTime, ValueReader(parse_uniform)]


class RandomWaypointModel(StrictModel):
    """Random waypoint mobility in a rectangle."""

    mobiles: MobileCount
    prefix: Name = "mn"
    width: Side
    height: Side
    slowest: Speed
    fastest: Speed
    pause: Duration = 0

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

    mobiles: MobileCount
    prefix: Name = "mn"
    width: Side
    height: Side
    speed: Speed
    memory: Share = 900_000
    step: Duration = _SECOND

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

    mobile_nodes: MobileCount
    prefix: Name = "mn"
    handoff_rate: Frequency
    moving: Share = _SHARE
    dwell: Literal["exponential", "constant"] = "exponential"
    path: Literal["line", "random", "ring"] = "line"
    gap: UniformDuration | None = None
    overlap: UniformDuration | None = None
    single_access: Share | None = None
    announced: Share = _SHARE
    lead: UniformDuration = NONE
    guard: UniformDuration = NONE
    start: Literal["spread", "first"] = "spread"
    group: Positive = 1

    @model_validator(mode="after")
    def _check_handoffs(self) -> CommutersModel:
        problems = []
        both = self.gap is not None and self.overlap is not None
        if both == (self.single_access is None) or (self.gap is None and self.overlap is None):
            problems.append(
                "give either 'gap' (time without a link) or 'overlap' (time with two links), where '0s' means neither; or give "
                "both and 'single_access', the share of handoffs with a gap"
            )
        if self.lead != NONE and self.overlap is not None and self.overlap.high > self.lead.low + self.guard.low:
            problems.append("give an 'overlap' of at most 'lead' and 'guard' together: the prediction comes before the new link")
        if not self.moving and self.handoff_rate:
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
        return Commuters(
            dwell_ps, (moving << 64) // _SHARE, self.dwell == "constant", self.path, self.gap or NONE, self.overlap or NONE,
            None if self.single_access is None else (self.single_access << 64) // _SHARE, (self.announced << 64) // _SHARE,
            self.guard, self.lead, self.start == "first",
            min(self.group, self.mobile_nodes),
        )  # fmt: skip

    def names(self) -> list[str]:
        """Return the names of the mobile nodes."""
        return [f"{self.prefix}{i}" for i in range(self.mobile_nodes)]


def _read_router_prefixes(value: Any) -> dict[Prefix, Any]:
    if not isinstance(value, dict):
        raise ValueError("give a table of care-of addresses or prefixes and router names, as in { '10.1.0.0/16' = 'ar0' }")
    return {parse_prefix(address): router for address, router in value.items()}


class Movement(StrictModel):
    """Source of movement: attachments, registrations of a capture, or positions from a file or a mobility model."""

    associations: str | None = None
    capture: Annotated[list[str], ValueReader(as_list), Field(min_length=1)] | None = None
    routers: Annotated[dict[Prefix, Name], ValueReader(_read_router_prefixes), Field(min_length=1)] | None = None
    home: Name | None = None
    lead: Duration | None = None
    guard: Duration | None = None
    trace: str | None = None
    format: Literal["fcd", "fcd-geo", "gpx", "setdest", "bonnmotion"] | None = None
    origin: tuple[Latitude, Longitude] | None = None
    begin: Duration = 0
    random_waypoint: RandomWaypointModel | None = None
    gauss_markov: GaussMarkovModel | None = None
    commuters: CommutersModel | None = None
    margin: Duration = 0

    @property
    def has_positions(self) -> bool:
        """If true, movement consists of positions, which a coverage model turns into attachments."""
        return self.associations is None and self.capture is None and self.commuters is None

    @model_validator(mode="after")
    def _check_source(self) -> Movement:
        sources = ("associations", "capture", "trace", "random_waypoint", "gauss_markov", "commuters")
        if sum(getattr(self, source) is not None for source in sources) != 1:
            raise ValueError(f"give exactly one of {', '.join(map(repr, sources))}")
        if self.trace is None and (unused := sorted(self.model_fields_set & {"format", "origin"})):
            raise ValueError(f"leave out {', '.join(map(repr, unused))}: not used without a 'trace'")
        if self.capture is None and (unused := sorted(self.model_fields_set & {"routers", "home", "lead", "guard"})):
            raise ValueError(f"leave out {', '.join(map(repr, unused))}: not used without a 'capture'")
        if self.trace is None and self.capture is None and "begin" in self.model_fields_set:
            raise ValueError("leave out 'begin': not used without a 'trace' or a 'capture'")
        if self.capture is not None and self.routers is None:
            raise ValueError("give 'routers' with the 'capture': it maps care-of addresses to routers")
        return self


class CoverageModel(StrictModel):
    """Conversion of positions to attachments: positions of routers, radio propagation, handoff decision, layer-2 events."""

    positions_m: dict[Name, tuple[Metres, Metres]] | None = None
    positions_deg: dict[Name, tuple[Latitude, Longitude]] | None = None
    transmit: Power = Radio.transmit
    reference_loss: Decibels = Radio.reference_loss
    reference: Annotated[Length, Field(ge=1, le=10**6)] = Radio.reference_mm
    exponent: Annotated[int, ValueReader(DecimalReader("an exponent of path loss", 1, 10, 3))] = Radio.exponent
    shadowing: Annotated[Decibels, Field(ge=0, le=40_000)] = Radio.shadowing
    decorrelation: Annotated[Length, Field(ge=8)] = Radio.decorrelation_mm
    minimum: Power = Coverage.minimum
    hysteresis: Annotated[Decibels, Field(ge=0)] = Coverage.hysteresis
    time_to_trigger: Annotated[Duration, Field(gt=0)] = Coverage.trigger_ps
    interval: Annotated[Duration, Field(ge=_MILLISECOND, le=10 * _SECOND)] = Coverage.interval_ps
    lead: Duration = Coverage.lead_ps
    lead_spread: Duration = Coverage.lead_spread_ps
    guard: Duration = Coverage.guard_ps
    going_down: Power | None = Coverage.warning
    single_access: Share = 0
    switch: Duration = Coverage.switch_ps
    longest_gap: Gap = Coverage.longest_gap_ps

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
