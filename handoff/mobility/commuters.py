"""Commuters: mobile nodes that hand off between neighbouring routers by a renewal process, without positions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

import handoff_traces
from engine.keys import PURPOSE_USER
from handoff.draws import MOST_MEAN, Draws, keys_of
from handoff.setup import Int

PURPOSE_RIDE = PURPOSE_USER + 25
"""Draws of a group: whether it moves, where it starts, when its handoffs begin and where they lead."""
PURPOSE_HANDOFF = PURPOSE_USER + 26
"""Draws of a mobile node: gap or overlap, lead and guard of each handoff."""

_MOVES, _PLACE, _UNDER_WAY, _AGE, _FIRST = range(5)
_RIDE_STRIDE, _HANDOFF_STRIDE = 2, 4
_MOST_PS = 2**62


class Spread(NamedTuple):
    """A time that is drawn uniformly from ``low`` to ``high`` picoseconds, both included."""

    low: int
    high: int

    def of(self, draws: Draws, who: Int, index: Int) -> Int:
        """One for each of ``who``."""
        if self.low == self.high:
            return np.full(len(who), self.low, np.int64)
        return self.low + draws.within(who, index, self.high - self.low + 1)


NONE = Spread(0, 0)


@dataclass(frozen=True)
class Commuters:
    """Handoffs of a group begin by a renewal process that is stationary from time 0 on; times in picoseconds.

    A handoff begins with the first that is noticed of it: the prediction, else the warning, else the new link, else the end of
    the old one. It is done when the old link is down and the new one up. The next one begins ``least_ps`` or more after this
    one has begun, so that it is never too late for its whole lead: an exponential dwell is ``least_ps`` and an exponential time.

    Attributes
    ----------
    dwell_ps : int
        Mean time from the beginning of a handoff to that of the next one, of those who move.
    moving : int
        Share of the groups that move, times 2**64.
    constant : bool
        Every dwell is the mean; else exponential.
    path : {"line", "random", "ring"}
        To and fro along the routers; to either neighbour, drawn; to the next one, and from the last to the first.
    gap : Spread
        From the end of the old link to the new one.
    overlap : Spread
        From the new link to the end of the old one; one of the two is ``NONE``.
    guard, lead : Spread
        From the warning to the end of the old link; from the prediction to the warning, or to that end; ``NONE``: no such event.
    first : bool
        All start at the first router; else as is stationary: everywhere alike, at the ends of a line half as many.
    group : int
        So many mobile nodes, in the order of their names' list, move together; the first one's name decides.
    """

    dwell_ps: int
    moving: int = 2**64
    constant: bool = False
    path: Literal["line", "random", "ring"] = "line"
    gap: Spread = NONE
    overlap: Spread = NONE
    guard: Spread = NONE
    lead: Spread = NONE
    first: bool = False
    group: int = 1

    @property
    def least_ps(self) -> int:
        """Shortest dwell: the longest handoff and a picosecond."""
        return max(self.lead.high + self.guard.high, self.overlap.high) + self.gap.high + 1

    def problem(self) -> str | None:
        """Why these handoffs cannot come at this rate."""
        if not self.moving:
            return None
        if self.dwell_ps < self.least_ps:
            return (
                f"a handoff each {self.dwell_ps / 1e12:.6g} s leaves no room for lead, guard and gap or overlap of up to "
                f"{self.least_ps / 1e12:.6g} s: lower the rate or shorten them"
            )
        if self.dwell_ps > MOST_MEAN:
            return f"a handoff each {self.dwell_ps / 3600e12:.6g} h is rarer than one each {MOST_MEAN // (3600 * 10**12)} h"
        return None

    def attachments(
        self, names: Sequence[str], routers: Sequence[str], *, seed: int, until_ps: int
    ) -> handoff_traces.Associations:
        """Attach every mobile node from 0 on; handoffs that are not done before ``until_ps`` are not in it.

        Parameters
        ----------
        names : sequence of str
            Mobile nodes.
        routers : sequence of str
            Each the neighbour of the next; the first and the last are neighbours on a ring only.
        seed : int
            Of every draw.
        until_ps : int
            End of the run.

        Returns
        -------
        handoff_traces.Associations
            Sorted by mobile node, then time.

        Raises
        ------
        ValueError
            If the rate is out of reach, or ``until_ps`` past 53 days.
        """
        if problem := self.problem():
            raise ValueError(problem)
        if until_ps >= _MOST_PS:
            raise ValueError("commuters: a run ends before 53 days")
        keys = keys_of(names)
        leaders = keys[:: self.group]
        rides, handoffs = Draws(seed, PURPOSE_RIDE, leaders), Draws(seed, PURPOSE_HANDOFF, keys)
        where = self._start(rides, len(leaders), len(routers))
        start = self._place(where, len(routers))[np.arange(len(names)) // self.group]
        rounds: list[_Round] = []
        for number, (groups, begins, to) in enumerate(self._rides(rides, where, len(routers), until_ps)):
            who = (groups[:, None] * self.group + np.arange(self.group)).ravel()
            there = who < len(names)
            begins, to = (np.repeat(v, self.group)[there] for v in (begins, to))
            done = self._handoffs(handoffs, who[there], number, begins, to)
            rounds.append(done.until(until_ps))
        return _associations(start, rounds, list(names), list(routers))

    def _start(self, draws: Draws, groups: int, routers: int) -> Int:
        """Place on the way of each group; a way to and fro has two places at each router but the ends."""
        every = np.arange(groups)
        if self.first:
            return np.zeros(groups, np.int64)
        places = routers if self.path == "ring" else max(2 * routers - 2, 1)
        where = draws.within(every, np.full(groups, _PLACE), places)
        return np.minimum(where, places - where) if self.path == "random" else where

    def _place(self, where: Int, routers: int) -> Int:
        """Router at a place on the way."""
        return np.minimum(where, 2 * routers - 2 - where) if self.path == "line" else where

    def _rides(self, draws: Draws, where: Int, routers: int, until_ps: int) -> Iterator[tuple[Int, Int, Int]]:
        """For the first handoff of each group, the second, …: groups that have one, when it begins, and to which router."""
        if not self.moving:
            return
        who = np.arange(len(where))
        who = who[draws.words(who, np.full(len(who), _MOVES)) < np.uint64(self.moving)] if self.moving < 2**64 else who
        begins, where, index = self._rest(draws, who), where[who], _FIRST
        while len(who):
            early = begins < until_ps
            who, begins, where = who[early], begins[early], where[early]
            at = np.full(len(who), index)
            if self.path == "line":
                where = (where + 1) % (2 * routers - 2)
            elif self.path == "ring":
                where = (where + 1) % routers
            else:
                step = 2 * draws.within(who, at + 1, 2) - 1
                where = np.where(where == 0, 1, np.where(where == routers - 1, where - 1, where + step))
            yield who, begins, self._place(where, routers)
            begins = begins + self._dwell(draws, who, at)
            index += _RIDE_STRIDE

    def _dwell(self, draws: Draws, who: Int, index: Int) -> Int:
        if self.constant:
            return np.full(len(who), self.dwell_ps, np.int64)
        return self.least_ps + draws.exponential(who, index, self.dwell_ps - self.least_ps)

    def _rest(self, draws: Draws, who: Int) -> Int:
        """When the first handoff begins that does so from time 0 on: the rest of the dwell that an inspector finds then.

        The rest of a dwell has the density P(dwell > t) / mean. It is uniform for a constant one. For an exponential one with a
        least, that is 1 / mean until the least, and then falls as the exponential does, whose share is the rest of 1.
        """
        draw_of = {purpose: np.full(len(who), purpose) for purpose in (_UNDER_WAY, _AGE)}
        if self.constant:
            return draws.within(who, draw_of[_AGE], self.dwell_ps)
        late = draws.within(who, draw_of[_UNDER_WAY], self.dwell_ps) >= self.least_ps
        uniform = draws.within(who, draw_of[_AGE], self.least_ps)
        beyond = self.least_ps + draws.exponential(who, draw_of[_AGE], self.dwell_ps - self.least_ps)
        return np.where(late, beyond, uniform)

    def _handoffs(self, draws: Draws, who: Int, number: int, begins: Int, to: Int) -> _Round:
        """Events of the handoffs that begin then, each node's number ``number``."""
        at = np.full(len(who), _HANDOFF_STRIDE * number)
        gap = self.gap.of(draws, who, at)
        overlap = self.overlap.of(draws, who, at)
        lead, guard = self.lead.of(draws, who, at + 1), self.guard.of(draws, who, at + 2)
        down = begins + np.maximum(lead + guard, overlap)
        never = np.full(len(who), -1, np.int64)
        return _Round(
            who, to, down - overlap + gap, down,
            never if self.lead == NONE else down - guard - lead,
            never if self.guard == NONE else down - guard,
        )  # fmt: skip


