"""The cache of results from the command line and from Python: what a command prints and writes does not depend on it."""

import json
import logging
from dataclasses import replace

import pytest

import handoff as interface
from handoff.experiments.execution import procedure_pool
from handoff.protocol.mobile_node import MobileNodeController
from handoff.simulation import study
from tests.cli.test_commands import handoff_in_process
from tests.unit.experiments.execution.short_tasks import walk_scenario

NAMES = "mipv4,sync-mipv4"


@pytest.fixture
def scenario(tmp_path, monkeypatch):
    """Return a scenario file, with an empty cache that commands use."""
    monkeypatch.delenv("HANDOFF_NO_CACHE")
    monkeypatch.setenv("HANDOFF_CACHE", str(tmp_path / "cache"))
    tables = json.loads(walk_scenario(tmp_path))
    lines = [f"{name} = {write_toml(value)}" for name, value in tables.items()]
    (tmp_path / "walk.toml").write_text("\n".join(lines))
    return str(tmp_path / "walk.toml")


def write_toml(value):
    """Return a value as TOML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {write_toml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(write_toml, value)) + "]"
    return json.dumps(value)


@pytest.fixture
def ran(monkeypatch):
    """Return the list of the procedures that run in this process."""
    names, original = [], study.run_with_shared_baseline

    def run(setup, program, *arguments, **options):
        names.append(program.procedure.name)
        return original(setup, program, *arguments, **options)

    monkeypatch.setattr(study, "run_with_shared_baseline", run)
    return names


def compare(scenario, *options, procedures=NAMES):
    """Compare procedures; return stdout and the lines of stderr about the cache."""
    done = handoff_in_process("compare", scenario, "--procedures", procedures, "-v", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout, [line for line in done.stderr.splitlines() if line.endswith("the cache")]


@pytest.mark.parametrize("form", [["--json", "--detail", "--series", "100ms"], ["--no-detail"]], ids=" ".join)
def test_output_and_tables_are_the_same_to_the_byte(scenario, tmp_path, ran, form):
    folder, outputs = tmp_path / "out", []
    for stored in (0, 2):
        stdout, messages = compare(scenario, *form, "-o", str(folder))
        assert messages == [f"handoff: {stored} of 2 from the cache"]
        outputs.append((stdout, {path.name: path.read_bytes() for path in folder.glob("*.parquet")}))
    assert ran == NAMES.split(",")
    assert outputs[0] == outputs[1]
    assert {"runs.parquet", "handoffs.parquet", "delays.parquet"} <= set(outputs[0][1])


@pytest.mark.deep
def test_a_report_is_the_same_to_the_byte(scenario, tmp_path, ran):
    page, contents = tmp_path / "report.html", []
    for _ in range(2):
        compare(scenario, "--csv", "--report", str(page))
        contents.append(page.read_bytes())
    assert (len(ran), contents[0] == contents[1]) == (2, True)


def test_a_table_comes_from_the_results_of_a_command_without_tables(scenario, tmp_path, ran):
    compare(scenario)
    compare(scenario, "-o", str(tmp_path / "cached"))
    assert len(ran) == 2
    compare(scenario, "-o", str(tmp_path / "fresh"), "--no-cache")
    assert len(ran) == 4
    cached, fresh = (interface.read(tmp_path / name) for name in ("cached", "fresh"))
    for name in ("handoffs", "flows", "links", "nodes"):
        assert repr(getattr(cached, name).to_pylist()) == repr(getattr(fresh, name).to_pylist())
    columns = [name for name in fresh.runs.column_names if not name.startswith(("wall", "controller"))]
    assert repr(cached.runs.select(columns).to_pylist()) == repr(fresh.runs.select(columns).to_pylist())
    names = {path.name for path in (tmp_path / "fresh").glob("*.parquet")}
    assert {path.name for path in (tmp_path / "cached").glob("*.parquet")} == names


def test_no_cache_neither_reads_nor_writes(scenario, tmp_path, ran):
    assert compare(scenario, "--no-cache")[1] == []
    assert not (tmp_path / "cache").exists()
    compare(scenario)
    compare(scenario, "--no-cache")
    assert len(ran) == 6


def test_the_environment_switches_the_cache_off(scenario, tmp_path, ran, monkeypatch):
    monkeypatch.setenv("HANDOFF_NO_CACHE", "1")
    compare(scenario)
    interface.compare(scenario, NAMES)
    assert len(ran) == 4
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("options", [["--threads", "2"], ["--memory-limit", "4GB"], ["--slo", "loss_ratio<=1%"]], ids=" ".join)
def test_options_that_do_not_decide_results_are_no_part_of_the_key(scenario, ran, options):
    compare(scenario)
    done = handoff_in_process("compare", scenario, "--procedures", NAMES, "-v", *options)
    assert "handoff: 2 of 2 from the cache\n" in done.stderr
    assert len(ran) == 2


@pytest.mark.deep
def test_processes_run_what_is_missing(scenario, monkeypatch):
    started, original = [], procedure_pool.run_in_processes

    def run(task, programs, *arguments, **options):
        started.append([program.procedure.name for program in programs])
        return original(task, programs, *arguments, **options)

    monkeypatch.setattr(procedure_pool, "run_in_processes", run)
    compare(scenario)
    names = "mipv6,mipv4,mipv4-bicast,sync-mipv4"
    stdout, messages = compare(scenario, "--jobs", "2", "--csv", procedures=names)
    assert messages == ["handoff: 2 of 4 from the cache"]
    assert started == [["mipv6", "mipv4-bicast"]]
    assert [line.split(",")[0] for line in stdout.splitlines()[1:]] == names.split(",")
    assert compare(scenario, "--csv", procedures=names) == (stdout, ["handoff: 4 of 4 from the cache"])


def test_a_study_with_checkpoints_runs_and_stores_its_results(scenario, tmp_path, ran):
    checkpoints = ["--checkpoint-every", "1h", "--checkpoint", str(tmp_path / "walk.checkpoint")]
    for _ in range(2):
        assert compare(scenario, *checkpoints)[1] == []
    assert len(ran) == 4
    assert compare(scenario)[1] == ["handoff: 2 of 2 from the cache"]


def test_a_capture_has_the_packets_of_a_run(scenario, tmp_path, ran):
    for name in ("one", "two"):
        file = tmp_path / f"{name}.pcapng"
        done = handoff_in_process("run", scenario, "--procedure", "mipv4", "--pcap", str(file))
        assert done.returncode == 0, done.stderr
        assert file.stat().st_size > 10_000
    assert ran == ["mipv4", "mipv4"]


def test_python_and_the_command_line_share_the_cache(scenario, ran, caplog):
    compare(scenario)
    with caplog.at_level(logging.DEBUG, "handoff.cache"):
        result = interface.run(scenario, "sync-mipv4")
    assert caplog.messages[-1] == "1 of 1 from the cache"
    assert len(ran) == 2
    again = interface.run(scenario, "sync-mipv4", cache=False)
    assert len(ran) == 3
    assert again.runs["fingerprint"].equals(result.runs["fingerprint"])


def test_procedures_of_a_user_run_from_python(scenario, ran):
    rows = replace(interface.PROCEDURES["mipv4"], name="rows")
    own = replace(rows, name="own", mobile_node=type("Own", (MobileNodeController,), {}))
    for _ in range(2):
        assert interface.compare(scenario, [rows, own, "mipv4"]).runs["procedure"].to_pylist() == ["rows", "own", "mipv4"]
    assert ran == ["rows", "own", "mipv4", "own"]
