"""One prepared handover with constant delays and without queueing, and the closed forms of its losses, peaks and interruptions.

Times in microseconds. ``bo``, ``bn``: anchor to old and new router; ``bu``: back from the old router; ``c``, ``cb``: old to new
router and back; ``wo``, ``wn``: radios; ``m``: from the new router, which hears the mobile node, to the switch of the anchor. The
anchor gets a packet every ``interval``, the first one at ``phase``. The command leaves at ``command``, the old link ends at
``down``, the new one begins at ``up``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine import FOREVER, Network
from handoff.protocol.setup import Attachments, Options, Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import RunResult, run_procedure

US = 10**6
SERVICE = 1000
"""Service time of the anchor, which is the control node too."""
UNLIMITED = {"request": "predict", "new_buffer_packets": None, "old_buffer_packets": None}
UNTIL = 900_000


@dataclass(frozen=True)
class Handover:
    """Parameters of one handover."""

    bo: int
    bn: int
    bu: int
    c: int
    cb: int
    wo: int
    wn: int
    to_anchor: int
    interval: int
    phase: int
    command: int
    down: int
    up: int
    indirect: bool = False

    @classmethod
    def draw(cls, number: int, **values: Any) -> Handover:
        """Draw the parameters with a number. No sum of two wired delays is less than another one: each link is a shortest path.

        The phase has half a microsecond more than the number here, so that no packet meets another event.
        """
        rng = random.Random(number)
        wired = {name: rng.randint(8_000, 15_990) for name in ("bo", "bn", "bu", "c", "cb", "to_anchor")}
        radio = {"wo": rng.randint(500, 8_000), "wn": rng.randint(500, 8_000)}
        interval, command = rng.choice((503, 997, 1709, 5003)), rng.randint(250_000, 300_000)
        down = command + radio["wo"] + rng.choice((0, rng.randint(0, 5_000)))
        up = down + rng.choice((0, 2_000, 15_000, 50_000, 62_000, 150_000))
        drawn = cls(**wired, **radio, interval=interval, phase=rng.randrange(interval), command=command, down=down, up=up)
        return replace(drawn, **values)

    # -- times ---------------------------------------------------------------------------------------------------------------
    @property
    def heard(self) -> int:
        """Time at which the new router hears the mobile node (tA)."""
        return self.up + self.wn

    @property
    def switched(self) -> int:
        """Time at which the anchor switches (tS)."""
        return self.heard + self.to_anchor + SERVICE

    @property
    def detour(self) -> int:
        """Delay of the forwarding path (c; indirect: bu + bn)."""
        return self.bu + self.bn if self.indirect else self.c

    @property
    def excess(self) -> int:
        """Time by which forwarded packets come later than direct ones (Dr)."""
        return self.bo + self.detour - self.bn

    def preparation(self) -> int:
        """Return the time from the report to the command."""
        if not self.indirect:
            return self.wo + self.c + self.cb
        return self.wo + self.bu + SERVICE + self.bn + self.to_anchor + SERVICE + self.bo

    # -- packets -------------------------------------------------------------------------------------------------------------
    def emissions(self) -> list[float]:
        """Return the times at which packets are at the anchor."""
        return [self.phase + 0.5 + k * self.interval for k in range((UNTIL - 100_000) // self.interval)]

    def count(self, begin: float, end: float) -> int:
        """Return the number of packets at the anchor in an interval (n)."""
        return sum(begin <= e < end for e in self.emissions())

    def first(self, begin: float) -> float:
        """Return the first emission at or after a time."""
        return next(e for e in self.emissions() if e >= begin)

    def last(self, end: float) -> float:
        """Return the last emission before a time."""
        return max(e for e in self.emissions() if e < end)

    # -- closed forms --------------------------------------------------------------------------------------------------------
    def forward_count(self) -> int:
        return self.count(self.command - self.bo, self.switched)

    def forward_interruption(self) -> float:
        x1 = self.first(self.command - self.bo) + self.bo
        return max(self.heard, x1 + self.detour) + self.wn - self.wo - x1

    def target_peak(self) -> int:
        return self.count(self.command - self.bo, self.heard - self.bo - self.detour)

    def gate_peak(self) -> int:
        return self.count(self.switched, self.switched + self.excess)

    def ungated_reordered(self) -> int:
        direct = self.first(self.switched) + self.bn
        forwarded = [e for e in self.emissions() if self.command - self.bo <= e < self.switched]
        return sum(e + self.bo + self.detour > direct for e in forwarded)

    def unacked_duplicates(self) -> int:
        """Return the packets on the air at the command: the model has no acknowledgements, whose way back takes ``wo`` more."""
        return self.count(self.command - self.wo - self.bo, self.command - self.bo)

    def unforwarded_lost(self) -> int:
        return self.count(self.command - self.bo, self.switched)

    def unforwarded_interruption(self) -> float:
        direct, last = self.first(self.switched) + self.bn, self.last(self.command - self.bo) + self.bo
        return max(self.heard, direct) + self.wn - (last + self.wo) - self.interval

    def daps_interruption(self) -> int:
        return max(0, self.c + self.wn - self.wo)

    def late_interruption(self) -> float:
        """Return the interruption if the old router forwards from the message of the new one on (cho_late, fmip_reactive)."""
        return self.heard + self.cb + self.c + self.wn - self.wo - self._first_unheard()

    def early_interruption(self) -> float:
        return self.heard + self.wn - self.wo - self._first_unheard()

    def late_lost(self, buffer_packets: int = 0) -> int:
        """Return the loss if the old router forwards from the message of the new one on (cho_late_um, fmip_reactive)."""
        begin, end = self.down - self.wo - self.bo, min(self.heard + self.cb - self.bo, self.switched)
        return max(0, self.count(begin, end) - buffer_packets)

    def predictive_lost(self, forwarding: int, buffer_packets: int) -> int:
        """Return the loss if the old router forwards from ``forwarding`` (tB) on."""
        return max(0, self.count(self.down - self.wo - self.bo, forwarding - self.bo) - buffer_packets)

    def transient_switched(self) -> int:
        """Return the time at which the anchor switches after the round trip of a transient binding (tS)."""
        return self.switched + self.bn + self.to_anchor + SERVICE

    def transient_lost(self) -> int:
        return self.count(self.down - self.wo - self.bo, self.transient_switched())

    def transient_reordered(self) -> int:
        """Return the packets of the old link that arrive after the first one of the new link, while both are up."""
        switched = self.transient_switched()
        direct = self.first(switched) + self.bn + self.wn
        return sum(e + self.bo + self.wo > direct for e in self.emissions() if e < switched)

    def tunnel_begins(self) -> int:
        """Return the time at which the database's update is at the old router (tB)."""
        return self.switched + self.bo

    def tunnel_known(self, procedure: str) -> int:
        """Return the time at which the new router knows the tunnel of distributed mobility (tR)."""
        return {
            "dmm-relay": self.tunnel_begins() + self.bu + SERVICE + self.bn,
            "dmm-locator": self.tunnel_begins() + self.c,
            "dmm-proxy": self.switched + self.bn,
        }[procedure]

    def dmm_lost(self, procedure: str) -> int:
        """Return the loss without a buffer. The update ends the delivery over an old link that still works."""
        begin = min(self.down - self.wo, self.tunnel_begins())
        end = max(self.tunnel_begins(), self.tunnel_known(procedure) - self.c)
        return self.count(begin - self.bo, end - self.bo)

    def _first_unheard(self) -> float:
        """Return the arrival at the old router of the first packet that its link cannot carry to the end (xL)."""
        return self.first(self.down - self.wo - self.bo) + self.bo

    # -- simulation ----------------------------------------------------------------------------------------------------------
    def run(self, procedure: str, report: int | None = None, **options: object) -> RunResult:
        """Simulate the handover. The report leaves at ``report``, by default so that the command leaves on time; -1 for none."""
        predict = self.command - self.preparation() if report is None else report
        net = Network()
        net.node("cn")
        net.node("ha", registration=SERVICE * US)
        net.node("old"), net.node("new")
        net.link("cn", "ha", delay=1, both=True)
        for a, b, delay in (
            ("ha", "old", self.bo), ("ha", "new", self.bn), ("old", "ha", self.bu), ("new", "ha", self.to_anchor),
            ("old", "new", self.c), ("new", "old", self.cb),
        ):  # fmt: skip
            net.link(a, b, delay=delay * US)
        net.cell("old", delay=self.wo * US)
        net.cell("new", delay=self.wn * US)
        mn = net.mobile("mn", home="ha")
        net.cbr("cn", mn, interval=self.interval * US, size_bytes=200, start_ps=self.phase * US + US // 2 - 1)
        routers = [net.node_index("old"), net.node_index("new")]
        movement = Attachments(
            mobile=np.array([mn, mn]), router=np.array(routers),
            up_ps=np.array([0, self.up * US]), down_ps=np.array([self.down * US, FOREVER]),
            predict_ps=np.array([predict * US if predict >= 0 else -1, -1]), going_down_ps=np.array([-1, -1]),
        )  # fmt: skip
        settings = Options(**UNLIMITED | options)  # type: ignore[arg-type]
        setup = Setup(net, net.node_index("ha"), movement, UNTIL * US, settings)
        return run_procedure(setup, procedure, reference=ZERO_BYTES, detail=True)
