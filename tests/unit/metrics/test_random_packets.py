"""The vectorised metrics against the slow ones of reference.py, on random flows and groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.metrics import flow_metrics, group_metrics, voice_metrics

from . import reference
from .build import arrivals, columns, flow_lists

GROUPS = 3


def compare(result, expected, groups):
    assert all(len(column) == groups for column in result.values())
    for g, row in enumerate(expected):
        assert set(row) == set(result)
        for name, value in row.items():
            got = result[name][g]
            if value is None:
                assert np.isnan(got), name
            elif isinstance(value, int) and result[name].dtype == np.int64:
                assert got == value, name
            else:
                assert got == pytest.approx(value, rel=1e-12, abs=1e-9), name


@settings(max_examples=400, deadline=None)
@given(flow_lists(GROUPS))
def test_groups(flows):
    table, group = columns(flows)
    compare(group_metrics(table, group, GROUPS), [reference.metrics(flows, g) for g in range(GROUPS)], GROUPS)


@settings(max_examples=200, deadline=None)
@given(flow_lists(1, most=60))
def test_flows(flows):
    for packets in flows:
        for p in packets:
            p.group = 0
    table, _ = columns(flows)
    compare(flow_metrics(table, len(flows)), [reference.metrics([flow], 0) for flow in flows], len(flows))


@settings(max_examples=200, deadline=None)
@given(flow_lists(GROUPS), st.sampled_from([None, 0, 3, 40, 10**12]), st.sampled_from([0, 20 * 10**9]))
def test_voice(flows, playout, codec):
    table, group = columns(flows)
    result = voice_metrics(table, group, GROUPS, ie=11, bpl=19, playout_ps=playout, codec_delay_ps=codec)
    compare(result, [reference.voice(flows, g, 11, 19, playout, codec) for g in range(GROUPS)], GROUPS)


@settings(max_examples=200, deadline=None)
@given(st.permutations(range(70)), st.integers(1, 70))
def test_any_order_of_arrival(order, kept):
    flow = arrivals(order[:kept])
    table, _ = columns([flow])
    compare(flow_metrics(table, 1), [reference.metrics([flow], 0)], 1)


@pytest.mark.parametrize("seed", range(3))
def test_long_flows(seed):
    """Enough samples for every quantile, jitter beyond its window of 1024, and displacements of all sizes."""
    rng = np.random.default_rng(seed)
    flows = []
    for length in (1500, 1, 700):
        spread = int(rng.choice([10, 3000, 40_000]))
        sent = np.arange(length) * 100
        delay = rng.integers(50, 50 + spread, length)
        flow = [reference.Packet(i, 0, [0], [int(sent[i] + delay[i])], [int(delay[i])]) for i in range(length)]
        for i in np.flatnonzero(rng.random(length) < 0.1):
            flow[i] = reference.Packet(int(i), 0, [5], [int(sent[i])], [-1])
        flows.append(flow)
    table, _ = columns(flows)
    compare(flow_metrics(table, 3), [reference.metrics([flow], 0) for flow in flows], 3)
