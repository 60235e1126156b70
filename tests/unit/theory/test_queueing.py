"""Closed forms against published or independently computed figures, and where textbook forms cancel out."""

import math
from fractions import Fraction

import pytest

from handoff.theory import handoff_formulas as handoffs
from handoff.theory import queueing as queues

MDK = [(0.8, 10, 0.003639231140), (0.9, 5, 0.064361897186), (1.2, 10, 0.170910768540), (0.5, 5, 0.002175962571),
       (0.8, 2, 0.199570306363)]  # fmt: skip


@pytest.mark.parametrize(("load", "places", "loss"), MDK)
def test_m_d_1_k_loss(load, places, loss):
    assert queues.md1k_loss(load, places) == pytest.approx(loss, abs=1e-12)


@pytest.mark.parametrize(
    ("load", "places", "loss"),
    [(0.8, 10, 0.023492857580), (1, 10, 1 / 11), (1.2, 10, 0.192586495127), (0.5, 5, 0.015873015873)],
)
def test_m_m_1_k_loss(load, places, loss):
    assert queues.mm1k_loss(load, places) == pytest.approx(loss, abs=1e-12)


@pytest.mark.parametrize(("load", "beyond"), [(0.5, 0.01525130), (0.8, 0.23790048), (0.95, 0.71243081)])
def test_m_d_1_waits_beyond_three_services(load, beyond):
    assert 1 - queues.md1_wait_distribution(load, 3) == pytest.approx(beyond, abs=1e-8)


def crommelin(load, services):
    """The alternating sum, exactly: rational but for exp(load x), which one factor per term keeps apart."""
    total = 0
    for k in range(math.floor(services) + 1):
        x = load * (k - services)
        total += Fraction(x) ** k / math.factorial(k) * Fraction(math.exp(-float(x))).limit_denominator(10**30)
    return float((1 - load) * total)


@pytest.mark.parametrize("load", [Fraction(1, 2), Fraction(9, 10)])
@pytest.mark.parametrize("services", [Fraction(0), Fraction(1, 2), Fraction(1), Fraction(7, 3), Fraction(6)])
def test_the_sum_without_cancellation_is_crommelins(load, services):
    assert queues.md1_wait_distribution(float(load), float(services)) == pytest.approx(crommelin(load, services), abs=1e-9)


@pytest.mark.parametrize("load", [0.3, 0.9, 0.99])
def test_far_out_a_distribution_is_still_one(load):
    """The alternating sum is off by more than 1 there. Integral of P(W > t) is the mean wait."""
    steps = [queues.md1_wait_distribution(load, t) for t in range(0, 200, 5)]
    assert steps == sorted(steps)
    assert 1 - load - 1e-12 <= steps[0] <= steps[-1] <= 1 + 1e-9
    if load < 0.95:
        width = 0.05
        integral = sum(1 - queues.md1_wait_distribution(load, (i + 0.5) * width) for i in range(round(60 / width))) * width
        assert integral == pytest.approx(queues.md1_wait(load, 1), rel=1e-3)


def test_mean_waits():
    assert queues.md1_wait(0.5, 2) == 1
    assert queues.md1_wait(1, 2) == math.inf
    assert queues.mg1_wait(0.5, 1, 2) == 1  # exponential service of mean 1: M/M/1 waits r / (1 - r)
    assert queues.mg1_wait(0.5, 1, 1) == queues.md1_wait(0.5, 1)


def test_the_wait_of_m_d_1_k():
    """One place: nobody waits. Two: who comes during a service, accepted or not, sees the rest of it; many: M/D/1."""
    assert queues.md1k_wait(0.8, 1, 1) == pytest.approx(0, abs=1e-12)
    assert queues.md1k_wait(0.8, 400, 3) == pytest.approx(queues.md1_wait(0.8, 3), rel=1e-9)
    r = 0.7  # K = 2: at most one waits, from its arrival to the end of the service: the first arrival of a service is at X < S
    waiting = 1 - (1 - math.exp(-r)) / r  # mean of (S - X)+, X exponential: each service is that of one who was accepted
    assert queues.md1k_wait(r, 2, 1) == pytest.approx(waiting, rel=1e-9)


