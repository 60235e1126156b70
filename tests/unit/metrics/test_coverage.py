"""Coverage of the intervals of rare bursts and of batch means: 500 replications of processes with a known mean.

The number of intervals that contain the mean has to reach the lower end of the two-sided binomial range of 95 % that has a
probability of 99.9 %. More is allowed: the intervals of few bursts are conservative. The seeds are fixed.
"""

import math

import numpy as np
import pytest
from scipy import stats

from engine import Engine, Network
from handoff.experiments.sweep.summary import estimate_measure
from handoff.metrics.batch_means import batch_means
from handoff.metrics.bursts import BURST_KINDS
from handoff.metrics.confidence import STUDENT
from handoff.metrics.event_interval import FAY_FEUER

pytestmark = pytest.mark.long

REPLICATIONS, CONFIDENCE = 500, 0.95
FEWEST_INSIDE = int(stats.binom.ppf(0.0005, REPLICATIONS, CONFIDENCE))

HANDOFFS, PACKETS, LARGEST_BURST = 40, 20_000, 30


def contains(interval, value):
    return interval.low <= value <= interval.high


# -- rare losses ------------------------------------------------------------------------------------------------------------


def single_packets(rng, n):
    return np.ones(n, np.int64)


def equal_bursts(rng, n):
    return np.full(n, 5)


def geometric_bursts(rng, n):
    return np.minimum(rng.geometric(0.2, n), LARGEST_BURST)


def bursts_of_one_or_thirty(rng, n):
    return np.where(rng.random(n) < 0.9, 1, LARGEST_BURST)


MEAN_BURSTS = {
    single_packets: 1.0,
    equal_bursts: 5.0,
    geometric_bursts: (1 - 0.8**LARGEST_BURST) / 0.2,
    bursts_of_one_or_thirty: 0.9 + 0.1 * LARGEST_BURST,
}
"""Expected size of a burst: of the geometric distribution with an upper end, sum of P(size > i)."""


def tables_of(rng, share_with_losses, sizes):
    """Return the tables of a run whose handoffs lose a burst with this probability, independently of each other."""
    lost = np.zeros(HANDOFFS, np.int64)
    with_losses = rng.random(HANDOFFS) < share_with_losses
    lost[with_losses] = sizes(rng, int(with_losses.sum()))
    total = int(lost.sum())
    row = {
        "fingerprint": int(rng.integers(2**62)), "handoffs": HANDOFFS, "lost": total, "delivered": PACKETS - total,
        "loss_ratio": total / PACKETS, "sent": PACKETS, "handoff_packets_max": LARGEST_BURST,
    }  # fmt: skip
    for kind in BURST_KINDS:
        row[f"handoff_{kind}"], row[f"handoff_{kind}_squares"] = total, float((lost**2).sum())
    return {"runs": {name: [value] for name, value in row.items()}}


@pytest.mark.parametrize("measure", ["loss_ratio", "lost"])
@pytest.mark.parametrize("sizes", MEAN_BURSTS)
@pytest.mark.parametrize("bursts_per_run", [0.1, 0.3, 1, 3, 10])
@pytest.mark.parametrize("runs", [3, 5, 10, 20])
def test_rare_losses(runs, bursts_per_run, sizes, measure):
    truth = bursts_per_run * MEAN_BURSTS[sizes] / (PACKETS if measure == "loss_ratio" else 1)
    rng = np.random.default_rng((runs, round(10 * bursts_per_run)))
    estimates = [
        estimate_measure(measure, [tables_of(rng, bursts_per_run / HANDOFFS, sizes) for _ in range(runs)]).interval
        for _ in range(REPLICATIONS)
    ]
    assert all(e.known for e in estimates)
    assert sum(contains(e, truth) for e in estimates) >= FEWEST_INSIDE
    assert {e.method for e in estimates} <= {FAY_FEUER, STUDENT}
    if runs * bursts_per_run >= 100 and sizes is not bursts_of_one_or_thirty:
        ideal = stats.t.ppf((1 + CONFIDENCE) / 2, runs - 1) * truth * math.sqrt(2 / (runs * bursts_per_run))
        assert np.mean([e.high - e.low for e in estimates]) / 2 < 1.5 * ideal  # a wide interval would be right, but useless


