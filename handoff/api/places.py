"""Positions of a study for a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from handoff.output.report.map_section import MapData
from handoff.output.report.study_data import times_ms
from handoff.scenario import Scenario
from handoff.workload.movement_map import load_map

MAX_TRACKS, MAX_POINTS = 80, 40
"""Mobile nodes whose tracks a map shows, and points of each."""
_MM_PER_M, _PS_PER_MS = 1000.0, 10**9


def load_places(scenario: Scenario, path: Path, seed: int, handoffs: pa.Table) -> MapData | None:
    """Return the positions of routers, of some mobile nodes, and of each handoff; None if the movement has no positions.

    Raises
    ------
    ValueError
        If the movement file cannot be read again.
    """
    movement = load_map(scenario, path, seed)
    if movement is None:
        return None
    coverage = movement.coverage
    routers = [
        (name, x / _MM_PER_M, y / _MM_PER_M) for name, x, y in zip(coverage.routers, coverage.x_mm, coverage.y_mm, strict=True)
    ]
    down, up = times_ms(handoffs, "down"), times_ms(handoffs, "up")
    times_ps = np.nan_to_num(np.where(np.isfinite(down), down, up) * _PS_PER_MS).astype(np.int64)
    x, y = movement.positions(handoffs["mobile"].to_pylist(), times_ps)
    tracks = [(x / _MM_PER_M, y / _MM_PER_M) for _, x, y in movement.sample(MAX_TRACKS, MAX_POINTS)]
    return MapData(routers, movement.reach_mm() / _MM_PER_M, tracks, x / _MM_PER_M, y / _MM_PER_M)
