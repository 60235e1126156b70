"""Commuters: the rate and the law that were asked for, stationary from 0 on, in order, and of no interest to one another."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from engine.rng import MOST_MEAN, RandomStreams, name_key, name_keys, random_word
from handoff.mobility import Commuters
from handoff.mobility.commuters import UniformTime

S, MS = 10**12, 10**9
FALSE_ALARM = 1e-6
"""How often a statistical test would fail if the seed were drawn anew."""
ROUTERS = [f"ar{i}" for i in range(6)]
NAMES = [f"mn{i}" for i in range(2000)]
SINGLE = Commuters(
    20 * S, gap=UniformTime(20 * MS, 100 * MS), lead=UniformTime(100 * MS, 2000 * MS), guard=UniformTime(20 * MS, 20 * MS)
)
DUAL = Commuters(20 * S, overlap=UniformTime(0, 400 * MS), lead=UniformTime(400 * MS, 400 * MS), constant=True)
SUDDEN = Commuters(20 * S, overlap=UniformTime(400 * MS, 400 * MS), path="random", moving_share=2**62)
TRAIN = dataclasses.replace(SINGLE, group_size=50, start_first=True, path="ring")
KINDS = {"single": SINGLE, "dual": DUAL, "sudden": SUDDEN, "train": TRAIN}


def ride(kind, names=NAMES, seed=1, until_ps=200 * S, routers=ROUTERS):
    return kind.attachments(names, routers, seed=seed, until_ps=until_ps)


def followed(log):
    """Rows that another row of the same mobile node follows."""
    return np.flatnonzero(log.mobile[1:] == log.mobile[:-1])


def within(found, law):
    """Whether a number lies between the quantiles of its law."""
    low, high = law.ppf(FALSE_ALARM / 2), law.ppf(1 - FALSE_ALARM / 2)
    assert low <= found <= high, (low, found, high)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_attachments_are_what_a_run_takes(kind):
    """In order of time, events before their ends, a handoff done before the next begins, all done before the end."""
    log = ride(kind)
    row = followed(log)
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
    done = np.maximum(up[nxt], down[row])
    begins = np.minimum(np.minimum(up[nxt], down[row]), np.where(predict[row] < 0, down[row], predict[row]))
    assert begins.min() >= 0
    assert done.max() < 200 * S
    again = np.flatnonzero(np.diff(row) == 1)
    assert (begins[again + 1] > done[again]).all()
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


def test_handoffs_of_a_node_have_draws_of_their_own():
    """Leads, gaps and dwells of its first handoffs are not correlated with those of its second ones (Spearman)."""
    log = ride(SINGLE, until_ps=1000 * S)
    first = np.flatnonzero(np.append(True, log.mobile[1:] != log.mobile[:-1]))
    leads, gaps, begins = (
        [column[first + k] for k in range(3)]
        for column in (log.down_ps - log.predict_ps, np.append(log.up_ps[1:], 0) - log.down_ps, log.predict_ps)
    )
    for one, two in ((leads[0], leads[1]), (gaps[0], gaps[1]), (leads[0], gaps[0]), np.diff(begins, axis=0)):
        assert stats.spearmanr(one, two).pvalue > FALSE_ALARM


def test_paths():
    """A line is ridden to its end and back, a ring around; at random a node goes to a neighbour, either way alike."""
    for path, kind in (("line", SINGLE), ("ring", SINGLE), ("random", SINGLE)):
        log = ride(dataclasses.replace(kind, path=path), until_ps=600 * S)
        row = followed(log)
        step = log.router[row + 1].astype(int) - log.router[row]
        inner = (log.router[row] > 0) & (log.router[row] < 5)
        if path == "ring":
            assert (step % 6 == 1).all()
            continue
        assert (np.abs(step) == 1).all()
        again = np.flatnonzero((np.diff(row) == 1) & inner[1:])
        turned = step[again + 1] != step[again]
        if path == "line":
            assert not turned.any()
        else:
            within(int((step[inner] > 0).sum()), stats.binom(int(inner.sum()), 0.5))


@pytest.mark.parametrize("path", ["line", "random", "ring"])
def test_routers_are_as_full_later_as_at_the_start(path):
    """At both times by chi-squared against the stationary law: to each end half as many as to an inner router."""
    weight = np.array([1, 2, 2, 2, 2, 1]) if path != "ring" else np.ones(6)
    log = ride(dataclasses.replace(SINGLE, path=path), until_ps=300 * S)
    for at in (0, 290 * S):
        here = np.flatnonzero(log.up_ps <= at)
        here = here[np.append(log.mobile[here][1:] != log.mobile[here][:-1], True)]
        found = np.bincount(log.router[here], minlength=6)
        assert stats.chisquare(found, len(NAMES) * weight / weight.sum()).pvalue > FALSE_ALARM


def test_the_mean_rate_is_exact():
    """Exponential with nothing in between: a Poisson process. Constant: each node does one of two whole numbers of handoffs."""
    calm = Commuters(20 * S)
    within(len(followed(ride(calm))), stats.poisson(2000 * 200 / 20))
    half = dataclasses.replace(calm, moving_share=2**63, dwell_ps=10 * S)
    log = ride(half)
    moving = len(np.unique(log.mobile[followed(log)]))
    within(moving, stats.binom(2000, 0.5))
    within(len(followed(log)), stats.poisson(moving * 200 / 10))
    constant = dataclasses.replace(DUAL, dwell_ps=7 * S)
    whole, rest = divmod(200 * S - 400 * MS, 7 * S)
    within(len(followed(ride(constant))) - 2000 * whole, stats.binom(2000, rest / (7 * S)))


def dwells(kind):
    """When each node's first handoff begins, and the time from there to the second; long enough that none is cut off."""
    log = ride(kind, until_ps=100 * kind.dwell_ps)
    first = np.flatnonzero(np.append(True, log.mobile[1:] != log.mobile[:-1]))
    begins = log.predict_ps[[first, first + 1]]
    assert (begins > 0).all()
    return begins[0], begins[1] - begins[0]


