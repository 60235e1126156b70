"""How many messages handoffs and refreshes send to each node and over each way, from the movement and the row's own steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from handoff.protocol.program import HOME, REGIONAL, Program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Setup

AIR = -1
"""In the place of a node: the mobile node."""
Leg = tuple[int, int, int]
"""From a node to the next that handles the message, and its size."""


@dataclass
class SignallingLoad:
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


def signalling_load(setup: Setup, program: Program, places: RoleResolver) -> SignallingLoad:
    """Count the messages of all handoffs and refreshes.

    A handoff that layer 2 foretold begins there in a row that registers before the move, else when the new router has been
    found. One with a single link that is warned sends its old router an update. A registration is refreshed at half its
    lifetime, and each handoff begins that anew. Retransmissions, refusals and tunnels of messages are left out.
    """
    group, peers = _peers(setup, program, places)
    begun = _begun(setup, program)
    legs: Counter[Leg] = Counter()
    touched: dict[int, list[Int]] = {}
    for kind, rows in _kinds(setup, program, begun, group):
        its: Counter[Leg] = Counter()
        _handoff(program, places, kind, peers[kind.group], its)
        for leg, n in its.items():
            legs[leg] += n * len(rows)
        for node in {target for _, target, _ in its} - {AIR}:
            touched.setdefault(node, []).append(begun[rows])
    for router, which, number in _refreshes(setup, program, places, begun, group):
        its = Counter()
        _begin(program, places, HOME, "move", (router, router, peers[which]), its)
        for leg, n in its.items():
            legs[leg] += n * number  # type: ignore[assignment]  # an expectation
    batches = {node: np.unique(np.concatenate(times), return_counts=True)[1] for node, times in touched.items()}
    return SignallingLoad(legs, batches)


class _Kind(NamedTuple):
    """What handoffs have to have in common to send the same messages."""

    old: int
    new: int
    known: int
    warned: int
    group: int


def _peers(setup: Setup, program: Program, places: RoleResolver) -> tuple[Int, list[tuple[int, ...]]]:
    """Group of each mobile node, and the correspondents of each group; none where the row sends them nothing."""
    if not program.row.route_optimization:
        return np.zeros(setup.network.mobile_count, np.int64), [()]
    known: dict[tuple[int, ...], int] = {}
    group = [known.setdefault(tuple(places.peers[m]), len(known)) for m in range(setup.network.mobile_count)]
    return np.array(group, np.int64), list(known)


def _before(setup: Setup) -> tuple[Int, npt.NDArray[np.bool_]]:
    """The attachment before each one, and which have none."""
    first = np.zeros(len(setup.movement.mobile), bool)
    first[setup.first_attachments()] = True
    return np.arange(len(first)) - 1, first


def _known(setup: Setup, program: Program) -> npt.NDArray[np.bool_]:
    """Which attachments are registered before the move."""
    before, first = _before(setup)
    known: npt.NDArray[np.bool_] = (setup.movement.predict_ps[before] >= 0) & ~first & program.row.predictive
    return known


def _begun(setup: Setup, program: Program) -> Int:
    """When each attachment begins to be registered (0: it was before time 0; -1: not in this run)."""
    move, options = setup.movement, setup.options
    before, first = _before(setup)
    found = move.up_ps + (options.agent_discovery_ps if options.discovery == "layer2" else 0) + options.duplicate_address_detection_ps(program.row)
    begun = np.where(_known(setup, program), move.predict_ps[before], found)
    begun[first & (move.up_ps == 0)] = 0
    begun[begun >= setup.duration_ps] = -1
    return begun


def _kinds(setup: Setup, program: Program, begun: Int, group: Int) -> Iterator[tuple[_Kind, Int]]:
    """Handoffs that begin in the run, by kind: the attachments that they lead to. A first one has no old router (-1)."""
    move = setup.movement
    before, first = _before(setup)
    warned = (move.going_down_ps[before] >= 0) & (move.predict_ps[before] >= 0) & (move.up_ps > move.down_ps[before])
    rows = np.flatnonzero((begun >= 0) & ~(first & (move.up_ps == 0)))
    old = np.where(first, -1, move.router[before])
    columns = old + 1, move.router, _known(setup, program), warned & ~first, group[move.mobile]
    bounds = len(setup.network.nodes) + 1, len(setup.network.nodes), 2, 2, int(group.max(initial=0)) + 1
    which = np.ravel_multi_index(tuple(c[rows].astype(np.int64) for c in columns), bounds)
    order = np.argsort(which, kind="stable")
    kinds, begins = np.unique(which[order], return_index=True)
    for kind, part in zip(kinds.tolist(), np.split(rows[order], begins[1:]), strict=True):
        old_router, *rest = (int(x) for x in np.unravel_index(kind, bounds))
        yield _Kind(old_router - 1, *rest), part


def _refreshes(setup: Setup, program: Program, places: RoleResolver, begun: Int, group: Int) -> Iterator[tuple[int, int, float]]:
    """Router, group of correspondents, and expected number of refreshes there.

    Between two registrations with the home agent there are floor(gap / half a lifetime), each where the mobile node is by then;
    the age of one made before time 0 is uniform, so that gap / half is expected.
    """
    move, half = setup.movement, program.refresh_ps(setup.options.lifetime_s)
    rows = np.flatnonzero(begun >= 0)
    end = np.full(len(rows), setup.duration_ps)
    same = move.mobile[rows[1:]] == move.mobile[rows[:-1]]
    end[:-1][same] = begun[rows[1:]][same]
    end = np.maximum(np.minimum(end, move.down_ps[rows]), begun[rows])
    regional = np.append(False, same & _within_a_region(places, move.router[rows]))
    home = begun[rows][np.maximum.accumulate(np.where(regional, 0, np.arange(len(rows))))]
    start = np.where(regional, np.roll(end, 1), begun[rows])
    number = np.where(home == 0, (end - start) / half, (end - home) // half - (start - home) // half)
    groups = int(group.max(initial=0)) + 1
    for key, n in enumerate(np.bincount(move.router[rows] * groups + group[move.mobile[rows]], number).tolist()):
        if n:
            yield *divmod(key, groups), n


def _within_a_region(places: RoleResolver, routers: Int) -> npt.NDArray[np.bool_]:
    """Whether each router but the first has the gateway of the one before, in a row in which that is all that has to know."""
    gateway = np.array([places.gateways.get(r, -1) for r in routers.tolist()])
    within: npt.NDArray[np.bool_] = (gateway[1:] == gateway[:-1]) & places.row.hierarchical
    return within


# -- the messages of one handoff --------------------------------------------------------------------------------------------

Who = tuple[int, int, tuple[int, ...]]
"""Old router, new router, correspondents."""


def _handoff(program: Program, places: RoleResolver, kind: _Kind, peers: tuple[int, ...], legs: Counter[Leg]) -> None:
    who = kind.old, kind.new, peers
    regional = program.row.hierarchical and kind.old >= 0 and places.gateways[kind.old] == places.gateways[kind.new]
    if kind.known:
        for number in program.prelude:
            _walk(program, places, number, -1, who, legs)
    elif program.options.discovery == "solicitation":
        _walk(program, places, program.solicitation, -1, who, legs)
    _begin(program, places, REGIONAL if regional else HOME, "known" if kind.known else "move", who, legs)
    if kind.warned:
        for number in program.steps_on(HOME, "going-down"):
            _walk(program, places, number, -1, who, legs)


def _begin(program: Program, places: RoleResolver, variant: int, event: str, who: Who, legs: Counter[Leg]) -> None:
    for number in program.steps_on(variant, event):
        _walk(program, places, number, -1, who, legs)
    tests = ("HoTI1", "CoTI1") if event == "known" else ("HoTI2", "CoTI2")
    for peer in who[2] if program.routability else ():
        for test in tests:
            _walk(program, places, program.routability[test], peer, who, legs)


def _walk(program: Program, places: RoleResolver, number: int, peer: int, who: Who, legs: Counter[Leg]) -> None:
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
            for started in program.steps_on(numbered.variant, numbered.step.message):
                _walk(program, places, started, one, who, legs)


def _node(places: RoleResolver, role: str, old: int, new: int, peer: int) -> int:
    if role in ("GFA", "MAP"):
        return places.gateways[new]
    if role in ("oGFA", "oMAP"):
        return places.gateways[old]
    return {"MN": AIR, "oAR": old, "nAR": new, "HA": places.home_agent, "CN": peer}[role]
