"""``handoff run --pcap`` in processes of its own."""

import json
from pathlib import Path

import pytest

import handoff_traces
from tests.cli.test_commands import COMMUTE, handoff, handoff_in_process

SHORT = ["--set", "duration=6s"]
RUN = ["run", COMMUTE, "--procedure", "sync-mipv4", *SHORT]


def test_a_capture_of_all_links_leaves_the_results_unchanged(tmp_path):
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


def test_link_patterns_and_snap_length(tmp_path):
    file = tmp_path / "run.pcapng"
    file.write_text("an older file")
    options = ["--pcap-links", "ha>gw*, ar0>[*]", "--pcap-links", "cn>ha", "--pcap-snap", "unlimited"]
    done = handoff_in_process(*RUN, "--pcap", str(file), *options)
    assert done.returncode == 0, done.stderr
    capture = handoff_traces.read_capture(file)
    assert [i.name for i in capture.interfaces] == ["ar0>*", "cn>ha", "ha>gw0", "ha>gw1"]
    assert (capture.captured_length == capture.wire_length).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pcap", "FILE", "--pcap-links", "ha>xx,ar0>*"], "no link matches 'ha>xx'; did you mean 'ha>"),
        (["--pcap-links", "ha>*"], "give its file with --pcap"),
        (["--pcap", "FILE", "--pcap-snap", "70000"], "70000 is not in the range"),
        (["--pcap", "FILE", "--pcap-snap", "0"], "0 captures nothing of a packet: write 'unlimited' for whole packets"),
        (["--pcap", "/proc/nowhere/run.pcapng"], "/proc/nowhere: no folder that can be written"),
    ],
)
def test_errors_are_reported_before_the_run(tmp_path, arguments, message):
    file = tmp_path / "run.pcapng"
    done = handoff_in_process(*RUN, *(str(file) if word == "FILE" else word for word in arguments))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_printed_dissector_exists():
    done = handoff_in_process("dissector")
    assert done.returncode == 0
    assert Path(done.stdout.strip()).read_text().startswith("-- Mobile IPv4 messages")
