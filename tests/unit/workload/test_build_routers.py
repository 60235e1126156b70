"""Routers with parameters of their own: ``[[router]]`` changes the keys that it has, and no others."""

import pytest

from handoff.scenario import load_scenario
from handoff.simulation.run import run_procedure
from handoff.workload.build import build_network, build_setup

MS = 10**9
SCENARIO = """
name = "routers"
duration = "1s"
correspondent = { name = "cn" }
home_agent = { name = "ha" }
link = [{ between = ["cn", "ha"], delay = "20ms" }]

[routers]
names = "r{0..3}"
wired_to = "ha"
registration = "1ms"
wired = { delay = "2ms", rate = "8Mbit/s", buffer_packets = 9 }
cell = { delay = "4ms", rate = "4Mbit/s", up_loss = 0.5 }

[[router]]
name = "r1"
wired = { delay = "30ms" }
service = "2ms"

[[router]]
name = ["r{2..3}"]
wired = { rate = "unlimited", buffer_packets = "unlimited" }
cell = { rate = "1Mbit/s", up_delay = "7ms", up_loss = 0 }

[[traffic]]
interval = "100ms"
size_bytes = 1000

[movement]
associations = "s.csv"
"""


@pytest.fixture
def scenario(tmp_path):
    file = tmp_path / "s.toml"
    file.write_text(SCENARIO)
    rows = ["mobile,router,up_s,down_s,predict_s,going_down_s", *(f"mn{i},r{i},0,,," for i in range(4))]
    (tmp_path / "s.csv").write_text("\n".join(rows) + "\n")
    return file


def test_a_table_changes_the_keys_that_it_has(scenario):
    network = build_network(load_scenario(scenario)[0])
    wires = {(network.nodes[k.src].name, network.nodes[k.dst].name): k.channel for k in network.links}
    for ends in (("ha", "{}"), ("{}", "ha")):
        found = [wires[ends[0].format(r), ends[1].format(r)] for r in ("r0", "r1", "r2", "r3")]
        assert [(c.delay_ps // MS, c.rate_bps, c.buffer_packets) for c in found] == [
            (2, 8_000_000, 9), (30, 8_000_000, 9), (2, None, None), (2, None, None),
        ]  # fmt: skip
    cells = {network.nodes[cell.node].name: cell for cell in network.cells}
    assert [(cells[r].down.rate_bps, cells[r].up.rate_bps, cells[r].up.delay_ps // MS) for r in ("r0", "r1", "r2", "r3")] == [
        (4_000_000, 4_000_000, 4), (4_000_000, 4_000_000, 4), (1_000_000, 1_000_000, 7), (1_000_000, 1_000_000, 7),
    ]  # fmt: skip
    assert [cells[r].up.loss for r in ("r0", "r2")] == [2**63, 0]
    nodes = {node.name: (node.service_ps // MS, node.registration_ps // MS) for node in network.nodes}
    assert [nodes[r] for r in ("r0", "r1", "r2")] == [(0, 1), (2, 1), (0, 1)]


def test_packets_take_the_time_of_their_router(scenario):
    """20 ms to the home agent. 1020 bytes take 1.02 ms on a wire of 8 Mbit/s, 1000 bytes 2 ms at 4 and 8 ms at 1 Mbit/s."""
    setup = build_setup(load_scenario(scenario)[0], scenario, 1)
    flows = run_procedure(setup, "mipv4").result.flows
    delays = [20 + 2 + 1.02 + 2 + 4, 20 + 30 + 1.02 + 2 + 2 + 4, 20 + 2 + 8 + 4, 20 + 2 + 8 + 4]
    assert (flows["delay_sum_ps"] / flows["delivered"] / MS).tolist() == pytest.approx(delays, abs=1e-9)


def test_a_changed_field_may_vary(scenario):
    network = build_network(load_scenario(scenario, ("router.0.wired.delay=3ms", "router.1.cell.rate=infinite"))[0])
    assert sorted({link.channel.delay_ps // MS for link in network.links}) == [2, 3, 20]
    assert {cell.down.rate_bps for cell in network.cells} == {4_000_000, None}