@pytest.mark.parametrize("load", [1.5, 3, 20])
def test_over_full_load_a_large_buffer_is_always_full(load):
    assert queues.md1k_loss(load, 2000) == pytest.approx(1 - 1 / load, rel=1e-12)
    assert queues.md1k_wait(load, 2000, 1) == pytest.approx(2000, rel=2e-3)


@pytest.mark.parametrize(("servers", "load", "blocked"), [(10, 5, 0.0183845703), (20, 15, 0.0455932156)])
def test_erlang_b(servers, load, blocked):
    assert queues.erlang_b(servers, load) == pytest.approx(blocked, abs=1e-10)


def test_erlang_c():
    assert queues.erlang_c(10, 8) == pytest.approx(0.4091801508, abs=1e-10)
    assert queues.erlang_c(1, 0.3) == pytest.approx(0.3)
    assert queues.erlang_c(3, 3) == 1


def test_batches():
    assert queues.batch_wait(5, 2) == (0 + 2 + 4 + 6 + 8) / 5
    assert queues.batch_loss(60, 50) == pytest.approx(10 / 60)
    assert queues.batch_loss(40, 50) == 0


def test_capacity_of_a_home_agent():
    """75 handoffs an hour, 600 s lifetime, 1 ms service, 5 ms mean wait: 40,404 mobile nodes, whose load has that wait."""
    rate = 75 / 3600 + 1 / 600
    nodes = queues.max_sources(0.005, 0.001, rate)
    assert round(nodes) == 40404
    assert queues.md1_wait(nodes * rate * 0.001, 0.001) == pytest.approx(0.005)


EXAMPLE = handoffs.PathDelays(anchor_old=10, anchor_new=12, radio_old=4, radio_new=5, between=6, processing=1)
"""In ms, a packet each; the table of the closed forms."""


def test_handoffs_of_the_example():
    assert handoffs.conventional_loss(EXAMPLE, 500, 800, 1) == 332
    assert handoffs.conventional_disruption(EXAMPLE, 500, 800) == 335
    assert [handoffs.smooth_loss(EXAMPLE, 500, 620, 1, b) for b in (0, 50, 200)] == [124, 74, 0]
    assert handoffs.old_buffer(EXAMPLE, 500, 620, 1) == 124
    assert EXAMPLE.lead == 37
    assert EXAMPLE.switch(500) == 523
    assert handoffs.bicast_duplicates(EXAMPLE, 523, 600, 1) == 63
    assert handoffs.bicast_copies(523, 723, 1) == 200
    assert handoffs.bicast_loses_nothing(EXAMPLE, 523, 600, 530)
    assert not handoffs.bicast_loses_nothing(EXAMPLE, 523, 536, 530)
    assert not handoffs.bicast_loses_nothing(EXAMPLE, 523, 600, 536)
    assert handoffs.rescue_loss(EXAMPLE, 4.1, 1) == pytest.approx(3.9)
    assert handoffs.rescue_loss(EXAMPLE, 8, 1) == 0
    assert handoffs.reordered(EXAMPLE, 1) == 3


@pytest.mark.parametrize(("switch", "peak"), [(20, 20), (100, 104)])
def test_peak_at_the_new_router_of_the_example(switch, peak):
    """Warned 20 ms before the anchor switches (523 ms), the old link ends 10 ms later, the new one is up then."""
    assert handoffs.new_buffer(EXAMPLE, 523, 503 + 4, 513 + switch, 1) == peak


def test_boundary_crossings():
    assert handoffs.crossings_per_s(0.01, math.pi, 100) == pytest.approx(1)
