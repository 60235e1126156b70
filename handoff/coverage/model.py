"""Tracks and routers in, attachments with their layer-2 events out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

import handoff_traces
from engine import FOREVER
from engine.keys import PURPOSE_USER, draw, key
from handoff.coverage.path import Path
from handoff.coverage.radio import CUT, Radio, shadowing
from handoff.coverage.trigger import Change, Levels, above_since, below_since, next_change, next_router
from handoff.setup import Int

PURPOSE_LEAD = PURPOSE_USER + 21
PURPOSE_ACCESS = PURPOSE_USER + 22


@dataclass(frozen=True)
class Coverage:
    """Where routers are, how they are heard, and what layer 2 says beforehand; times in ps, levels in thousandths of a dB.

    Attributes
    ----------
    routers : tuple of str
    x_mm, y_mm : tuple of int
        Positions, in the coordinates of the tracks.
    radio : Radio
    minimum : int
        Level below which a link is lost.
    hysteresis : int
        By how much another router has to be stronger for a handoff, or above ``minimum`` to be attached to without a link.
    trigger_ps : int
        For how long (time to trigger).
    interval_ps : int
        Between two measurements of levels; these are linear in between.
    lead_ps, lead_spread_ps : int
        From the prediction to the warning (going-down): a draw for each handoff, uniform within the spread on either side.
    guard_ps : int
        From the warning to the end of the old link.
    warning : int or None
        Level below which a link that is about to be lost is warned of; None: there is no such warning.
    single_access : int
        Share of the mobile nodes with one radio, times 2**64.
    switch_ps : int
        From the end of one link to the next, where there is no second radio or no prediction.
    longest_gap_ps : int
        A mobile node is absent between two samples farther apart than this; 0: never.
    """

    routers: tuple[str, ...]
    x_mm: tuple[int, ...]
    y_mm: tuple[int, ...]
    radio: Radio = field(default_factory=Radio)
    minimum: int = -100_000
    hysteresis: int = 3_000
    trigger_ps: int = 320 * 10**9
    interval_ps: int = 100 * 10**9
    lead_ps: int = 500 * 10**9
    lead_spread_ps: int = 0
    guard_ps: int = 20 * 10**9
    warning: int | None = None
    single_access: int = 0
    switch_ps: int = 50 * 10**9
    longest_gap_ps: int = 0


@dataclass
class _Attachment:
    """A row of the result; ``router`` is an index into ``Coverage.routers``."""

    router: int
    up: int
    down: int = FOREVER
    predict: int = -1
    going_down: int = -1


def attachments(
    coverage: Coverage, tracks: handoff_traces.Tracks, *, seed: int, begin_ps: int = 0, until_ps: int
) -> handoff_traces.Associations:
    """Attach every mobile node of ``tracks`` while it is there and hears a router.

    Parameters
    ----------
    coverage : Coverage
        Routers, and how layer 2 works.
    tracks : handoff_traces.Tracks
        Where mobile nodes are.
    seed : int
        Of shadowing, leads and who has one radio; each draw depends on the names of mobile node and router alone.
    begin_ps : int
        Time of the tracks that is 0 of the result; what is earlier is left out.
    until_ps : int
        End of the result: handoffs that are not done by then are not in it.

    Returns
    -------
    handoff_traces.Associations
        Sorted by mobile node, then time; ``mobile_names`` are those that have been attached at all.

    Raises
    ------
    ValueError
        If two samples of a mobile node are farther apart than numbers can hold.
    """
    order = sorted(range(len(coverage.routers)), key=lambda r: key(coverage.routers[r]))
    bounds = tracks.bounds().tolist()
    names: list[str] = []
    rows: list[tuple[int, _Attachment]] = []
    for mobile, name in enumerate(tracks.mobile_names):
        samples = slice(bounds[mobile], bounds[mobile + 1])
        path = Path(tracks.time_ps[samples] - begin_ps, tracks.x_mm[samples], tracks.y_mm[samples])
        ride = _Ride(coverage, order, name, seed)
        try:
            for first_ps, last_ps in _pieces(path.time_ps, coverage.longest_gap_ps):
                stays = tracks.stays and last_ps == path.time_ps[-1]
                end_ps = until_ps if stays else min(last_ps, until_ps)
                ride.along(path, max(first_ps, 0), end_ps, gone=end_ps < until_ps)
        except ValueError as error:
            raise ValueError(f"mobile node {name!r}: {error}") from None
        if ride.found:
            rows += [(len(names), a) for a in ride.found]
            names.append(name)
    return handoff_traces.Associations(
        mobile=np.array([m for m, _ in rows], np.uint32),
        router=np.array([a.router for _, a in rows], np.uint32),
        up_ps=np.array([a.up for _, a in rows], np.int64),
        down_ps=np.array([-1 if a.down == FOREVER else a.down for _, a in rows], np.int64),
        predict_ps=np.array([a.predict for _, a in rows], np.int64),
        going_down_ps=np.array([a.going_down for _, a in rows], np.int64),
        mobile_names=names,
        router_names=list(coverage.routers),
    )


def _pieces(times: Int, longest_gap_ps: int) -> Iterator[tuple[int, int]]:
    """First and last instant of the samples that belong together."""
    gaps = np.flatnonzero(np.diff(times) > longest_gap_ps) if longest_gap_ps else np.zeros(0, np.int64)
    starts, ends = np.append(0, gaps + 1), np.append(gaps, len(times) - 1)
    yield from zip(times[starts].tolist(), times[ends].tolist(), strict=True)


class _Ride:
    """One mobile node, attachment by attachment."""

    def __init__(self, coverage: Coverage, order: Sequence[int], name: str, seed: int) -> None:
        self.coverage, self.order, self.seed = coverage, order, seed
        self.key = key(name)
        self.single = draw(seed, PURPOSE_ACCESS, self.key, 0) < coverage.single_access
        self.found: list[_Attachment] = []

    def along(self, path: Path, start_ps: int, end_ps: int, *, gone: bool) -> None:
        """Follow one connected piece of the way; at its end the node is ``gone``, or only the run ends."""
        if start_ps >= end_ps:
            return
        measured = self._levels(path, start_ps, end_ps)
        if measured is None:
            return
        levels, routers = measured
        cover = self.coverage
        search = start_ps
        while search < end_ps:
            heard = next_router(levels, search, cover.minimum + cover.hysteresis)
            if heard is None or heard.time_ps >= end_ps:
                return
            lost_ps = self._stay(levels, routers, heard, end_ps)
            if lost_ps is None:
                if gone:
                    self.found[-1].down = end_ps
                return
            search = lost_ps + max(cover.switch_ps, 1)

    def _stay(self, levels: Levels, routers: list[int], heard: Change, end_ps: int) -> int | None:
        """Attach, and go from router to router until a link is lost; returns when, None if that does not happen."""
        cover = self.coverage
        row, served = heard.to, heard.time_ps
        now = self._attach(routers[row], served)
        while change := next_change(levels, row, served, cover.minimum, cover.hysteresis, cover.trigger_ps):
            starts = change.time_ps + (cover.switch_ps if self.single else 0)
            if change.to >= 0 and starts >= end_ps:
                return None  # the move would not be done by then
            if change.to < 0 or levels.at(starts)[change.to] < cover.minimum:
                self._lose(levels, now, row, change.time_ps)
                return change.time_ps
            self._move(now, served, change.time_ps)
            row, served = change.to, starts
            now = self._attach(routers[row], self._up(levels, now, row, served))
        return None

    def _attach(self, router: int, up_ps: int) -> _Attachment:
        self.found.append(_Attachment(router, up_ps))
        return self.found[-1]

    def _move(self, now: _Attachment, served: int, at: int) -> None:
        """End an attachment by a move that is known beforehand, though not before the last one was done."""
        cover = self.coverage
        lead = cover.lead_ps
        if cover.lead_spread_ps:
            wide = draw(self.seed, PURPOSE_LEAD, self.key, len(self.found)) * (2 * cover.lead_spread_ps + 1) >> 64
            lead += wide - cover.lead_spread_ps
        now.down = at
        now.going_down = max(at - cover.guard_ps, served + 1)
        now.predict = max(now.going_down - lead, served + 1)

    def _up(self, levels: Levels, before: _Attachment, to: int, starts: int) -> int:
        """When the new link comes up: with a second radio as soon as the router is known and heard."""
        if self.single:
            return starts
        return above_since(levels, to, self.coverage.minimum, before.predict, before.down)

    def _lose(self, levels: Levels, now: _Attachment, row: int, at: int) -> None:
        now.down = at
        if self.coverage.warning is not None:
            now.going_down = below_since(levels, row, self.coverage.warning, now.up, at)

    def _levels(self, path: Path, start_ps: int, end_ps: int) -> tuple[Levels, list[int]] | None:
        """Levels of the routers that can be heard on this piece, and which these are."""
        cover, radio = self.coverage, self.coverage.radio
        step = cover.interval_ps
        inner = np.arange(start_ps // step + 1, -(-end_ps // step), dtype=np.int64) * step
        times = np.concatenate([[start_ps], inner, [end_ps]])
        x, y, travelled = path.at(times)
        # the nearest point of the box around the way: no level on the way is greater than there
        right, above = (np.array(v, np.int64)[self.order, None] for v in (cover.x_mm, cover.y_mm))
        gap = [np.maximum(np.maximum(v.min() - at, at - v.max()), 0) for v, at in ((x, right), (y, above))]
        near = np.flatnonzero(radio.level(*gap)[:, 0] + CUT * radio.shadowing >= cover.minimum)
        if not len(near):
            return None
        dx, dy = x - right[near], y - above[near]
        level = radio.level(dx, dy)
        routers = [self.order[r] for r in near.tolist()]
        if radio.shadowing:
            keys = np.array([key(cover.routers[r]) for r in routers], np.uint64)
            level += shadowing(radio, self.seed, keys, self.key, travelled)
        return Levels(times, level), routers
