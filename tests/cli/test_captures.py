"""``handoff run --pcap`` as a person uses it."""

import json
from pathlib import Path

import pytest

import handoff_traces
from tests.cli.test_commands import COMMUTE, handoff

SHORT = ["--set", "duration=6s"]
RUN = ["run", COMMUTE, "--procedure", "sync-mipv4", *SHORT]


def test_a_run_leaves_a_capture_of_all_links_and_the_same_figures(tmp_path):
    plain, captured = handoff(*RUN, "--json"), handoff(*RUN, "--json", "--pcap", str(tmp_path / "new" / "run.pcapng"))
    assert captured.returncode == 0, captured.stderr
    figures = [json.loads(done.stdout)["runs"][0] for done in (plain, captured)]
    assert {k: v for k, v in figures[0].items() if "seconds" not in k} == {
        k: v for k, v in figures[1].items() if "seconds" not in k
    }
    (file,) = (tmp_path / "new").iterdir()
    capture = handoff_traces.read_capture(file)
    assert len(capture.interfaces) == 2 * (5 + 8 + 7) + 2 * 8
    assert len(capture) > 20_000
    assert capture.captured_length.max() == 128
    assert b'"command": ["run"' in file.read_bytes()[:10_000]


def test_chosen_links_and_snap_length(tmp_path):
    file = tmp_path / "run.pcapng"
    file.write_text("what was there before")
    done = handoff(*RUN, "--pcap", str(file), "--pcap-links", "ha>gw*, ar0>[*]", "--pcap-links", "cn>ha", "--pcap-snap", "0")
    assert done.returncode == 0, done.stderr
    capture = handoff_traces.read_capture(file)
    assert [i.name for i in capture.interfaces] == ["ar0>*", "cn>ha", "ha>gw0", "ha>gw1"]
    assert (capture.captured_length == capture.wire_length).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pcap", "FILE", "--pcap-links", "ha>xx,ar0>*"], "no link matches 'ha>xx'; did you mean 'ha>"),
        (["--pcap-links", "ha>*"], "give its file with --pcap"),
        (["--pcap", "FILE", "--pcap-snap", "70000"], "70000 is not in the range"),
        (["--pcap", "/proc/nowhere/run.pcapng"], "/proc/nowhere: no folder that can be written"),
    ],
)
def test_what_is_wrong_is_said_before_the_run(tmp_path, arguments, said):
    file = tmp_path / "run.pcapng"
    done = handoff(*RUN, *(str(file) if word == "FILE" else word for word in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_dissector_has_a_path():
    done = handoff("dissector")
    assert done.returncode == 0
    assert Path(done.stdout.strip()).read_text().startswith("-- Mobile IPv4 messages")
