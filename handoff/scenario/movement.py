"""What a scenario file may say about movement and coverage."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from handoff.mobility import Commuters, GaussMarkov, RandomWaypoint
from handoff.mobility.commuters import NONE, UniformTime
from handoff.mobility.coverage import Coverage, Radio
from handoff.scenario.field_types import (
    DecimalReader,
    Duration,
    Name,
    Positive,
    Prefix,
    QuantityReader,
    StrictModel,
    as_list,
    parse_prefix,
    read_duration,
)
from handoff.scenario.units import DECIBELS, FREQUENCY, LENGTH, MEGAHOUR_PS, POWER, SPEED

_MOST_MM = 10**11
_MOST_SIDE_MM = 2**31 - 1

Length = Annotated[int, BeforeValidator(QuantityReader(LENGTH))]
Speed = Annotated[int, BeforeValidator(QuantityReader(SPEED))]
Decibels = Annotated[int, BeforeValidator(QuantityReader(DECIBELS))]
Level = Annotated[int, BeforeValidator(QuantityReader(POWER))]
Frequency = Annotated[int, BeforeValidator(QuantityReader(FREQUENCY))]
Side = Annotated[Length, Field(ge=1, le=_MOST_SIDE_MM)]


Metres = Annotated[int, BeforeValidator(DecimalReader("a coordinate in metres", -_MOST_MM // 1000, _MOST_MM // 1000, 3))]
Latitude = Annotated[int, BeforeValidator(DecimalReader("a latitude in degrees", -90, 90, 9))]
Longitude = Annotated[int, BeforeValidator(DecimalReader("a longitude in degrees", -180, 180, 9))]
Share = Annotated[int, BeforeValidator(DecimalReader("a share", 0, 1, 6))]


def parse_uniform(value: Any) -> UniformTime:
    """One duration, or two that a draw is between."""
    ends = value if isinstance(value, list) else [value, value]
    if len(ends) != 2:
        raise ValueError(f"{value!r} is neither a duration nor the ends of a range, as in ['20ms', '100ms']")
    low, high = map(read_duration, ends)
    if high < low:
        raise ValueError(f"{value!r} ends before it begins")
    return UniformTime(low, high)


Between = Annotated[UniformTime, BeforeValidator(parse_uniform)]


class RandomWaypointModel(StrictModel):
    """Random waypoint mobility in a rectangle."""

    mobiles: Positive
    prefix: Name = "mn"
    width: Side
    height: Side
    slowest: Speed
    fastest: Speed
    pause: Duration = 0

    @model_validator(mode="after")
    def _moves(self) -> RandomWaypointModel:
        if not 0 < self.slowest <= self.fastest:
            raise ValueError("'slowest' is above 0 (else the mean speed falls to nothing) and at most 'fastest'")
        return self

    def model(self) -> RandomWaypoint:
        """The generator."""
        return RandomWaypoint(self.width, self.height, self.slowest, self.fastest, self.pause)


class GaussMarkovModel(StrictModel):
    """Gauss-Markov mobility in a rectangle."""

    mobiles: Positive
    prefix: Name = "mn"
    width: Side
    height: Side
    speed: Speed
    memory: Share = 900_000
    step: Duration = 10**12

    @model_validator(mode="after")
    def _steps(self) -> GaussMarkovModel:
        if self.step == 0 or self.step % 10**9:
            raise ValueError("a 'step' is a whole number of milliseconds above 0")
        return self

    def model(self) -> GaussMarkov:
        """The generator."""
        return GaussMarkov(self.width, self.height, self.speed, (self.memory << 20) // 10**6, self.step)


class CommutersModel(StrictModel):
    """Handoffs between neighbouring routers at a rate, without positions."""

    mobile_nodes: Positive
    prefix: Name = "mn"
    handoff_rate: Frequency
    moving: Share = 10**6
    dwell: Literal["exponential", "constant"] = "exponential"
    path: Literal["line", "random", "ring"] = "line"
    gap: Between | None = None
    overlap: Between | None = None
    lead: Between = NONE
    guard: Between = NONE
    start: Literal["spread", "first"] = "spread"
    group: Positive = 1

    @model_validator(mode="after")
    def _sound(self) -> CommutersModel:
        found = []
        if (self.gap is None) == (self.overlap is None):
            found.append("give either 'gap' (how long there is no link) or 'overlap' (how long there are two); '0s' is neither")
        if self.lead != NONE and self.overlap is not None and self.overlap.high > self.lead.low + self.guard.low:
            found.append("'overlap' is at most 'lead' and 'guard' together: no link comes up before the move is predicted")
        if not self.moving and self.handoff_rate:
            found.append("'handoff_rate' is above 0, but 'moving' says that nobody moves")
        if not found and (problem := self.model().validation_error()):
            found.append(problem)
        if found:
            raise ValueError("; ".join(found))
        return self

    def model(self) -> Commuters:
        """The generator; those who move hand off more often, so that the mean of all is the rate."""
        moving, dwell_ps = 0, 0
        if self.handoff_rate:
            moving, dwell_ps = self.moving, MEGAHOUR_PS * self.moving // (10**6 * self.handoff_rate)
        return Commuters(
            dwell_ps, (moving << 64) // 10**6, self.dwell == "constant", self.path, self.gap or NONE, self.overlap or NONE,
            self.guard, self.lead, self.start == "first", self.group,
        )  # fmt: skip

    def names(self) -> list[str]:
        """Of the mobile nodes."""
        return [f"{self.prefix}{i}" for i in range(self.mobile_nodes)]


def _places(value: Any) -> dict[Prefix, Any]:
    if not isinstance(value, dict):
        raise ValueError("give a table of care-of addresses or prefixes and router names, as in { '10.1.0.0/16' = 'ar0' }")
    return {parse_prefix(address): router for address, router in value.items()}


class Movement(StrictModel):
    """Where mobile nodes are: attachments, registrations of a capture, positions of a file or of a model (docs/movement.md)."""

    associations: str | None = None
    capture: Annotated[list[str], BeforeValidator(as_list), Field(min_length=1)] | None = None
    routers: Annotated[dict[Prefix, Name], BeforeValidator(_places), Field(min_length=1)] | None = None
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
        """Whether a coverage model has to make attachments of it."""
        return self.associations is None and self.capture is None and self.commuters is None

    @model_validator(mode="after")
    def _one_kind(self) -> Movement:
        kinds = ("associations", "capture", "trace", "random_waypoint", "gauss_markov", "commuters")
        if sum(getattr(self, kind) is not None for kind in kinds) != 1:
            raise ValueError(f"give exactly one of {', '.join(map(repr, kinds))}")
        if self.trace is None and (idle := sorted(self.model_fields_set & {"format", "origin"})):
            raise ValueError(f"{', '.join(map(repr, idle))} means nothing without a 'trace': leave it out")
        if self.capture is None and (idle := sorted(self.model_fields_set & {"routers", "home", "lead", "guard"})):
            raise ValueError(f"{', '.join(map(repr, idle))} means nothing without a 'capture': leave it out")
        if self.trace is None and self.capture is None and "begin" in self.model_fields_set:
            raise ValueError("'begin' means nothing without a 'trace' or a 'capture': leave it out")
        if self.capture is not None and self.routers is None:
            raise ValueError("a capture needs 'routers', which says whose the care-of addresses are")
        return self


class CoverageModel(StrictModel):
    """How positions become attachments (docs/movement.md): routers' positions, radio, handoff decision, layer-2 events."""

    positions_m: dict[Name, tuple[Metres, Metres]] | None = None
    positions_deg: dict[Name, tuple[Latitude, Longitude]] | None = None
    transmit: Level = Radio.transmit
    reference_loss: Decibels = Radio.reference_loss
    reference: Annotated[Length, Field(ge=1, le=10**6)] = Radio.reference_mm
    exponent: Annotated[int, BeforeValidator(DecimalReader("an exponent of path loss", 1, 10, 3))] = Radio.exponent
    shadowing: Annotated[Decibels, Field(ge=0, le=40_000)] = Radio.shadowing
    decorrelation: Annotated[Length, Field(ge=8)] = Radio.decorrelation_mm
    minimum: Level = Coverage.minimum
    hysteresis: Annotated[Decibels, Field(ge=0)] = Coverage.hysteresis
    time_to_trigger: Annotated[Duration, Field(gt=0)] = Coverage.trigger_ps
    interval: Annotated[Duration, Field(ge=10**9, le=10**13)] = Coverage.interval_ps
    lead: Duration = Coverage.lead_ps
    lead_spread: Duration = Coverage.lead_spread_ps
    guard: Duration = Coverage.guard_ps
    going_down: Level | None = Coverage.warning
    single_access: Share = 0
    switch: Duration = Coverage.switch_ps
    longest_gap: Duration = Coverage.longest_gap_ps

    @model_validator(mode="after")
    def _sound(self) -> CoverageModel:
        found = []
        if (self.positions_m is None) == (self.positions_deg is None):
            found.append("give the routers' places as either 'positions_m' (x, y) or 'positions_deg' (latitude, longitude)")
        if self.lead_spread > self.lead:
            found.append("'lead_spread' is at most 'lead': no prediction comes after its warning")
        if self.going_down is not None and self.going_down < self.minimum:
            found.append("'going_down' is at or above 'minimum': the warning comes before the link is lost")
        if found:
            raise ValueError("; ".join(found))
        return self

    def placed(self) -> list[str]:
        """Routers that have a place."""
        return list(self.positions_m or self.positions_deg or {})

    def model(self, x_mm: list[int], y_mm: list[int]) -> Coverage:
        """The coverage model with routers at places in the plane of the tracks, in the order of ``placed``."""
        radio = Radio(
            self.transmit, self.reference_loss, self.reference, self.exponent, self.shadowing, self.decorrelation
        )
        return Coverage(
            tuple(self.placed()), tuple(x_mm), tuple(y_mm), radio, self.minimum, self.hysteresis, self.time_to_trigger,
            self.interval, self.lead, self.lead_spread, self.guard, self.going_down, (self.single_access << 64) // 10**6,
            self.switch, self.longest_gap,
        )  # fmt: skip


__all__ = ["CommutersModel", "CoverageModel", "GaussMarkovModel", "Movement", "RandomWaypointModel"]
