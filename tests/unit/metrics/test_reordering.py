"""Reordering of sequences that are small enough to be computed by hand, among them those of RFC 4737 (by order of arrival)."""

import numpy as np
import pytest

from .packet_records import arriving_in_order, single_flow_metrics

REORDERING = (
    "reordered", "reordering_extent_max_packets", "late_time_max_ps", "reordering_n_max_packets", "reordered_3",
    "free_runs", "free_run_mean_packets", "free_run_max_packets",
)  # fmt: skip


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # One packet late, RFC 4737, 7.1: 4 comes after 8. The first larger one, 5, came 4 arrivals before; 5 to 8 are larger.
        ([1, 2, 3, 5, 6, 7, 8, 4, 9, 10], (1, 4, 4000, 4, 1, 1, 7.0, 7)),
        # A block late, 7.2: 4 5 6 come after 10, 4 to 6 arrivals after 7. Right before 5 is 4, right before 6 is 5: n = 0.
        # Runs: 1 2 3 7 8 9 10, then none before 5, none before 6.
        ([1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11], (3, 6, 6000, 4, 1, 3, 7 / 3, 7)),
        # Two neighbours exchanged twice: extent 1, n 1; runs 1 3 and 4 6.
        ([1, 3, 2, 4, 6, 5, 7], (2, 1, 1000, 1, 0, 2, 2.0, 2)),
        # 2 after 5 4 3: extent 3, n 3. Runs: 1 5, then none before 3, none before 2.
        ([1, 5, 4, 3, 2], (3, 3, 3000, 3, 1, 3, 2 / 3, 2)),
        # A missing packet reorders nothing.
        ([1, 2, 5, 6], (0, -1, -1, -1, 0, 0, None, -1)),
        # 3 after 2 has extent 3 and late time 3 arrivals, but follows a smaller number.
        ([1, 5, 6, 2, 3], (2, 3, 3000, 2, 0, 2, 1.5, 3)),
    ],
)
def test_reordering(order, expected):
    result = single_flow_metrics(arriving_in_order([s - 1 for s in order]))
    for name, value in zip(REORDERING, expected, strict=True):
        assert np.isnan(result[name]) if value is None else result[name] == pytest.approx(value), name
    assert result["reordered_ratio"] == expected[0] / len(order)
