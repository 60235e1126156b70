"""Closed forms of queues against published or independently computed values."""

import math

import pytest

from handoff.theory import queueing as queues

MDK = [(0.8, 10, 0.003639231140), (0.9, 5, 0.064361897186), (1.2, 10, 0.170910768540), (0.5, 5, 0.002175962571),
       (0.8, 2, 0.199570306363)]  # fmt: skip


@pytest.mark.parametrize(("load", "places", "loss"), MDK)
def test_m_d_1_k_loss(load, places, loss):
    assert queues.md1k_loss(load, places) == pytest.approx(loss, abs=1e-12)


def test_mean_waits():
    assert queues.md1_wait(0.5, 2) == 1
    assert queues.md1_wait(1, 2) == math.inf
    assert queues.mg1_wait(0.5, 1, 2) == 1  # exponential service of mean 1: M/M/1 waits r / (1 - r)
    assert queues.mg1_wait(0.5, 1, 1) == queues.md1_wait(0.5, 1)


def test_the_wait_of_m_d_1_k():
    """With one place no arrival waits; with two, an arrival during a service waits for its rest; with many it is M/D/1."""
    assert queues.md1k_wait(0.8, 1, 1) == pytest.approx(0, abs=1e-12)
    assert queues.md1k_wait(0.8, 400, 3) == pytest.approx(queues.md1_wait(0.8, 3), rel=1e-9)
    r = 0.7  # K = 2: at most one waits, from the first arrival of a service, at X < S, to the end of the service
    waiting = 1 - (1 - math.exp(-r)) / r  # mean of (S - X)+ with X exponential; each service is that of an accepted arrival
    assert queues.md1k_wait(r, 2, 1) == pytest.approx(waiting, rel=1e-9)


@pytest.mark.parametrize("load", [1.5, 3, 20])
def test_over_full_load_a_large_buffer_is_always_full(load):
    assert queues.md1k_loss(load, 2000) == pytest.approx(1 - 1 / load, rel=1e-12)
    assert queues.md1k_wait(load, 2000, 1) == pytest.approx(2000, rel=2e-3)


def test_the_kth_of_a_batch_waits_for_those_before_it():
    assert queues.batch_wait(5, 2) == (0 + 2 + 4 + 6 + 8) / 5


def test_capacity_of_a_home_agent():
    """75 handoffs an hour, 600 s lifetime, 1 ms service, 5 ms mean wait: 40,404 mobile nodes, whose load has that wait."""
    rate = 75 / 3600 + 1 / 600
    nodes = queues.max_sources(0.005, 0.001, rate)
    assert round(nodes) == 40404
    assert queues.md1_wait(nodes * rate * 0.001, 0.001) == pytest.approx(0.005)


def test_poisson_probabilities_of_a_mean_of_two():
    assert queues.poisson_probabilities(2, 3) == pytest.approx([math.exp(-2) * w for w in (1, 2, 2, 4 / 3)])
    assert queues.poisson_probabilities(0, 2).tolist() == [1, 0, 0]


def md1_wait_probability(load, t):
    """Probability that the wait of M/D/1 is at most t services (A. K. Erlang, 1909): a sum that alternates in sign."""
    terms = ((load * (k - t)) ** k / math.factorial(k) * math.exp(-load * (k - t)) for k in range(math.floor(t) + 1))
    return (1 - load) * math.fsum(terms)


@pytest.mark.parametrize(("load", "q"), [(0.3, 0.99), (0.5, 0.99), (0.7, 0.9), (0.7, 0.99), (0.9, 0.8), (0.9, 0.9)])
def test_a_quantile_of_the_wait_of_m_d_1(load, q):
    t = queues.md1_wait_quantile(load, 1.0, q)
    assert md1_wait_probability(load, t * 0.97) < q < md1_wait_probability(load, t * 1.03 + 0.02)
    assert queues.md1_wait_quantile(load, 7.0, q) == pytest.approx(7 * t)


def test_quantiles_of_the_wait_without_load_and_at_full_load():
    assert queues.md1_wait_quantile(0.005, 1.0, 0.99) == 0  # more than 99 % do not wait at all
    assert queues.md1_wait_quantile(1.0, 1.0, 0.99) == math.inf


@pytest.mark.parametrize("load", [0.05, 0.5, 0.9, 0.99])
def test_negligible_states_change_nothing(load):
    """Fewer states: the sum of those left out is below the rounding error of the first one."""
    assert queues.md1_states(load, 3000)[:64] == pytest.approx(queues._md1_states(load, 3000)[:64], rel=1e-14)
    assert len(queues.md1_states(load, 3000)) == 3001
