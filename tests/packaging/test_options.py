"""Options of the procedures, constants of the protocols and decisions on the seed: each one has a test that depends on it."""

import ast
import dataclasses
import itertools
import re
from pathlib import Path

import pytest

from handoff.protocol import constants
from handoff.protocol.options import CHOICES, Options

ROOT = Path(__file__).parents[2]
CONFORMANCE = "tests/conformance/"
TESTS = {
    "profile": "test_profile_rfc.py::test_an_address_is_checked_before_it_is_used",
    "relay": "test_rows.py::test_messages_that_layer_2_carries_past_the_old_router",
    "prediction": "test_options_discovery.py::test_the_request_goes_out_when_the_advertisement_of_the_new_router_is_here",
    "discovery": "test_discovery.py::test_lazy_is_slower_than_eager_and_both_than_layer_2",
    "detection": "test_discovery.py::test_lazy_is_slower_than_eager_and_both_than_layer_2",
    "advertisement_min_ps": "test_discovery.py::test_advertisements_come_at_their_intervals_and_routers_do_not_keep_step",
    "advertisement_max_ps": "test_discovery.py::test_advertisements_come_at_their_intervals_and_routers_do_not_keep_step",
    "agent_discovery_ps": "test_options_discovery.py::test_agent_discovery_takes_its_time_if_layer_2_is_to_tell",
    "temporary_home_agent": "test_options_discovery.py::test_a_temporary_home_agent_is_known_from_a_list_or_has_to_be_found",
    "notification": "test_options_discovery.py::test_the_old_agent_is_told_by_the_mobile_node_or_by_the_new_agent",
    "lifetime_s": "test_profile_rfc.py::test_a_registration_is_asked_for_again_at_half_its_lifetime",
    "retransmit_ps": "test_profile_rfc.py::test_waits_double_up_to_a_limit",
    "retransmit_max_ps": "test_profile_rfc.py::test_waits_double_up_to_a_limit",
    "new_buffer_packets": "test_options.py::test_the_buffer_of_the_new_router_is_fifo_and_drops_the_tail",
    "new_buffer_bytes": "test_options.py::test_the_buffer_of_the_new_router_is_fifo_and_drops_the_tail",
    "old_buffer_packets": "test_options.py::test_the_buffer_of_the_old_router_waits_for_the_mobile_node_to_come_back",
    "linger_ps": "test_options_data.py::test_a_visitor_entry_lingers_after_marker_and_link",
    "forwarding_lifetime_ps": "test_options.py::test_a_forwarding_entry_ends_with_its_lifetime",
    "forwarding_end": "test_options_data.py::test_a_forwarding_entry_ends_with_the_marker_or_with_its_lifetime",
    "forward_unacked": "test_options.py::test_frames_in_the_air_are_forwarded_too_if_asked_for",
    "race": "test_options_races.py::test_a_deregistration_at_the_home_agent",
    "correspondent_race": "test_options_races.py::test_a_deregistration_at_a_correspondent",
    "sequence": "test_options_races.py::test_with_one_counter_the_update_that_lost_the_race_is_refused",
    "upstream_early": "test_options_data.py::test_upstream_data_take_the_new_link_after_the_reply_or_at_once",
    "upstream_packets": "test_options_data.py::test_the_mobile_node_holds_so_many_upstream_packets_between_two_links",
    "bicast_ps": "../theory/test_handoffs.py::test_bicasting_copies_follow_the_life_of_the_old_binding",
    "tunnel_limit": "test_options_data.py::test_a_packet_has_no_more_tunnels_than_it_may",
    "encapsulation": "test_options_data.py::test_headers_of_tunnels_that_end_at_an_ipv4_router",
    "dad_ps": "test_profile_rfc.py::test_an_address_is_checked_before_it_is_used",
    "return_routability": "test_profile_rfc.py::test_a_correspondent_tests_both_addresses_first",
    "authentication": "test_profile_rfc.py::test_authentication_takes_time_at_an_anchor",
    "authentication_service_ps": "test_profile_rfc.py::test_authentication_takes_time_at_an_anchor",
    "resequence_ps": "test_options_data.py::test_a_resequencing_buffer_puts_forwarded_packets_in_order",
    "settle_ps": "test_options_data.py::test_a_handoff_ends_when_its_packets_have_had_time_to_come_in",
}
"""Test of each option. Its expectation changes with the option."""


def test_every_option_is_in_the_list():
    assert sorted(TESTS) == sorted(f.name for f in dataclasses.fields(Options))