# -- batch means ------------------------------------------------------------------------------------------------------------


def m_m_1_waits(rng, load, customers):
    """Return the waits of customers of M/M/1 in mean times between arrivals, by Lindley's recursion from equilibrium."""
    first = rng.exponential(load / (1 - load)) if rng.random() < load else 0.0
    steps = rng.exponential(load, customers - 1) - rng.exponential(1, customers - 1)
    walk = first + np.concatenate([[0.0], np.cumsum(steps)])
    return walk - np.minimum(np.minimum.accumulate(walk), 0.0)


def assert_batch_means(intervals, truth, fewest_known):
    """Check that an interval is wrong no more often than stated, whether or not others are missing."""
    known = [i for i in intervals if i.known]
    assert len(intervals) - sum(not contains(i, truth) for i in known) >= FEWEST_INSIDE
    assert len(known) >= fewest_known * len(intervals)
    if len(known) > 0.5 * len(intervals):
        assert sum(contains(i, truth) for i in known) >= stats.binom.ppf(0.0005, len(known), CONFIDENCE)


RELAXATIONS = {10: 0, 30: 0, 60: 0.6, 100: 0.8, 300: 0.95, 1000: 0.99}
"""Lengths of runs in integrated correlation times, and the share of runs that have to have an interval."""


@pytest.mark.parametrize(
    ("load", "length"), [(load, length) for load in (0.9, 0.95, 0.97) for length in RELAXATIONS if length < 1000 or load < 0.95]
)
def test_batch_means_of_a_loaded_queue(load, length):
    """Mean wait of M/M/1 (Kleinrock): r / (1 - r) services of length r. Correlation time: 4 r / (1 - r)^2 arrivals."""
    batches = 1024
    size = max(1, round(length * 4 * load / (1 - load) ** 2 / batches))
    rng = np.random.default_rng((round(100 * load), length))
    means = (m_m_1_waits(rng, load, batches * size).reshape(batches, size).mean(axis=1) for _ in range(REPLICATIONS))
    assert_batch_means([batch_means(m.tolist()) for m in means], load * load / (1 - load), RELAXATIONS[length])


@pytest.mark.parametrize("weight", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("batches", [64, 100, 400, 2000])
def test_batch_means_of_an_autoregressive_process(batches, weight):
    rng = np.random.default_rng((batches, round(100 * weight)))
    noise = rng.normal(0, 1, (batches, REPLICATIONS))
    noise[0] /= math.sqrt(1 - weight * weight)
    for i in range(1, batches):
        noise[i] += weight * noise[i - 1]
    assert_batch_means([batch_means(series.tolist()) for series in noise.T], 0.0, 0.95 if weight == 0 else 0)


def engine_waits(seed, load, packets):
    """Return the waits in services of the packets of a Poisson source at a link of the engine: M/D/1."""
    net = Network()
    source, last = net.node("source"), net.node("last")
    service_ps, delay_ps = 10**6, 1000
    net.link(source, last, rate=10**9, delay=delay_ps)
    net.cell(last, delay=delay_ps)
    mobile = net.mobile("mobile", home="last")
    net.attach(mobile, "last")
    net.set_local([last], mobile)
    net.poisson("source", mobile, mean=round(service_ps / load), size_bytes=125, count=packets)
    result = Engine(net, seed=seed, record="packets").run(2 * packets * round(service_ps / load))
    return (result.packets["delay_ps"] - service_ps - 2 * delay_ps) / service_ps


@pytest.mark.parametrize(("load", "packets"), [(0.9, 25_600), (0.9, 102_400)])
def test_batch_means_of_a_queue_of_the_engine(load, packets):
    """Mean wait of M/D/1 (Pollaczek and Khinchine): r / (2 (1 - r)) services. The first fifth of the run is its warm-up."""
    intervals = []
    for seed in range(REPLICATIONS):
        waits = engine_waits(seed, load, packets)[packets // 5 :]
        intervals.append(batch_means(waits.reshape(512, -1).mean(axis=1).tolist()))
    assert_batch_means(intervals, load / (2 * (1 - load)), 0.5)
