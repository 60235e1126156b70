"""Where along a range of values targets cease to be met: the order in which values are tried.

The search says which values it wants a verdict on and gets verdicts; it runs nothing itself.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from handoff.experiments.planning.verdict import TargetResult, significantly_worse, verdict

STRIDE = 4
"""A range wider than STRIDE**2 is climbed from its low end in steps of this factor: a value far beyond the answer may cost more
than all others together (a million mobile nodes where forty thousand are too many)."""

Sense = Literal["largest", "smallest"]
Verdicts = dict[int, list[TargetResult]]
"""Findings at each value, one a target."""


@dataclass(frozen=True)
class SearchRange:
    """Values to search: whole numbers of some unit, from ``low`` to ``high``.

    Attributes
    ----------
    low, high : int
        Both may be the answer.
    precision : float
        Two values are near enough if they differ by at most this share of the larger one ...
    grain : int
        ... or by this much; at least 1.
    """

    low: int
    high: int
    precision: float = 0.01
    grain: int = 1

    @property
    def ladder(self) -> list[int]:
        """Values tried from the low end on, until a verdict is the other one."""
        found = [self.low]
        if self.high > STRIDE**2 * max(self.low, self.grain):
            while STRIDE * max(found[-1], self.grain) < self.high:
                found.append(STRIDE * max(found[-1], self.grain))
        return [*found, self.high]

    def near(self, a: int, b: int) -> bool:
        """Whether there is no need to look between two values."""
        return abs(b - a) <= max(self.grain, self.precision * max(abs(a), abs(b)))

    def between(self, a: int, b: int) -> int:
        """A value near the middle (the geometric one of a wide range) with as few digits as serve."""
        low, high = min(a, b), max(a, b)
        base = max(low, self.grain)
        middle = math.isqrt(base * high) if high > 2 * base else (low + high) // 2
        step = 10 ** max(0, len(str((high - low) // 16)) - 1)
        rounded = (middle + step // 2) // step * step
        return min(max(rounded if low < rounded < high else middle, low + 1), high - 1)

    @property
    def most_values(self) -> int:
        """More are not tried (the answer may then be a wider interval): each has its share of the error."""
        ladder = self.ladder
        steps = max(self._halvings(a, b) for a, b in pairwise(ladder))
        return len(ladder) + 2 * steps + 2  # both sides of an undecided middle, and one check on each side of the answer

    def _halvings(self, a: int, b: int) -> int:
        """How often an interval can be halved until its ends are near."""
        apart = b - a
        halvings = math.log2(apart / self.grain)
        if self.precision:
            widest = math.log(b / max(a, self.grain)) if b > max(a, self.grain) else 0.0
            halvings = min(halvings, max(0.0, math.log2(max(widest, 1e-9) / math.log1p(self.precision))) + 1)
        return max(1, math.ceil(1.1 * halvings) + 1)  # a middle with few digits is up to a thirtieth beside it


@dataclass
class Bracket:
    """What the search found.

    Attributes
    ----------
    range : Range
    verdicts : dict of int to list of Finding
        At all values tried.
    sense : {"largest", "smallest"} or None
        Which value that meets the targets is wanted; None until it is known, where nobody has said it.
    met : int or None
        The last value, from the good end on, that clearly meets all targets.
    missed : int or None
        The first one that clearly misses one.
    supposed : bool
        Whether the sense rests on a low end that is undecided.
    """

    range: SearchRange
    verdicts: Verdicts = field(default_factory=dict)
    sense: Sense | None = None
    met: int | None = None
    missed: int | None = None
    supposed: bool = False

    @property
    def values(self) -> list[int]:
        """Values tried, in order."""
        return sorted(self.verdicts)

    def decided(self, decision: str) -> list[int]:
        """Values with a verdict, in order."""
        return [x for x in self.values if verdict(self.verdicts[x]) == decision]

    @property
    def monotone(self) -> bool:
        """Whether no value that meets the targets lies beyond one that misses them."""
        if self.sense is None or self.missed is None:
            return True
        return not any(self._beyond(x, self.missed) for x in self.decided("met"))

    def _beyond(self, a: int, b: int) -> bool:
        return a > b if self.sense == "largest" else a < b

    def speculative_values(self, wanted: Iterable[int]) -> list[int]:
        """Values that may be wanted next, after these: for workers that would be idle."""
        found: list[int] = []
        for x in wanted:
            below = max((v for v in self.values if v < x), default=None)
            above = min((v for v in self.values if v > x), default=None)
            if above is None:
                found += [v for v in self.range.ladder if v > x][:1]
            found += [self.range.between(a, b) for a, b in ((below, x), (x, above)) if a is not None and b is not None
                      and not self.range.near(a, b)]  # fmt: skip
        return [x for x in dict.fromkeys(found) if x not in self.verdicts]

    def close(self) -> None:
        """Read sense and ends off the verdicts: the conservative ones if they are out of order."""
        met, missed = self.decided("met"), self.decided("missed")
        if not met or not missed:
            low, high = self.range.low, self.range.high
            if self.sense is None and (low in met or high in missed):
                self.sense = "largest"
            elif self.sense is None and (high in met or low in missed):
                self.sense, self.supposed = "smallest", low not in missed
            rising = self.sense != "smallest"
            self.met = (met[-1] if rising else met[0]) if met else None
            self.missed = (missed[0] if rising else missed[-1]) if missed else None
            return
        if self.sense is None:
            self.sense = "largest" if met[0] < missed[0] else "smallest"
        self.missed = missed[0] if self.sense == "largest" else missed[-1]
        good = [x for x in met if not self._beyond(x, self.missed)]
        self.met = (max(good) if self.sense == "largest" else min(good)) if good else None

    def gaps(self) -> list[tuple[int, int]]:
        """Pairs of neighbours between which an end of the answer lies, and that are not near each other."""
        if self.sense is None or (self.met is None and self.missed is None):
            return []
        at = [self.met, *self._open(), self.missed]
        found = [(a, b) for a, b in ((at[0], at[1]), (at[-2], at[-1])) if a is not None and b is not None]
        return [(a, b) for a, b in dict.fromkeys(found) if not self.range.near(a, b)]

    def _open(self) -> list[int]:
        """Undecided values between the ends of the answer, from the good one on."""
        inside = [
            x for x in self.decided("open")
            if (self.met is None or self._beyond(x, self.met)) and (self.missed is None or self._beyond(self.missed, x))
        ]  # fmt: skip
        return inside if self.sense == "largest" else inside[::-1]

    def checks(self) -> list[int]:
        """On each side of the answer the middle of the widest stretch that was never looked at, to see whether order holds."""
        found: list[int] = []
        if self.met is None:
            return found
        good = [x for x in self.values if not self._beyond(x, self.met)]
        bad = [] if self.missed is None else [x for x in self.values if not self._beyond(self.missed, x)]
        for side in (good, bad):
            wide = [(math.log(max(b, 1) / max(a, 1)), a, b) for a, b in pairwise(side) if not self.range.near(a, b)]
            if wide:
                _, a, b = max(wide)
                found.append(self.range.between(a, b))
        return found


Search = Generator[list[int], Verdicts, Bracket]


def search(found: Bracket) -> Search:
    """Find the last value that meets the targets.

    From the low end on until the verdict is the other one (or the targets are missed by more and more: then they are met
    nowhere), then by bisection; where values stay open, for both ends of the open stretch. At last a value on each side, to see
    whether the verdicts are in order. Where ``found.sense`` is given the low end may be the whole answer: the smallest value if
    it meets the targets.

    Parameters
    ----------
    found : Bracket
        Filled in as verdicts come, so that it says what is known if the search is left early.

    Yields
    ------
    list of int
        Values to give a verdict on; the verdicts are sent.

    Returns
    -------
    Bracket
        ``found``, with its ends read off.
    """
    values = found.range
    ladder = values.ladder
    found.verdicts.update((yield [values.low]))
    asked = found.sense
    alone = {"smallest": "met", "largest": "missed"}.get(asked or "") == verdict(found.verdicts[values.low])
    for before, value in pairwise(ladder if not alone else ()):
        if {"met", "missed"} <= {verdict(found.verdicts[x]) for x in found.values}:
            break
        found.verdicts.update((yield [value]))
        if significantly_worse(found.verdicts[value], found.verdicts[before]):
            found.sense = asked or "largest"
            break
    checked = False
    while True:
        found.close()
        gaps = found.gaps()
        wanted = [values.between(a, b) for a, b in gaps]
        if not wanted and not checked:
            checked = True
            wanted = found.checks()
        wanted = [x for x in dict.fromkeys(wanted) if x not in found.verdicts]
        if not wanted or len(found.verdicts) + len(wanted) > values.most_values:
            return found
        found.verdicts.update((yield wanted))


def non_monotone_measures(found: Bracket) -> list[tuple[str, int, int, str]]:
    """Measures that turn back along the range, beyond what chance explains.

    Where the verdicts are in order the answer stands all the same.

    Returns
    -------
    list of (measure, value, next value, "falls" or "rises")
        The first such place of each measure.
    """
    said = []
    values = found.values
    for findings in zip(*(found.verdicts[x] for x in values), strict=True):
        at = [(x, f.interval) for x, f in zip(values, findings, strict=True) if f.interval.known]
        if len(at) < 3 or not (at[0][1].high < at[-1][1].low or at[0][1].low > at[-1][1].high):
            continue
        rises = at[-1][1].mean > at[0][1].mean
        for (a, before), (b, after) in pairwise(at):
            if (after.high < before.low) if rises else (after.low > before.high):
                said.append((findings[0].target.measure, a, b, "falls" if rises else "rises"))
                break
    return said


__all__ = ["Bracket", "Search", "SearchRange", "non_monotone_measures", "search"]
