"""Notation for the cases of the seed's figures: message hops as lines, and tables and data paths by time (ms).

Every expectation is computed by hand from the delays of ``two_router_scene``. The request or update leaves at 500. It reaches the
old router at 504 and the new one at 510; from there it takes 13 ms to the home agent, 6 ms to the gateway of the region and 28 ms
to the correspondent, including service.

The radio of the old router takes 4 ms, so that a packet which reaches the router later than 4 ms before the link goes down is
kept there: after 496 if the link goes down at 500. It was sent 30 ms earlier (cn-ha-old), 30.5 (cn-ha-gw-old) or 25 (cn-old).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.conformance.run_assertions import Hop
from tests.conformance.two_router_scene import Path, Scene, Stay, delivered, dropped

# -- scenes ------------------------------------------------------------------------------------------------------------------
TIMELY = Scene([Stay("old", down=600, predict=500, warn=590), Stay("new", up=520)])
"""Dual access; the marker arrives in time."""
LATE = Scene([Stay("old", down=545, predict=500, warn=520), Stay("new", up=505)])
"""Dual access; the warning comes before the marker of a home agent or correspondent."""
REGIONAL_LATE = Scene([Stay("old", down=530, predict=500, warn=508), Stay("new", up=505)])
"""Dual access; the warning comes before the marker of a gateway, which arrives earlier."""
SINGLE = Scene([Stay("old", down=510, predict=490, warn=500), Stay("new", up=513)])
"""Single access; request and update leave together at the warning (decision 27)."""
BREAK = Scene([Stay("old", down=500), Stay("new", up=700)])
"""No prediction and no warning; the new router is discovered at 800."""
OVERLAP = Scene([Stay("old", down=600, predict=500, warn=590), Stay("new", up=530)])
DISCOVERED = Scene([Stay("old", down=600), Stay("new", up=400)])
"""Dual access without a prediction; the new router is discovered at 500, while the old link works."""
BETWEEN, LATE_BETWEEN, OVERLAP_BETWEEN = (Scene(s.stays, regions=2) for s in (TIMELY, LATE, OVERLAP))


# -- paths of data -------------------------------------------------------------------------------------------------------------
UP_OLD = delivered("old<*", "old>cn", delay=29)
UP_NEW = delivered("new<*", "new>cn", delay=32)
UP_LOST = dropped(fate="detached")

BY_OLD = delivered("cn>ha", "ha>old", "old>*", delay=34)
BY_NEW = delivered("cn>ha", "ha>new", "new>*", delay=37)
BY_HOME = BY_NEW
"""A correspondent without a binding sends through the home network, whose binding has changed before."""
FORWARDED = delivered("cn>ha", "ha>old", "old>new", "new>*", delay=41)
LOST = dropped("cn>ha", "ha>old", "old>*", fate="detached")
KEPT = dropped("cn>ha", "ha>old", fate="in flight")
"""Kept at the old router, of which nobody asks it: its buffer lasts 10 s in IPv4 and 12 s in IPv6, and the runs end at 2 s."""
UNBOUND = dropped("cn>ha", fate="no binding")

STRAIGHT_OLD = delivered("cn>old", "old>*", delay=29)
STRAIGHT_NEW = delivered("cn>new", "new>*", delay=32)
STRAIGHT_FORWARDED = delivered("cn>old", "old>new", "new>*", delay=36)

REGION_OLD = delivered("cn>ha", "ha>gw", "gw>old", "old>*", delay=34.5)
REGION_NEW = delivered("cn>ha", "ha>gw", "gw>new", "new>*", delay=37.5)
REGION_FORWARDED = delivered("cn>ha", "ha>gw", "gw>old", "old>new", "new>*", delay=41.5)
REGION_UNBOUND = dropped("cn>ha", "ha>gw", fate="no binding")
REGION2_NEW = delivered("cn>ha", "ha>gw2", "gw2>new", "new>*", delay=37.5)

PathsByTime = Sequence[tuple[float, Path]]


def path_changes(first: Path, *changes: tuple[float, Path | Callable[[float], Path]]) -> PathsByTime:
    """Return the paths of single packets: long before all changes, just before and at each change, and long after.

    A path may depend on the time of sending.
    """
    paths, path = [(400.0, first)], first
    for at, next_path in changes:
        for sent, current in ((at - 0.001, path), (at, next_path)):
            paths.append((sent, current(round(sent, 6)) if callable(current) else current))
        path = next_path
    assert isinstance(path, Path)
    return [*paths, (1500.0, path)]


def arriving_at(time: float, path: Path) -> Callable[[float], Path]:
    """Return a path with a wait on the way, so that the packet arrives at ``time``."""
    return lambda sent: Path(path.links, path.fates, round(time - sent, 6))


def later(path: Path, by: float) -> Path:
    """Return a path that takes longer, on a link with another delay than in the module docstring of ``two_router_scene``."""
    assert path.delay is not None
    return Path(path.links, path.fates, path.delay + by)


def earlier(hops: str, by: float) -> str:
    """Return lines of message hops with all times reduced."""
    return "\n".join(
        " ".join([*line.split()[:3], *(str(float(time) - by) for time in line.split()[3:])])
        for line in hops.split("\n") if line.strip()
    )  # fmt: skip


def upstream_switch(at: float) -> PathsByTime:
    """Return upstream paths with two working links: the old one until the reply arrives at ``at``."""
    return path_changes(UP_OLD, (at, UP_NEW))


def upstream_wait(down: float, at: float) -> PathsByTime:
    """Return upstream paths with one link at a time: packets sent after ``down`` wait for the reply at ``at``."""
    return path_changes(UP_OLD, (down, arriving_at(at + 32, UP_NEW)), (at, UP_NEW))


def bicast_paths(old: Path, new: Path, since: float, until: float) -> PathsByTime:
    """Return downstream paths with two bindings between two times: one copy on each path.

    The old link ends at 600: copies that would arrive later remain in the old router's buffer.
    """
    both = old.links | new.links  # a single packet as far as the anchor
    two_copies = Path(both, {"delivered": 1, "duplicate": 1}, old.delay)
    new_copy = Path({link: n for link, n in both.items() if link != "old>*"}, {"delivered": 1, "in flight": 1}, new.delay)
    assert old.delay is not None
    return path_changes(old, (since, two_copies), (600.001 - old.delay, new_copy), (until, new))


def upstream_loss(down: float, at: float) -> PathsByTime:
    """Return upstream paths with ``upstream_hold`` off: packets sent without a registered link are lost."""
    return path_changes(UP_OLD, (down, UP_LOST), (at, UP_NEW))


# -- cases -----------------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class Case:
    """Expected course of one procedure in one scenario. Each case equals only itself, so that its run can be kept.

    ``hops``: a line "message from to sent received" for each message hop, by time of sending; "-" for a lost message.
    ``tables``: pairs (time, entry) for each node, with the entry just after that time. ``down``, ``up``: paths of single data
    packets. ``marker``: arrival of the last marker at the mobile node, through whatever router; None if no marker arrives.
    """

    procedure: str
    scene: Scene
    scenario: int
    hops: str
    tables: Mapping[str, Sequence[tuple[float, object]]]
    down: PathsByTime
    up: PathsByTime
    marker: float | None = None
    options: Mapping[str, object] = field(default_factory=dict)

    def expected_hops(self) -> list[Hop]:
        """Parse the lines of ``hops``."""
        lines = [line.split() for line in self.hops.split("\n") if line.strip()]
        return [Hop(*names, float(sent), None if received == "-" else float(received)) for *names, sent, received in lines]

    def hops_with_layer2_relay(self) -> list[Hop]:
        """Return the hops with layer-2 relay: layer 2 carries messages past the old router to the new one.

        At one instant a router sends its own acknowledgement before it passes on other packets (docs/model.md 4), so that the new
        router has the acknowledgement of an update first.
        """
        hops, relayed = self.expected_hops(), set()
        for hop in [h for h in hops if (h.source, h.to) == ("old", "new")]:
            first = next((h for h in hops if (h.message, h.source, h.to) == (hop.message, "mn", "old")), None)
            if first is not None:
                hops[hops.index(first)] = Hop(hop.message, "mn", "new", first.sent, hop.received)
                hops.remove(hop)
                relayed.add(hop.message)
        hops.sort(key=lambda hop: hop.source == "new" and hop.message in relayed)
        return hops
