"""The vectorised metrics equal the slow ones of naive_metrics.py on random flows and groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.metrics import group_metrics, voice_metrics

from . import naive_metrics
from .packet_records import arriving_in_order, build_records, flow_lists, flow_metrics

GROUPS = 3
FEW_EXAMPLES = 15
"""Random cases of the plain run; with --deep there are hundreds."""


def assert_equal_columns(result, expected, groups):
    assert all(len(column) == groups for column in result.values())
    for g, row in enumerate(expected):
        assert set(row) == set(result)
        for name, value in row.items():
            actual = result[name][g]
            if value is None:
                assert np.isnan(actual), name
            elif isinstance(value, int) and result[name].dtype == np.int64:
                assert actual == value, name
            else:
                assert actual == pytest.approx(value, rel=1e-12, abs=1e-9), name


def examples(plain_and_deep):
    """Parametrise a test by its number of random cases; the larger number needs --deep."""
    return pytest.mark.parametrize("examples", [FEW_EXAMPLES, pytest.param(plain_and_deep, marks=pytest.mark.deep)])


@examples(400)
def test_groups(examples):
    @settings(max_examples=examples, deadline=None)
    @given(flow_lists(GROUPS))
    def check(flows):
        records, group = build_records(flows)
        expected = [naive_metrics.metrics(flows, g) for g in range(GROUPS)]
        assert_equal_columns(group_metrics(records, group, GROUPS), expected, GROUPS)

    check()


@examples(200)
def test_flows(examples):
    @settings(max_examples=examples, deadline=None)
    @given(flow_lists(1, most=60))
    def check(flows):
        for packets in flows:
            for p in packets:
                p.group = 0
        records, _ = build_records(flows)
        expected = [naive_metrics.metrics([flow], 0) for flow in flows]
        assert_equal_columns(flow_metrics(records, len(flows)), expected, len(flows))

    check()


@examples(200)
def test_voice(examples):
    @settings(max_examples=examples, deadline=None)
    @given(flow_lists(GROUPS), st.sampled_from([None, 0, 3, 40, 10**12]), st.sampled_from([0, 20 * 10**9]))
    def check(flows, playout, codec):
        records, group = build_records(flows)
        result = voice_metrics(records, group, GROUPS, ie=11, bpl=19, playout_ps=playout, codec_delay_ps=codec)
        expected = [naive_metrics.voice(flows, g, 11, 19, playout, codec) for g in range(GROUPS)]
        assert_equal_columns(result, expected, GROUPS)

    check()


@examples(200)
def test_any_order_of_arrival(examples):
    @settings(max_examples=examples, deadline=None)
    @given(st.permutations(range(70)), st.integers(1, 70))
    def check(order, arrived):
        flow = arriving_in_order(order[:arrived])
        records, _ = build_records([flow])
        assert_equal_columns(flow_metrics(records, 1), [naive_metrics.metrics([flow], 0)], 1)

    check()


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(3))
def test_long_flows(seed):
    """Long flows have enough samples for every quantile, jitter beyond its window of 1024, and displacements of all sizes."""
    rng = np.random.default_rng(seed)
    flows = []
    for length in (1500, 1, 700):
        spread = int(rng.choice([10, 3000, 40_000]))
        sent = np.arange(length) * 100
        delay = rng.integers(50, 50 + spread, length)
        flow = [naive_metrics.Packet(i, 0, [0], [int(sent[i] + delay[i])], [int(delay[i])]) for i in range(length)]
        for i in np.flatnonzero(rng.random(length) < 0.1):
            flow[i] = naive_metrics.Packet(int(i), 0, [5], [int(sent[i])], [-1])
        flows.append(flow)
    records, _ = build_records(flows)
    assert_equal_columns(flow_metrics(records, 3), [naive_metrics.metrics([flow], 0) for flow in flows], 3)
