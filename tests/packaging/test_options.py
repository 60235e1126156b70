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
    "relay": "test_seed_figures.py::test_messages_with_layer_2_relay",
    "prediction": "test_options_discovery.py::test_the_request_leaves_when_the_advertisement_of_the_new_router_arrives",
    "request": "../unit/protocol/test_mobile_node.py::test_the_request_leaves_at_the_prediction_or_at_the_warning",
    "discovery": "test_discovery.py::test_lazy_loses_more_than_eager_and_eager_more_than_layer_2",
    "detection": "test_discovery.py::test_lazy_loses_more_than_eager_and_eager_more_than_layer_2",
    "advertisement_min_ps": "test_discovery.py::test_advertisement_intervals_are_within_limits_and_routers_are_not_synchronized",
    "advertisement_max_ps": "test_discovery.py::test_advertisement_intervals_are_within_limits_and_routers_are_not_synchronized",
    "agent_discovery_ps": "test_options_discovery.py::test_layer_2_discovery_takes_the_configured_time",
    "care_of_address": "test_co_located.py::test_the_tunnel_ends_at_the_agent_or_at_the_mobile_node",
    "address_time_ps": "test_co_located.py::test_the_registration_waits_for_the_address",
    "temporary_home_agent": "test_options_discovery.py::test_a_temporary_home_agent_is_listed_or_discovered",
    "notification": "test_options_discovery.py::test_the_mobile_node_or_the_new_router_updates_the_old_router",
    "lifetime_s": "test_profile_rfc.py::test_a_registration_is_refreshed_at_half_its_lifetime",
    "retransmit_ps": "test_profile_rfc.py::test_waits_double_up_to_a_limit",
    "retransmit_first_ps": "test_profile_rfc.py::test_the_first_wait_of_a_first_binding_update_can_be_set",
    "retransmit_max_ps": "test_profile_rfc.py::test_waits_double_up_to_a_limit",
    "new_buffer_packets": "test_timers_and_buffers.py::test_the_buffer_of_the_new_router_is_a_drop_tail_fifo",
    "new_buffer_bytes": "test_timers_and_buffers.py::test_the_buffer_of_the_new_router_is_a_drop_tail_fifo",
    "old_buffer_packets": "test_timers_and_buffers.py::test_the_old_router_buffers_until_the_mobile_node_returns",
    "old_buffer_bytes": "../analytic/test_fallback_formulas.py::test_the_old_buffer_is_limited_in_bytes_too",
    "linger_ps": "test_options_data.py::test_a_visitor_entry_lingers_after_marker_and_link",
    "forwarding_lifetime_ps": "test_timers_and_buffers.py::test_a_forwarding_entry_ends_with_its_lifetime",
    "forwarding_end": "test_options_data.py::test_a_forwarding_entry_ends_with_the_marker_or_with_its_lifetime",
    "forward_unacked": "test_timers_and_buffers.py::test_frames_in_transmission_are_forwarded_with_the_option",
    "race": "test_options_races.py::test_a_deregistration_at_the_home_agent",
    "correspondent_race": "test_options_races.py::test_a_deregistration_at_a_correspondent",
    "sequence": "test_options_races.py::test_with_a_shared_counter_the_overtaken_update_is_refused",
    "upstream_early": "test_options_data.py::test_upstream_data_use_the_new_link_after_the_reply_or_early",
    "upstream_hold": "../unit/protocol/test_mobile_node.py::test_upstream_data_are_held_or_dropped_without_a_link",
    "upstream_packets": "test_options_data.py::test_the_upstream_buffer_of_the_mobile_node_is_limited",
    "bicast_ps": "../analytic/test_handoff_formulas.py::test_bicasting_copies_follow_the_life_of_the_old_binding",
    "bicast_linger_ps": "../analytic/test_handoff_formulas.py::test_bicasting_copies_follow_old_link_and_linger_time",
    "tunnel_limit": "test_options_data.py::test_the_tunnel_limit_bounds_the_nesting",
    "encapsulation": "test_options_data.py::test_headers_of_tunnels_that_end_at_an_ipv4_router",
    "dad_ps": "test_profile_rfc.py::test_an_address_is_checked_before_it_is_used",
    "return_routability": "test_profile_rfc.py::test_a_correspondent_tests_both_addresses_first",
    "authentication": "test_profile_rfc.py::test_authentication_takes_time_at_an_anchor",
    "authentication_service_ps": "test_profile_rfc.py::test_authentication_takes_time_at_an_anchor",
    "resequence_ps": "test_options_data.py::test_a_resequencing_buffer_restores_the_order_of_forwarded_packets",
    "gate_timer_ps": "test_handovers.py::test_a_gate_that_opens_by_its_timer_is_no_gate",
    "request_container_bytes": "test_handovers.py::test_containers_make_messages_longer",
    "command_container_bytes": "test_handovers.py::test_containers_make_messages_longer",
    "settle_ps": "test_options_data.py::test_deliveries_count_for_a_handoff_until_it_has_settled",
}
"""Test of each option. Its expectation changes with the option."""


