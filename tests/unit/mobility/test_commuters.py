"""Commuters: rate, distributions, stationarity from time 0 on, order of events, independence of other mobile nodes."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from engine.rng import MAX_EXPONENTIAL_MEAN, RandomStreams, name_key, name_keys, random_word
from handoff.mobility import Commuters
from handoff.mobility.commuters import UniformTime

S, MS = 10**12, 10**9
FALSE_ALARM = 1e-6
"""Probability that a statistical test would fail with another seed."""
ROUTERS = [f"ar{i}" for i in range(6)]
NAMES = [f"mn{i}" for i in range(2000)]
SINGLE = Commuters(
    20 * S, gap=UniformTime(20 * MS, 100 * MS), lead=UniformTime(100 * MS, 2000 * MS), guard=UniformTime(20 * MS, 20 * MS)
)
DUAL = Commuters(20 * S, overlap=UniformTime(0, 400 * MS), lead=UniformTime(400 * MS, 400 * MS), constant=True)
SUDDEN = Commuters(20 * S, overlap=UniformTime(400 * MS, 400 * MS), path="random", moving_share=2**62)
TRAIN = dataclasses.replace(SINGLE, group_size=50, start_first=True, path="ring")
KINDS = {"single": SINGLE, "dual": DUAL, "sudden": SUDDEN, "train": TRAIN}


def attach(kind, names=NAMES, seed=1, until_ps=200 * S, routers=ROUTERS):
    return kind.attachments(names, routers, seed=seed, until_ps=until_ps)


def rows_with_handoff(log):
    """Return the rows that end with a handoff: another row of the same mobile node follows."""
    return np.flatnonzero(log.mobile[1:] == log.mobile[:-1])


def assert_in_quantiles(value, distribution):
    """Check that a number lies between the extreme quantiles of its distribution."""
    low, high = distribution.ppf(FALSE_ALARM / 2), distribution.ppf(1 - FALSE_ALARM / 2)
    assert low <= value <= high, (low, value, high)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_attachments_are_consistent(kind):
    """Rows are in order of time, layer-2 events precede the end of the link, and handoffs do not overlap."""
    log = attach(kind)
    row = rows_with_handoff(log)
    nxt = row + 1
    first = np.setdiff1d(np.arange(len(log.mobile)), nxt)
    last = np.setdiff1d(np.arange(len(log.mobile)), row)
    assert log.mobile[first].tolist() == list(range(len(NAMES)))
    assert (log.up_ps[first] == 0).all()
    assert (log.down_ps[last] == log.predict_ps[last]).all()
    assert (log.down_ps[last] == -1).all()
    assert len(row) > 1000
    up, down, predict, going = log.up_ps, log.down_ps, log.predict_ps, log.going_down_ps
    assert (up[nxt] > up[row]).all()
    ends = np.maximum(up[nxt], down[row])
    begins = np.minimum(np.minimum(up[nxt], down[row]), np.where(predict[row] < 0, down[row], predict[row]))
    assert begins.min() >= 0
    assert ends.max() < 200 * S
    again = np.flatnonzero(np.diff(row) == 1)
    assert (begins[again + 1] > ends[again]).all()
    gap = up[nxt] - down[row]
    low, high = (kind.gap.low, kind.gap.high) if kind.overlap == (0, 0) else (-kind.overlap.high, -kind.overlap.low)
    assert low <= gap.min() <= gap.max() <= high
    for spread, times, to in ((kind.guard, going, down), (kind.lead, predict, going if kind.guard.high else down)):
        if spread.high:
            before = to[row] - times[row]
            assert spread.low <= before.min() <= before.max() <= spread.high
            if spread.high > spread.low:
                assert before.max() - before.min() > (spread.high - spread.low) * 0.9
        else:
            assert (times == -1).all()


def test_successive_handoffs_of_a_node_are_independent():
    """Leads, gaps and dwells of first handoffs are not correlated with those of second ones (Spearman)."""
    log = attach(SINGLE, until_ps=1000 * S)
    first = np.flatnonzero(np.append(True, log.mobile[1:] != log.mobile[:-1]))
    leads, gaps, begins = (
        [column[first + k] for k in range(3)]
        for column in (log.down_ps - log.predict_ps, np.append(log.up_ps[1:], 0) - log.down_ps, log.predict_ps)
    )
    for one, two in ((leads[0], leads[1]), (gaps[0], gaps[1]), (leads[0], gaps[0]), np.diff(begins, axis=0)):
        assert stats.spearmanr(one, two).pvalue > FALSE_ALARM


def test_paths_follow_the_line_the_ring_or_a_random_neighbour():
    for path, kind in (("line", SINGLE), ("ring", SINGLE), ("random", SINGLE)):
        log = attach(dataclasses.replace(kind, path=path), until_ps=600 * S)
        row = rows_with_handoff(log)
        step = log.router[row + 1].astype(int) - log.router[row]
        inner = (log.router[row] > 0) & (log.router[row] < 5)
        if path == "ring":
            assert (step % 6 == 1).all()
            continue
        assert (np.abs(step) == 1).all()
        again = np.flatnonzero((np.diff(row) == 1) & inner[1:])
        reverses = step[again + 1] != step[again]
        if path == "line":
            assert not reverses.any()
        else:
            assert_in_quantiles(int((step[inner] > 0).sum()), stats.binom(int(inner.sum()), 0.5))


@pytest.mark.parametrize("path", ["line", "random", "ring"])
def test_the_distribution_over_routers_is_stationary(path):
    """Chi-squared test at two times: an end of a line has half the probability of an inner router."""
    weight = np.array([1, 2, 2, 2, 2, 1]) if path != "ring" else np.ones(6)
    log = attach(dataclasses.replace(SINGLE, path=path), until_ps=300 * S)
    for at in (0, 290 * S):
        here = np.flatnonzero(log.up_ps <= at)
        here = here[np.append(log.mobile[here][1:] != log.mobile[here][:-1], True)]
        counts = np.bincount(log.router[here], minlength=6)
        assert stats.chisquare(counts, len(NAMES) * weight / weight.sum()).pvalue > FALSE_ALARM


def test_the_mean_rate_is_exact():
    """Exponential dwells without a handoff duration make a Poisson process; constant ones one of two numbers of handoffs."""
    poisson = Commuters(20 * S)
    assert_in_quantiles(len(rows_with_handoff(attach(poisson))), stats.poisson(2000 * 200 / 20))
    half = dataclasses.replace(poisson, moving_share=2**63, dwell_ps=10 * S)
    log = attach(half)
    moving = len(np.unique(log.mobile[rows_with_handoff(log)]))
    assert_in_quantiles(moving, stats.binom(2000, 0.5))
    assert_in_quantiles(len(rows_with_handoff(log)), stats.poisson(moving * 200 / 10))
    constant = dataclasses.replace(DUAL, dwell_ps=7 * S)
    whole, rest = divmod(200 * S - 400 * MS, 7 * S)
    assert_in_quantiles(len(rows_with_handoff(attach(constant))) - 2000 * whole, stats.binom(2000, rest / (7 * S)))


def dwells(kind):
    """Return the beginning of each node's first handoff and the time to its second, in a run long enough for both."""
    log = attach(kind, until_ps=100 * kind.dwell_ps)
    first = np.flatnonzero(np.append(True, log.mobile[1:] != log.mobile[:-1]))
    begins = log.predict_ps[[first, first + 1]]
    assert (begins > 0).all()
    return begins[0], begins[1] - begins[0]


