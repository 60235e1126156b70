"""Background load of control nodes: number of messages, their draws, and what agents and observers do with them."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from handoff.cli.root import root as main
from handoff.protocol.background import Background
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.observer import RunObserver
from handoff.simulation.run import run_procedure
from tests.conformance.two_router_scene import MS, Scene, Stay

S = 1000 * MS


def load(setup, name="session", profile=(1000,), interval_ps=10 * MS, node="gw", source="ha"):
    index = setup.network.node_index
    return Background(name, index(node), index(source), interval_ps, 100, profile)


def scene(**changes):
    return Scene([Stay("old", 0, 504, predict=400), Stay("new", 554)], until=10_000, **changes).setup()


def test_a_profile_shapes_the_rate():
    """4 parts of 10 s at 100 messages a second: 200, 1,000, none and 1,500 of them are expected."""
    setup = scene(mobiles=7)
    shaped = load(setup, profile=(200, 1000, 0, 1500))
    assert shaped.expected_messages(40 * S) == pytest.approx(200 + 1000 + 1500)
    times, mobiles = shaped.schedule(setup.network, 1, 40 * S)
    assert (np.diff(times) >= 0).all()
    counts = np.bincount(times // (10 * S), minlength=4)
    for count, mean in zip(counts, (200, 1000, 0, 1500), strict=True):
        assert stats.poisson(mean).ppf(1e-6) <= count <= stats.poisson(mean).ppf(1 - 1e-6)
    assert np.ptp(np.bincount(mobiles)) <= 1


def test_the_draws_depend_on_the_names_of_kind_and_node_alone():
    setup = scene()
    first = load(setup).schedule(setup.network, 1, S)[0]
    assert (load(setup).schedule(setup.network, 1, S)[0] == first).all()
    for other in (load(setup, name="attach"), load(setup, node="gw2")):
        assert not np.isin(other.schedule(setup.network, 1, S)[0], first).any()
    assert not np.isin(load(setup).schedule(setup.network, 2, S)[0], first).any()


def test_too_many_messages_are_refused():
    setup = scene()
    with pytest.raises(ValueError, match=r"background 'session': 1e\+09 messages: lower the rate"):
        load(setup, interval_ps=1000).schedule(setup.network, 1, S)


@pytest.mark.parametrize("procedure", ["xn", "mipv4"])
@pytest.mark.parametrize("answers", [False, True])
def test_background_messages_take_service_and_have_no_other_effect(procedure, answers):
    """A queue with one place: each message is served or dropped, and the handover, which does not use the node, is as without."""
    setup = scene(registration_queue=1, busy=["gw"], answers=answers)
    plain = run_procedure(setup, procedure, reference=ZERO_BYTES)
    loaded = replace(setup, background=(load(setup, interval_ps=MS),))
    run = run_procedure(loaded, procedure, reference=ZERO_BYTES)
    gateway = setup.network.node_index("gw")
    registered, dropped = (int(run.result.nodes[c][gateway]) for c in ("registered", "registration_dropped"))
    sent = loaded.background[0].schedule(setup.network, 1, 10 * S)[0]
    assert registered + dropped == int((sent + 7.5 * MS < 10 * S).sum())
    # M/D/1/1 loses the share a / (1 + a) at the load a = 1; its variance is smaller than that of independent losses
    assert dropped / (registered + dropped) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(sent)))
    assert {k: v.tolist() for k, v in run.handoffs.items()} == {k: v.tolist() for k, v in plain.handoffs.items()}


def test_observers_see_no_background():
    setup = scene()
    loaded = replace(setup, background=(load(setup),))
    assert RunObserver(loaded, "xn").sent(0) == RunObserver(setup, "xn").sent(0) != []


def test_a_capture_has_no_background(tmp_path):
    """Messages of the background have no contents. The mobile nodes do not move, so that nothing else goes to the node."""
    scenario = tmp_path / "core.toml"
    text = (Path(__file__).parents[3] / "examples" / "core.toml").read_text()
    scenario.write_text(text.replace("20_000", "20").replace('"5/h"', '"0/h"').replace('"15/h"', '"3600/h"'))
    capture = tmp_path / "core.pcapng"
    words = ["run", str(scenario), "--procedure", "xn", "--set", "duration=2s", "--no-cache"]
    done = CliRunner().invoke(main, [*words, "--pcap", str(capture), "--pcap-links", "upf>amf"])
    assert done.exit_code == 0, done.output
    data, at, packets = capture.read_bytes(), 0, 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        packets, at = packets + (kind == 6), at + length  # enhanced packet blocks
    assert packets == 0
