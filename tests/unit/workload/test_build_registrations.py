"""Scenarios whose movement is the registrations in captures: a recorded run under another procedure, and mistakes."""

import re
import struct
from pathlib import Path

import pytest

from handoff.scenario import ScenarioError, load_scenario
from handoff.simulation.run import run_procedure
from handoff.workload.build import build_setup
from tests.unit.workload.capture_packets import Registration, pcap

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")

SCENARIO = """\
name = "return"
duration = "28s"
correspondent = { name = "cn" }
home_agent = { name = "ha" }
link = [{ between = ["cn", "ha"], delay = "20ms" }]

[routers]
names = ["house", "fa"]
wired_to = "ha"
wired = { delay = "10ms" }
neighbours = { delay = "10ms" }
cell = { delay = "4ms" }

[[traffic]]
interval = "20ms"
size_bytes = 200

[movement]
capture = [PUBLIC, HOME]
routers = { "192.168.0.0/24" = "fa" }
home = "house"
lead = "500ms"
guard = "20ms"
"""


@pytest.fixture
def returning(tmp_path):
    path = tmp_path / "return.toml"
    text = SCENARIO
    for name in ("public", "home"):
        text = text.replace(name.upper(), f"'{DATA.resolve()}/jv_returnScenario_{name}.pcap'")
    path.write_text(text)
    return path


@real
def test_the_return_run_under_another_procedure(returning):
    """tshark: registered away 5.002019 s after the first packet of both captures, home again at 23.549157 s; no loss."""
    setup = build_setup(load_scenario(returning)[0], returning, 1)
    assert setup.attachments.up_ps.tolist() == [0, 5_002_019 * 10**6, 23_549_157 * 10**6]
    run = run_procedure(setup, "sync-mipv4", seed=1)
    assert run.handoffs["scenario"].tolist() == [1, 1]
    assert run.result.flows["lost"].sum() == 0
    unwarned = build_setup(load_scenario(returning, ("movement.lead=0", "movement.guard=0"))[0], returning, 1)
    assert run_procedure(unwarned, "mipv4", seed=1).result.flows["lost"].sum() > 0


@real
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["movement.routers={'10.0.0.0/8'='fa'}"], "FILE: movement: care-of addresses of no router: 192.168.0.3; give each"),
        (["movement.routers={'10.0.0.1/8'='fa'}"], "--set: movement.routers: '10.0.0.1/8' is not an address or prefix; did you"),
        (["movement.home=hause"], "--set: movement.home: no router 'hause'; there are house, fa"),
        (["movement.associations=x.csv"], "FILE:18: movement: give exactly one of 'associations', 'capture', 'trace'"),
        (["movement.capture=none.pcap"], "DIR/none.pcap: byte 0: cannot be opened"),
        (["movement.margin=1"], "--set: movement.margin: 1 has no unit"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported(returning, changes, message):
    with pytest.raises(ScenarioError) as caught:
        build_setup(load_scenario(returning, changes)[0], returning, 1)
    problems = [p.replace(f"{returning}", "FILE").replace(f"{returning.parent}", "DIR") for p in caught.value.problems]
    assert any(p.startswith(message) for p in problems), problems


@real
def test_a_capture_without_registrations_is_an_error(returning):
    text = re.sub(r"capture = .*", f"capture = '{DATA.resolve()}/jv_home.pcap'", returning.read_text())
    returning.write_text(text)
    with pytest.raises(ScenarioError, match="movement: no accepted registration or binding update in the capture"):
        build_setup(load_scenario(returning)[0], returning, 1)


def test_bad_records_of_a_capture_of_movement_are_left_out(tmp_path):
    """The record in the middle states 20 bytes sent and more captured."""
    registrations = [Registration(s * 10**9, "10.0.0.9", "10.1.0.3", 60, 10**6).packets() for s in (1, 30)]
    sound = pcap([message for messages in registrations for message in messages])
    first = struct.unpack_from("<I", sound, 32)[0]
    bad = struct.pack("<IIII", 2, 0, 60, 20) + bytes(60)
    at = 24 + 16 + first
    (tmp_path / "a.pcap").write_bytes(sound[:at] + bad + sound[at:])
    path = tmp_path / "scenario.toml"
    text = SCENARIO.replace("[PUBLIC, HOME]", "'a.pcap'").replace("192.168.0.0/24", "10.1.0.0/24").replace('home = "house"\n', "")
    path.write_text(text)
    with pytest.raises(ScenarioError, match="on_bad_record = 'skip'"):
        build_setup(load_scenario(path)[0], path, 1)
    setup = build_setup(load_scenario(path, ("movement.on_bad_record=skip",))[0], path, 1)
    assert setup.skipped == {"a.pcap": {"more bytes were captured than sent": 1}}
    assert setup.warnings == ("a.pcap: records left out: 1 (more bytes were captured than sent)",)
    assert len(setup.attachments.mobile) == 1
    (tmp_path / "a.pcap").write_bytes(sound[:-1])
    (warning,) = build_setup(load_scenario(path)[0], path, 1).warnings
    assert warning.startswith(f"a.pcap: the file ends at byte {len(sound) - 1}, inside the record that begins at byte ")
