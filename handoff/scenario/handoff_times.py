"""Times and distances of handoffs that scenarios give or name: uniform, from quantiles, or measured (docs/movement.md)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import SkipValidation, WithJsonSchema

from engine.quantities import DURATION
from engine.similar_names import name_hint
from handoff.mobility.commuters import UniformTime
from handoff.mobility.quantile_time import WHOLE, QuantileTime
from handoff.scenario.field_types import DecimalReader, QuantityReader, ValueReader, read_duration
from handoff.scenario.units import LENGTH

_MILLISECOND = DURATION.units["ms"]
_SHARES = tuple(percent * WHOLE // 100 for percent in (10, 25, 50, 75, 90, 95, 99))


def _milliseconds(*quantiles: int) -> QuantileTime:
    return QuantileTime(_SHARES, tuple(t * _MILLISECOND for t in quantiles))


MEASURED_GAPS = {
    "lte-measured": _milliseconds(28, 30, 34, 39, 47, 62, 94),
    "5g-nsa-measured": _milliseconds(30, 38, 52, 58, 69, 82, 99),
    "5g-nsa-scg-measured": _milliseconds(26, 29, 42, 54, 62, 71, 82),
    "5g-sa-measured": _milliseconds(62, 64, 66, 68, 69, 70, 74),
}
"""Time from the command until random access is done, in three networks of the US (docs/movement.md names the source): LTE
handovers, changes of the LTE anchor and of the secondary cell in non-standalone 5G, and standalone 5G in the low band."""
MEASURED_DISTANCES_MM = {"5g-nsa-low": 533_000, "5g-nsa-mid": 492_000, "5g-sa-low": 1_269_000}
"""Median distance between two handovers in the same measurements, in the low and the mid band."""
_read_share = DecimalReader("a share", 0, 1, len(str(WHOLE)) - 1, is_share=True)
_read_length = QuantityReader(LENGTH)
_LN2_MILLIONTHS = 693_147


def parse_uniform(value: Any) -> UniformTime:
    """Return the distribution of a value that is one duration, or the two ends of a uniform distribution.

    Raises
    ------
    ValueError
        If the value has another form, or its ends are in the wrong order.
    """
    ends = value if isinstance(value, list) else [value, value]
    if len(ends) != 2:
        raise ValueError(f"{value!r} is neither a duration nor the ends of a range, as in ['20ms', '100ms']")
    low, high = map(read_duration, ends)
    if high < low:
        raise ValueError(f"{value!r} ends before it begins: write the shorter duration first")
    return UniformTime(low, high)


def parse_gap(value: Any) -> UniformTime | QuantileTime:
    """Return the distribution of a gap: a duration, the ends of a uniform one, quantiles, or the name of a measured one.

    Raises
    ------
    ValueError
        If the value has another form, or there is no such name.
    """
    if isinstance(value, str) and value.strip()[-9:] == "-measured":
        if value not in MEASURED_GAPS:
            raise ValueError(f"no measured gap {value!r}; {name_hint(value, MEASURED_GAPS)}")
        return MEASURED_GAPS[value]
    if not isinstance(value, list) or not all(isinstance(pair, list) for pair in value):
        return parse_uniform(value)
    if not all(len(pair) == 2 for pair in value):
        raise ValueError(f"{value!r} is no list of shares and durations, as in [['10%', '28ms'], ['50%', '34ms']]")
    return QuantileTime(tuple(_read_share(share) for share, _ in value), tuple(read_duration(time) for _, time in value))


def parse_distance(value: Any) -> int:
    """Return a mean distance between handovers in millimetres: a length, or that of the exponential law with a measured median.

    Raises
    ------
    ValueError
        If the value is neither, or 0.
    """
    if value in MEASURED_DISTANCES_MM:
        return MEASURED_DISTANCES_MM[value] * 10**6 // _LN2_MILLIONTHS
    distance = _read_length(value)
    if not distance:
        raise ValueError("give a distance above 0")
    return distance


_DURATION = read_duration.json_schema()
_UNIFORM = [_DURATION, {"type": "array", "items": _DURATION, "minItems": 2, "maxItems": 2}]
_PAIR = {"type": "array", "minItems": 2, "maxItems": 2}
_QUANTILES = [{"type": "array", "items": _PAIR, "minItems": 1}, {"enum": list(MEASURED_GAPS)}]
_DISTANCE = [_read_length.json_schema(), {"enum": list(MEASURED_DISTANCES_MM)}]
UniformDuration = Annotated[UniformTime, ValueReader(parse_uniform), WithJsonSchema({"anyOf": _UNIFORM})]
GapDuration = Annotated[
    UniformTime | QuantileTime, SkipValidation, ValueReader(parse_gap), WithJsonSchema({"anyOf": [*_UNIFORM, *_QUANTILES]})
]
Distance = Annotated[int, ValueReader(parse_distance), WithJsonSchema({"anyOf": _DISTANCE})]
