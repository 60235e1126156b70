"""Gaps from quantiles and measured distances of the commuters."""

import numpy as np
import pytest
from pydantic import ValidationError

from engine.rng import RandomStreams, name_keys
from handoff.mobility.quantile_time import QuantileTime
from handoff.scenario.handoff_times import MEASURED_GAPS, parse_distance, parse_gap
from handoff.scenario.movement import CommutersModel

MS = 10**9
COMMUTERS = {"mobile_nodes": 300, "handoff_rate": "60/h", "gap": "100ms"}
NAMES = [f"mn{i}" for i in range(300)]


def mean_ms(distribution):
    """Return the mean: linear between quantiles, the first and the last one beyond them."""
    shares, times = np.array(distribution.shares) / 10**6, np.array(distribution.times_ps) / MS
    inside = (np.diff(shares) * (times[1:] + times[:-1]) / 2).sum()
    return shares[0] * times[0] + inside + (1 - shares[-1]) * times[-1]


@pytest.mark.parametrize(
    ("name", "published"),
    [("lte-measured", 37.8), ("5g-nsa-measured", 51.2), ("5g-nsa-scg-measured", 43.3), ("5g-sa-measured", 66.0)],
)
def test_the_quantiles_have_the_published_mean(name, published):
    """The means of the same rows; what lies beyond 10 % and 99 % moves them by 1 ms at most."""
    assert mean_ms(MEASURED_GAPS[name]) == pytest.approx(published, abs=1)


def test_draws_follow_the_quantiles():
    table = QuantileTime((100_000, 500_000, 900_000), (20 * MS, 40 * MS, 10_000_000 * MS))
    streams = RandomStreams(1, 77, name_keys(["mn"]))
    count = 100_000
    drawn = table.draw(streams, np.zeros(count, np.int64), np.arange(count))
    for share, time in ((0.3, 30 * MS), (0.5, 40 * MS), (0.7, (10_000_040 * MS) // 2), (0.9, table.high)):
        assert (drawn <= time).mean() == pytest.approx(share + 0.1 * (share == 0.9), abs=4 * 0.5 / count**0.5)
    assert (drawn == 20 * MS).mean() == pytest.approx(0.1, abs=0.005)


def gaps(names, **changes):
    model = CommutersModel.model_validate(COMMUTERS | {"gap": "lte-measured"} | changes).model()
    log = model.attachments(names, ["a", "b"], seed=1, until_ps=600 * 10**12)
    same = log.mobile[1:] == log.mobile[:-1]
    found = {name: [] for name in names}
    for mobile, gap in zip(log.mobile[1:][same].tolist(), (log.up_ps[1:] - log.down_ps[:-1])[same].tolist(), strict=True):
        found[names[mobile]].append(gap)
    return found


def test_the_draws_of_a_mobile_node_depend_on_its_name_alone():
    """Not on the order of the names, nor on the leads, which have draws of their own."""
    drawn = gaps(NAMES)
    pooled = np.concatenate(list(drawn.values())) / MS
    assert len(pooled) > 2000
    assert np.quantile(pooled, [0.25, 0.5, 0.75]) == pytest.approx([30, 34, 39], abs=1)
    assert gaps(NAMES[::-1]) == drawn
    later = gaps(NAMES, lead=["1ms", "90ms"])
    assert all(a[: len(b)] == b[: len(a)] for a, b in zip(drawn.values(), later.values(), strict=True))


def test_gaps_of_a_file():
    assert parse_gap([["10%", "20ms"], [0.5, "40ms"]]) == QuantileTime((100_000, 500_000), (20 * MS, 40 * MS))
    assert CommutersModel.model_validate(COMMUTERS | {"gap": "5g-sa-measured"}).gap == MEASURED_GAPS["5g-sa-measured"]


@pytest.mark.parametrize(
    ("gap", "message"),
    [
        ("lta-measured", "no measured gap 'lta-measured'; did you mean"),
        ([["10%", "20ms"], ["5%", "40ms"]], "write quantiles with ascending shares"),
        ([["10%", "20ms"], ["50%", "10ms"]], "write quantiles with ascending shares"),
        ([["10%"]], "is no list of shares and durations"),
        ([], "write quantiles with ascending shares"),
    ],
)
def test_gaps_that_a_file_cannot_have(gap, message):
    with pytest.raises(ValidationError, match=message):
        CommutersModel.model_validate(COMMUTERS | {"gap": gap})


def test_a_distance_and_a_speed_give_the_rate():
    """50 km/h over 1 km is 72 s. An exponential law with the median 533 m has the mean 533 / ln 2 = 768.96 m: 55.365 s."""
    table = {k: v for k, v in COMMUTERS.items() if k != "handoff_rate"}
    tables = [table | {"distance": distance, "speed": "50km/h"} for distance in ("1km", "5g-nsa-low")]
    dwell_s = [CommutersModel.model_validate(t).model().dwell_ps / 10**12 for t in tables]
    assert dwell_s == pytest.approx([72, 55.365], rel=1e-4)
    assert parse_distance("5g-nsa-low") == pytest.approx(533_000 / np.log(2), rel=1e-5)


@pytest.mark.parametrize("changes", [{"distance": "1km"}, {"speed": "50km/h"}, {"distance": "1km", "speed": "50km/h"}])
def test_a_rate_excludes_a_distance(changes):
    with pytest.raises(ValidationError, match="give either 'handoff_rate', or 'distance' and a 'speed' above 0"):
        CommutersModel.model_validate(COMMUTERS | changes)
