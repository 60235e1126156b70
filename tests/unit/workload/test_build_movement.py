"""Scenarios with movement and coverage: mistakes, traffic during presence, every procedure on the resulting attachments."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import handoff_traces
from engine import FOREVER
from handoff.protocol.procedures import PROCEDURES
from handoff.scenario import ScenarioError, load_scenario
from handoff.simulation.run import run_procedure
from handoff.workload.build import build_setup

from .street_scenario import STREET

ROOT = Path(__file__).parents[3]
BOLOGNA = ROOT.parent / "shared" / "data" / "bologna_acosta_600s.fcd.xml.gz"
S = 10**12

@pytest.fixture
def street(tmp_path):
    path = tmp_path / "street.toml"
    path.write_text(STREET)
    return path


def problems(path, *changes):
    with pytest.raises(ScenarioError) as caught:
        build_setup(load_scenario(path, changes)[0], path, 1)
    return [p.replace(f"{path}", "FILE") for p in caught.value.problems]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            ["movement.trace=x.xml"],
            "FILE:19: movement: give exactly one of 'associations', 'capture', 'trace', 'random_waypoint', "
            "'gauss_markov', 'commuters'",
        ),
        (
            ["movement.begin=5s"],
            "FILE:19: movement: leave out 'begin': not used without a 'trace', 'associations' or a 'capture'",
        ),
        (["movement.random_waypoint.slowest=0m/s"], "FILE:20: movement.random_waypoint: give a 'slowest' above 0"),
        (
            ["movement.random_waypoint.width=50"],
            "--set: movement.random_waypoint.width: 50 has no unit: write text with one, as in '50m'",
        ),
        (
            ["movement.random_waypoint.width=3000km"],
            "--set: movement.random_waypoint.width: input should be less than or equal to",
        ),
        (["coverage.lead=10ms"], "FILE:22: coverage: give a 'lead_spread' of at most 'lead'"),
        (["coverage.going_down=-81dBm"], "FILE:22: coverage: give a 'going_down' of at least 'minimum'"),
        (["coverage.minimum=-95"], "--set: coverage.minimum: -95 has no unit: write text with one, as in '-95dBm'"),
        (["coverage.minimum=-95dB"], "--set: coverage.minimum: '-95dB' is not a power level: write a number and one of mdBm"),
        (["coverage.hysteresis=-1dB"], "--set: coverage.hysteresis: input should be greater than or equal to 0, not '-1dB'"),
        (["coverage.single_access=1.5"], "--set: coverage.single_access: 1.5 is not a share: give a number from 0 to 1"),
        (["coverage.exponent=nan"], "--set: coverage.exponent: nan is not an exponent of path loss: give a number from 1 to 10"),
        (["coverage.shadow=6dB"], "--set: coverage.shadow: unknown key; did you mean 'shadowing'?"),
        (["coverage.positions_deg={a=[1,1]}"], "FILE:22: coverage: give routers' positions as either 'positions_m'"),
        (
            ["coverage.positions_m={a=[0,0],b=[1,inf],c=[2,0]}"],
            "FILE:23: coverage.positions_m.b.1: inf is not a coordinate in metres",
        ),
        (
            ["coverage.positions_m={a=[0,0],d=[1,0],b=[2,0]}"],
            "--set: coverage.positions_m: no router 'd'; there are a, b, c",
        ),
        (
            ["movement.random_waypoint.mobiles=1", "coverage.minimum=50dBm"],
            "FILE: movement: no mobile node in it is ever attached",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_reported(street, changes, message):
    reported = problems(street, *changes)
    assert any(p.startswith(message) for p in reported), reported


def test_coverage_is_needed_for_positions_and_for_nothing_else(street):
    street.write_text(STREET.split("[coverage]")[0])
    missing = "FILE:1: coverage is missing: it turns the positions of movement into attachments"
    assert problems(street) == [missing]
    street.write_text(STREET.replace("random_waypoint = {", 'associations = "log.csv" #'))
    assert problems(street) == ["FILE:22: coverage: does not apply to movement without positions: leave it out"]


SETDEST = '$node_(0) set X_ 0\n$node_(0) set Y_ 50\n$ns_ at 5 "$node_(0) setdest 300 50 10"\n'


def with_trace(street, text, name="moves", **keys):
    (street.parent / name).write_text(text)
    rest = "".join(f"\n{k} = {v}" for k, v in keys.items())
    head, tail = STREET.split("random_waypoint")
    street.write_text(f'{head}trace = "{name}"{rest}\n' + tail[tail.index("\n") :])
    return street


def test_a_trace_is_read_from_the_folder_of_the_scenario(street):
    setup = build_setup(load_scenario(with_trace(street, SETDEST))[0], street, 1)
    assert setup.network.mobile_count == 1
    assert setup.network.mobile_name(0) == "node0"
    move = setup.attachments
    assert (move.up_ps[0], move.down_ps[-1]) == (0, FOREVER)
    assert {setup.network.nodes[n].name for n in move.router} == {"a", "b", "c"}
    later = build_setup(load_scenario(with_trace(street, SETDEST, begin='"34s"'))[0], street, 1).attachments
    assert setup.network.nodes[later.router[0]].name == "c"


def test_an_error_in_a_trace_names_file_and_line(street):
    assert problems(with_trace(street, SETDEST + "nonsense\n"))[0].startswith(f"{street.parent}/moves:4: statement")
    (street.parent / "moves").unlink()
    assert problems(street)[0].startswith(f"{street.parent}/moves: byte 0: cannot be opened")
    assert "setdest is in metres: leave out the origin" in problems(with_trace(street, SETDEST, origin="[44, 11]"))[0]


def test_each_error_of_a_trace_is_a_problem_of_its_own(street):
    found = problems(with_trace(street, SETDEST + "nonsense\nmore nonsense\n"))
    assert [problem.split(": ")[0] for problem in found] == [f"{street.parent}/moves:4", f"{street.parent}/moves:5"]


GPX = """<gpx><trk><trkseg>
<trkpt lat="44.5" lon="11.300"><time>2026-11-24T09:00:00Z</time></trkpt>
<trkpt lat="44.5" lon="11.304"><time>2026-11-24T09:01:00Z</time></trkpt>
</trkseg></trk></gpx>
"""


def test_a_trace_in_degrees_has_routers_in_degrees_or_metres_from_an_origin(street):
    with_trace(street, GPX)
    first = build_setup(load_scenario(street)[0], street, 1)
    assert first.warnings == ("coverage.positions_m counts from the first sample, 44.5, 11.3: movement.origin states it",)
    metres = build_setup(load_scenario(with_trace(street, GPX, origin="[44.4995, 11.3]"))[0], street, 1).attachments
    places = "positions_deg = { a = [44.5005, 11.3006], b = [44.5005, 11.3018], c = [44.5005, 11.303] }"
    text = with_trace(street, GPX).read_text()
    street.write_text(text.replace("positions_m = { a = [50, 50], b = [150, 50], c = [250, 50] }", places))
    degrees = build_setup(load_scenario(street)[0], street, 1).attachments
    for move in (metres, degrees):
        assert move.down_ps[-1] == FOREVER or move.down_ps[-1] == 60 * S
        assert len(move.mobile) > 2
    with_trace(street, SETDEST)
    street.write_text(street.read_text().replace("positions_m = { a = [50, 50], b = [150, 50], c = [250, 50] }", places))
    assert "coverage.positions_deg means nothing for setdest" in problems(street)[0]


FCD = """<fcd-export>
<timestep time="10"><vehicle id="v" x="50" y="50"/></timestep>
<timestep time="30"><vehicle id="v" x="250" y="50"/></timestep>
</fcd-export>
"""


def test_a_flow_lasts_while_its_mobile_node_is_present(street):
    """A packet each 10 ms from 10 s to 30 s, less a margin at both ends."""
    quiet = '\n[coverage]\npositions_m = { a = [50, 50], b = [150, 50], c = [250, 50] }\n'
    for margin, packets in (("0s", 2000), ("2s", 1600)):
        with_trace(street, FCD, margin=f'"{margin}"')
        street.write_text(street.read_text().split("\n[coverage]")[0] + quiet)
        setup = build_setup(load_scenario(street)[0], street, 1)
        run = run_procedure(setup, "mipv4-bicast", detail=True)
        assert int(run.result.flows["sent"].sum()) == packets
        lost = int(run.result.flows["lost"].sum())
        # without a margin, packets are lost before the first registration and on the way at the end
        assert (lost == 0) == (margin == "2s"), lost


def test_a_replay_lasts_while_its_mobile_node_is_present(street):
    """Both directions start at 11 s, from which the phase counts, and stop at 29 s."""
    capture = ROOT / "examples" / "captures" / "commute.pcap"
    with_trace(street, FCD, margin='"1s"')
    flow = f'[[traffic]]\ncapture = "{capture}"\nmobile_address = "10.0.2.2"\nphase = "0s"\n'
    text = street.read_text()
    before, behind = text.index("[[traffic]]"), text.index("[movement]")
    street.write_text(text[:before] + flow + text[behind:])
    setup = build_setup(load_scenario(street)[0], street, 1)
    network = setup.network
    flows = network.flows()
    assert set(flows["start"].tolist()) == {11 * S}
    assert set(flows["stop"].tolist()) == {29 * S}
    assert sorted(set(flows["up"].tolist())) == [0, 1]


@pytest.mark.deep
def test_every_procedure_copes_with_ping_pongs(street):
    """Shadowing with a decorrelation of 10 m causes ping-pongs and lost links; every packet has a fate, most are delivered."""
    checked, _ = load_scenario(street)
    setup = build_setup(checked, street, 1)
    move = setup.attachments
    back = (move.mobile[2:] == move.mobile[:-2]) & (move.router[2:] == move.router[:-2])
    assert back.sum() > 100
    last = setup.last_attachments()
    assert ((move.predict_ps < 0) & ~last).sum() > 10
    scenarios = np.zeros(4, int)
    for name, procedure in PROCEDURES.items():
        run = run_procedure(setup, name, detail=True)
        sent, lost = (int(run.result.flows[c].sum()) for c in ("sent", "lost"))
        assert sum(run.result.fate_counts().values()) >= sent, name
        assert lost < 0.35 * sent, (name, lost, sent)
        if procedure.marker:
            scenarios += np.bincount(run.handoffs["scenario"], minlength=4)[:4]
    assert (scenarios[1:] > 20).all(), scenarios


def test_attachments_depend_on_the_seed_and_names_only(street):
    checked, _ = load_scenario(street)
    one, same, other = (build_setup(checked, street, seed).attachments for seed in (1, 1, 2))
    assert np.array_equal(one.up_ps, same.up_ps)
    assert not np.array_equal(one.up_ps, other.up_ps)
    more = build_setup(load_scenario(street, ("movement.random_waypoint.mobiles=15",))[0], street, 1).attachments
    assert np.array_equal(more.up_ps[: len(one.up_ps)], one.up_ps)
    reordered = STREET.replace('names = ["a", "b", "c"]', 'names = ["c", "a", "b"]').replace(
        "{ a = [50, 50], b = [150, 50], c = [250, 50] }", "{ b = [150, 50], c = [250, 50], a = [50, 50] }"
    )
    street.write_text(reordered)
    permuted = build_setup(load_scenario(street)[0], street, 1).attachments
    assert np.array_equal(permuted.up_ps, one.up_ps)
    assert np.array_equal(permuted.predict_ps, one.predict_ps)


def handoff(*args):
    command = [sys.executable, "-c", "from handoff.cli.main import main; main()", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT, check=False)


@pytest.mark.deep
def test_trace_info_of_movement(street):
    moves = street.parent / "moves"
    moves.write_text(SETDEST)
    info = json.loads(handoff("trace", "info", "--json", moves).stdout)
    assert (info["format"], info["nodes"], info["samples"]) == ("setdest", 1, 3)
    assert (info["duration_s"], info["x_m"], info["distance_km"]) == (35, [0, 300], 0.3)
    assert info["greatest_speed_m_s"] == 10
    info = json.loads(handoff("trace", "info", "--json", moves, "--scenario", with_trace(street, SETDEST)).stdout)
    assert info["attachments"]["nodes"] == 1
    text = handoff("trace", "info", moves).stdout
    assert "greatest speed m s  10" in text.splitlines()
    bad = handoff("trace", "info", street)
    assert (bad.returncode, bad.stdout) == (2, "")


def test_trace_info_of_an_association_log(tmp_path):
    """Three residences of 10, 3 and 20 s with a gap of 2 s and an overlap of 1 s; the second handoff is a ping-pong."""
    log = tmp_path / "log.csv"
    head = "mobile,router,up_s,down_s,predict_s,going_down_s\n"
    log.write_text(head + "m,a,0,10,9,9.5\nm,b,12,15,,\nm,a,14,34,,\nn,a,0,34,,\n")
    info = json.loads(handoff("trace", "info", "--json", log).stdout)
    assert info == {
        "version": 1, "format": "associations", "nodes": 2, "routers": 2, "attachments": 4, "handoffs": 2,
        "node_hours": pytest.approx((32 + 34) / 3600), "handoffs_per_node_hour": pytest.approx(2 * 3600 / 66),
        "announced": 1, "soft": 1, "ping_pong": 1,
        "residence_s": {"p10": pytest.approx(5.1), "p50": 15, "p90": pytest.approx(29.8), "mean": pytest.approx(16.75)},
    }  # fmt: skip


@pytest.mark.deep
@pytest.mark.skipif(not BOLOGNA.exists(), reason="the shared data are not beside the repository")
def test_half_a_minute_of_bologna():
    """The lead decides between scenarios I and II; a single radio means scenario III."""
    path = ROOT / "examples" / "bologna.toml"
    shares = []
    for lead in ("20ms", "200ms"):
        changes = (f"movement.trace={BOLOGNA}", "movement.begin=5min", "duration=30s", f"coverage.lead={lead}")
        checked, _ = load_scenario(path, changes)
        setup = build_setup(checked, path, 1)
        run = run_procedure(setup, "sync-mipv4")
        counts = np.bincount(run.handoffs["scenario"], minlength=4)[1:4]
        shares.append(counts / counts.sum())
        assert counts.sum() > 400
    assert shares[0][0] < 0.2 < 0.5 < shares[1][0]
    assert shares[0][1] > shares[1][1]
    tracks = handoff_traces.read_movement(BOLOGNA)
    samples = np.bincount(tracks.mobile[(tracks.time_ps >= 300 * S) & (tracks.time_ps <= 330 * S)])
    assert setup.network.mobile_count == (samples > 1).sum()  # a node with one sample is present for no time
