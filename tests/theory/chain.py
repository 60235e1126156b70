"""The example of the closed forms: constant delays, no queueing (a 20, bo 10, bn 12, wo 4, wn 5, c 6, p 1 ms)."""

import numpy as np

from engine import FOREVER, Network
from handoff.setup import Movement, Options, Setup

MS = 10**9
A, BO, BN, WO, WN, C, P = 20, 10, 12, 4, 5, 6, 1


def chain(
    *, interval_ms: float = 1, phase_ps: int = 300_000_001, predict: float = -1, warn: float = -1, old_down: float, new_up: float,
    until_ms: int = 2000, poisson: bool = False, **options: object,
) -> Setup:  # fmt: skip
    """One mobile node moves from router "old" to "new"; times in ms, -1 where layer 2 says nothing."""
    net = Network()
    net.node("cn"), net.node("ha", registration=P * MS), net.node("old"), net.node("new")
    for a, b, delay in (("cn", "ha", A), ("ha", "old", BO), ("ha", "new", BN), ("old", "new", C)):
        net.link(a, b, delay=delay * MS, both=True)
    net.cell("old", delay=WO * MS)
    net.cell("new", delay=WN * MS)
    mn = net.mobile("mn", home="ha")
    if poisson:
        net.poisson("cn", mn, mean=round(interval_ms * MS), size_bytes=200)
    else:
        net.cbr("cn", mn, interval=round(interval_ms * MS), size_bytes=200, start_ps=phase_ps)

    def at(ms: float) -> int:
        return round(ms * MS) if ms >= 0 else -1

    movement = Movement(
        mobile=np.array([mn, mn]),
        router=np.array([net.node_index("old"), net.node_index("new")]),
        up_ps=np.array([0, at(new_up)]),
        down_ps=np.array([at(old_down), FOREVER]),
        predict_ps=np.array([at(predict), -1]),
        going_down_ps=np.array([at(warn), -1]),
    )
    return Setup(net, net.node_index("ha"), movement, until_ms * MS, Options(**options))  # type: ignore[arg-type]
