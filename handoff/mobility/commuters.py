"""Commuters: mobile nodes without positions, whose handoffs between neighbouring routers form a renewal process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

import handoff_traces
from engine.columns import Int
from engine.rng import MAX_EXPONENTIAL_MEAN, PURPOSE_USER, RandomStreams, name_keys
from handoff.mobility.quantile_time import QuantileTime

PURPOSE_RIDE = PURPOSE_USER + 25
"""Draws of a group: movement at all, first router, beginnings of its handoffs, next routers."""
PURPOSE_HANDOFF = PURPOSE_USER + 26
"""Draws of a mobile node: gap or overlap, lead and guard of each handoff."""
PURPOSE_KIND = PURPOSE_USER + 27
"""Draws of a mobile node: access and announcement of each handoff, two numbers for each."""
PURPOSE_GAP = PURPOSE_USER + 28
"""Draws of a mobile node: the gap of each handoff, if it comes from quantiles."""

# Numbers of the draws of a group. From _FIRST_HANDOFF on, each handoff takes _RIDE_STRIDE draws: dwell, direction.
_MOVES, _PLACE, _RESIDUAL_KIND, _RESIDUAL, _FIRST_HANDOFF = range(5)
_RIDE_STRIDE = 2
_HANDOFF_STRIDE = 4
"""Numbers of draws for one handoff of a mobile node: gap or overlap, lead, guard, and one that is unused."""
_MAX_DURATION_PS = 2**62


class UniformTime(NamedTuple):
    """Uniform distribution of a time from ``low`` to ``high`` picoseconds, both included."""

    low: int
    high: int

    def draw(self, streams: RandomStreams, mobiles: Int, index: Int) -> Int:
        """Draw one time for each of ``mobiles``; ``index`` holds the number of the draw in each one's stream."""
        if self.low == self.high:
            return np.full(len(mobiles), self.low, np.int64)
        return self.low + streams.uniform(mobiles, index, self.high - self.low + 1)


NONE = UniformTime(0, 0)


