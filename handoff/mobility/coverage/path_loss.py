"""Received levels: log-distance path loss with log-normal shadowing, in thousandths of a decibel."""

from __future__ import annotations

from functools import cache
from math import isqrt

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from engine.rng import PURPOSE_USER, combine, combine_array, log_fixed_point, log_table
from handoff.mobility.coverage._received_levels import attenuate, interpolate
from handoff.mobility.coverage.description import Radio

PURPOSE_SHADOWING = PURPOSE_USER + 20
"""Draws of shadowing, by router and mobile node: one for each eighth of the decorrelation distance."""

MAX_OFFSET_MM = 2_000_000_000
"""Distance on an axis beyond which the level no longer falls: 2,000 km."""
MAX_DEVIATIONS = 4
"""Number of standard deviations at which shadowing is truncated."""
_LN10 = 2_531_719_083_691  # 2**40 ln 10, rounded
_STEPS_PER_DECORRELATION = 8
_TAPS = 64
"""Draws in the moving average at one point."""
_WEIGHT_BITS = 16
"""Fraction bits of the weights of the moving average."""


def received_level(radio: Radio, dx_mm: Int, dy_mm: Int) -> Int:
    """Return the level at an offset from the router: transmit - reference loss - 10 exponent log10(d / reference)."""
    log_reference = int(log_fixed_point(np.array([radio.reference_mm**2]))[0])
    # 10 exponent log10(d / r) = 5 exponent ln(d² / r²) / ln 10: 2**16 times the factor, 2**24 times the logarithm
    factor = (5 * radio.exponent * 2**56 + _LN10 // 2) // _LN10
    nearest = radio.transmit - radio.reference_loss
    dx, dy = np.ravel(dx_mm), np.ravel(dy_mm)
    return attenuate(dx, dy, MAX_OFFSET_MM, log_table(), log_reference, factor, nearest).reshape(dx_mm.shape)


def shadowing(radio: Radio, seed: int, router_keys: npt.NDArray[np.uint64], mobile_key: int, travelled_mm: Int) -> Int:
    """Return the shadowing along the path of a mobile node: int64 of shape (routers, instants).

    The shadowing is a first-order autoregressive process in the distance travelled (Gudmundson 1991), computed as a moving
    average of ``_TAPS`` draws, each the sum of four uniform 16-bit numbers. It is interpolated linearly between points an
    eighth of the decorrelation distance apart.

    Parameters
    ----------
    radio : Radio
        Radio with the standard deviation and the decorrelation distance.
    seed : int
        Seed of all draws.
    router_keys : ndarray of uint64, shape (routers,)
        Keys of the routers' names.
    mobile_key : int
        Key of the mobile node's name.
    travelled_mm : ndarray of int64, shape (instants,)
        Distance travelled since the first sample, not decreasing.
    """
    weights, deviation = _moving_average()
    step = max(radio.decorrelation_mm // _STEPS_PER_DECORRELATION, 1)
    point = travelled_mm // step
    first, last = int(point[0]), int(point[-1]) + 1
    pairs = combine_array(np.uint64(mobile_key), router_keys)
    entities = combine_array(np.uint64(combine(seed, PURPOSE_SHADOWING)), pairs)
    index = np.arange(first, last + _TAPS, dtype=np.uint64)
    draws = combine_array(np.repeat(entities, len(index)), np.tile(index, len(entities))).reshape(len(entities), -1)
    normal = draws.view(np.uint16).reshape(*draws.shape, 4).astype(np.int64).sum(axis=2) - 2 * 65_535
    sums = np.lib.stride_tricks.sliding_window_view(normal, _TAPS, axis=1) @ weights
    bound = MAX_DEVIATIONS * radio.shadowing
    levels = np.clip(sums * radio.shadowing // deviation, -bound, bound)
    return interpolate(levels, point - first, travelled_mm - point * step, step)


@cache
def _moving_average() -> tuple[Int, int]:
    """Return the weights exp(-k / 8) of the draws, the latest draw last, and the standard deviation of the weighted sum."""
    ratio = 3_974_412_721_635_601  # 2**52 exp(-1 / 8)
    dropped_bits = 52 - _WEIGHT_BITS
    exact, weights = 1 << 52, []
    for _ in range(_TAPS):
        weights.append(exact + (1 << dropped_bits - 1) >> dropped_bits)
        exact = exact * ratio >> 52
    # four uniform numbers of 0 to 65,535 have the variance (2**32 - 1) / 3
    deviation = isqrt(sum(w * w for w in weights) * (2**32 - 1) // 3)
    return np.array(weights[::-1], np.int64), deviation


__all__ = ["MAX_DEVIATIONS", "Radio", "shadowing"]
