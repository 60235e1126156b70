"""Received levels: log-distance path loss with log-normal shadowing, in thousandths of a decibel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import isqrt

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from engine.rng import PURPOSE_USER, combine, combine_array, log_fixed_point

PURPOSE_SHADOWING = PURPOSE_USER + 20
"""Draws of shadowing, by router and mobile node, one for each eighth of the decorrelation distance."""

FAR_MM = 2_000_000_000
"""Farther away on an axis counts as this far: 2,000 km."""
_LN10 = 2_531_719_083_691  # 2**40 ln 10, rounded
_STEPS = 8
"""Draws in a decorrelation distance."""
_TAPS = 64
_UNIT = 16
"""Fraction bits of the weights."""
CUT = 4
"""Shadowing is cut at so many standard deviations."""


@dataclass(frozen=True)
class Radio:
    """What a router sends and how it gets weaker; thousandths of a decibel and millimetres.

    Attributes
    ----------
    transmit, reference_loss : int
        Sent, over 1 mW; lost on the way to ``reference_mm``, and anywhere nearer.
    reference_mm : int
    exponent : int
        Of the distance, in thousandths.
    shadowing : int
        Standard deviation; 0 is none.
    decorrelation_mm : int
        Distance after which the correlation of shadowing has fallen to 1/e (Gudmundson).
    """

    transmit: int = 30_000
    reference_loss: int = 40_000
    reference_mm: int = 1_000
    exponent: int = 3_500
    shadowing: int = 0
    decorrelation_mm: int = 50_000

    def level(self, dx_mm: Int, dy_mm: Int) -> Int:
        """Level without shadowing at an offset from the router: transmit - reference loss - 10 exponent log10(d / reference)."""
        dx, dy = (np.clip(d, -FAR_MM, FAR_MM) for d in (dx_mm, dy_mm))
        ratio = np.maximum(log_fixed_point(np.maximum(dx * dx + dy * dy, 1)) - log_fixed_point(np.array([self.reference_mm**2])), 0)
        # 10 exponent log10(d / r) = 5 exponent ln(d² / r²) / ln 10: 2**16 times the factor, 2**24 times the logarithm
        factor = (5 * self.exponent * 2**56 + _LN10 // 2) // _LN10
        loss: Int = ((ratio >> 16) * factor + (1 << 39)) >> 40
        return self.transmit - self.reference_loss - loss


def shadowing(
    radio: Radio, seed: int, router_keys: npt.NDArray[np.uint64], mobile_key: int, travelled_mm: Int
) -> Int:
    """Shadowing along the way of a mobile node: int64 of shape (routers, instants).

    A first-order autoregressive process along the distance travelled (Gudmundson 1991), here as its moving average of ``_TAPS``
    draws, each the sum of four 16-bit uniform numbers; linear between points an eighth of the decorrelation distance apart.

    Parameters
    ----------
    radio : Radio
        Its deviation and decorrelation distance.
    seed : int
        Of all draws.
    router_keys : ndarray of uint64, shape (routers,)
        Keys of their names.
    mobile_key : int
        Key of its name.
    travelled_mm : ndarray of int64, shape (instants,)
        Distance from the first sample; not falling.
    """
    weights, deviation = _weights()
    step = max(radio.decorrelation_mm // _STEPS, 1)
    at = travelled_mm // step
    first, last = int(at[0]), int(at[-1]) + 1
    pairs = combine_array(np.uint64(mobile_key), router_keys)
    entities = combine_array(np.uint64(combine(seed, PURPOSE_SHADOWING)), pairs)
    index = np.arange(first, last + _TAPS, dtype=np.uint64)
    draws = combine_array(np.repeat(entities, len(index)), np.tile(index, len(entities))).reshape(len(entities), -1)
    halves = draws.view(np.uint16).reshape(*draws.shape, 4).astype(np.int64).sum(axis=2) - 2 * 65_535
    sums = np.lib.stride_tricks.sliding_window_view(halves, _TAPS, axis=1) @ weights
    points = np.clip(sums * radio.shadowing // deviation, -CUT * radio.shadowing, CUT * radio.shadowing)
    j = at - first
    along: Int = points[:, j] + (points[:, j + 1] - points[:, j]) * (travelled_mm - at * step) // step
    return along


@cache
def _weights() -> tuple[Int, int]:
    """Weights exp(-k / 8) of the draws from the latest back, and the standard deviation of the sum that they give."""
    ratio = 3_974_412_721_635_601  # 2**52 exp(-1 / 8)
    weight, found = 1 << 52, []
    for _ in range(_TAPS):
        found.append(weight + (1 << 35) >> 36)
        weight = weight * ratio >> 52
    # four uniform numbers of 0 to 65,535 have the variance (2**32 - 1) / 3
    deviation = isqrt(sum(w * w for w in found) * (2**32 - 1) // 3)
    return np.array(found[::-1], np.int64), deviation


__all__ = ["CUT", "Radio", "shadowing"]
