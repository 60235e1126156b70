"""The command line as a person uses it: real processes, real files, exit codes."""

import gzip
import json
import re
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from handoff.report.tables import SCHEMAS

ROOT = Path(__file__).parents[2]
COMMUTE = str(ROOT / "examples" / "commute.toml")
HANDOFF = [sys.executable, "-c", "from handoff.cli import main; main()"]
ALL = [
    "mipv4", "mipv6-ro", "mipv6", "mipv4-smooth", "mipv4-bicast", "hmipv4-bicast", "hmipv6-bicast", "hmipv6-ro-bicast",
    "sync-mipv4", "sync-mipv4-ro", "sync-hmipv4", "sync-mipv6", "sync-mipv6-ro", "sync-hmipv6", "pmipv6",
]  # fmt: skip
SHORT = ["--set", "duration=20s"]


def handoff(*args, **kwargs):
    return subprocess.run([*HANDOFF, *args], capture_output=True, text=True, timeout=120, cwd=ROOT, **kwargs)


def test_help_needs_none_of_the_heavy_libraries():
    code = "import sys\nfrom handoff.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "click" in loaded
    assert not loaded & {"numpy", "pydantic", "rich", "pyarrow", "engine", "networkx", "handoff_traces"}


def test_compare_prints_the_table_and_writes_whole_tables(tmp_path):
    done = handoff("compare", COMMUTE, *SHORT, "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    head = done.stdout.splitlines()[1]
    for column in ("procedure", "handoffs", "unfinished", "I/II/III", "lost", "in flight", "dup", "reordered",
                   "after marker", "latency p50/p99", "disruption p99", "forwarded", "MOS",
                   "delay p99", "extra bytes", "signalling"):  # fmt: skip
        assert column in head
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == ALL
    assert {p.name for p in (tmp_path / "out").iterdir()} == {f"{name}.parquet" for name in SCHEMAS}
    for name, schema in SCHEMAS.items():
        table = pq.read_table(tmp_path / "out" / f"{name}.parquet")
        assert table.schema.remove_metadata() == schema
        facts = json.loads(table.schema.metadata[b"handoff"])
        assert facts["seed"] == 1
        assert facts["scenario"] == Path(COMMUTE).read_text()
        assert set(table["procedure"].to_pylist()) == set(ALL)


def test_json_has_the_same_figures_and_the_seed_decides():
    runs = {}
    for seed in (1, 1, 2):
        done = handoff("run", COMMUTE, *SHORT, "--procedure", "sync-mipv4", "--json", "--seed", str(seed))
        assert done.returncode == 0, done.stderr
        data = json.loads(done.stdout)
        assert data["seed"] == seed
        run = data["runs"][0]
        assert sum(run["fates"].values()) == run["sent"]
        runs.setdefault(seed, set()).add(run["fingerprint"])
    assert len(runs[1]) == 1
    assert runs[1] != runs[2]


def test_all_errors_at_once_no_traceback_and_two():
    done = handoff("run", COMMUTE, "--procedure", "mipv4", "--set", "options.bicst=1s", "--set", "routers.cell.delay=4")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "--set: routers.cell.delay: 4 has no unit: write text with one, as in '20ms'",
        "--set: options.bicst: unknown key; did you mean 'bicast'?",
    ]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["compare", COMMUTE, "--procedures", "mipv5"], "no procedure 'mipv5'; there are mipv4, mipv6-ro, mipv6"),
        (["compare", "nothing.toml"], "nothing.toml: cannot be read: No such file or directory"),
        (["run", COMMUTE, "--procedure", "mipv4", "--memory-limit", "2 GBs"], "'2 GBs' is not a size"),
        (["trace", "info", COMMUTE], "commute.toml"),
        (["trace", "info", "nothing.pcap"], "nothing.pcap"),
        (["compare", COMMUTE, "--sed", "3"], "No such option"),
    ],
)
def test_bad_calls_end_with_two_and_one_message(args, message):
    done = handoff(*args)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_too_little_memory_is_refused_before_the_run():
    done = handoff("run", COMMUTE, *SHORT, "--procedure", "mipv4", "--memory-limit", "10kB")
    assert done.returncode == 1
    assert re.search(r"may take [\d,]+ bytes, the limit is 10,000", done.stderr)


def test_validate_says_what_is_there():
    done = handoff("validate", COMMUTE)
    assert done.returncode == 0
    assert "200 mobile nodes, 8 routers, 2745 handoffs" in done.stdout


