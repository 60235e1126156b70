"""Tests of handoff.protocol.lazy_state."""

from handoff.protocol.lazy_state import PerMobileState


def test_the_first_access_creates_the_initial_state():
    calls = []

    def initial_state(mobile):
        calls.append(mobile)
        return [mobile]

    states = PerMobileState(initial_state)
    states[3].append("x")
    assert states[3] == [3, "x"]
    assert calls == [3]


def test_a_membership_test_creates_nothing():
    states = PerMobileState(lambda mobile: mobile)
    assert 1 not in states
    assert states.get(1) is None
    assert not states
