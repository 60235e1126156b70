"""How many messages handoffs and refreshes send to each node and over each way, from the movement and the row's own steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from handoff.machine.places import Places
from handoff.machine.program import HOME, REGIONAL, Program
from handoff.setup import Int, Setup

AIR = -1
"""In the place of a node: the mobile node."""
Leg = tuple[int, int, int]
"""From a node to the next that handles the message, and its size."""


@dataclass
class Signalling:
    """Messages in the time of a setup, if none is lost or sent again.

    Attributes
    ----------
    legs : Counter of Leg
    batches : dict of int to ndarray of int64
        Of each node: sizes of the batches of handoffs that begin at one instant and send it messages.
    """

    legs: Counter[Leg]
    batches: dict[int, Int]

    def messages(self, node: int) -> float:
        """That come to the registration server of a node."""
        return sum(n for (_, target, _), n in self.legs.items() if target == node)


def signalling(setup: Setup, program: Program, places: Places) -> Signalling:
    """Count the messages of all handoffs and refreshes.

    A handoff that layer 2 foretold begins there in a row that registers before the move, else when the new router has been
    found. One with a single link that is warned sends its old router an update. A registration is refreshed at half its
    lifetime, and each handoff begins that anew. Retransmissions, refusals and tunnels of messages are left out.
    """
    begun, kinds = _handoffs(setup, program, places)
    legs: Counter[Leg] = Counter()
    touched: dict[int, list[Int]] = {}
    for kind, rows in kinds.items():
        its: Counter[Leg] = Counter()
        _handoff(program, places, kind, its)
        for leg, n in its.items():
            legs[leg] += n * len(rows)
        for node in {target for _, target, _ in its} - {AIR}:
            touched.setdefault(node, []).append(begun[np.array(rows)])
    for router, peers, number in _refreshes(setup, program, places, begun):
        its = Counter()
        _begin(program, places, HOME, "move", (router, router, peers), its)
        for leg, n in its.items():
            legs[leg] += n * number  # type: ignore[assignment]  # an expectation
    batches = {node: np.unique(np.concatenate(times), return_counts=True)[1] for node, times in touched.items()}
    return Signalling(legs, batches)


@dataclass(frozen=True)
class _Kind:
    """What handoffs have to have in common to send the same messages."""

    old: int
    new: int
    peers: tuple[int, ...]
    known: bool
    warned: bool


def _handoffs(setup: Setup, program: Program, places: Places) -> tuple[Int, dict[_Kind, list[int]]]:
    """When each attachment begins to be registered (0: it was before; -1: not in this run), and the handoffs by their kind."""
    move, options = setup.movement, setup.options
    first = setup.first_attachments()
    old = np.arange(len(move.mobile)) - 1
    found = np.maximum(move.up_ps, 0) + (options.agent_discovery_ps if options.discovery == "layer2" else 0)
    found += program.options.dad(program.row)
    known = (move.predict_ps[old] >= 0) & program.row.predictive
    known[first] = False
    begun = np.where(known, move.predict_ps[old], found)
    begun[first] = np.where(move.up_ps[first] > 0, found[first], 0)
    begun[begun >= setup.duration_ps] = -1
    single = move.up_ps > move.down_ps[old]
    warned = (move.going_down_ps[old] >= 0) & single & (move.predict_ps[old] >= 0)
    kinds: dict[_Kind, list[int]] = {}
    handoffs = np.setdiff1d(np.flatnonzero(begun >= 0), first[move.up_ps[first] == 0])
    starts = set(first.tolist())
    for i in handoffs.tolist():
        before = -1 if i in starts else int(move.router[i - 1])
        kind = _Kind(before, int(move.router[i]), _peers(program, places, int(move.mobile[i])), bool(known[i]), bool(warned[i]))
        kinds.setdefault(kind, []).append(i)
    return begun, kinds


def _peers(program: Program, places: Places, mobile: int) -> tuple[int, ...]:
    """Correspondents of a mobile node, if the row sends them anything."""
    return tuple(places.peers[mobile]) if program.row.route_optimization else ()


def _refreshes(
    setup: Setup, program: Program, places: Places, begun: Int
) -> Iterator[tuple[int, tuple[int, ...], float]]:
    """Router, correspondents and expected number of refreshes there.

    Between two registrations there are floor(gap / half a lifetime); the age of one made before time 0 is uniform, so that
    gap / half is expected, but a run that is no longer than half a lifetime has none of these (``handoff.begin``).
    """
    move, half = setup.movement, program.refresh_ps(setup.options.lifetime_s)
    rows = np.flatnonzero(begun >= 0)
    end = np.full(len(rows), setup.duration_ps)
    same = move.mobile[rows[1:]] == move.mobile[rows[:-1]]
    end[:-1][same] = begun[rows[1:]][same]
    end = np.maximum(np.minimum(end, move.down_ps[rows]), begun[rows])
    gap = (end - begun[rows]) / half
    number = np.where(begun[rows] == 0, gap * (half < setup.duration_ps), np.floor(gap))
    found: Counter[tuple[int, tuple[int, ...]]] = Counter()
    for i in np.flatnonzero(number).tolist():
        row = int(rows[i])
        found[int(move.router[row]), _peers(program, places, int(move.mobile[row]))] += number[i]
    for (router, peers), n in found.items():
        yield router, peers, float(n)


# -- the messages of one handoff --------------------------------------------------------------------------------------------

Who = tuple[int, int, tuple[int, ...]]
"""Old router, new router, correspondents."""


def _handoff(program: Program, places: Places, kind: _Kind, legs: Counter[Leg]) -> None:
    who = kind.old, kind.new, kind.peers
    regional = program.row.hierarchical and kind.old >= 0 and places.gateways[kind.old] == places.gateways[kind.new]
    if kind.known:
        for number in program.prelude:
            _walk(program, places, number, -1, who, legs)
    elif program.options.discovery == "solicitation":
        _walk(program, places, program.solicitation, -1, who, legs)
    _begin(program, places, REGIONAL if regional else HOME, "known" if kind.known else "move", who, legs)
    if kind.warned:
        for number in program.begun(HOME, "going-down"):
            _walk(program, places, number, -1, who, legs)


def _begin(program: Program, places: Places, variant: int, event: str, who: Who, legs: Counter[Leg]) -> None:
    for number in program.begun(variant, event):
        _walk(program, places, number, -1, who, legs)
    tests = ("HoTI1", "CoTI1") if event == "known" else ("HoTI2", "CoTI2")
    for peer in who[2] if program.routability else ():
        for test in tests:
            _walk(program, places, program.routability[test], peer, who, legs)


def _walk(program: Program, places: Places, number: int, peer: int, who: Who, legs: Counter[Leg]) -> None:
    """A step, and what its message starts at the nodes that it passes; ``peer`` -1: of no correspondent yet."""
    numbered = program.steps[number]
    old, new, peers = who
    if numbered.wants_old and (old < 0 or old == new):
        return
    path = numbered.step.path
    for one in peers if numbered.per_peer and peer < 0 else (peer,):
        nodes = [_node(places, role, old, new, one) for role in path]
        for hop in range(1, len(path)):
            legs[nodes[hop - 1], nodes[hop], numbered.leg_bytes[hop - 1]] += 1
            for started in numbered.starts[hop] if path[hop] != "MN" else ():
                _walk(program, places, started, one, who, legs)
        if path[-1] == "MN":
            for started in program.begun(numbered.variant, numbered.step.message):
                _walk(program, places, started, one, who, legs)


def _node(places: Places, role: str, old: int, new: int, peer: int) -> int:
    if role in ("GFA", "MAP"):
        return places.gateways[new]
    if role in ("oGFA", "oMAP"):
        return places.gateways[old]
    return {"MN": AIR, "oAR": old, "nAR": new, "HA": places.home_agent, "CN": peer}[role]
