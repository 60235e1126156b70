"""Tables [[mixture]]: groups with a share, with names, and with the remaining mobile nodes."""

import pytest

from handoff.scenario import ScenarioError
from handoff.scenario.load import load_scenario
from handoff.scenario.mixture import MixtureGroup, mixture_problems

from .sample_scenarios import COMMUTERS, MINIMAL


def groups(*tables):
    return [MixtureGroup.model_validate(table) for table in tables]


def problems_of(*tables, has_regions=False):
    return mixture_problems(groups(*tables), has_regions)


A, B, C = ({"procedure": name} for name in ("mipv4", "mipv6", "sync-mipv6"))


@pytest.mark.parametrize(
    "tables",
    [
        (),
        (A,),
        (A | {"share": 0.3}, B),
        (A | {"share": 0}, B | {"share": 1}),
        (A | {"share": 0.3}, B | {"share": 0.3}, C | {"share": 0.4}),
        (A | {"mobiles": "mn0"}, B | {"share": 0.25}, C),
        (A | {"mobiles": ["mn0", "mn7*"]}, B | {"mobiles": "mn1"}),
    ],
)
def test_groups_that_cover_all_mobile_nodes_are_valid(tables):
    assert problems_of(*tables) == []


def test_a_share_is_read_in_millionths():
    (group,) = groups(A | {"share": 0.3})
    assert group.share == 300_000
    assert not group.is_rest
    assert groups(A)[0].is_rest


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ((A | {"share": 0.3}, B | {"share": 0.6}), "mixture: the shares add up to 0.9 instead of 1: increase them, or leave out"),
        ((A | {"share": 0.7}, B | {"share": 0.6}), "mixture: the shares add up to 1.3: reduce them to 1 in all"),
        ((A | {"share": 0.7}, B | {"share": 0.6}, C), "mixture: the shares add up to 1.3: reduce them to 1 in all"),
        ((A, B), "mixture: only one group can have the remaining mobile nodes"),
        ((A | {"share": 1, "mobiles": "mn0"},), "mixture.0: give either 'share' or 'mobiles'"),
        (({"procedure": "sync-mpv4"},), "mixture.0.procedure: no procedure 'sync-mpv4'; did you mean 'sync-mipv4'?"),
        (({"procedure": "mixture"},), "mixture.0.procedure: no procedure 'mixture'; there are mipv4, "),
        ((A | {"share": 0.5}, {"procedure": "sync-hmipv4"}),
         "mixture.1.procedure: sync-hmipv4 is hierarchical: give each router a region"),
    ],
)  # fmt: skip
def test_groups_that_contradict_each_other_are_refused(tables, problem):
    (message,) = problems_of(*tables)
    assert message.startswith(problem)


def test_a_hierarchical_procedure_is_valid_with_regions():
    assert problems_of({"procedure": "sync-hmipv4"}, has_regions=True) == []


def load_with(tmp_path, text, tables):
    path = tmp_path / "s.toml"
    path.write_text(text + "".join(f"\n[[mixture]]\n{table}\n" for table in tables))
    return load_scenario(path)[0]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("procedure = 4", "mixture.0.procedure: input should be a valid string, not 4"),
        ("share = 1", "mixture.0.procedure: is missing; its table needs it"),
        ('procedure = "mipv4"\nshare = 1.5', "mixture.0.share: 1.5 is not a share: give a number from 0 to 1"),
        ('procedure = "mipv4"\nshare = "30 pct"', "mixture.0.share: '30 pct' is not a share: give a number from 0 to 1"),
        ('procedure = "mipv4"\nmobiles = [3]', "mixture.0.mobiles: 3 is not a name or pattern"),
        ('procedure = "mipv4"\nmobiles = []', "mixture.0.mobiles: value should have at least 1 item"),
        ('procedure = "mipv4"\nshares = 1', "mixture.0.shares: unknown key; did you mean 'share'?"),
    ],
)
def test_a_wrong_key_is_reported_with_its_line(tmp_path, table, message):
    line = MINIMAL.count("\n") + 2
    with pytest.raises(ScenarioError) as error:
        load_with(tmp_path, MINIMAL, [table])
    (problem,) = error.value.problems
    assert message in problem
    assert int(problem.split(":")[1]) >= line


def test_regions_with_equal_parameters_count_as_regions(tmp_path):
    assert load_with(tmp_path, COMMUTERS, ['procedure = "sync-hmipv4"']).mixture[0].procedure == "sync-hmipv4"


def test_the_short_name_of_a_share_changes_the_groups_that_have_one(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(MINIMAL + '\n[[mixture]]\nprocedure = "sync-mipv6"\nshare = 0.1\n[[mixture]]\nprocedure = "mipv6"\n')
    changed, _ = load_scenario(path, ("share=0.75",))
    assert [group.share for group in changed.mixture] == [750_000, None]
