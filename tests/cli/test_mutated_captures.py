"""Captures changed at random, through the command line itself: exit code 0 or 2, one line for a refusal, no traceback."""

import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from handoff.cli.root import root
from tests.unit.traces.conftest import FileBuilder

MUTATIONS = 2000
PROCESSES = 8
SCENARIO = """\
name = "mutated"
duration = "30s"
correspondent = { name = "cn" }
home_agent = { name = "ha" }
link = [{ between = ["cn", "ha"], delay = "20ms" }]
movement = { associations = "moves.csv" }

[routers]
names = ["a"]
wired_to = "ha"
wired = { delay = "10ms" }
cell = { delay = "4ms" }

[[traffic]]
capture = "capture"
mobile_address = "192.0.2.0/24"
"""
POLICIES = ("refuse", "skip", "keep-first")


def udp(port, payload, fragment=0):
    head = struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(payload), 7, fragment, 64, 17, 0) + bytes([10, 0, 1, 2, 192, 0, 2, 9])
    return head + struct.pack(">HHHH", 5000, port, 8 + len(payload), 0) + payload


def frames():
    data = udp(7000, bytes(20))
    ethernet = bytes(12) + b"\x08\x00"
    gtp = udp(2152, struct.pack(">BBHIHBB4s", 0x34, 255, 8 + len(data), 7, 9, 0, 0x85, b"\x01\x10\x09\x00") + data)
    vxlan = udp(4789, b"\x08" + bytes(7) + ethernet + data)
    geneve = udp(6081, struct.pack(">BBHI", 0, 0, 0x0800, 0) + data)
    registration = udp(434, struct.pack(">BBH", 1, 0, 60) + bytes(12) + bytes(8) + bytes([32, 20]) + bytes(20))
    fragments = [udp(7000, bytes(24), 0x2003), udp(7000, bytes(24), 0x2000), udp(7000, bytes(8), 6)]
    snap = bytes(12) + struct.pack(">H", 8 + len(data)) + b"\xaa\xaa\x03\0\0\0\x08\0" + data
    packets = [data, gtp, vxlan, geneve, registration, *fragments]
    return [ethernet + packet for packet in packets] + [snap, bytes(12) + b"\x88\xe5" + bytes(40)]


def sound_files():
    """Return captures of both formats and byte orders, an old pcap, and one with an interface of an unknown type."""
    files = []
    for w in (FileBuilder("<"), FileBuilder(">")):
        records = [(1000 + n, n, len(frame), frame) for n, frame in enumerate(frames())]
        files.append(w.pcap(1, records))
        old = w.pack("IHHiIII", 0xA1B2C3D4, 2, 2, 0, 0, 65535, 1)
        files.append(old + b"".join(w.pack("IIII", s, f, n, n) + frame for s, f, n, frame in records))
        blocks = [w.enhanced(0, 10**9 + n, len(frame), frame) for n, frame in enumerate(frames())]
        other = w.section() + w.interface(1, w.option(2, b"eth0")) + w.interface(147) + w.enhanced(1, 5, 4, b"none")
        files.append(other + b"".join(blocks))
    return files


def mutate(draw, content):
    changed = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(changed))
        match draw.randrange(4):
            case 0:
                changed[at] = draw.randrange(256)
            case 1:
                value = draw.choice([0, 1, 4, 255, 65535, 2**31, 2**32 - 1, draw.randrange(2**32)])
                changed[at : at + 4] = struct.pack(draw.choice("<>") + "I", value)
            case 2:
                del changed[at : at + draw.randint(1, 40)]
            case _:
                changed[at:at] = changed[draw.randrange(len(changed)) :][: draw.randint(1, 60)]
        if not changed:
            break
    return bytes(changed[: draw.randrange(len(changed))] if changed and draw.random() < 0.1 else changed)


def commands(folder, policy):
    change = ["--set", f"traffic.0.on_bad_record={policy}"]
    return [
        ["trace", "info", str(folder / "capture"), "--on-bad-record", policy],
        ["trace", "info", str(folder / "capture"), "--on-bad-record", policy, "--json"],
        ["validate", str(folder / "scenario.toml"), *change],
    ]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    (tmp_path / "moves.csv").write_text("mobile,router,up_s,down_s,predict_s,going_down_s\nmn0,a,0,,,\nmn1,a,0,,,\n")
    return tmp_path


def check(code, output, words):
    assert code in (0, 2), (words, output)
    assert "Traceback" not in output
    if code == 2:
        problems = [line for line in output.splitlines() if line and not line.startswith("Usage")]
        assert len(problems) == 1, output


def test_sound_captures_are_accepted(folder):
    for content in sound_files():
        (folder / "capture").write_bytes(content)
        for words in commands(folder, "skip"):
            result = CliRunner().invoke(root, words)
            assert result.exit_code == 0, result.output


@pytest.mark.long
def test_mutated_captures(folder):
    files = sound_files()
    codes = {0: 0, 2: 0}
    for seed in range(MUTATIONS):
        draw = random.Random(seed)
        (folder / "capture").unlink(missing_ok=True)
        (folder / "capture").write_bytes(mutate(draw, draw.choice(files)))
        words = draw.choice(commands(folder, draw.choice(POLICIES)))
        result = CliRunner().invoke(root, words)
        assert result.exception is None or isinstance(result.exception, SystemExit), (seed, words, result.exception)
        check(result.exit_code, result.output, (seed, words))
        codes[result.exit_code] += 1
    assert min(codes.values()) > MUTATIONS // 10


@pytest.mark.long
def test_mutated_captures_in_processes(folder):
    files = sound_files()
    program = [sys.executable, "-c", "from handoff.cli.main import main; main()"]
    for seed in range(PROCESSES):
        draw = random.Random(seed)
        (folder / "capture").write_bytes(mutate(draw, files[seed % len(files)]))
        words = commands(folder, POLICIES[seed % 3])[seed % 3]
        done = subprocess.run(
            [*program, *words], capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[2], check=False
        )
        check(done.returncode, done.stderr if done.returncode else done.stdout, words)
