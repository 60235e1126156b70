"""Inputs that are no regular files, and absurd counts: refused at once with one sentence."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from tests.unit.experiments.planning.one_mobile_node import commuting

KINDS = ["pipe", "/dev/zero", "folder"]
VARY = ["--vary", "lifetime=100s:200s", "--slo", "lost<=9", "--jobs", "1"]
SWEEP = ["-o", "out", "--procedures", "mipv4", "--jobs", "1"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("folder").mkdir()
    commuting(tmp_path).rename("town.toml")
    return tmp_path


def refusal(*words):
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert isinstance(done.exception, SystemExit), done.exception
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    return done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_scenario_is_a_regular_file(kind):
    for words in (["validate"], ["run", "--procedure", "mipv4"], ["plan", *VARY], ["sweep", *SWEEP]):
        message = refusal(words[0], kind, *words[1:])
        assert message.startswith(f"{kind}: cannot be read: is a ")
        assert "not a regular file" in message
        assert message.count("\n") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_trace_is_a_regular_file(kind):
    expected = "is not a regular file; the path of a file; save a pipe's output first"
    assert refusal("trace", "info", kind) == f"{kind}: byte 0: {expected}\n"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("words", [["run", "--procedure", "mipv4"], ["validate"], ["sweep", *SWEEP], ["plan", *VARY]])
@pytest.mark.parametrize("traffic", [True, False])
def test_a_file_of_a_scenario_is_a_regular_file(kind, words, traffic):
    text = Path("town.toml").read_text()
    capture = f'capture = "{kind}"\nmobile_address = "10.0.0.1"\n'
    if traffic:
        text = text.replace('interval = "1ms"\nsize_bytes = 200\n', capture)
    else:
        text = text[: text.index("[movement.commuters]")] + f'[movement]\nassociations = "{kind}"\n'
    Path("s.toml").write_text(text)
    assert "not a regular file" in refusal(words[0], "s.toml", *words[1:])


@pytest.mark.parametrize("kind", KINDS[:2])
def test_a_file_of_a_dataset_is_a_regular_file(kind):
    run = Path("data/runs/point=0123456789abcdef")
    run.mkdir(parents=True)
    (run / "seed=1.parquet").symlink_to(Path(kind).absolute())
    done = CliRunner().invoke(main, ["query", "select count(*) as n from runs", "data", "--csv"])
    assert (done.exit_code, done.stdout) == (0, "n\n0\n")
    assert "damaged: is a " in done.stderr  # and neither the number of an error nor the name a second time
    assert "not a regular file" in done.stderr
    assert done.stderr.count("seed=1.parquet") == 1


def test_a_checkpoint_is_a_regular_file():
    message = refusal("run", "town.toml", "--procedure", "mipv4", "--resume", "--checkpoint", "pipe")
    assert message.startswith("--checkpoint: pipe: a device or pipe, which is not replaced")


@pytest.mark.parametrize("count", [10**10, 2**63, 2**64, 10**400])
@pytest.mark.parametrize(("key", "limit"), [("mobile_nodes", 2**31 - 1), ("routers.cell.buffer_packets", 10**15)])
def test_counts_have_upper_bounds(count, key, limit):
    if count <= limit:
        return
    message = refusal("validate", "town.toml", "--set", f"{key}={count}")
    assert message.startswith("--set: ")
    assert message.count("\n") == 1


def test_deep_nesting_is_refused_in_a_file_and_in_an_option():
    deep = "[" * 10_000 + "]" * 10_000
    Path("deep.toml").write_text(f"x = {deep}\n")
    assert refusal("validate", "deep.toml") == "deep.toml: not TOML: tables and lists are nested deeper than 16 levels\n"
    assert "duration" in refusal("validate", "town.toml", "--set", f"duration={deep}")
