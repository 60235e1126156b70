"""Which values of a measure are better."""

import pytest

from handoff.metrics.catalogue import MEASURES
from handoff.metrics.direction import better_values

LOADS = {
    "sent", "handoffs", "scenario_2_ratio", "scenario_3_ratio", "simultaneous_bindings", "binding_seconds", "held_byte_seconds",
    "attack_messages", "attack_bytes", "attack_dropped", "forwarded", "registration_peak_max", "registration_utilisation_max",
    "forwarding_peak_max", "forwarding_utilisation_max", "registrations_per_s_max", "entries_peak_max", "bindings_peak_max",
    "binding_seconds_max", "visitors_peak_max", "visitor_seconds_max", "held_peak_packets_max", "held_peak_bytes_max",
    "held_byte_seconds_max", "utilisation_max", "packets_max", "bytes_max", "control_bytes_max", "peak_packets_max",
    "peak_bytes_max",
}  # fmt: skip
"""Measures of a load or a size."""


def test_every_other_measure_has_a_better_direction():
    assert {name for name in MEASURES if not better_values(name)} == LOADS


@pytest.mark.parametrize(
    ("measure", "better"),
    [
        ("lost", "lower"), ("delay_p99", "lower"), ("ha.registration_wait_mean", "lower"), ("ar3>*.dropped_ratio", "lower"),
        ("seamless_2", "higher"), ("scenario_1_ratio", "higher"), ("mos", "higher"), ("ha.registration_utilisation", ""),
    ],
)  # fmt: skip
def test_the_direction_of_a_measure(measure, better):
    assert better_values(measure) == better
