"""Time of the request before the move (decision 27), and the update to the old router that may leave with it.

Phase III-3: when the update is sent, the anchor still sends to the old router, so that with single access the request cannot have
left long before. The warning comes 40 ms after the prediction. A request of 500 is at the home agent at 523.
"""

import pytest

from handoff.protocol.procedures import PROCEDURES
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import Scene, Stay

MS = 10**9
SYNCHRONIZED = [name for name, procedure in PROCEDURES.items() if procedure.family == "synchronized"]
BICASTING = [name for name, procedure in PROCEDURES.items() if procedure.family == "bicasting"]
PREDICTED, WARNED = 500, 540
SINGLE = Scene([Stay("old", down=550, predict=PREDICTED, warn=WARNED), Stay("new", up=560)])
DUAL = Scene([Stay("old", down=700, predict=PREDICTED, warn=WARNED), Stay("new", up=520)])
UNWARNED = Scene([Stay("old", down=550, predict=PREDICTED), Stay("new", up=560)])


def first_request(view):
    return next(hop for hop in view.hops() if hop.source == "mn")


@pytest.mark.parametrize("procedure", [*SYNCHRONIZED, *BICASTING])
@pytest.mark.parametrize(
    ("scene", "request_time", "synchronized", "bicasting"),
    [
        (SINGLE, "auto", WARNED, PREDICTED),
        (DUAL, "auto", PREDICTED, PREDICTED),
        (UNWARNED, "auto", PREDICTED, PREDICTED),  # there is nothing to wait for
        (SINGLE, "predict", PREDICTED, PREDICTED),
        (DUAL, "predict", PREDICTED, PREDICTED),
        (SINGLE, "going-down", WARNED, WARNED),
        (DUAL, "going-down", WARNED, WARNED),
        (UNWARNED, "going-down", PREDICTED, PREDICTED),
    ],
)
def test_the_request_leaves_at_the_prediction_or_at_the_warning(procedure, scene, request_time, synchronized, bicasting):
    """``auto`` waits only with single access, and only if the procedure has an update to the old router."""
    at = synchronized if procedure in SYNCHRONIZED else bicasting
    view = RunView(scene.setup(options={"request": request_time}), procedure)
    hop = first_request(view)
    assert (hop.to, hop.sent, hop.received) == ("old", at, at + 4)
    assert view.run.handoffs["request_ps"].tolist() == [at * MS]
    assert view.run.handoffs["known_ps"].tolist() == [PREDICTED * MS]


@pytest.mark.parametrize("procedure", ["mipv4", "mipv4-smooth", "mipv6", "mipv6-ro", "pmipv6"])
@pytest.mark.parametrize("request_time", ["auto", "predict", "going-down"])
def test_procedures_that_register_after_the_move_ignore_the_option(procedure, request_time):
    """The new link comes up at 560, and its router is discovered 100 ms later."""
    assert first_request(RunView(SINGLE.setup(options={"request": request_time}), procedure)).sent == 660


@pytest.mark.parametrize(("request_time", "entry"), [("auto", ["old"]), ("going-down", ["old"]), ("predict", ["new"])])
def test_the_home_agent_has_the_old_binding_when_the_old_router_begins_to_forward(request_time, entry):
    """III-3: the update is at the old router at 544. A request of 540 is at the home agent at 563, one of 500 at 523."""
    view = RunView(SINGLE.setup(options={"request": request_time}), "sync-mipv4")
    assert [view.table("old", t) for t in (543.999, 544)] == ["local", ["new"]]
    assert view.table("ha", 544) == entry
    assert view.run.handoffs["scenario"].tolist() == [3]


def test_with_dual_access_a_request_at_the_warning_leaves_with_the_update():
    """The marker cannot be in time. Both messages leave at 540, and scenario II follows."""
    view = RunView(DUAL.setup(options={"request": "going-down"}), "sync-mipv6")
    assert [h.message for h in view.hops() if h.source == "mn" and h.sent == WARNED] == ["BU", "DBU", "BU2"]
    assert view.run.handoffs["scenario"].tolist() == [2]
    assert [view.table("old", t) for t in (543.999, 544)] == ["local", ["new"]]


@pytest.mark.parametrize("scene", [SINGLE, DUAL])
@pytest.mark.parametrize("warn", [515.999, 516, 516.001])
def test_a_warning_at_the_arrival_of_the_advertisement_is_not_missed(scene, warn):
    """The solicited advertisement arrives at 516 (decision 24). Whichever comes first, update and request are sent."""
    leaves, comes = scene.stays
    moved = Scene([Stay("old", down=leaves.down, predict=500, warn=warn), comes])
    hops = RunView(moved.setup(options={"prediction": "solicitation"}), "sync-mipv4").hops()
    late = max(516, warn)
    request = late if scene is SINGLE else 516
    sent = [h for h in hops if h.source == "mn"]
    assert sent == [Hop("RQ", "mn", "old", request, request + 4), Hop("BU", "mn", "old", late, late + 4)]


@pytest.mark.parametrize("scene", [SINGLE, DUAL])
def test_a_warning_at_the_instant_of_the_prediction_sends_each_message_once(scene):
    leaves, comes = scene.stays
    moved = Scene([Stay("old", down=leaves.down, predict=500, warn=500), comes])
    sent = [h for h in RunView(moved.setup(), "sync-mipv4").hops() if h.source == "mn"]
    assert sent == [Hop("RQ", "mn", "old", 500, 504), Hop("BU", "mn", "old", 500, 504)]