def test_procedures_and_trace_info():
    rows = json.loads(handoff("procedures", "--json").stdout)
    assert [r["name"] for r in rows] == ALL
    assert [(r["anchor"], r["marker"], r["figures"]) for r in rows if r["family"] == "synchronized"] == [
        ("HA", "DRR", "11A-17B"), ("CN", "DBA", "18A-24B"), ("GFA", "DRR", "25A-31B"),
        ("HA", "DBA", "32A-38B"), ("CN", "DBA", "39A-45B"), ("MAP", "DBA", "46A-52B"),
    ]  # fmt: skip
    facts = json.loads(handoff("trace", "info", "--json", str(ROOT / "examples" / "captures" / "commute.pcap")).stdout)
    assert facts["packets"] == 17641
    assert facts["flow_count"] == 13


def test_trace_info_lists_mobile_ip_and_raises_its_limit(tmp_path):
    """An agent that answers a registration through a foreign agent, in a file that is compressed 300 times."""
    udp = struct.pack(">HHHH", 434, 434, 32, 0)
    body = bytes([1, 0]) + struct.pack(">H", 65535) + bytes([10, 0, 0, 9, 10, 0, 0, 1, 10, 2, 0, 1]) + bytes(7) + b"\7"
    frame = bytes.fromhex("4500003400000000401100000a0000090a000001") + udp + body
    record = struct.pack("<IIII", 5, 0, len(frame), len(frame)) + frame
    path = tmp_path / "lab.pcap.gz"
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    path.write_bytes(gzip.compress(head + record * 200_000))
    assert path.stat().st_size * 200 < len(record) * 200_000
    refused = handoff("trace", "info", str(path))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "grows more than 100 times" in refused.stderr
    done = handoff("trace", "info", str(path), "--max-ratio", "1000")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "Mobile IP signalling: 200,000 registration request" in lines
    assert "  … 100,000 more that are only counted" in lines
    (first,) = [line.split() for line in lines if line.startswith("  1 ")]
    assert first == ["1", "0.000000", "registration", "request", "10.0.0.9", "10.0.0.1", "10.0.0.9", "10.0.0.1", "10.2.0.1",
                     "for", "ever", "7"]  # fmt: skip


def test_an_interrupted_comparison_keeps_what_is_complete(tmp_path):
    """Ctrl-C in the middle of the second procedure: 130, whole tables, and the stopped run says how far it came."""
    out = tmp_path / "out"
    code = (
        "import handoff.commands as c, os, signal\n"
        "whole = c.Progress.__call__\n"
        "def watched(self, at):\n"
        "    if self.name == 'mipv6-ro' and 2 * at.time_ps > at.until_ps and not self.interruption.asked:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    return whole(self, at)\n"
        "c.Progress.__call__ = watched\n"
        "from handoff.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "compare", COMMUTE, *SHORT, "-o", str(out), "--json"],
        capture_output=True, text=True, timeout=100, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    assert done.stderr == "handoff: interrupted: finishing the slice (once more to end at once)\n"
    data = json.loads(done.stdout)
    assert data["interrupted"]
    assert [r["procedure"] for r in data["runs"]] == ["mipv4", "mipv6-ro"]
    assert [r["interrupted_ps"] is None for r in data["runs"]] == [True, False]
    assert 10 * 10**12 < data["runs"][1]["interrupted_ps"] < 20 * 10**12
    for run in data["runs"]:
        assert run["sent"] > 0
    assert pq.read_table(out / "runs.parquet")["interrupted_ps"].to_pylist() == [None, data["runs"][1]["interrupted_ps"]]


def test_a_second_interruption_ends_at_once():
    """The first one is waited for: a slice of this run takes minutes."""
    code = (
        "import handoff.commands as c\n"
        "ready = c.Interruption.__init__\n"
        "def told(self):\n"
        "    ready(self)\n"
        "    print('ready', flush=True)\n"
        "c.Interruption.__init__ = told\n"
        "from handoff.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code, "run", COMMUTE, "--procedure", "mipv4", "--set", "duration=100h"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            while "once more to end at once" not in (said := process.stderr.readline()):
                assert said, "it ended after the first"
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130


def test_a_procedure_is_named_once():
    done = handoff("compare", COMMUTE, "--procedures", "mipv4,sync-mipv4, mipv4")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "procedure 'mipv4' stands twice: name each once\n"
