"""The product test of a mean."""

import math

import numpy as np
import pytest

from handoff.metrics.product_test import PRODUCT, product_interval


def test_the_lower_end_makes_the_product_of_ratios_the_inverse_of_the_error():
    """100 and 400: (100 / m)(400 / m) = 1 / 0.01 at m = 20."""
    interval = product_interval([100, 400], 0.01)
    assert interval.low == pytest.approx(20)
    assert (interval.mean, interval.high, interval.n, interval.method) == (250, math.inf, 2, PRODUCT)


def test_a_value_of_zero_leaves_no_lower_end():
    assert product_interval([0, 1e9], 0.01).low == 0


@pytest.mark.parametrize(("values", "error"), [([], 0.1), ([-1], 0.1), ([1], 0), ([1], 1)])
def test_wrong_input_is_refused(values, error):
    with pytest.raises(ValueError, match=r"product test|lies between"):
        product_interval(values, error)


@pytest.mark.deep
@pytest.mark.parametrize("share", [0.5, 0.1, 0.02])
def test_rare_overload_is_not_taken_for_a_rule(share):
    """Runs are overloaded with a probability: 1 / share times the limit, else 0.01 of it; their mean is the limit.

    The lower end passes the limit in at most 5 % of 2,000 sequences of 12 runs, whenever one looks.
    """
    usual = 0.01
    overload = (1 - (1 - share) * usual) / share
    wrong = 0
    for seed in range(2000):
        values = np.where(np.random.default_rng(seed).random(12) < share, overload, usual).tolist()
        wrong += any(product_interval(values[:n], 0.05).low > 1 for n in range(1, 13))
    assert wrong <= 140  # binomial of 0.05: beyond 140 with a probability of 3e-5