class _Round(NamedTuple):
    """A handoff of each of some mobile nodes: to which router, its link, the end of the old one and what layer 2 says of it."""

    who: Int
    to: Int
    up_ps: Int
    down_ps: Int
    predict_ps: Int
    going_down_ps: Int

    def until(self, end_ps: int) -> _Round:
        """Those that are done before then."""
        done = np.maximum(self.up_ps, self.down_ps) < end_ps
        return _Round(*(column[done] for column in self))


def _associations(start: Int, rounds: list[_Round], names: list[str], routers: list[str]) -> handoff_traces.Associations:
    """Each mobile node's attachments one behind the other: row ``first[m] + k`` is where its handoff ``k`` led."""
    count = np.ones(len(names), np.int64)
    for found in rounds:
        count[found.who] += 1
    first = np.cumsum(count) - count
    total = int(count.sum())
    router = np.empty(total, np.uint32)
    up, down, predict, going_down = np.zeros(total, np.int64), *(np.full(total, -1, np.int64) for _ in range(3))
    router[first] = start
    for number, found in enumerate(rounds):
        row = first[found.who] + number
        router[row + 1], up[row + 1] = found.to, found.up_ps
        down[row], predict[row], going_down[row] = found.down_ps, found.predict_ps, found.going_down_ps
    mobile = np.repeat(np.arange(len(names), dtype=np.uint32), count)
    return handoff_traces.Associations(
        mobile=mobile, router=router, up_ps=up, down_ps=down, predict_ps=predict, going_down_ps=going_down,
        mobile_names=names, router_names=routers,
    )  # fmt: skip


__all__ = ["NONE", "Commuters", "Spread"]
