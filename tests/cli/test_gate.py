"""Targets of ``run``, ``compare``, ``sweep`` and ``plan`` as a gate of continuous integration."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from handoff.cli.main import main
from tests.unit.api.conftest import WALK

SCENARIO = """name = "walk"
duration = "3s"
[[correspondent]]
name = "cn"
[home_agent]
name = "ha"
[[link]]
between = ["cn", "ha"]
rate = "100Mbit/s"
delay = "5ms"
buffer_packets = 100
[routers]
names = ["ar0", "ar1"]
wired_to = "ha"
wired = {rate = "100Mbit/s", delay = "5ms", buffer_packets = 100}
neighbours = {rate = "100Mbit/s", delay = "5ms", buffer_packets = 100}
cell = {rate = "100Mbit/s", delay = "5ms", buffer_packets = 100}
[[traffic]]
interval = "10ms"
size_bytes = 200
phase = "10ms"
[movement]
associations = "walk.csv"
[options]
old_buffer_packets = 0
"""
ONE_LINK = "mobile,router,up_s,down_s,predict_s,going_down_s\nmn,ar0,0,0.8,0.5,0.7\nmn,ar1,0.9,,,\n"
"""The mobile node has no link for 100 ms: under mipv4 the old router, which holds nothing, drops at least ten packets."""
COMMANDS = {
    "run": ("run", "walk.toml", "--procedure", "{name}"),
    "compare": ("compare", "walk.toml", "--procedures", "{name}"),
    "sweep": ("sweep", "walk.toml", "--procedures", "{name}", "--runs", "1", "-o", "data", "--jobs", "1"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder with the scenario and its movement."""
    (tmp_path / "walk.toml").write_text(SCENARIO)
    (tmp_path / "walk.csv").write_text(ONE_LINK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, [*words])


@pytest.mark.parametrize(("name", "code", "mark"), [("sync-mipv4", 0, "✓"), ("mipv4", 3, "✗")])
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("source", ["--slo", "[slo]"])
def test_a_missed_target_gives_exit_code_3(folder, command, name, code, mark, source):
    """No packet of sync-mipv4 is lost; mipv4 loses at least those of 100 ms, one each 10 ms."""
    words = [word.format(name=name) for word in COMMANDS[command]]
    if source == "--slo":
        words += ["--slo", "lost<=5"]
    else:
        (folder / "walk.toml").write_text(SCENARIO + '[slo]\ntargets = ["lost<=5"]\n')
    result = invoke(*words, "--junit", "report.xml")
    assert (result.exit_code, result.stderr) == (code, "")
    (line,) = [line for line in result.stdout.splitlines() if line[0] in "✓✗"]
    assert line.startswith(f"{mark} {name}: lost <= 5 packets: ")
    suite = ElementTree.parse(folder / "report.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", str(int(code == 3)))
    case = suite.find(".//testcase")
    assert (case.get("classname"), case.get("name")) == (name, "lost <= 5 packets")
    assert (case.find("failure") is None) == (code == 0)
    words[-1 if source == "--slo" else len(words) :] = words[-1:] if source == "--slo" else []
    document = json.loads(invoke(*words, "--json").stdout)
    assert document["passed"] is (code == 0)
    (target,) = document["targets"]
    assert (target["subject"], target["passed"], target["limit"], target["unit"]) == (name, code == 0, 5, "packets")
    assert target["value"] == 0 if code == 0 else target["value"] >= 10


def test_without_targets_nothing_is_judged():
    result = invoke(*(word.format(name="mipv4") for word in COMMANDS["run"]), "--json")
    assert result.exit_code == 0
    assert "passed" not in json.loads(result.stdout)


def test_a_plan_writes_one_case_for_each_answer(folder):
    plan = ("plan", "walk.toml", "--vary", "new_buffer=1:30", "--slo", "lost<=0", "--jobs", "1", "--junit", "plan.xml")
    result = invoke(*plan, "--procedures", "mipv4,sync-mipv4")
    cases = ElementTree.parse(folder / "plan.xml").getroot().findall(".//testcase")
    failed = {case.get("classname"): case.find("failure") is not None for case in cases}
    assert (failed, result.exit_code) == ({"mipv4": True, "sync-mipv4": False}, 3)


def test_a_measure_without_a_value_is_missed():
    """299 packets are too few for a 99.9 % quantile of interruptions, of which there is one."""
    result = invoke("run", "walk.toml", "--procedure", "mipv4", "--slo", "disruption_p99<=1s")
    assert result.exit_code == 3
    assert "✗ mipv4: disruption_p99 <= 1 s: too few samples (1)" in result.stdout


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--slo", "lots<=5"), "--slo no measure 'lots'; did you mean lost"),
        (("--slo", "seamless>=0.5", "--no-detail"), "needs a record of every packet: leave out --no-detail"),
        (("--junit", "report.xml"), "--junit: there is no target"),
        (("--slo", "lost<=5", "--junit", "walk.toml"), "walk.toml"),
    ],
)
@pytest.mark.parametrize("command", ["run", "compare"])
def test_wrong_targets_are_refused_before_anything_runs(folder, command, words, problem):
    result = invoke(*(word.format(name="mipv4") for word in COMMANDS[command]), *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert problem in result.stderr
    assert not (folder / "report.xml").exists()
    assert (folder / "walk.toml").read_text() == SCENARIO


def test_the_python_interface_has_the_same_outcomes(folder):
    import handoff

    walk = WALK | {"options": {"old_buffer_packets": 0}}
    result = handoff.compare(walk, ["mipv4", "sync-mipv4"], targets=["lost<=5"])
    assert [(o.subject, o.passed) for o in result.outcomes] == [("mipv4", False), ("sync-mipv4", True)]
    assert not result.passed
    assert "✗ mipv4: lost <= 5 packets" in repr(result)
    assert "✗ mipv4: lost &lt;= 5 packets" in result._repr_html_()
    assert handoff.run(walk, "sync-mipv4", targets=["lost<=5"]).passed
    with pytest.raises(handoff.HandoffError, match="targets no measure 'lots'"):
        handoff.run(walk, "mipv4", targets=["lots<=5"])
