"""Background load of control nodes: messages of procedures that the run does not simulate, as Poisson arrivals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import Network
from engine.columns import Int
from engine.rng import PURPOSE_USER, RandomStreams, combine, name_key
from handoff.protocol.poisson import poisson_times

PURPOSE_BACKGROUND = PURPOSE_USER + 9
"""Draws of the intervals between background messages."""
BACKGROUND = 140
"""Code of the event at the node that sends a background message."""
BACKGROUND_CODE = 0
"""Engine code of a background message. Its argument is ``STEP_HOP_MASK``, which is no hop of any program."""
FACTOR = 1000
"""A factor of 1 in a profile."""
MAX_MESSAGES = 10**8
"""Largest expected number of messages of one background load."""


@dataclass(frozen=True)
class Background:
    """Messages of one kind to the registration server of one node, from all mobile nodes together.

    Attributes
    ----------
    name : str
        Name of the kind, which decides the draws together with the name of the node.
    node, source : int
        The node, and its neighbour that the messages come from.
    interval_ps : int
        Mean time between two messages at a factor of 1.
    size_bytes : int
        IP length of a message.
    profile : tuple of int
        Factor of the rate in each of equal parts of the run, in units of 1 / ``FACTOR``.
    """

    name: str
    node: int
    source: int
    interval_ps: int
    size_bytes: int
    profile: tuple[int, ...] = (FACTOR,)

    def parts(self, until_ps: int) -> list[tuple[int, int, int]]:
        """Return begin, end and mean interval of each part of a run that has messages."""
        count = len(self.profile)
        bounds = [until_ps * i // count for i in range(count + 1)]
        return [
            (bounds[i], bounds[i + 1], max(1, self.interval_ps * FACTOR // factor))
            for i, factor in enumerate(self.profile)
            if factor
        ]

    def expected_messages(self, until_ps: int) -> float:
        """Return the expected number of messages until the end of the run."""
        return sum((end - begin) / interval for begin, end, interval in self.parts(until_ps))

    def schedule(self, network: Network, seed: int, until_ps: int) -> tuple[Int, Int]:
        """Return the times of the messages, and the mobile node that each one stands for: all in turn.

        Raises
        ------
        ValueError
            If there are more than ``MAX_MESSAGES``.
        """
        if (messages := self.expected_messages(until_ps)) > MAX_MESSAGES:
            raise ValueError(f"background {self.name!r}: {messages:.3g} messages: lower the rate, or shorten the run")
        key = combine(name_key(self.name), name_key(network.nodes[self.node].name))
        times = [np.zeros(0, np.int64)]
        for begin, end, interval in self.parts(until_ps):
            stream = RandomStreams(seed, PURPOSE_BACKGROUND, np.array([combine(key, begin)], np.uint64))
            times.append(poisson_times(stream, begin, end, interval))
        all_times = np.concatenate(times)
        in_turn = np.argsort(network.mobile_keys())
        return all_times, in_turn[np.arange(len(all_times)) % max(len(in_turn), 1)]
