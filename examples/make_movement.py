"""Make ``commute.associations.csv``: mobiles that ride along a line of routers, there and back.

``python make_movement.py`` writes the shipped file again, byte for byte; ``--help`` lists the options.

One row is one stay of a mobile at a router. Times are decimal seconds:

====================  ==================================================================================
mobile, router        ``mn0`` ..., ``ar0`` ...
up_s                  the link to this router is usable from here
down_s                the link is gone; empty: it stays until the end
predict_s             the move to the router of the mobile's next row is known; empty: it comes unannounced
going_down_s          "the old connection will be discarded in a very short time"; empty with predict_s
====================  ==================================================================================

Lead is the time from predict to going-down, guard from going-down to down. A mobile with dual access has
the new link up within 2 ms of the prediction, so the two stays overlap; one with single access leaves the old
link first and needs a switching time. An unannounced move is a hole in either case. Long leads are meant for
scenario I, short ones for scenario II (both dual access); single access means scenario III.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

TICKS_PER_S = 10_000  # all times are whole ticks of 100 µs, the resolution of the file
HEADER = "mobile,router,up_s,down_s,predict_s,going_down_s"


@dataclass(frozen=True)
class Stay:
    """One stay of a mobile at a router, in ticks; None where the file has an empty field."""

    router: int
    up: int
    down: int | None = None
    predict: int | None = None
    going_down: int | None = None


def ticks(seconds: float) -> int:
    return round(seconds * TICKS_PER_S)


def decimal(time: int | None) -> str:
    return "" if time is None else f"{time // TICKS_PER_S}.{time % TICKS_PER_S:04d}"


class Draws:
    """The draws of one mobile, from its own stream: more mobiles change no other mobile's ride."""

    def __init__(self, seed: int, mobile: int) -> None:
        self._stream = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, mobile))))

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * float(self._stream.random())

    def log_uniform(self, low: float, high: float) -> float:
        return low * math.exp(self.uniform(0.0, math.log(high / low)))

    def below(self, n: int) -> int:
        return int(self.uniform(0, n))

    def chance(self, probability: float) -> bool:
        return self.uniform(0, 1) < probability


def ride(draws: Draws, single: bool, routers: int, end: int, unannounced: float) -> list[Stay]:
    """The stays of one mobile until ``end`` (ticks), in order of time."""
    router, step = draws.below(routers), 1 if draws.chance(0.5) else -1
    stays: list[Stay] = []
    up = 0
    residence = draws.uniform(2, 35)  # the first stay began before the file does
    while True:
        lead, guard = draws.log_uniform(0.005, 1.0), draws.uniform(0.005, 0.060)
        switch, link_up = draws.uniform(0.010, 0.080), draws.uniform(0, 0.002)
        hole = draws.uniform(0.050, 0.300)
        known = not draws.chance(unannounced)
        down = up + ticks(residence)
        going_down = down - ticks(guard)
        predict = going_down - ticks(lead)
        if not known:
            next_up = down + ticks(hole)
        elif single:
            next_up = down + ticks(switch)
        else:
            next_up = predict + ticks(link_up)
        if max(down, next_up) >= end:  # a handoff is in the file whole or not at all
            stays.append(Stay(router, up))
            return stays
        stays.append(Stay(router, up, down, predict, going_down) if known else Stay(router, up, down))
        if not 0 <= router + step < routers:
            step = -step
        router, up, residence = router + step, next_up, draws.uniform(8, 35)


def summary(rides: list[list[Stay]]) -> str:
    """What the file holds, in one line for each kind of handoff."""
    kinds: Counter[str] = Counter()
    for stays in rides:
        for old, new in pairwise(stays):
            if old.down is None or old.predict is None or old.going_down is None:
                kinds["unannounced"] += 1
                continue
            access = "dual access" if new.up < old.down else "single access"
            lead = old.going_down - old.predict
            kinds[f"{access}, lead {'up to' if lead <= ticks(0.06) else 'over'} 60 ms"] += 1
            kinds["(guard under 8 ms)"] += old.down - old.going_down < ticks(0.008)
    rows = sum(len(stays) for stays in rides)
    lines = [f"{len(rides)} mobiles, {rows} stays, {rows - len(rides)} handoffs"]
    return "\n".join(lines + [f"{count:6} {kind}" for kind, count in sorted(kinds.items())])


def main() -> None:
    parser = argparse.ArgumentParser(description="Mobiles that ride along a line of routers, there and back.")
    parser.add_argument("--mobiles", type=int, default=200)
    parser.add_argument("--routers", type=int, default=8, help="at least 2")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--single", type=float, default=1 / 3, help="share of mobiles with single access")
    parser.add_argument(
        "--unannounced", type=float, default=0.03, help="share of handoffs without prediction"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(__file__).with_name("commute.associations.csv")
    )
    a = parser.parse_args()
    if a.mobiles < 1 or a.routers < 2 or a.seconds < 1 or a.seed < 0:
        parser.error("at least 1 mobile, 2 routers and 1 second are needed, and a seed of 0 or more")
    if not (0 <= a.single <= 1 and 0 <= a.unannounced <= 1):
        parser.error("--single and --unannounced are shares from 0 to 1")

    rides = []
    for mobile in range(a.mobiles):
        draws = Draws(a.seed, mobile)
        rides.append(ride(draws, draws.chance(a.single), a.routers, a.seconds * TICKS_PER_S, a.unannounced))
    # Sorted by the number of the mobile, which is its name's natural order, then by up_s.
    rows = [
        ",".join((f"mn{m}", f"ar{s.router}", *map(decimal, (s.up, s.down, s.predict, s.going_down))))
        for m, stays in enumerate(rides)
        for s in stays
    ]
    a.output.write_text("\n".join([HEADER, *rows]) + "\n", encoding="ascii", newline="\n")
    print(summary(rides))


if __name__ == "__main__":
    main()
