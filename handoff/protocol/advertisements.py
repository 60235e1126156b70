"""Times at which routers advertise themselves (RFC 5944 2.3, RFC 4861 6.2)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from engine.rng import PURPOSE_USER, random_word
from handoff.protocol.constants import ADVERTISEMENTS_IN_LIFETIME
from handoff.protocol.options import Options

PURPOSE_ADVERTISEMENT = PURPOSE_USER + 3
"""Random numbers for the intervals between a router's advertisements, by the router's key and the number of the interval."""


class AdvertisementSchedule:
    """Advertisement times of all routers, drawn when they are first needed.

    Each router advertises at intervals that are uniform between ``advertisement_min_ps`` and ``advertisement_max_ps``. The first
    time is uniform in the interval of length ``advertisement_min_ps`` before time 0, so that routers are not synchronized.

    Parameters
    ----------
    node_keys : sequence of int
        Random key of each node.
    options : Options
        Options with the limits of the intervals.
    seed : int
        Seed of the run.
    """

    def __init__(self, node_keys: Sequence[int], options: Options, seed: int) -> None:
        self.node_keys, self.options, self.seed = node_keys, options, seed
        self._times: dict[int, list[int]] = {}

    @property
    def lifetime_ps(self) -> int:
        """Lifetime of an advertisement: three times the longest interval (RFC 5944 2.3.1)."""
        return ADVERTISEMENTS_IN_LIFETIME * self.options.advertisement_max_ps

    def next_after(self, router: int, time_ps: int) -> int:
        """Return the time of the first advertisement after ``time_ps``."""
        times = self._times_past(router, time_ps)
        return times[bisect_right(times, time_ps)]

    def last_before(self, router: int, time_ps: int) -> int:
        """Return the time of the last advertisement at or before ``time_ps``, which must not be negative."""
        times = self._times_past(router, time_ps)
        return times[bisect_right(times, time_ps) - 1]

    def _times_past(self, router: int, time_ps: int) -> list[int]:
        """Return the times from the last one before 0 to at least the first one after ``time_ps``."""
        low, high = self.options.advertisement_min_ps, self.options.advertisement_max_ps
        key = self.node_keys[router]
        times = self._times.get(router)
        if times is None:
            times = self._times[router] = [-(random_word(self.seed, PURPOSE_ADVERTISEMENT, key, 0) * low >> 64) - 1]
        while times[-1] <= time_ps:
            interval = low + (random_word(self.seed, PURPOSE_ADVERTISEMENT, key, len(times)) * (high - low + 1) >> 64)
            times.append(times[-1] + interval)
        return times
