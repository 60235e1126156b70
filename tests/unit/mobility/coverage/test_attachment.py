"""Attachments of a drive past routers, with times worked out by hand, and invariants of random drives."""

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest

import handoff_traces
from engine import FOREVER
from handoff.mobility.coverage import Coverage, Radio
from handoff.mobility.coverage.attachment import compute_attachments

S, MS = 10**12, 10**9
RADIO = Radio(transmit=30_000, reference_loss=40_000, reference_mm=1_000, exponent=3_500)
STREET = Coverage(("west", "east"), (0, 1_000_000), (0, 0), RADIO, minimum=-120_000, hysteresis=4_000)
SPEED = 20  # metres per second


def tracks(*samples, name="car", stays=False):
    """Build the tracks of one mobile node from (seconds, x in metres, y in metres)."""
    t, x, y = (np.array([int(Fraction(str(s[i])) * (S, 1000, 1000)[i]) for s in samples], np.int64) for i in range(3))
    return handoff_traces.Tracks("hand", np.zeros(len(samples), np.int64), t, x, y, [name], stays)


DRIVE = tracks((0, 100, 0), (40, 900, 0))


def attach(coverage, drive, **options):
    """Return (router, up, down, predict, going down) of each attachment of one mobile node."""
    log = compute_attachments(coverage, drive, **({"seed": 1, "until_ps": 1000 * S} | options))
    names = [log.router_names[r] for r in log.router]
    columns = (log.up_ps, log.down_ps, log.predict_ps, log.going_down_ps)
    return list(zip(names, *(c.tolist() for c in columns), strict=True))


def crossing_m(hysteresis_db):
    """Return where east is ``hysteresis_db`` stronger than west: 35 log10(x / (1000 - x)) = h."""
    ratio = 10 ** (hysteresis_db / 35)
    return 1000 * ratio / (1 + ratio)


def test_dual_access_overlaps_from_the_prediction_on():
    """The handoff is at the crossing plus the time to trigger; 1 ms allows for linear levels between measurements."""
    (first, second) = attach(STREET, DRIVE)
    at = (crossing_m(4) - 100) / SPEED + 0.320
    assert first[0] == "west"
    assert first[2] == pytest.approx(at * S, abs=MS)
    assert first[4] == first[2] - 20 * MS
    assert first[3] == first[4] - 500 * MS
    assert first[1] == 0
    assert second == ("east", first[3], 40 * S, -1, -1)


@pytest.mark.parametrize("hysteresis", [0, 2_500, 10_000])
@pytest.mark.parametrize("trigger", [1 * MS, 640 * MS, 2_001 * MS])
def test_hysteresis_and_time_to_trigger_delay_the_handoff(hysteresis, trigger):
    coverage = dataclasses.replace(STREET, hysteresis=hysteresis, trigger_ps=trigger)
    (first, _) = attach(coverage, DRIVE)
    assert first[2] == pytest.approx((crossing_m(hysteresis / 1000) - 100) / SPEED * S + trigger, abs=MS)


@pytest.mark.parametrize("interval_s", [0.025, 0.1, 0.8, 1.6, 6.4])
def test_the_error_of_linear_levels_is_bounded_by_the_curvature(interval_s):
    """Linear interpolation of f errs by f'' interval² / 8 at most, and levels are whole thousandths."""
    exact = (crossing_m(4) - 100) / SPEED + 0.320
    handoff = attach(dataclasses.replace(STREET, interval_ps=round(interval_s * S)), DRIVE)[0][2] / S
    span = [crossing_m(4) + way for way in (-SPEED * interval_s, SPEED * interval_s)]
    slope = min(35 / math.log(10) * (1 / x + 1 / (1000 - x)) * SPEED for x in span)
    bend = max(35 / math.log(10) * abs(1 / x**2 - 1 / (1000 - x) ** 2) * SPEED**2 for x in span)
    assert abs(handoff - exact) <= (bend * interval_s**2 / 8 + 0.002) / slope


