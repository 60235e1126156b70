"""Short notation for large scenarios: name patterns and equal regions mean the same as the long notation."""

import pytest

from handoff.scenario import ScenarioError, load_scenario
from handoff.simulation.run import run_procedure
from handoff.workload.build import build_setup

from .street_scenario import COMMUTERS

SHORT = COMMUTERS.replace('node = [{ name = "gw" }]\n', "")
SHORT = SHORT.replace('region = [{ gateway = "gw", routers = ["a", "b", "c"] }]\n', "")
SHORT = SHORT.replace(', { between = ["ha", "gw"], delay = "5ms" }', "").replace('["a", "b", "c"]', '"r{0..6}"')
SHORT += """
[regions]
count = 3
gateway = { name = "gw", registration = "500us", registration_queue = 9 }
wired_to = "ha"
wired = { delay = "5ms", rate = "1Gbit/s" }
neighbours = { delay = "1ms" }

[[regions.link]]
to = "cn"
delay = "15ms"
"""
LONG = SHORT.split("[regions]")[0].replace('"r{0..6}"', '["r0", "r1", "r2", "r3", "r4", "r5", "r6"]') + "".join(
    f"""
[[node]]
name = "gw{i}"
registration = "500us"
registration_queue = 9

[[region]]
gateway = "gw{i}"
routers = {routers}
"""
    for i, routers in enumerate((["r0", "r1"], ["r2", "r3"], ["r4", "r5", "r6"]))
)
LINKS = [("ha", f"gw{i}", '"5ms"\nrate = "1Gbit/s"') for i in range(3)] + [("cn", f"gw{i}", '"15ms"') for i in range(3)]
LINKS += [("gw0", "gw1", '"1ms"'), ("gw1", "gw2", '"1ms"')]
LONG += "".join(f'\n[[link]]\nbetween = ["{a}", "{b}"]\ndelay = {rest}\n' for a, b, rest in LINKS)
LONG = LONG.replace('link = [{ between = ["cn", "ha"], delay = "20ms" }]\n', "")
LONG += '\n[[link]]\nbetween = ["cn", "ha"]\ndelay = "20ms"\n'


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "s.toml"
        path.write_text(text)
        return path

    return write


def test_regions_give_the_fingerprint_of_the_long_notation(write):
    fingerprints = []
    for text in (SHORT, LONG):
        path = write(text)
        setup = build_setup(load_scenario(path)[0], path, 1)
        fingerprints.append([run_procedure(setup, name).result.fingerprint for name in ("sync-hmipv4", "mipv6-ro")])
    assert fingerprints[0] == fingerprints[1]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ('"r{0..2}"', ["r0", "r1", "r2"]),
        ('["a", "r{8..11}.x"]', ["a", "r8.x", "r9.x", "r10.x", "r11.x"]),
        ('"r{08..11}"', ["r08", "r09", "r10", "r11"]),
        ('"{1..2}-{3..4}"', ["1-3", "1-4", "2-3", "2-4"]),
        ('"r{3..3}"', ["r3"]),
        ('"r{x}"', ["r{x}"]),
    ],
)
def test_patterns_expand_to_names(write, pattern, names):
    changes = ("regions.count=1", "movement.commuters.handoff_rate=0/h")
    scenario, _ = load_scenario(write(SHORT.replace('"r{0..6}"', pattern)), changes)
    assert scenario.routers.names == names
    assert scenario.region[0].routers == names


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"r{0..6}"', '"r{6..0}"', ":8: routers.names: 'r{6..0}' counts down: write the smaller number first, as in 'ar{0..63}'"),
        ('"r{0..6}"', '"r{0..99999}"', ":8: routers.names: 'r{0..99999}' makes more than 65536 names"),
        ('"r{0..6}"', '"r{0..999}{0..999}{0..999}"', "makes more than 65536 names"),
        ('"r{0..6}"', '["r{0..6}", "r3"]', ":8: routers.names: node 'r3' is listed twice"),
        ('"r{0..6}"', '"r {0..1}"', ":8: routers.names: 'r 0' is not a name"),
        ("count = 3", "count = 8", ":25: regions.count: 8 regions for 7 routers: each needs at least one"),
        ("count = 3", "count = 0", ":25: regions.count: input should be greater than or equal to 1, not 0"),
        ("count = 3\n", "", ":24: regions.count: is missing; its table needs it"),
        ('wired_to = "ha"', 'wired_to = "hq"', ":27: regions.wired_to: no node 'hq'; there are ha, cn, gw0, gw1, gw2, r0, r1"),
        ('to = "cn"', 'to = "cm"', ":32: regions.link.0.to: no node 'cm'; there are"),
        ('name = "gw", reg', 'name = "gw", ret', ":26: regions.gateway.retistration: unknown key; did you mean 'registration'?"),
        ("[regions]", '[[region]]\ngateway = "x"\nrouters = "r{0..6}"\n\n[regions]', "exclude each other: leave one out"),
        ("[regions]", '[[restart]]\nnode = "gw3"\nat = "1s"\n\n[regions]', ":25: restart.0.node: no node 'gw3'"),
    ],
)
def test_a_mistake_is_reported(write, old, new, message):
    assert old in SHORT
    with pytest.raises(ScenarioError) as caught:
        load_scenario(write(SHORT.replace(old, new, 1)))
    assert message in caught.value.problems[0]


def test_long_lists_of_names_are_abbreviated(write):
    with pytest.raises(ScenarioError) as caught:
        load_scenario(write(SHORT.replace("r{0..6}", "r{0..999}").replace('to = "cn"', 'to = "cm"')))
    (problem,) = caught.value.problems
    assert problem.endswith("no node 'cm'; there are ha, cn, gw0, gw1, gw2, r0, r1, r2, r3, … (1005 in all), r999")
