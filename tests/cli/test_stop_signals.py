"""Real signals to real commands: the exit code is 128 + the signal, and nothing is printed or left that is not complete."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from handoff.cli.interrupt import GRACE_SECONDS

ROOT = Path(__file__).parents[2]
TINY = """
name = "tiny"
duration = "20s"
[home_agent]
name = "ha"
registration = "1ms"
[correspondent]
name = "cn"
[[link]]
between = ["ha", "cn"]
delay = "10ms"
[routers]
names = "ar{0..3}"
wired_to = "ha"
wired = { delay = "5ms" }
cell = { delay = "2ms", loss = 0.01 }
[[traffic]]
interval = "20ms"
size_bytes = 200
[movement.commuters]
mobile_nodes = 20
handoff_rate = "1/s"
gap = "30ms"
[sweep]
mobile_nodes = [5, 10, 20]
procedures = ["mipv4", "sync-mipv6"]
runs = 4
"""
MANY_KILLS = 10
ENDLESS = "select count(*) from range(1000000) a, range(1000000) b"
PROGRAM = "from handoff.cli.main import main; import os; os.write(1, b'up\\n'); main()"
"""Python's own start cannot be protected: a signal is sent after it."""
ANNOUNCED = """
import os
import handoff.cli.run as run
from handoff.cli.main import main
progress = run.Progress.__call__
def announce(self, at):
    run.Progress.__call__ = progress
    os.write(1, b"up\\n")
    return progress(self, at)
run.Progress.__call__ = announce
main()
"""
"""Write the line after the first slice of the run."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
UNFINISHED = ("partial", "making", ".part", "tmp")
SECOND_SECONDS = 5
"""Time to end after a second signal, on a busy machine."""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def start(*words, cwd, program=PROGRAM):
    environment = os.environ | {"HANDOFF_CACHE": str(cwd / "cache"), "PYTHONPATH": os.pathsep.join(p or "." for p in sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd,
        env=environment, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def finish(process, seconds=60):
    try:
        return process.communicate(timeout=seconds)
    finally:
        process.kill()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_during_imports_ends_quietly(number, scenario, tmp_path):
    process = start("run", scenario, "--procedure", "mipv4", cwd=tmp_path)
    time.sleep(0.05)  # importing takes several times as long
    process.send_signal(number)
    assert finish(process) == ("", "")
    assert process.returncode == 128 + number


@pytest.mark.deep
def test_ctrl_c_ends_a_query_that_the_database_computes(scenario, tmp_path):
    process = start("sweep", scenario, "-o", "out", "--jobs", "1", "--runs", "1", "--set", "duration=1s", cwd=tmp_path)
    finish(process)
    assert process.returncode == 0
    process = start("query", ENDLESS, "out", cwd=tmp_path)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    assert finish(process, GRACE_SECONDS + SECOND_SECONDS) == ("", "")
    assert process.returncode == 130


def test_ctrl_c_ends_a_condition_that_the_database_computes(scenario, tmp_path):
    process = start("sweep", scenario, "--dry-run", "--where", f"mobile_nodes < ({ENDLESS})", cwd=tmp_path)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    assert finish(process, GRACE_SECONDS + SECOND_SECONDS) == ("", "")
    assert process.returncode == 130


@pytest.mark.parametrize("number", [signal.SIGTERM, *(pytest.param(n, marks=pytest.mark.deep) for n in SIGNALS[::2])])
def test_the_first_signal_keeps_what_is_complete(number, scenario, tmp_path):
    process = start("run", scenario, "--procedure", "mipv4", "--set", "duration=20h", "--no-detail", "-o", "out", "--progress",
                    "--set", "mobile_nodes=2000", "--set", "handoff_rate=1/h", cwd=tmp_path, program=ANNOUNCED)  # fmt: skip
    process.send_signal(number)
    out, err = finish(process)
    assert process.returncode == 128 + number, err
    assert "Traceback" not in err
    assert "finishing the slice" in err
    assert "interrupted" in out
    assert pq.read_table(tmp_path / "out" / "runs.parquet")["interrupted_s"].to_pylist() != [None]


def test_an_engine_without_slices_ends_at_ctrl_c(tmp_path):
    code = (
        "from engine import Engine, Network\n"
        "network = Network()\n"
        "network.node('a'), network.node('b')\n"
        "network.link('a', 'b', delay='1ms', both=True)\n"
        "network.cell('b', delay='1ms')\n"
        "mobiles = network.mobiles(100, home='b')\n"
        "network.cbr('a', mobiles, interval='1ms', size_bytes=100)\n"
        "[network.attach(m, 'b', up_ps=0) for m in mobiles]\n"
        "engine = Engine(network, seed=1, record='drops')\n"
        "print('ready', flush=True)\n"
        "try: engine.run('1000h')\n"
        "except KeyboardInterrupt: print('ended')\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, _ = finish(process, 20)
    assert (out, process.returncode) == ("ended\n", 0)


def random_command(draw, folder):
    jobs = draw.choice("12")
    return draw.choice([
        ["run", "tiny.toml", "--procedure", "mipv4", "--set", "duration=10min", "-o", folder / "out"],
        ["run", "tiny.toml", "--procedure", "sync-mipv6", "--set", "duration=1min", "--pcap", folder / "x.pcapng"],
        ["run", "tiny.toml", "--procedure", "mipv4", "--set", "duration=10min", "--checkpoint-every", "1s"],
        ["compare", "tiny.toml", "--procedures", "mipv4,sync-mipv6", "--json", "--set", "duration=10min"],
        ["sweep", "tiny.toml", "-o", folder / "out", "--jobs", jobs, "--set", "duration=1min"],
        ["plan", "tiny.toml", "--vary", "mobile_nodes=1:40", "--slo", "lost<=20", "--jobs", jobs, "-o", folder / "out"],
        ["query", ENDLESS, "dataset"],
        ["sweep", "tiny.toml", "--dry-run", "--where", f"mobile_nodes < ({ENDLESS})"],
        ["ladder", "tiny.toml", "--procedure", "mipv4", "--mn", "mn1", "--handoff", "1", "-o", folder / "ladder.svg"],
        ["trace", "info", ROOT / "examples" / "captures" / "commute.pcap"],
        ["validate", ROOT / "examples" / "commute.toml"],
    ])  # fmt: skip


def pytest_generate_tests(metafunc):
    """Send signals to 8 random commands, or to 100 with ``--kills`` above 10."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(100 if metafunc.config.getoption("kills") > MANY_KILLS else 8))


