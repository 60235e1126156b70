"""The map of a report, by hand."""

import numpy as np

from handoff.output.report.map_section import MapData, map_section
from handoff.output.report.study_data import StudyData
from tests.unit.output.report.small_study import small_tables, with_cells


def study(lost):
    tables = small_tables(("mipv4",))
    count = tables["handoffs"].num_rows
    tables = with_cells(tables, "handoffs", old_router=["west"] * (count - 1) + ["east"], lost=lost + [0] * (count - len(lost)))
    return StudyData(tables), count


def places(count):
    x = np.full(count, 105.0)
    x[-1] = 905.0
    track = (np.array([0.0, 500.0]), np.array([0.0, 10.0]))
    return MapData([("west", 0.0, 0.0), ("east", 960.0, 0.0)], 600.0, [track], x, np.full(count, 5.0))


def test_handoffs_and_losses_are_counted_where_they_happen():
    """The longer side has 960 m and 48 squares of 20 m: 105 m lies in that of 100 to 120 m, and 905 m in that of 900 to 920 m."""
    data, count = study([3, 4])
    section = map_section(data, places(count))
    (chart,) = section.charts
    tracks, circles, squares, losses, routers, _ = (layer["data"]["values"] for layer in chart.specs[0]["layer"])
    assert [(s["x"], s["u"], s["handoffs"], s["lost"]) for s in squares] == [(100, 120, count - 1, 7), (900, 920, 1, 0)]
    assert [(s["x"], s["y"], s["lost"]) for s in losses] == [(110, 10, 7)], "at the centre"
    assert [(r["name"], r["handoffs"], r["lost"]) for r in routers] == [("west", count - 1, 7), ("east", 1, 0)]
    assert len(tracks) == 2
    assert max(c["x"] for c in circles if c["router"] == 0) == 600
    assert chart.sentence == (
        f"Most handoffs leave west: {count - 1} handoffs of {count}. Under mipv4, those from west lose the most packets: 7."
    )


def test_without_positions_or_losses():
    data, count = study([])
    assert map_section(data, None) is None
    assert "No handoff lost a packet" in map_section(data, places(count)).charts[0].sentence
