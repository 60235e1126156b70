"""Positions and attachments of a scenario: files, models, and coordinates that do not fit together."""

import pytest

from handoff.scenario import load_scenario
from handoff.workload.movement import MovementRemarks, load_attachments, load_tracks

from .street_scenario import COMMUTERS, STREET

S = 10**12
POSITIONS_M = "positions_m = { a = [50, 50], b = [150, 50], c = [250, 50] }"
POSITIONS_DEG = "positions_deg = { a = [44.5, 11.3], b = [44.5, 11.302], c = [44.5, 11.304] }"
SETDEST = '$node_(0) set X_ 0\n$node_(0) set Y_ 50\n$ns_ at 5 "$node_(0) setdest 300 50 10"\n'
GPX = '<gpx><trk><trkseg><trkpt lat="44.5" lon="11.3"><time>2026-11-24T09:00:00Z</time></trkpt></trkseg></trk></gpx>\n'


def load(tmp_path, text):
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    return load_scenario(path)[0]


def with_trace(tmp_path, trace, *, keys="", positions=POSITIONS_M):
    (tmp_path / "moves").write_text(trace)
    head, tail = STREET.replace(POSITIONS_M, positions).split("random_waypoint")
    return load(tmp_path, f'{head}trace = "moves"\n{keys}' + tail[tail.index("\n") :])


def test_tracks_of_a_model_have_its_names_and_last_as_long_as_the_run(tmp_path):
    tracks = load_tracks(load(tmp_path, STREET), tmp_path, seed=1)
    assert tracks.mobile_names == [f"mn{i}" for i in range(12)]
    assert tracks.time_ps.max() >= 60 * S
    assert 0 <= tracks.x_mm.min() <= tracks.x_mm.max() <= 300_000


def test_tracks_of_a_trace_are_read_from_the_folder(tmp_path):
    tracks = load_tracks(with_trace(tmp_path, SETDEST), tmp_path, seed=1)
    assert (tracks.format, tracks.mobile_names) == ("setdest", ["node0"])
    assert tracks.x_mm.tolist() == [0, 0, 300_000]


def test_attachments_of_commuters_have_their_routers(tmp_path):
    log = load_attachments(load(tmp_path, COMMUTERS), tmp_path, seed=1)
    assert (len(log.mobile_names), log.router_names) == (20, ["a", "b", "c"])


def test_attachments_of_a_log_are_its_rows(tmp_path):
    (tmp_path / "log.csv").write_text("mobile,router,up_s,down_s,predict_s,going_down_s\nm,b,1,2.5,,\n")
    text = COMMUTERS.split("[movement.commuters]")[0] + '[movement]\nassociations = "log.csv"\n'
    log = load_attachments(load(tmp_path, text), tmp_path, seed=1)
    assert (log.mobile_names, log.router_names) == (["m"], ["b"])
    assert (log.up_ps.tolist(), log.down_ps.tolist()) == ([S], [25 * S // 10])


def test_coverage_attaches_to_the_nearest_router(tmp_path):
    """Without shadowing the node, which drives from x = 0 to 300 m, is attached to a, b and c in turn."""
    text = "\n".join(line for line in STREET.splitlines() if not line.startswith(("shadowing", "decorrelation")))
    (tmp_path / "moves").write_text(SETDEST)
    head, tail = text.split("random_waypoint")
    log = load_attachments(load(tmp_path, f'{head}trace = "moves"\n' + tail[tail.index("\n") :]), tmp_path, seed=1)
    assert [log.router_names[r] for r in log.router] == ["a", "b", "c"]


def test_metres_count_from_the_first_sample_of_a_trace_in_degrees(tmp_path):
    remarks = MovementRemarks()
    load_attachments(with_trace(tmp_path, GPX), tmp_path, seed=1, remarks=remarks)
    assert remarks.warnings[-1] == "coverage.positions_m counts from the first sample, 44.5, 11.3: movement.origin states it"


@pytest.mark.parametrize(
    ("trace", "positions", "message"),
    [
        (SETDEST, POSITIONS_DEG, "coverage.positions_deg means nothing for setdest, which is in metres: give positions_m"),
    ],
)
def test_coordinates_of_trace_and_routers_have_to_fit(tmp_path, trace, positions, message):
    scenario = with_trace(tmp_path, trace, positions=positions)
    with pytest.raises(ValueError, match=message):
        load_attachments(scenario, tmp_path, seed=1)
