"""Queueing laws that the tests need beside those of ``handoff.theory.queueing``."""

import math

import numpy as np

from handoff.theory.queueing import md1_states, poisson_probabilities


def md1_wait_distribution(load, services):
    """Return P(W <= t) of M/D/1, t in services: Crommelin's law (1932) in Franx's form (2001), without cancellation."""
    if load >= 1:
        return 0.0
    if services < 0:
        return 0.0
    k = math.floor(services) + 1
    states = md1_states(load, k)
    states *= (1 - load) / states[0]
    waiting = np.cumsum(states)[1:]  # P(at most i wait) = P(at most i + 1 in the system)
    return min(1.0, float(waiting[:k][::-1] @ poisson_probabilities(load * (k - services), k - 1)))


def mm1k_loss(load, places):
    """Return the share of arrivals that M/M/1/K loses: r^K over the sum of r^0 ... r^K."""
    if load > 1:
        return 1 / math.fsum(load**-j for j in range(places + 1))
    return load**places / math.fsum(load**j for j in range(places + 1))


def erlang_b(servers, load):
    """Return the probability that all servers are busy and the arrival is lost (M/G/n/n); ``load`` in erlangs."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(servers, load):
    """Return the probability that an arrival has to wait (M/M/n); 1 from ``load`` = ``servers`` on."""
    if load >= servers:
        return 1.0
    blocked = erlang_b(servers, load)
    return servers * blocked / (servers - load * (1 - blocked))


def batch_loss(size, places):
    """Return the share that is lost of a batch that arrives at once at an empty system of K places."""
    return max(0, size - places) / size
