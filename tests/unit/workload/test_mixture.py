"""Choice of the mobile nodes of each group: shares, patterns, and stability."""

from collections import Counter

import numpy as np
import pytest

from engine.rng import name_keys
from handoff.scenario.mixture import MixtureGroup
from handoff.workload.mixture import choose_groups

NAMES = [f"mn{i}" for i in range(200)]


def choose(*tables, names=NAMES, seed=1):
    """Return the group of each mobile node by name."""
    problems = []
    groups = [MixtureGroup(procedure=name, **keys) for name, keys in tables]
    chosen = choose_groups(groups, names, name_keys(names), seed, problems)
    assert problems == []
    assert chosen.procedures == tuple(name for name, _ in tables)
    return dict(zip(names, chosen.group.tolist(), strict=True))


def problems_of(*keys, names=NAMES):
    problems = []
    groups = [MixtureGroup(procedure="mipv4", **k) for k in keys]
    assert choose_groups(groups, names, name_keys(names), 1, problems) is None
    return problems


@pytest.mark.parametrize(("share", "members"), [(0, 0), (0.3, 60), (0.5, 100), (0.004, 1), (1, 200)])
def test_a_share_is_exact_up_to_rounding(share, members):
    assert Counter(choose(("sync-mipv6", {"share": share}), ("mipv6", {})).values())[0] == members


def test_several_shares_take_disjoint_parts():
    counts = Counter(choose(("mipv4", {"share": 0.25}), ("mipv6", {"share": 0.25}), ("pmipv6", {"share": 0.5})).values())
    assert counts == {0: 50, 1: 50, 2: 100}


def test_a_larger_share_only_adds_mobile_nodes():
    """A migration curve therefore shows the effect of the nodes that migrate, and not of another choice."""
    previous = set()
    for percent in range(0, 101, 5):
        members = {n for n, group in choose(("sync-mipv6", {"share": percent / 100}), ("mipv6", {})).items() if group == 0}
        assert members >= previous
        assert len(members) == 2 * percent
        previous = members


def test_the_order_of_the_mobile_nodes_does_not_matter():
    tables = ("sync-mipv6", {"share": 0.3}), ("mipv6", {})
    order = np.random.default_rng(0).permutation(len(NAMES))
    assert choose(*tables, names=[NAMES[i] for i in order]) == choose(*tables)


def test_the_seed_decides_the_choice():
    tables = ("sync-mipv6", {"share": 0.5}), ("mipv6", {})
    first, second = choose(*tables, seed=1), choose(*tables, seed=2)
    assert 60 < sum(first[name] == second[name] for name in NAMES) < 140  # 100 of 200 by chance


def test_the_choice_is_not_by_the_first_names():
    members = [int(n.removeprefix("mn")) for n, g in choose(("sync-mipv6", {"share": 0.5}), ("mipv6", {})).items() if g == 0]
    assert 80 < np.mean(members) < 120


def test_patterns_name_mobile_nodes_and_shares_divide_the_others():
    chosen = choose(("pmipv6", {"mobiles": ["mn7", "mn1?"]}), ("sync-mipv6", {"share": 0.5}), ("mipv6", {}))
    named = {name for name, group in chosen.items() if group == 0}
    assert named == {"mn7", *(f"mn1{i}" for i in range(10))}
    assert Counter(chosen.values()) == {0: 11, 1: 95, 2: 94}  # 189 others: 94.5 is rounded up


def test_a_pattern_without_a_match_is_reported():
    assert problems_of({"mobiles": ["mn0", "car*"]}, {}) == ["mixture.0: no mobile node matches 'car*'; there are mn0 to mn199"]


def test_a_mobile_node_in_two_groups_is_reported():
    problems = problems_of({"mobiles": "mn1*"}, {"mobiles": ["mn2", "mn15"]}, {})
    assert problems == ["mixture.1: mn15 is also in mixture.0: a mobile node has one group"]


def test_a_pattern_that_repeats_a_name_of_its_own_group_is_no_mistake():
    assert Counter(choose(("mipv4", {"mobiles": ["mn1", "mn1*"]}), ("mipv6", {})).values()) == {0: 111, 1: 89}


def test_mobile_nodes_without_a_group_are_reported():
    (problem,) = problems_of({"mobiles": "mn0"}, {"mobiles": "mn1"}, names=NAMES[:5])
    assert problem == "mixture: mn2 and 2 others have no group: add a group without 'share' and 'mobiles' for them"
