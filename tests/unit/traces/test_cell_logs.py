"""Association logs with UNIX times and of other programs: drive tests, CSV, syslog, CRAWDAD; and bad lines."""

import pytest

import handoff_traces
from handoff_traces.times import parse_date, parse_seconds

S = 10**12
HEADER = "mobile,router,up_s,down_s,predict_s,going_down_s\n"
UNIX = HEADER + "m,a,1700000000,1700000010,1700000009,\nm,b,1700000010.5,,,\n"


def rows(log):
    """Return mobile node, router, link up and link down in picoseconds, sorted by mobile node and time."""
    names = zip(log.mobile.tolist(), log.router.tolist(), log.up_ps.tolist(), log.down_ps.tolist(), strict=True)
    return sorted((log.mobile_names[m], log.router_names[r], up, down) for m, r, up, down in names)


def test_unix_times_need_a_begin(save):
    path = save(UNIX.encode())
    with pytest.raises(handoff_traces.TraceError, match=r':2: up_s "1700000000" is more than 106 days after 0; .* begin such as'):
        handoff_traces.read_associations(path)
    log = handoff_traces.read_associations(path, 1_700_000_000 * S)
    assert rows(log) == [("m", "a", 0, 10 * S), ("m", "b", 105 * S // 10, -1)]
    assert log.predict_ps.tolist() == [9 * S, -1]
    with pytest.raises(handoff_traces.TraceError, match="UNIX times in seconds, not in milliseconds"):
        handoff_traces.read_associations(save(f"{HEADER}m,a,1700000000000,,,\n".encode()), None)


def test_begin_leaves_out_what_is_earlier(save):
    """At 9.5 s the link to a is up and its prediction over; at 10.25 s the link is down."""
    path = save(UNIX.encode())
    log = handoff_traces.read_associations(path, 17_000_000_095 * S // 10)
    assert rows(log) == [("m", "a", 0, S // 2), ("m", "b", S, -1)]
    assert log.predict_ps.tolist() == [-1, -1]
    assert rows(handoff_traces.read_associations(path, 170_000_001_025 * S // 100)) == [("m", "b", S // 4, -1)]


def test_begin_may_be_the_first_time_of_the_log(save):
    log = handoff_traces.read_associations(save(UNIX.encode()), None)
    assert (log.begin_ps, log.up_ps.tolist()) == (1_700_000_000 * S, [0, 105 * S // 10])


BAD = HEADER + "m,a,1,2,,\nm,b,x,,,\nm,b,0,,,\n,b,3,,,\nm,a,1.5,,,\nm,c,5,4,,\nm,c,5\nm,c,6,,,\n"


def test_bad_lines_of_a_log_are_left_out_and_counted(save):
    path = save(BAD.encode())
    with pytest.raises(handoff_traces.TraceError) as caught:
        handoff_traces.read_associations(path)
    assert (caught.value.count, [line for line, *_ in caught.value.problems]) == (6, [3, 4, 5, 6, 7, 8])
    log = handoff_traces.read_associations(path, on_bad_record="skip")
    assert rows(log) == [("m", "a", S, 2 * S), ("m", "c", 6 * S, -1)]
    assert log.skipped == {
        "a time that cannot be read": 1, "a time before that of an earlier record": 1,
        "a name that is missing or cannot be used": 1, "an attachment that overlaps an earlier one": 1,
        "times in an impossible order": 1, "a wrong number of fields": 1,
    }  # fmt: skip


def test_keep_first_leaves_out_contradictions_only(save):
    text = HEADER + "m,a,1,2,,\nm,b,0,,,\nm,a,1.5,,,\n"
    log = handoff_traces.read_associations(save(text.encode()), on_bad_record="keep-first")
    assert (rows(log), sum(log.skipped.values())) == ([("m", "a", S, 2 * S)], 2)
    with pytest.raises(handoff_traces.TraceError, match='up_s "x"'):
        handoff_traces.read_associations(save((text + "m,b,x,,,\n").encode()), on_bad_record="keep-first")


GNETTRACK = """Timestamp,Longitude,Latitude,Speed,Operatorname,CellID,NetworkMode
2020.01.01_00.00.00,7.000000,45.000000,28,X,1,LTE
2020.01.01_00.00.01,7.000100,45.000000,28,X,1,LTE
2020.01.01_00.00.02,7.000200,45.000000,28,X,-,LTE

2020.01.01_00.00.04,7.000400,45.000000,28,X,2,LTE
"""


def test_a_drive_test_has_the_cells_of_its_lines(save):
    log = handoff_traces.read_cell_log(save(GNETTRACK.encode()))
    assert (log.format, log.epoch_ps) == ("gnettrack", 1_577_836_800 * S)  # 18,262 days after 1970
    assert rows(log) == [("drive", "1", 0, 2 * S), ("drive", "2", 4 * S, -1)]


def test_a_drive_test_has_positions_too(save):
    """0.0004 degrees at 45 degrees north are 31.45 m; 28 km/h for 4 s are 31.1 m."""
    tracks = handoff_traces.read_movement(save(GNETTRACK.encode()))
    assert (tracks.format, tracks.mobile_names, tracks.time_ps.tolist()) == ("gnettrack", ["drive"], [0, S, 2 * S, 4 * S])
    assert tracks.x_mm[-1] == pytest.approx(31_450, abs=2)
    assert tracks.stated_distance_m == pytest.approx((31.11, 31.45), abs=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("2020.01.01_00.00.01", "2020.13.01_00.00.01"), ":3: Timestamp '2020.13.01_00.00.01'; a date and time such as"),
        (("28,X,2,LTE", "28,X,2"), ":6: 6 fields; 7, as in the header"),
        (("2020.01.01_00.00.01", "2019.01.01_00.00.01"), ":3: 'drive' goes back in time; at or after the time of line 2"),
        (("CellID", "Cell"), ":1: no column 'cellid'"),
    ],
)
def test_a_wrong_line_of_a_drive_test_is_refused(save, change, message):
    with pytest.raises(handoff_traces.TraceError, match=message):
        handoff_traces.read_cell_log(save(GNETTRACK.replace(*change).encode()))


def test_a_line_without_a_position_does_not_decide_the_order_of_the_others(save):
    """The second line has no position and a time two hours late; the times of the others are 0, 2 and 4 s."""
    late = GNETTRACK.replace("00.00.01,7.000100", "02.00.01,-")
    tracks = handoff_traces.read_movement(save(late.encode()), on_bad_record="skip")
    assert (tracks.time_ps.tolist(), sum(tracks.skipped.values())) == ([0, 2 * S, 4 * S], 1)
    first = GNETTRACK.replace("2020.01.01_00.00.00,7.000000", "2021.01.01_00.00.00,-")
    tracks = handoff_traces.read_movement(save(first.encode()), on_bad_record="skip")
    assert (tracks.time_ps.tolist(), sum(tracks.skipped.values())) == ([0, S, 3 * S], 1)


def test_wrong_lines_of_a_drive_test_are_left_out(save):
    text = GNETTRACK.replace("00.00.01,7.0001", "00.00.xx,7.0001").replace("28,X,2,LTE", "28,X,2")
    log = handoff_traces.read_cell_log(save(text.encode()), on_bad_record="skip")
    assert rows(log) == [("drive", "1", 0, 2 * S)]
    assert log.skipped == {"a wrong number of fields": 1, "a time that cannot be read": 1}
    tracks = handoff_traces.read_movement(save(text.encode()), on_bad_record="skip")
    assert (tracks.time_ps.tolist(), tracks.skipped) == ([0, 2 * S], log.skipped)
    with pytest.raises(handoff_traces.TraceError, match=':6: x "east"'):  # lines keep their numbers
        handoff_traces.read_movement(save(GNETTRACK.replace("7.000400", "east").encode()))


TABLE = """user;cid;when
u1;c1;1700000000
u2;c9;1700000001
u1;c1;1700000002
u1;c2;1700000004.5
u1;;1700000006
"""
COLUMNS = {"mobile": "user", "cell": "cid", "time": "when"}


def test_any_csv_is_read_by_its_columns(save):
    log = handoff_traces.read_cell_log(save(TABLE.encode()), begin_ps=1_700_000_000 * S, columns=COLUMNS)
    assert rows(log) == [("u1", "c1", 0, 45 * S // 10), ("u1", "c2", 45 * S // 10, 6 * S), ("u2", "c9", S, -1)]
    later = handoff_traces.read_cell_log(save(TABLE.encode()), begin_ps=1_700_000_005 * S, columns=COLUMNS)
    assert rows(later) == [("u1", "c2", 0, S), ("u2", "c9", 0, -1)]
    with pytest.raises(handoff_traces.TraceError, match='a begin such as "1700000000s"'):
        handoff_traces.read_cell_log(save(TABLE.encode()), columns=COLUMNS)


def test_dates_of_a_csv_count_from_the_earliest(save):
    text = "Cell,When\nb,2024-01-01T00:00:10+01:00\nc,2023-12-31 23:00:20.25\n"
    log = handoff_traces.read_cell_log(save(text.encode()), columns={"cell": "cell", "time": "when"})
    assert rows(log) == [("drive", "b", 0, 41 * S // 4), ("drive", "c", 41 * S // 4, -1)]


DATED_BACK = """user,ap,when
a,x,2024-01-01T10:00:00
a,y,2024-01-01T10:05:00
a,y,2024-01-01T09:00:00
a,z,2024-01-01T10:06:00
"""


@pytest.mark.parametrize("policy", ["skip", "keep-first"])
def test_a_line_that_is_left_out_does_not_shift_time_0(save, policy):
    columns = {"mobile": "user", "cell": "ap", "time": "when"}
    log = handoff_traces.read_cell_log(save(DATED_BACK.encode()), columns=columns, on_bad_record=policy)
    assert rows(log) == [("a", "x", 0, 300 * S), ("a", "y", 300 * S, 360 * S), ("a", "z", 360 * S, -1)]
    assert log.skipped == {"a time before that of an earlier record": 1}


@pytest.mark.parametrize(
    ("change", "times_s", "epoch_s", "reason"),
    [
        (("2020.01.01_00.00.02", "2019.12.31_23.00.00"), [0, 1, 4], 0, "a time before that of an earlier record"),
        (("00.00.00,7.000000", "00.00.00,east"), [0, 1, 3], 1, "a position that is missing or cannot be read"),
    ],
)
def test_a_position_that_is_left_out_does_not_shift_time_0(save, change, times_s, epoch_s, reason):
    text = GNETTRACK.replace(*change)
    tracks = handoff_traces.read_movement(save(text.encode()), on_bad_record="skip")
    assert (tracks.time_ps // S).tolist() == times_s
    assert tracks.epoch_ps == (1_577_836_800 + epoch_s) * S
    assert tracks.skipped == {reason: 1}


def test_cells_of_one_router_are_one_attachment(save):
    log = handoff_traces.read_cell_log(
        save(TABLE.encode()), begin_ps=1_700_000_000 * S, columns=COLUMNS, cells={"c1": "ar0", "c2": "ar0"}
    )
    assert rows(log) == [("u1", "ar0", 0, 6 * S), ("u2", "c9", S, -1)]


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        (TABLE, {"cell": "cell", "time": "when"}, ":1: no column 'cell'; a header with it; the columns are user, cid, when"),
        (TABLE.replace("1700000002", "noon"), COLUMNS, ":4: when 'noon'; decimal seconds, or dates and times, in all lines"),
        (TABLE.replace("1700000002", "2024-01-01 00:00:00"), COLUMNS, ":4: when '2024-01-01 00:00:00'; decimal seconds"),
        (TABLE.replace("1700000002", "1700000002000"), COLUMNS, ":4: time 1700000002000; UNIX times in seconds, not in milli"),
        (TABLE.replace("u2", "a\x1bb"), COLUMNS, ":3: mobile 'a.x1bb'"),
        ("cid,when\n", {"cell": "cid", "time": "when"}, ":1: no mobile node in it is ever attached"),
    ],
)
def test_a_csv_that_does_not_fit_is_refused(save, text, columns, message):
    with pytest.raises(handoff_traces.TraceError, match=message):
        handoff_traces.read_cell_log(save(text.encode()), begin_ps=1_700_000_000 * S, columns=columns)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "csv"}, "the format csv needs columns"),
        ({"format": "syslog", "columns": COLUMNS}, "the format syslog has no use of columns"),
        ({"format": "pcap"}, "unknown format of an association log 'pcap'"),
        ({"columns": {"cell": "cid"}}, "columns: give time too"),
        ({"columns": COLUMNS | {"speed": "v"}}, "columns: unknown keys speed"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(save, options, message):
    with pytest.raises(ValueError, match=message):
        handoff_traces.read_cell_log(save(TABLE.encode()), **options)


SYSLOG = """Jan  1 00:00:03 AcadBldg1AP1 (Info): Station 00:40:96:12:34:56 Authenticated
Jan  1 00:00:04 AcadBldg1AP1 (Info): Station 00:40:96:12:34:56 Associated
Jan  1 00:00:05 AcadBldg1AP1 kernel: something else
Jan  1 00:01:04 AcadBldg1AP2 (Info): Station 0040.9612.3456 Reassociated
Jan  1 00:01:05 AcadBldg1AP1 (Info): Station 004096123456 Roamed
Jan  1 00:02:04 AcadBldg1AP2 hostapd: wlan0: STA 00-40-96-12-34-56 IEEE 802.11: disassociated due to inactivity
Jan  1 00:02:05 AcadBldg1AP2 (Info): Station 0040.9612.3456 association failed
"""


@pytest.mark.parametrize("start", ["Jan  1 00:0", "2001 Jan  1 00:0", "2001-01-01T00:0", "<30>Jan 1 00:0"])
def test_a_syslog_has_associations(save, start):
    """Associated at 4 s, 60 s later at the second access point, which reports the end another 60 s later."""
    log = handoff_traces.read_cell_log(save(SYSLOG.replace("Jan  1 00:0", start).encode()))
    assert log.format == "syslog"
    assert rows(log) == [
        ("004096123456", "AcadBldg1AP1", 0, 60 * S), ("004096123456", "AcadBldg1AP2", 60 * S, 120 * S),
    ]  # fmt: skip


def test_a_syslog_with_unix_times_of_crawdad(save):
    """The first file of a campus: time, access point, card, message."""
    text = "987654321 ResBldg1AP1 00:40:96:12:34:56 associated\n987654331 ResBldg1AP2 00:40:96:12:34:56 associated\n"
    log = handoff_traces.read_cell_log(save(text.encode()), begin_ps=987_654_320 * S)
    assert rows(log) == [("004096123456", "ResBldg1AP1", S, 11 * S), ("004096123456", "ResBldg1AP2", 11 * S, -1)]


def test_a_movement_file_of_crawdad_is_one_card(tmp_path):
    path = tmp_path / "card7.mv"
    path.write_text("1016558393\tAcadBldg8AP3\n1016558400\tOFF\n1016558500\tLibBldg1AP1\n")
    log = handoff_traces.read_cell_log(path, begin_ps=None)
    assert (log.format, log.begin_ps) == ("crawdad", 1_016_558_393 * S)
    assert rows(log) == [("card7", "AcadBldg8AP3", 0, 7 * S), ("card7", "LibBldg1AP1", 107 * S, -1)]


@pytest.mark.parametrize(
    ("text", "ps"),
    [
        ("12.5", 125 * S // 10), ("0", 0), ("1700000000.000000000001", 1_700_000_000 * S + 1), ("-1", None), ("1e3", None),
        ("", None),
    ],
)  # fmt: skip
def test_seconds_are_exact(text, ps):
    assert parse_seconds(text) == ps


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02T00:00:01Z", 86_401), ("1970.01.01_00.00.10", 10), ("1970-01-01 01:00:00+01:00", 0),
        ("1970-12-31T23:59:60", 365 * 86_400), ("2000 Feb 29 00:00:00", 11_016 * 86_400), ("1970-02-30T00:00:00", None),
        ("1970-01-01T24:00:00", None), ("Foo 1 00:00:00", None), ("1970-01-01", None), ("1969-12-31T23:59:59", -1),
    ],
)  # fmt: skip
def test_dates_are_exact(text, seconds):
    """29 February 2000 is day 11,016: 30 years of 365 days, 7 leap days, 31 days of January, 28 of February."""
    ps = parse_date(text)
    assert ps == (None if seconds is None else seconds * S)
