"""Path loss and shadowing in integers against their formulas in floating point."""

import math
from math import isqrt

import numpy as np
import pytest

from engine.rng import combine, log_fixed_point, log_table, name_key, random_word
from handoff.mobility.coverage import Radio
from handoff.mobility.coverage._received_levels import attenuate, interpolate
from handoff.mobility.coverage.path_loss import MAX_DEVIATIONS, received_level, shadowing


@pytest.mark.parametrize("exponent", [1000, 2000, 3760, 10_000])
def test_path_loss_agrees_with_the_formula_to_a_thousandth(exponent):
    radio = Radio(transmit=46_000, reference_loss=38_500, reference_mm=1_000, exponent=exponent)
    dx = np.unique(np.geomspace(1, 2e9, 4000).astype(np.int64))
    dy = dx // 3
    distance = np.hypot(dx, dy) / 1000
    formula = 46_000 - 38_500 - 10 * exponent * np.log10(np.maximum(distance, 1))
    assert np.abs(received_level(radio, dx, dy) - formula).max() <= 1
    assert np.array_equal(received_level(radio, -dx, dy), received_level(radio, dy, dx))
    assert received_level(radio, np.array([0]), np.array([0])) == [7_500]


def test_the_reference_distance_only_shifts_the_level():
    near, far = Radio(reference_mm=1_000, reference_loss=40_000), Radio(reference_mm=10_000, reference_loss=75_000)
    d = np.array([20_000, 500_000, 3_000_000])
    assert np.abs(received_level(near, d, d * 0) - received_level(far, d, d * 0)).max() <= 1  # 35 dB a decade


@pytest.fixture(scope="module")
def shadows():
    """Shadowing of 8 dB along 100 km for 40 pairs, a point each 5 m, decorrelation distance 40 m."""
    radio = Radio(shadowing=8_000, decorrelation_mm=40_000)
    way = np.arange(0, 100_000_000, 5_000)
    keys = np.array([name_key(f"r{i}") for i in range(8)], np.uint64)
    return np.concatenate([shadowing(radio, 3, keys, name_key(f"m{i}"), way) for i in range(5)])


def test_shadowing_has_its_mean_deviation_and_correlation(shadows):
    """100 km hold 1,250 independent sections (of twice 40 m) for each of 40 pairs; bounds are about 4.5 standard errors."""
    sections = 40 * 1250
    assert abs(shadows.mean()) < 4.5 * 8_000 / math.sqrt(sections)
    assert shadows.std() == pytest.approx(8_000, rel=4.5 / math.sqrt(2 * sections))
    for metres, expected in [(40, math.exp(-1)), (20, math.exp(-0.5)), (80, math.exp(-2)), (200, math.exp(-5))]:
        k = metres // 5
        correlation = (shadows[:, :-k] * shadows[:, k:]).mean() / 8_000**2
        assert correlation == pytest.approx(expected, abs=0.02)
    assert np.abs(shadows).max() <= MAX_DEVIATIONS * 8_000
    kurtosis = (shadows / 8_000.0) ** 4
    assert kurtosis.mean() == pytest.approx(3, abs=0.15)  # truncation and sums of uniform numbers lower it a little


def test_shadowing_of_a_pair_is_independent_of_other_pairs_and_of_the_sampling(shadows):
    pairs = np.corrcoef(shadows)
    assert np.abs(pairs - np.eye(len(pairs))).max() < 5.5 / math.sqrt(1250)
    radio = Radio(shadowing=8_000, decorrelation_mm=40_000)
    way = np.arange(0, 1_000_000, 7_001)
    keys = np.array([name_key("a"), name_key("b"), name_key("c")], np.uint64)
    three = shadowing(radio, 1, keys, name_key("m"), way)
    assert np.array_equal(shadowing(radio, 1, keys[1:2], name_key("m"), way)[0], three[1])
    assert np.array_equal(shadowing(radio, 1, keys, name_key("m"), way[40:]), three[:, 40:])
    still = shadowing(radio, 1, keys, name_key("m"), np.full(5, way[17]))
    assert np.array_equal(still, np.repeat(three[:, 17:18], 5, axis=1))
    assert not np.array_equal(shadowing(radio, 2, keys, name_key("m"), way), three)


def test_shadowing_follows_its_definition_draw_by_draw():
    """docs/movement.md, coverage 2."""
    radio = Radio(shadowing=6_000, decorrelation_mm=80_000)
    entity = combine(name_key("m"), name_key("r"))
    words = [random_word(7, 1020, entity, index) for index in range(70)]
    sums = [sum(word >> shift & 0xFFFF for shift in (0, 16, 32, 48)) - 2 * 65_535 for word in words]
    deviation = math.sqrt((2**32 - 1) / 3 * sum(math.exp(-k / 4) for k in range(64)))
    points = [6_000 * sum(math.exp(-k / 8) * sums[j + 63 - k] for k in range(64)) / deviation for j in range(6)]
    shadow = shadowing(radio, 7, np.array([name_key("r")], np.uint64), name_key("m"), np.array([0, 10_000, 45_000]))[0]
    assert shadow == pytest.approx([points[0], points[1], (points[4] + points[5]) / 2], abs=2)


@pytest.mark.parametrize("squared", [1, 2, 3, 4096, 10**6 + 1, 2**40 - 1, 2**53 + 1, 8 * 10**18])
def test_the_level_takes_the_logarithm_of_the_array_function(squared):
    """One instant beyond a reference of 1 mm, by the same table as ``engine.rng.log_fixed_point``."""
    x = isqrt(squared)
    factor = 2**16 * 5 * 3_500  # a logarithm of 1 is 17.5 dB
    expected = (int(log_fixed_point(np.array([x * x]))[0]) >> 16) * factor + (1 << 39) >> 40
    offsets = np.array([x], np.int64), np.zeros(1, np.int64)
    assert attenuate(*offsets, 2**32, log_table(), 0, factor, 0).tolist() == [-expected]


def test_values_between_points_are_rounded_down():
    points = np.array([[0, 10, 0], [5, 4, -6]], np.int64)
    point, rest = np.array([0, 0, 1, 1], np.int64), np.array([0, 1, 2, 2], np.int64)
    assert interpolate(points, point, rest, 3).tolist() == [[0, 3, 3, 3], [5, 4, -3, -3]]


def test_an_instant_needs_a_point_after_it():
    with pytest.raises(ValueError, match="a point before it and one after it"):
        interpolate(np.zeros((1, 2), np.int64), np.array([1], np.int64), np.array([0], np.int64), 3)


def test_offsets_need_one_length():
    with pytest.raises(ValueError, match="of one length"):
        attenuate(np.zeros(2, np.int64), np.zeros(1, np.int64), 2**31, log_table(), 0, 1, 0)
