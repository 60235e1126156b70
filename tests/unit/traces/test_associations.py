"""Association logs: exact times, and an error for every wrong line."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import handoff_traces

HEADER = "mobile,router,up_s,down_s,predict_s,going_down_s"
COMMUTE = Path(__file__).parents[3] / "examples" / "commute.associations.csv"


def log(*lines, end="\n"):
    return end.join([HEADER, *lines, ""]).encode()


def test_columns(save):
    path = save(
        log(
            "m1,r7,0,33.3054,,",
            "m2,r6,0.000000000001,61.8377,61.7281,61.8146",
            "m1,r6,9223372.036854775807,,,",
            'm2,"a,b",1,1,1,1.0000000000000000',
        )
    )
    columns = handoff_traces.read_associations(path)
    assert (columns.mobile_names, columns.router_names) == (["m1", "m2"], ["r7", "r6", "a,b"])
    assert columns.mobile.tolist() == [0, 1, 0, 1]
    assert columns.router.tolist() == [0, 1, 1, 2]
    assert columns.up_ps.tolist() == [0, 1, 2**63 - 1, 10**12]
    assert columns.down_ps.tolist() == [33_305_400_000_000, 61_837_700_000_000, -1, 10**12]
    assert columns.predict_ps.tolist() == [-1, 61_728_100_000_000, -1, 10**12]
    assert columns.going_down_ps.tolist() == [-1, 61_814_600_000_000, -1, 10**12]
    assert [columns.mobile.dtype, columns.router.dtype, columns.up_ps.dtype, columns.down_ps.dtype] == [
        np.uint32,
        np.uint32,
        np.int64,
        np.int64,
    ]


def test_log_without_attachments(save):
    columns = handoff_traces.read_associations(save(log()))
    assert (len(columns), columns.mobile_names, columns.up_ps.dtype) == (0, [], np.int64)


def test_example_log_agrees_with_decimal_arithmetic():
    lines = [line.split(",") for line in COMMUTE.read_text().splitlines()[1:]]
    columns = handoff_traces.read_associations(COMMUTE)
    assert [columns.mobile_names[m] for m in columns.mobile] == [line[0] for line in lines]
    assert [columns.router_names[r] for r in columns.router] == [line[1] for line in lines]
    for column, values in enumerate((columns.up_ps, columns.down_ps, columns.predict_ps, columns.going_down_ps), 2):
        assert values.tolist() == [int(Decimal(line[column]) * 10**12) if line[column] else -1 for line in lines]


def test_overlaps_at_different_routers_and_pauses_are_allowed(save):
    path = save(log("m,a,0,10,,", "m,b,5,15,,", "m,a,10,20,,", "n,a,3,,,", "m,b,20,,,"))
    assert len(handoff_traces.read_associations(path)) == 5


WRONG_LINES = {
    "too few fields": (["m,a,0"], 2, "3 fields; 6"),
    "too many fields": (["m,a,0,1,,,"], 2, "7 fields; 6"),
    "no mobile": ([",a,0,1,,"], 2, 'mobile ""'),
    "space around a name": (["m, a,0,1,,"], 2, 'router " a"'),
    "no up": (["m,a,,1,,"], 2, 'up_s ""'),
    "not a number": (["m,a,0,one,,"], 2, 'down_s "one"; decimal seconds'),
    "NaN": (["m,a,0,nan,,"], 2, 'down_s "nan"'),
    "exponent": (["m,a,1e3,,,"], 2, 'up_s "1e3"'),
    "negative": (["m,a,-1,,,"], 2, "not negative"),
    "no digit before the point": (["m,a,.5,,,"], 2, 'up_s ".5"'),
    "no digit behind the point": (["m,a,5.,,,"], 2, 'up_s "5."'),
    "finer than a picosecond": (["m,a,0.0000000000001,,,"], 2, "at most 12 decimals"),
    "too late": (["m,a,9223372.036854775808,,,"], 2, "at most 9223372 s"),
    "down before up": (["m,a,5,4.5,,"], 2, "down_s 4.5 is before up_s; at or after up_s 5"),
    "going down before up": (["m,a,5,9,,4"], 2, "going_down_s 4 is outside the attachment; from up_s 5 to down_s 9"),
    "going down after down": (["m,a,5,9,,9.1"], 2, "going_down_s 9.1 is outside"),
    "predict after going down": (["m,a,5,9,8,7"], 2, "predict_s 8 is after going_down_s; at or before going_down_s 7"),
    "predict after down": (["m,a,5,9,9.5,"], 2, "predict_s 9.5 is after down_s; at or before down_s 9"),
    "time goes back": (["m,a,5,9,,", "n,a,1,2,,", "m,b,4,5,,"], 4, "up_s 4 goes back in time; at or after the 5 s of line 2"),
    "overlap at one router": (["m,a,5,9,,", "m,b,6,7,,", "m,a,8,10,,"], 4, "up_s 8 overlaps; after 9 s, until when line 2"),
    "overlap with an open end": (["m,a,5,,,", "m,a,8,10,,"], 3, "up_s 8 overlaps; after the end, until when line 2"),
}


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("case", WRONG_LINES)
def test_wrong_line_is_refused(save, case, end):
    lines, number, message = WRONG_LINES[case]
    path = save(log(*lines, end=end))
    with pytest.raises(handoff_traces.TraceError) as caught:
        handoff_traces.read_associations(path)
    assert (caught.value.line, caught.value.count, caught.value.offset) == (number, 1, None)
    assert str(caught.value).startswith(f"{path}:{number}: ")
    assert message in str(caught.value)


def test_blank_lines_are_counted(save):
    with pytest.raises(handoff_traces.TraceError) as caught:
        handoff_traces.read_associations(save(log("m,a,0,1,,", "", "", "m,a,5,x,,")))
    assert caught.value.line == 5


def test_field_across_two_lines_is_counted(save):
    with pytest.raises(handoff_traces.TraceError) as caught:
        handoff_traces.read_associations(save(log('"m\nn",a,0,1,,', "m,a,5,x,,")))
    assert caught.value.line == 4


@pytest.mark.parametrize(
    "content", [b"", b"\n", HEADER.replace("router", "station").encode(), b"m,a,0,1,,\n", (HEADER + ",x\n").encode()]
)
def test_wrong_header_is_refused(save, content):
    with pytest.raises(handoff_traces.TraceError) as caught:
        handoff_traces.read_associations(save(content))
    assert caught.value.line in (1, 2)
    assert HEADER in str(caught.value)


def test_name_that_is_not_utf8_is_refused(save):
    with pytest.raises(handoff_traces.TraceError, match=r":2: mobile is not UTF-8"):
        handoff_traces.read_associations(save(log("m,a,0,1,,").replace(b"\nm,", b"\n\xff,")))


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(handoff_traces.TraceError, match="cannot be opened"):
        handoff_traces.read_associations(tmp_path / "missing.csv")


def test_all_problems_are_reported_at_once(save):
    with pytest.raises(handoff_traces.TraceError) as caught:
        handoff_traces.read_associations(save(log("m,a,x,y,,", *(f"m{i},a,{i},0,," for i in range(1, 31)))))
    problems = caught.value.problems
    assert caught.value.count == 32
    assert [place for place, _, _ in problems] == [2, 2, *range(3, 21)]
    assert str(caught.value).count("\n") == 20
    assert str(caught.value).endswith("32 problems in all, of which these are the first 20")
