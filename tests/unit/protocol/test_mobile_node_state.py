"""Tests of handoff.protocol.mobile_node_state."""

import pytest

from handoff.protocol.mobile_node_state import MobileNodeState, PendingRequest

REQUEST = PendingRequest(step=0, peer=-1, old=1, new=2, wait_ps=10)


def test_a_router_is_learned_once():
    state = MobileNodeState()
    for attachment in (4, 5, 4):
        state.learn_router(attachment)
    assert state.known_attachments == (4, 5)


def test_a_pending_request_is_removed_by_its_identification():
    state = MobileNodeState()
    state.requests = {1: REQUEST, 2: REQUEST}
    assert state.pop_request(1) is REQUEST
    assert state.pop_request(1) is None
    assert set(state.requests) == {2}


def test_the_last_request_leaves_the_shared_empty_mapping():
    state, other = MobileNodeState(), MobileNodeState()
    state.add_request(1, REQUEST)
    state.add_request(2, REQUEST)
    assert set(state.requests) == {1, 2}
    assert other.requests == {}
    state.pop_request(1)
    state.pop_request(2)
    assert state.requests is other.requests


def test_dropping_requests_forgets_registration_and_waiting_updates():
    state = MobileNodeState()
    state.requests, state.registration_request, state.updates_without_tokens = {1: REQUEST}, 1, ((0, 3, 1, 2),)
    state.drop_requests()
    assert (state.requests, state.registration_request, state.updates_without_tokens) == ({}, 0, ())


def test_states_share_empty_mappings_but_no_content():
    first, second = MobileNodeState(), MobileNodeState()
    assert first.requests is second.requests
    first.requests = {**first.requests, 1: REQUEST}
    assert not second.requests


@pytest.mark.parametrize(
    ("values", "router_5"),
    [
        ({"router": 5}, True),
        ({"router": 6}, False),
        ({"router": 5, "registration_request": 1, "target_router": 6}, False),  # the binding may have moved to router 6
        ({"router": 6, "registration_request": 1, "target_router": 5}, True),
        ({"router": 5, "forwarding_router": 5}, False),  # router 5 was asked to forward to another router
        ({"router": 5, "forwarding_router": 6}, True),
    ],
)
def test_a_pending_request_counts_before_the_registration(values, router_5):
    state = MobileNodeState()
    for name, value in values.items():
        setattr(state, name, value)
    assert state.is_registering_or_registered(5) == router_5
