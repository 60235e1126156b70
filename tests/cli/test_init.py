"""``handoff init``: examples are written with their files, and no file of a user is replaced. ``python -m handoff``, ``-V``."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from handoff.cli.examples import EXAMPLES, example_names, example_summary
from handoff.cli.main import main
from handoff.experiments.execution.input_files import file_names

ROOT = Path(__file__).parents[2]


def invoke(*words):
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_are_those_of_the_repository():
    assert EXAMPLES.resolve() == ROOT / "examples"
    assert example_names() == sorted(path.stem for path in (ROOT / "examples").glob("*.toml"))


@pytest.mark.parametrize("name", example_names())
def test_an_example_is_written_with_its_files(here, name):
    code, out, err = invoke("init", "--from", name)
    assert (code, err) == (0, "")
    text = (EXAMPLES / f"{name}.toml").read_text()
    assert (here / f"{name}.toml").read_text() == text
    for file in file_names(tomllib.loads(text)):
        source = EXAMPLES / file
        if source.exists():
            assert (here / file).read_bytes() == source.read_bytes()
        else:
            assert f"{name}.toml: {file} is not part of Handoff" in out


def test_the_default_scenario_is_valid(here):
    code, out, _ = invoke("init")
    assert out.splitlines()[-2:] == ["Check it: handoff validate commute.toml", "Run it:   handoff compare commute.toml"]
    assert code == invoke("validate", "commute.toml")[0] == 0
    assert invoke("init") == (0, out, "")  # the same files again


def test_path_is_a_file_or_a_folder(here):
    (here / "folder").mkdir()
    assert invoke("init", "--from", "metro", "folder")[0] == invoke("init", "--from", "metro", "new/city.toml")[0] == 0
    assert (here / "folder/metro.toml").exists()
    assert (here / "new/city.toml").exists()
    assert (here / "new/captures/commute.pcap").exists()
    for folder in ("other/", "deep/er"):  # a shell completes a folder with a slash, which a path does not have
        assert invoke("init", "--from", "train", folder)[0] == 0
        assert (here / folder / "train.toml").is_file()


def test_a_file_with_another_name_is_no_new_folder(here):
    (here / "mine").write_text("mine")
    (here / "link").symlink_to("nothing")
    code, _, err = invoke("init", "mine")
    assert (code, err) == (2, "mine: exists already with another content: give another PATH, or move the file away\n")
    code, _, err = invoke("init", "link")
    assert (code, err) == (2, "link: a symbolic link, which is not followed: give the path of a file\n")


def test_a_file_of_the_user_is_not_replaced(here):
    (here / "commute.associations.csv").write_text("mine")
    code, out, err = invoke("init")
    assert (code, out) == (2, "")
    assert err == "commute.associations.csv: exists already with another content: give another PATH, or move the file away\n"
    assert sorted(path.name for path in here.iterdir()) == ["commute.associations.csv"]
    assert (here / "commute.associations.csv").read_text() == "mine"


def test_list_shows_each_example_with_its_first_sentence(here):
    code, out, _ = invoke("init", "--list")
    lines = out.splitlines()
    assert (code, [line.split()[0] for line in lines]) == (0, example_names())
    assert lines[example_names().index("home_agent")].endswith("How many mobile nodes can one home agent serve?")
    assert all(example_summary(name)[-1] in ".?" for name in example_names())
    assert list(here.iterdir()) == []


def test_an_unknown_example_is_answered_with_a_similar_one():
    code, _, err = invoke("init", "--from", "comute")
    assert code == 2
    assert "no example 'comute'; did you mean 'commute'?" in err


def test_the_figures_need_no_scenario_in_the_current_folder():
    code, out, _ = invoke("ladder", "--figure", "12A")
    assert code == 0
    assert "12A" in out


def test_the_module_is_the_program():
    done = subprocess.run([sys.executable, "-m", "handoff", "-V"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.startswith("handoff, version "), done.stderr) == (0, True, "")
    assert invoke("-V")[1] == invoke("--version")[1] == done.stdout
