"""Queues in closed form: load r, service time S, Poisson arrivals unless said otherwise.

Every sum has only positive terms, so nothing cancels out: textbook forms of M/D/1 alternate in sign and are worthless beyond
about twenty services.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_LARGE = 1e200


Floats = npt.NDArray[np.float64]


def _poisson(mean: float, most: int) -> Floats:
    """Probabilities of 0 ... ``most`` arrivals."""
    if mean == 0:
        return np.array([1.0] + [0.0] * most)
    k = range(most + 1)
    return np.array([math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in k], float)


def _more(mean: float, most: int) -> Floats:
    """Probabilities of more than 0 ... ``most`` arrivals, summed from the small end."""
    far = most + 40 + round(2 * mean)  # beyond it the terms are nothing, and fall faster than by half
    more: Floats = np.cumsum(_poisson(mean, far)[:0:-1])[::-1][: most + 1]
    return more


def md1_states(load: float, most: int) -> Floats:
    """Probabilities of 0 ... ``most`` in the system after a departure of M/D/1, given that there are no more than that.

    A level is crossed upwards as often as downwards (Takacs): p(j+1) a(0) = p(0) A(j) + sum over i of p(i) A(j-i+1), A(k) the
    probability of more than k arrivals in one service. Those after a departure of M/D/1/K are the same with ``most`` = K - 1.
    """
    none, more = math.exp(-load), _more(load, most)
    states = np.zeros(most + 1)
    states[0] = 1.0
    for j in range(most):
        states[j + 1] = (more[j] * states[0] + float(states[1 : j + 1] @ more[j:0:-1])) / none
        if states[j + 1] > _LARGE:  # over full load they grow without end
            states /= states[j + 1]
    found: Floats = states / states.sum()
    return found


def md1_wait(load: float, service: float) -> float:
    """Mean wait of M/D/1, r S / (2 (1 - r)); without end from r = 1 on."""
    return load * service / (2 * (1 - load)) if load < 1 else math.inf


def mg1_wait(rate: float, mean: float, square: float) -> float:
    """Mean wait of M/G/1 (Pollaczek and Khinchine) from the first two moments of the service time."""
    load = rate * mean
    return rate * square / (2 * (1 - load)) if load < 1 else math.inf


def md1_wait_distribution(load: float, services: float) -> float:
    """P(W <= t) of M/D/1, t in services: Crommelin's (1932), in Franx's form (2001) without cancellation."""
    if load >= 1:
        return 0.0
    if services < 0:
        return 0.0
    k = math.floor(services) + 1
    states = md1_states(load, k)
    states *= (1 - load) / states[0]
    waiting = np.cumsum(states)[1:]  # P(at most i wait) = P(at most i + 1 in the system)
    return min(1.0, float(waiting[:k][::-1] @ _poisson(load * (k - services), k - 1)))


def md1k_loss(load: float, places: int) -> float:
    """Share of arrivals that M/D/1/K loses, K in the system: 1 - 1 / (p(0) + r), p(0) after a departure."""
    return max(0.0, 1 - 1 / (float(md1_states(load, places - 1)[0]) + load))


def md1k_wait(load: float, places: int, service: float) -> float:
    """Mean wait of those whom M/D/1/K accepts, by Little's law from the mean number in the system."""
    if load == 0:
        return 0.0
    after = md1_states(load, places - 1)
    busy = float(after[0]) + load  # an arrival finds j < K with p(j) / busy, all places taken with the rest
    accepted = 1 / busy
    number = float(np.arange(places) @ after) * accepted + places * (1 - accepted)
    return max(0.0, number / (load * accepted) - 1) * service


def mm1k_loss(load: float, places: int) -> float:
    """Share of arrivals that M/M/1/K loses: r^K over the sum of r^0 ... r^K."""
    if load > 1:
        return 1 / math.fsum(load**-j for j in range(places + 1))
    return load**places / math.fsum(load**j for j in range(places + 1))


def erlang_b(servers: int, load: float) -> float:
    """Probability that all servers are busy and the arrival is lost (M/G/n/n); ``load`` in erlangs."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(servers: int, load: float) -> float:
    """Probability that an arrival has to wait (M/M/n); 1 from ``load`` = ``servers`` on."""
    if load >= servers:
        return 1.0
    blocked = erlang_b(servers, load)
    return servers * blocked / (servers - load * (1 - blocked))


def batch_wait(size: int, service: float) -> float:
    """Mean wait in a batch that comes at once to an idle server (D/D/1): the k-th waits (k - 1) S."""
    return (size - 1) * service / 2


def batch_loss(size: int, places: int) -> float:
    """Share of a batch that comes at once that finds K in the system."""
    return max(0, size - places) / size


def max_sources(wait: float, service: float, rate: float) -> float:
    """How many sources of ``rate`` each one server carries with a mean wait of ``wait`` (M/D/1): 2 W / ((S + 2 W) rate S).

    Times in one unit, the rate in arrivals of that unit. A load of r = 2 W / (S + 2 W) has that wait.
    """
    return 2 * wait / ((service + 2 * wait) * rate * service)
