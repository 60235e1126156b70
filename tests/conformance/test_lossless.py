"""Handoffs with unlimited buffers lose no packet, whatever layer 2 announces and however the links overlap (decisions 28 and 30).

The radio takes no time to send a packet, so that none is in transmission when a link goes down. The procedures are those with an
update to the old router: with a forwarding router and a mobile node that waits for its reply, all packets are stored somewhere.
"""

import random

import pytest

from handoff.protocol.procedures import PROCEDURES
from tests.conformance.cases import BREAK
from tests.conformance.two_router_scene import Scene, Stay

FORWARDING = [n for n, p in PROCEDURES.items() if p.family == "synchronized" or n in ("mipv4-smooth", "mipv6", "mipv6-ro")]
UNLIMITED = {"old_buffer_packets": None, "new_buffer_packets": None, "upstream_packets": None}
CHOICES = {
    "request": ("auto", "predict", "going-down"),
    "detection": ("eager", "lazy"),
    "prediction": ("layer2", "solicitation", "piggyback"),
    "relay": ("router", "l2"),
}


def some_event(rng, down):
    """Return the time of a layer-2 event before the link goes down, or None for no event."""
    return rng.choice([None, down, down - rng.randrange(10), down - rng.randrange(150)])


def some_scene(rng):
    """Return a move with a gap or an overlap of up to 150 ms, in every third scene followed by a return."""
    down = rng.choice([500, 500 + rng.randrange(1200) / 10])
    up = down + rng.choice([-100, -1, 0, 1, rng.randrange(-150, 150)])
    stays = [Stay("old", down=down, predict=some_event(rng, down), warn=some_event(rng, down))]
    if rng.randrange(3):
        stays.append(Stay("new", up=up))
    else:
        leaves = max(up + rng.randrange(100, 900), down + 5)
        stays.append(Stay("new", up=up, down=leaves, predict=some_event(rng, leaves), warn=some_event(rng, leaves)))
        stays.append(Stay("old", up=max(down + 3, leaves + rng.choice([-60, -5, 20]))))
    return Scene(stays, until=6000, regions=rng.choice([1, 2]))


@pytest.mark.parametrize("number", [0, 1, 2, *(pytest.param(n, marks=pytest.mark.deep) for n in range(3, 10))])
@pytest.mark.parametrize("procedure", FORWARDING)
def test_no_packet_is_lost(procedure, number):
    rng = random.Random(number)
    scene, options = some_scene(rng), {name: rng.choice(values) for name, values in CHOICES.items()}
    run = scene.run(procedure, down=range(400, 2400, 2), up=range(401, 2400, 2), **UNLIMITED, **options)
    fates = run.result.fate_counts()
    assert fates.keys() <= {"delivered", "duplicate"}, f"{fates} {scene.stays} {options}"
    assert fates["delivered"] == 2 * 1000
    assert run.handoffs["completed"][-1] == 1


@pytest.mark.parametrize("procedure", FORWARDING)
def test_without_buffers_at_the_old_router_packets_are_lost(procedure):
    """The link is down for 300 ms without any announcement."""
    assert BREAK.run(procedure, down=range(400, 1500), old_buffer_packets=0).result.fate_counts()["detached"] > 250
