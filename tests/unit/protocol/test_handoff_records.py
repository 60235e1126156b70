"""Tests of handoff.protocol.handoff_records."""

import numpy as np

from engine import FOREVER, Network
from handoff.protocol.handoff_records import COLUMNS, WITHOUT_COMMAND, HandoffRecords
from handoff.protocol.setup import Attachments, Setup


def records():
    """Mobile node 0 moves 1 -> 2 -> 1, first with dual and then with single access; mobile node 2 stays."""
    rows = [
        (0, 1, 0, 100, 50, 90),
        (0, 2, 80, 200, -1, 190),
        (0, 1, 250, FOREVER, -1, -1),
        (2, 2, 0, FOREVER, -1, -1),
    ]
    return HandoffRecords(Setup(Network(), 0, Attachments(*np.array(rows, np.int64).T), 1000))


def test_each_pair_of_attachments_is_a_handoff():
    columns = records().columns
    assert set(columns) == set(COLUMNS)
    expected = {
        "mobile": [0, 0], "index": [0, 1], "old_router": [1, 2], "new_router": [2, 1], "access": [0, 1],
        "predict_ps": [50, -1], "going_down_ps": [90, 190], "down_ps": [100, 200], "up_ps": [80, 250],
    }  # fmt: skip
    assert {name: columns[name].tolist() for name in expected} == expected


def test_counters_start_at_0_and_times_at_minus_1():
    columns = records().columns
    counters = {"scenario", "completed", "retransmissions", "denied", "between", "markers"}
    assert all(columns[name].tolist() == [0, 0] for name in counters)
    assert all(columns[name].tolist() == [-1, -1] for name in ("request_ps", "reply_ps", "marker_ps", "known_ps"))


def test_attachments_that_are_not_left_have_no_row():
    assert records().row_of.tolist() == [0, 1, -1, -1]
    assert records().row_of[-1] == -1, "no attachment"


def test_columns_are_views():
    table = records()
    table.arrays["marker_ps"][1] = 7
    assert table.columns["marker_ps"].tolist() == [-1, 7]


def test_a_setup_without_attachments_has_no_handoffs():
    nothing = np.zeros(0, np.int64)
    empty = HandoffRecords(Setup(Network(), 0, Attachments(*[nothing] * 6), 1))
    assert len(empty.columns["mobile"]) == 0


# -- notes of routers --------------------------------------------------------------------------------------------------------
def test_a_note_belongs_to_the_last_handoff_to_a_router_that_has_begun():
    """Back and forth: 1 -> 2 from 50 (its prediction), 2 -> 1 from 200 (its link down), 1 -> 2 from 350."""
    rows = [
        (0, 1, 0, 100, 50, -1), (0, 2, 80, 200, -1, -1), (0, 1, 250, 400, 350, -1), (0, 2, 420, FOREVER, -1, -1),
        (3, 1, 0, 100, 50, -1), (3, 2, 80, FOREVER, -1, -1),
    ]  # fmt: skip
    handoffs = HandoffRecords(Setup(Network(), 0, Attachments(*np.array(rows, np.int64).T), 1000))
    for now_ps in (49, 60, 340, 351):
        handoffs.note(0, 2, now_ps, "marker_ps")
    for now_ps in (150, 300):
        handoffs.note(0, 1, now_ps, "marker_ps")
    handoffs.note(0, 3, 300, "marker_ps")
    handoffs.note(1, 2, 300, "marker_ps")
    assert handoffs.columns["marker_ps"].tolist() == [60, 300, 351, -1]


def test_the_least_value_of_several_notes_stays_in_any_order():
    for values in ((120, 90), (90, 120)):
        handoffs = records()
        for value in values:
            handoffs.note(0, 2, value, "bound_ps")
        assert handoffs.columns["bound_ps"].tolist() == [90, -1]


def test_a_command_that_was_sent_before_the_link_went_down_is_scenario_2():
    for sent_ps, scenario in ((-1, 3), (99, 2), (100, 2), (101, 3)):
        handoffs = records()
        handoffs.arrays["scenario"][0], handoffs.arrays["rescue_ps"][0] = WITHOUT_COMMAND, sent_ps
        assert handoffs.columns["scenario"].tolist() == [scenario, 0]
