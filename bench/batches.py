"""Whether procedures on columns would pay: how many events of one kind a window has, and what a step costs on so many rows.

    uv run python -m bench.batches

The first part runs the study of ``bench/many.py`` and counts, for each controller and window, the events of one kind, each mobile
node once: what ``on_batch`` could do with one operation on arrays; of the routers also as if one controller had those of all. The
second part does one step, the reply to a registration, on NumPy columns, for batches of several sizes. Then the first is priced
with the second: what all events would take on columns, each batch at the price of the reply, and what they took one by one.
"""

from __future__ import annotations

import argparse
import timeit
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.many import described
from handoff.simulation.baseline import NOTHING
from handoff.simulation.run import run_procedure

Int = npt.NDArray[np.int64]


class Counting:
    """Between the engine and a controller: takes batches, counts them by kind, hands the events on one by one."""

    def __init__(self, tell: Callable[[int, Counter[Any]], None], node: int, controller: Any) -> None:
        self.tell, self.node, self.controller = tell, node, controller

    def on_batch(self, ctx: Any, events: list[Any]) -> None:
        """What the engine calls."""
        self.tell(self.node, Counter((event.kind, event.code) for event in events))
        for event in events:
            ctx.select(event)
            self.controller.on_event(ctx, event)


def batches(mobiles: int, handoffs: int, seconds: int, *, crowd: bool = False) -> tuple[dict[str, Int], float]:
    """Sizes of the batches of one kind in each window, of the fleet, the home agent and routers; microseconds an event took.

    A router whose mobile nodes come twice in a window is called again at once, which makes a batch of its own, also of all
    routers together. A window of these begins after the fleet or with a router that comes again after another. The time is that
    of a run of its own in which nothing is counted.
    """
    setup = described(mobiles, handoffs, seconds, crowd=crowd)
    sizes: dict[str, list[int]] = {"fleet": [], "home agent": [], "a router": [], "all routers": []}
    calls: dict[int, int] = {}  # of each router in this window; the last one stands last
    pools: defaultdict[int, Counter[Any]] = defaultdict(Counter)  # of all first calls, all second ones, ...

    def tell(node: int, found: Counter[Any]) -> None:
        router = node >= 0 and node != setup.home_agent
        sizes["a router" if router else "fleet" if node < 0 else "home agent"] += found.values()
        if node < 0 or (node in calls and node != next(reversed(calls))):
            flush()
        if router:
            pools[calls.setdefault(node, 0)].update(found)
            calls[node] += 1

    def flush() -> None:
        for pool in pools.values():
            sizes["all routers"] += pool.values()
        calls.clear(), pools.clear()

    run_procedure(setup, "sync-mipv6", reference=NOTHING, wrap=partial(Counting, tell))
    flush()
    one_by_one = run_procedure(setup, "sync-mipv6", reference=NOTHING).controller_seconds
    found = {who: np.array(those, np.int64) for who, those in sizes.items()}
    return found, one_by_one * 1e6 / sum(found[who].sum() for who in ("fleet", "home agent", "a router"))


class Columns:
    """What ``handoff.protocol.mobile_node`` knows of a mobile node, as far as a reply touches it, in columns."""

    def __init__(self, mobiles: int, rng: np.random.Generator) -> None:
        self.request, self.router, self.forgotten, self.leaving, self.refresh, self.gateway = np.zeros((6, mobiles), np.int64)
        self.requests, self.steps = np.zeros((2, mobiles, 3), np.int64)
        self.links = np.zeros((mobiles, 2), np.int64)
        self.router_of = rng.integers(0, 64, 2 * mobiles)
        self.row_of = rng.integers(0, mobiles, 2 * mobiles)
        self.old, self.new, self.reply, self.completed = np.zeros((4, mobiles), np.int64)
        self.region = np.zeros(64, np.int64)
        self.deletes, self.home = np.zeros(32, bool), np.ones(32, bool)

    def registered(self, mobile: Int, t: Int, step: Int, old: Int, new: Int, identification: Int) -> tuple[Int, ...]:
        """The reply to a registration; returns the upstream routes and timers that would be set."""
        fits = identification == self.request[mobile]
        if not fits.all():
            mobile, t, step, old, new, identification = (x[fits] for x in (mobile, t, step, old, new, identification))
        self.request[mobile] = 0
        waiting = self.requests[mobile]
        waiting[waiting == identification[:, None]] = -1
        self.requests[mobile] = waiting
        row = self.row_of[self.leaving[mobile]]
        its = (row >= 0) & (self.old[row] == old) & (self.new[row] == new)
        self.reply[row[its]] = t[its]
        self.router[mobile] = new
        back = self.forgotten[mobile] == new
        if back.any():
            self.forgotten[mobile[back]] = -1
        works = (self.router_of[self.links[mobile]] == new[:, None]).any(1)
        at_home = self.home[step]
        self.refresh[mobile[at_home]] += 1
        open_ = ((waiting > 0) & ~self.deletes[self.steps[mobile]]).any(1)
        done = ~open_ & (self.request[mobile] == 0)
        self.gateway[mobile[done]] = self.region[new[done]]
        self.completed[row[its & ~open_ & (self.router[mobile] == self.new[row])]] = 1
        settles = (row >= 0) & (self.completed[row] == 1) & ~(self.links[mobile] == self.leaving[mobile][:, None]).any(1)
        return mobile[works], new[works], mobile[at_home], t[at_home], mobile[settles], t[settles]


def step_us(size: int, mobiles: int = 1_000_000) -> float:
    """Microseconds for a batch of so many replies; the least of five times."""
    rng = np.random.default_rng(1)
    columns, none = Columns(mobiles, rng), np.zeros(size, np.int64)
    batch = [(rng.choice(mobiles, size, replace=False), *rng.integers(0, 32, (4, size)), none) for _ in range(200)]
    return min(timeit.repeat(lambda: [columns.registered(*rows) for rows in batch], number=1, repeat=5)) / len(batch) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mobiles", type=int, default=1_000_000)
    parser.add_argument("--handoffs", type=int, default=10_000, help="a second (10,000)")
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--crowd", action="store_true", help="all of them within 100 ms, from one router after the other")
    given = parser.parse_args()
    sizes = (1, 2, 3, 5, 10, 24, 50, 100, 1000)
    prices = [step_us(size) for size in sizes]
    for size, us in zip(sizes, prices, strict=True):
        print(f"a reply on columns, {size:5,} at a time: {us:6.1f} us a batch, {us / size:5.2f} us an event")
    found, us = batches(given.mobiles, given.handoffs, given.seconds, crowd=given.crowd)
    print(f"one by one: {us:.2f} us an event")
    took = {who: float(np.interp(those, sizes, prices).sum()) for who, those in found.items()}
    for who, those in found.items():
        median = int(np.median(np.repeat(those, those)))
        print(
            f"{who}: {those.sum():,} events in {len(those):,} batches of a kind, half of them in batches of {median} or less: "
            f"{took[who] / those.sum():.2f} us an event on columns"
        )
    events = sum(found[who].sum() for who in ("fleet", "home agent", "a router"))
    for routers in ("a router", "all routers"):
        all_us = took["fleet"] + took["home agent"] + took[routers]
        print(f"all {events:,} events, with the batches of {routers}: {all_us / events:.2f} us an event on columns")


if __name__ == "__main__":
    main()
