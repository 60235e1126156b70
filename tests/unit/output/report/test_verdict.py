"""The two sentences of a report agree with its tables."""

import re

import pytest

from handoff.output.report.study_data import StudyData
from handoff.output.report.target_section import TargetLine
from handoff.output.report.verdict import best_run, key_figures, verdict
from tests.unit.output.report.small_study import PROCEDURES, small_tables, with_cells


def study(names=PROCEDURES, **columns):
    tables = small_tables(names)
    return StudyData(with_cells(tables, "runs", **columns))


def numbers(text):
    return [int(n.replace(",", "")) for n in re.findall(r"(?<![\w.])\d[\d,]*(?![\d.]*\w)", text)]


def test_the_sentences_have_the_figures_of_the_tables():
    data = study(lost=[30, 4, 9], sent=[10_000] * 3, signalling_messages=[100, 250, 120], handoffs=[50, 50, 50],
                 extra_bytes=[-500, 2_500_000, 7], disruption_p99_s=[2, 0.0815, 0.001])  # fmt: skip
    first, second = verdict(data)
    assert best_run(data)["procedure"] == "sync-mipv4"
    assert first.startswith("Of 3 procedures, sync-mipv4 loses the fewest packets: 4 of 10,000 packets (95 % interval ")
    assert first.endswith(" in 50 handoffs, and 99 % of its interruptions last no longer than 81.5 ms; mipv4 loses the most, 30.")
    assert second == (
        "sync-mipv4 costs 250 signalling messages, 5 a handoff, and 2.5 MB more traffic than handoffs without any cost; "
        "mipv4 needs the fewest messages, 100, and loses 30 packets."
    )


def test_equal_losses_are_said_and_the_shorter_interruption_leads():
    data = study(lost=[4, 4, 9], disruption_p99_s=[0.09, 0.08, 0.001])
    assert best_run(data)["procedure"] == "sync-mipv4"
    assert ", sync-mipv4 loses the fewest packets, as few as mipv4: 4 of" in verdict(data)[0]
    data = study(lost=[4, 4, 4], disruption_p99_s=[0.09, 0.08, 0.07])
    first = verdict(data)[0]
    assert first.startswith("All 3 procedures lose equally many packets, 4 of ")
    assert first.endswith("; mipv4-bicast comes first by its interruptions, 99 % of which last no longer than 70 ms.")


@pytest.mark.parametrize(("times", "extra", "end"), [
    ([0, 0.08, 0.07], [1, 2, 3], "mipv4 comes first by its interruptions: 99 % of its handoffs have none."),
    ([0.07, 0.08, 0.07], [3, 2, 1], "mipv4-bicast comes first by its extra bytes."),
    ([0.07, 0.08, 0.07], [1, 2, 1], "no figure decides between all of them."),
    ([None, None, None], [3, 2, None], "sync-mipv4 comes first by its extra bytes."),
])  # fmt: skip
def test_the_reason_for_the_first_of_equals_is_said(times, extra, end):
    assert verdict(study(lost=[4, 4, 4], disruption_p99_s=times, extra_bytes=extra))[0].endswith(f"; {end}")


def test_handoffs_without_interruption_have_no_length():
    first, _ = verdict(study(("sync-mipv4",), lost=[1], disruption_p99_s=[0.0]))
    assert first.endswith(", and 99 % of its handoffs interrupt nothing.")


def test_an_interval_beyond_the_packets_is_left_out():
    first, _ = verdict(study(("sync-mipv4",), lost=[0], sent=[2], handoffs=[210]))
    assert first.startswith("sync-mipv4 loses 0 of 2 packets in 210 handoffs")


def test_targets_are_those_of_the_best_procedure():
    data = study(lost=[30, 4, 9], signalling_messages=[100, 250, 120])
    good = [TargetLine("sync-mipv4", name, "1", True) for name in ("lost <= 9", "duplicates <= 9")]
    bad = [TargetLine("sync-mipv4", "late <= 1", "2", False), TargetLine("mipv4", "late <= 1", "1", True)]
    assert verdict(data, good)[1].endswith(" packets; sync-mipv4 meets both targets.")
    assert verdict(data, good + bad)[1].endswith(" packets; sync-mipv4 misses late <= 1 (2).")
    assert verdict(data, bad[1:])[1].endswith(" packets.")


def test_extra_bytes_decide_last():
    data = study(lost=[4, 4, 9], disruption_p99_s=[0.08, 0.08, 0.001], extra_bytes=[10, 9, 8])
    assert best_run(data)["procedure"] == "sync-mipv4"


def test_a_single_run_is_compared_with_nothing():
    first, second = verdict(study(("sync-mipv4",), lost=[1], signalling_messages=[1], handoffs=[0], extra_bytes=[None]))
    assert first.startswith("sync-mipv4 loses 1 of ")
    assert second == "It costs 1 signalling message."


def test_the_cheapest_procedure_has_no_comparison():
    data = study(lost=[3, 1, 2], signalling_messages=[9, 8, 8], handoffs=[4, 4, 4], extra_bytes=[0, -2000, 0])
    assert verdict(data)[1] == (
        "sync-mipv4 costs 8 signalling messages, 2 a handoff, and 2.0 kB less traffic than handoffs without any cost; "
        "no other procedure needs fewer messages."
    )


@pytest.mark.parametrize("detail", [True, False])
def test_the_sentences_of_a_run_hold_for_its_rows(detail):
    """Every number of the first sentence is in the row of the best procedure, in its interval, or the largest loss."""
    data = StudyData(small_tables(detail=detail))
    best, lost = best_run(data), [row["lost"] for row in data.runs]
    assert best["lost"] == min(lost)
    interval = data.interval(best, "lost")
    known = {round(best["disruption_p99_s"] * 1000), len(lost), best["lost"], best["sent"], best["handoffs"], max(lost), 95, 99}
    if interval is not None:
        known |= {round(interval.low), round(interval.high)}
    assert set(numbers(verdict(data)[0])) <= known
    assert f"{best['signalling_messages']:,} signalling messages" in verdict(data)[1]


def test_key_figures_leave_out_what_was_not_measured():
    names = {figure.name for figure in key_figures(study(extra_bytes=[None] * 3, extra_air_bytes=[None] * 3))}
    assert names >= {"Packets lost", "Signalling messages"}
    assert "Extra traffic" not in names
