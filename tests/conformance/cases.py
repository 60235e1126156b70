"""How a case of the seed's figures is written down: hops as lines, tables and paths at their times (ms).

Every expectation is worked out by hand from the delays of ``scene``. The request or update leaves at 500, is at the old router at
504 and at the new one at 510; from there 13 to the home agent, 6 to the gateway of the region, 28 to the correspondent, service
included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.conformance.scene import Path, Scene, Stay, delivered, dropped
from tests.conformance.spy import Hop

# -- scenes ------------------------------------------------------------------------------------------------------------------
TIMELY = Scene([Stay("old", down=600, predict=500, warn=590), Stay("new", up=520)])
"""Dual access, the marker in time."""
LATE = Scene([Stay("old", down=545, predict=500, warn=520), Stay("new", up=505)])
"""Dual access, warned before the marker of a home agent or correspondent."""
REGIONAL_LATE = Scene([Stay("old", down=530, predict=500, warn=508), Stay("new", up=505)])
"""The same for a gateway, whose marker is quicker."""
SINGLE = Scene([Stay("old", down=510, predict=500, warn=502), Stay("new", up=513)])
BREAK = Scene([Stay("old", down=500), Stay("new", up=700)])
"""Nobody warned; the new router is known at 800."""
OVERLAP = Scene([Stay("old", down=600, predict=500, warn=590), Stay("new", up=530)])
BETWEEN, LATE_BETWEEN, OVERLAP_BETWEEN = (Scene(s.stays, regions=2) for s in (TIMELY, LATE, OVERLAP))


# -- paths of data -------------------------------------------------------------------------------------------------------------
UP_OLD = delivered("old<*", "old>cn", delay=29)
UP_NEW = delivered("new<*", "new>cn", delay=32)
UP_LOST = dropped(fate="detached")

BY_OLD = delivered("cn>ha", "ha>old", "old>*", delay=34)
BY_NEW = delivered("cn>ha", "ha>new", "new>*", delay=37)
BY_HOME = BY_NEW
"""A correspondent without a binding sends by the home network, whose binding has changed before."""
FORWARDED = delivered("cn>ha", "ha>old", "old>new", "new>*", delay=41)
LOST = dropped("cn>ha", "ha>old", "old>*", fate="detached")
UNBOUND = dropped("cn>ha", fate="no binding")

STRAIGHT_OLD = delivered("cn>old", "old>*", delay=29)
STRAIGHT_NEW = delivered("cn>new", "new>*", delay=32)
STRAIGHT_FORWARDED = delivered("cn>old", "old>new", "new>*", delay=36)
STRAIGHT_LOST = dropped("cn>old", "old>*", fate="detached")

REGION_OLD = delivered("cn>ha", "ha>gw", "gw>old", "old>*", delay=34.5)
REGION_NEW = delivered("cn>ha", "ha>gw", "gw>new", "new>*", delay=37.5)
REGION_FORWARDED = delivered("cn>ha", "ha>gw", "gw>old", "old>new", "new>*", delay=41.5)
REGION_UNBOUND = dropped("cn>ha", "ha>gw", fate="no binding")
REGION2_NEW = delivered("cn>ha", "ha>gw2", "gw2>new", "new>*", delay=37.5)

Course = Sequence[tuple[float, Path]]


def turns(before: Path, *turned: tuple[float, Path | Callable[[float], Path]]) -> Course:
    """Single packets by the time of sending: long before, just before and at each turn, long after.

    A path may depend on the time of sending.
    """
    found, path = [(400.0, before)], before
    for at, then in turned:
        for sent, now in ((at - 0.001, path), (at, then)):
            found.append((sent, now(round(sent, 6)) if callable(now) else now))
        path = then
    assert isinstance(path, Path)
    return [*found, (1500.0, path)]


def there_at(time: float, path: Path) -> Callable[[float], Path]:
    """The same way, with a wait that ends so that it is there at a time."""
    return lambda sent: Path(path.links, path.fates, round(time - sent, 6))


def switched(at: float) -> Course:
    """Upstream over two links that both work: the old one until the registration is known."""
    return turns(UP_OLD, (at, UP_NEW))


def waited(down: float, at: float) -> Course:
    """Upstream with one link at a time: what is sent after the old one waits for the registration."""
    return turns(UP_OLD, (down, there_at(at + 32, UP_NEW)), (at, UP_NEW))


def copied(old: Path, new: Path, since: float, until: float) -> Course:
    """Downstream with two bindings from one time to another: a copy each way; the old link ends at 600."""
    both = old.links | new.links  # one copy comes as far as the anchor
    first, alone = Path(both, {"delivered": 1, "duplicate": 1}, old.delay), Path(both, {"delivered": 1, "detached": 1}, new.delay)
    assert old.delay is not None
    return turns(old, (since, first), (600.001 - old.delay, alone), (until, new))


def interrupted(down: float, at: float) -> Course:
    """Upstream of the conventional procedures: what is sent without a registered link is lost."""
    return turns(UP_OLD, (down, UP_LOST), (at, UP_NEW))


# -- cases -----------------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Case:
    """One procedure in one scenario.

    ``hops``: a line each, "message from to sent got", by the time of sending. ``tables``: node -> (time, entry) pairs, each the
    entry just after that time. ``down`` and ``up``: what becomes of single data packets. ``marker``: when the last marker is at
    the mobile node, by whatever way; None if none comes.
    """

    procedure: str
    scene: Scene
    scenario: int
    hops: str
    tables: Mapping[str, Sequence[tuple[float, object]]]
    down: Course
    up: Course
    marker: float | None = None
    options: Mapping[str, object] = field(default_factory=dict)

    def expected_hops(self) -> list[Hop]:
        """The lines of ``hops``."""
        lines = [line.split() for line in self.hops.split("\n") if line.strip()]
        return [Hop(message, source, to, float(sent), float(got)) for message, source, to, sent, got in lines]

    def carried_hops(self) -> list[Hop]:
        """The same where layer 2 carries what the old router would relay to the new one."""
        found = self.expected_hops()
        for hop in [h for h in found if (h.source, h.to) == ("old", "new")]:
            first = next((h for h in found if (h.message, h.source, h.to) == (hop.message, "mn", "old")), None)
            if first is not None:
                found[found.index(first)] = Hop(hop.message, "mn", "new", first.sent, hop.got)
                found.remove(hop)
        return found