@pytest.mark.deep
def test_signals_at_random_times(seed, scenario, tmp_path):
    draw = random.Random(seed)
    words = random_command(draw, tmp_path)
    if words[-1] == "dataset":
        finish(start("sweep", scenario, "-o", "dataset", "--jobs", "1", "--runs", "1", "--set", "duration=1s", cwd=tmp_path))
    process = start(*words, cwd=tmp_path)
    number, send = draw.choice(SIGNALS), draw.choice([os.kill, os.killpg])  # a terminal and timeout(1) send to the group
    twice = draw.random() < 0.4
    time.sleep(draw.uniform(0.01, draw.choice([0.5, 2, 8])))
    begin = time.perf_counter()
    for _ in range(1 + twice):
        if process.poll() is None:
            send(process.pid, number)
            time.sleep(draw.uniform(0.01, 0.3))
    _, err = finish(process)
    # a second signal may arrive while Python itself ends, which restores the default action
    assert process.returncode in {0, 128 + number} | ({-number} if twice else set()), (words, err)
    assert "Traceback" not in err
    assert "Exception" not in err
    if twice:
        assert time.perf_counter() - begin < GRACE_SECONDS + SECOND_SECONDS
    assert [path for path in tmp_path.rglob("*") if path.is_file() and any(word in path.name for word in UNFINISHED)] == []
