"""Pictures of the network in one phase, as in the seed's figures: paths of data and messages, buffers, bindings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from handoff.output.ladder.bindings import entries_at
from handoff.output.ladder.diagram import format_time
from handoff.output.ladder.figures import Figure
from handoff.output.ladder.journeys import MOBILE, Journey
from handoff.output.ladder.phases import SCENARIOS
from handoff.output.ladder.view import RunView, observe_first_registration, observe_handoff
from handoff.protocol.setup import Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import run_procedure

DOWN, UP, COPY = "D", "U", "DC"
"""The seed's letters: downstream data, upstream data, and multicast copies of downstream data."""
DATA = (DOWN, UP, COPY)
LOST, DISCARDED = "lost", "discarded"
"""Ends of a strand: packets that are lost, and copies that end while another copy arrives."""
_Handoffs = Mapping[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Strand:
    """Packets or one message between two neighbouring columns.

    Attributes
    ----------
    source, target : str
        Columns.
    label : str
        ``DOWN``, ``UP``, ``COPY``, or the name of a message.
    end : str
        ``LOST``, ``DISCARDED``, or empty for what arrives.
    """

    source: str
    target: str
    label: str
    end: str = ""


@dataclass(frozen=True)
class NodeState:
    """State of one node at the end of a phase.

    Attributes
    ----------
    column : str
    entry : tuple of str
        Care-of addresses of the binding, ``visitor`` or ``holds packets``; empty without an entry.
    upstream, downstream : int
        Largest number of upstream and downstream packets that wait at once during the phase: the buffers UA and DA.
    lost : int
        Packets that reach the node in the phase and are lost there, even later.
    """

    column: str
    entry: tuple[str, ...]
    upstream: int
    downstream: int
    lost: int


@dataclass(frozen=True)
class Flow:
    """Packets with the same path and outcome, some of which move during the phase."""

    label: str
    path: tuple[str, ...]
    outcome: str
    packets: int


@dataclass(frozen=True)
class Picture:
    """The network in one phase.

    Attributes
    ----------
    title, subtitle : str
    nodes : tuple of NodeState
    links : tuple of (str, str)
        Columns with a link, or a radio cell, between them.
    strands : tuple of Strand
    flows : tuple of Flow
    """

    title: str
    subtitle: str
    nodes: tuple[NodeState, ...]
    links: tuple[tuple[str, str], ...]
    strands: tuple[Strand, ...]
    flows: tuple[Flow, ...]


def build_figures(
    setup: Setup, figures: Iterable[Figure], seed: int, mobile: int | None = None, handoff: int | None = None
) -> Iterator[tuple[Figure, Picture]]:
    """Run the procedures of figures of the seed and yield the pictures of their phases.

    Parameters
    ----------
    setup : Setup
        Network, attachments and traffic of the runs.
    figures : iterable of Figure
        Figures to draw. Each procedure has one run in which its handoffs are looked up, and one more, with every packet, for
        each scenario and access.
    seed : int
        Seed of every random draw.
    mobile, handoff : int or None
        Mobile node, and number of its handoff. Without them each figure shows the first handoff of its kind.

    Raises
    ------
    ValueError
        If there is no such handoff, or it does not have the phase.
    """

    @cache
    def handoffs(procedure: str) -> _Handoffs:
        return run_procedure(setup, procedure, seed=seed, reference=ZERO_BYTES).handoffs

    views: dict[tuple[str, str, str], RunView] = {}
    for figure in figures:
        key = figure.procedure, figure.scenario, figure.access
        if key not in views:
            views[key] = _view(setup, figure, seed, mobile, handoff, handoffs)
        yield figure, build_picture(views[key], figure)


def _view(
    setup: Setup, figure: Figure, seed: int, mobile: int | None, handoff: int | None, handoffs: Callable[[str], _Handoffs]
) -> RunView:  # fmt: skip
    if not figure.access:
        attachments = setup.attachments
        first = setup.first_attachments()
        late = attachments.mobile[first[attachments.up_ps[first] > 0]].tolist() if mobile is None else [mobile]
        if not late:
            raise ValueError(f"figure {figure.number} shows a first registration, but every link is up at time 0")
        return observe_first_registration(setup, figure.procedure, late[0], seed)
    records = handoffs(figure.procedure)
    wanted = records["scenario"] == SCENARIOS.index(figure.scenario)
    if not figure.scenario:
        wanted &= records["access"] == ("dual", "single").index(figure.access)
    if mobile is not None:
        wanted &= records["mobile"] == mobile
    if handoff is not None:
        wanted &= records["index"] == handoff
    rows = np.flatnonzero(wanted)
    if not len(rows):
        kind = f"in scenario {figure.scenario}" if figure.scenario else f"with {figure.access} access"
        raise ValueError(f"figure {figure.number} shows a handoff {kind}, but this run of {figure.procedure} has none")
    return observe_handoff(setup, figure.procedure, int(records["mobile"][rows[0]]), int(records["index"][rows[0]]), seed)


def build_picture(view: RunView, figure: Figure) -> Picture:
    """Return the picture of one phase of a view.

    Raises
    ------
    ValueError
        If the phase does not occur.
    """
    spans = _spans(view, figure.phase)
    if not spans:
        raise ValueError(f"figure {figure.number} shows phase {figure.phase}, which this handoff does not have")
    entries = entries_at(view, spans[-1][1] - 1)
    waiting = {up: _waiting(view, spans, up) for up in (True, False)}
    ended = Counter(_ended(view, spans))
    nodes = tuple(
        NodeState(column, entries.get(node, ()), waiting[True][node], waiting[False][node], ended[node])
        for node, column in view.columns.items()
    )
    times = ", ".join(f"{format_time(begin_ps)} to {format_time(end_ps)} ms" for begin_ps, end_ps in spans)
    phase = figure.phase if figure.access else {"data": "routing of data"}.get(figure.phase, figure.phase)
    return Picture(
        f"FIG. {figure.number}: {figure.procedure}, {'phase ' if figure.access else ''}{phase}",
        f"{view.setup.network.mobile_name(view.mobile)}, {times} ({view.node_names})",
        nodes,
        tuple(sorted(_links(view))),
        tuple(dict.fromkeys([*_data(view, spans), *_messages(view, figure.phase)])),
        tuple(_flows(view, spans)),
    )


def _spans(view: RunView, phase: str) -> list[tuple[int, int]]:
    """Return the intervals of a phase in the time that is shown; intervals that only an instant separates are one."""
    spans: list[tuple[int, int]] = []
    for begin_ps, end_ps in view.phases.intervals(phase):
        begin_ps, end_ps = max(begin_ps, view.begin_ps), min(end_ps, view.end_ps)
        if spans and begin_ps <= spans[-1][1] + 1:
            spans[-1] = spans[-1][0], end_ps
        elif begin_ps < end_ps:
            spans.append((begin_ps, end_ps))
    return spans


def _links(view: RunView) -> set[tuple[str, str]]:
    network, columns = view.setup.network, view.columns
    pairs = [(link.src, link.dst) for link in network.links] + [(MOBILE, cell.node) for cell in network.cells]
    shown = [(columns[a], columns[b]) for a, b in pairs if a in columns and b in columns]
    return {(min(pair), max(pair)) for pair in shown}


def _ended(view: RunView, spans: list[tuple[int, int]]) -> Iterator[int]:
    """Yield the node of each packet that arrives there during a phase and is lost there."""
    for journey in view.journeys:
        last = journey.stops()[-1]
        lost = not journey.delivered and not journey.copy and journey.ended_ps >= 0
        if lost and last.leave_ps is None and _within(spans, last.arrival_ps):
            yield last.node


def _within(spans: list[tuple[int, int]], time_ps: int) -> bool:
    return any(begin_ps <= time_ps < end_ps for begin_ps, end_ps in spans)


def _label(journey: Journey, hop: int) -> str:
    if journey.up:
        return UP
    return COPY if journey.copied_at <= hop else DOWN


def _legs(view: RunView, journey: Journey) -> Iterator[tuple[int, Strand]]:
    """Yield each leg of a copy between two columns, with the time at which it starts.

    The leg of a copy that is dropped on the radio leads to the node that does not receive it, and has the time of the drop.
    """
    stops = [stop for stop in journey.stops() if stop.node in view.columns]
    for i, stop in enumerate(stops):
        if stop.leave_ps is None or (journey.copy and stop.hop < journey.copied_at):
            continue
        last = i + 1 == len(stops)
        target = journey.transmissions[-1].target if last else stops[i + 1].node
        if target in view.columns and target != stop.node:
            end = "" if not last or journey.ended_ps < 0 else DISCARDED if journey.delivered else LOST
            strand = Strand(view.columns[stop.node], view.columns[target], _label(journey, stop.hop), end)
            yield journey.ended_ps if end else stop.leave_ps, strand


def _data(view: RunView, spans: list[tuple[int, int]]) -> Iterator[Strand]:
    for journey in view.journeys:
        for start_ps, strand in _legs(view, journey):
            if _within(spans, start_ps):
                yield strand


def _messages(view: RunView, phase: str) -> Iterator[Strand]:
    """Yield the hops of the messages of a phase. Phase I-4 is the arrival of the marker."""
    marker = view.observer.program.procedure.marker
    for hop in view.hops:
        arrives = phase == "I-4" and hop.message == marker and hop.to == MOBILE and hop.got_ps == view.facts["marker_ps"]
        if arrives or view.phases.of(hop) == phase:
            yield Strand(view.columns[hop.source], view.columns[hop.to], hop.message, LOST if hop.got_ps is None else "")


def _waiting(view: RunView, spans: list[tuple[int, int]], up: bool) -> Counter[int]:
    """Return the largest number of packets that wait at once in each node during a phase."""
    changes: dict[int, list[tuple[int, int]]] = {}
    for journey in view.journeys:
        if journey.up != up:
            continue
        for stop in journey.stops():
            if journey.copy and stop.hop < journey.copied_at:
                continue
            ended_ps = view.setup.duration_ps if journey.ended_ps < 0 else journey.ended_ps
            ends_ps = stop.leave_ps if stop.leave_ps is not None else max(ended_ps, stop.arrival_ps)
            for begin_ps, end_ps in spans:
                since_ps, until_ps = max(stop.arrival_ps, begin_ps), min(ends_ps, end_ps)
                if since_ps < until_ps:
                    changes.setdefault(stop.node, []).extend([(since_ps, 1), (until_ps, -1)])
    peaks: Counter[int] = Counter()
    for node, steps in changes.items():
        count = 0
        for _, change in sorted(steps):
            count += change
            peaks[node] = max(peaks[node], count)
    return peaks


def _flows(view: RunView, spans: list[tuple[int, int]]) -> Iterator[Flow]:
    groups: Counter[tuple[str, tuple[str, ...], str]] = Counter()
    for journey in view.journeys:
        times = [start_ps for start_ps, _ in _legs(view, journey)] + [stop.arrival_ps for stop in journey.stops()]
        if any(_within(spans, time_ps) for time_ps in times):
            label = UP if journey.up else COPY if journey.copied_at < len(journey.transmissions) else DOWN
            groups[label, view.path(journey), journey.outcome] += 1
    for (label, path, outcome), packets in sorted(groups.items()):
        yield Flow(label, path, outcome, packets)
