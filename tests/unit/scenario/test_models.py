"""Scenario model: regions, options, and references between tables."""

import tomllib

import pytest
from pydantic import ValidationError

from handoff.protocol.options import Options
from handoff.scenario.models import StudyOptions, to_options
from handoff.scenario.network import Regions
from handoff.scenario.scenario import Scenario
from tests.unit.scenario.sample_scenarios import COMMUTERS, MINIMAL


def problems(text, *pairs):
    """Return the message of a scenario after replacements of text."""
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(tomllib.loads(text))
    return [error["msg"].removeprefix("Value error, ") for error in caught.value.errors()]


def test_regions_divide_the_routers_evenly():
    """With 7 routers in 3 regions, region i begins at router floor(7 i / 3): 0, 2, 4."""
    scenario = Scenario.model_validate(tomllib.loads(COMMUTERS))
    assert [(region.gateway, region.routers) for region in scenario.region] == [
        ("gw0", ["r0", "r1"]), ("gw1", ["r2", "r3"]), ("gw2", ["r4", "r5", "r6"]),
    ]  # fmt: skip
    assert [(node.name, node.registration, node.registration_queue) for node in scenario.node] == [
        (f"gw{i}", 500 * 10**6, 9) for i in range(3)
    ]
    assert scenario.regions is None


def test_regions_link_gateways_to_the_wired_node_to_others_and_to_each_other():
    regions = Regions.model_validate(tomllib.loads(COMMUTERS)["regions"])
    _, links, _ = regions.expanded([f"r{i}" for i in range(7)])
    assert [(*link.between, link.delay) for link in links] == [
        ("ha", "gw0", 5 * 10**9), ("ha", "gw1", 5 * 10**9), ("ha", "gw2", 5 * 10**9),
        ("cn", "gw0", 15 * 10**9), ("cn", "gw1", 15 * 10**9), ("cn", "gw2", 15 * 10**9),
        ("gw0", "gw1", 10**9), ("gw1", "gw2", 10**9),
    ]  # fmt: skip


def test_options_of_the_scenario_have_the_defaults_of_the_procedures():
    assert to_options(StudyOptions()) == Options()


def test_options_are_converted_to_the_units_of_the_procedures():
    options = to_options(StudyOptions.model_validate({"lifetime": "2min", "new_buffer_packets": 7, "relay": "l2"}))
    assert (options.lifetime_s, options.new_buffer_packets, options.relay) == (120, 7, "l2")


NODE = '[[node]]\nname = "gw"\n'
REGION = '[[region]]\ngateway = "gw"\nrouters = ["a", "b"]\n'
UNWIRED = ('wired_to = "ha"', "")


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("[movement]", '[[node]]\nname = "ha"\n[movement]')],
         "node.0.name: node 'ha' is listed twice: give every node a name of its own"),
        ([("[movement]", '[[restart]]\nnode = "x"\nat = "1s"\n[movement]')],
         "restart.0.node: no node 'x'; there are ha, cn, a, b"),
        ([("size_bytes = 200", 'size_bytes = 200\ncorrespondent = "x"')],
         "traffic.0.correspondent: no correspondent 'x'; there are cn (for a mobile node, give 'mobile_correspondent')"),
        ([UNWIRED], "routers: 'wired_to' is missing: name the node that routers are wired to, or give regions"),
        ([("[movement]", NODE + REGION + "[movement]")],
         "routers.wired_to: does not apply with regions, whose gateways the routers are wired to: leave it out"),
        ([UNWIRED, ("[movement]", REGION + "[movement]")], "region.0.gateway: gateway 'gw' is no [[node]]; there are none"),
        ([UNWIRED, ("[movement]", NODE + REGION.replace('"b"', '"c"') + "[movement]")],
         "region.0.routers: no router 'c'; there are a, b\nregion: no region for b: give every router one"),
        ([UNWIRED, ("[movement]", NODE + REGION + REGION.replace('"a", ', "") + "[movement]")],
         "region.1.routers: router 'b' is listed twice: give it one region"),
        ([('duration = "10s"', "duration = 0")], "duration: 0 is too short; give a duration above 0"),
    ],
)  # fmt: skip
def test_wrong_reference_is_reported(pairs, message):
    assert problems(MINIMAL, *pairs) == [message]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("count = 3", "count = 8")], "regions.count: 8 regions for 7 routers: each needs at least one"),
        ([("[regions]", '[[region]]\ngateway = "gw0"\nrouters = ["r0"]\n[regions]')],
         "regions: [regions] and [[region]] exclude each other: leave one out"),
        ([("count = 3", "count = 1"), ("{0..6}", "{0..0}")],
         "movement.commuters: handoffs go to a neighbouring router: give at least two in routers.names"),
        ([("[regions]", "[coverage]\npositions_m = { r0 = [0, 0] }\n[regions]")],
         "coverage: does not apply to movement without positions: leave it out"),
    ],
)  # fmt: skip
def test_contradiction_between_tables_is_reported(pairs, message):
    assert problems(COMMUTERS, *pairs) == [message]


def test_movement_with_positions_needs_coverage_of_every_router():
    trace = ('associations = "moves.csv"', 'trace = "moves.xml"')
    assert problems(MINIMAL, trace) == ["coverage is missing: it turns the positions of movement into attachments"]
    coverage = ("[movement]", "[coverage]\npositions_m = { a = [0, 0], c = [9, 0] }\n[movement]")
    assert problems(MINIMAL, trace, coverage) == [
        "coverage.positions_m: no router 'c'; there are a, b\ncoverage.positions_m: no position for b: give every router one"
    ]


def test_all_problems_of_the_tables_are_reported_together():
    (message,) = problems(MINIMAL, ('["a", "b"]', '["a", "a"]'), ('["cn", "ha"]', '["cn", "hb"]'), ('"10s"', '"0s"'))
    assert message.split("\n") == [
        "routers.names: node 'a' is listed twice: give every node a name of its own",
        "link.0.between: no node 'hb'; there are ha, cn, a, a",
        "duration: 0 is too short; give a duration above 0",
    ]
