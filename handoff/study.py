"""Run a procedure on a setup and read off what its handoffs cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine import Engine, Result
from engine.histogram import quantile
from handoff.begin import begin, controllers, schedule
from handoff.ideal import ideal_bytes
from handoff.machine.places import Places
from handoff.machine.program import Program
from handoff.machine.records import Records
from handoff.procedures import PROCEDURES
from handoff.setup import Correspondents, Setup

SLICES = 50

Columns = dict[str, npt.NDArray[Any]]


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
        One element a handoff that began: the columns of ``handoff.machine.records`` and what was measured in it:
        ``lost``, ``duplicate``, ``reordered``, ``after_marker`` (packets), ``disruption_ps`` (longest time between two
        deliveries to the mobile node, -1 if there were none).
    extra_bytes : int or None
        Bytes on all links and cells beyond those of the same traffic and movement under handoffs that cost nothing;
        None if either run was stopped.
    wall_seconds, controller_seconds : float
    interrupted_ps : int or None
        Time reached if the run was stopped before its end.
    """

    procedure: str
    result: Result
    handoffs: Columns
    extra_bytes: int | None
    wall_seconds: float
    controller_seconds: float
    interrupted_ps: int | None = None

    def summary(self) -> dict[str, int | float | str | None]:
        """The figures of the comparison table; times in ps, nan where nothing was measured."""
        h, flows, links = self.handoffs, self.result.flows, self.result.links
        gaps = h["disruption_ps"][h["disruption_ps"] >= 0]
        return {
            "procedure": self.procedure,
            "handoffs": len(h["mobile"]),
            "completed": int(h["completed"].sum()),
            **{f"scenario_{n}": int((h["scenario"] == n).sum()) for n in (1, 2, 3)},
            "sent": int(flows["sent"].sum()),
            "lost": int(flows["lost"].sum()),
            "duplicate": int(flows["duplicate"].sum()),
            "reordered": int(flows["reordered"].sum()),
            "after_marker": int(h["after_marker"].sum()),
            "in_flight": int(flows["in_flight"].sum()),
            "disruption_p50_ps": float(np.quantile(gaps, 0.5)) if len(gaps) else float("nan"),
            "disruption_p99_ps": float(np.quantile(gaps, 0.99)) if len(gaps) else float("nan"),
            "delay_p99_ps": quantile(self.result.delay_histogram, 0.99),
            "extra_bytes": self.extra_bytes,
            "signalling_messages": int(self.result.links["control_packets"].sum()),
            "signalling_bytes": int(links["control_bytes"].sum()),
            "interrupted_ps": self.interrupted_ps,
        }


def run_procedure(
    setup: Setup,
    procedure: str,
    *,
    seed: int = 1,
    scheduling: str = "auto",
    memory_limit_bytes: int | None = None,
    progress: Callable[[StudyProgress], bool] | None = None,
    reference_bytes: int | None = None,
    wrap: Callable[[int, Any], Any] | None = None,
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
    memory_limit_bytes : int or None
        Refuse a run that may take more.
    progress : callable or None
        Called after each slice of the run; returns False to stop there.
    reference_bytes : int or None
        ``handoff.ideal.ideal_bytes`` of the same bindings if it is known already, for a comparison.
    wrap : callable or None
        Gets each node (-1: the fleet) and its controller, and returns what to attach instead: to watch every event and
        action of a run.

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
    engine = Engine(
        network, seed=seed, tunnel_limit=setup.options.tunnel_limit, scheduling=scheduling, record="drops",  # type: ignore[arg-type]
        memory_limit_bytes=memory_limit_bytes,
    )  # fmt: skip
    records = Records(setup)
    for node, controller in controllers(setup, program, places, records):
        if node < 0:
            engine.attach_mobiles(controller if wrap is None else wrap(node, controller))
        else:
            engine.attach(node, controller if wrap is None else wrap(node, controller))
    begun = time.perf_counter()
    reached = _advance(engine, setup.duration_ps, progress)
    wall = time.perf_counter() - begun
    result = engine.result()
    stopped = None if reached == setup.duration_ps else reached
    if reference_bytes is None and stopped is None:
        end = setup.duration_ps
        reference_bytes = ideal_bytes(setup, places, seed, lambda e: _advance(e, end, progress) == end)
    spent = int(result.links["bytes"].sum())
    return Run(
        procedure,
        result,
        _measure(records, result, network.flows()["mobile"], reached),
        None if stopped is not None or reference_bytes is None else spent - reference_bytes,
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


def _advance(engine: Engine, until: int, progress: Callable[[StudyProgress], bool] | None) -> int:
    """Run in slices, so that progress and an interruption have a place."""
    for k in range(1, SLICES + 1):
        reached = engine.advance(until * k // SLICES)
        if progress is not None and not progress(StudyProgress(reached, until, engine.profile["events"])):
            return reached
    return until


def _measure(records: Records, result: Result, mobile_of_flow: npt.NDArray[np.int64], reached: int) -> Columns:
    """Join the machine's records with the spans and the dropped packets of each handoff that began."""
    spans = result.spans
    columns: Columns = {c: v[spans["id"]] for c, v in records.columns.items()}
    columns["open_ps"] = spans["open_ps"]
    columns["end_ps"] = spans["end_ps"]
    columns["duplicate"], columns["reordered"] = spans["duplicate"], spans["reordered"]
    columns["after_marker"], columns["delivered"] = spans["after_marker"], spans["delivered"]
    columns["disruption_ps"] = spans["gap_max_ps"]
    packets = result.packets
    dropped_mobile = mobile_of_flow[packets["flow"]] if packets is not None else mobile_of_flow[:0]
    columns["lost"] = _lost_in(spans, packets, dropped_mobile, reached)
    order = np.lexsort((columns["index"], columns["mobile"]))
    return {c: v[order] for c, v in columns.items()}


def _lost_in(spans: Columns, packets: Columns | None, mobile: npt.NDArray[np.int64], reached: int) -> npt.NDArray[np.int64]:
    """Dropped data packet copies (of ``mobile`` each) between the opening and the end of their mobile node's span."""
    lost = np.zeros(len(spans["mobile"]), np.int64)
    if packets is None or not len(lost) or not len(mobile):
        return lost
    times = np.unique(np.concatenate([spans["open_ps"], packets["time_ps"]]))  # ranks: products of them stay small
    opening = spans["mobile"] * len(times) + np.searchsorted(times, spans["open_ps"])
    dropped = mobile * len(times) + np.searchsorted(times, packets["time_ps"])
    order = np.argsort(opening)
    at = np.searchsorted(opening[order], dropped, side="right") - 1
    row = order[np.maximum(at, 0)]
    end = np.where(spans["end_ps"][row] >= 0, spans["end_ps"][row], reached)
    inside = (at >= 0) & (spans["mobile"][row] == mobile) & (packets["time_ps"] <= end)
    np.add.at(lost, row[inside], 1)
    return lost


__all__ = ["Columns", "Run", "StudyProgress", "ideal_bytes", "program_of", "run_procedure"]
