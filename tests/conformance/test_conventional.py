"""mipv4 (figures 3A-3B) and mipv4-bicast (figures 7A-7B) as the seed document describes them.

mipv4: the old link ends at 500 ms, the new one is up at 700, an advertisement is heard at 800. mipv4-bicast: the request
goes out at 500, before the move; the new link is up at 530, the old one ends at 600; both bindings live for 200 ms.
"""

import pytest

from tests.conformance.scene import Path, Scene, Stay, delivered, dropped
from tests.conformance.spy import Hop, Spy

BREAK = Scene([Stay("old", down=500), Stay("new", up=700)])
OVERLAP = Scene([Stay("old", down=600, predict=500, warn=590), Stay("new", up=530)])
BY_OLD = ("cn>ha", "ha>old", "old>*")
BY_NEW = ("cn>ha", "ha>new", "new>*")
COPIED = {"cn>ha": 1, "ha>old": 1, "ha>new": 1, "old>*": 1, "new>*": 1}


def test_mipv4_registers_after_the_move_through_the_new_agent():
    spy = Spy(BREAK.setup(), "mipv4")
    assert spy.hops() == [
        Hop("RQ", "mn", "new", 800, 805),
        Hop("RQ", "new", "ha", 805, 818),
        Hop("RR", "ha", "new", 818, 830),
        Hop("RR", "new", "mn", 830, 835),
    ]
    assert spy.run.handoffs["scenario"].tolist() == [0]
    assert spy.run.handoffs["completed"].tolist() == [1]


@pytest.mark.parametrize(
    ("at", "ha", "old", "new"),
    [
        (499, ["old"], "local", None),  # phase 1
        (804.999, ["old"], "local", None),  # moved, nobody knows
        (805, ["old"], "local", "local"),
        (817.999, ["old"], "local", "local"),
        (818, ["new"], "local", "local"),  # phase 2
    ],
)
def test_mipv4_tables(at, ha, old, new):
    spy = Spy(BREAK.setup(), "mipv4")
    assert [spy.table(node, at) for node in ("ha", "old", "new")] == [ha, old, new]


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (400, delivered(*BY_OLD, delay=34)),
        (466, delivered(*BY_OLD, delay=34)),  # here as the link ends
        (466.001, dropped(*BY_OLD, fate="detached")),  # in transition: X in figure 3B
        (797.999, dropped(*BY_OLD, fate="detached")),
        (798, delivered(*BY_NEW, delay=37)),
        (900, delivered(*BY_NEW, delay=37)),
    ],
)
def test_mipv4_path_of_downstream_packets(sent, path):
    assert BREAK.path("mipv4", down=sent) == path


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (499.999, delivered("old<*", "old>cn", delay=29)),
        (500, dropped(fate="detached")),
        (834.999, dropped(fate="detached")),
        (835, delivered("new<*", "new>cn", delay=32)),
    ],
)
def test_mipv4_path_of_upstream_packets(sent, path):
    assert BREAK.path("mipv4", up=sent) == path


def test_mipv4_loses_upstream_packets_in_transition_to_the_old_agent():
    """Three packets of 16 ms each wait for the uplink from 480 on; the link ends at 500 with one of them sent."""
    scene = Scene(BREAK.stays, old_cell={"up_rate": "100kbit/s"})
    assert scene.run("mipv4", up=[480, 481, 482]).result.fate_counts() == {"delivered": 1, "detached": 2}


def test_bicasting_registers_before_the_move():
    spy = Spy(OVERLAP.setup(), "mipv4-bicast")
    assert spy.hops() == [
        Hop("RQ", "mn", "old", 500, 504),
        Hop("RQ", "old", "new", 504, 510),
        Hop("RQ", "new", "ha", 510, 523),
        Hop("RR", "ha", "new", 523, 535),
        Hop("RR", "new", "mn", 535, 540),
    ]
    assert spy.run.handoffs["scenario"].tolist() == [0]
    assert spy.run.handoffs["completed"].tolist() == [1]


@pytest.mark.parametrize(
    ("at", "ha", "old", "new"),
    [
        (499, ["old"], "local", None),  # phase 1
        (510, ["old"], "local", "hold"),
        (522.999, ["old"], "local", "hold"),
        (523, ["old", "new"], "local", "hold"),  # phase 2: the old binding is kept, a new one is made
        (530, ["old", "new"], "local", "local"),
        (722.999, ["old", "new"], "local", "local"),
        (723, ["new"], "local", "local"),
    ],
)
def test_bicasting_tables(at, ha, old, new):
    spy = Spy(OVERLAP.setup(), "mipv4-bicast")
    assert [spy.table(node, at) for node in ("ha", "old", "new")] == [ha, old, new]


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (400, delivered(*BY_OLD, delay=34)),
        (502.999, delivered(*BY_OLD, delay=34)),
        (503, Path(COPIED, {"delivered": 1, "duplicate": 1}, 34)),
        (570, Path(COPIED, {"delivered": 1, "detached": 1}, 37)),  # the copy by the old radio ends after the link
        (702.999, Path(COPIED, {"delivered": 1, "detached": 1}, 37)),
        (703, delivered(*BY_NEW, delay=37)),
    ],
)
def test_bicasting_path_of_downstream_packets(sent, path):
    assert OVERLAP.path("mipv4-bicast", down=sent) == path


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (539.999, delivered("old<*", "old>cn", delay=29)),
        (540, delivered("new<*", "new>cn", delay=32)),
    ],
)
def test_bicasting_path_of_upstream_packets(sent, path):
    assert OVERLAP.path("mipv4-bicast", up=sent) == path
