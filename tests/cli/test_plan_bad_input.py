"""Mistakes in a plan: each is one line, all are reported together, nothing runs, and the exit code is 2."""

import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from tests.unit.experiments.planning.one_mobile_node import commuting, one_handoff

LOST = ("--slo", "lost<=0")
NODES = ("--vary", "mobile_nodes=1:10")

ROWS = [
    ((), "give either --vary NAME=LOW..HIGH or --size WHAT"),
    ((*NODES, "--size", "lead"), "give either --vary NAME=LOW..HIGH or --size WHAT"),
    (NODES, "no target: give --slo 'MEASURE<=LIMIT'"),
    (("--size", "agents"), "--size agents: the scenario has no [regions]"),
    (("--vary", "mobile_node=1:10", *LOST), "mobile_node: no field of a scenario; did you mean 'mobile_nodes'?"),
    (("--vary", "mobile_nodes", *LOST), "--vary 'mobile_nodes': write NAME=LOW..HIGH"),
    (("--vary", "options.bufer=1:10", *LOST), "options.bufer"),
    (("--vary", "routers.names=1:10", *LOST), "routers.names: is not a number"),
    (("--vary", "mobile_nodes=10", *LOST), "mobile_nodes: '10' is not a range: write LOW..HIGH"),
    (("--vary", "mobile_nodes=10:1", *LOST), "mobile_nodes: '10:1' goes down: write the smaller value first"),
    (("--vary", "mobile_nodes=10:10", *LOST), "mobile_nodes: '10:10' is a single value"),
    (("--vary", "mobile_nodes=0:10", *LOST), "mobile_nodes=0: movement.commuters.mobile_nodes"),
    (("--vary", "mobile_nodes=1ms:10ms", *LOST), "mobile_nodes: '1ms' is not a count"),
    (("--vary", "lifetime=10:600", *LOST), "lifetime: '10' is not a duration"),
    (("--vary", "lifetime=1500ms:600s", *LOST), "lifetime: '1500ms:600s' is finer than 1 s, the smallest step of this field"),
    (("--vary", "handoff_rate=1/h:100000/h", *LOST), "handoff_rate=100000/h: movement.commuters: a handoff each 0.036 s"),
    ((*NODES, "--slo", "lost"), "--slo 'lost' is not a target: write MEASURE<=LIMIT"),
    ((*NODES, "--slo", "losst<=0"), "--slo no measure 'losst'; did you mean lost"),
    ((*NODES, "--slo", "hq.registration_wait_mean<=1ms"), "no node or link 'hq'; did you mean ha?"),
    ((*NODES, "--slo", "ha.registration_wait<=1ms"), "ha.registration_wait: a node has no 'registration_wait'; did you mean"),
    ((*NODES, "--slo", "latency_p99<=50"), "'50' is not a duration: write a number and one of ps"),
    ((*NODES, "--slo", "lost<=1ms"), "'1ms' is not a number of packets"),
    ((*NODES, "--slo", "loss_ratio<=1ms"), "'1ms' is not a ratio: write a number from 0 to 1, or a percentage"),
    ((*NODES, "--slo", "loss_ratio<=nan"), "'nan' is not a ratio"),
    ((*NODES, "--slo", "loss_ratio<0"), "no value of loss_ratio meets it: a ratio lies between 0 and 1"),
    ((*NODES, "--slo", "loss_ratio<=2"), "every value of loss_ratio meets it"),
    ((*NODES, "--slo", "lost>=0"), "every value of lost meets it: it is never below 0"),
    ((*NODES, *LOST, *LOST), "target 'lost <= 0 packets' is listed twice"),
    ((*NODES, *LOST, "--slo", "lost>=1"), "targets 'lost <= 0 packets' and 'lost >= 1 packet' contradict each other"),
    ((*NODES, *LOST, "--procedures", "mipv9"), "no procedure 'mipv9'; did you mean 'mipv4' or"),
    ((*NODES, *LOST, "--procedures", "mipv4,mipv4"), "procedure 'mipv4' is listed twice"),
    ((*NODES, *LOST, "--procedures", "sync-hmipv4"), "sync-hmipv4 is hierarchical: give each router a region"),
    ((*NODES, *LOST, "--warmup", "12s"), "--warmup 12s: the run ends at 12s: nothing would be measured"),
    ((*NODES, *LOST, "--warmup", "12"), "--warmup: '12' is not a duration"),
    ((*NODES, *LOST, "--confidence", "1"), "--confidence"),
    ((*NODES, *LOST, "--most-runs", "1"), "--most-runs"),
    ((*NODES, *LOST, "--set", "options.lifetim=1s"), "--set: options.lifetim: unknown key; did you mean 'lifetime'?"),
]  # fmt: skip


def run_invalid_plan(file, *words):
    """Return stderr of a plan that is refused."""
    done = CliRunner().invoke(main, ["plan", str(file), *words, "--jobs", "1"])
    assert done.exit_code == 2, (done.output, done.exception)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(("words", "message"), ROWS, ids=[" ".join(words) or "nothing" for words, _ in ROWS])
def test_each_mistake_is_one_line(tmp_path, words, message):
    error = run_invalid_plan(commuting(tmp_path), *words)
    assert message in error
    assert error.count("\n") == 1 or error.startswith("Usage")


def test_a_scenario_without_commuters_has_no_lead_to_size(tmp_path):
    assert "movement gives no lead that can vary" in run_invalid_plan(one_handoff(tmp_path, down=0, up=5), "--size", "lead")


def test_a_field_has_to_be_in_the_scenario(tmp_path):
    assert "mobile_nodes: this scenario has no such field" in run_invalid_plan(one_handoff(tmp_path, down=0, up=5), *NODES, *LOST)


def test_all_mistakes_are_reported_together(tmp_path):
    words = ("--vary", "mobile_nodes=9:1", "--slo", "losst<=0", "--slo", "latency_p99<=5", "--procedures", "x,y", "--warmup", "1")
    assert run_invalid_plan(commuting(tmp_path), *words).count("\n") == 6


def test_a_missing_scenario_file_is_reported(tmp_path):
    assert "cannot be read" in run_invalid_plan(tmp_path / "none.toml", *NODES, *LOST)
