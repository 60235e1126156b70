"""``handoff ladder`` as a whole command."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from handoff.output.ladder.figures import FIGURES
from tests.cli.test_commands import COMMUTE, handoff_in_process

ROOT = Path(__file__).parents[2]
COMMAND = ["ladder", COMMUTE, "--procedure", "sync-mipv6-ro", "--set", "duration=100s", "--handoff", "3", "--mn"]
FIGURES_TOML = str(ROOT / "examples" / "figures.toml")


def ladder(*arguments, code=0):
    done = handoff_in_process(*COMMAND, *arguments)
    assert done.returncode == code, done.stderr
    return done


def figure(*arguments, code=0):
    done = handoff_in_process("ladder", *arguments)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def printed():
    return ladder("7").stdout


def test_a_ladder_is_printed(printed):
    assert printed.startswith("sync-mipv6-ro, scenario I: handoff 3 of mn7 (old router ar1, new router ar0, HA ha, CN cn)\n")
    for message in ("BU1", "BU2", "DBU", "BA1", "BA2", "DBA"):
        assert f" {message} " in printed
    assert "\nto scale, one character for " in printed
    legend = "; ".join(["BU: binding update", "DBU: binding update that deregisters", "BA: binding acknowledgement",
                        "DBA: its acknowledgement"])  # fmt: skip
    assert " ".join(printed.splitlines()[-2:]).endswith(legend)


def test_replies_with_route_optimization_are_in_phase_3(printed):
    """The acknowledgement of the home agent and the marker of the correspondent are not under phase I-2."""
    second = printed.partition("-- I-2 ")[2].partition("-- I-3 ")[0]
    assert " BU1 " in second
    assert " BA1 " not in second
    assert " DBA " not in second


def test_a_ladder_is_written_as_svg(tmp_path):
    out = tmp_path / "one.svg"
    assert figure(FIGURES_TOML, "--procedure", "mipv4", "--mn", "I", "--handoff", "0", "-o", str(out)).stdout == ""
    ET.parse(out)
    assert [path.name for path in tmp_path.iterdir()] == ["one.svg"]


def test_a_missing_folder_is_reported(tmp_path):
    assert ladder("7", "-o", str(tmp_path / "no" / "x.svg"), code=2).stderr == f"-o: {tmp_path / 'no'} is not a folder\n"


@pytest.mark.parametrize("arguments", [["--figure", "12A"], ["--procedure", "mipv4", "--mn", "I", "--registration"]])
def test_a_folder_in_place_of_a_file_is_reported_before_the_run(tmp_path, arguments):
    done = figure(str(tmp_path / "no scenario"), *arguments, "-o", str(tmp_path), code=2)
    assert done.stderr == f"-o: {tmp_path} is a folder: give a file\n"


def test_a_file_in_place_of_the_folder_of_all_figures_is_reported_before_the_run(tmp_path):
    file = tmp_path / "figures"
    file.write_text("kept")
    done = figure(str(tmp_path / "no scenario"), "--figure", "all", "-o", str(file), code=2)
    assert done.stderr == f"-o: {file} is a file: give the folder of the figures\n"
    assert file.read_text() == "kept"


def test_an_unknown_mobile_node_is_reported():
    stderr = ladder("mn700", code=2).stderr
    assert stderr == "--mn: no mobile node 'mn700': give a name (mn0 to mn199) or 0 to 199\n"


def test_a_figure_is_printed():
    text = figure(FIGURES_TOML, "--figure", "12a").stdout
    assert text.startswith("FIG. 12A: sync-mipv4, phase I-3\nI, ")
    assert "\nDRR: HA > old router\n" in text


def test_the_default_scenario_of_figures_is_the_example(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert figure("--figure", "16A").stdout == figure(FIGURES_TOML, "--figure", "16A").stdout


def test_a_figure_is_written_as_svg(tmp_path):
    out = tmp_path / "12A.svg"
    assert figure(FIGURES_TOML, "--figure", "12A", "-o", str(out)).stdout == ""
    ET.parse(out)


def test_all_figures_are_written_into_a_folder_and_are_those_of_the_documentation(tmp_path):
    """The files of docs/figures are the output of this command."""
    folder = tmp_path / "figures"
    figure(FIGURES_TOML, "--figure", "all", "-o", str(folder))
    assert {path.stem for path in folder.iterdir()} == set(FIGURES)
    shown = ROOT / "docs" / "figures"
    different = [path.name for path in sorted(folder.iterdir()) if path.read_bytes() != (shown / path.name).read_bytes()]
    assert different == [], "run: handoff ladder --figure all -o docs/figures"


def test_the_page_of_the_figures_has_every_figure_with_its_procedure_and_phase():
    page = (ROOT / "docs" / "figures.md").read_text()
    for number, entry in FIGURES.items():
        phase = entry.phase if entry.access else "–"
        row = f"| [{number}](figures/{number}.svg) | `{entry.procedure}` | {phase} | `handoff ladder --figure {number}` |"
        assert row in page, number


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--figure", "60"], "--figure: no figure '60': give 1 to 52B, or all\n"),
        (["--figure", "all"], "--figure all: give the folder of the files with -o\n"),
        (["--figure", "1", "--mn", "no"], "--mn: no mobile node 'no': give a name (I to new) or 0 to 3\n"),
    ],
)
def test_a_wrong_figure_is_reported(arguments, message):
    assert figure(FIGURES_TOML, *arguments, code=2).stderr == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--figure", "12A", "--procedure", "mipv4"], "--procedure, --registration: leave them out; a figure has"),
        (["--mn", "I"], "give --procedure and either --handoff or --registration, or a --figure"),
    ],
)
def test_options_that_do_not_fit_are_reported(arguments, message):
    assert message in figure(FIGURES_TOML, *arguments, code=2).stderr


def test_options_without_a_scenario_are_reported():
    assert "give SCENARIO and --procedure and --mn and either --handoff or --registration, or a --figure" in figure(code=2).stderr


REGISTRATION = """
name = "first"
duration = "2s"
correspondent = { name = "cn" }
home_agent = { name = "ha", registration = "1ms" }
link = [{ between = ["cn", "ha"], delay = "20ms" }]
options = { discovery = "solicitation" }

