"""Product test of a mean: a lower end from values that may be far from normal, or only bounded from below.

If values are not negative, independent, and have a mean of at most m, each value divided by m has a mean of at most 1, and so has
their product. By Ville's inequality, the probability that the product of the values so far ever reaches 1 / e is at most e
(J. Ville, Etude critique de la notion de collectif, 1939; V. Vovk and R. Wang, E-values, Annals of Statistics 49, 2021). It does
not matter how often one looks, nor that a value is replaced by something smaller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from handoff.metrics.confidence import Interval, error_probability

PRODUCT = "product"


def product_interval(values: Sequence[float], error: float) -> Interval:
    """Return the one-sided interval of the mean of values of 0 or more; its upper end is inf.

    Parameters
    ----------
    values : sequence of float
        Independent values, or lower bounds of them.
    error : float
        Probability that the true mean is below the lower end, however often new values are added.

    Raises
    ------
    ValueError
        If the error is not between 0 and 1, a value is negative, or there are no values.
    """
    error_probability(error)
    if not values or min(values) < 0:
        raise ValueError("a product test needs values of 0 or more, and at least one")
    n, low = len(values), 0.0
    if min(values) > 0:
        low = math.exp((math.log(error) + math.fsum(map(math.log, values))) / n)
    return Interval(math.fsum(values) / n, low, math.inf, n, PRODUCT)
