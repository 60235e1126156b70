"""Attacks of a setup as data, the times at which they act, the routers that overhear messages, and the counts of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine import Network
from engine.columns import Int
from engine.rng import PURPOSE_USER, RandomStreams, combine, name_key
from engine.routing import next_links
from handoff.protocol.poisson import poisson_times

PURPOSE_ATTACK = PURPOSE_USER + 8
"""Draws of the intervals between the messages of an attack with ``poisson``."""

FORGED, REPLAYED, DELAYED = "forged", "replayed", "delayed"
REGISTRATION, UPDATE = "registration", "update"
FLOOD, LOOP, REFLECTION = "registration flood", "tunnel loop", "reflection"
KINDS = (*(f"{how} {what}" for what in (REGISTRATION, UPDATE) for how in (FORGED, REPLAYED, DELAYED)), FLOOD, LOOP, REFLECTION)
"""Kinds of attacks. A registration goes to the anchor where a mobile node registers, an update to a correspondent."""
RECORDING_KINDS = tuple(kind for kind in KINDS if kind.startswith((REPLAYED, DELAYED)))
"""Kinds whose attacker replays or delays messages of others, and sends none of its own."""
OVERHEARING_KINDS = (*RECORDING_KINDS, f"{FORGED} {UPDATE}")
"""Kinds whose attacker reads the messages that its node forwards."""
MAX_MESSAGES = 10**7
"""Largest number of messages that the rate of one attack may make."""

ATTACK_COUNTS = (
    "attack_messages", "attack_bytes", "attack_accepted", "attack_refused", "attack_answers", "attack_answer_bytes",
    "legitimate_refused",
)  # fmt: skip
"""Counts of a run. Messages and bytes that attackers sent; requests of them that agents carried out and refused; messages and
bytes that agents sent because of them; refusals of their own requests that mobile nodes received."""
AttackCounts = dict[str, int]
"""Value of each of ``ATTACK_COUNTS``."""


@dataclass(frozen=True)
class Attack:
    """One attacker.

    Attributes
    ----------
    kind : str
        One of ``KINDS``.
    node : int
        The attacker's node.
    target : int
        Agent that it attacks; -1 for the anchor, or the correspondents, of each mobile node.
    care_of : int
        Care-of address of forged requests; in a reflection the victim, and in a tunnel loop the second agent.
    mobiles : tuple of int
        Mobile nodes whose messages it forges or records.
    start_ps, stop_ps : int
        It acts at ``start_ps <= t < stop_ps``.
    interval_ps : int
        Time between two messages, or their mean with ``poisson``; 0: one message about each mobile node at ``start_ps``.
    poisson : bool
        If true, the intervals are exponential.
    delay_ps : int
        Time after which a recorded message is sent again, or for which a message is held back.
    """

    kind: str
    node: int
    target: int
    care_of: int
    mobiles: tuple[int, ...]
    start_ps: int
    stop_ps: int
    interval_ps: int = 0
    poisson: bool = False
    delay_ps: int = 0

    @property
    def records(self) -> bool:
        """True if the attacker sends messages of others (``RECORDING_KINDS``)."""
        return self.kind in RECORDING_KINDS

    def schedule(self, network: Network, seed: int) -> tuple[Int, Int]:
        """Return the times at which the attacker sends, and the mobile node that each message is about.

        The messages of a rate are about the mobile nodes in turn, in the order of their random keys. They therefore do not depend
        on the order in which mobile nodes are declared.
        """
        mobiles = np.array(self.mobiles, np.int64)
        if self.records or not len(mobiles) or self.stop_ps <= self.start_ps:
            return mobiles[:0], mobiles[:0]
        if not self.interval_ps:
            return np.full(len(mobiles), self.start_ps), mobiles
        times = self._poisson_times(network, seed) if self.poisson else np.arange(self.start_ps, self.stop_ps, self.interval_ps)
        in_turn = mobiles[np.argsort(network.mobile_keys()[mobiles])]
        return times, in_turn[np.arange(len(times)) % len(mobiles)]

    def _poisson_times(self, network: Network, seed: int) -> Int:
        key = combine(combine(name_key(self.kind), name_key(network.nodes[self.node].name)), self.start_ps)
        stream = RandomStreams(seed, PURPOSE_ATTACK, np.array([key], np.uint64))
        return poisson_times(stream, self.start_ps, self.stop_ps, self.interval_ps)


def no_attack_counts() -> AttackCounts:
    """Return the counts of time 0."""
    return dict.fromkeys(ATTACK_COUNTS, 0)


class Taps:
    """Nodes that read the control messages on their way from one agent to another.

    Parameters
    ----------
    network : Network
        Network whose routes messages take.
    nodes : iterable of int
        Nodes of attackers.
    """

    def __init__(self, network: Network, nodes: Iterable[int]) -> None:
        self.network, self.nodes = network, frozenset(nodes)
        self._links: dict[int, dict[int, int]] = {}

    @classmethod
    def of(cls, network: Network, attacks: Iterable[Attack]) -> Taps | None:
        """Return the taps of attacks; None if there are none."""
        nodes = {attack.node for attack in attacks if attack.kind in OVERHEARING_KINDS}
        return cls(network, nodes) if nodes else None

    def next_stop(self, source: int, destination: int) -> int:
        """Return the first node with an attacker on the way of a message, or its destination if there is none."""
        return next((node for node in self._way(source, destination) if node in self.nodes), destination)

    def overhears(self, node: int, source: int, destination: int) -> bool:
        """Return whether a message between two nodes reaches or passes ``node``."""
        return node in self._way(source, destination)

    def _way(self, source: int, destination: int) -> list[int]:
        """Return the nodes after ``source`` on the route to a destination."""
        if destination not in self._links:
            self._links[destination] = next(next_links(self.network, [destination]))
        links, way = self._links[destination], []
        while source != destination and source in links:
            source = self.network.links[links[source]].dst
            way.append(source)
        return way


def attacked_nodes(attacks: Iterable[Attack]) -> dict[int, dict[int, Attack]]:
    """Return the attacks at each attacker's node by their number in the setup."""
    nodes: dict[int, dict[int, Attack]] = {}
    for number, attack in enumerate(attacks):
        nodes.setdefault(attack.node, {})[number] = attack
    return nodes