@pytest.mark.parametrize("mean_s", [3, 20])
def test_dwells_are_exponential_beyond_the_minimum(mean_s):
    """Kolmogorov-Smirnov tests of a dwell and of the residual dwell at time 0."""
    kind = dataclasses.replace(SINGLE, dwell_ps=mean_s * S)
    minimum, mean = kind.min_dwell_ps, kind.dwell_ps
    assert minimum == 2120 * MS + 1
    residual, dwell = dwells(kind)
    assert dwell.min() >= minimum
    assert stats.kstest((dwell - minimum) / (mean - minimum), "expon").pvalue > FALSE_ALARM

    def residual_distribution(t):
        exponential = 1 - np.exp(-np.maximum(t - minimum, 0) / (mean - minimum))
        return np.minimum(t, minimum) / mean + (1 - minimum / mean) * exponential

    assert stats.kstest(residual, residual_distribution).pvalue > FALSE_ALARM


def test_constant_dwells_have_a_uniform_phase():
    residual, dwell = dwells(dataclasses.replace(SINGLE, constant=True))
    assert (dwell == 20 * S).all()
    assert stats.kstest(residual / (20 * S), "uniform").pvalue > FALSE_ALARM


@pytest.mark.parametrize("change", [{}, {"dwell_ps": 3 * S}, {"constant": True}])
def test_handoffs_begin_at_the_same_rate_at_any_time(change):
    """In 2 s, less than the shortest dwell, a node begins one handoff at most, so their number is binomial."""
    kind = dataclasses.replace(SINGLE, **change)
    log = attach(kind)
    begins = log.predict_ps[rows_with_handoff(log)]
    for at in (0, 2, 50, 190):
        count = ((begins >= at * S) & (begins < (at + 2) * S)).sum()
        assert_in_quantiles(int(count), stats.binom(2000, 2 * S / kind.dwell_ps))


