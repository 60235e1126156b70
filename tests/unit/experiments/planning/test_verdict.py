"""Verdicts on targets from the readings of replications."""

import pytest

from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.verdict import (
    Reading,
    SloTest,
    TargetResult,
    format_target_result,
    has_product_test,
    is_significantly_worse,
    needs_baseline,
    needs_detail,
    overall_decision,
    read_measures,
)
from handoff.metrics.catalogue import Value
from handoff.metrics.confidence import Interval
from handoff.metrics.event_interval import EventCount

WAIT = Target("ha.registration_wait_mean", "<=", 5e9, "ps")
LOSS = Target("loss_ratio", "<=", 1e-4, "ratio")
NONE_LOST = Target("lost", "<=", 0.0, "packets")
ALL_IN_TIME = Target("scenario_1_ratio", ">=", 1.0, "ratio")


def judge(target, values, trials=None, *, fingerprints=None, max_replications=12, confidence=0.95, enough=True):
    readings = [Reading(v, trials and EventCount(round(v * trials), trials), enough) for v in values]
    (result,) = SloTest((target,), confidence, max_replications).evaluate([readings], fingerprints or range(len(values)))
    return result


def test_equal_runs_under_two_seeds_are_exact():
    at_limit = judge(WAIT, [5e9, 5e9], fingerprints=[7, 7])
    assert at_limit.decision == "met"
    assert "no seed changes it" in at_limit.note
    assert judge(WAIT, [5e9 + 1] * 2, fingerprints=[7, 7]).decision == "missed"
    assert judge(WAIT, [5e9 + 1], fingerprints=[7]).decision == "open"  # a single run does not show that nothing is random
    few = [judge(WAIT, [delay] * 2, fingerprints=[7, 7], enough=False).decision for delay in (5e9, 5e9 + 1)]
    assert few == ["met", "missed"]  # these samples are all that any run has


def test_a_run_without_loss_does_not_prove_a_small_loss_ratio():
    """At 95 % and four looks the upper end is about ln(80) / n, which takes 44,000 packets for 1e-4."""
    assert judge(LOSS, [0.0] * 3, 5000).decision == "open"
    assert judge(LOSS, [0.0] * 12, 2000).decision == "open"
    assert judge(LOSS, [0.0] * 12, 10_000).decision == "met"
    assert judge(LOSS, [1e-3] * 3, 100_000).decision == "missed"


def test_a_target_at_the_extreme_fails_with_the_first_replication_that_violates_it():
    assert judge(NONE_LOST, [0.0] * 11).decision == "open"
    without_loss = judge(NONE_LOST, [0.0] * 12)
    assert without_loss.decision == "met"
    assert f"{1 - 0.05 ** (1 / 12):.0%}" in without_loss.note
    assert judge(NONE_LOST, [0.0, 0.0, 1.0]).decision == "missed"
    assert judge(ALL_IN_TIME, [1.0] * 12, 50).decision == "met"
    assert judge(ALL_IN_TIME, [1.0, 0.98], 50).decision == "missed"


def test_a_missing_measurement_leaves_the_target_open_with_a_reason():
    nothing = judge(WAIT, [1e9, None, 1e9], fingerprints=[7, 7, 7])
    assert nothing.decision == "open"
    assert "nothing was measured in 1 replications" in nothing.note
    few = judge(WAIT, [1e9] * 12, enough=False)
    assert few.decision == "open"
    assert "too few samples" in few.note


def test_all_targets_have_to_be_met():
    slo_test = SloTest((WAIT, NONE_LOST), 0.95, 3)
    readings = [[Reading(1e9), Reading(1.1e9), Reading(1.2e9)], [Reading(0.0), Reading(0.0), Reading(1.0)]]
    results = slo_test.evaluate(readings, [1, 2, 3])
    assert [r.decision for r in results] == ["met", "missed"]
    assert overall_decision(results) == "missed"
    assert overall_decision(results[:1]) == "met"


