"""Display of a field's values: in the unit that needs the fewest digits."""

import pytest

from handoff.experiments.planning.field_scale import Values, parse_range
from handoff.scenario.load import read_tables
from tests.unit.experiments.planning.one_mobile_node import commuting


@pytest.mark.parametrize(
    ("name", "text", "display"),
    [
        ("handoff_rate", "75/h", "75/h"),
        ("handoff_rate", "1200/h", "20/min"),
        ("lead_time", "35.1ms", "35.1 ms"),
        ("lead_time", "400us", "400 us"),
        ("lead_time", "1500ms", "1.5 s"),
        ("mobile_nodes", "10k", "10,000"),
        ("agent_service", "0s", "0 ps"),
    ],
)
def test_a_value_is_displayed_in_a_convenient_unit(tmp_path, name, text, display):
    values = Values.of(read_tables(commuting(tmp_path))[0], name)
    assert values.display(values.scale.parse(text)) == display


def test_a_field_that_cannot_vary_has_no_range(tmp_path):
    data = read_tables(commuting(tmp_path))[0]
    with pytest.raises(ValueError, match=r"sweep.runs: cannot vary: \[sweep\] says what varies"):
        parse_range(data, "sweep.runs", "1:4", 0.01)
