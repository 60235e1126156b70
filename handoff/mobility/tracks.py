"""Tracks from what models of mobility give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import handoff_traces
from handoff.setup import Int


def tracks_of(
    name: str, names: Sequence[str], mobile: list[Int], time_ps: list[Int], x: list[Int], y: list[Int]
) -> handoff_traces.Tracks:
    """Tracks of parts that come in order of time, each with samples of some mobile nodes; the same instant twice is one."""
    who, when, east, north = (np.concatenate(parts) for parts in (mobile, time_ps, x, y))
    order = np.lexsort((when, who))
    who, when, east, north = who[order], when[order], east[order], north[order]
    new = np.append(True, (np.diff(who) != 0) | (np.diff(when) != 0))
    return handoff_traces.Tracks(name, who[new], when[new], east[new], north[new], list(names))
