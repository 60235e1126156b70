"""Plausibility of positions: figures that show whether a file was read as what it is, and warnings with numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import handoff_traces

FASTEST_M_S = 150
"""540 km/h: faster than trains and cars."""
STILL_M_S = 0.1
"""A node below this speed stands still."""
MAX_STATIONARY_SHARE = 0.95
MAX_EXTENT_KM = 1_000
MAX_DEGREES_EXTENT_KM = 200
"""North to south, beyond which x on the plane is wrong by more than 3 % at 45 degrees."""
LONG_GAP_S = 60
LONG_GAPS = 10
"""A gap is long if it is this many times the median, and a minute."""
MAX_SPEED_RATIO = 2
"""Factor between the distances by positions and by the speeds in the file."""
_WAYPOINTS = ("setdest", "bonnmotion", "bonnmotion-3d")
"""Formats whose samples are the ends of legs, which may be long."""
_MIN_STATED_M = 10
"""Less distance by the speeds of a file is no evidence."""


@dataclass(frozen=True)
class Plausibility:
    """Figures of tracks, and a sentence with numbers for each that is not plausible."""

    figures: dict[str, Any]
    warnings: list[str]


def check_plausibility(tracks: handoff_traces.Tracks) -> Plausibility:
    """Return the extent (km), gaps (s), stationary share and speed ratio of tracks, and warnings.

    The stationary share is the share of the nodes' time that they stand still (below 0.1 m/s). The speed ratio is the distance
    by the positions divided by that of the speeds in the file; None if it has none.
    """
    legs = tracks.is_leg()
    ways_m = np.hypot(np.diff(tracks.x_mm / 1e3), np.diff(tracks.y_mm / 1e3))[legs]
    gaps_s = (np.diff(tracks.time_ps) / 1e12)[legs]
    speeds = ways_m / gaps_s
    extent_km = [float(np.ptp(axis)) / 1e6 for axis in (tracks.x_mm, tracks.y_mm)]
    stated = tracks.stated_distance_m
    longest, median = (float(gaps_s.max()), float(np.median(gaps_s))) if len(gaps_s) else (0.0, 0.0)
    still = float(gaps_s[speeds < STILL_M_S].sum() / gaps_s.sum()) if len(gaps_s) else None
    ratio = stated[1] / stated[0] if stated is not None and stated[0] >= _MIN_STATED_M else None
    figures = {
        "extent_km": extent_km, "longest_gap_s": longest, "median_gap_s": median, "stationary_share": still,
        "speed_ratio": ratio, "breaks": len(tracks.breaks),
    }  # fmt: skip
    warnings = []
    fast = int((speeds > FASTEST_M_S).sum())
    if fast:
        warnings.append(f"{fast:,} of {len(speeds):,} legs are faster than {FASTEST_M_S} m/s, at most {speeds.max():,.4g} m/s")
    if ratio is not None and not 1 / MAX_SPEED_RATIO <= ratio <= MAX_SPEED_RATIO:
        assert stated is not None
        warnings.append(f"the positions are {stated[1]:,.4g} m apart, the speeds in the file make {stated[0]:,.4g} m")
    if tracks.format not in _WAYPOINTS and longest >= max(LONG_GAP_S, LONG_GAPS * median):
        warnings.append(
            f"the longest gap between two samples is {longest:,.4g} s, the median {median:,.4g} s: "
            "coverage.longest_gap makes the node absent in it"
        )
    warnings += _extent_warnings(tracks, extent_km)
    if still is not None and still > MAX_STATIONARY_SHARE:
        warnings.append(f"the nodes stand still for {100 * still:.4g} % of their time, and move {ways_m.sum():,.4g} m in all")
    return Plausibility(figures, warnings)


def _extent_warnings(tracks: handoff_traces.Tracks, extent_km: list[float]) -> list[str]:
    if tracks.projection is not None and extent_km[1] > MAX_DEGREES_EXTENT_KM:
        return [f"the positions extend {extent_km[1]:,.4g} km north to south, and the plane is exact near its origin only"]
    if max(extent_km) > MAX_EXTENT_KM:
        return [f"the positions extend over {extent_km[0]:,.4g} km by {extent_km[1]:,.4g} km"]
    return []