def test_single_access_leaves_a_gap():
    coverage = dataclasses.replace(STREET, single_access=2**64, switch_ps=70 * MS)
    first, second = attach(coverage, DRIVE)
    assert first[2] == attach(STREET, DRIVE)[0][2]
    assert second[1] == first[2] + 70 * MS


def test_no_prediction_comes_before_the_end_of_the_previous_handoff():
    """The attachment to the middle one of three close routers is shorter than the lead."""
    coverage = Coverage(
        ("a", "b", "c"), (0, 20_000, 40_000), (0, 0, 0), RADIO, hysteresis=0, trigger_ps=MS, lead_ps=60 * S, interval_ps=10 * MS
    )  # fmt: skip
    first, second, third = attach(coverage, tracks((0, -10, 0), (10, 50, 0)))
    # equal levels at 10 m and 30 m: 6 m/s, so 3.333 s and 6.667 s
    assert first[2] == pytest.approx(S * 20 / 6, abs=2 * MS)
    assert first[3] == 1
    assert second[3] == first[2] + 1
    assert third[1] == second[3]
    assert second[4] == second[2] - 20 * MS


def test_a_second_radio_attaches_when_the_new_router_is_in_range():
    """The prediction comes early, so the new link comes up as soon as the level of east reaches the minimum."""
    coverage = dataclasses.replace(STREET, minimum=-110_000, lead_ps=60 * S)
    range_m = 10 ** ((30 - 40 + 110) / 35)  # 720 m
    first, second = attach(coverage, DRIVE)
    assert first[3] == 1
    assert second[1] == pytest.approx((1000 - range_m - 100) / SPEED * S, abs=MS)


def test_a_link_is_lost_out_of_range_and_regained_with_hysteresis():
    """Drive away from the only router at 25 m/s, and back."""
    coverage = Coverage(("r",), (0,), (0,), RADIO, minimum=-100_000, hysteresis=6_000, warning=-95_000)
    reach = [10 ** ((90 + h) / 35) for h in (0, -5, -6)]
    first, second = attach(coverage, tracks((0, 0, 0), (40, 1000, 0), (80, 0, 0)))
    assert first[:2] == ("r", 0)
    assert first[2] == pytest.approx(reach[0] / 25 * S, abs=MS)
    assert first[3] == -1  # no prediction
    assert first[4] == pytest.approx(reach[1] / 25 * S, abs=MS)
    assert second[1] == pytest.approx((80 - reach[2] / 25) * S, abs=MS)
    assert second[2:] == (80 * S, -1, -1)
    assert attach(dataclasses.replace(coverage, warning=None), tracks((0, 0, 0), (40, 1000, 0)))[0][4] == -1


def test_a_mobile_node_is_attached_between_its_first_and_last_sample():
    early, late = attach(STREET, tracks((7.25, 100, 0), (47.25, 900, 0)))
    assert (early[1], late[2]) == (7_250 * MS, 47_250 * MS)
    assert attach(STREET, DRIVE, until_ps=30 * S)[-1][2] == -1  # the run ends first
    assert attach(STREET, tracks((0, 100, 0), (40, 900, 0), stays=True))[-1][2] == -1
    assert attach(STREET, tracks((5, 100, 0), stays=True)) == [("west", 5 * S, -1, -1, -1)]
    assert attach(STREET, tracks((5, 100, 0))) == []  # present for no time
    assert attach(STREET, tracks((0, 9_000, 0), (5, 9_100, 0))) == []  # out of reach


def test_begin_shifts_time_and_cuts_off_what_is_earlier():
    whole, cut = attach(STREET, DRIVE), attach(STREET, DRIVE, begin_ps=10 * S)
    assert cut[0][:2] == ("west", 0)
    assert [c - 10 * S for c in whole[0][2:]] == list(cut[0][2:])
    assert [c - 10 * S for c in whole[1][1:3]] == list(cut[1][1:3])


