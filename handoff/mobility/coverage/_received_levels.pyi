"""Loops over the routers and instants of a path; docstrings are on the compiled functions."""

from engine.columns import Int

def attenuate(
    dx_mm: Int, dy_mm: Int, max_offset_mm: int, log_table: Int, log_reference: int, factor: int, level: int
) -> Int: ...
def interpolate(points: Int, point: Int, rest: Int, step: int) -> Int: ...
