"""Values of a field in a sentence: in the unit that takes the fewest digits."""

import pytest

from handoff.experiments.planning.field_scale import Values, parse_range
from handoff.scenario.load import read_tables
from tests.plan.scenarios import commuting


@pytest.mark.parametrize(
    ("name", "text", "said"),
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
def test_a_value_is_said_as_a_person_would(tmp_path, name, text, said):
    values = Values.of(read_tables(commuting(tmp_path))[0], name)
    assert values.display(values.scale.parse(text)) == said


def test_what_is_no_field_of_a_point_has_no_range(tmp_path):
    data = read_tables(commuting(tmp_path))[0]
    with pytest.raises(ValueError, match=r"sweep.runs: cannot vary: \[sweep\] says what varies"):
        parse_range(data, "sweep.runs", "1:4", 0.01)
