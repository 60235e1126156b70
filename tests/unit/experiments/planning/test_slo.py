"""Parsing and formatting of targets."""

import pytest

from handoff.experiments.planning.slo import format_value, parse_target, parse_targets

UNITS = {
    "loss_ratio": "ratio", "registration_delay_p99": "ps", "ha.registration_wait_mean": "ps", "scenario_1_ratio": "ratio",
    "lost": "packets", "ha>gw0.utilisation": "ratio", "extra_bytes": "bytes", "ha.registrations": "1/s", "mos": "",
    "seamless": "ratio",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "measure", "relation", "limit"),
    [
        ("loss_ratio<=1e-4", "loss_ratio", "<=", 1e-4),
        ("loss_ratio <= 0.01%", "loss_ratio", "<=", 1e-4),
        ("registration_delay_p99<=50ms", "registration_delay_p99", "<=", 50e9),
        ("registration_delay_p99<=16.999999ms", "registration_delay_p99", "<=", 16_999_999_000),  # printed with all its digits
        (" ha.registration_wait_mean < 5 ms ", "ha.registration_wait_mean", "<", 5e9),
        ("scenario_1_ratio>=0.99", "scenario_1_ratio", ">=", 0.99),
        ("lost<=0", "lost", "<=", 0),
        ("ha>gw0.utilisation<=80%", "ha>gw0.utilisation", "<=", 0.8),
        ("extra_bytes<=2MB", "extra_bytes", "<=", 2e6),
        ("ha.registrations>=54000/min", "ha.registrations", ">=", 900),
        ("mos>4", "mos", ">", 4),
        ("seamless>=0.99", "seamless", ">=", 0.99),
    ],
)
def test_a_target_is_parsed_and_printed(text, measure, relation, limit):
    target = parse_target(text, UNITS.__getitem__)
    assert (target.measure, target.relation, target.unit) == (measure, relation, UNITS[measure])
    assert target.limit == pytest.approx(limit, rel=1e-12)
    assert target.unit == "bytes" or parse_target(str(target).replace(",", ""), UNITS.__getitem__) == target


@pytest.mark.parametrize(
    ("text", "extreme"), [
        ("lost<=0", True), ("scenario_1_ratio>=1", True), ("lost<1", False), ("mos>=1", False),
        ("extra_bytes<=0B", False),  # it may be below 0
    ],
)  # fmt: skip
def test_a_limit_may_be_the_extreme_of_its_measure(text, extreme):
    assert parse_target(text, UNITS.__getitem__).is_at_extreme is extreme


def test_the_relation_decides_which_side_of_the_limit_meets_the_target():
    for text, values in {"mos>4": (0, 0, 1), "mos>=4": (0, 1, 1), "mos<4": (1, 0, 0), "mos<=4": (1, 1, 0)}.items():
        target = parse_target(text, UNITS.__getitem__)
        assert [target.holds(v) for v in (3, 4, 5)] == list(map(bool, values))
        assert target.excess(6) == (2 if target.is_upper_bound else -2)


def test_only_extra_bytes_may_be_below_0():
    assert parse_target("extra_bytes<0B", UNITS.__getitem__).holds(-1.0)
    assert not parse_target("extra_bytes>=0B", UNITS.__getitem__).holds(-1.0)
    for text, problem in {"lost<0": "no value of lost meets it", "lost>=0": "every value of lost meets it"}.items():
        with pytest.raises(ValueError, match=f"{problem}: it is never below 0"):
            parse_target(text, UNITS.__getitem__)


def test_two_limits_of_a_measure_contradict_if_no_value_meets_both():
    assert len(parse_targets(["mos>=2", "mos<=2", "mos<3", "mos>1"], UNITS.__getitem__)) == 4
    with pytest.raises(ValueError, match="contradict") as failure:
        parse_targets(["mos>=2", "mos<2", "lost<=5", "lost>=6"], UNITS.__getitem__)
    assert str(failure.value).count("contradict") == 2


def test_values_are_printed_with_their_unit():
    assert format_value(51.23456e9, "ps") == "51.23 ms"
    assert format_value(1e-4, "ratio") == "0.0001"
    assert format_value(40_404.4, "") == "40,404"
    assert format_value(12, "packets") == "12 packets"
    assert format_value(float("nan"), "ps") == "no value"