[routers]
names = ["a"]
wired_to = "ha"
wired = { delay = "10ms" }
cell = { delay = "4ms" }

[[traffic]]
interval = "10ms"
size_bytes = 200

[movement]
associations = "moves.csv"
"""


def registration_scenario(folder, up):
    (folder / "moves.csv").write_text(f"mobile,router,up_s,down_s,predict_s,going_down_s\nm,a,{up},,,\n")
    path = folder / "first.toml"
    path.write_text(REGISTRATION)
    return ["ladder", str(path), "--procedure", "mipv4", "--mn", "m"]


def test_a_first_registration_is_drawn(tmp_path):
    """Figure 2 of the seed: solicitation and advertisement, then the request (20, 22) and the reply (24, 26)."""
    text = handoff_in_process(*registration_scenario(tmp_path, 1), "--registration").stdout
    assert text.startswith("mipv4: first registration of m (router a, HA ha, CN cn)\n")
    places = [text.index(f" {message} ") for message in ("AS9", "AA9", "RQ", "RR")]
    assert places == sorted(places)
    assert (text.count(" RQ "), text.count(" RR ")) == (2, 2)
    assert text.index("-- registration") < text.index(" RQ ") < text.index(" RR ") < text.index("-- data")


def test_a_mobile_node_that_is_registered_at_time_0_has_no_first_registration(tmp_path):
    done = handoff_in_process(*registration_scenario(tmp_path, 0), "--registration")
    assert done.returncode != 0
    assert "m does not register in this run: it is registered at time 0" in done.stderr


@pytest.mark.parametrize("extra", [[], ["--handoff", "0", "--registration"]])
def test_either_a_handoff_or_the_registration_is_drawn(tmp_path, extra):
    done = handoff_in_process(*registration_scenario(tmp_path, 1), *extra)
    assert done.returncode == 2
    assert "give either --handoff or --registration" in done.stderr
