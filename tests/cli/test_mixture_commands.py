"""Mixtures of procedures in the commands ``compare``, ``run``, ``sweep``, ``plan`` and ``ladder``."""

import json

import pytest

from handoff.experiments.sweep.query import query
from tests.unit.experiments.sweep.small_sweep import SCENARIO, run_command

MIXTURE = """
[[mixture]]
procedure = "sync-mipv6"
share = 0.5

[[mixture]]
procedure = "mipv6"
"""
SHARES = "share=0..1 step 0.5"


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SCENARIO + MIXTURE)
    return path


def test_a_comparison_has_a_row_for_each_group_below_the_mixture(scenario):
    code, out, err = run_command("compare", scenario, "--procedures", "mixture,mipv6")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[2:6]] == ["mixture", "sync-mipv6", "mipv6", "mipv6"]
    assert "  sync-mipv6 (2 MN)" in out
    assert "  mipv6 (2 MN)" in out


def test_json_has_the_groups_of_a_mixture(scenario):
    code, out, _ = run_command("run", scenario, "--procedure", "mixture", "--json")
    assert code == 0
    (run,) = json.loads(out)["runs"]
    assert [(g["procedure"], g["mobile_nodes"], g["signalling_messages"]) for g in run["groups"]] == [
        ("sync-mipv6", 2, None), ("mipv6", 2, None),
    ]  # fmt: skip
    assert sum(g["handoffs"] for g in run["groups"]) == run["handoffs"] > 0
    assert run["extra_bytes"] is not None


def test_a_sweep_of_the_share_draws_the_migration_curve(scenario, tmp_path):
    """At its ends the mixture is one of the pure runs."""
    folder = tmp_path / "out"
    words = ("-o", folder, "--jobs", "1", "--runs", "2", "--vary", SHARES, "--procedures", "mixture,mipv6,sync-mipv6")
    code, out, err = run_command("sweep", scenario, *words)
    assert code == 0, out + err
    select = "select fingerprint from runs join points using (point) where points.procedure = '{}' and share = {} order by seed"
    for share, procedure in ((0, "mipv6"), (1, "sync-mipv6")):
        mixed, pure = (query(folder, select.format(name, share)).rows for name in ("mixture", procedure))
        assert mixed == pure
        assert len(mixed) == 2
    members = "select share, mobile_procedure, mobile_nodes from groups join points using (point) where seed = 1 order by 1, 2"
    assert [(float(share), *rest) for share, *rest in query(folder, members).rows] == [
        (0, "mipv6", 4), (0, "sync-mipv6", 0), (0.5, "mipv6", 2), (0.5, "sync-mipv6", 2), (1, "mipv6", 0), (1, "sync-mipv6", 4),
    ]  # fmt: skip


def test_a_plan_searches_the_share(scenario):
    words = ("--vary", "share=0.2:0.8", "--slo", "lost<=1000000", "--procedures", "mixture", "--jobs", "1", "--precision", "0.5")
    code, out, err = run_command("plan", scenario, *words, "--json")
    (answer,) = json.loads(out)["answers"]
    assert answer["procedure"] == "mixture", err
    assert answer["met"] == 0.8
    assert answer["theory"] == []
    assert code in (0, 1)


def test_closed_forms_of_a_mixture_are_refused(scenario):
    words = ("--vary", "share=0.2:0.8", "--slo", "lost<=1", "--procedures", "mixture", "--analytic")
    code, _, err = run_command("plan", scenario, *words)
    assert code == 2
    assert err == "--analytic: there is no closed form of a mixture: name its procedures, or leave out --analytic\n"


def test_a_ladder_has_the_program_of_the_mobile_node(scenario):
    text = {}
    for share, procedure in ((0, "mipv6"), (1, "sync-mipv6")):
        words = ("ladder", scenario, "--mn", "0", "--handoff", "0", "--set", "duration=60s", "--set", f"share={share}")
        text[share] = [run_command(*words, "--procedure", name) for name in ("mixture", procedure)]
    for mixed, pure in text.values():
        assert mixed[0] == 0, mixed[2]
        assert mixed == pure
    assert "BU" in text[0][0][1]
    assert text[0] != text[1]


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--procedure"), ("sweep", "--dry-run", "--procedures"),
        ("ladder", "--mn", "0", "--handoff", "0", "--procedure"),
    ],
)  # fmt: skip
def test_a_mixture_without_groups_is_refused(tmp_path, command):
    path = tmp_path / "plain.toml"
    path.write_text(SCENARIO)
    code, _, err = run_command(command[0], path, *command[1:], "mixture")
    assert code == 2
    assert err == "mixture: the scenario has no groups: give each group a table [[mixture]]\n"


def test_all_mistakes_are_reported_at_once(scenario):
    scenario.write_text(
        SCENARIO + MIXTURE.replace("sync-mipv6", "sync-mipv9").replace('"mipv6"', '"sync-hmipv6"\nshare = 0.2')
    )
    code, out, err = run_command("compare", scenario, "--procedures", "mixture,mipv5")
    assert (code, out) == (2, "")
    for text in (
        "no procedure 'mipv5'", "mixture.0.procedure: no procedure 'sync-mipv9'; did you mean 'sync-mipv4'?",
        "mixture.1.procedure: sync-hmipv6 is hierarchical: give each router a region with a gateway",
        "mixture: the shares add up to 0.7 instead of 1",
    ):  # fmt: skip
        assert text in err


def test_names_without_a_mobile_node_are_reported(scenario):
    scenario.write_text(SCENARIO + MIXTURE.replace("share = 0.5", 'mobiles = ["mn2", "bus*"]'))
    code, _, err = run_command("validate", scenario)
    assert code == 2
    assert err == f"{scenario}: mixture.0: no mobile node matches 'bus*'; there are mn0 to mn3\n"


def test_a_capture_of_a_mixture_is_refused(scenario, tmp_path):
    code, _, err = run_command("run", scenario, "--procedure", "mixture", "--pcap", tmp_path / "x.pcapng")
    assert code == 2
    assert err == "--pcap writes the messages of one procedure, and not of a mixture: name one of its procedures\n"
