"""Path loss and shadowing in integers against their formulas in floating point."""

import math

import numpy as np
import pytest

from engine.rng import combine, name_key, random_word
from handoff.mobility.coverage.path_loss import MAX_DEVIATIONS, Radio, shadowing


@pytest.mark.parametrize("exponent", [1000, 2000, 3760, 10_000])
def test_path_loss_agrees_with_the_formula_to_a_thousandth(exponent):
    radio = Radio(transmit=46_000, reference_loss=38_500, reference_mm=1_000, exponent=exponent)
    dx = np.unique(np.geomspace(1, 2e9, 4000).astype(np.int64))
    dy = dx // 3
    distance = np.hypot(dx, dy) / 1000
    formula = 46_000 - 38_500 - 10 * exponent * np.log10(np.maximum(distance, 1))
    assert np.abs(radio.level(dx, dy) - formula).max() <= 1
    assert np.array_equal(radio.level(-dx, dy), radio.level(dy, dx))
    assert radio.level(np.array([0]), np.array([0])) == [7_500]


def test_the_reference_distance_only_shifts_the_level():
    near, far = Radio(reference_mm=1_000, reference_loss=40_000), Radio(reference_mm=10_000, reference_loss=75_000)
    d = np.array([20_000, 500_000, 3_000_000])
    assert np.abs(near.level(d, d * 0) - far.level(d, d * 0)).max() <= 1  # 35 dB a decade


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
