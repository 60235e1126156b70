"""Setup of a scenario: nodes, links and cells, mobile nodes and flows."""

import numpy as np
import pytest

from engine import FOREVER
from handoff.scenario import ScenarioError, load_scenario
from handoff.workload.build import build_network, build_setup

from .street_scenario import COMMUTERS

S, MS = 10**12, 10**9


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "scenario.toml"
    path.write_text(COMMUTERS + '\n[[restart]]\nnode = "ha"\nat = "3s"\n')
    return path


def build(path, *changes, seed=1):
    return build_setup(load_scenario(path, changes)[0], path, seed)


def test_the_network_has_every_node_link_and_cell(scenario):
    """Two links, three wired links of the routers and two between neighbours, each in both directions."""
    network = build_network(load_scenario(scenario)[0])
    assert {node.name for node in network.nodes} == {"cn", "ha", "gw", "a", "b", "c"}
    links = {frozenset((network.nodes[link.src].name, network.nodes[link.dst].name)) for link in network.links}
    expected = ("cn ha", "ha gw", "gw a", "gw b", "gw c", "a b", "b c")
    assert links == {frozenset(pair.split()) for pair in expected}
    assert len(network.links) == 2 * len(links)
    assert sorted(network.nodes[cell.node].name for cell in network.cells) == ["a", "b", "c"]
    assert (network.mobile_count, network.flow_count) == (0, 0)


def test_the_setup_names_roles_by_node(scenario):
    setup = build(scenario)
    name = [node.name for node in setup.network.nodes]
    assert (name[setup.home_agent], setup.duration_ps) == ("ha", 60 * S)
    assert {name[router]: name[gateway] for router, gateway in setup.gateways.items()} == dict.fromkeys("abc", "gw")
    assert [(name[restart.node], restart.at_ps) for restart in setup.restarts] == [("ha", 3 * S)]


def test_attachments_are_sorted_by_mobile_node_and_open_ones_never_end(scenario):
    movement = build(scenario).attachments
    last = np.append(movement.mobile[1:] != movement.mobile[:-1], True)
    assert (np.diff(movement.mobile) >= 0).all()
    assert (movement.down_ps[last] == FOREVER).all()
    assert (movement.down_ps[~last] < FOREVER).all()


@pytest.mark.parametrize(("poisson", "label"), [(False, "cbr"), (True, "poisson")])
@pytest.mark.parametrize(("direction", "up"), [("down", 0), ("up", 1)])
def test_every_mobile_node_has_a_flow_with_a_phase(scenario, poisson, label, direction, up):
    changes = (f"traffic.0.poisson={str(poisson).lower()}", f"traffic.0.direction={direction}", "traffic.0.phase=1s")
    network = build(scenario, *changes).network
    flows = network.flows()
    assert network.flow_labels == [(label, 0, 20)]
    assert flows["mobile"].tolist() == list(range(20))
    assert (flows["up"] == up).all()
    assert (flows["interval"] == 10 * MS).all()
    assert (flows["size"] == 200).all()
    assert 0 <= flows["start"].min() < flows["start"].max() < S


