"""Description of a coverage: what a scenario says of routers, radio and layer 2 (docs/movement.md)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Radio:
    """Transmission power and attenuation of a router's signal, in thousandths of a decibel and millimetres.

    Attributes
    ----------
    transmit : int
        Transmitted level over 1 mW.
    reference_loss : int
        Path loss at ``reference_mm`` and nearer.
    reference_mm : int
        Reference distance.
    exponent : int
        Path loss exponent, in thousandths.
    shadowing : int
        Standard deviation of the shadowing; 0: none.
    decorrelation_mm : int
        Distance at which the correlation of shadowing is 1/e (Gudmundson 1991).
    """

    transmit: int = 30_000
    reference_loss: int = 40_000
    reference_mm: int = 1_000
    exponent: int = 3_500
    shadowing: int = 0
    decorrelation_mm: int = 50_000


@dataclass(frozen=True)
class Coverage:
    """Positions of routers, radio, handover decision and layer-2 events; times in ps, levels in thousandths of a decibel.

    Attributes
    ----------
    routers : tuple of str
        Names of the routers.
    x_mm, y_mm : tuple of int
        Positions of the routers, in the coordinates of the tracks.
    radio : Radio
        Transmission and attenuation.
    minimum : int
        Level below which a link is lost.
    hysteresis : int
        Margin over the serving router for a handoff, and over ``minimum`` for a new attachment without a link.
    trigger_ps : int
        Time to trigger: how long another router's level exceeds the margin before a handoff.
    interval_ps : int
        Time between two measurements of the levels, which are linear in between.
    lead_ps, lead_spread_ps : int
        Time from the prediction to the warning (going-down): uniform between lead - spread and lead + spread, drawn for each
        handoff.
    guard_ps : int
        Time from the warning to the end of the old link.
    warning : int or None
        Level below which layer 2 warns of the loss of a link; None: there is no such warning.
    single_access : int
        Probability that a mobile node has one radio, times 2**64.
    switch_ps : int
        Time from the end of one link to the next if there is no second radio or no prediction.
    longest_gap_ps : int or None
        A mobile node is absent between two samples that are farther apart; None: it is always present.
    """

    routers: tuple[str, ...]
    x_mm: tuple[int, ...]
    y_mm: tuple[int, ...]
    radio: Radio = field(default_factory=Radio)
    minimum: int = -100_000
    hysteresis: int = 3_000
    trigger_ps: int = 320 * 10**9
    interval_ps: int = 100 * 10**9
    lead_ps: int = 500 * 10**9
    lead_spread_ps: int = 0
    guard_ps: int = 20 * 10**9
    warning: int | None = None
    single_access: int = 0
    switch_ps: int = 50 * 10**9
    longest_gap_ps: int | None = None