def test_a_mobile_node_is_absent_in_long_gaps():
    drive = tracks((0, 100, 0), (1, 110, 0), (30, 120, 0), (31, 130, 0))
    assert attach(STREET, drive) == [("west", 0, 31 * S, -1, -1)]
    coverage = dataclasses.replace(STREET, longest_gap_ps=20 * S)
    assert attach(coverage, drive) == [("west", 0, S, -1, -1), ("west", 30 * S, 31 * S, -1, -1)]


def test_each_presence_is_a_mobile_node_of_its_own():
    """Neither traffic nor a handoff connects what is before and after an absence; a name that is taken is not used again."""
    drive = tracks((0, 100, 0), (1, 110, 0), (30, 120, 0), (31, 130, 0))
    coverage = dataclasses.replace(STREET, longest_gap_ps=20 * S)
    gap = compute_attachments(coverage, drive, seed=1, until_ps=60 * S)
    cut = compute_attachments(STREET, dataclasses.replace(drive, breaks=np.array([2])), seed=1, until_ps=60 * S)
    for log in (gap, cut):
        assert (log.mobile_names, log.mobile.tolist()) == (["car", "car#2"], [0, 1])
        assert (log.up_ps.tolist(), log.down_ps.tolist()) == ([0, 30 * S], [S, 31 * S])
    both = handoff_traces.Tracks(
        "hand", np.array([0, 0, 1, 1]), np.array([0, S, 0, S]), np.full(4, 100_000), np.zeros(4, np.int64), ["m#2", "m"],
        breaks=np.array([3]), stays=True,
    )  # fmt: skip
    log = compute_attachments(STREET, both, seed=1, until_ps=60 * S)
    assert log.mobile_names == ["m#2", "m#2'"]


def test_a_node_may_be_anywhere_after_an_absence():
    """It does not travel the 5,000 km between the two places."""
    far = tracks((0, 100, 0), (1, 110, 0), (30, 5_000_000, 0), (31, 5_000_010, 0))
    with pytest.raises(ValueError, match="more than 2,147 km apart"):
        attach(STREET, far)
    assert attach(STREET, dataclasses.replace(far, breaks=np.array([2]))) == [("west", 0, S, -1, -1)]


def test_neither_the_order_of_routers_nor_a_distant_router_changes_attachments():
    shadowed = dataclasses.replace(STREET, radio=dataclasses.replace(RADIO, shadowing=6_000))
    reordered = dataclasses.replace(shadowed, routers=("east", "west"), x_mm=(1_000_000, 0))
    more = dataclasses.replace(
        shadowed, routers=("west", "east", "moon"), x_mm=(0, 1_000_000, 384_400_000_000), y_mm=(0, 0, 0)
    )
    assert attach(shadowed, DRIVE) == attach(reordered, DRIVE) == attach(more, DRIVE)
    assert attach(shadowed, DRIVE) != attach(shadowed, DRIVE, seed=2)


def test_shadowing_brings_a_distant_router_into_range_at_times():
    """The level is 2 dB below the minimum; with a deviation of 4 dB it is above at 31 of 100 points, P(N > 0.5)."""
    away = 10 ** ((90 + 2) / 35)
    coverage = Coverage(("r",), (0,), (0,), dataclasses.replace(RADIO, shadowing=4_000), minimum=-100_000, hysteresis=0)
    circle = [(s, away * math.cos(s / 20), away * math.sin(s / 20)) for s in range(0, 2000, 2)]
    log = compute_attachments(coverage, tracks(*circle), seed=1, until_ps=2000 * S)
    attached = (np.where(log.down_ps < 0, 2000 * S, log.down_ps) - log.up_ps).sum() / (2000 * S)
    assert attached == pytest.approx(0.31, abs=0.07)  # 2000 s are 850 decorrelation distances
    clear = dataclasses.replace(coverage, radio=RADIO)
    assert attach(clear, tracks(*circle), until_ps=2000 * S) == []


