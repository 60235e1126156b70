"""``handoff ladder`` as a whole command."""

import xml.etree.ElementTree as ET

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