def test_phases_depend_on_the_seed(scenario):
    one, same, other = (build(scenario, "traffic.0.phase=1s", seed=seed).network.flows()["start"] for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_problems_of_movement_and_captures_are_reported_together(tmp_path, scenario):
    text = COMMUTERS.split("[movement.commuters]")[0]
    text = text.replace('interval = "10ms"\nsize_bytes = 200', 'capture = "x.pcap"\nmobile_address = "1.2.3.4"')
    (tmp_path / "log.csv").write_text("mobile,router,up_s,down_s,predict_s,going_down_s\nm,z,1,2,,\n")
    scenario.write_text(text + '[movement]\nassociations = "log.csv"\n')
    with pytest.raises(ScenarioError) as caught:
        build(scenario)
    movement, capture = caught.value.problems
    assert movement == f"{tmp_path}/log.csv: unknown routers z; there are a, b, c"
    assert capture.startswith(f"{tmp_path}/x.pcap: byte 0: cannot be opened")


def test_a_log_without_attachments_is_an_error(tmp_path, scenario):
    (tmp_path / "log.csv").write_text("mobile,router,up_s,down_s,predict_s,going_down_s\n")
    scenario.write_text(COMMUTERS.split("[movement.commuters]")[0] + '[movement]\nassociations = "log.csv"\n')
    with pytest.raises(ScenarioError, match="no mobile node in it is ever attached"):
        build(scenario)


# -- the home link ---------------------------------------------------------------------------------------------------------
HOME_LINK = """
name = "home"
duration = "10s"
correspondent = { name = "cn" }
home_agent = { name = "ha", cell = { delay = "3ms" } }
link = [{ between = ["cn", "ha"], delay = "20ms" }]

[routers]
names = ["a", "b"]
wired_to = "ha"
wired = { delay = "10ms" }
cell = { delay = "4ms" }

[[traffic]]
interval = "10ms"
size_bytes = 200

[movement]
associations = "moves.csv"
"""


def home_link_scenario(folder, text=HOME_LINK):
    (folder / "moves.csv").write_text("mobile,router,up_s,down_s,predict_s,going_down_s\nm,ha,0,2,,\nm,a,2,4,,\nm,ha,4,,,\n")
    path = folder / "home.toml"
    path.write_text(text)
    return path


def test_mobile_nodes_attach_to_the_cell_of_the_home_agent_by_its_name(tmp_path):
    setup = build(home_link_scenario(tmp_path))
    assert [cell.down.delay_ps // MS for cell in setup.network.cells if cell.node == setup.home_agent] == [3]
    names = [setup.network.nodes[router].name for router in setup.attachments.router]
    assert names == ["ha", "a", "ha"]


def test_a_home_agent_without_a_cell_is_no_router(tmp_path):
    path = home_link_scenario(tmp_path, HOME_LINK.replace(', cell = { delay = "3ms" }', ""))
    with pytest.raises(ScenarioError, match=r"there are a, b; a home agent is one if it has a home_agent\.cell"):
        build(path)


# -- temporary home agents ---------------------------------------------------------------------------------------------------
THIRD = HOME_LINK + """
[[node]]
name = "t"

[[link]]
between = ["a", "t"]
delay = "1ms"

[[temporary_home_agent]]
node = "t"
routers = ["a", "b"]
"""


def third_scenario(folder, *change):
    text = THIRD.replace('link = [{ between = ["cn", "ha"], delay = "20ms" }]\n', "").replace(
        "[[node]]", '[[link]]\nbetween = ["cn", "ha"]\ndelay = "20ms"\n\n[[node]]'
    )
    return home_link_scenario(folder, text.replace(*change) if change else text)


def test_routers_have_the_temporary_home_agent_of_their_sub_network(tmp_path):
    setup = build(third_scenario(tmp_path))
    name = [node.name for node in setup.network.nodes]
    assert {name[router]: name[node] for router, node in setup.temporary_home_agents.items()} == {"a": "t", "b": "t"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('node = "t"', 'node = "a"'), "temporary_home_agent.0.node: 'a' is no"),
        (('["a", "b"]\n', '["a", "x"]\n'), "temporary_home_agent.0.routers: no router 'x'; there are"),
        (('["a", "b"]\n', '["a", "a"]\n'), "temporary_home_agent.0.routers: router 'a' is listed twice"),
    ],
)
def test_wrong_temporary_home_agents_are_reported(tmp_path, change, message):
    path = third_scenario(tmp_path)
    head, key, tail = path.read_text().partition("[[temporary_home_agent]]")
    path.write_text(head + key + tail.replace(*change))
    with pytest.raises(ScenarioError) as error:
        build(path)
    assert message in str(error.value)
