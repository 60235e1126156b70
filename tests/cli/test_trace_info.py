"""``handoff trace info`` of a compressed capture with many Mobile IP messages."""

import gzip
import struct

import pytest
from click.testing import CliRunner

from handoff.cli import capture_info
from handoff.cli.main import main

UDP_HEADER = struct.pack(">HHHH", 434, 434, 32, 0)
INFINITE_LIFETIME = 65_535
REQUEST = (
    bytes([1, 0]) + struct.pack(">H", INFINITE_LIFETIME) + bytes([10, 0, 0, 9, 10, 0, 0, 1, 10, 2, 0, 1]) + bytes(7) + b"\7"
)
"""Registration request of 10.0.0.9 to 10.0.0.1 by 10.2.0.1, identification 7 (RFC 5944 3.3)."""
PACKET = bytes.fromhex("4500003400000000401100000a0000090a000001") + UDP_HEADER + REQUEST
FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
RECORD = struct.pack("<IIII", 5, 0, len(PACKET), len(PACKET)) + PACKET


@pytest.mark.parametrize("count", [30_000, pytest.param(200_000, marks=pytest.mark.deep)])
def test_trace_info_lists_mobile_ip_messages_up_to_a_limit(count, tmp_path, monkeypatch):
    """Equal requests compress more than 100 times, which needs ``--max-ratio``."""
    monkeypatch.setattr(capture_info, "MAX_LISTED_MESSAGES", count // 2)
    path = tmp_path / "lab.pcap.gz"
    path.write_bytes(gzip.compress(FILE_HEADER + RECORD * count))
    assert path.stat().st_size * 200 < len(RECORD) * count
    refused = CliRunner().invoke(main, ["trace", "info", str(path)])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "grows more than 100 times" in refused.stderr
    done = CliRunner().invoke(main, ["trace", "info", str(path), "--max-ratio", "1000"])
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert f"Mobile IP signalling: {count:,} registration request" in lines
    assert f"  … {count // 2:,} more that are only counted" in lines
    (first,) = [line.split() for line in lines if line.startswith("  1 ")]
    assert first == ["1", "0.000000", "registration", "request", "10.0.0.9", "10.0.0.1", "10.0.0.9", "10.0.0.1", "10.2.0.1",
                     "infinite", "7"]  # fmt: skip


MOVES = '<fcd-export><timestep time="0"><vehicle id="v" x="1" y="2"/></timestep></fcd-export>'
LOG = "mobile,router,up_s,down_s,predict_s,going_down_s\nm,r,0,9,,\n"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            FILE_HEADER + RECORD, ("--strict", "--activity", "a.tcl", "--format", "fcd", "--scenario", "s.toml"),
            "--activity, --format, --scenario, --strict: leave them out; the FILE is a capture, which is read with --max-ratio "
            "and --on-bad-record",
        ),
        (
            FILE_HEADER + RECORD, ("--columns", "cell=c,time=t"),
            "--columns: leave it out; the FILE is a capture, which is read with --max-ratio and --on-bad-record",
        ),
        (
            MOVES, ("--max-ratio", "9"),
            "--max-ratio: leave it out; the FILE is a movement file, which is read with --scenario, --format, --activity, "
            "--strict and --on-bad-record",
        ),
        (
            LOG, ("--max-ratio", "9", "--activity", "a.tcl", "--strict"),
            "--activity, --max-ratio, --strict: leave them out; the FILE is an association log, which is read with --format, "
            "--columns and --on-bad-record",
        ),
        (
            LOG, ("--scenario", "s.toml"),
            "--scenario: leave it out; the FILE is an association log, which is read with --format, --columns and "
            "--on-bad-record",
        ),
        (
            MOVES, ("--columns", "cell=c,time=t", "--scenario", "s.toml"),
            "--scenario: leave it out; the FILE is an association log, which is read with --format, --columns and "
            "--on-bad-record",
        ),
    ],
    ids=["capture", "capture-columns", "movement", "log", "log-scenario", "columns-scenario"],
)  # fmt: skip
def test_trace_info_refuses_options_of_other_files(content, options, message, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = CliRunner().invoke(main, ["trace", "info", str(path), *options])
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (FILE_HEADER + RECORD, ("--on-bad-record", "skip", "--max-ratio", "9")),
        (MOVES, ("--on-bad-record", "skip", "--format", "fcd", "--strict")),
        (LOG, ("--on-bad-record", "skip", "--format", "associations")),
    ],
    ids=["capture", "movement", "log"],
)
def test_trace_info_takes_the_options_of_a_file(content, options, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = CliRunner().invoke(main, ["trace", "info", str(path), *options])
    assert (done.exit_code, done.stderr) == (0, "")
