"""Path loss and shadowing against the formulas, in floating point, that the integers stand for."""

import math

import numpy as np
import pytest

from engine.rng import combine, name_key, random_word
from handoff.mobility.coverage.path_loss import MAX_DEVIATIONS, Radio, shadowing
from handoff.mobility.coverage.trajectory import Trajectory


@pytest.mark.parametrize("exponent", [1000, 2000, 3760, 10_000])
def test_path_loss_is_that_of_the_formula_to_a_thousandth(exponent):
    radio = Radio(transmit=46_000, reference_loss=38_500, reference_mm=1_000, exponent=exponent)
    dx = np.unique(np.geomspace(1, 2e9, 4000).astype(np.int64))
    dy = dx // 3
    distance = np.hypot(dx, dy) / 1000
    formula = 46_000 - 38_500 - 10 * exponent * np.log10(np.maximum(distance, 1))
    assert np.abs(radio.level(dx, dy) - formula).max() <= 1
    assert np.array_equal(radio.level(-dx, dy), radio.level(dy, dx))
    assert radio.level(np.array([0]), np.array([0])) == [7_500]


def test_another_reference_distance_only_moves_the_level():
    near, far = Radio(reference_mm=1_000, reference_loss=40_000), Radio(reference_mm=10_000, reference_loss=75_000)
    d = np.array([20_000, 500_000, 3_000_000])
    assert np.abs(near.level(d, d * 0) - far.level(d, d * 0)).max() <= 1  # 35 dB a decade


@pytest.fixture(scope="module")
def shadows():
    """8 dB along 100 km for 40 pairs, a point each 5 m; decorrelation after 40 m."""
    radio = Radio(shadowing=8_000, decorrelation_mm=40_000)
    way = np.arange(0, 100_000_000, 5_000)
    keys = np.array([name_key(f"r{i}") for i in range(8)], np.uint64)
    return np.concatenate([shadowing(radio, 3, keys, name_key(f"m{i}"), way) for i in range(5)])


def test_shadowing_has_its_mean_deviation_and_correlation(shadows):
    """100 km hold 1,250 independent pieces (of twice 40 m) for each of 40 pairs; bounds are about 4.5 standard errors."""
    pieces = 40 * 1250
    assert abs(shadows.mean()) < 4.5 * 8_000 / math.sqrt(pieces)
    assert shadows.std() == pytest.approx(8_000, rel=4.5 / math.sqrt(2 * pieces))
    for metres, expected in [(40, math.exp(-1)), (20, math.exp(-0.5)), (80, math.exp(-2)), (200, math.exp(-5))]:
        k = metres // 5
        found = (shadows[:, :-k] * shadows[:, k:]).mean() / 8_000**2
        assert found == pytest.approx(expected, abs=0.02)
    assert np.abs(shadows).max() <= MAX_DEVIATIONS * 8_000
    kurtosis = (shadows / 8_000.0) ** 4
    assert kurtosis.mean() == pytest.approx(3, abs=0.15)  # cut at 4 and made of uniform numbers, it is a little below


def test_pairs_are_independent_and_nobody_changes_them(shadows):
    pairs = np.corrcoef(shadows)
    assert np.abs(pairs - np.eye(len(pairs))).max() < 5.5 / math.sqrt(1250)
    radio = Radio(shadowing=8_000, decorrelation_mm=40_000)
    way = np.arange(0, 1_000_000, 7_001)
    keys = np.array([name_key("a"), name_key("b"), name_key("c")], np.uint64)
    three = shadowing(radio, 1, keys, name_key("m"), way)
    assert np.array_equal(shadowing(radio, 1, keys[1:2], name_key("m"), way)[0], three[1])
    assert np.array_equal(shadowing(radio, 1, keys, name_key("m"), way[40:]), three[:, 40:])
    standing = shadowing(radio, 1, keys, name_key("m"), np.full(5, way[17]))
    assert np.array_equal(standing, np.repeat(three[:, 17:18], 5, axis=1))
    assert not np.array_equal(shadowing(radio, 2, keys, name_key("m"), way), three)


def test_shadowing_as_the_page_words_it():
    """docs/movement.md, coverage 2, draw by draw."""
    radio = Radio(shadowing=6_000, decorrelation_mm=80_000)
    entity = combine(name_key("m"), name_key("r"))
    words = [random_word(7, 1020, entity, index) for index in range(70)]
    sums = [sum(word >> shift & 0xFFFF for shift in (0, 16, 32, 48)) - 2 * 65_535 for word in words]
    deviation = math.sqrt((2**32 - 1) / 3 * sum(math.exp(-k / 4) for k in range(64)))
    points = [6_000 * sum(math.exp(-k / 8) * sums[j + 63 - k] for k in range(64)) / deviation for j in range(6)]
    found = shadowing(radio, 7, np.array([name_key("r")], np.uint64), name_key("m"), np.array([0, 10_000, 45_000]))[0]
    assert found == pytest.approx([points[0], points[1], (points[4] + points[5]) / 2], abs=2)


def test_positions_are_on_the_straight_line():
    path = Trajectory(np.array([0, 10**12, 4 * 10**12]), np.array([0, 3_000_000, 3_000_000]), np.array([0, -4_000_000, -1_000_000]))
    x, y, way = path.at(np.array([-5, 0, 10**12 // 4, 10**12, 2 * 10**12, 4 * 10**12, 5 * 10**12]))
    assert x.tolist() == [0, 0, 750_000, 3_000_000, 3_000_000, 3_000_000, 3_000_000]
    assert y.tolist() == [0, 0, -1_000_000, -4_000_000, -3_000_000, -1_000_000, -1_000_000]
    assert way.tolist() == [0, 0, 1_250_000, 5_000_000, 6_000_000, 8_000_000, 8_000_000]
    with pytest.raises(ValueError, match="more than 2,147 km apart"):
        Trajectory(np.array([0, 1]), np.array([0, 2**31]), np.array([0, 0])).at(np.array([0]))


def test_a_way_of_many_days_stays_exact_to_a_millimetre():
    path = Trajectory(np.array([0, 9 * 10**18]), np.array([0, 2**31 - 1]), np.array([0, 1]))
    times = np.linspace(0, 9e18, 1001).astype(np.int64)
    exact = [int(t) * (2**31 - 1) // (9 * 10**18) for t in times]
    assert np.abs(path.at(times)[0] - exact).max() <= 1
