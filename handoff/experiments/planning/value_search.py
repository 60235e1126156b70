"""Search for the value of a field at which targets stop being met: the order in which values are tried.

The search asks for verdicts on values and receives them; it runs nothing itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from handoff.experiments.planning.verdict import TargetResult, is_significantly_worse, overall_decision

STRIDE = 4
"""Factor between coarse values. A range wider than STRIDE**2 is climbed from its low end in such steps, because a run far beyond
the answer may cost more than all others together (a million mobile nodes where forty thousand are too many)."""
MIDPOINT_PARTS = 16
"""A midpoint is rounded to the power of ten below this fraction of its interval."""
ROUNDING_ALLOWANCE = 1.1
"""More halvings than the exact number: a rounded midpoint is up to a thirtieth of the interval away from the middle."""

UNDECIDED_FRACTION = 2
"""An end of the answer is not narrowed further once its gap is 1 / UNDECIDED_FRACTION of the width of the undecided values: they
decide how wide the answer is, and a verdict beside them takes the most runs."""
CHECK_MIN_WIDTHS = 4
"""An interval on one side of the answer is checked if it is more than this many times as wide as the precision asks for."""

GUESS_MARGIN = 0.05
"""Relative distance of the first values on either side of a guess, or the precision if that is larger."""
GUESS_POWERS = (1, 2, 4)
"""Multiples of this distance, on a logarithmic scale, that are tried until the values enclose the answer."""

Sense = Literal["largest", "smallest"]
Verdicts = dict[int, list[TargetResult]]
"""Results at each value, one for each target."""


@dataclass(frozen=True)
class SearchRange:
    """Whole numbers to search, as positions on the scale of a field.

    Attributes
    ----------
    low, high : int
        First and last position; both may be the answer.
    precision : float
        Two positions are near each other if they differ by at most this fraction of the larger one.
    resolution : int
        Two positions are also near each other if they differ by at most this much; at least 1.
    """

    low: int
    high: int
    precision: float = 0.01
    resolution: int = 1

    @property
    def coarse_values(self) -> list[int]:
        """Values that are tried from the low end on, until the verdict changes."""
        values = [self.low]
        if self.high > STRIDE**2 * max(self.low, self.resolution):
            while STRIDE * max(values[-1], self.resolution) < self.high:
                values.append(STRIDE * max(values[-1], self.resolution))
        return [*values, self.high]

    def is_near(self, a: int, b: int, widths: float = 1) -> bool:
        """Return whether two values are at most ``widths`` times as far apart as those between which none needs a trial."""
        return abs(b - a) <= widths * max(self.resolution, self.precision * max(abs(a), abs(b)))

    def values_around(self, guess: int, power: int) -> tuple[int, int]:
        """Return values with few digits below and above a guess, ``power`` margins away, within the range."""
        ratio = (1 + max(GUESS_MARGIN, self.precision)) ** power
        step = 10 ** max(0, len(str(round(guess * (ratio - 1)))) - 1)
        below, above = round(guess / ratio / step) * step, round(guess * ratio / step) * step
        return min(max(below, self.low), self.high), min(max(above, below + 1), self.high)

    def midpoint(self, a: int, b: int) -> int:
        """Return a value near the middle, in a wide interval the geometric one, with few significant digits."""
        low, high = min(a, b), max(a, b)
        base = max(low, self.resolution)
        middle = math.isqrt(base * high) if high > 2 * base else (low + high) // 2
        step = 10 ** max(0, len(str((high - low) // MIDPOINT_PARTS)) - 1)
        rounded = (middle + step // 2) // step * step
        return min(max(rounded if low < rounded < high else middle, low + 1), high - 1)

    @property
    def max_values(self) -> int:
        """Number of values after which the search ends, though the answer may be wider. Each has its share of the error."""
        coarse = self.coarse_values
        steps = max(self._count_halvings(a, b) for a, b in pairwise(coarse))
        return len(coarse) + 2 * steps + 2  # both sides of an undecided middle, and one check on each side of the answer

    def _count_halvings(self, a: int, b: int) -> int:
        halvings = math.log2((b - a) / self.resolution)
        if self.precision:
            log_ratio = math.log(b / max(a, self.resolution)) if b > max(a, self.resolution) else 0.0
            halvings = min(halvings, max(0.0, math.log2(max(log_ratio, 1e-9) / math.log1p(self.precision))) + 1)
        return max(1, math.ceil(ROUNDING_ALLOWANCE * halvings) + 1)


@dataclass
class Bracket:
    """State of a search, and its answer.

    Attributes
    ----------
    range : SearchRange
    verdicts : dict of int to list of TargetResult
        Results at all values tried.
    sense : {"largest", "smallest"} or None
        Which of the values that meet the targets is searched; None until it is known, unless the user has chosen it.
    last_met : int or None
        The last value, from the good end on, that clearly meets all targets.
    first_missed : int or None
        The first value that clearly misses a target.
    sense_assumed : bool
        True if the sense rests on one end of the range alone: on a low end that meets the targets, or that is undecided.
    """

    range: SearchRange
    verdicts: Verdicts = field(default_factory=dict)
    sense: Sense | None = None
    last_met: int | None = None
    first_missed: int | None = None
    sense_assumed: bool = False

    @property
    def values(self) -> list[int]:
        """Values tried, in order."""
        return sorted(self.verdicts)

    def values_with(self, decision: str) -> list[int]:
        """Return the values with this verdict, in order."""
        return [x for x in self.values if overall_decision(self.verdicts[x]) == decision]

    @property
    def has_both_decisions(self) -> bool:
        """True if a value meets the targets and another misses one."""
        return {"met", "missed"} <= {overall_decision(results) for results in self.verdicts.values()}

    @property
    def is_monotone(self) -> bool:
        """True if no value that meets the targets lies beyond one that misses them."""
        if self.sense is None or self.first_missed is None:
            return True
        return not any(self._is_beyond(x, self.first_missed) for x in self.values_with("met"))

    def _is_beyond(self, a: int, b: int) -> bool:
        return a > b if self.sense == "largest" else a < b

    def speculative_values(self, requested: Iterable[int]) -> list[int]:
        """Return values that the search may request after these, for workers that would be idle."""
        values: list[int] = []
        for x in requested:
            below = max((v for v in self.values if v < x), default=None)
            above = min((v for v in self.values if v > x), default=None)
            if above is None:
                values += [v for v in self.range.coarse_values if v > x][:1]
            neighbours = [(a, b) for a, b in ((below, x), (x, above)) if a is not None and b is not None]
            values += [self.range.midpoint(a, b) for a, b in neighbours if not self.range.is_near(a, b)]
        return [x for x in dict.fromkeys(values) if x not in self.verdicts]

    def update_ends(self) -> None:
        """Derive the sense and both ends from the verdicts; if these are out of order, take the conservative ends."""
        met, missed = self.values_with("met"), self.values_with("missed")
        if not met or not missed:
            low, high = self.range.low, self.range.high
            if self.sense is None and (low in met or high in missed):
                self.sense, self.sense_assumed = "largest", high not in missed
            elif self.sense is None and (high in met or low in missed):
                self.sense, self.sense_assumed = "smallest", low not in missed
            rising = self.sense != "smallest"
            self.last_met = (met[-1] if rising else met[0]) if met else None
            self.first_missed = (missed[0] if rising else missed[-1]) if missed else None
            return
        if self.sense is None:
            self.sense = "largest" if met[0] < missed[0] else "smallest"
        self.first_missed = missed[0] if self.sense == "largest" else missed[-1]
        good = [x for x in met if not self._is_beyond(x, self.first_missed)]
        self.last_met = (max(good) if self.sense == "largest" else min(good)) if good else None

    def find_gaps(self) -> list[tuple[int, int]]:
        """Return the pairs of neighbours that contain an end of the answer and are worth a trial between them."""
        if self.sense is None or (self.last_met is None and self.first_missed is None):
            return []
        undecided = self.undecided_between_ends()
        values = [self.last_met, *undecided, self.first_missed]
        gaps = [(a, b) for a, b in ((values[0], values[1]), (values[-2], values[-1])) if a is not None and b is not None]
        small = abs(undecided[-1] - undecided[0]) // UNDECIDED_FRACTION if undecided and None not in values else 0
        return [(a, b) for a, b in dict.fromkeys(gaps) if abs(b - a) > small and not self.range.is_near(a, b)]

    def undecided_between_ends(self) -> list[int]:
        """Return the undecided values at which the limit may lie, from the good end on."""
        inside = [
            x for x in self.values_with("open")
            if (self.last_met is None or self._is_beyond(x, self.last_met))
            and (self.first_missed is None or self._is_beyond(self.first_missed, x))
        ]  # fmt: skip
        return inside if self.sense == "largest" else inside[::-1]

    def find_checks(self) -> list[int]:
        """Return the middle of the widest untried interval on each side of the answer, which shows if verdicts are in order."""
        checks: list[int] = []
        if self.last_met is None:
            return checks
        good = [x for x in self.values if not self._is_beyond(x, self.last_met)]
        bad = [] if self.first_missed is None else [x for x in self.values if not self._is_beyond(self.first_missed, x)]
        for side in (good, bad):
            wide = [(a, b) for a, b in pairwise(side) if not self.range.is_near(a, b, CHECK_MIN_WIDTHS)]
            if wide:
                checks.append(self.range.midpoint(*max(wide, key=lambda pair: (max(pair[1], 1) / max(pair[0], 1), pair))))
        return checks


Search = Generator[list[int], Verdicts, Bracket]
Guess = Callable[[list[TargetResult]], int | None]


def search(bracket: Bracket, guess: Guess | None = None) -> Search:
    """Find the last value that meets the targets.

    The search climbs from the low end until the verdict changes, or until the targets are missed by more and more, so that no
    value meets them. Bisection follows; if values stay undecided, it narrows both ends of the undecided interval. Finally one
    value on each side shows whether the verdicts are in order. If the low end meets the targets and there is a guess, the climb
    begins with values around it. If ``bracket.sense`` is set, the low end may settle the answer:
    if the smallest value is searched and the low end meets the targets, or the largest is searched and the low end misses them.

    Parameters
    ----------
    bracket : Bracket
        Filled in as verdicts arrive, so that it is valid if the search is left early.
    guess : callable or None
        Receives the results at the low end, if this meets the targets, and returns a value near the expected answer or None.

    Yields
    ------
    list of int
        Values to give a verdict on; the verdicts are sent back.

    Returns
    -------
    Bracket
        ``bracket``, with its ends updated.
    """
    values = bracket.range
    bracket.verdicts.update((yield [values.low]))
    chosen_sense = bracket.sense
    settling_decision = {"smallest": "met", "largest": "missed"}.get(chosen_sense or "")
    settled = settling_decision == overall_decision(bracket.verdicts[values.low])
    if guess is not None and not settled and overall_decision(bracket.verdicts[values.low]) == "met":
        yield from _try_around(bracket, guess(bracket.verdicts[values.low]))
    for previous, value in pairwise(values.coarse_values if not settled else ()):
        if bracket.has_both_decisions:
            break
        if value <= bracket.values[-1]:
            continue
        bracket.verdicts.update((yield [value]))
        if previous in bracket.verdicts and is_significantly_worse(bracket.verdicts[value], bracket.verdicts[previous]):
            bracket.sense = chosen_sense or "largest"
            break
    checked = False
    while True:
        bracket.update_ends()
        requested = [values.midpoint(a, b) for a, b in bracket.find_gaps()]
        if not requested and not checked:
            checked = True
            requested = bracket.find_checks()
        requested = [x for x in dict.fromkeys(requested) if x not in bracket.verdicts]
        if not requested or len(bracket.verdicts) + len(requested) > values.max_values:
            return bracket
        bracket.verdicts.update((yield requested))


def _try_around(bracket: Bracket, guess: int | None) -> Generator[list[int], Verdicts, None]:
    # The first round tries both sides at once; further rounds only the side that has no clear verdict yet.
    low = bracket.range.low
    if guess is None or guess <= low:
        return
    for power in GUESS_POWERS:
        below, above = bracket.range.values_around(guess, power)
        wanted = [below] if bracket.values_with("met") == [low] else []
        wanted += [above] if not bracket.values_with("missed") else []
        requested = [x for x in dict.fromkeys(wanted) if x not in bracket.verdicts]
        if requested:
            bracket.verdicts.update((yield requested))
        if bracket.has_both_decisions and bracket.values_with("met") != [low]:
            return


def non_monotone_measures(bracket: Bracket) -> list[tuple[str, int, int, str]]:
    """Return the measures that reverse their direction along the range, by more than chance explains.

    The answer is still valid if the verdicts are in order.

    Returns
    -------
    list of (measure, value, next value, "falls" or "rises")
        The first reversal of each measure.
    """
    reversals = []
    values = bracket.values
    for results in zip(*(bracket.verdicts[x] for x in values), strict=True):
        intervals = [(x, r.interval) for x, r in zip(values, results, strict=True) if r.interval.known]
        if len(intervals) < 3:
            continue
        first, last = intervals[0][1], intervals[-1][1]
        if not (first.high < last.low or first.low > last.high):
            continue
        rises = last.mean > first.mean
        for (a, before), (b, after) in pairwise(intervals):
            if (after.high < before.low) if rises else (after.low > before.high):
                reversals.append((results[0].target.measure, a, b, "falls" if rises else "rises"))
                break
    return reversals


__all__ = ["Bracket", "Search", "SearchRange", "non_monotone_measures", "search"]
