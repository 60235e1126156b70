"""Mobile nodes as correspondents: ring, random, one for all, a table; and the flows that a scenario makes of them."""

from pathlib import Path

import numpy as np
import pytest

from engine import FOREVER, Network
from handoff.protocol.setup import Presence
from handoff.scenario import ScenarioError, load_scenario
from handoff.workload.build import build_setup
from handoff.workload.flow_ends import FlowEnds
from handoff.workload.mobile_correspondents import choose_correspondents

from .capture_packets import Packet, pcap
from .street_scenario import COMMUTERS

NAMES = ["ann", "bob", "carol", "dave"]


def chosen(pairing, names=NAMES, seed=1):
    network = Network()
    network.node("ha")
    for name in names:
        network.mobile(name, home="ha")
    return choose_correspondents(pairing, names, network.mobile_keys(), seed).tolist()


@pytest.mark.parametrize(
    ("pairing", "correspondents"),
    [
        ("ring", [1, 2, 3, 0]),
        ("carol", [2, 2, -1, 2]),
        ({"dave": "ann", "ann": "bob"}, [1, -1, -1, 0]),
    ],
)
def test_correspondents_by_hand(pairing, correspondents):
    assert chosen(pairing) == correspondents


def test_random_correspondents_are_uniform_among_the_others():
    """Each of 3 others is drawn with probability 1/3 in 600 seeds; the bound is five standard deviations."""
    draws = np.array([chosen("random", seed=seed) for seed in range(600)])
    assert (draws != np.arange(4)).all()
    for mobile in range(4):
        counts = np.delete(np.bincount(draws[:, mobile], minlength=4), mobile)
        assert np.abs(counts - 200).max() < 5 * (600 * 2 / 9) ** 0.5
    assert chosen("random", seed=3) == chosen("random", seed=3)


@pytest.mark.parametrize(
    ("pairing", "names", "message"),
    [
        ("ring", ["ann"], "there is only one mobile node: add another one"),
        ("rings", NAMES, "no mobile node 'rings'; there are 'ann', 'bob', 'carol', 'dave'"),
        ({"bob": "caro", "x": "ann"}, NAMES, "no mobile node 'x'; there are .*; no mobile node 'caro'; did you mean 'carol'?"),
    ],
)
def test_a_mistake_is_reported(pairing, names, message):
    with pytest.raises(ValueError, match="mobile_correspondent: " + message):
        chosen(pairing, names)


def test_a_flow_lasts_while_both_ends_are_present():
    presence = Presence(np.array([0, 5, 2, 30]), np.array([10, FOREVER, 20, 40]))
    ends = FlowEnds.with_peers(np.array([1, 2, -1, 0]), presence)
    assert ends.mobiles.tolist() == [0, 1, 3]
    assert list(zip(ends.begin_ps.tolist(), ends.end_ps.tolist(), strict=True)) == [(5, 10), (5, 20), (30, 30)]


# -- in a scenario ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "scenario.toml"
    path.write_text(COMMUTERS)
    return path


def build(path, *changes, seed=1):
    return build_setup(load_scenario(path, changes)[0], path, seed)


@pytest.mark.parametrize("poisson", ["false", "true"])
@pytest.mark.parametrize(("direction", "up"), [("down", 0), ("up", 1)])
def test_every_mobile_node_has_a_flow_with_its_correspondent(scenario, poisson, direction, up):
    changes = ("traffic.0.mobile_correspondent=ring", f"traffic.0.poisson={poisson}", f"traffic.0.direction={direction}")
    setup = build(scenario, *changes, "traffic.0.phase=1s")
    flows = setup.network.flows()
    assert flows["mobile"].tolist() == list(range(20))
    assert flows["peer"].tolist() == [*range(1, 20), 0]
    assert set(flows["node"].tolist()) == {setup.home_agent}, "both directions go through the home agent"
    assert set(flows["up"].tolist()) == {up}
    assert flows["start"].max() > flows["start"].min()
    sender, receiver = setup.network.flow_mobiles()
    assert ((sender if up else receiver) == flows["mobile"]).all()


def test_the_correspondent_of_all_has_no_flow_of_its_own(scenario):
    flows = build(scenario, "traffic.0.mobile_correspondent=mn3").network.flows()
    assert flows["mobile"].tolist() == [m for m in range(20) if m != 3]
    assert set(flows["peer"].tolist()) == {3}


def test_an_unknown_mobile_node_is_reported_with_the_table(scenario):
    with pytest.raises(ScenarioError, match=r"scenario.toml: traffic.0: mobile_correspondent: no mobile node 'mn99'; did you"):
        build(scenario, "traffic.0.mobile_correspondent=mn99")


def test_the_example_of_the_documentation(scenario):
    """docs/scenario.md: a call of two pairs, in both directions."""
    page = (Path(__file__).parents[3] / "docs" / "scenario.md").read_text()
    text = page.split("mobile nodes in both directions:")[1].split("\n\nA packet")[0]
    example = "".join(line.removeprefix("    ") + "\n" for line in text.splitlines())
    scenario.write_text(COMMUTERS.replace('[[traffic]]\ninterval = "10ms"\nsize_bytes = 200\n', example))
    network = build(scenario).network
    sender, receiver = network.flow_mobiles()
    assert list(zip(sender.tolist(), receiver.tolist(), strict=True)) == [(1, 0), (3, 2), (0, 1), (2, 3)]
    assert network.validation_errors() == []


def test_a_replay_between_mobile_nodes(tmp_path, scenario):
    """One UDP conversation of two packets down and one up; only mn4 and mn5 have a correspondent."""
    phone, server = ("10.0.2.2", 4000), ("10.0.1.2", 80)
    packets = [(0, server, phone), (10**6, phone, server), (3 * 10**6, server, phone)]
    (tmp_path / "call.pcap").write_bytes(pcap([Packet(10**18 + t, *ends, 17, 200) for t, *ends in packets]))
    replay = 'capture = "call.pcap"\nmobile_address = "10.0.2.2"\nmobile_correspondent = { mn4 = "mn0", mn5 = "mn4" }'
    scenario.write_text(COMMUTERS.replace('interval = "10ms"\nsize_bytes = 200', replay))
    network = build(scenario).network
    flows = network.flows()
    rows = zip(*(flows[name].tolist() for name in ("mobile", "peer", "up", "source")), strict=True)
    assert [(mobile, peer, up, len(network.replays[source - 2])) for mobile, peer, up, source in rows] == [
        (4, 0, 0, 2), (5, 4, 0, 2), (4, 0, 1, 1), (5, 4, 1, 1),
    ]  # fmt: skip
