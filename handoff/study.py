"""Run a procedure on a setup and read off what its handoffs cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from engine import Engine, Hops, Network, Result
from engine.histogram import quantile
from handoff.begin import begin, controllers, schedule
from handoff.ideal import Bytes, ideal_bytes
from handoff.machine.places import Places
from handoff.machine.program import Program
from handoff.machine.records import Records
from handoff.measure import Columns, Detail, details, handoff_columns
from handoff.procedures import PROCEDURES
from handoff.setup import Correspondents, Setup

SLICES = 50


class Recorder(Protocol):
    """Takes the hops of a run as it goes on (``handoff.export.capture.Recorder`` writes them)."""

    @property
    def hops(self) -> list[str]:
        """Links to record."""

    @property
    def slices(self) -> int:
        """How many slices keep each one small."""

    def write(self, hops: Hops) -> None:
        """Take those of a slice."""


Record = Callable[[Network, Program, Places], AbstractContextManager[Recorder]]

STUDY_METRICS = (
    "loss_ratio", "loss_periods", "loss_period_max_packets", "delay_mean_ps", "delay_p50_ps", "delay_p95_ps", "ipdv_abs_mean_ps",
    "pdv_p99_ps", "reordered_ratio", "reordering_extent_max_packets", "reordering_n_max_packets", "duplicate_copies", "forwarded",
    "jitter_max_ps", "mos",
)  # fmt: skip
"""Metrics of a whole study, from the record of every packet (``handoff.metrics.group_metrics``)."""


@dataclass(frozen=True)
class StudyProgress:
    """How far a run has come: simulated time reached and wanted (ps), packet-hops so far."""

    time_ps: int
    until_ps: int
    events: int


@dataclass
class Run:
    """One procedure on one setup.

    Attributes
    ----------
    procedure : str
    result : engine.Result
    handoffs : dict of str to ndarray
        One element a handoff that began: the columns of ``handoff.machine.records`` and what was measured in it: ``delivered``,
        ``duplicate``, ``reordered``, ``after_marker`` (downstream packets), ``dropped`` (copies, both directions),
        ``disruption_ps`` (longest interruption of a downstream flow, -1 if there was none), ``latency_ps`` (from the end of the
        old link until the new one is up and registered, -1 if it never was); with ``detail`` also ``lost``, ``forwarded`` and
        the other metrics of ``handoff.metrics``.
    extra : Bytes or None
        Bytes on all links and cells beyond those of the same traffic and movement under handoffs that cost nothing;
        None if either run was stopped.
    simultaneous : int
        How often an anchor made a binding beside another one.
    detail : Detail or None
        Metrics of flows and of the study, if they were asked for.
    servers : dict of str to ndarray
        Time of each node for a message (``registration_ps``) and for a packet (``service_ps``), in this run.
    wall_seconds, controller_seconds : float
    interrupted_ps : int or None
        Time reached if the run was stopped before its end.
    """

    procedure: str
    result: Result
    handoffs: Columns
    extra: Bytes | None
    simultaneous: int
    detail: Detail | None
    servers: Columns
    wall_seconds: float
    controller_seconds: float
    interrupted_ps: int | None = None

    @property
    def reached_ps(self) -> int:
        """Simulated time that the figures are about."""
        return self.result.until_ps if self.interrupted_ps is None else self.interrupted_ps

    def rates(self) -> tuple[Columns, Columns]:
        """What links and nodes did in relation to time.

        Returns
        -------
        links : dict of str to ndarray of float
            ``utilisation``: busy time as a share of all; of a cell with a queue for each mobile node, their sum.
        nodes : dict of str to ndarray of float
            ``registrations_per_s``: messages that the registration server took; ``registration_utilisation`` and
            ``forwarding_utilisation`` of the two servers.
        """
        time, nodes = max(self.reached_ps, 1), self.result.nodes
        return {"utilisation": self.result.links["busy_ps"] / time}, {
            "registrations_per_s": nodes["messages"] * 1e12 / time,
            "registration_utilisation": nodes["messages"] * (self.servers["registration_ps"] / time),
            "forwarding_utilisation": nodes["forwarded"] * (self.servers["service_ps"] / time),
        }

    def summary(self) -> dict[str, int | float | str | None]:
        """The figures of the comparison table; times in ps, nan where nothing was measured."""
        h, flows, links = self.handoffs, self.result.flows, self.result.links
        return {
            "procedure": self.procedure,
            "handoffs": len(h["mobile"]),
            "completed": int(h["completed"].sum()),
            "unfinished_handoffs": int((h["completed"] == 0).sum()),
            **{f"scenario_{n}": int((h["scenario"] == n).sum()) for n in (1, 2, 3)},
            "sent": int(flows["sent"].sum()),
            "lost": int(flows["lost"].sum()),
            "duplicate": int(flows["duplicate"].sum()),
            "reordered": int(flows["reordered"].sum()),
            "after_marker": int(h["after_marker"].sum()),
            "in_flight": int(flows["in_flight"].sum()),
            **self._detailed(),
            **_percentiles(h, "disruption_ps"),
            **_percentiles(h, "latency_ps"),
            "delay_p99_ps": quantile(self.result.delay_histogram, 0.99),
            "extra_bytes": None if self.extra is None else sum(self.extra),
            "extra_air_bytes": None if self.extra is None else self.extra.air,
            "extra_core_bytes": None if self.extra is None else self.extra.core,
            "simultaneous_bindings": self.simultaneous,
            "signalling_messages": int(self.result.links["control_packets"].sum()),
            "signalling_bytes": int(links["control_bytes"].sum()),
            "tunnel_bytes": int(links["tunnel_bytes"].sum()),
            "interrupted_ps": self.interrupted_ps,
        }

    def _detailed(self) -> dict[str, int | float | None]:
        """Metrics of the whole study; None without detail."""
        if self.detail is None:
            return dict.fromkeys(STUDY_METRICS)
        return {name: self.detail.study[name][0].item() for name in STUDY_METRICS}


def _percentiles(columns: Columns, name: str) -> dict[str, int | float | str | None]:
    """Median and 99th percentile of what was measured; nan if nothing was."""
    known = columns[name][columns[name] >= 0]
    stem = name.removesuffix("_ps")
    return {f"{stem}_p{q}_ps": float(np.quantile(known, q / 100)) if len(known) else float("nan") for q in (50, 99)}


def run_procedure(
    setup: Setup,
    procedure: str,
    *,
    seed: int = 1,
    scheduling: str = "auto",
    threads: int = 1,
    memory_limit_bytes: int | None = None,
    progress: Callable[[StudyProgress], bool] | None = None,
    reference: Bytes | None = None,
    wrap: Callable[[int, Any], Any] | None = None,
    detail: bool = False,
    record: Record | None = None,
) -> Run:
    """Run one row of ``handoff.procedures`` to the end of the setup.

    Parameters
    ----------
    setup : Setup
        Network with traffic, movement, options.
    procedure : str
        A key of ``PROCEDURES``.
    seed : int
        Seed of every draw; all procedures of a comparison see the same draws.
    scheduling : str
        As for ``engine.Engine``; no result depends on it.
    threads : int
        As for ``engine.Engine``; no result depends on it.
    memory_limit_bytes : int or None
        Refuse a run that may take more.
    progress : callable or None
        Called after each slice of the run; returns False to stop there.
    reference : Bytes or None
        ``handoff.ideal.ideal_bytes`` of the same bindings if it is known already, for a comparison.
    wrap : callable or None
        Gets each node (-1: the fleet) and its controller, and returns what to attach instead: to watch every event and
        action of a run.
    detail : bool
        Keep a record of every packet, and derive the metrics of ``handoff.metrics`` from it: about 200 bytes a packet.
    record : callable or None
        Gets network, program and places of the run and returns what takes its hops, a context around the run.

    Raises
    ------
    ValueError
        If the procedure is unknown, the options are wrong, or the network cannot be run.
    """
    program = program_of(setup, procedure)
    places = Places(setup, program, Correspondents(setup.network), seed)
    network = setup.network.fork()
    begin(setup, network, places)
    schedule(setup, network, program, places, seed)
    records = Records(setup)
    with nullcontext() if record is None else record(network, program, places) as recorder:
        engine = Engine(
            network, seed=seed, tunnel_limit=setup.options.tunnel_limit,
            scheduling="heap" if setup.options.forward_unacked else scheduling,  # type: ignore[arg-type]
            record="packets" if detail else "drops", memory_limit_bytes=memory_limit_bytes, threads=threads,
            hops=() if recorder is None else recorder.hops,
        )  # fmt: skip
        for node, controller in controllers(setup, program, places, records):
            if node < 0:
                engine.attach_mobiles(controller if wrap is None else wrap(node, controller))
            else:
                engine.attach(node, controller if wrap is None else wrap(node, controller))
        begun = time.perf_counter()
        reached = _advance(engine, setup.duration_ps, progress, recorder)
        wall = time.perf_counter() - begun
    controller = None
    engine.dismiss()
    result = engine.result()
    stopped = None if reached == setup.duration_ps else reached
    if reference is None and stopped is None:
        end = setup.duration_ps
        reference = ideal_bytes(setup, places, seed, lambda e: _advance(e, end, progress) == end)
    mobile_of_flow = network.flow_column("mobile")
    handoffs = handoff_columns(records, result, mobile_of_flow, reached)
    measured = None
    if detail:
        measured = details(PROCEDURES[procedure], result, mobile_of_flow, handoffs, setup.options.resequence_ps, reached)
    return Run(
        procedure,
        result,
        handoffs,
        None if stopped is not None or reference is None else Bytes.of(result).beyond(reference),
        places.simultaneous,
        measured,
        {name: np.array([getattr(n, name) for n in network.nodes], np.int64) for name in ("registration_ps", "service_ps")},
        wall,
        engine.profile["controller_ns"] / 1e9,
        stopped,
    )


def program_of(setup: Setup, procedure: str) -> Program:
    """The program of a procedure on a setup.

    Raises
    ------
    ValueError
        If the procedure is unknown, the options are wrong, or the procedure needs regions and there are none.
    """
    if procedure not in PROCEDURES:
        raise ValueError(f"no procedure {procedure!r}; there are {', '.join(PROCEDURES)}")
    row = PROCEDURES[procedure]
    found = setup.options.problems()
    homeless = sorted({int(r) for r in setup.movement.router} - set(setup.gateways))
    if row.hierarchical and homeless:
        names = ", ".join(setup.network.nodes[r].name for r in homeless)
        found.append(f"{procedure} is hierarchical: give each router a region with a gateway; {names} have none")
    if found:
        raise ValueError("\n".join(found))
    return Program.of(row, setup.options)


def _advance(
    engine: Engine, until: int, progress: Callable[[StudyProgress], bool] | None, recorder: Recorder | None = None
) -> int:
    """Run in slices, so that progress, an interruption and the record of hops have a place."""
    slices = SLICES if recorder is None else max(SLICES, recorder.slices)
    for k in range(1, slices + 1):
        reached = engine.advance(until * k // slices)
        if recorder is not None:
            recorder.write(engine.take_hops())
        if progress is not None and not progress(StudyProgress(reached, until, engine.profile["events"])):
            return reached
    return until


__all__ = ["Columns", "Run", "StudyProgress", "ideal_bytes", "program_of", "run_procedure"]
