"""Columns of varied values."""

import pyarrow as pa
import pytest

from handoff.experiments.sweep.field_columns import field_columns


def columns(*texts):
    """Return the columns of one field named ``x``, without its text column."""
    table = field_columns([{} if text is None else {"x": text} for text in texts])
    return {name: table.column(name).to_pylist() for name in table.column_names if not pa.types.is_string(table[name].type)}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("1", "20"), {"x": [1, 20]}),
        (("1", "0.5"), {"x": [1.0, 0.5]}),
        (("true", "false"), {"x": [True, False]}),
        (("fast", "slow"), {}),
        (("1ms", "0", None), {"x_s": [0.001, 0, None]}),
        (("1Mbit/s", "2kbit/s"), {"x_bit_s": [10**6, 2000]}),
        (("2kB", "1KiB"), {"x_bytes": [2000, 1024]}),
        (("75/h", "1/min"), {"x_per_h": [75, 60]}),
        (("50m", "1.5km"), {"x_m": [50, 1500]}),
        (("1.5m/s",), {"x_m_per_s": [1.5]}),
        (("3dB", "0.5dB"), {"x_db": [3, 0.5]}),
        (("-95dBm",), {"x_dbm": [-95]}),
        (("1ms", "2kB"), {}),  # no quantity has both units
        (("10Mbit/s", "infinite"), {}),
    ],
)
def test_type_of_a_column_fits_all_its_values(texts, expected):
    assert columns(*texts) == expected


def test_text_stays_beside_its_quantity():
    table = field_columns([{"lead": "1ms"}, {"lead": "2us"}])
    assert table.to_pydict() == {"lead": ["1ms", "2us"], "lead_s": [0.001, 2e-6]}


def test_field_of_the_same_name_is_not_replaced():
    assert field_columns([{"lead_s": "5", "lead": "1ms"}]).to_pydict() == {"lead_s": [5], "lead": ["1ms"]}
    table = field_columns([{"lead": "1ms", "lead_s": "5"}])
    assert table.to_pydict() == {"lead": ["1ms"], "lead_s": [5]}
    assert table.schema.field("lead_s").metadata[b"unit"] == b""
