"""Waits and losses of M/D/1, M/D/1/K, M/G/1 and batch arrivals in closed form; load r, service time S.

Every sum has only positive terms, so that nothing cancels out. The textbook forms of M/D/1 alternate in sign and lose all
digits beyond about twenty services.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_RESCALE_AT = 1e200
"""Unnormalised probabilities are rescaled when they pass this: above full load they grow without bound."""
_FIRST_STATES = 64
"""Number of states that are computed at first; four times as many follow until the last one is negligible."""
_NEGLIGIBLE = 1e-25
"""Probability of a state beyond which those of M/D/1 below full load, which fall geometrically, add nothing to a sum."""
_BISECTIONS = 60
"""Halvings of an interval that exhaust the digits of a float."""
_TAIL_TERMS = 40
"""Terms of a Poisson tail summed beyond twice the mean; the rest is smaller than the rounding error."""

Floats = npt.NDArray[np.float64]


def poisson_probabilities(mean: float, largest: int) -> Floats:
    """Return the probabilities of 0 ... ``largest`` arrivals, shape (largest + 1,)."""
    if mean == 0:
        return np.array([1.0] + [0.0] * largest)
    k = range(largest + 1)
    return np.array([math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in k], float)


def _poisson_tails(mean: float, largest: int) -> Floats:
    """Return the probabilities of more than 0 ... ``largest`` arrivals, summed from the small end."""
    end = largest + _TAIL_TERMS + round(2 * mean)
    tails: Floats = np.cumsum(poisson_probabilities(mean, end)[:0:-1])[::-1][: largest + 1]
    return tails


def md1_states(load: float, largest: int) -> Floats:
    """Return the probabilities of 0 ... ``largest`` in the system after a departure of M/D/1, given that there are not more.

    A level is crossed upwards as often as downwards (Takacs): p(j+1) a(0) = p(0) A(j) + sum over i of p(i) A(j-i+1), with A(k)
    the probability of more than k arrivals in one service. The probabilities after a departure of M/D/1/K are the same with
    ``largest`` = K - 1. Below full load, states too improbable to change a sum are 0 without being computed.
    """
    computed = min(largest, _FIRST_STATES)
    states = _md1_states(load, computed)
    while computed < largest and not (load < 1 and states[-1] < _NEGLIGIBLE):
        computed = min(largest, 4 * computed)
        states = _md1_states(load, computed)
    return np.concatenate([states, np.zeros(largest - computed)])


def _md1_states(load: float, largest: int) -> Floats:
    none, tails = math.exp(-load), _poisson_tails(load, largest)
    states = np.zeros(largest + 1)
    states[0] = 1.0
    for j in range(largest):
        states[j + 1] = (tails[j] * states[0] + float(states[1 : j + 1] @ tails[j:0:-1])) / none
        if states[j + 1] > _RESCALE_AT:
            states /= states[j + 1]
    normalised: Floats = states / states.sum()
    return normalised


def md1_wait(load: float, service: float) -> float:
    """Return the mean wait of M/D/1, r S / (2 (1 - r)); infinite from r = 1 on."""
    return load * service / (2 * (1 - load)) if load < 1 else math.inf


def md1_wait_quantile(load: float, service: float, q: float) -> float:
    """Return the quantile of the wait of M/D/1 from its exponential tail (Cramer and Lundberg); infinite from r = 1 on.

    P(W > t) is about (1 - r) / (r exp(z) - 1) exp(-z t / S), with z > 0 the root of r (exp(z) - 1) = z. The error is below 1 %
    of the quantile if this is more than two services.
    """
    if load >= 1:
        return math.inf
    if load <= 1 - q:
        return 0.0
    low, high = 0.0, 1.0
    while load * math.expm1(high) < high:
        low, high = high, 2 * high
    low = max(low, math.log(1 / load))  # the smallest value of load * expm1(z) - z, below the root
    for _ in range(_BISECTIONS):
        z = (low + high) / 2
        low, high = (z, high) if load * math.expm1(z) < z else (low, z)
    return max(0.0, math.log((1 - load) / (load * math.exp(z) - 1) / (1 - q)) / z) * service


def mg1_wait(rate: float, mean: float, square: float) -> float:
    """Return the mean wait of M/G/1 (Pollaczek and Khinchine).

    Parameters
    ----------
    rate : float
        Arrivals per unit of time.
    mean, square : float
        First and second moment of the service time.
    """
    load = rate * mean
    return rate * square / (2 * (1 - load)) if load < 1 else math.inf


def md1k_loss(load: float, places: int) -> float:
    """Return the share of arrivals that M/D/1/K loses, with K ``places`` in the system.

    The share is 1 - 1 / (p(0) + r), with p(0) the probability of an empty system after a departure.
    """
    return max(0.0, 1 - 1 / (float(md1_states(load, places - 1)[0]) + load))


def md1k_wait(load: float, places: int, service: float) -> float:
    """Return the mean wait of the accepted arrivals of M/D/1/K, by Little's law from the mean number in the system."""
    if load == 0:
        return 0.0
    after = md1_states(load, places - 1)
    busy = float(after[0]) + load  # an arrival finds j < K with p(j) / busy, and all places taken with the rest
    accepted = 1 / busy
    number = float(np.arange(places) @ after) * accepted + places * (1 - accepted)
    return max(0.0, number / (load * accepted) - 1) * service


def batch_wait(size: int, service: float) -> float:
    """Return the mean wait in a batch that arrives at once at an idle server (D/D/1): the k-th waits (k - 1) S."""
    return (size - 1) * service / 2


def max_sources(wait: float, service: float, rate: float) -> float:
    """Return the number of sources for which the mean wait of one server is ``wait`` (M/D/1): 2 W / ((S + 2 W) rate S).

    A load of r = 2 W / (S + 2 W) has the mean wait W.

    Parameters
    ----------
    wait, service : float
        Mean wait and service time, in one unit of time.
    rate : float
        Arrivals of each source per unit of time.
    """
    return 2 * wait / ((service + 2 * wait) * rate * service)
