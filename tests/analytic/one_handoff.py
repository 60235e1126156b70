"""One handoff of one mobile node with constant delays and without queueing, as the closed forms assume.

The delays in ms are a 20, bo 10, bn 12, wo 4, wn 5, c 6, p 1. One tree serves every procedure: cn -a- ha -a- gateway, with the
procedure's anchor between the two routers. Therefore bo and bn are the delays from the anchor to the old and the new router,
whichever node is the anchor. A message by the home agent to a correspondent that is the anchor takes the delay a.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from engine import FOREVER, Network
from handoff.protocol.procedures import PROCEDURES
from handoff.protocol.setup import Attachments, Options, Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import RunResult, run_procedure

MS = 10**9
A, BO, BN, WO, WN, C, P = 20, 10, 12, 4, 5, 6, 1
DISCOVERY = 100
"""Time of agent discovery (tad)."""


def update_ms(procedure: str) -> int:
    """Return the time from the new router to the switch of the anchor: bn + p, or by the home agent in Mobile IPv4."""
    by_home_agent = PROCEDURES[procedure].anchor == "CN" and PROCEDURES[procedure].ip == 4
    return BN + P + (2 * A + P if by_home_agent else 0)


def switch_ms(procedure: str) -> int:
    """Return the time from the request before the move to the switch of the anchor (tH - tR)."""
    return WO + C + update_ms(procedure)


def lead_ms(procedure: str) -> int:
    """Return the time from the request to the marker at the mobile node: wo + c + bn + p + bo + wo for a direct update."""
    return switch_ms(procedure) + BO + WO


def one_handoff_setup(
    procedure: str, *, interval_ms: float = 1, phase_ps: int = 300_000_001, predict: float = -1, warn: float = -1,
    old_down: float, new_up: float, until_ms: int = 2000, poisson: bool = False, upstream: bool = False, **options: object,
) -> Setup:  # fmt: skip
    """Build a mobile node that moves from router "old" to "new"; times in ms, -1 without a layer-2 event.

    Its only flow comes from the correspondent, or with ``upstream`` goes there.
    """
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
        net.cbr("cn", mn, interval=round(interval_ms * MS), size_bytes=200, start_ps=phase_ps, up=upstream)

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


def run_handoff(procedure: str, *, seed: int = 1, **handoff: object) -> RunResult:
    """Run one handoff."""
    return run_procedure(one_handoff_setup(procedure, **handoff), procedure, seed=seed, reference=ZERO_BYTES)  # type: ignore[arg-type]


def sweep(values: Iterable[Any]) -> list[Any]:
    """Return test parameters of which the first, the middle and the last run always, the others with ``--deep`` only."""
    every = [*values]
    always = {0, len(every) // 2, len(every) - 1}
    return [value if i in always else pytest.param(*_as_tuple(value), marks=pytest.mark.deep) for i, value in enumerate(every)]


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
