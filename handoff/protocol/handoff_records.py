"""Records of handoffs: one row per handoff, filled in by mobile nodes, and by the routers of prepared procedures."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

import numpy as np
import numpy.typing as npt

from handoff.protocol.setup import Setup

COLUMNS = (
    "mobile", "index", "old_router", "new_router", "access", "scenario", "predict_ps", "going_down_ps", "down_ps", "up_ps",
    "known_ps", "request_ps", "reply_ps", "bound_ps", "marker_ps", "rescue_ps", "acknowledged_ps", "completed", "retransmissions",
    "denied", "between", "markers",
)  # fmt: skip
"""Columns of the records, all int64. Times are in picoseconds, and -1 for an event that did not happen.

``mobile``, ``index``: the mobile node, and the number of the handoff among its handoffs. ``old_router``, ``new_router``: node
indices. ``access``: 0 dual (the new link comes up before the old one goes down), 1 single. ``scenario``: 1, 2 or 3 as in the
seed; 0 for procedures without a marker. In prepared procedures 1: the command was heard, 2: it was sent but not heard, 3: it was
not sent while the link was up.

``predict_ps``, ``going_down_ps``, ``down_ps``, ``up_ps``: layer-2 events. ``known_ps``: the mobile node learned the new router
before the move. ``request_ps``: the first request was sent. ``reply_ps``: the reply to it arrived. ``bound_ps``: the last
acknowledgement of an anchor other than the registering one arrived. ``marker_ps``: the last marker arrived. ``rescue_ps``: the
mobile node sent the old router the update that makes it forward; in prepared procedures the old router sent the command.
``acknowledged_ps``: the acknowledgement of that update arrived.

``completed``: 1 if the mobile node is registered and every update has been answered. ``retransmissions``: of the registering
request. ``denied``: refusals received. ``between``: 1 if the move led to another region. ``markers``: markers received, one for
each correspondent with route optimization."""

WITHOUT_COMMAND = 4
"""Scenario 2 or 3 of a prepared handoff, which ``HandoffRecords.columns`` decides. A mobile node does not know what its old
router has sent: an engine may handle the mobile node's event before an earlier one of the router."""
_COUNTERS = ("scenario", "completed", "retransmissions", "denied", "between", "markers")


class HandoffRecords:
    """Columns of all handoffs of a setup, in the order of its attachments.

    Attributes
    ----------
    arrays : dict of str to array
        The columns, as arrays with fast access to single elements.
    row_of : array
        Row of the handoff that leaves each attachment, or -1. The last attachment of the setup is never left, so that
        ``row_of[-1]`` is -1 and index -1 can stand for "no attachment".
    first_completed_ps : dict of int to int
        Time at which a router has noted the first arrival of a mobile node as complete, which is no handoff.
    """

    def __init__(self, setup: Setup) -> None:
        attachments = setup.attachments
        old = np.flatnonzero(~setup.last_attachments())
        new = old + 1
        count = len(old)
        first = np.searchsorted(attachments.mobile, attachments.mobile[old]) if count else old
        columns: dict[str, npt.NDArray[np.int64]] = {name: np.full(count, -1, np.int64) for name in COLUMNS}
        columns["mobile"], columns["index"] = attachments.mobile[old], old - first
        columns["old_router"], columns["new_router"] = attachments.router[old], attachments.router[new]
        columns["access"] = (attachments.up_ps[new] > attachments.down_ps[old]).astype(np.int64)
        columns["predict_ps"], columns["going_down_ps"] = attachments.predict_ps[old], attachments.going_down_ps[old]
        columns["down_ps"], columns["up_ps"] = attachments.down_ps[old], attachments.up_ps[new]
        for name in _COUNTERS:
            columns[name][:] = 0
        self.arrays = {name: array("q", values.tobytes()) for name, values in columns.items()}
        row_of = np.full(len(attachments.mobile), -1, np.int64)
        row_of[old] = np.arange(count)
        self.row_of = array("q", row_of.tobytes())
        self.first_completed_ps: dict[int, int] = {}

    def note(self, mobile: int, new: int, now_ps: int, *columns: str, completes: bool = False) -> None:
        """Set times in the record of the last handoff of a mobile node to ``new``, if they have no value or a greater one.

        The row follows from the setup alone, and the least value stays, so that the order in which an engine handles events of
        different nodes is of no importance.

        Parameters
        ----------
        mobile, new : int
            Mobile node and new router of a message.
        now_ps : int
            Time of the event: handoffs whose prediction (without one: whose first link event) comes later do not count.
        *columns : str
            Columns that get the time.
        completes : bool
            If true, the handoff is completed; without a handoff, the first arrival of the mobile node is.
        """
        arrays = self.arrays
        first, end = bisect_left(arrays["mobile"], mobile), bisect_right(arrays["mobile"], mobile)
        last = bisect_right(arrays["up_ps"], now_ps, first, end)  # the first whose new link is not up; its old one is
        for row in range(min(last, end - 1), first - 1, -1):
            if arrays["new_router"][row] != new:
                continue
            predict_ps = arrays["predict_ps"][row]
            begin_ps = min(arrays["down_ps"][row], arrays["up_ps"][row])
            if (predict_ps if predict_ps >= 0 else begin_ps) <= now_ps:
                for column in columns:
                    if not 0 <= arrays[column][row] <= now_ps:
                        arrays[column][row] = now_ps
                if completes:
                    arrays["completed"][row] = 1
                return
        if completes:
            self.first_completed_ps[mobile] = min(now_ps, self.first_completed_ps.get(mobile, now_ps))

    @property
    def columns(self) -> dict[str, npt.NDArray[np.int64]]:
        """Columns as NumPy views on ``arrays``; a copy of the scenarios if prepared handoffs ended without a command."""
        columns = {name: np.asarray(values) for name, values in self.arrays.items()}
        undecided = columns["scenario"] == WITHOUT_COMMAND
        if undecided.any():
            was_sent = (columns["rescue_ps"] >= 0) & (columns["rescue_ps"] <= columns["down_ps"])
            columns["scenario"] = np.where(undecided, np.where(was_sent, 2, 3), columns["scenario"])
        return columns
