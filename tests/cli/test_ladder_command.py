"""``handoff ladder`` as a whole command."""

import xml.etree.ElementTree as ET

import pytest

from tests.cli.test_commands import COMMUTE, handoff_in_process

COMMAND = ["ladder", COMMUTE, "--procedure", "sync-mipv6-ro", "--set", "duration=100s", "--handoff", "3", "--mn"]


def ladder(*arguments, code=0):
    done = handoff_in_process(*COMMAND, *arguments)
    assert done.returncode == code, done.stderr
    return done


def test_a_ladder_is_printed():
    text = ladder("7").stdout
    assert text.startswith("sync-mipv6-ro, scenario I: handoff 3 of mn7 (old router ar1, new router ar0, HA ha, CN cn)\n")
    for message in ("BU1", "BU2", "DBU", "BA1", "BA2", "DBA"):
        assert f" {message} " in text


def test_a_ladder_is_written_as_svg(tmp_path):
    out = tmp_path / "one.svg"
    assert ladder("mn7", "-o", str(out)).stdout == ""
    ET.parse(out)
    assert [path.name for path in tmp_path.iterdir()] == ["one.svg"]


def test_a_missing_folder_is_reported(tmp_path):
    assert ladder("7", "-o", str(tmp_path / "no" / "x.svg"), code=2).stderr == f"-o: {tmp_path / 'no'} is not a folder\n"


def test_an_unknown_mobile_node_is_reported():
    stderr = ladder("mn700", code=2).stderr
    assert stderr == "--mn: no mobile node 'mn700': give a name (mn0 to mn199) or 0 to 199\n"


REGISTRATION = """
name = "first"
duration = "2s"
correspondent = { name = "cn" }
home_agent = { name = "ha", registration = "1ms" }
link = [{ between = ["cn", "ha"], delay = "20ms" }]
options = { discovery = "solicitation" }

[routers]
names = ["a"]
wired_to = "ha"
wired = { delay = "10ms" }
cell = { delay = "4ms" }

[[traffic]]
interval = "10ms"
size_bytes = 200

[movement]
associations = "moves.csv"
"""


def registration_scenario(folder, up):
    (folder / "moves.csv").write_text(f"mobile,router,up_s,down_s,predict_s,going_down_s\nm,a,{up},,,\n")
    path = folder / "first.toml"
    path.write_text(REGISTRATION)
    return ["ladder", str(path), "--procedure", "mipv4", "--mn", "m"]


def test_a_first_registration_is_drawn(tmp_path):
    """Figure 2 of the seed: solicitation and advertisement, then the request (20, 22) and the reply (24, 26)."""
    text = handoff_in_process(*registration_scenario(tmp_path, 1), "--registration").stdout
    assert text.startswith("mipv4: first registration of m (router a, HA ha, CN cn)\n")
    places = [text.index(f" {message} ") for message in ("AS9", "AA9", "RQ", "RR")]
    assert places == sorted(places)
    assert (text.count(" RQ "), text.count(" RR ")) == (2, 2)


def test_a_mobile_node_that_is_registered_at_time_0_has_no_first_registration(tmp_path):
    done = handoff_in_process(*registration_scenario(tmp_path, 0), "--registration")
    assert done.returncode != 0
    assert "m has no first registration in this run: its link is up at time 0" in done.stderr


@pytest.mark.parametrize("extra", [[], ["--handoff", "0", "--registration"]])
def test_either_a_handoff_or_the_registration_is_drawn(tmp_path, extra):
    done = handoff_in_process(*registration_scenario(tmp_path, 1), *extra)
    assert done.returncode == 2
    assert "give either --handoff or --registration" in done.stderr
