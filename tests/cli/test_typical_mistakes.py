"""Typical mistakes, and the answer that each gets: what is wrong, where, and what would be right. Nothing runs, exit code 2."""

import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from tests.unit.scenario.sample_scenarios import COMMUTERS

RUN = ("run", "street.toml", "--procedure", "mipv4")
PLAN = ("plan", "street.toml", "--vary", "mobile_nodes=1..9")
LOST = ("--slo", "lost<=0")
MISTAKES = [
    # files
    (("run", "nothere.toml", "--procedure", "mipv4"), "nothere.toml: cannot be read: No such file or directory"),
    (("validate", "text.toml"), "text.toml:1: not TOML: Illegal character '\\n'; is a quote missing at the end of the text?"),
    (("trace", "info", "nothere.pcap"), "nothere.pcap: byte 0: cannot be opened: No such file or directory"),
    (("query", "select 1", "nowhere"), "nowhere: no results: "),
    (("query", ".", "select 1"), "the SQL comes first, then the folder: handoff query 'select …' DIR"),
    # names of commands, options, procedures and examples
    (("compares", "street.toml"), "no command 'compares'; did you mean 'compare'?"),
    (("run", "street.toml"), "Missing option '--procedure'. Choose one of mipv4, "),
    (("run", "street.toml", "--procedure", "mipv"), "no procedure 'mipv'; did you mean 'mipv4' or 'mipv6' or 'pmipv6'?"),
    (("compare", "street.toml", "--procedures", "mipv4,synch-mipv4"), "no procedure 'synch-mipv4'; did you mean 'sync-mipv4' or"),
    (("init", "--from", "comute"), "no example 'comute'; did you mean 'commute'?"),
    (("explain", "mobile-node"), "no term 'mobile-node'; did you mean 'Mobile node' or"),
    # keys and values of the scenario
    ((*RUN, "--set", "options.bicst=1s"), "--set: options.bicst: unknown key; did you mean 'bicast'?"),
    ((*RUN, "--set", "bicast=200ms"), "--set bicast: no field of a scenario; did you mean 'options.bicast' or"),
    ((*RUN, "--set", "options.bicast=200"), "--set: options.bicast: 200 has no unit: write text with one, as in '20ms'"),
    ((*RUN, "--set", "options.bicast=200msec"), "'200msec' is not a duration: write a number and one of ps, ns, us, µs, ms, s"),
    ((*RUN, "--set", "options.bicast=5m"), "'m' is ambiguous: write 'min' for minutes or 'ms' for milliseconds"),
    ((*RUN, "--set", "routers.cell.rate=1G"), "'1G' is not a rate: 'G' is ambiguous: write 'Gbit/s', a rate in bits"),
    ((*RUN, "--set", "routers.cell.shared=yes"),
     "routers.cell.shared: 'yes' is neither true nor false: write one of them, without"),
    ((*RUN, "--set", "regions.wired_to=hq"), "--set: regions.wired_to: no node 'hq'; there are ha, cn, gw0, "),
    # ranges
    (("plan", "street.toml", "--vary", "mobile_nodes=35k-45k", *LOST), "'35k-45k' is not a range: write LOW..HIGH, as in 1k..1M"),
    (("plan", "street.toml", "--vary", "nodes=35k:45k", *LOST),
     "--vary nodes: no field of a scenario; did you mean 'mobile_nodes'?"),
    (("sweep", "street.toml", "-o", "out", "--procedures", "mipv4", "--vary", "handoff_rate=1:10"),
     "--vary handoff_rate: 1 has no unit: write values with one, as in '75/h'"),
    (("sweep", "street.toml", "--vary", "buffer=1,2"),
     "give the folder of the dataset with -o DIR, or preview the runs with --dry-run"),
    # measures and targets
    ((*PLAN, "--slo", "registration_wait_mean<=5ms"),
     "no measure 'registration_wait_mean'; did you mean ha.registration_wait_mean"),
    ((*PLAN, "--slo", "ha.registration_wait_mean<=5"), "'5' is not a duration: write a number and one of ps, ns, us, µs, ms, s"),
    ((*PLAN, "--slo", "packet loss<=1%"), "no measure 'packet loss'; did you mean loss_ratio or"),
    (("sweep", "street.toml", "-o", "out", "--procedures", "mipv4", "--metric", "los_ratio"), "did you mean loss_ratio"),
    # mobile nodes
    (("ladder", "street.toml", "--procedure", "mipv4", "--mn", "mn700", "--handoff", "1"),
     "no mobile node 'mn700': give a name (mn0 to"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "answer"), MISTAKES, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_a_mistake_is_answered_in_one_line(tmp_path, monkeypatch, words, answer):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "street.toml").write_text(COMMUTERS)
    (tmp_path / "text.toml").write_text(COMMUTERS.replace('name = "street"', 'name = "street', 1))
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = [line for line in done.stderr.splitlines() if line and not line.startswith(("Usage:", "Try "))]
    assert answer in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["street.toml", "text.toml"]


def test_the_mistakes_of_one_scenario_are_reported_together(tmp_path, monkeypatch):
    """A router that is not there, a unit with two meanings, a boolean in quotes, a misspelled key: four lines, in file order."""
    monkeypatch.chdir(tmp_path)
    text = COMMUTERS.replace('to = "cn"', 'to = "cx"').replace('"5/min"', '"5/m"').replace("20\n", '20\nprefx = "mn"\n', 1)
    (tmp_path / "s.toml").write_text(text.replace('cell = { delay = "4ms" }', 'cell = { delay = "4ms", shared = "yes" }'))
    done = CliRunner().invoke(main, ("compare", "s.toml", "--procedures", "mipv"))
    assert [line.split(": ")[:2] for line in done.stderr.splitlines()] == [
        ["no procedure 'mipv'; did you mean 'mipv4' or 'mipv6' or 'pmipv6'?"],
        ["s.toml:11", "routers.cell.shared"],
        ["s.toml:19", "movement.commuters.prefx"],
        ["s.toml:20", "movement.commuters.handoff_rate"],
        ["s.toml:33", "regions.link.0.to"],
    ]