@pytest.mark.parametrize("mean_s", [3, 20])
def test_dwells_are_exponential_beyond_the_least(mean_s):
    """Kolmogorov and Smirnov, of the second dwell, and of the first, which an inspector finds at time 0."""
    kind = dataclasses.replace(SINGLE, dwell_ps=mean_s * S)
    least, mean = kind.min_dwell_ps, kind.dwell_ps
    assert least == 2120 * MS + 1
    rest, dwell = dwells(kind)
    assert dwell.min() >= least
    assert stats.kstest((dwell - least) / (mean - least), "expon").pvalue > FALSE_ALARM

    def inspected(t):
        beyond = 1 - np.exp(-np.maximum(t - least, 0) / (mean - least))
        return np.minimum(t, least) / mean + (1 - least / mean) * beyond

    assert stats.kstest(rest, inspected).pvalue > FALSE_ALARM


def test_constant_dwells_have_a_uniform_phase():
    rest, dwell = dwells(dataclasses.replace(SINGLE, constant=True))
    assert (dwell == 20 * S).all()
    assert stats.kstest(rest / (20 * S), "uniform").pvalue > FALSE_ALARM


@pytest.mark.parametrize("change", [{}, {"dwell_ps": 3 * S}, {"constant": True}])
def test_handoffs_begin_at_the_same_rate_at_any_time(change):
    """In a window shorter than the least dwell a node begins one handoff or none: a binomial number, from time 0 on."""
    kind = dataclasses.replace(SINGLE, **change)
    log = ride(kind)
    begins = log.predict_ps[followed(log)]
    for at in (0, 2, 50, 190):
        found = ((begins >= at * S) & (begins < (at + 2) * S)).sum()
        within(int(found), stats.binom(2000, 2 * S / kind.dwell_ps))


@pytest.mark.parametrize("kind", [SINGLE, DUAL, SUDDEN])
def test_a_node_more_and_another_order_change_no_other_ride(kind):
    def rides(names, **options):
        log = ride(kind, names, **options)
        columns = zip(log.router, log.up_ps, log.down_ps, log.predict_ps, log.going_down_ps, strict=True)
        found = {name: [] for name in names}
        for mobile, row in zip(log.mobile.tolist(), columns, strict=True):
            found[names[mobile]].append(tuple(map(int, row)))
        return found

    everyone = rides(NAMES)
    some = rides(["mn7", "other", "mn3", "mn1999"])
    assert all(some[name] == everyone[name] for name in ("mn7", "mn3", "mn1999"))
    assert rides(["mn7"], seed=2)["mn7"] != some["mn7"]
    longer = rides(["mn3"], until_ps=500 * S)["mn3"]
    assert longer[: len(some["mn3"]) - 1] == some["mn3"][:-1]


def test_a_train_moves_together():
    """Where leads and gaps are alike, all of a group hand off at one instant; another group does not; one more moves no other."""
    train = dataclasses.replace(TRAIN, lead=UniformTime(MS, MS), gap=UniformTime(MS, MS))
    log = ride(train)
    assert (log.router[log.up_ps == 0] == 0).all()
    ends = [tuple(log.down_ps[log.mobile == m].tolist()) for m in range(2000)]
    assert [len(set(ends[i : i + 50])) for i in range(0, 2000, 50)] == [1] * 40
    assert len(set(ends)) == 40
    more = ride(train, [*NAMES, "mn2000"])
    assert more.down_ps[: len(log.down_ps)].tolist() == log.down_ps.tolist()


def test_the_draws_are_exact():
    """Against the engine's draws one by one, whole numbers of Python, and the logarithm of the C library."""
    found = RandomStreams(7, 3, name_keys(["a", "b"])).uniform_all(10**15)
    assert found.tolist() == [random_word(7, 3, name_key(name), 0) * 10**15 >> 64 for name in "ab"]
    draws = RandomStreams(1, 99, name_keys(["a"]))
    index = np.arange(1000)
    who = np.zeros(1000, np.int64)
    words = draws.random_words(who, index).tolist()
    for limit in (1, 10, 2**32 - 1, 2**32, 3**39, 2**63 - 1, 2**63):
        assert draws.uniform(who, index, limit).tolist() == [word * limit >> 64 for word in words]
    for mean in (0, 1000, 10**12, MOST_MEAN):
        for found, word in zip(draws.exponential(who, index, mean).tolist(), words, strict=True):
            assert found == pytest.approx(-mean * math.log(((word >> 2) + 1) / 2**62), rel=1e-6, abs=mean * 1e-7 + 1)
