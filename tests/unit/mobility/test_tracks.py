"""Assembly of tracks from parts in order of time."""

import numpy as np

from handoff.mobility.tracks import assemble_tracks


def part(*values):
    return np.array(values, np.int64)


def test_parts_are_sorted_by_mobile_node_and_time():
    tracks = assemble_tracks(
        "model", ["a", "b"], [part(1, 0), part(1, 0)], [part(0, 0), part(5, 7)], [part(10, 20), part(11, 21)],
        [part(30, 40), part(31, 41)],
    )  # fmt: skip
    assert (tracks.format, tracks.mobile_names) == ("model", ["a", "b"])
    assert tracks.mobile.tolist() == [0, 0, 1, 1]
    assert tracks.time_ps.tolist() == [0, 7, 0, 5]
    assert tracks.x_mm.tolist() == [20, 21, 10, 11]
    assert tracks.y_mm.tolist() == [40, 41, 30, 31]


def test_a_second_sample_at_the_same_instant_is_dropped():
    tracks = assemble_tracks(
        "model", ["a", "b"], [part(0), part(0, 1), part(0)], [part(3), part(3, 3), part(4)], [part(1), part(2, 3), part(4)],
        [part(5), part(6, 7), part(8)],
    )  # fmt: skip
    columns = (tracks.mobile, tracks.time_ps, tracks.x_mm, tracks.y_mm)
    assert np.stack(columns, axis=1).tolist() == [[0, 3, 1, 5], [0, 4, 4, 8], [1, 3, 3, 7]]
