"""Invalid scenarios, sweeps, targets, datasets and executors: each command prints one line at once and writes nothing.

Tests of the scenario room and of planning check the single messages; the tests here compare the complete output of a command.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from handoff.protocol.procedures import ALL_PROCEDURES
from tests.unit.experiments.execution.dask_processes import make_certificates
from tests.unit.experiments.sweep.small_sweep import HANDOFF, SCENARIO, SWEEP, write_scenario

SWEEP_SCENARIO = SCENARIO + SWEEP
LINES = SCENARIO.count("\n") + 2
"""Line of ``[sweep]``."""
OUT = ("-o", "out", "--jobs", "1", "--runs", "1")
NO_TIME = "write a number and one of ps, ns, us, µs, ms, s, min, h, as in '20ms'"
NO_SIZE = "write a number and one of B, kB, MB, GB, KiB, MiB, GiB, as in '64kB'"
DID_YOU_MEAN = "did you mean 'mipv4' or 'mipv6' or 'mipv6-ro'?"
SCHEDULER = "give tls://HOST:PORT"
NODES = ("--vary", "mobile_nodes=1:4")

SCENARIOS = [
    # text of the scenario file, its replacement, expected line
    ("[sweep]", "[swep]", f"s.toml:{LINES}: swep: unknown key; did you mean 'sweep'?"),
    ('"2..4"', "{ a = {} }",
        f"s.toml:{LINES + 1}: sweep.mobile_nodes.a: {{}} is not a value that can vary: give text, a number, true or false"),
    ('"2..4"', '"2..4 step -1"',
        f"s.toml:{LINES + 1}: sweep.mobile_nodes: '2..4 step -1' has a step of 0 or below: give one above 0"),
    ('"2..4"', '"1ms..4"',
        f"s.toml:{LINES + 1}: sweep.mobile_nodes: '1ms..4' mixes units, or has an unknown one: give both ends and the "
        "step in units of one kind"),
    ('"2..4"', '"0..1k log 3"',
        f"s.toml:{LINES + 1}: sweep.mobile_nodes: '0..1k log 3': a logarithmic range begins above 0 and has 2 to "
        "100,000 values"),
    ('["50ms", "200ms"]', '"50ms..200ms"',
        f"s.toml:{LINES + 2}: sweep.coverage.lead: '50ms..200ms' has no step: write one, as in '50ms..200ms step …', or "
        "'log 7' for seven values in equal ratios"),
    ('"mipv4", "sync-mipv4"', '"mipv9"', f"s.toml:{LINES + 3}: sweep.procedures: no procedure 'mipv9'; {DID_YOU_MEAN}"),
    ('"mipv4", "sync-mipv4"', '"mipv4", "mipv4"',
        f"s.toml:{LINES + 3}: sweep.procedures: procedure 'mipv4' is listed twice: name each once"),
    ('"mipv4", "sync-mipv4"', "", f"s.toml:{LINES + 3}: sweep.procedures: value should have at least 1 item, not []"),
    ("runs = 2", 'seed = "1..3"',
        f"s.toml:{LINES + 4}: sweep: seed: cannot vary: replications take consecutive seeds from 'seed' on"),
    ("runs = 2", 'slo.targets = "lost<=1"',
        f"s.toml:{LINES + 4}: sweep: slo.targets: cannot vary: [slo] has the targets of every point"),
    ("runs = 2", "detail = 1",
        f"s.toml:{LINES + 4}: sweep.detail: 1 is neither true nor false: write one of them, without quotes"),
    ("runs = 2", "where = 3", f"s.toml:{LINES + 4}: sweep.where: input should be a valid string, not 3"),
    ("runs = 2", "runs = 2\n[slo]\ntargets = []", f"s.toml:{LINES + 6}: slo.targets: value should have at least 1 item, not []"),
    ("runs = 2", "runs = 2\n[slo]\ntargets = 'lost = 0'",
        f"s.toml:{LINES + 6}: slo.targets: 'lost = 0' is not a target: write a measure and its limit, as in 'loss_ratio<=1e-4'"),
]  # fmt: skip

SWEEPS = [
    (["--vary", "bufer=1"], "--vary bufer: no field of a scenario; did you mean 'buffer'?"),
    (["--vary", "buffer=1,,2"],
        "--vary buffer: a value is missing: write values with commas between them, or a range as in '10..50 step 10'"),
    (["--vary", "link.9.delay=1ms"], "--vary link.9.delay: '9' is not a table of the scenario"),
    (["--vary", "sweep.runs=1,2"], "--vary sweep.runs: cannot vary: [sweep] lists the fields that vary"),
    (["--zip", "mobile_nodes"], "zip: 'mobile_nodes': name at least two fields"),
    (["--where", "buffer <"], "where 'buffer <': Parser Error: syntax error at end of input"),
    (["--where", "coverage.lead = '50ms'"],
        "where \"coverage.lead = '50ms'\": no field 'coverage' varies; there are mobile_nodes, \"coverage.lead\", "
        '"coverage.lead_s", procedure'),
    (["--where", "mobile_nodes + 1"],
        "where 'mobile_nodes + 1': is neither true nor false: write a condition, as in buffer < 30"),
    (["--procedures", "mipv4,mipv4"], "procedure 'mipv4' is listed twice: name each once"),
    (["--procedures", ""], f"no procedure ''; there are {', '.join(ALL_PROCEDURES)}"),
    (["--set", "mobile_nodes"], "--set 'mobile_nodes': write path.to.key=value"),
    (["--metric", "hq.registration_wait_mean"], "--metric hq.registration_wait_mean: no node or link 'hq'; did you mean ha?"),
    (["--memory-limit", "2GX"], f"--memory-limit: '2GX' is not a size: {NO_SIZE}"),
    (["--scheduler", "10.0.0.1:8786"], f"--scheduler '10.0.0.1:8786' is not the address of a scheduler: {SCHEDULER}"),
    (["--scheduler", "tcp://10.0.0.1:8786"],
        "--scheduler tcp://10.0.0.1:8786 is without TLS: every user who can reach it, also on this machine, can run code on "
        "its workers; start it with TLS and give tls://10.0.0.1:8786 (docs/execution.md)"),
    (["--scheduler", "tls://127.0.0.1:1", "--cluster", "local"],
        "give either --scheduler, for a running cluster, or --cluster, to start one"),
    (["--cluster-option", "memory_limit=1GB"], "--cluster-option has no effect without --cluster: leave it out"),
    (["--cluster", "local", "--cluster-option", "memory_limt=1GB"],
        "--cluster-option memory_limt: --cluster local has no such option; did you mean 'memory_limit'?"),
    (["--cluster", "local", "--cluster-option", "memory_limit"], "--cluster-option 'memory_limit': write KEY=VALUE"),
    (["-o", "s.toml/out"], "s.toml/out: no folder that can be written: Not a directory"),
]  # fmt: skip

OTHERS = [
    (["run", "s.toml", "--procedure", "mipv4", "--memory-limit", "2GX"], 2, f"--memory-limit: '2GX' is not a size: {NO_SIZE}"),
    (["run", "s.toml", "--procedure", "mipv4", "--checkpoint-every", "5"], 2,
        f"--checkpoint-every: '5' is not a duration: {NO_TIME}"),
    (["run", "s.toml", "--procedure", "mipv4", "--series", "5", "-o", "out"], 2, f"--series: '5' is not a duration: {NO_TIME}"),
    (["compare", "s.toml", "--series", "1s"], 2, "--series has no place: give -o for its table, or --report for its charts"),
    (["run", "s.toml", "--procedure", "mipv4", "--series", "0s", "-o", "out"], 2,
        "--series is 0: give an interval longer than 0, as in '100ms'"),
    (["compare", "s.toml", "--series", "1s", "--resume", "-o", "out"], 2,
        "--series does not apply with --checkpoint-every or --resume: a checkpoint has no time series"),
    (["validate", "nothing.toml"], 2, "nothing.toml: cannot be read: No such file or directory"),
    (["plan", "s.toml", *NODES, *NODES, "--slo", "lost<=0"], 2,
        "--vary is given twice: a plan varies one field ('handoff sweep' varies several)"),
    (["plan", "s.toml", "--vary", "seed=1:4", "--slo", "lost<=0"], 2,
        "--vary seed: cannot vary: replications take consecutive seeds from 'seed' on"),
    (["plan", "s.toml", "--vary", "ha.registration=1ms:2ms", "--slo", "lost<=0"], 2,
        "--vary ha: unknown key; allowed are attack, background, control, correspondent, coverage, duration, home_agent, link, "
        "mixture, movement, name, node, options, region, regions, restart, router, routers, seed, slo, sweep, "
        "temporary_home_agent, traffic"),
    (["plan", "s.toml", "--vary", "mobile_nodes=1:2:3", "--slo", "lost<=0"], 2,
        "--vary mobile_nodes: '1:2:3' is not a range: write LOW..HIGH, as in 1k..1M or 5ms..100ms; the search has no step"),
    (["plan", "s.toml", *NODES, "--slo", "lost<=0", "--seed", str(2**63 - 1)], 2,
        f"seed {2**63 - 1} and 12 replications go beyond the largest seed, {2**63 - 1}: "
        f"give a seed of at most {2**63 - 12}"),
    (["plan", "s.toml", *NODES, "--slo", "lost<=0", "--memory-limit", "1"], 2, f"--memory-limit: '1' is not a size: {NO_SIZE}"),
    (["plan", "s.toml", *NODES, "--slo", "lost<=0", "--scheduler", "x"], 2,
        f"--scheduler 'x' is not the address of a scheduler: {SCHEDULER}"),
    (["plan", "s.toml", *NODES, "--slo", "lost<=0", "-o", "s.toml/out"], 2,
        "s.toml/out: no folder that can be written: Not a directory"),
    (["plan", "s.toml", "--size", "agents", "--slo", "lost<=0"], 2,
        "--size agents: the scenario has no [regions] whose 'count' could vary"),
    (["query", "select 1", "nowhere"], 2, "nowhere: no results: there is no file 'runs.parquet' and no folder 'runs' in it"),
    (["query", ".", "select 1"], 2, "the SQL comes first, then the folder: handoff query 'select …' DIR"),
]  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Change to a folder that holds a valid scenario, and check that the test leaves nothing else there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(SWEEP_SCENARIO)
    yield tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["s.toml"]


def error_lines(*words: str, code: int = 2) -> list[str]:
    """Run a command that fails and return the lines of its error message."""
    done = CliRunner().invoke(main, words)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    return done.stderr.splitlines()


@pytest.mark.parametrize(("old", "new", "line"), SCENARIOS, ids=[new for _, new, _ in SCENARIOS])
def test_an_invalid_scenario_is_reported_with_its_line(here: Path, old: str, new: str, line: str) -> None:
    assert SWEEP_SCENARIO.count(old) >= 1
    (here / "s.toml").write_text(old.join(SWEEP_SCENARIO.rsplit(old, 1)[:1]) + new + SWEEP_SCENARIO.rsplit(old, 1)[1])
    assert error_lines("sweep", "s.toml", *OUT) == [line]
    assert error_lines("validate", "s.toml") == [line]


@pytest.mark.parametrize(("words", "line"), SWEEPS, ids=[" ".join(words) for words, _ in SWEEPS])
def test_an_invalid_sweep_is_reported(here: Path, words: list[str], line: str) -> None:
    assert error_lines("sweep", "s.toml", *OUT, *words) == [line]


def test_a_plan_names_the_runs_that_may_take_too_much_memory(here: Path) -> None:
    words = ["plan", "s.toml", *NODES, "--slo", "lost<=0", "--memory-limit", "1kB", "--jobs", "1"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    assert "left out 1: the run with seed 1 failed: a run to " in done.stdout
    assert " bytes, the limit is 1,000: allow more, or make " in done.stdout
    assert "undecided for mobile_nodes from 1 to 4" in done.stdout


@pytest.mark.parametrize(("words", "code", "line"), OTHERS, ids=[" ".join(words) for words, _, _ in OTHERS])
def test_other_commands_report_invalid_input(here: Path, words: list[str], code: int, line: str | None) -> None:
    lines = error_lines(*words, code=code)
    assert len(lines) == 1
    if line is None:
        assert lines[0].startswith("handoff: seed 1: a run to ")
        assert lines[0].endswith("the limit is 1,000: allow more, or make buffers, delays or the number of mobiles smaller")
    else:
        assert lines == [line]


@pytest.mark.parametrize(
    ("words", "last"),
    [
        (["sweep", "s.toml"], "Error: give the folder of the dataset with -o DIR, or preview the runs with --dry-run"),
        (["sweep", "s.toml", *OUT, "--jobs", "0"], "Error: Invalid value for '--jobs': 0 is not in the range 1<=x<=4096."),
        (["sweep", "s.toml", *OUT, "--runs", "0"], "Error: Invalid value for '--runs': 0 is not in the range 1<=x<=1000000."),
        (["sweep", "s.toml", "-o", "s.toml"], "Error: Invalid value for '-o' / '--output': Directory 's.toml' is a file."),
        (["sweep", "s.toml", *OUT, "--cluster", "k8s"],
            "Error: Invalid value for '--cluster': 'k8s' is not 'local'."),
        (["plan", "s.toml", "--size", "bufer"],
            "Error: Invalid value for '--size': 'bufer' is not one of 'buffer', 'lead', 'agents'."),
    ],
)  # fmt: skip
def test_invalid_options_are_reported_by_click(here: Path, words: list[str], last: str) -> None:
    """Click prints the usage first and the error in the last line."""
    assert error_lines(*words)[-1] == last


def test_errors_of_the_command_line_and_the_file_are_reported_together(here: Path) -> None:
    (here / "s.toml").write_text(SWEEP_SCENARIO.replace('"20ms"', '"20mss"', 1).replace('"2..4"', '"4..2"'))
    mistakes = ["--procedures", "mipv9", "--warmup", "1", "--memory-limit", "1"]
    lines = [
        f"no procedure 'mipv9'; {DID_YOU_MEAN}",
        f"--memory-limit: '1' is not a size: {NO_SIZE}",
        f"s.toml:13: link.0.delay: '20mss' is not a duration: {NO_TIME}",
        f"s.toml:{LINES + 1}: sweep.mobile_nodes: '4..2' goes down: write the smaller end first",
    ]
    warmup = f"--warmup: '1' is not a duration: {NO_TIME}"
    assert error_lines("sweep", "s.toml", *OUT, *mistakes) == [lines[0], warmup, *lines[1:]]
    assert error_lines("plan", "s.toml", *NODES, "--slo", "lost<=0", *mistakes) == [*lines[:2], warmup, *lines[2:]]
    assert error_lines("run", "s.toml", "--procedure", "mipv9", "--memory-limit", "1") == lines


def test_an_invalid_target_is_reported_with_its_origin(here: Path) -> None:
    (here / "s.toml").write_text(SWEEP_SCENARIO + "[slo]\ntargets = ['losst<=0', 'lost<1']\n")
    line = "no measure 'losst'; did you mean lost or loss_ratio or loss_periods?"
    assert error_lines("plan", "s.toml", *NODES, "--slo", "lost>=2") == [
        f"[slo] {line}", "--slo targets 'lost < 1 packet' and 'lost >= 2 packets' contradict each other: no value meets both"
    ]  # fmt: skip


def test_a_missing_capture_makes_every_point_fail(here: Path) -> None:
    flow = 'interval = "50ms"\nphase = "50ms"\nsize_bytes = 200'
    assert flow in SWEEP_SCENARIO
    (here / "s.toml").write_text(SWEEP_SCENARIO.replace(flow, 'capture = "none.pcap"\nmobile_address = "10.0.0.1"', 1))
    assert error_lines("sweep", "s.toml", *OUT) == [
        "s.toml: no point can be run",
        "mobile_nodes=2 coverage.lead=50ms mipv4: none.pcap: cannot be read: No such file or directory (and 11 more points)",
    ]


def test_points_that_are_invalid_are_left_out(tmp_path: Path) -> None:
    """The valid points run and the exit code is 1."""
    scenario = write_scenario(tmp_path, SCENARIO)
    words = ("sweep", scenario, "-o", tmp_path / "out", "--runs", "1", "--procedures", "mipv4", "--jobs", "2")
    done = subprocess.run(
        [*HANDOFF, *map(str, words), "--vary", "routers.cell.loss=0.5..1.5 step 0.5"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    wrong = "is not a probability: give a number from 0 to below 1, or a percentage as in '0.1%'"
    assert done.stderr.splitlines() == [
        f"handoff: left out: routers.cell.loss={loss} mipv4: routers.cell.loss: {loss} {wrong}" for loss in ("1", "1.5")
    ]
    assert "missing" not in done.stdout
    assert len(list((tmp_path / "out" / "runs").glob("*/*.parquet"))) == 1


def test_points_over_the_memory_limit_are_not_resumable(here: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    words = ["--procedures", "mipv4", "--set", "duration=1s", "--memory-limit", "1kB", "--where", "mobile_nodes = 2"]
    out = tmp_path_factory.mktemp("out")
    done = CliRunner().invoke(main, ["sweep", "s.toml", *OUT, *words, "-o", str(out)])
    assert done.exit_code == 1
    assert [line.split(": a run to ")[0] for line in done.stderr.splitlines()] == [
        f"handoff: left out: mobile_nodes=2 coverage.lead={lead} mipv4" for lead in ("50ms", "200ms")
    ]
    assert done.stdout.splitlines()[-1] == "2 runs are missing of points that cannot be run"
    assert not list((out / "runs").glob("*"))


def test_an_unreachable_scheduler_leaves_no_dataset(tmp_path: Path) -> None:
    """The timeout is shortened in a process of its own, since Dask keeps threads."""
    command = (
        "from handoff.cli.main import main; from handoff.experiments.execution import dask_executor as dask\n"
        "dask.CONNECT_SECONDS = 0.3; main()"
    )
    scenario, out = write_scenario(tmp_path), tmp_path / "out"
    words = ["sweep", str(scenario), "-o", str(out), "--scheduler", "tls://127.0.0.1:1"]
    make_certificates(tmp_path)
    environment = {**os.environ, "DASK_CONFIG": str(tmp_path / "handoff.yaml")}
    done = subprocess.run([sys.executable, "-c", command, *words], capture_output=True, text=True, timeout=60, env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("handoff: no scheduler answers at tls://127.0.0.1:1: ")
    assert not (out / "points.parquet").exists()


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Write a dataset with one run and return its folder."""
    words = ["--procedures", "mipv4", "--where", "mobile_nodes = 2", "--set", "duration=1s"]
    done = CliRunner().invoke(main, ["sweep", str(write_scenario(tmp_path)), *OUT, *words, "-o", str(tmp_path / "out")])
    assert (done.exit_code, done.stderr) == (0, "")
    return tmp_path / "out"