@pytest.mark.parametrize("kind", [SINGLE, DUAL, SUDDEN])
def test_neither_another_node_nor_the_order_of_names_changes_a_ride(kind):
    def rides(names, **options):
        log = attach(kind, names, **options)
        columns = zip(log.router, log.up_ps, log.down_ps, log.predict_ps, log.going_down_ps, strict=True)
        by_name = {name: [] for name in names}
        for mobile, row in zip(log.mobile.tolist(), columns, strict=True):
            by_name[names[mobile]].append(tuple(map(int, row)))
        return by_name

    all_rides = rides(NAMES)
    some = rides(["mn7", "other", "mn3", "mn1999"])
    assert all(some[name] == all_rides[name] for name in ("mn7", "mn3", "mn1999"))
    assert rides(["mn7"], seed=2)["mn7"] != some["mn7"]
    longer = rides(["mn3"], until_ps=500 * S)["mn3"]
    assert longer[: len(some["mn3"]) - 1] == some["mn3"][:-1]


def test_a_group_moves_together():
    """With constant leads and gaps all of a group hand off at one instant, other groups at others."""
    train = dataclasses.replace(TRAIN, lead=UniformTime(MS, MS), gap=UniformTime(MS, MS))
    log = attach(train)
    assert (log.router[log.up_ps == 0] == 0).all()
    ends = [tuple(log.down_ps[log.mobile == m].tolist()) for m in range(2000)]
    assert [len(set(ends[i : i + 50])) for i in range(0, 2000, 50)] == [1] * 40
    assert len(set(ends)) == 40
    more = attach(train, [*NAMES, "mn2000"])
    assert more.down_ps[: len(log.down_ps)].tolist() == log.down_ps.tolist()


