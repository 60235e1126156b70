"""Figures of single mobile nodes in one run, as numerators and denominators of ratios."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow.compute as pc

from handoff.api.results import Results

MOBILE_MEASURES = {
    "loss_ratio": "ratio", "delay_mean": "s", "duplicate_ratio": "ratio", "reordered_ratio": "ratio", "disruption_mean": "s",
    "latency_mean": "s", "seamless": "ratio",
}  # fmt: skip
"""Measures that are ratios of sums over mobile nodes, with their units."""


def mobile_ratio(results: Results, procedure: str, measure: str) -> dict[str, tuple[float, float]]:
    """Return the numerator and denominator of a measure for each mobile node that has any packets or handoffs."""
    table = results.handoffs if measure in ("disruption_mean", "latency_mean", "seamless") else results.flows
    rows = table.filter(pc.field("procedure") == procedure).to_pylist()
    sums: dict[str, tuple[float, float]] = {}
    for row in rows:
        for numerator, denominator in _part(row, measure):
            a, b = sums.get(row["mobile"], (0.0, 0.0))
            sums[row["mobile"]] = (a + numerator, b + denominator)
    return sums


def _part(row: dict[str, Any], measure: str) -> Iterable[tuple[float, float]]:
    if measure == "loss_ratio":
        yield row["lost"], row["lost"] + row["delivered"]
    elif measure == "delay_mean":
        if row["delivered"] and row["delay_sum_s"] is not None:
            yield row["delay_sum_s"], row["delivered"]
    elif measure in ("duplicate_ratio", "reordered_ratio"):
        yield row[measure.removesuffix("_ratio")], row["delivered"]
    else:
        value = row[{"disruption_mean": "disruption_s", "latency_mean": "latency_s", "seamless": "seamless"}[measure]]
        if value is not None:
            yield float(value), 1.0


__all__ = ["MOBILE_MEASURES", "mobile_ratio"]
