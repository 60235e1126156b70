"""Queueing laws of the tests against published or independently computed values, and where textbook forms cancel out."""

import math
from fractions import Fraction

import pytest

from handoff.theory.queueing import md1_wait
from tests.analytic import queueing_laws as laws


@pytest.mark.parametrize(
    ("load", "places", "loss"),
    [(0.8, 10, 0.023492857580), (1, 10, 1 / 11), (1.2, 10, 0.192586495127), (0.5, 5, 0.015873015873)],
)
def test_m_m_1_k_loss(load, places, loss):
    assert laws.mm1k_loss(load, places) == pytest.approx(loss, abs=1e-12)


@pytest.mark.parametrize(("load", "beyond"), [(0.5, 0.01525130), (0.8, 0.23790048), (0.95, 0.71243081)])
def test_m_d_1_waits_beyond_three_services(load, beyond):
    assert 1 - laws.md1_wait_distribution(load, 3) == pytest.approx(beyond, abs=1e-8)


def crommelin(load, services):
    """Return the alternating sum in exact fractions; only exp(-load x) of each term is rounded."""
    total = 0
    for k in range(math.floor(services) + 1):
        x = load * (k - services)
        total += Fraction(x) ** k / math.factorial(k) * Fraction(math.exp(-float(x))).limit_denominator(10**30)
    return float((1 - load) * total)


@pytest.mark.parametrize("load", [Fraction(1, 2), Fraction(9, 10)])
@pytest.mark.parametrize("services", [Fraction(0), Fraction(1, 2), Fraction(1), Fraction(7, 3), Fraction(6)])
def test_franx_form_equals_crommelins_sum(load, services):
    assert laws.md1_wait_distribution(float(load), float(services)) == pytest.approx(crommelin(load, services), abs=1e-9)


@pytest.mark.parametrize("load", [0.3, 0.9, 0.99])
def test_the_distribution_of_waits_stays_a_distribution_far_out(load):
    """The alternating sum is off by more than 1 there. The integral of P(W > t) is the mean wait."""
    steps = [laws.md1_wait_distribution(load, t) for t in range(0, 200, 5)]
    assert steps == sorted(steps)
    assert 1 - load - 1e-12 <= steps[0] <= steps[-1] <= 1 + 1e-9
    if load < 0.95:
        width = 0.05
        integral = sum(1 - laws.md1_wait_distribution(load, (i + 0.5) * width) for i in range(round(60 / width))) * width
        assert integral == pytest.approx(md1_wait(load, 1), rel=1e-3)


@pytest.mark.parametrize(("servers", "load", "blocked"), [(10, 5, 0.0183845703), (20, 15, 0.0455932156)])
def test_erlang_b(servers, load, blocked):
    assert laws.erlang_b(servers, load) == pytest.approx(blocked, abs=1e-10)


def test_erlang_c():
    assert laws.erlang_c(10, 8) == pytest.approx(0.4091801508, abs=1e-10)
    assert laws.erlang_c(1, 0.3) == pytest.approx(0.3)
    assert laws.erlang_c(3, 3) == 1


def test_a_batch_loses_what_finds_no_place():
    assert laws.batch_loss(60, 50) == pytest.approx(10 / 60)
    assert laws.batch_loss(40, 50) == 0
