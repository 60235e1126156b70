"""Figures of a result, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from handoff.simulation.baseline import ByteCounts
from handoff.simulation.handoff_metrics import PacketMetrics
from handoff.simulation.result import STUDY_METRICS, RunResult

S = 10**12


def column(*values):
    return np.array(values, np.int64)


def exact(*values):
    return np.array(values, object)


def result_of(**changes):
    """Return a result of three handoffs in the window 2 s to 6 s."""
    result = SimpleNamespace(
        until_ps=6 * S,
        flows={"sent": column(10, 20), "delivered": column(6, 18), "lost": column(3, 1), "duplicate": column(0, 2),
               "reordered": column(1, 0), "in_flight": column(1, 1), "delay_sum_ps": column(60, 180),
               "delay_max_ps": column(20, 30)},
        links={"busy_ps": column(S, 3 * S), "control_packets": column(4, 1), "control_bytes": column(200, 60),
               "tunnel_bytes": column(0, 20)},
        nodes={"messages": column(8), "forwarded": column(40), "bindings_peak": column(5, 9, 7),
               "held_peak_bytes": column(0, 40, 60), "binding_ps": exact(3 * S, 10**20 + 1, 5), "visitor_ps": exact(0, 0, S),
               "held_byte_ps": exact(0, 10**25, S), "registered": column(9), "registration_dropped": column(4),
               "hostile_registered": column(6), "hostile_dropped": column(1), "diverted": column(3, 4, 0),
               "diverted_bytes": column(600, 800, 0)},
        delay_histogram=np.zeros(64 * 32, np.int64),
    )  # fmt: skip
    handoffs = {
        "mobile": column(0, 0, 1), "completed": column(1, 1, 0), "scenario": column(1, 3, 0), "retransmissions": column(0, 2, 1),
        "after_marker": column(0, 1, 0), "disruption_ps": column(5, 15, -1), "latency_ps": column(-1, -1, -1),
        "request_ps": column(100, 200, -1), "reply_ps": column(130, 250, -1), "delivered": column(7, 2, 9),
        "dropped": column(1, 3, 0), "duplicate": column(2, 0, 0), "reordered": column(1, 0, 0),
    }  # fmt: skip
    servers = {"registration_ps": column(S // 10), "service_ps": column(S // 100)}
    fields = {"extra": ByteCounts(air=3, core=4), "simultaneous": 2, "detail": None, "begin_ps": 2 * S} | changes
    return RunResult("mipv4", result, handoffs, servers=servers, wall_seconds=1.0, controller_seconds=0.5, **fields)


def test_utilisation_refers_to_the_time_of_the_window():
    """4 s: 1 and 3 s busy; 8 messages of 0.1 s; 40 packets of 0.01 s."""
    links, nodes = result_of().utilisation()
    assert links["utilisation"].tolist() == [0.25, 0.75]
    assert nodes["registrations_per_s"].tolist() == [2]
    assert nodes["registration_utilisation"] == pytest.approx([0.2])
    assert nodes["forwarding_utilisation"] == pytest.approx([0.1])


def test_a_stopped_run_refers_to_the_time_that_it_reached():
    stopped = result_of(interrupted_ps=4 * S)
    assert stopped.reached_ps == 4 * S
    assert stopped.utilisation()[0]["utilisation"].tolist() == [0.5, 1.5]


def test_the_summary_adds_flows_links_and_handoffs():
    summary = result_of().summary()
    expected = {
        "handoffs": 3, "completed": 2, "unfinished_handoffs": 1, "scenario_1": 1, "scenario_2": 0, "scenario_3": 1,
        "retransmissions": 3, "sent": 30, "delivered": 24, "lost": 4, "duplicate": 2, "reordered": 1, "in_flight": 2,
        "after_marker": 1, "loss_ratio": 4 / 28, "delay_mean_ps": 10, "disruption_mean_ps": 10, "disruption_p50_ps": 10,
        "disruption_samples": 2, "registration_delay_mean_ps": 40, "latency_samples": 0, "extra_bytes": 7, "extra_air_bytes": 3,
        "extra_core_bytes": 4, "simultaneous_bindings": 2, "signalling_messages": 5, "signalling_bytes": 260, "tunnel_bytes": 20,
        "seamless_ratio": None, "seamless_samples": 0, "held_byte_seconds": 10**13 + 1, "held_peak_bytes": 60,
        "handoff_packets_max": 9, "handoff_dropped": 4, "handoff_dropped_squares": 10.0, "handoff_duplicate_squares": 4.0,
        "attack_dropped": 1, "attack_service_seconds": 0.6, "diverted": 7, "diverted_bytes": 1400, "legitimate_served": 3,
        "legitimate_dropped": 3, "attack_messages": 0,
    }  # fmt: skip
    assert {name: summary[name] for name in expected} == expected
    assert (summary["latency_mean_ps"], summary["delay_p99_ps"], summary["delay_resolution"]) == (None, None, None)
    assert summary["mos"] is None


def test_the_share_of_seamless_handoffs_is_that_of_handoffs_with_packets():
    """The handoffs have the scenarios 1, 3 and 0; the last one has no packets."""
    result = result_of()
    result.handoffs["seamless"] = column(1, 0, -1)
    summary = result.summary()
    shares = {name: value for name, value in summary.items() if name.startswith("seamless")}
    assert shares == {
        "seamless_ratio": 0.5, "seamless_samples": 2, "seamless_1_ratio": 1, "seamless_1_samples": 1,
        "seamless_2_ratio": None, "seamless_2_samples": 0, "seamless_3_ratio": 0, "seamless_3_samples": 1,
    }  # fmt: skip


def test_the_memory_of_bindings_is_that_of_the_anchors():
    summaries = [result_of(anchors=anchors).summary() for anchors in ((0, 2), (1,), ())]
    assert [s["bindings_peak"] for s in summaries] == [7, 9, 0]
    assert [s["binding_seconds"] for s in summaries] == [3 + 5e-12, 1e8, 0]


def test_integrals_in_seconds():
    occupancy = result_of().occupancy()
    assert {name: values.tolist() for name, values in occupancy.items()} == {
        "binding_seconds": [3, 1e8, 5e-12], "visitor_seconds": [0, 0, 1], "held_byte_seconds": [0, 1e13, 1],
    }  # fmt: skip


def test_without_a_baseline_there_are_no_extra_bytes():
    summary = result_of(extra=None).summary()
    assert (summary["extra_bytes"], summary["extra_air_bytes"], summary["extra_core_bytes"]) == (None, None, None)


def test_percentiles_of_recorded_delays_are_delays_of_packets():
    """With a record the histogram is not read; of 24 packets the 99th percentile is the largest delay."""
    study = {name: column(0) for name in STUDY_METRICS}
    delays = {"delay_p50_ps": column(17), "delay_p95_ps": column(18), "delay_p99_ps": column(-1), "delay_max_ps": column(19)}
    summary = result_of(detail=PacketMetrics({}, study | delays, {})).summary()
    names = ("delay_p50_ps", "delay_p95_ps", "delay_p99_ps", "delay_resolution")
    assert [summary[name] for name in names] == [17, 18, 19, 0]


def test_percentiles_of_a_histogram_have_a_resolution():
    """Integers from 512 to 1023 share buckets of 16 (32 an octave): the middle of 992 to 1007 is 999.5."""
    result = result_of()
    result.result.delay_histogram[5 * 32 + (992 - 512) // 16] = 100
    for largest, percentile in ((1000, 999.5), (994, 994)):
        result.result.flows["delay_max_ps"] = column(0, largest)
        summary = result.summary()
        assert (summary["delay_p50_ps"], summary["delay_p99_ps"], summary["delay_resolution"]) == (percentile, percentile, 1 / 32)