def test_every_option_is_listed():
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
    assert set(CONSTANTS) - {word for text in tests for word in re.findall(r"\b[A-Z]\w*", text)} == set()


DECISIONS = {
    1: "test_options_races.py::test_a_deregistration_at_the_home_agent",
    2: "test_options_races.py::test_with_a_shared_counter_the_overtaken_update_is_refused",
    3: "test_options_races.py::test_packets_through_the_home_agent_arrive_after_the_marker",
    4: "test_decisions.py::test_with_two_correspondents_both_markers_must_arrive",
    5: "test_decisions.py::test_in_mipv4_the_mobile_node_deregisters_with_the_correspondent_and_the_home_agent_updates_it",
    6: "test_decisions.py::test_a_marker_is_in_time_only_before_the_warning",
    7: "test_timers_and_buffers.py::test_a_marker_between_warning_and_link_down_leaves_scenario_ii",
    8: "test_options_data.py::test_a_marker_occupies_a_place_in_the_queue_of_the_old_radio",
    9: "test_timers_and_buffers.py::test_the_buffer_of_the_new_router_is_a_drop_tail_fifo",
    10: "test_options_data.py::test_packets_after_the_end_of_the_visitor_entry_are_dropped",
    11: "test_options_data.py::test_a_forwarding_router_relays_the_marker_only_in_ipv6",
    12: "test_options_data.py::test_a_forwarding_entry_ends_with_the_marker_or_with_its_lifetime",
    13: "test_decisions.py::test_the_new_router_buffers_until_the_mobile_node_attaches",
    14: "test_options_data.py::test_upstream_data_use_the_new_link_after_the_reply_or_early",
    15: "test_timers_and_buffers.py::test_frames_in_transmission_are_forwarded_with_the_option",
    16: "test_options_data.py::test_a_resequencing_buffer_restores_the_order_of_forwarded_packets",
    17: "test_result_columns.py::test_extra_bytes_are_relative_to_a_handoff_without_cost",
    18: "test_decisions.py::test_the_acknowledgement_of_the_update_arrives_through_the_new_router",
    19: "test_decisions.py::test_there_are_six_synchronized_procedures",
    20: "test_decisions.py::test_two_replies_with_the_same_identification_are_distinguished",
    21: "test_decisions.py::test_every_update_of_a_mobile_node_requires_an_acknowledgement",
    22: "test_profile_rfc.py::test_an_address_is_checked_before_it_is_used",
    23: "test_profile_rfc.py::test_a_correspondent_tests_both_addresses_first",
    24: "test_decisions.py::test_a_warning_before_the_request_sends_request_and_update_together",
    25: "test_decisions.py::test_a_router_does_not_forward_for_an_attached_mobile_node",
    26: "test_profile_rfc.py::test_waits_double_up_to_a_limit",
    27: "test_request_time.py::test_the_request_leaves_at_the_prediction_or_at_the_warning",
    28: "test_equal_buffers.py::test_old_and_new_router_and_mobile_node_have_the_same_room",
    29: "test_bicasting_time.py::test_the_old_binding_outlasts_the_old_link",
    30: "test_fallback.py::test_unannounced_it_sends_what_the_conventional_procedure_sends",
    31: "test_discovery.py::test_layer_2_discovery_starts_the_handoff_or_waits_for_the_end_of_the_old_link",
    32: "test_markers.py::test_the_old_router_passes_the_marker_on_at_once",
    33: "../unit/output/ladder/test_phases.py::test_scenario_ii_has_the_order_of_the_run_if_the_warning_comes_first",
    34: "../analytic/test_seamless.py::test_packets_that_wait_are_late_although_none_is_lost",
    35: "test_home_link.py::test_every_procedure_leaves_home_returns_and_leaves_again",
    36: "test_decisions.py::test_markers_between_regions_are_called_an_extension",
    37: "test_handovers.py::test_a_report_waits_until_the_mobile_node_can_leave",
}
"""Test of each decision on questions that the seed leaves open (docs/procedures.md)."""


def test_every_decision_has_a_test():
    assert list(DECISIONS) == list(range(1, 38))
    for place in DECISIONS.values():
        where, name = place.split("::")
        assert f"def {name}(" in (ROOT / CONFORMANCE / where).read_text()
