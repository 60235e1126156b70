"""Outcomes of targets as lines and JSON."""

import pytest

from handoff.experiments.planning.outcome import Outcome
from handoff.experiments.planning.slo import Target

DELAY = Target("delay_p99", "<=", 20e9, "ps")


@pytest.mark.parametrize(
    ("value", "resolution", "passed", "is_near"),
    [(19.9e9, 0.0, True, False), (19.9e9, 1 / 32, False, True), (20.1e9, 1 / 32, False, True), (19e9, 1 / 32, True, False)],
)
def test_a_value_of_a_histogram_meets_a_limit_only_beyond_its_resolution(value, resolution, passed, is_near):
    """19 ms x 33/32 = 19.6 ms, and 19.9 ms x 33/32 = 20.5 ms."""
    outcome = Outcome("mipv4", DELAY, value, resolution=resolution)
    assert outcome.passed == passed
    assert ("from a histogram, within 3.1%: the limit is nearer; --detail decides" in str(outcome)) == is_near


def test_json_has_durations_in_seconds():
    document = Outcome("mipv4", DELAY, 17e9, 16e9, None).as_json()
    assert [document[name] for name in ("unit", "limit", "value", "low", "high")] == ["s", 0.02, 0.017, 0.016, None]