def test_array_draws_agree_with_scalar_draws():
    """Uniform draws equal those from single random words; exponential draws agree with the logarithm of the C library."""
    uniform = RandomStreams(7, 3, name_keys(["a", "b"])).uniform_all(10**15)
    assert uniform.tolist() == [random_word(7, 3, name_key(name), 0) * 10**15 >> 64 for name in "ab"]
    draws = RandomStreams(1, 99, name_keys(["a"]))
    index = np.arange(1000)
    mobiles = np.zeros(1000, np.int64)
    words = draws.random_words(mobiles, index).tolist()
    for limit in (1, 10, 2**32 - 1, 2**32, 3**39, 2**63 - 1, 2**63):
        assert draws.uniform(mobiles, index, limit).tolist() == [word * limit >> 64 for word in words]
    for mean in (0, 1000, 10**12, MAX_EXPONENTIAL_MEAN):
        for drawn, word in zip(draws.exponential(mobiles, index, mean).tolist(), words, strict=True):
            assert drawn == pytest.approx(-mean * math.log(((word >> 2) + 1) / 2**62), rel=1e-6, abs=mean * 1e-7 + 1)


def test_a_rate_out_of_reach_is_an_error():
    """The shortest dwell of SINGLE is 2.12 s and a picosecond."""
    with pytest.raises(ValueError, match=r"a handoff each 2 s leaves no room for lead, guard and gap or overlap of .* 2\.12 s"):
        attach(dataclasses.replace(SINGLE, dwell_ps=2 * S))
    with pytest.raises(ValueError, match="is rarer than one each 20 h"):
        attach(dataclasses.replace(SINGLE, dwell_ps=2**57))
    with pytest.raises(ValueError, match="a run ends before 53 days"):
        attach(SINGLE, until_ps=2**62)


def test_constant_handoffs_by_hand():
    """With a dwell of 10 s, a lead of 1 s, a guard of 2 s and a gap of 3 s only the phase is drawn."""
    times = {name: UniformTime(s * S, s * S) for name, s in (("lead", 1), ("guard", 2), ("gap", 3))}
    log = attach(Commuters(10 * S, constant=True, start_first=True, **times), names=["m"], until_ps=40 * S)
    begin = int(log.predict_ps[0])
    assert 0 <= begin < 10 * S
    assert log.going_down_ps[0] == begin + 1 * S
    assert log.down_ps[0] == begin + 3 * S
    assert log.up_ps[1] == begin + 6 * S
    assert log.predict_ps[1] == begin + 10 * S
    assert log.router.tolist() == list(range(len(log.router)))


MIXED = dataclasses.replace(
    SINGLE, overlap=UniformTime(10 * MS, 100 * MS), single_share=2**62, announced_share=2**64 * 9 // 10
)


def test_a_share_of_the_handoffs_has_a_gap_and_the_others_an_overlap():
    log = attach(MIXED)
    row = rows_with_handoff(log)
    gap = log.up_ps[row + 1] - log.down_ps[row]
    single = gap > 0
    assert ((gap[single] >= 20 * MS) & (gap[single] <= 100 * MS)).all()
    assert ((gap[~single] <= -10 * MS) & (gap[~single] >= -100 * MS)).all()
    assert_in_quantiles(int(single.sum()), stats.binom(len(row), 0.25))


def test_a_share_of_the_handoffs_is_not_announced():
    """Their links have the same times as with announcement."""
    log, announced = attach(MIXED), attach(dataclasses.replace(MIXED, announced_share=2**64))
    row = rows_with_handoff(log)
    silent = log.predict_ps[row] < 0
    assert ((log.going_down_ps[row] < 0) == silent).all()
    assert_in_quantiles(int(silent.sum()), stats.binom(len(row), 0.1))
    assert (log.up_ps == announced.up_ps).all()
    assert (log.down_ps == announced.down_ps).all()
    assert (announced.predict_ps[row] >= 0).all()


def test_a_share_applies_to_a_gap_or_an_overlap_of_zero():
    """With a gap of 0 s, handoffs without an overlap have the new link exactly when the old one ends."""
    log = attach(dataclasses.replace(MIXED, gap=UniformTime(0, 0)))
    row = rows_with_handoff(log)
    overlap = log.down_ps[row] - log.up_ps[row + 1]
    assert_in_quantiles(int((overlap == 0).sum()), stats.binom(len(row), 0.25))
    assert (overlap[overlap > 0] >= 10 * MS).all()
