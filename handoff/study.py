"""Run a procedure on a setup and read off what its handoffs cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine import FOREVER, Engine, Network, Result
from engine.histogram import quantile
from engine.keys import PURPOSE_USER, draw
from handoff.machine.agent import Agent
from handoff.machine.mobile import MobileNodes
from handoff.machine.program import DOWN, GOING_DOWN, PREDICT, REFRESH, TUNNEL_HEADER, UP, Program
from handoff.machine.records import Records
from handoff.procedures import PROCEDURES
from handoff.setup import Setup

SLICES = 50
PURPOSE_AGE = PURPOSE_USER + 1
"""Draws of how old a registration is that was made before time 0."""

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
        ``ideal_bytes(setup, seed)`` if it is known already, for a comparison.
    wrap : callable or None
        Gets each node (-1: the fleet) and its controller, and returns what to attach instead: to watch every event and
        action of a run.

    Raises
    ------
    ValueError
        If the procedure is unknown, the options are wrong, or the network cannot be run.
    """
    if procedure not in PROCEDURES:
        raise ValueError(f"no procedure {procedure!r}; there are {', '.join(PROCEDURES)}")
    if found := setup.options.problems():
        raise ValueError("\n".join(found))
    program = Program.of(PROCEDURES[procedure], setup.options)
    network = setup.network.fork()
    begin(setup, network)
    _layer2(setup, network, seed)
    engine = Engine(
        network, seed=seed, scheduling=scheduling, record="drops", memory_limit_bytes=memory_limit_bytes  # type: ignore[arg-type]
    )
    records = Records(setup)
    mobiles = MobileNodes(program, setup.movement, records)
    engine.attach_mobiles(mobiles if wrap is None else wrap(-1, mobiles))
    for node, attached in [*_attached_at_start(setup), (setup.home_agent, [])]:
        agent = Agent(program, node, setup.home_agent, attached)
        engine.attach(node, agent if wrap is None else wrap(node, agent))
    begun = time.perf_counter()
    reached = _advance(engine, setup.duration_ps, progress)
    wall = time.perf_counter() - begun
    result = engine.result()
    stopped = None if reached == setup.duration_ps else reached
    if reference_bytes is None and stopped is None:
        reference_bytes = ideal_bytes(setup, seed, progress)
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


def begin(setup: Setup, network: Network) -> None:
    """Attachments, and the state of time 0: a mobile node that is up then has been registered before."""
    move = setup.movement
    network.attach(move.mobile, move.router, move.up_ps, move.down_ps)
    start = _first(setup)
    start = start[move.up_ps[start] == 0]
    for router in np.unique(move.router[start]).tolist():
        here = move.mobile[start[move.router[start] == router]]
        network.local([router] * len(here), here)
        network.route_up(here, router)
        if router == setup.home_agent:
            raise ValueError("a mobile node at its home agent is at home: attach it to another router")
        network.bind(setup.home_agent, here, router, header_bytes=TUNNEL_HEADER)


def ideal_bytes(setup: Setup, seed: int, progress: Callable[[StudyProgress], bool] | None = None) -> int | None:
    """Bytes on all links and cells when every handoff is done at once and for nothing, as the new link comes up.

    The reference for "extra bytes": same packets, same movement, no message, no copy, no forwarding. None if ``progress``
    stopped it.
    """
    move = setup.movement
    network = setup.network.fork()
    begin(setup, network)
    later = np.flatnonzero(move.up_ps > 0)
    for target in (None, setup.home_agent):
        network.schedule(move.up_ps[later], move.mobile[later], UP, move.router[later], node=target)
    for router in np.unique(move.router[later]).tolist():
        at = later[move.router[later] == router]
        network.schedule(move.up_ps[at], move.mobile[at], UP, router, node=router)
    engine = Engine(network, seed=seed)
    engine.attach_mobiles(_Ideal("route_up"))
    engine.attach(setup.home_agent, _Ideal("bind"))
    for router in np.unique(move.router).tolist():
        engine.attach(router, _Ideal("local"))
    if _advance(engine, setup.duration_ps, progress) < setup.duration_ps:
        return None
    return int(engine.result().links["bytes"].sum())


class _Ideal:
    """Does one thing when a mobile node comes up at a router."""

    def __init__(self, act: str) -> None:
        self.act = act

    def on_event(self, ctx: Any, event: Any) -> None:
        if self.act == "local":
            ctx.local()
        else:
            getattr(ctx, self.act)(event.args[0])


def _first(setup: Setup) -> npt.NDArray[np.int64]:
    """The first attachment of each mobile node."""
    m = setup.movement.mobile
    return np.flatnonzero(np.append(True, m[1:] != m[:-1])) if len(m) else np.zeros(0, np.int64)


def _layer2(setup: Setup, network: Network, seed: int) -> None:
    """Layer-2 events for mobile nodes and routers, and the first refresh of registrations made before time 0."""
    move = setup.movement
    attachment = np.arange(len(move.mobile))
    moves = ~setup.last_attachments()
    for code, times, which in [
        (PREDICT, move.predict_ps, moves & (move.predict_ps >= 0)),
        (GOING_DOWN, move.going_down_ps, moves & (move.going_down_ps >= 0)),
        (DOWN, move.down_ps, move.down_ps < FOREVER),
        (UP, move.up_ps, move.up_ps > 0),
    ]:
        rows = np.flatnonzero(which)
        network.schedule(times[rows], move.mobile[rows], code, attachment[rows])
        if code in (UP, DOWN):
            for router in np.unique(move.router[rows]).tolist():
                at = rows[move.router[rows] == router]
                network.schedule(times[at], move.mobile[at], code, attachment[at], node=router)
    start = _first(setup)
    here = move.mobile[start[move.up_ps[start] == 0]]
    half = setup.options.lifetime_s * 10**12 // 2
    if half < setup.duration_ps:
        keys = network.mobile_keys()[here].tolist()
        ages = [draw(seed, PURPOSE_AGE, key, 0) * half >> 64 for key in keys]
        network.schedule(half - np.array(ages, np.int64), here, REFRESH, 0)


def _attached_at_start(setup: Setup) -> Iterator[tuple[int, list[int]]]:
    move = setup.movement
    start = _first(setup)
    start = start[move.up_ps[start] == 0]
    for router in np.unique(move.router).tolist():
        yield router, move.mobile[start[move.router[start] == router]].tolist()


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


__all__ = ["Columns", "Run", "StudyProgress", "ideal_bytes", "run_procedure"]
