"""Tests of engine.PerMobileState."""

import pickle

import pytest

from engine import PerMobileState


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


class Owner:
    """A controller that keeps lists: its states know how to begin one, as those of a checkpoint do."""

    def __init__(self):
        self.states = PerMobileState(self.initial_state)

    def initial_state(self, mobile):
        return [mobile]


def test_states_survive_a_pickle_with_their_owner():
    owner = Owner()
    owner.states[3].append("x")
    restored = pickle.loads(pickle.dumps(owner))
    assert type(restored.states) is PerMobileState
    assert restored.states == {3: [3, "x"]}
    assert restored.states[4] == [4]


def test_a_failure_of_the_initial_state_stores_nothing():
    states = PerMobileState(lambda mobile: [][mobile])
    with pytest.raises(IndexError):
        states[1]
    assert not states