@dataclass(frozen=True)
class Commuters:
    """Generator of handoffs that form a renewal process, stationary from time 0 on; times in picoseconds.

    A handoff begins with its first event: the prediction, else the warning, else the new link, else the end of the old link. It
    ends when the old link is down and the new one is up. The dwell is the time from the beginning of a handoff to the beginning
    of the next one. It is ``min_dwell_ps`` or more, so that a handoff has ended before the next one begins: constant, or
    ``min_dwell_ps`` plus an exponential time.

    Attributes
    ----------
    dwell_ps : int
        Mean dwell of the mobile nodes that move.
    moving_share : int
        Probability that a group moves at all, times 2**64.
    constant : bool
        If true, every dwell is the mean.
    path : {"line", "random", "ring"}
        "line": to and fro along the routers; "random": to either neighbour with equal probability; "ring": to the next router,
        and from the last one to the first.
    gap : UniformTime or QuantileTime
        Time from the end of the old link to the new link.
    overlap : UniformTime
        Time from the new link to the end of the old one.
    single_share : int or None
        Probability that a handoff has a gap (single access) and not an overlap, times 2**64. None: it has both.
    announced_share : int
        Probability that layer 2 announces a handoff at all, times 2**64. A handoff without announcement has the same times, but
        neither prediction nor warning.
    guard : UniformTime
        Time from the warning to the end of the old link; ``NONE``: there is no warning.
    lead : UniformTime
        Time from the prediction to the warning, or to the end of the old link if there is no warning; ``NONE``: there is no
        prediction.
    start_first : bool
        If true, all start at the first router; else at a router drawn from the stationary distribution, which is uniform but
        for the ends of a line, which have half the probability.
    group_size : int
        Number of consecutive mobile nodes that move together; the name of the first one determines the draws.
    """

    dwell_ps: int
    moving_share: int = 2**64
    constant: bool = False
    path: Literal["line", "random", "ring"] = "line"
    gap: UniformTime | QuantileTime = NONE
    overlap: UniformTime = NONE
    single_share: int | None = None
    announced_share: int = 2**64
    guard: UniformTime = NONE
    lead: UniformTime = NONE
    start_first: bool = False
    group_size: int = 1

    @property
    def min_dwell_ps(self) -> int:
        """Shortest dwell: the longest handoff plus a picosecond."""
        return max(self.lead.high + self.guard.high, self.overlap.high) + self.gap.high + 1

    def validation_error(self) -> str | None:
        """Return why handoffs cannot occur at this rate, or None if they can."""
        if not self.moving_share:
            return None
        if self.dwell_ps < self.min_dwell_ps:
            return (
                f"a handoff each {self.dwell_ps / 1e12:.6g} s leaves no room for lead, guard and gap or overlap of up to "
                f"{self.min_dwell_ps / 1e12:.6g} s: lower the rate or shorten them"
            )
        if self.dwell_ps > MAX_EXPONENTIAL_MEAN:
            longest_h = MAX_EXPONENTIAL_MEAN // (3600 * 10**12)
            return f"a handoff each {self.dwell_ps / 3600e12:.6g} h is rarer than one each {longest_h} h"
        return None

    def attachments(
        self, names: Sequence[str], routers: Sequence[str], *, seed: int, until_ps: int
    ) -> handoff_traces.Associations:
        """Return the attachments of every mobile node from time 0 on; handoffs that end after ``until_ps`` are left out.

        Parameters
        ----------
        names : sequence of str
            Names of the mobile nodes.
        routers : sequence of str
            Names of the routers. Consecutive routers are neighbours; on a ring, so are the last and the first.
        seed : int
            Seed of all draws.
        until_ps : int
            End of the run.

        Returns
        -------
        handoff_traces.Associations
            Sorted by mobile node, then time.

        Raises
        ------
        ValueError
            If the rate cannot be reached, or the run lasts 53 days or more.
        """
        if problem := self.validation_error():
            raise ValueError(problem)
        if until_ps >= _MAX_DURATION_PS:
            raise ValueError("commuters: a run ends before 53 days")
        keys = name_keys(names)
        group_keys = keys[:: self.group_size]
        group_streams = RandomStreams(seed, PURPOSE_RIDE, group_keys)
        streams = _HandoffStreams(*(RandomStreams(seed, p, keys) for p in (PURPOSE_HANDOFF, PURPOSE_KIND, PURPOSE_GAP)))
        places = self._draw_start(group_streams, len(group_keys), len(routers))
        start = self._router_at(places, len(routers))[np.arange(len(names)) // self.group_size]
        rounds: list[_Round] = []
        for number, (groups, begin_ps, to) in enumerate(self._rides(group_streams, places, len(routers), until_ps)):
            mobiles = (groups[:, None] * self.group_size + np.arange(self.group_size)).ravel()
            exists = mobiles < len(names)  # the last group may be smaller
            begin_ps, to = (np.repeat(column, self.group_size)[exists] for column in (begin_ps, to))
            handoffs = self._draw_handoffs(streams, mobiles[exists], number, begin_ps, to)
            rounds.append(handoffs.before(until_ps))
        return _to_associations(start, rounds, list(names), list(routers))

    def _draw_start(self, streams: RandomStreams, groups: int, routers: int) -> Int:
        """Draw the place of each group on its path; a line, ridden to and fro, has two places at each router but the ends."""
        if self.start_first:
            return np.zeros(groups, np.int64)
        places = routers if self.path == "ring" else max(2 * routers - 2, 1)
        place = streams.uniform(np.arange(groups), np.full(groups, _PLACE), places)
        return np.minimum(place, places - place) if self.path == "random" else place

    def _router_at(self, place: Int, routers: int) -> Int:
        return np.minimum(place, 2 * routers - 2 - place) if self.path == "line" else place

    def _rides(self, streams: RandomStreams, place: Int, routers: int, until_ps: int) -> Iterator[tuple[Int, Int, Int]]:
        """Yield, for the first handoff of each group, then the second, …: the groups that have one, its beginning, its router."""
        if not self.moving_share:
            return
        groups = np.arange(len(place))
        if self.moving_share < 2**64:
            groups = groups[streams.random_words(groups, np.full(len(groups), _MOVES)) < np.uint64(self.moving_share)]
        begin_ps, place, index = self._draw_residual(streams, groups), place[groups], _FIRST_HANDOFF
        while len(groups):
            early = begin_ps < until_ps
            groups, begin_ps, place = groups[early], begin_ps[early], place[early]
            draw = np.full(len(groups), index)
            if self.path == "line":
                place = (place + 1) % (2 * routers - 2)
            elif self.path == "ring":
                place = (place + 1) % routers
            else:
                step = 2 * streams.uniform(groups, draw + 1, 2) - 1
                place = np.where(place == 0, 1, np.where(place == routers - 1, place - 1, place + step))
            yield groups, begin_ps, self._router_at(place, routers)
            begin_ps = begin_ps + self._draw_dwell(streams, groups, draw)
            index += _RIDE_STRIDE

    def _draw_dwell(self, streams: RandomStreams, groups: Int, index: Int) -> Int:
        if self.constant:
            return np.full(len(groups), self.dwell_ps, np.int64)
        return self.min_dwell_ps + streams.exponential(groups, index, self.dwell_ps - self.min_dwell_ps)

    def _draw_residual(self, streams: RandomStreams, groups: Int) -> Int:
        """Draw the residual dwell at time 0, when the first handoff begins.

        In a stationary renewal process the residual has the density P(dwell > t) / mean. For a constant dwell it is uniform. For
        a minimum plus an exponential time it is uniform up to the minimum with probability minimum / mean, else the minimum plus
        the exponential time.
        """
        kind, time = (np.full(len(groups), number) for number in (_RESIDUAL_KIND, _RESIDUAL))
        if self.constant:
            return streams.uniform(groups, time, self.dwell_ps)
        exceeds_minimum = streams.uniform(groups, kind, self.dwell_ps) >= self.min_dwell_ps
        uniform = streams.uniform(groups, time, self.min_dwell_ps)
        exponential = self.min_dwell_ps + streams.exponential(groups, time, self.dwell_ps - self.min_dwell_ps)
        return np.where(exceeds_minimum, exponential, uniform)

    def _draw_handoffs(self, all_streams: _HandoffStreams, mobiles: Int, number: int, begin_ps: Int, to: Int) -> _Round:
        """Draw the events of handoff ``number`` of each of ``mobiles``, which begins at ``begin_ps``."""
        streams, kinds, gaps = all_streams
        index = np.full(len(mobiles), _HANDOFF_STRIDE * number)
        is_uniform = isinstance(self.gap, UniformTime)
        gap = self.gap.draw(streams, mobiles, index) if is_uniform else self.gap.draw(gaps, mobiles, np.full_like(index, number))
        overlap = self.overlap.draw(streams, mobiles, index)
        if self.single_share is not None:
            single = _happens(kinds, mobiles, 2 * number, self.single_share)
            gap, overlap = np.where(single, gap, 0), np.where(single, 0, overlap)
        announced = _happens(kinds, mobiles, 2 * number + 1, self.announced_share)
        lead, guard = self.lead.draw(streams, mobiles, index + 1), self.guard.draw(streams, mobiles, index + 2)
        down = begin_ps + np.maximum(lead + guard, overlap)
        no_event = np.full(len(mobiles), -1, np.int64)
        return _Round(
            mobiles, to, down - overlap + gap, down,
            no_event if self.lead == NONE else np.where(announced, down - guard - lead, -1),
            no_event if self.guard == NONE else np.where(announced, down - guard, -1),
        )  # fmt: skip


def _happens(streams: RandomStreams, mobiles: Int, number: int, share: int) -> npt.NDArray[np.bool_]:
    """Draw for each of ``mobiles`` whether something with a probability of ``share`` / 2**64 happens."""
    if share >= 2**64:
        return np.ones(len(mobiles), bool)
    happens: npt.NDArray[np.bool_] = streams.random_words(mobiles, np.full(len(mobiles), number)) < np.uint64(share)
    return happens


class _HandoffStreams(NamedTuple):
    """Random streams of the mobile nodes: times, kinds and measured gaps of their handoffs."""

    times: RandomStreams
    kinds: RandomStreams
    gaps: RandomStreams


class _Round(NamedTuple):
    """One handoff for each of some mobile nodes: new router, up time of its link, end of the old link, layer-2 events."""

    mobile: Int
    to: Int
    up_ps: Int
    down_ps: Int
    predict_ps: Int
    going_down_ps: Int

    def before(self, end_ps: int) -> _Round:
        """Return the handoffs that end before ``end_ps``."""
        ended = np.maximum(self.up_ps, self.down_ps) < end_ps
        return _Round(*(column[ended] for column in self))


def _to_associations(start: Int, rounds: list[_Round], names: list[str], routers: list[str]) -> handoff_traces.Associations:
    """Build the rows by mobile node: handoff k of mobile node m leads from row ``first[m] + k`` to the next row."""
    count = np.ones(len(names), np.int64)
    for handoffs in rounds:
        count[handoffs.mobile] += 1
    first = np.cumsum(count) - count
    total = int(count.sum())
    router = np.empty(total, np.uint32)
    up, down, predict, going_down = np.zeros(total, np.int64), *(np.full(total, -1, np.int64) for _ in range(3))
    router[first] = start
    for number, handoffs in enumerate(rounds):
        row = first[handoffs.mobile] + number
        router[row + 1], up[row + 1] = handoffs.to, handoffs.up_ps
        down[row], predict[row], going_down[row] = handoffs.down_ps, handoffs.predict_ps, handoffs.going_down_ps
    mobile = np.repeat(np.arange(len(names), dtype=np.uint32), count)
    return handoff_traces.Associations(
        mobile=mobile, router=router, up_ps=up, down_ps=down, predict_ps=predict, going_down_ps=going_down,
        mobile_names=names, router_names=routers,
    )  # fmt: skip


__all__ = ["NONE", "Commuters", "UniformTime"]
