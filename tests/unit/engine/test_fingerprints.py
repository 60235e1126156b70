"""Fingerprints: equal for equal runs, different for different ones."""

import numpy as np
import pytest

from tests.unit.engine.two_cell_network import network, run

SHIFT_PS = 7_000_000_003


@pytest.fixture(scope="module")
def first():
    return run(network())


def test_the_network_exercises_every_feature(first):
    assert {"delivered", "queue full", "link loss", "detached", "in flight"} <= set(first.fate_counts())
    assert first.fate_counts(control=True) == {"delivered": 2}
    assert first.spans["end_ps"][0] > first.spans["close_ps"][0] > first.spans["open_ps"][0]


def test_the_same_seed_gives_the_same_run(first):
    again = run(network())
    assert again.fingerprint == first.fingerprint
    assert all((again.packets[c] == first.packets[c]).all() for c in first.packets)


def test_another_seed_changes_the_fingerprint(first):
    assert run(network(), seed=4).fingerprint != first.fingerprint


@pytest.mark.parametrize("shuffle", range(10))
def test_the_order_of_declaration_has_no_effect(first, shuffle):
    other = run(network(shuffle=shuffle))
    assert other.fingerprint == first.fingerprint
    assert other.events == first.events
    assert (other.fates == first.fates).all()
    assert (np.sort(other.packets["delay_ps"]) == np.sort(first.packets["delay_ps"])).all()


def test_an_idle_router_has_no_effect(first):
    other = run(network(idle=True))
    assert other.fingerprint == first.fingerprint
    assert all((other.flows[c] == first.flows[c]).all() for c in first.flows)


def test_a_shift_in_time_shifts_all_times_alone(first):
    other = run(network(shift_ps=SHIFT_PS), shift_ps=SHIFT_PS)
    under_way = first.packets["time_ps"] < 0
    for column, values in first.packets.items():
        moved = values + SHIFT_PS * {"time_ps": ~under_way, "sent_ps": 1}.get(column, 0)
        assert (other.packets[column] == moved).all(), column
    for column in ("delivered", "lost", "reordered", "delay_sum_ps", "delay_max_ps", "gap_max_ps"):
        assert (other.flows[column] == first.flows[column]).all(), column
    assert other.fingerprint != first.fingerprint  # times are in it


@pytest.mark.parametrize("scheduling", ["window", "level", "heap", "auto"])
@pytest.mark.parametrize("window_ps", [None, 1_000_000_007, 12_345_678])
def test_scheduling_and_windows_have_no_effect(first, scheduling, window_ps):
    other = run(network(), scheduling=scheduling, window_ps=window_ps)
    assert other.fingerprint == first.fingerprint
    assert all((other.packets[c] == first.packets[c]).all() for c in first.packets)
    assert all((other.spans[c] == first.spans[c]).all() for c in first.spans)
