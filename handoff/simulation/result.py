"""Result of one run of a procedure, or of a window of it, with the figures of the comparison table."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine import Result
from engine.columns import Columns, Int
from engine.histogram import RESOLUTION, quantile
from engine.results import NODE_INTEGRALS
from handoff.metrics.bursts import burst_columns
from handoff.protocol.attacks import ATTACK_COUNTS, AttackCounts, no_attack_counts
from handoff.protocol.constants import SECOND
from handoff.simulation.baseline import ByteCounts
from handoff.simulation.handoff_metrics import PacketMetrics, registration_delays
from handoff.simulation.time_series import TimeSeries

STUDY_METRICS = (
    "loss_ratio", "loss_periods", "loss_period_max_packets", "delay_mean_ps", "ipdv_abs_mean_ps", "pdv_p99_ps",
    "reordered_ratio", "reordering_extent_max_packets", "reordering_n_max_packets", "duplicate_copies", "forwarded",
    "jitter_max_ps", "mos",
)  # fmt: skip
"""Metrics of a whole study (``handoff.metrics.group_metrics``). Counters give some of them even without a record of packets."""
ATTACK_FIGURES = (
    *ATTACK_COUNTS, "attack_dropped", "attack_service_seconds", "diverted", "diverted_bytes", "legitimate_served",
    "legitimate_dropped",
)  # fmt: skip
"""Figures of attacks (docs/attacks.md). No attacker caused the legitimate messages."""
Row = dict[str, int | float | str | None]
"""Figures of the comparison table by name."""


@dataclass
class RunResult:
    """Result of one procedure on one setup, after the warm-up or in one of its batches.

    ``handoff.simulation.measurement_window`` defines which events count in a window.

    Attributes
    ----------
    procedure : str
    result : engine.Result
        Result of the window ``begin_ps <= t < reached_ps``.
    handoffs : dict of str to ndarray
        One element for each handoff that began in the window, with everything that happened in it until the end of the run: the
        columns of ``handoff.protocol.handoff_records``, and the measurements ``delivered``, ``duplicate``, ``reordered``,
        ``after_marker`` (downstream packets), ``dropped`` (copies, both directions), ``disruption_ps`` (longest interruption of
        a downstream flow, -1 if there was none), ``latency_ps`` (from the end of the old link until the new one is up and
        registered, -1 if it never was); with ``detail`` also ``lost``, ``forwarded`` and the other metrics of
        ``handoff.metrics``, and ``seamless`` (``handoff.simulation.seamless``).
    extra : ByteCounts or None
        Bytes on all links and cells beyond those of the baseline run (``handoff.simulation.baseline``); None if either run was
        stopped.
    simultaneous : int
        Number of bindings that an anchor made beside an existing one.
    detail : PacketMetrics or None
        Metrics of flows and of the study; None if the run kept no record of packets.
    servers : dict of str to ndarray
        Service time of each node for a message (``registration_ps``) and for a packet (``service_ps``) in this run.
    wall_seconds, controller_seconds : float
        Real time of the run, and of its controllers.
    interrupted_ps : int or None
        Time reached if the run was stopped before its end.
    begin_ps : int
        End of the warm-up, or start of the batch.
    batches : tuple of RunResult
        Batches of the time after the warm-up, if there is more than one; they have no ``extra``.
    anchors : tuple of int
        Nodes that have a binding cache under the procedure: home agent, gateways, correspondents.
    groups : tuple of dict
        Summary of each group of a mixture (``handoff.simulation.group_rows``).
    attack_counts : dict of str to int
        Counts of attacks in the window (``handoff.protocol.attacks.ATTACK_COUNTS``).
    packets_around : dict of str to ndarray or None
        Packets around handoffs (``handoff.simulation.packets_around``); None if they were not asked for, or the run kept no
        record of packets.
    ended_by : str
        Measure that ended the run early (``handoff.simulation.early_end``); empty if none did.
    series : TimeSeries or None
        Time series of the whole run; None if the run recorded none.
    """

    procedure: str
    result: Result
    handoffs: Columns
    extra: ByteCounts | None
    simultaneous: int
    detail: PacketMetrics | None
    servers: Columns
    wall_seconds: float
    controller_seconds: float
    interrupted_ps: int | None = None
    begin_ps: int = 0
    batches: tuple[RunResult, ...] = ()
    anchors: tuple[int, ...] = ()
    groups: tuple[Row, ...] = ()
    attack_counts: AttackCounts = field(default_factory=no_attack_counts)
    packets_around: Columns | None = None
    ended_by: str = ""
    series: TimeSeries | None = None

    @property
    def reached_ps(self) -> int:
        """Simulated time at which the window ends."""
        return self.result.until_ps if self.interrupted_ps is None else self.interrupted_ps

    @property
    def baseline(self) -> ByteCounts | None:
        """Bytes of the baseline run; None without extra bytes."""
        return None if self.extra is None else ByteCounts.of(self.result) - self.extra

    def utilisation(self) -> tuple[Columns, Columns]:
        """Return the utilisation of links and servers.

        Returns
        -------
        links : dict of str to ndarray of float
            ``utilisation``: busy time as a share of the window; for a cell with a queue for each mobile node, their sum.
        nodes : dict of str to ndarray of float
            ``registrations_per_s``: messages that the registration server served per second; ``registration_utilisation`` and
            ``forwarding_utilisation`` of the two servers.
        """
        time, nodes = max(self.reached_ps - self.begin_ps, 1), self.result.nodes
        return {"utilisation": np.array([busy / time for busy in self.result.links["busy_ps"].tolist()], np.float64)}, {
            "registrations_per_s": nodes["messages"] * 1e12 / time,
            "registration_utilisation": nodes["messages"] * (self.servers["registration_ps"] / time),
            "forwarding_utilisation": nodes["forwarded"] * (self.servers["service_ps"] / time),
        }

    def mean_waits(self) -> dict[str, list[float | None]]:
        """Return the mean waits for the servers of nodes.

        Returns
        -------
        dict of str to list of float or None
            ``registration_wait_mean_ps`` and ``forwarding_wait_mean_ps``, computed from the exact sums, with one element for each
            node; None where the server accepted nothing.
        """
        means: dict[str, list[float | None]] = {}
        for server, accepted in (("registration", "registered"), ("forwarding", "forwarded")):
            sums, counts = self.result.nodes[f"{server}_wait_ps"].tolist(), self.result.nodes[accepted].tolist()
            means[f"{server}_wait_mean_ps"] = [s / n if n else None for s, n in zip(sums, counts, strict=True)]
        return means

    def delay_means(self) -> Int:
        """Return the mean delay of each flow in ps, rounded down; -1 where nothing was delivered."""
        pairs = zip(self.result.flows["delay_sum_ps"].tolist(), self.result.flows["delivered"].tolist(), strict=True)
        return np.array([total // count if count else -1 for total, count in pairs], np.int64)

    def occupancy(self) -> Columns:
        """Return the integrals of nodes over time (``engine.results.NODE_INTEGRALS``) in seconds.

        Returns
        -------
        dict of str to ndarray of float
            ``binding_seconds``, ``visitor_seconds`` and ``held_byte_seconds``, with one element for each node.
        """
        return {
            name.removesuffix("_ps") + "_seconds": np.array([value / SECOND for value in self.result.nodes[name].tolist()])
            for name in NODE_INTEGRALS
        }

    def summary(self) -> Row:
        """Return the figures of the comparison table; times in ps, None where nothing was measured."""
        h, flows, links = self.handoffs, self.result.flows, self.result.links
        return {
            "procedure": self.procedure,
            "handoffs": len(h["mobile"]),
            "completed": int(h["completed"].sum()),
            "unfinished_handoffs": int((h["completed"] == 0).sum()),
            **{f"scenario_{n}": int((h["scenario"] == n).sum()) for n in (1, 2, 3)},
            "retransmissions": int(h["retransmissions"].sum()),
            "sent": int(flows["sent"].sum()),
            "delivered": int(flows["delivered"].sum()),
            "lost": int(flows["lost"].sum()),
            **_spread("disruption", h["disruption_ps"]),
            **self._seamless(),
            "duplicate": int(flows["duplicate"].sum()),
            "reordered": int(flows["reordered"].sum()),
            "after_marker": int(h["after_marker"].sum()),
            "in_flight": int(flows["in_flight"].sum()),
            **self._study_metrics(),
            **_spread("latency", h["latency_ps"]),
            **_spread("registration_delay", registration_delays(h)),
            **self._delay_quantiles(),
            "extra_bytes": None if self.extra is None else sum(self.extra),
            "extra_air_bytes": None if self.extra is None else self.extra.air,
            "extra_core_bytes": None if self.extra is None else self.extra.core,
            "simultaneous_bindings": self.simultaneous,
            "signalling_messages": int(self.result.links["control_packets"].sum()),
            "signalling_bytes": int(links["control_bytes"].sum()),
            "tunnel_bytes": int(links["tunnel_bytes"].sum()),
            **self._memory(),
            **burst_columns(h),
            **self._attacks(),
            "begin_ps": self.begin_ps,
            "interrupted_ps": self.interrupted_ps,
        }

    def _seamless(self) -> dict[str, float | int | None]:
        """Return the share of seamless handoffs among the handoffs with packets, and their number, of all and by scenario."""
        seamless, scenario = self.handoffs.get("seamless"), self.handoffs["scenario"]
        shares: dict[str, float | int | None] = {}
        for name, of in (("seamless", scenario >= 0), *((f"seamless_{n}", scenario == n) for n in (1, 2, 3))):
            judged = scenario[:0] if seamless is None else seamless[of & (seamless >= 0)]
            shares[f"{name}_ratio"] = float(judged.mean()) if len(judged) else None
            shares[f"{name}_samples"] = len(judged)
        return shares

    def _memory(self) -> dict[str, float | int]:
        """Return what the bindings of anchors and the hold buffers of all nodes took."""
        nodes, anchors, seconds = self.result.nodes, list(self.anchors), self.occupancy()
        return {
            "binding_seconds": float(seconds["binding_seconds"][anchors].sum()),
            "bindings_peak": int(nodes["bindings_peak"][anchors].max(initial=0)),
            "held_byte_seconds": float(seconds["held_byte_seconds"].sum()),
            "held_peak_bytes": int(nodes["held_peak_bytes"].max(initial=0)),
        }

    def _attacks(self) -> dict[str, int | float]:
        """Return what attacks did, cost, diverted and denied (``ATTACK_FIGURES``)."""
        nodes = self.result.nodes
        hostile, hostile_dropped = nodes["hostile_registered"], nodes["hostile_dropped"]
        registration_ps = self.servers["registration_ps"]
        service_ps = sum(n * ps for n, ps in zip(hostile.tolist(), registration_ps.tolist(), strict=True))
        return self.attack_counts | {
            "attack_dropped": int(hostile_dropped.sum()),
            "attack_service_seconds": service_ps / SECOND,
            "diverted": int(nodes["diverted"].sum()),
            "diverted_bytes": int(nodes["diverted_bytes"].sum()),
            "legitimate_served": int((nodes["registered"] - hostile)[registration_ps > 0].sum()),
            "legitimate_dropped": int((nodes["registration_dropped"] - hostile_dropped).sum()),
        }

    def _study_metrics(self) -> dict[str, int | float | None]:
        # Without a record of packets, counters and the histogram of delays give some of the metrics.
        if self.detail is not None:
            return {name: measured_value(self.detail.study[name][0].item()) for name in STUDY_METRICS}
        flows = self.result.flows
        lost, delivered = int(flows["lost"].sum()), int(flows["delivered"].sum())
        delay_sum = sum(flows["delay_sum_ps"].tolist())
        return dict.fromkeys(STUDY_METRICS) | {
            "loss_ratio": lost / (lost + delivered) if lost + delivered else None,
            "delay_mean_ps": delay_sum // delivered if delivered else None,
        }

    def _delay_quantiles(self) -> dict[str, float | None]:
        """Return the quantiles of the delay, and their largest distance from the true ones as a share (``delay_resolution``).

        They are those of the recorded packets. Without a record the histogram of delays gives them. Of fewer than 100 packets,
        the 99th percentile is the largest delay (nearest rank; RFC 7679, 5.1: it is the delay of a packet).
        """
        if self.detail is not None:
            row = {name: self.detail.study[f"delay_{name}_ps"][0].item() for name in ("p50", "p95", "p99", "max")}
            row["p99"] = row["max"] if row["p99"] < 0 else row["p99"]
            return {f"delay_{q}_ps": measured_value(row[q]) for q in ("p50", "p95", "p99")} | {"delay_resolution": 0.0}
        counts, largest = self.result.delay_histogram, int(self.result.flows["delay_max_ps"].max(initial=0))
        values = {f"delay_p{percent}_ps": quantile(counts, percent, largest) for percent in (50, 95, 99)}
        return values | {"delay_resolution": RESOLUTION if counts.any() else None}


def measured_value(value: float) -> float | None:
    """Return a value of the metrics, in which -1 and NaN mark a value that was not measured; None for these."""
    return value if value >= 0 else None


def _spread(name: str, values: Int) -> Row:
    """Return mean, median, 99th percentile and number of the measured values; -1 marks a value that was not measured."""
    measured = values[values >= 0]
    if not len(measured):
        return dict.fromkeys([f"{name}_{statistic}_ps" for statistic in ("mean", "p50", "p99")]) | {f"{name}_samples": 0}
    return {
        f"{name}_mean_ps": float(measured.mean()),
        **{f"{name}_p{q}_ps": float(np.quantile(measured, q / 100)) for q in (50, 99)},
        f"{name}_samples": len(measured),
    }
