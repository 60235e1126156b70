"""Figures of single mobile nodes in one run, as numerators and denominators of ratios."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from handoff.api.results import Results

MOBILE_MEASURES = {
    "loss_ratio": "ratio", "delay_mean": "s", "duplicate_ratio": "ratio", "reordered_ratio": "ratio", "disruption_mean": "s",
    "latency_mean": "s", "seamless": "ratio",
}  # fmt: skip
"""Measures that are ratios of sums over mobile nodes, with their units."""
_OF_HANDOFFS = {"disruption_mean": "disruption_s", "latency_mean": "latency_s", "seamless": "seamless"}
"""Means over the handoffs that have a value, and their column."""
_OF_FLOWS = {"duplicate_ratio": "duplicate", "reordered_ratio": "reordered", "delay_mean": "delay_sum_s", "loss_ratio": "lost"}
"""Ratios of flows: column of the numerator."""

Ratios = dict[str, dict[str, tuple[float, float]]]
"""Numerator and denominator by procedure and mobile node."""


def mobile_ratios(results: Results, measures: Sequence[str]) -> dict[str, Ratios]:
    """Return the ratios of measures (``MOBILE_MEASURES``) for each mobile node that has packets or handoffs."""
    return {measure: _sum_up(results, measure) for measure in measures}


def _sum_up(results: Results, measure: str) -> Ratios:
    if measure in _OF_HANDOFFS:
        table, column = results.handoffs, _OF_HANDOFFS[measure]
        numerator = table[column]
        denominator = pc.is_valid(numerator)
    else:
        table, column = results.flows, _OF_FLOWS[measure]
        numerator = table[column]
        denominator = table["delivered"]
        if measure == "loss_ratio":
            denominator = pc.add(denominator, numerator)
    parts = pa.table({
        "procedure": table["procedure"], "mobile": table["mobile"],
        "numerator": pc.fill_null(pc.cast(numerator, pa.float64()), 0.0), "denominator": pc.cast(denominator, pa.float64()),
    }).group_by(["procedure", "mobile"]).aggregate([("numerator", "sum"), ("denominator", "sum")])  # fmt: skip
    ratios: Ratios = {}
    for row in parts.to_pylist():
        ratios.setdefault(row["procedure"], {})[row["mobile"]] = (row["numerator_sum"], row["denominator_sum"])
    return ratios


__all__ = ["MOBILE_MEASURES", "mobile_ratios"]
