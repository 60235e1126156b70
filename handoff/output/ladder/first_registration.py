"""First registration of a mobile node that is not registered at time 0 (the seed's figure 2)."""

from __future__ import annotations

import numpy as np

from engine import FOREVER
from handoff.protocol.constants import Status
from handoff.protocol.handoff_records import COLUMNS
from handoff.simulation.observer import RunObserver

_MOBILE_NODE = -1


def first_registration_facts(observer: RunObserver, mobile: int) -> dict[str, int]:
    """Return the facts of a first registration in the columns of a handoff, without an old router.

    Raises
    ------
    ValueError
        If the mobile node is registered at time 0, or does not register in the run.
    """
    setup, steps = observer.setup, observer.program.steps
    name, attachments = setup.network.mobile_name(mobile), setup.attachments
    rows = np.flatnonzero(attachments.mobile == mobile)
    if len(rows) and attachments.up_ps[rows[0]] == 0:
        raise ValueError(f"{name} has no first registration in this run: its link is up at time 0, so that it is registered")
    requests = [
        action.time_ps
        for action in observer.actions
        if action.verb == "send" and action.node == _MOBILE_NODE and steps[action.arguments["args"].step].registers
    ]
    if not requests:
        raise ValueError(f"{name} does not register in this run")
    replies = [
        arrival
        for arrival in observer.arrivals
        if arrival.node == _MOBILE_NODE and arrival.fields.status == Status.ACCEPTED
        and steps[arrival.fields.step].step.effect == "registered"
    ]  # fmt: skip
    router = int(attachments.router[rows[0]]) if not replies else replies[0].fields.new
    up_ps = max(int(t) for t in attachments.up_ps[rows] if t <= requests[0])
    return dict.fromkeys(COLUMNS, -1) | {
        "mobile": mobile, "index": -1, "new_router": router, "scenario": 0, "open_ps": up_ps, "up_ps": up_ps, "down_ps": FOREVER,
        "request_ps": requests[0], "reply_ps": replies[0].time_ps if replies else -1,
    }  # fmt: skip
