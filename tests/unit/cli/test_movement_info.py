"""``handoff trace info`` of movement files and association logs."""

import pytest

from handoff.cli.movement_info import describe_movement, print_movement

LOG = "mobile,router,up_s,down_s,predict_s,going_down_s\nm,a,0,10,9,9.5\nm,b,12,22,,\n"
SETDEST = """\
$node_(0) set X_ 0.0
$node_(0) set Y_ 50.0
$ns_ at 10.0 "$node_(0) setdest 300.0 50.0 10.0"
"""


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LOG)
    return path


def test_an_association_log_is_described_by_its_attachments(log):
    found = describe_movement(log)
    assert (found["format"], found["routers"], found["attachments"], found["handoffs"]) == ("associations", 2, 2, 1)


def test_a_movement_file_is_described_by_its_tracks(tmp_path):
    path = tmp_path / "moves"
    path.write_text(SETDEST)
    found = describe_movement(path)
    assert (found["format"], found["nodes"], found["distance_km"]) == ("setdest", 1, 0.3)


def test_a_description_is_printed_one_value_a_line(capsys, log):
    print_movement(describe_movement(log))
    lines = capsys.readouterr().out.splitlines()
    assert "handoffs                1" in lines
    assert "residence s             p10 10, p50 10, p90 10, mean 10" in lines


def test_attachments_under_a_coverage_are_a_section(capsys):
    print_movement({"nodes": 1200, "x_m": [0.0, 12.5], "mean_speed_m_s": None, "attachments": {"handoffs": 3, "node_hours": 1.5}})
    assert capsys.readouterr().out.splitlines() == [
        "nodes           1,200",
        "x m             0 to 12.5",
        "mean speed m s  -",
        "attachments",
        "  handoffs    3",
        "  node hours  1.5",
    ]
