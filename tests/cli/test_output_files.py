"""Outputs of commands and the files of others: links, devices, inputs, other programs, a full disk."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from tests.unit.experiments.sweep.small_sweep import HANDOFF, SCENARIO, SWEEP, dataset_hash, run_process, write_scenario

TABLES = [
    "delays.parquet", "flows.parquet", "handoffs.parquet", "links.parquet", "nodes.parquet", "packets_around.parquet",
    "runs.parquet",
]  # fmt: skip
MIPV4 = ["--procedure", "mipv4"]
PLAN = ["plan", "--vary", "new_buffer=1..4", "--slo", "lost<=9", "--jobs", "1"]
WRITERS = [
    (["run", *MIPV4], "--pcap"),
    (["run", *MIPV4], "--report"),
    (["run", *MIPV4, "--checkpoint-every", "1h"], "--checkpoint"),
    (["ladder", *MIPV4, "--mn", "0", "--handoff", "0"], "-o"),
    (["sweep", "--procedures", "mipv4", "--runs", "1", "--slo", "lost<=9", "-o", "data", "--jobs", "1"], "--junit"),
    (PLAN, "--junit"),
    (PLAN, "--report"),
]
"""Commands with an option that names a file."""
LOG = "mobile,router,up_s,down_s,predict_s,going_down_s\nx,a,0,4,,\nx,b,4,9,,\n"


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "in"
    folder.mkdir()
    return write_scenario(folder, SCENARIO)


def refuse(*words: object) -> str:
    """Return the message of a command that is refused as invalid input."""
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 2, done.output
    return done.stderr


def seeds(folder: Path) -> set[int]:
    """Return the seeds that the tables of a folder were made with."""
    metadata = [pq.read_schema(folder / name).metadata[b"handoff"] for name in TABLES]
    return {json.loads(facts)["seed"] for facts in metadata}


@pytest.mark.parametrize(("words", "option"), WRITERS)
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda place, target: place.symlink_to(target), "a symbolic link, which is not followed: give the path of a file"),
        (lambda place, target: os.mkfifo(place), "a device or pipe, which is not replaced: write to a file and read that"),
    ],
    ids=["link", "pipe"],
)
def test_links_and_pipes_are_refused(
    scenario: Path, tmp_path: Path, words: list[str], option: str, make: Callable[[Path, Path], None], message: str
) -> None:
    (tmp_path / "target").write_text("a stranger's")
    place = tmp_path / "place"
    make(place, tmp_path / "target")
    before = place.lstat()
    assert refuse(words[0], scenario, *words[1:], option, place) == f"{option}: {place}: {message}\n"
    assert place.lstat().st_ino == before.st_ino
    assert (tmp_path / "target").read_text() == "a stranger's"


@pytest.mark.parametrize(("words", "option"), WRITERS)
def test_a_loop_of_links_is_refused(scenario: Path, tmp_path: Path, words: list[str], option: str) -> None:
    loop, other = tmp_path / "loop", tmp_path / "other"
    loop.symlink_to(other)
    other.symlink_to(loop)
    assert "a symbolic link, which is not followed" in refuse(words[0], scenario, *words[1:], option, loop)
    message = refuse(words[0], scenario, *words[1:], option, loop / "file")
    assert "Too many levels of symbolic links" in message or message == f"-o: {loop} is not a folder\n"


@pytest.mark.parametrize("device", ["/dev/null", "/dev/stdout"])
def test_devices_are_refused(scenario: Path, device: str) -> None:
    before = os.lstat(device)
    assert device in refuse("run", scenario, *MIPV4, "--pcap", device)
    after = os.lstat(device)  # reading a link may change its time of access
    assert (after.st_ino, after.st_mode, after.st_mtime) == (before.st_ino, before.st_mode, before.st_mtime)


@pytest.mark.parametrize(("words", "option"), WRITERS)
def test_an_output_that_is_an_input_is_refused(scenario: Path, words: list[str], option: str) -> None:
    log = scenario.parent / "log.csv"
    log.write_text(LOG)
    text = scenario.read_text()
    movement, coverage = text.index("[movement]"), text.index("[routers.neighbours]")
    scenario.write_text(f'{text[:movement]}[movement]\nassociations = "log.csv"\n{text[coverage:]}')
    for path in (scenario, log, scenario.parent / ".." / "in" / "log.csv"):
        before = path.read_bytes()
        message = refuse(words[0], scenario, *words[1:], option, path)
        assert message == f"{option}: {path} is an input of this command: give another file\n"
        assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "option"), [
        (["sweep", "--procedures", "mipv4", "--dry-run"], "--junit"),
        *(([*PLAN, preview], option) for preview in ("--analytic", "--dry-run") for option in ("--junit", "--report")),
    ],
)  # fmt: skip
def test_a_preview_writes_no_file_and_says_so(scenario: Path, tmp_path: Path, words: list[str], option: str) -> None:
    message = refuse(words[0], scenario, *words[1:], option, tmp_path / "file", "--warmup", "1")
    first, second = message.splitlines()
    assert first == f"{option}: {words[-1]} runs nothing, and writes no file"
    assert second.startswith("--warmup: '1' is not a duration")  # with the other mistakes
    assert not (tmp_path / "file").exists()


def test_two_outputs_are_two_files(scenario: Path, tmp_path: Path) -> None:
    options = ["-o", tmp_path / "out", "--pcap", tmp_path / "out" / "runs.parquet"]
    assert refuse("run", scenario, *MIPV4, *options).endswith("is also a file of -o: give another file\n")
    options = ["--pcap", tmp_path / "x", "--checkpoint-every", "1h", "--checkpoint", tmp_path / "x"]
    assert refuse("run", scenario, *MIPV4, *options).endswith("is also a file of --pcap: give another file\n")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


HOLD = """
import sys
from pathlib import Path
from engine.output_file import lock_file, lock_folder
with lock_folder(Path(sys.argv[1])), lock_file(Path(sys.argv[2]), "-o"):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def other_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path, Path]]:
    """Return the id of a process that writes a folder and a file, and both."""
    place = tmp_path_factory.mktemp("other")
    command = [sys.executable, "-c", HOLD, str(place / "folder"), str(place / "file")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process.pid, place / "folder", place / "file"
        process.communicate()


@pytest.mark.parametrize("words", [["run", *MIPV4, "-o"], *([*words, option] for words, option in WRITERS)])
def test_an_output_that_another_program_writes_is_refused(
    scenario: Path, other_program: tuple[int, Path, Path], words: list[str]
) -> None:
    pid, folder, file = other_program
    place = folder if words == ["run", *MIPV4, "-o"] else file
    (line,) = refuse(words[0], scenario, *words[1:], place).splitlines()
    assert line.startswith(f"{place}: another program (process {pid}) is writing there: wait for its end, or give ")
    assert not place.is_file()


@pytest.mark.parametrize("name", [".parts", ".lock", "runs", "points.parquet"])
@pytest.mark.parametrize("command", [["sweep", "--runs", "1"], ["plan", "--vary", "mobile_nodes=1:4", "--slo", "lost<=0"]])
def test_links_in_a_dataset_are_not_followed(tmp_path: Path, name: str, command: list[str]) -> None:
    scenario, out, stranger = write_scenario(tmp_path, SCENARIO + SWEEP), tmp_path / "out", tmp_path / "stranger"
    out.mkdir()
    stranger.mkdir()
    (stranger / "0").write_text("a stranger's")
    (out / name).symlink_to(stranger if name in (".parts", "runs") else stranger / "0")
    done = CliRunner().invoke(main, [command[0], str(scenario), *command[1:], "--jobs", "1", "-o", str(out)])
    assert done.exit_code == 2
    assert f"{out / name}: " in done.stderr
    assert [(path.name, path.read_text()) for path in stranger.iterdir()] == [("0", "a stranger's")]


def test_a_full_disk_costs_no_results(scenario: Path, tmp_path: Path) -> None:
    """The limit on the size of files stands for the disk; it does not hold for the pipe of the output."""
    out = tmp_path / "out"
    assert run_process("run", scenario, *MIPV4, "-o", out, "--seed", "1").returncode == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)); {HANDOFF[2]}"
    options = ["--seed", "2", "-o", str(out), "--pcap", str(tmp_path / "x.pcapng")]
    done = subprocess.run(
        [sys.executable, "-c", code, "run", str(scenario), *MIPV4, *options], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1, done.stderr
    assert "small, seed 2" in done.stdout
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
    assert "Traceback" not in done.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 4000


def test_a_reader_that_is_gone_costs_no_tables(scenario: Path, tmp_path: Path) -> None:
    with subprocess.Popen([*HANDOFF, "run", scenario, *MIPV4, "-o", tmp_path / "out"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == TABLES


def test_the_name_of_a_scenario_is_no_path(tmp_path: Path) -> None:
    """A scenario called ``sub/x`` reads the files of its own folder, in a run, a sweep and a plan alike."""
    text = SCENARIO.replace('"small"', '"sub/x"')
    movement, coverage = text.index("[movement]"), text.index("[routers.neighbours]")
    text = f'{text[:movement]}[movement]\nassociations = "log.csv"\n{text[coverage:]}'
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "log.csv").write_text(LOG.replace("x,b,4,9", "x,b,4,6,,\nx,a,6,9"))
    scenario = write_scenario(tmp_path, text)
    done = CliRunner().invoke(main, ["run", str(scenario), "--procedure", "mipv4", "--json"])
    assert json.loads(done.stdout)["runs"][0]["handoffs"] == 1
    options = ["--procedures", "mipv4", "--runs", "1", "--jobs", "1", "-o", str(tmp_path / "out")]
    assert CliRunner().invoke(main, ["sweep", str(scenario), *options]).exit_code == 0
    (stored,) = (tmp_path / "out" / "runs").rglob("*.parquet")
    assert pq.read_table(stored)["handoffs"].to_pylist() == [1]


@pytest.mark.deep
def test_of_two_programs_on_one_folder_one_is_refused(scenario: Path, tmp_path: Path) -> None:
    """Start 20 pairs at the same time. The files of each pair are those of one program, which ended with exit code 0."""
    refused = 0
    for pair in range(20):
        out, capture = tmp_path / f"out{pair}", tmp_path / f"{pair}.pcapng"
        commands = [
            [*HANDOFF, "run", str(scenario), *MIPV4, "--seed", str(seed), "-o", str(out), "--pcap", str(capture)]
            for seed in (1, 2)
        ]
        both = [subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for words in commands]
        messages = [process.communicate(timeout=120)[1] for process in both]
        codes = [process.returncode for process in both]
        assert set(codes) <= {0, 2}
        refused += codes.count(2)
        assert [message.count("\n") for message in messages] == [int(code == 2) for code in codes]
        (seed,) = seeds(out)
        assert codes[seed - 1] == 0
        assert f'"seed": {seed}'.encode() in capture.read_bytes()
        assert sorted(path.name for path in out.iterdir()) == TABLES
    assert refused > 0
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.deep
def test_of_two_sweeps_on_one_folder_one_is_refused(tmp_path: Path) -> None:
    scenario = write_scenario(tmp_path, SCENARIO + SWEEP)
    command = [*HANDOFF, "sweep", str(scenario), "--jobs", "1", "-o"]
    assert subprocess.run([*command, tmp_path / "alone"], capture_output=True, timeout=120).returncode == 0
    for pair in range(5):
        both = [subprocess.Popen([*command, tmp_path / str(pair)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                for _ in range(2)]  # fmt: skip
        for process in both:
            process.communicate(timeout=120)
        assert sorted(process.returncode for process in both) in ([0, 2], [0, 0])
        assert dataset_hash(tmp_path / str(pair)) == dataset_hash(tmp_path / "alone")
