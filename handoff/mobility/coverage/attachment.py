"""Attachments and layer-2 events of mobile nodes from their tracks and the positions of routers (docs/movement.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

import handoff_traces
from engine import FOREVER
from engine.rng import PURPOSE_USER, name_key, random_word
from handoff.mobility.coverage.description import Coverage
from handoff.mobility.coverage.handover_trigger import (
    LINK_LOST,
    HandoverDecision,
    ReceivedLevels,
    level_above_since,
    level_below_since,
    next_handover,
    next_router,
)
from handoff.mobility.coverage.path_loss import MAX_DEVIATIONS, received_level, shadowing
from handoff.mobility.coverage.trajectory import Trajectory

PURPOSE_LEAD = PURPOSE_USER + 21
PURPOSE_ACCESS = PURPOSE_USER + 22


@dataclass
class _Attachment:
    """Row of the result; ``router`` is an index into ``Coverage.routers``."""

    router: int
    up_ps: int
    down_ps: int = FOREVER
    predict_ps: int = -1
    going_down_ps: int = -1


def compute_attachments(
    coverage: Coverage, tracks: handoff_traces.Tracks, *, seed: int, begin_ps: int = 0, until_ps: int
) -> handoff_traces.Associations:
    """Return the attachments of every mobile node of ``tracks`` while it is present and in range of a router.

    Parameters
    ----------
    coverage : Coverage
        Routers and the behaviour of layer 2.
    tracks : handoff_traces.Tracks
        Positions of the mobile nodes.
    seed : int
        Seed of shadowing, leads and numbers of radios. Each draw depends on the names of the mobile node and the router only.
    begin_ps : int
        Time of the tracks that becomes 0 in the result; what is earlier is left out.
    until_ps : int
        End of the result; handoffs that have not ended by then are left out.

    Returns
    -------
    handoff_traces.Associations
        Sorted by mobile node, then time; ``mobile_names`` has only mobile nodes with an attachment. If a mobile node is absent in
        between, each later presence is a mobile node of its own, ``NAME#2``, ``NAME#3``, …: neither traffic nor a handoff
        connects them.

    Raises
    ------
    ValueError
        If two samples of a mobile node are more than 2,147 km apart.
    """
    by_key = sorted(range(len(coverage.routers)), key=lambda r: name_key(coverage.routers[r]))
    taken = set(tracks.mobile_names)
    names: list[str] = []
    rows: list[tuple[int, _Attachment]] = []
    for mobile, name in enumerate(tracks.mobile_names):
        trajectory = Trajectory.of_mobile(tracks, mobile, begin_ps)
        node = _MobileNode(coverage, by_key, name, seed)
        try:
            presences = _presences(trajectory, coverage.longest_gap_ps)
            for number, (first_ps, last_ps) in enumerate(presences, 1):
                count = len(node.attachments)
                stays = tracks.stays and last_ps == trajectory.time_ps[-1]
                end_ps = until_ps if stays else min(last_ps, until_ps)
                node.follow(trajectory, max(first_ps, 0), end_ps, leaves=end_ps < until_ps)
                if len(node.attachments) > count:
                    rows += [(len(names), a) for a in node.attachments[count:]]
                    names.append(_presence_name(name, number, taken))
        except ValueError as error:
            raise ValueError(f"mobile node {name!r}: {error}") from None
    return handoff_traces.Associations(
        mobile=np.array([m for m, _ in rows], np.uint32),
        router=np.array([a.router for _, a in rows], np.uint32),
        up_ps=np.array([a.up_ps for _, a in rows], np.int64),
        down_ps=np.array([-1 if a.down_ps == FOREVER else a.down_ps for _, a in rows], np.int64),
        predict_ps=np.array([a.predict_ps for _, a in rows], np.int64),
        going_down_ps=np.array([a.going_down_ps for _, a in rows], np.int64),
        mobile_names=names,
        router_names=list(coverage.routers),
    )


def find_tracks(tracks: handoff_traces.Tracks, presences: Iterable[str]) -> list[int]:
    """Return the index of the mobile node in ``tracks`` for each name that ``compute_attachments`` has given to a presence.

    Raises
    ------
    KeyError
        If there is no such mobile node.
    """
    index = {name: mobile for mobile, name in enumerate(tracks.mobile_names)}
    return [index[name if name in index else name.rpartition("#")[0] or name] for name in presences]


def _presence_name(name: str, number: int, taken: set[str]) -> str:
    """Return the name of a presence of a mobile node, which no other mobile node has: ``taken`` has their names.

    No other presence has it either, because the text before the last ``#`` is the name of one mobile node.
    """
    if number == 1:
        return name
    name = f"{name}#{number}"
    while name in taken:
        name += "'"
    return name


def _presences(trajectory: Trajectory, longest_gap_ps: int | None) -> Iterator[tuple[int, int]]:
    """Yield the first and last instant of each series of samples without a gap or break."""
    times = trajectory.time_ps
    gaps = np.zeros(0, np.int64) if longest_gap_ps is None else np.flatnonzero(np.diff(times) > longest_gap_ps)
    gaps = np.union1d(gaps, trajectory.breaks - 1)
    starts, ends = np.append(0, gaps + 1), np.append(gaps, len(times) - 1)
    yield from zip(times[starts].tolist(), times[ends].tolist(), strict=True)


class _MobileNode:
    """One mobile node on its way: its attachments so far, by time."""

    def __init__(self, coverage: Coverage, routers_by_key: Sequence[int], name: str, seed: int) -> None:
        self.coverage, self.routers_by_key, self.seed = coverage, routers_by_key, seed
        self.key = name_key(name)
        self.single_radio = random_word(seed, PURPOSE_ACCESS, self.key, 0) < coverage.single_access
        self.attachments: list[_Attachment] = []

    def follow(self, trajectory: Trajectory, start_ps: int, end_ps: int, *, leaves: bool) -> None:
        """Add the attachments of one presence; at its end the node ``leaves``, or only the run ends."""
        if start_ps >= end_ps:
            return
        measured = self._measure_levels(trajectory, start_ps, end_ps)
        if measured is None:
            return
        levels, routers = measured
        coverage = self.coverage
        search_ps = start_ps
        while search_ps < end_ps:
            decision = next_router(levels, search_ps, coverage.minimum + coverage.hysteresis)
            if decision is None or decision.time_ps >= end_ps:
                return
            lost_ps = self._hand_off_until_lost(levels, routers, decision, end_ps)
            if lost_ps is None:
                if leaves:
                    self.attachments[-1].down_ps = end_ps
                return
            search_ps = lost_ps + max(coverage.switch_ps, 1)

    def _hand_off_until_lost(
        self, levels: ReceivedLevels, routers: list[int], first: HandoverDecision, end_ps: int
    ) -> int | None:
        """Attach, move from router to router, and return when a link is lost; None if none is lost."""
        coverage = self.coverage
        row, serving_from_ps = first.to, first.time_ps
        attachment = self._attach(routers[row], serving_from_ps)
        while decision := next_handover(
            levels, row, serving_from_ps, coverage.minimum, coverage.hysteresis, coverage.trigger_ps
        ):
            starts_ps = decision.time_ps + (coverage.switch_ps if self.single_radio else 0)
            if decision.to != LINK_LOST and starts_ps >= end_ps:
                return None  # the handoff would not end in time
            if decision.to == LINK_LOST or levels.at(decision.to, starts_ps) < coverage.minimum:
                self._lose(levels, attachment, row, decision.time_ps)
                return decision.time_ps
            self._leave(attachment, serving_from_ps, decision.time_ps)
            row, serving_from_ps = decision.to, starts_ps
            attachment = self._attach(routers[row], self._up_ps(levels, attachment, row, starts_ps))
        return None

    def _attach(self, router: int, up_ps: int) -> _Attachment:
        self.attachments.append(_Attachment(router, up_ps))
        return self.attachments[-1]

    def _leave(self, attachment: _Attachment, serving_from_ps: int, down_ps: int) -> None:
        """End an attachment by a predicted move; the events come after the end of the handoff before."""
        coverage = self.coverage
        lead_ps = coverage.lead_ps
        if coverage.lead_spread_ps:
            word = random_word(self.seed, PURPOSE_LEAD, self.key, len(self.attachments))
            lead_ps += (word * (2 * coverage.lead_spread_ps + 1) >> 64) - coverage.lead_spread_ps
        attachment.down_ps = down_ps
        attachment.going_down_ps = max(down_ps - coverage.guard_ps, serving_from_ps + 1)
        attachment.predict_ps = max(attachment.going_down_ps - lead_ps, serving_from_ps + 1)

    def _up_ps(self, levels: ReceivedLevels, old: _Attachment, router: int, starts_ps: int) -> int:
        """Return when the new link comes up: with a second radio as soon as the move is predicted and the router in range."""
        if self.single_radio:
            return starts_ps
        return level_above_since(levels, router, self.coverage.minimum, old.predict_ps, old.down_ps)

    def _lose(self, levels: ReceivedLevels, attachment: _Attachment, row: int, lost_ps: int) -> None:
        attachment.down_ps = lost_ps
        if self.coverage.warning is not None:
            attachment.going_down_ps = level_below_since(levels, row, self.coverage.warning, attachment.up_ps, lost_ps)

    def _measure_levels(
        self, trajectory: Trajectory, start_ps: int, end_ps: int
    ) -> tuple[ReceivedLevels, list[int]] | None:
        """Return the levels of the routers that may come into range in this presence, and the routers' indices."""
        coverage, radio = self.coverage, self.coverage.radio
        step = coverage.interval_ps
        inner = np.arange(start_ps // step + 1, -(-end_ps // step), dtype=np.int64) * step
        times = np.concatenate([[start_ps], inner, [end_ps]])
        x, y, travelled = trajectory.at(times)
        router_x, router_y = (np.array(v, np.int64)[self.routers_by_key, None] for v in (coverage.x_mm, coverage.y_mm))
        # The level at the nearest point of the box around the path bounds the levels on the path.
        nearest = [
            np.maximum(np.maximum(v.min() - router, router - v.max()), 0) for v, router in ((x, router_x), (y, router_y))
        ]
        bound = received_level(radio, *nearest)[:, 0] + MAX_DEVIATIONS * radio.shadowing
        in_range = np.flatnonzero(bound >= coverage.minimum)
        if not len(in_range):
            return None
        level = received_level(radio, x - router_x[in_range], y - router_y[in_range])
        routers = [self.routers_by_key[r] for r in in_range.tolist()]
        if radio.shadowing:
            keys = np.array([name_key(coverage.routers[r]) for r in routers], np.uint64)
            level += shadowing(radio, self.seed, keys, self.key, travelled)
        return ReceivedLevels(times, level), routers
