"""Times drawn from a table of quantiles, as measurements publish them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.columns import Int
from engine.rng import RandomStreams

WHOLE = 10**6
"""A share of 1."""


@dataclass(frozen=True)
class QuantileTime:
    """Distribution of a time that is linear between its quantiles, and constant below the first and above the last one.

    Attributes
    ----------
    shares : tuple of int
        Shares of the times that are at most each quantile, in units of 1 / ``WHOLE``, in ascending order.
    times_ps : tuple of int
        Quantiles, in ascending order.

    Raises
    ------
    ValueError
        If there are no quantiles, or they are not in ascending order.
    """

    shares: tuple[int, ...]
    times_ps: tuple[int, ...]

    def __post_init__(self) -> None:
        rises = all(a < b for a, b in zip(self.shares, self.shares[1:], strict=False))
        if not self.shares or not rises or list(self.times_ps) != sorted(self.times_ps):
            raise ValueError("write quantiles with ascending shares, none of them twice, and times that do not fall")

    @property
    def low(self) -> int:
        """Shortest time."""
        return self.times_ps[0]

    @property
    def high(self) -> int:
        """Longest time."""
        return self.times_ps[-1]

    def draw(self, streams: RandomStreams, mobiles: Int, index: Int) -> Int:
        """Draw one time for each of ``mobiles``; ``index`` holds the number of the draw in each one's stream."""
        share = streams.uniform(mobiles, index, WHOLE)
        shares, times = np.array([0, *self.shares, WHOLE]), np.array([self.low, *self.times_ps, self.high])
        part = np.searchsorted(shares, share, side="right") - 1
        width = np.maximum(shares[part + 1] - shares[part], 1)
        whole, rest = np.divmod(times[part + 1] - times[part], width)
        beyond = share - shares[part]
        drawn: Int = times[part] + beyond * whole + beyond * rest // width  # the product of whole times would overflow
        return drawn


__all__ = ["WHOLE", "QuantileTime"]
