"""What happened in each handoff: one row a handoff, filled by the mobile node's side of the machine."""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt

from handoff.protocol.setup import Setup

COLUMNS = (
    "mobile", "index", "old_router", "new_router", "access", "scenario", "predict_ps", "going_down_ps", "down_ps", "up_ps",
    "known_ps", "request_ps", "reply_ps", "bound_ps", "marker_ps", "rescue_ps", "acknowledged_ps", "completed", "retransmissions",
    "denied", "between", "markers",
)  # fmt: skip
"""``known_ps``: when the mobile node knew the new router before the move; ``bound_ps``: when the last acknowledgement of
another anchor than the one that registers came; ``denied``: refusals; ``between``: 1 if the move went to another region;
``markers``: how many markers came (one of each correspondent); ``marker_ps``: when the last of them did.

``access`` 0 dual (the new link is up before the old one is down), 1 single; ``scenario`` 1, 2, 3 as in the seed, 0 where the
procedure knows none; times of things that did not happen are -1."""


class HandoffRecords:
    """Columns of all handoffs of a movement, in the order of its attachments.

    Attributes
    ----------
    arrays : dict of str to array
        The columns, for one element at a time.
    row_of : array
        Handoff that leaves an attachment; -1 if none does, so ``row_of[-1]``, of no attachment, is -1.
    """

    def __init__(self, setup: Setup) -> None:
        move = setup.movement
        old = np.flatnonzero(~setup.last_attachments())
        new = old + 1
        n = len(old)
        first = np.searchsorted(move.mobile, move.mobile[old]) if n else old
        c: dict[str, npt.NDArray[np.int64]] = {name: np.full(n, -1, np.int64) for name in COLUMNS}
        c["mobile"], c["index"] = move.mobile[old], old - first
        c["old_router"], c["new_router"] = move.router[old], move.router[new]
        c["access"] = (move.up_ps[new] > move.down_ps[old]).astype(np.int64)
        c["predict_ps"], c["going_down_ps"] = move.predict_ps[old], move.going_down_ps[old]
        c["down_ps"], c["up_ps"] = move.down_ps[old], move.up_ps[new]
        for zero in ("scenario", "completed", "retransmissions", "denied", "between", "markers"):
            c[zero][:] = 0
        self.arrays = {name: array("q", values.tobytes()) for name, values in c.items()}
        row_of = np.full(len(move.mobile), -1, np.int64)
        row_of[old] = np.arange(n)
        self.row_of = array("q", row_of.tobytes())

    @property
    def columns(self) -> dict[str, npt.NDArray[np.int64]]:
        """The columns, whole: views, not copies."""
        return {name: np.asarray(values) for name, values in self.arrays.items()}
