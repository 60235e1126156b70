"""The example of the closed forms: constant delays, no queueing (a 20, bo 10, bn 12, wo 4, wn 5, c 6, p 1 ms).

One tree serves every row: cn -a- ha -a- gateway, in the row's own order of them, and the row's anchor between the two routers.
So bo and bn are the ways from the anchor to the old and the new router, whoever the anchor is; a is what a message by the home
agent takes to a correspondent that is the anchor itself.
"""

import numpy as np

from engine import FOREVER, Network
from handoff.protocol.procedures import PROCEDURES
from handoff.protocol.setup import Attachments, Options, Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import RunResult, run_procedure

MS = 10**9
A, BO, BN, WO, WN, C, P = 20, 10, 12, 4, 5, 6, 1
DISCOVERY = 100
"""Agent discovery (tad)."""


def update_ms(procedure: str) -> int:
    """From the new router to the moment at which the anchor switches: bn + p, or by the home agent in Mobile IPv4."""
    row = PROCEDURES[procedure]
    return BN + P + (2 * A + P if row.anchor == "CN" and row.ip == 4 else 0)


def switch_ms(procedure: str) -> int:
    """From the request before the move to the moment at which the anchor switches (tH - tR)."""
    return WO + C + update_ms(procedure)


def lead_ms(procedure: str) -> int:
    """From the request to the marker at the mobile node: wo + c + bn + p + bo + wo where the update goes straight."""
    return switch_ms(procedure) + BO + WO


def chain(
    procedure: str, *, interval_ms: float = 1, phase_ps: int = 300_000_001, predict: float = -1, warn: float = -1,
    old_down: float, new_up: float, until_ms: int = 2000, poisson: bool = False, **options: object,
) -> Setup:  # fmt: skip
    """One mobile node moves from router "old" to "new"; times in ms, -1 where layer 2 says nothing."""
    anchor = {"HA": "ha", "CN": "cn"}.get(PROCEDURES[procedure].anchor, "gateway")
    net = Network()
    for name in ("cn", "ha", "gateway"):
        net.node(name, registration=P * MS)
    net.node("old"), net.node("new")
    for a, b, delay in (("cn", "ha", A), ("ha", "gateway", A), (anchor, "old", BO), (anchor, "new", BN), ("old", "new", C)):
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

    routers = [net.node_index("old"), net.node_index("new")]
    movement = Attachments(
        mobile=np.array([mn, mn]),
        router=np.array(routers),
        up_ps=np.array([0, at(new_up)]),
        down_ps=np.array([at(old_down), FOREVER]),
        predict_ps=np.array([at(predict), -1]),
        going_down_ps=np.array([at(warn), -1]),
    )
    gateways = dict.fromkeys(routers, net.node_index("gateway")) if anchor == "gateway" else {}
    return Setup(net, net.node_index("ha"), movement, until_ms * MS, Options(**options), gateways)  # type: ignore[arg-type]


def move(procedure: str, *, seed: int = 1, **handoff: object) -> RunResult:
    """Run one handoff of the chain."""
    return run_procedure(chain(procedure, **handoff), procedure, seed=seed, reference=ZERO_BYTES)  # type: ignore[arg-type]