def test_worse_means_by_more_than_chance_explains():
    near, far = [judge(WAIT, [v * 1e9 for v in vs]) for vs in ((6, 6.1, 6.2), (9, 9.1, 9.2))]
    noisy = judge(WAIT, [v * 1e9 for v in (5, 9.3, 14)])
    assert is_significantly_worse([far], [near])
    assert not is_significantly_worse([near], [far])
    assert not is_significantly_worse([noisy], [near])


@pytest.mark.parametrize(
    ("name", "value", "reading"),
    [
        ("loss_ratio", Value(0.1, 500, events=EventCount(50, 500)), Reading(0.1, EventCount(50, 500))),
        ("lost", Value(3, 500), Reading(3)),
        ("lost", Value(None, 0), Reading(None)),
        ("latency_p99", Value(1e9, 3), Reading(1e9, None, enough=False)),  # a p99 needs more than 3 samples
    ],
)
def test_ratios_have_events_and_quantiles_need_samples(monkeypatch, name, value, reading):
    monkeypatch.setattr("handoff.experiments.planning.verdict.evaluate", lambda tables, name: value)
    assert read_measures([Target(name, "<=", 1.0, "")], {}) == (reading,)


def test_only_measures_of_packets_need_the_record_of_every_packet():
    assert not needs_detail([LOSS, NONE_LOST])
    assert needs_detail([LOSS, Target("mos", ">=", 4.0, "")])


def test_a_result_is_printed_with_its_interval_if_it_has_one():
    assert format_target_result(TargetResult(WAIT, "met", Interval(1e9, 5e8, 1.5e9, 3))) == "1 ms [500 us, 1.5 ms]"
    assert format_target_result(TargetResult(WAIT, "met", Interval(1e9, 1e9, 1e9, 2))) == "1 ms"
    assert format_target_result(TargetResult(WAIT, "open", Interval(1e9, -float("inf"), float("inf"), 1))) == "1 ms"


DELAY = Target("registration_delay_p99", "<=", 50e9, "ps")


def test_a_run_may_end_early_at_a_multiple_of_the_limit():
    """At 99.8 % one target has an error of 0.002, half of it for the product: three runs at 10 limits each make 1 / 0.001."""
    ends = SloTest((DELAY,), 0.998, 5).early_ends
    assert ends == {"registration_delay_p99": pytest.approx(10 * 50e9)}
    assert SloTest((DELAY,), 0.998, 40).early_ends == {"registration_delay_p99": pytest.approx(40 * 50e9)}
    at_least = Target("registration_delay_p99", ">=", 50e9, "ps")
    assert SloTest((WAIT, LOSS, NONE_LOST, at_least), 0.998, 5).early_ends == {}


def test_three_runs_that_ended_early_miss_the_target():
    slo_test = SloTest((DELAY, LOSS), 0.998, 12)
    cut = slo_test.cut_readings("registration_delay_p99")
    for n, decision in ((2, "open"), (3, "missed")):
        delay, loss = slo_test.evaluate(list(zip(*[cut] * n, strict=True)), range(n))
        assert (delay.decision, loss.decision) == (decision, "open")
    assert loss.note == "not measured in 3 runs that ended early"
    assert delay.interval.low == pytest.approx(DELAY.limit)
    assert format_target_result(delay) == f"at least {slo_test.early_ends[DELAY.measure] / 1e9:.4g} ms"


def test_two_runs_that_ended_early_miss_the_target_if_there_are_no_more():
    """The product of two values reaches 1 / 0.001 at 0.001 ** (-1/2) = 31.6 limits each."""
    slo_test = SloTest((DELAY,), 0.998, 2)
    assert slo_test.early_ends == {DELAY.measure: pytest.approx(31.623 * 50e9, rel=1e-4)}
    (delay,) = slo_test.evaluate(list(zip(*[slo_test.cut_readings(DELAY.measure)] * 2, strict=True)), range(2))
    assert delay.decision == "missed"


def test_a_target_with_a_run_that_ended_early_is_never_met():
    slo_test = SloTest((DELAY,), 0.998, 12)
    rows = [[Reading(1.0)] * 11 + list(slo_test.cut_readings("registration_delay_p99"))]
    assert [r.decision for r in slo_test.evaluate(rows, range(12))] == ["open"]