@pytest.mark.parametrize("option", TESTS)
def test_an_option_has_a_test_of_each_of_its_values(option):
    where, name = TESTS[option].split("::")
    text = (ROOT / CONFORMANCE / where).read_text()
    functions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    assert name in functions
    assert re.search(rf"\b{option}\b", text)
    for word in CHOICES.get(option, ())[1:]:
        assert f'"{word}"' in text, f"{option} = {word!r} is not tested in {where}"


CONSTANTS = [name for name in vars(constants) if name.isupper()]


def test_every_constant_is_used_and_cites_a_section():
    sources = [p.read_text() for p in (ROOT / "handoff").rglob("*.py") if p.name != "constants.py"]
    body = ast.parse(Path(constants.__file__).read_text()).body
    docstrings = {
        a.targets[0].id: b.value.value
        for a, b in itertools.pairwise(body)
        if isinstance(a, ast.Assign) and isinstance(b, ast.Expr)
    }
    for name in CONSTANTS:
        assert any(re.search(rf"\b{name}\b", text) for text in sources), f"nothing uses {name}"
        assert name == "SECOND" or re.search(r"\d", docstrings[name]), f"{name} cites no section"


def test_every_constant_is_tested():
    tests = [p.read_text() for p in (ROOT / "tests").rglob("test_*.py") if p.name != Path(__file__).name]
    assert [name for name in CONSTANTS if not any(re.search(rf"\b{name}\b", text) for text in tests)] == []


DECISIONS = {
    1: "test_options_races.py::test_a_deregistration_at_the_home_agent",
    2: "test_options_races.py::test_with_one_counter_the_update_that_lost_the_race_is_refused",
    3: "test_options_races.py::test_packets_by_the_home_agent_come_after_the_marker",
    4: "test_decisions.py::test_with_two_correspondents_both_markers_have_to_be_here",
    5: "test_decisions.py::test_in_mobile_ipv4_the_mobile_node_deregisters_at_the_correspondent_and_the_home_agent_registers",
    6: "test_decisions.py::test_a_marker_is_timely_strictly_before_the_warning",
    7: "test_options.py::test_a_marker_between_warning_and_end_of_link_leaves_it_scenario_ii",
    8: "test_options_data.py::test_a_marker_takes_a_place_in_the_queue_of_the_old_radio",
    9: "test_options.py::test_the_buffer_of_the_new_router_is_fifo_and_drops_the_tail",
    10: "test_options_data.py::test_what_comes_after_it_finds_no_visitor",
    11: "test_options_data.py::test_a_marker_at_a_router_that_forwards",
    12: "test_options_data.py::test_a_forwarding_entry_ends_with_the_marker_or_with_its_lifetime",
    13: "test_decisions.py::test_a_router_that_expects_a_mobile_node_keeps_its_packets_until_it_is_there",
    14: "test_options_data.py::test_upstream_data_take_the_new_link_after_the_reply_or_at_once",
    15: "test_options.py::test_frames_in_the_air_are_forwarded_too_if_asked_for",
    16: "test_options_data.py::test_a_resequencing_buffer_puts_forwarded_packets_in_order",
    17: "test_study.py::test_extra_bytes_are_those_beyond_a_handoff_that_costs_nothing",
    18: "test_decisions.py::test_the_acknowledgement_of_the_update_comes_by_the_new_router_though_the_old_link_works",
    19: "test_decisions.py::test_six_synchronized_variants",
    20: "test_decisions.py::test_two_replies_with_one_identification_are_told_apart",
    21: "test_decisions.py::test_every_update_of_a_mobile_node_wants_an_acknowledgement",
    22: "test_profile_rfc.py::test_an_address_is_checked_before_it_is_used",
    23: "test_profile_rfc.py::test_a_correspondent_tests_both_addresses_first",
    24: "test_decisions.py::test_a_node_that_is_warned_before_its_request_asks_for_everything_at_once",
    25: "test_decisions.py::test_a_router_forwards_for_nobody_that_is_attached_to_it",
    26: "test_profile_rfc.py::test_waits_double_up_to_a_limit",
}
"""Test of each decision on questions that the seed leaves open (docs/procedures.md)."""


def test_every_decision_has_a_test():
    assert list(DECISIONS) == list(range(1, 27))
    for place in DECISIONS.values():
        where, name = place.split("::")
        assert f"def {name}(" in (ROOT / CONFORMANCE / where).read_text()
