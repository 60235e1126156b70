"""Positions of a scenario for a map."""

import numpy as np

from handoff.scenario import load_scenario
from handoff.workload.build import build_setup
from handoff.workload.movement_map import load_map

SCENARIO = """
name = "field"
duration = "20s"
correspondent = [{name = "cn"}]
home_agent = {name = "ha"}
link = [{between = ["cn", "ha"], delay = "5ms"}]
traffic = [{interval = "100ms", size_bytes = 200}]
[routers]
names = ["ar0", "ar1"]
wired_to = "ha"
wired = {delay = "5ms"}
cell = {delay = "5ms"}
[movement]
trace = "field.movements"
begin = "2s"
[coverage]
transmit = "30dBm"
reference_loss = "40dB"
exponent = 3.5
minimum = "-80dBm"
positions_m = {ar0 = [0, 0], ar1 = [200, 0]}
"""
NS2 = """$node_(0) set X_ 0.0
$node_(0) set Y_ 10.0
$ns_ at 2.0 "$node_(0) setdest 200.0 10.0 10.0"
$node_(1) set X_ 50.0
$node_(1) set Y_ 60.0
"""


def save(tmp_path, text):
    (tmp_path / "field.toml").write_text(text)
    return tmp_path / "field.toml"


def load(tmp_path, text=SCENARIO):
    save(tmp_path, text)
    (tmp_path / "field.movements").write_text(NS2)
    scenario, _ = load_scenario(tmp_path / "field.toml", ())
    return load_map(scenario, tmp_path / "field.toml", 1)


def test_positions_are_those_of_the_trace_at_times_of_the_run(tmp_path):
    """Node 0 stands until 2 s of the trace, which is the begin of the run; 5 s later it has gone 50 m at 10 m/s."""
    found = load(tmp_path)
    names = found.tracks.mobile_names
    x, y = found.positions([names[0], names[1], names[0]], np.array([5, 5, 0]) * 10**12)
    assert (x.tolist(), y.tolist()) == ([50_000, 50_000, 0], [10_000, 60_000, 10_000])


def test_the_reach_is_where_the_mean_level_is_the_minimum(tmp_path):
    """30 dBm - 40 dB - 35 log10(d / 1 m) = -80 dBm at d = 10**2 m. Levels are rounded to 0.001 dB.

    Half of that is 100 m * 0.0005 / 35 * ln 10 = 3.3 mm.
    """
    assert abs(load(tmp_path).reach_mm() - 100_000) <= 3.3


def test_a_sample_has_bounded_size(tmp_path):
    found = load(tmp_path)
    tracks = list(found.sample(1, 2))
    assert [len(x) for _, x, _ in tracks] <= [2]
    assert len(list(found.sample(10, 5))) == 2


def test_a_later_presence_has_the_positions_of_its_mobile_node(tmp_path):
    """Car c drives 10 m/s until 10 s, is absent until 18 s at 180 m, and drives on. The run begins at 2 s."""
    steps = [(t, 10 * t) for t in (*range(11), *range(18, 22))]
    timesteps = "".join(f'<timestep time="{t}"><vehicle id="c" x="{x}" y="5" speed="10"/></timestep>' for t, x in steps)
    (tmp_path / "field.fcd.xml").write_text(f"<fcd-export>{timesteps}</fcd-export>")
    text = SCENARIO.replace("field.movements", "field.fcd.xml").replace("[coverage]", '[coverage]\nlongest_gap = "2s"')
    setup = build_setup(load_scenario(save(tmp_path, text), ())[0], tmp_path / "field.toml", 1)
    names = [setup.network.mobile_name(i) for i in range(setup.network.mobile_count)]
    x, y = load(tmp_path, text).positions(names, np.array([3_000, 17_500]) * 10**9)
    assert (names, x.tolist(), y.tolist()) == (["c", "c#2"], [50_000, 195_000], [5_000, 5_000])


def test_movement_without_positions_has_no_map(tmp_path):
    (tmp_path / "walk.csv").write_text("mobile,router,up_s,down_s,predict_s,going_down_s\na,ar0,0,,,\n")
    text = SCENARIO.partition("[movement]")[0] + '[movement]\nassociations = "walk.csv"\n'
    assert load(tmp_path, text) is None