def test_a_product_of_ratios_shows_what_an_interval_leaves_open():
    """1, 50 and 900 times the limit: Student's interval of three values contains it, but their product is 45,000."""
    result = judge(WAIT, [5e9, 250e9, 4500e9])
    assert result.interval.low < WAIT.limit
    assert (result.decision, result.note) == ("missed", "at least 52 ms")  # (0.025 * 45,000) ** (1 / 3) = 10.4 limits


def test_the_printed_interval_has_possible_values_only():
    """Student's t of 1 and 9 ms with 7 % on each side is wider than the mean."""
    assert judge(WAIT, [1e9, 9e9]).interval.low == 0
    assert judge(Target("extra_bytes", "<=", 1e5, "bytes"), [1e4, 9e4]).interval.low < 0


@pytest.mark.parametrize(
    ("target", "values", "decision"),
    [
        (Target("lost", ">", 0.0, "packets"), [0, 0, 0], "open"), (Target("lost", ">", 0.0, "packets"), [0, 2, 0], "met"),
        (Target("loss_ratio", "<", 1.0, "ratio"), [1, 1, 1], "open"),
    ],
)  # fmt: skip
def test_a_border_of_the_possible_values_shows_nothing(target, values, decision):
    """The interval of no loss ends at 0, and does not show that there are losses; one lost packet does."""
    assert judge(target, values, trials=1).decision == decision


def test_extra_bytes_below_0_have_no_product_test():
    """Dropped packets make them negative; 300 kB and 100 kB are no evidence against a mean of 100 kB beside -50 kB."""
    target = Target("extra_bytes", "<=", 1e5, "bytes")
    result = judge(target, [-5e4, 3e5, 1e5])
    assert (result.decision, result.note) == ("open", "")
    assert not has_product_test(target)
    assert has_product_test(Target("signalling_bytes", "<=", 1e5, "bytes"))


def test_a_test_that_would_stay_open_is_given_up():
    """Five runs of a deviation of 1 ms: at 0.2 ms from the limit twelve would leave it open, at 2 ms they may decide."""
    slo_test = SloTest((WAIT,), 0.998, 12)
    for distance, expected in ((0.2e9, True), (2e9, False)):
        values = [5e9 + distance + d * 1e9 for d in (-1, -1, 0, 1, 1)]
        readings = [[Reading(v) for v in values]]
        results = slo_test.evaluate(readings, range(5))
        assert results[0].decision == "open"
        assert slo_test.stays_open(results, readings) is expected
        assert not slo_test.stays_open(slo_test.evaluate([readings[0][:3]], range(3)), [readings[0][:3]])


def test_only_extra_bytes_need_the_baseline_run():
    for name in ("extra_bytes", "extra_air_bytes", "extra_core_bytes", "extra_bytes_per_handoff"):
        assert needs_baseline([LOSS, Target(name, "<=", 1e6, "bytes")])
    assert not needs_baseline([LOSS, DELAY])


def test_a_met_target_uses_the_whole_error_and_a_missed_one_its_share():
    """Errors of 0.05 and 0.0125 (two targets, half for the product) at one look at three values with a deviation of 1 ms.

    Student's factors are t(2, 0.95) = 2.920 and t(2, 0.9875) = 6.205, over the root of 3: 1.686 ms and 3.583 ms.
    """
    slo_test = SloTest((WAIT, WAIT), 0.95, 3)

    def decide(mean):
        readings = [Reading(mean + d) for d in (-1e9, 0.0, 1e9)]
        return slo_test.evaluate([readings, readings], range(3))[0]

    assert [decide(5e9 - distance).decision for distance in (1.67e9, 1.70e9)] == ["open", "met"]
    assert [decide(5e9 + distance).decision for distance in (3.57e9, 3.60e9)] == ["open", "missed"]
    interval = decide(5e9).interval
    assert (interval.high - 5e9, 5e9 - interval.low) == (pytest.approx(1.686e9, rel=1e-3), pytest.approx(3.583e9, rel=1e-3))
