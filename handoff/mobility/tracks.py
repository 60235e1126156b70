"""Assembly of tracks from the samples that mobility models generate step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import handoff_traces
from engine.columns import Int


def assemble_tracks(
    model: str, names: Sequence[str], mobile: list[Int], time_ps: list[Int], x_mm: list[Int], y_mm: list[Int]
) -> handoff_traces.Tracks:
    """Sort samples by mobile node and time, and drop all but the first of several at one instant.

    Parameters
    ----------
    model : str
        Name of the mobility model, which becomes the tracks' format.
    names : sequence of str
        Names of the mobile nodes.
    mobile, time_ps, x_mm, y_mm : list of ndarray of int64
        Parts of the columns: mobile node, time, position. Parts are in order of time; a part has any mobile nodes.
    """
    mobiles, times, x, y = (np.concatenate(parts) for parts in (mobile, time_ps, x_mm, y_mm))
    order = np.lexsort((times, mobiles))
    mobiles, times, x, y = mobiles[order], times[order], x[order], y[order]
    is_new = np.append(True, (np.diff(mobiles) != 0) | (np.diff(times) != 0))
    return handoff_traces.Tracks(model, mobiles[is_new], times[is_new], x[is_new], y[is_new], list(names))