def test_lead_and_number_of_radios_are_drawn_with_their_distributions():
    coverage = dataclasses.replace(STREET, lead_ps=500 * MS, lead_spread_ps=500 * MS)
    many = handoff_traces.Tracks(
        "hand", np.repeat(np.arange(400), 2), np.tile(DRIVE.time_ps, 400), np.tile(DRIVE.x_mm, 400), np.tile(DRIVE.y_mm, 400),
        [f"car{i}" for i in range(400)],
    )  # fmt: skip
    log = compute_attachments(coverage, many, seed=1, until_ps=1000 * S)
    lead = (log.going_down_ps - log.predict_ps)[log.predict_ps >= 0] / S
    assert len(lead) == 400
    assert (lead.min(), lead.max()) == (pytest.approx(0, abs=0.02), pytest.approx(1, abs=0.02))
    assert lead.mean() == pytest.approx(0.5, abs=4 / math.sqrt(12 * 400))
    half = dataclasses.replace(STREET, single_access=2**63)
    log = compute_attachments(half, many, seed=1, until_ps=1000 * S)
    gaps = np.count_nonzero(log.up_ps[1::2] > log.down_ps[::2])
    assert abs(gaps - 200) < 4 * math.sqrt(100)


@pytest.mark.parametrize("single", [0, 2**64])
@pytest.mark.parametrize("cars", [12, pytest.param(60, marks=pytest.mark.deep)])
def test_random_drives_give_consistent_attachments(cars, single):
    """Deep shadows and short triggers cause many ping-pongs, lost links and shortened leads."""
    rng = np.random.default_rng(5)
    coverage = Coverage(
        tuple(f"r{i}" for i in range(9)), tuple(200_000 * (i % 3) for i in range(9)), tuple(200_000 * (i // 3) for i in range(9)),
        dataclasses.replace(RADIO, shadowing=9_000, decorrelation_mm=20_000), minimum=-90_000, hysteresis=1_000,
        trigger_ps=50 * MS, lead_ps=400 * MS, lead_spread_ps=400 * MS, guard_ps=30 * MS, warning=-85_000,
        single_access=single, longest_gap_ps=20 * S,
    )  # fmt: skip
    samples = 40
    t = np.cumsum(rng.integers(1, 22, (cars, samples)) * (S // 2), axis=1)
    x, y = (rng.integers(-100_000, 500_000, (cars, samples)) for _ in "xy")
    names = [f"car{i}" for i in range(cars)]
    drive = handoff_traces.Tracks("any", np.repeat(np.arange(cars), samples), t.ravel(), x.ravel(), y.ravel(), names)
    log = compute_attachments(coverage, drive, seed=3, until_ps=150 * S)
    assert len(log) > 2_000 * cars // 60
    down = np.where(log.down_ps < 0, FOREVER, log.down_ps)
    assert (log.up_ps < down).all()
    warned, predicted = log.going_down_ps >= 0, log.predict_ps >= 0
    assert ((log.up_ps <= log.going_down_ps) & (log.going_down_ps <= down))[warned].all()
    assert ((log.up_ps < log.predict_ps) & (log.predict_ps <= log.going_down_ps))[predicted].all()
    same = log.mobile[1:] == log.mobile[:-1]
    assert (log.up_ps[1:] > log.up_ps[:-1])[same].all()
    overlap = same & (log.up_ps[1:] < down[:-1])
    assert (overlap == (same & predicted[:-1] & (log.up_ps[1:] >= log.predict_ps[:-1]) & (log.up_ps[1:] < down[:-1]))).all()
    assert overlap.any() == (single == 0)
    third = same[1:] & same[:-1]
    assert (log.up_ps[2:] > down[:-2])[third].all()  # two radios, never three links
    assert (third & (log.router[2:] == log.router[:-2])).sum() > 200 * cars // 60  # ping-pongs
    assert ((~predicted) & (log.down_ps >= 0)).sum() > 100 * cars // 60  # lost links