def test_a_dataset_with_a_damaged_points_file_is_refused(dataset: Path) -> None:
    points = dataset / "points.parquet"
    points.write_bytes(points.read_bytes()[:20])
    for words in (["query", "select 1", str(dataset)], ["sweep", str(dataset.parent / "small.toml"), *OUT, "-o", str(dataset)]):
        (line,) = error_lines(*words)
        assert line.startswith(f"{points}: damaged: ")
        assert line.endswith(": remove it; the same sweep writes it anew")


def test_a_dataset_that_another_process_writes_is_refused(dataset: Path) -> None:
    hold = (
        "import fcntl, os, sys, time; f = open(sys.argv[1], 'a+'); fcntl.lockf(f, fcntl.LOCK_EX); f.truncate(0); "
        "print(os.getpid(), file=f, flush=True); print('held', flush=True); time.sleep(60)"
    )
    lock = dataset / ".lock"
    with subprocess.Popen([sys.executable, "-c", hold, str(lock)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        try:
            for words in (["sweep", *OUT], ["plan", *NODES, "--slo", "lost<=0", "--jobs", "1"]):
                file = str(dataset.parent / "small.toml")
                assert error_lines(words[0], file, *words[1:], "-o", str(dataset)) == [
                    f"{dataset}: another program (process {other.pid}) is writing there: wait for its end, or give another -o"
                ]
        finally:
            other.kill()
    with lock.open("a+") as mine:
        fcntl.lockf(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the lock ended with its process


def test_a_real_process_prints_the_same(here: Path) -> None:
    """Exit code and streams are the same as under ``CliRunner``."""
    for words, line in (SWEEPS[0], SWEEPS[-1]):
        done = subprocess.run([*HANDOFF, "sweep", "s.toml", *OUT, *words], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{line}\n")
