"""Generate ``commute.associations.csv``: mobile nodes that move to and fro along a line of routers.

``python make_movement.py`` reproduces the shipped file byte for byte; ``--help`` lists the options.

A row is one attachment of a mobile node to a router. Times are decimal seconds:

====================  ==================================================================================
mobile, router        ``mn0`` ..., ``ar0`` ...
up_s                  the link to this router comes up
down_s                the link goes down; empty: it stays up until the end
predict_s             the move to the router of the next row is predicted; empty: it is not predicted
going_down_s          layer 2 warns of the end of the link; empty if predict_s is
====================  ==================================================================================

The lead is the time from the prediction to the warning, the guard the time from the warning to the end of the link. A mobile
node with dual access has the new link up within 2 ms of the prediction, so that the two attachments overlap. One with single
access leaves the old link first and then needs a switching time. A move without a prediction leaves a gap in either case. Long
leads make scenario I, short ones scenario II (both with dual access); single access makes scenario III.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

TICKS_PER_S = 10_000  # times are whole ticks of 100 µs, the resolution of the file
HEADER = "mobile,router,up_s,down_s,predict_s,going_down_s"


@dataclass(frozen=True)
class Attachment:
    """Attachment of a mobile node to a router, in ticks; None is an empty field of the file."""

    router: int
    up: int
    down: int | None = None
    predict: int | None = None
    going_down: int | None = None


def ticks(seconds: float) -> int:
    return round(seconds * TICKS_PER_S)


def decimal(time: int | None) -> str:
    return "" if time is None else f"{time // TICKS_PER_S}.{time % TICKS_PER_S:04d}"


class RandomStream:
    """Random numbers of one mobile node, which do not depend on the number of mobile nodes."""

    def __init__(self, seed: int, mobile: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, mobile))))

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * float(self._generator.random())

    def log_uniform(self, low: float, high: float) -> float:
        return low * math.exp(self.uniform(0.0, math.log(high / low)))

    def below(self, n: int) -> int:
        return int(self.uniform(0, n))

    def chance(self, probability: float) -> bool:
        return self.uniform(0, 1) < probability


def generate_attachments(
    stream: RandomStream, single: bool, routers: int, end: int, unannounced: float
) -> list[Attachment]:
    """Return the attachments of one mobile node until ``end`` (ticks), by time."""
    router, step = stream.below(routers), 1 if stream.chance(0.5) else -1
    attachments: list[Attachment] = []
    up = 0
    residence = stream.uniform(2, 35)  # the first residence began before time 0
    while True:
        lead, guard = stream.log_uniform(0.005, 1.0), stream.uniform(0.005, 0.060)
        switch, link_up = stream.uniform(0.010, 0.080), stream.uniform(0, 0.002)
        gap = stream.uniform(0.050, 0.300)
        predicted = not stream.chance(unannounced)
        down = up + ticks(residence)
        going_down = down - ticks(guard)
        predict = going_down - ticks(lead)
        if not predicted:
            next_up = down + ticks(gap)
        elif single:
            next_up = down + ticks(switch)
        else:
            next_up = predict + ticks(link_up)
        if max(down, next_up) >= end:  # handoffs that do not end in time are left out
            attachments.append(Attachment(router, up))
            return attachments
        attachments.append(Attachment(router, up, down, predict, going_down) if predicted else Attachment(router, up, down))
        if not 0 <= router + step < routers:
            step = -step
        router, up, residence = router + step, next_up, stream.uniform(8, 35)


def summarize(movement: list[list[Attachment]]) -> str:
    """Return the numbers of mobile nodes, attachments and handoffs, and a line for each kind of handoff."""
    kinds: Counter[str] = Counter()
    for attachments in movement:
        for old, new in pairwise(attachments):
            if old.down is None or old.predict is None or old.going_down is None:
                kinds["unannounced"] += 1
                continue
            access = "dual access" if new.up < old.down else "single access"
            lead = old.going_down - old.predict
            kinds[f"{access}, lead {'up to' if lead <= ticks(0.06) else 'over'} 60 ms"] += 1
            kinds["(guard under 8 ms)"] += old.down - old.going_down < ticks(0.008)
    rows = sum(len(attachments) for attachments in movement)
    lines = [f"{len(movement)} mobile nodes, {rows} attachments, {rows - len(movement)} handoffs"]
    return "\n".join(lines + [f"{count:6} {kind}" for kind, count in sorted(kinds.items())])


def main() -> None:
    parser = argparse.ArgumentParser(description="Generate mobile nodes that move to and fro along a line of routers.")
    parser.add_argument("--mobiles", type=int, default=200)
    parser.add_argument("--routers", type=int, default=8, help="at least 2")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--single", type=float, default=1 / 3, help="share of mobile nodes with single access")
    parser.add_argument("--unannounced", type=float, default=0.03, help="share of handoffs without a prediction")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_name("commute.associations.csv"))
    options = parser.parse_args()
    if options.mobiles < 1 or options.routers < 2 or options.seconds < 1 or options.seed < 0:
        parser.error("at least 1 mobile, 2 routers and 1 second are needed, and a seed of 0 or more")
    if not (0 <= options.single <= 1 and 0 <= options.unannounced <= 1):
        parser.error("--single and --unannounced are shares from 0 to 1")

    movement = []
    for mobile in range(options.mobiles):
        stream = RandomStream(options.seed, mobile)
        single = stream.chance(options.single)
        end = options.seconds * TICKS_PER_S
        movement.append(generate_attachments(stream, single, options.routers, end, options.unannounced))
    # Sorted by the number of the mobile node, then by up_s.
    rows = [
        ",".join((f"mn{mobile}", f"ar{a.router}", *map(decimal, (a.up, a.down, a.predict, a.going_down))))
        for mobile, attachments in enumerate(movement)
        for a in attachments
    ]
    options.output.write_text("\n".join([HEADER, *rows]) + "\n", encoding="ascii", newline="\n")
    print(summarize(movement))


if __name__ == "__main__":
    main()
