"""Whole commands in processes of their own: output, files and exit codes."""

import csv
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from handoff.output.parquet import SCHEMAS
from handoff.protocol.procedures import ALL_PROCEDURES

ROOT = Path(__file__).parents[2]
COMMUTE = str(ROOT / "examples" / "commute.toml")
HANDOFF = [sys.executable, "-c", "from handoff.cli.main import main; main()"]
ALL = [
    "mipv4", "mipv6-ro", "mipv6", "mipv4-smooth", "mipv4-bicast", "hmipv4-bicast", "hmipv6-bicast", "hmipv6-ro-bicast",
    "sync-mipv4", "sync-mipv4-ro", "sync-hmipv4", "sync-mipv6", "sync-mipv6-ro", "sync-hmipv6", "sync-hmipv6-ro", "pmipv6",
]  # fmt: skip
SHORT = ["--set", "duration=20s"]


def handoff(*args, **kwargs):
    return subprocess.run([*HANDOFF, *args], capture_output=True, text=True, timeout=120, cwd=ROOT, **kwargs)


def handoff_in_process(*args):
    """Run a command without a new process, which would take a second to start."""
    done = CliRunner().invoke(main, args)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return subprocess.CompletedProcess(args, done.exit_code, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "command", [[], ["run"], ["compare"], ["sweep"], ["query"], ["plan"], ["ladder"], ["report"], ["trace", "info"]]
)
def test_help_loads_no_heavy_library(command):
    code = (
        "import sys\nfrom handoff.cli.main import main\n"
        f"try: main({[*command, '--help']})\nexcept SystemExit: pass\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "click" in loaded
    assert not loaded & {"numpy", "pydantic", "rich", "pyarrow", "engine", "networkx", "handoff_traces"}


def test_a_run_loads_only_what_it_needs_before_its_first_packet():
    """Modules are counted, not timed: each one delays the first packet."""
    code = (
        "import sys, os, handoff.simulation.run as run\nfrom handoff.cli.main import main\n"
        "def first_packet(*_): print(*sys.modules, flush=True); os._exit(0)\n"
        f"run._advance_run = first_packet\nmain(['run', {COMMUTE!r}, '--procedure', 'mipv4'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert {"numpy", "pydantic", "engine", "handoff_traces.compiled_capture"} <= loaded
    assert not loaded & {"rich", "pyarrow", "duckdb", "dask", "networkx", "numpy.ma", "multiprocessing", "asyncio", "logging"}
    assert not loaded & {f"handoff_traces.{name}" for name in ("capture_writer", "movement", "signalling", "summary", "wire")}
    assert not loaded & {"handoff.cli.tables", "handoff.output.parquet", "handoff.experiments.execution.task"}
    ours = [name for name in loaded if name.split(".")[0] in ("engine", "handoff", "handoff_traces")]
    assert len(ours) <= 182
    assert len(loaded) <= 525


def test_compare_prints_a_table_and_writes_all_parquet_files(tmp_path):
    done = handoff("compare", COMMUTE, *SHORT, "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    head = done.stdout.splitlines()[1]
    for column in ("procedure", "handoffs", "unfinished", "I/II/III", "lost", "in flight", "dup", "reordered",
                   "after marker", "latency p50/p99", "disruption p99", "forwarded", "MOS",
                   "delay p99", "extra bytes", "signalling", "seamless"):  # fmt: skip
        assert column in head
    assert [line.split()[0] for line in done.stdout.splitlines()[2 : 2 + len(ALL)]] == ALL
    assert {p.name for p in (tmp_path / "out").iterdir()} == {f"{name}.parquet" for name in SCHEMAS}
    for name, schema in SCHEMAS.items():
        table = pq.read_table(tmp_path / "out" / f"{name}.parquet")
        assert table.schema.remove_metadata() == schema
        facts = json.loads(table.schema.metadata[b"handoff"])
        assert facts["seed"] == 1
        assert facts["scenario"] == Path(COMMUTE).read_text()
        assert set(table["procedure"].to_pylist()) == set(ALL)


def test_json_output_depends_on_the_seed_alone():
    runs = {}
    for seed in (1, 1, 2):
        done = handoff_in_process("run", COMMUTE, *SHORT, "--procedure", "sync-mipv4", "--json", "--seed", str(seed))
        assert done.returncode == 0, done.stderr
        data = json.loads(done.stdout)
        assert data["seed"] == seed
        run = data["runs"][0]
        assert sum(run["fates"].values()) == run["sent"]
        runs.setdefault(seed, set()).add(run["fingerprint"])
    assert len(runs[1]) == 1
    assert runs[1] != runs[2]


def test_all_errors_are_reported_at_once():
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
        (["compare", COMMUTE, "--procedures", "mipv5"], "no procedure 'mipv5'; did you mean 'mipv4' or 'mipv6' or 'mipv6-ro'?"),
        (["compare", "nothing.toml"], "nothing.toml: cannot be read: No such file or directory"),
        (["run", COMMUTE, "--procedure", "mipv4", "--memory-limit", "2 GBs"], "'2 GBs' is not a size"),
        (["trace", "info", COMMUTE], "commute.toml"),
        (["trace", "info", "nothing.pcap"], "nothing.pcap"),
        (["compare", COMMUTE, "--sed", "3"], "No such option"),
    ],
)
def test_invalid_calls_end_with_exit_code_2_and_a_message(args, message):
    done = handoff_in_process(*args)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_over_the_memory_limit_is_refused():
    done = handoff_in_process("run", COMMUTE, *SHORT, "--procedure", "mipv4", "--memory-limit", "10kB")
    assert done.returncode == 1
    assert re.search(r"may take [\d,]+ bytes, the limit is 10,000", done.stderr)


def test_validate_counts_nodes_and_handoffs():
    done = handoff_in_process("validate", COMMUTE)
    assert done.returncode == 0
    assert "200 mobile nodes, 8 routers, 2745 handoffs" in done.stdout


def test_procedures_and_trace_info_print_json():
    rows = json.loads(handoff_in_process("procedures", "--json").stdout)["procedures"]
    assert [r["name"] for r in rows] == list(ALL_PROCEDURES)
    assert [(r["anchor"], r["marker"], r["figures"]) for r in rows if r["family"] == "synchronized"] == [
        ("HA", "DRR", "11A-17B"), ("CN", "DBA", "18A-24B"), ("GFA", "DRR", "25A-31B"),
        ("HA", "DBA", "32A-38B"), ("CN", "DBA", "39A-45B"), ("MAP", "DBA", "46A-52B"), ("MAP", "DBA", ""),
    ]  # fmt: skip
    facts = json.loads(handoff_in_process("trace", "info", "--json", str(ROOT / "examples" / "captures" / "commute.pcap")).stdout)
    assert facts["packets"] == 17641
    assert facts["flow_count"] == 13


def test_json_csv_and_parquet_have_the_same_names_values_and_nulls(tmp_path):
    """A short run has no handoffs: their figures are null in JSON and Parquet, and empty in CSV."""
    options = ("--procedures", "mipv4,mipv6", "--set", "duration=2s", "--jobs", "1")
    command = ("compare", COMMUTE, *options, "-o", str(tmp_path / "out"))
    document = json.loads(handoff_in_process(*command, "--json").stdout)
    lines = list(csv.DictReader(handoff_in_process(*command, "--csv").stdout.splitlines()))
    rows = pq.read_table(tmp_path / "out" / "runs.parquet").to_pylist()
    assert document["version"] == 1
    assert [row["latency_mean_s"] for row in rows] == [None, None]
    assert all(0 < row["delay_p50_s"] < 1 for row in rows)
    for printed, line, row in zip(document["runs"], lines, rows, strict=True):
        assert {name: printed[name] for name in row.keys() & printed.keys() - {"fingerprint"}} == {
            name: row[name] for name in row.keys() & printed.keys() - {"fingerprint"}
        }
        assert len(row.keys() & printed.keys()) > 80
        assert list(line) == list(row)
        assert line == {name: "" if value is None else str(value) for name, value in row.items()}
    both = handoff_in_process(*command, "--csv", "--json")
    assert (both.returncode, both.stderr) == (2, "--json and --csv: give one of them\n")


def test_ctrl_c_keeps_the_completed_runs_of_a_comparison(tmp_path):
    """Ctrl-C in the second procedure: exit code 130, all tables, and the time that the stopped run reached."""
    out = tmp_path / "out"
    code = (
        "import handoff.cli.run as c, os, signal\n"
        "original = c.Progress.__call__\n"
        "def interrupt(self, at):\n"
        "    if self.name == 'mipv6-ro' and 2 * at.time_ps > at.until_ps and not self.interruption.requested:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    return original(self, at)\n"
        "c.Progress.__call__ = interrupt\n"
        "from handoff.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "compare", COMMUTE, *SHORT, "-o", str(out), "--json", "--jobs", "1"],
        capture_output=True, text=True, timeout=100, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    assert done.stderr == "handoff: interrupted: finishing the slice (once more to end at once)\n"
    data = json.loads(done.stdout)
    assert data["interrupted"]
    assert [r["procedure"] for r in data["runs"]] == ["mipv4", "mipv6-ro"]
    assert [r["interrupted_s"] is None for r in data["runs"]] == [True, False]
    assert 10 < data["runs"][1]["interrupted_s"] < 20
    for run in data["runs"]:
        assert run["sent"] > 0
    assert pq.read_table(out / "runs.parquet")["interrupted_s"].to_pylist() == [None, data["runs"][1]["interrupted_s"]]


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.deep), signal.SIGTERM])
def test_a_signal_keeps_the_completed_runs_of_a_comparison_in_processes(number, tmp_path):
    """The signal comes while the third procedure runs: at least one of the first two is complete then."""
    out = tmp_path / "out"
    code = (
        "import handoff.cli.run as c, os, signal\n"
        "original = c.ComparisonProgress.__call__\n"
        "def interrupt(self, name, at):\n"
        "    original(self, name, at)\n"
        f"    if name == 'mipv6' and not c.STOPPED: c.STOPPED.append(os.kill(os.getpid(), {int(number)}))\n"
        "c.STOPPED = []\n"
        "c.ComparisonProgress.__call__ = interrupt\n"
        "from handoff.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "compare", COMMUTE, *SHORT, "-o", str(out), "--json", "--jobs", "2",
         "--procedures", "mipv4,mipv6-ro,mipv6,sync-mipv4,sync-mipv6"],
        capture_output=True, text=True, timeout=100, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 128 + number, done.stderr
    word = "interrupted" if number == signal.SIGINT else "SIGTERM"
    assert done.stderr == f"handoff: {word}: finishing the slice (once more to end at once)\n"
    data = json.loads(done.stdout)
    assert data["interrupted"]
    names = [run["procedure"] for run in data["runs"]]
    assert [name for name in ("mipv4", "mipv6-ro", "mipv6", "sync-mipv4", "sync-mipv6") if name in names] == names
    assert any(run["interrupted_s"] is None for run in data["runs"])
    assert pq.read_table(out / "runs.parquet")["procedure"].to_pylist() == names


def test_processes_and_checkpoints_exclude_each_other(tmp_path):
    done = handoff_in_process("compare", COMMUTE, "--jobs", "2", "--checkpoint-every", "1s", "-o", str(tmp_path / "out"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "--jobs does not apply with --checkpoint-every or --resume, which run one procedure at a time\n"


def test_a_second_ctrl_c_ends_at_once():
    """A slice of this run takes minutes, so that the first Ctrl-C alone would not end it soon."""
    code = (
        "import handoff.cli.run as c\n"
        "original = c.InterruptHandler.__init__\n"
        "def announce(self):\n"
        "    original(self)\n"
        "    print('ready', flush=True)\n"
        "c.InterruptHandler.__init__ = announce\n"
        "from handoff.cli.main import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code, "run", COMMUTE, "--procedure", "mipv4", "--set", "duration=100h"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            while "once more to end at once" not in (line := process.stderr.readline()):
                assert line, "the first Ctrl-C ended the command"
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130


def test_a_procedure_listed_twice_is_refused():
    done = handoff_in_process("compare", COMMUTE, "--procedures", "mipv4,sync-mipv4, mipv4")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "procedure 'mipv4' is listed twice: name each once\n"
