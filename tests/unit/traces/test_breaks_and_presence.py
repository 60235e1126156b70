"""When a node of a movement file is present: segments, jumps, activity, the time before the first waypoint; bad records."""

import sys
from collections.abc import Callable

import numpy as np
import pytest

import handoff_traces
from handoff_traces.activity import limit_to_activity

S = 10**12


def point(time, lon, lat=0):
    return f'<trkpt lat="{lat}" lon="{lon}"><time>2026-01-01T00:{time}Z</time></trkpt>\n'


def gpx(*segments):
    body = "".join(f"<trkseg>{''.join(points)}</trkseg>" for points in segments)
    return f"<gpx><trk>\n{body}</trk></gpx>".encode()


def travelled_m(tracks):
    return float(np.hypot(np.diff(tracks.x_mm), np.diff(tracks.y_mm))[tracks.is_leg()].sum() / 1000)


def test_a_segment_of_a_track_begins_with_a_break(save):
    """0.001 degrees of longitude at the equator are 111.195 m; the 0.1 degrees between the segments do not count."""
    two = gpx([point("00:00", 0), point("00:10", 0.001)], [point("10:10", 0.101), point("10:20", 0.102)])
    tracks = handoff_traces.read_movement(save(two))
    assert (tracks.mobile_names, tracks.breaks.tolist()) == (["track0"], [2])
    assert tracks.is_leg().tolist() == [True, False, True]
    assert travelled_m(tracks) == pytest.approx(222.39, abs=0.01)


def test_empty_segments_and_the_first_one_are_no_breaks(save):
    tracks = handoff_traces.read_movement(save(gpx([], [point("00:00", 0)], [], [], [point("00:10", 0)], [])))
    assert tracks.breaks.tolist() == [1]
    two_tracks = gpx([point("00:00", 0), point("00:10", 0)]).replace(
        b"</trk>", b"</trk><trk><trkseg>" + (point("00:05", 1) + point("00:06", 1)).encode() + b"</trkseg></trk>"
    )
    tracks = handoff_traces.read_movement(save(two_tracks))
    assert (tracks.mobile_names, tracks.breaks.tolist()) == (["track0", "track1"], [])


def test_a_segment_that_begins_where_and_when_the_one_before_ends_is_no_break(save):
    tracks = handoff_traces.read_movement(
        save(gpx([point("00:00", 0), point("00:10", 0.001)], [point("00:10", 0.001), point("00:20", 0.002)]))
    )
    assert (len(tracks), tracks.breaks.tolist()) == (3, [])


@pytest.mark.parametrize(("element", "what"), [("rte", "a route"), ("wpt", "a waypoint")])
def test_a_gpx_file_without_a_track_is_named(save, element, what):
    with pytest.raises(handoff_traces.TraceError, match=rf":2: the file has no track, but {what} \({element}\)"):
        handoff_traces.read_movement(save(f'<gpx>\n<{element} lat="1" lon="1"></{element}></gpx>'.encode()))


JUMP = """$node_(0) set X_ 0.0
$node_(0) set Y_ 0.0
$ns_ at 0.0 "$node_(0) setdest 100.0 0.0 10.0"
$ns_ at 20.0 "$node_(0) set X_ 500.0"
$ns_ at 20.0 "$node_(0) set Y_ 500.0"; # placed anew
$ns_ at 21.0 "$node_(0) setdest 600.0 500.0 10.0"
"""


def test_a_node_of_ns2_that_is_set_to_another_place_jumps(save):
    """It travels 100 m in 10 s twice. Between the picosecond before 20 s and 20 s it is absent."""
    tracks = handoff_traces.read_movement(save(JUMP.encode()))
    assert tracks.time_ps.tolist() == [0, 10 * S, 20 * S - 1, 20 * S, 21 * S, 31 * S]
    assert tracks.x_mm.tolist() == [0, 100_000, 100_000, 500_000, 500_000, 600_000]
    assert (tracks.breaks.tolist(), travelled_m(tracks)) == ([3], 200)


def test_a_jump_interrupts_a_leg(save):
    """At 5 s the node is at x = 50 m; it is set to y = 7 m, where it stays."""
    text = "\n".join([*JUMP.splitlines()[:3], '$ns_ at 5 "$node_(0) set Y_ 7"'])
    tracks = handoff_traces.read_movement(save(text.encode()))
    assert list(zip(tracks.time_ps.tolist(), tracks.x_mm.tolist(), tracks.y_mm.tolist(), strict=True)) == [
        (0, 0, 0), (5 * S - 1, 50_000, 0), (5 * S, 50_000, 7000),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('$ns_ at 21 "$node_(0) set X_ 1"', ':7: "node0" is in two places at 21 s'),
        ('$ns_ at 3 "$node_(0) set X_ 1"', ':7: "node0" goes back in time; at or after the 21 s of line 6'),
        ('$ns_ at 3 "$node_(1) set X_ 1"', ":7: a node without a place moves; its X_ and Y_ before it is set"),
    ],
)
def test_a_jump_that_contradicts_the_file_is_refused(save, line, message):
    with pytest.raises(handoff_traces.TraceError, match=message):
        handoff_traces.read_movement(save((JUMP + line).encode()))


SCENE = """set opt(nn) 2
$node_(0) set X_ 0
$node_(0) set Y_ 0
$ns_ at 0 "$node_(0) setdest 1000 0 10"
$node_(1) set X_ 5
$node_(1) set Y_ 5
"""
ACTIVITY = """# by SUMO
$ns_ at 10.0 "$g(0) start"; # SUMO-ID: a
$ns_ at 40.0 "$g(0) stop"; # SUMO-ID: a
$ns_ at 5.0 "$g(1) start"; # SUMO-ID: b
$ns_ at 15.0 "$g(1) stop"; # SUMO-ID: b
"""


@pytest.fixture
def activity(tmp_path):
    path = tmp_path / "activity.tcl"
    path.write_text(ACTIVITY)
    return path


def test_an_activity_file_says_who_is_present(save, activity):
    """Node 0 moves at 10 m/s: at 10 s it is at 100 m, at 40 s at 400 m. The two are present for 30 s and 10 s."""
    tracks = handoff_traces.read_movement(save(SCENE.encode()), activity=activity)
    assert (tracks.stays, tracks.mobile_names) == (False, ["node0", "node1"])
    assert tracks.time_ps.tolist() == [10 * S, 40 * S, 5 * S, 15 * S]
    assert tracks.x_mm.tolist() == [100_000, 400_000, 5000, 5000]


def test_a_node_that_starts_again_has_a_break(save, activity):
    activity.write_text(ACTIVITY + '$ns_ at 60 "$g(0) start"\n$ns_ at 70 "$g(0) stop"\n')
    tracks = handoff_traces.read_movement(save(SCENE.encode()), activity=activity)
    assert tracks.time_ps.tolist()[:4] == [10 * S, 40 * S, 60 * S, 70 * S]
    assert tracks.breaks.tolist() == [2]


def test_an_activity_keeps_the_jumps_of_the_movement(save, activity):
    activity.write_text('$ns_ at 15 "$g(0) start"\n$ns_ at 25 "$g(0) stop"\n')
    tracks = handoff_traces.read_movement(save(JUMP.encode()), activity=activity)
    assert tracks.time_ps.tolist() == [15 * S, 20 * S - 1, 20 * S, 21 * S, 25 * S]
    assert (tracks.breaks.tolist(), travelled_m(tracks)) == ([2], 40)


def count_lines(work: Callable[[], object]) -> int:
    """Return the number of lines of Python that ``work`` executes; each turn of a comprehension counts as one."""
    count, before = 0, sys.gettrace()

    def trace(*_):
        nonlocal count
        count += 1
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def build_jumps(nodes: int, rounds: int) -> tuple[handoff_traces.Tracks, str]:
    """Build nodes that jump at each multiple of 10 s, and an activity file in which each is active 4 s around each jump."""
    time_ps = np.tile(np.arange(1, 2 * rounds + 1) * 5 * S, nodes)
    rows = np.arange(len(time_ps))
    tracks = handoff_traces.Tracks(
        "setdest", rows // (2 * rounds), time_ps, rows * 1000, rows * 0, [f"node{i}" for i in range(nodes)],
        breaks=rows[time_ps % (10 * S) == 0],
    )  # fmt: skip
    lines = (
        f'$ns_ at {10 * j - 2} "$g({i}) start"\n$ns_ at {10 * j + 2} "$g({i}) stop"\n'
        for i in range(nodes)
        for j in range(1, rounds + 1)
    )
    return tracks, "".join(lines)


@pytest.mark.parametrize("sizes", [((100, 1), (400, 1)), ((1, 10), (1, 40))], ids=["nodes", "presences"])
def test_the_work_of_an_activity_file_grows_with_its_size(tmp_path, sizes):
    """Four times the nodes, or the presences of a node, are four times the work; 16 times where it is quadratic."""
    counts = []
    for i, size in enumerate(sizes):
        tracks, lines = build_jumps(*size)
        path = tmp_path / f"{i}.tcl"
        path.write_text(lines)
        limited = limit_to_activity(tracks, path)
        # of each presence the begin, the jump and the end; the jump is a break, and so is each later begin
        assert (len(limited), len(limited.breaks)) == (3 * size[0] * size[1], size[0] * (2 * size[1] - 1))
        counts.append(count_lines(lambda tracks=tracks, path=path: limit_to_activity(tracks, path)))
    assert counts[1] < 5 * counts[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ACTIVITY.replace("stop", "start", 1), ":2: node0 does not start and stop in turn"),
        (ACTIVITY.replace("$g(1)", "$g(2)"), ":1: no activity of node1; a start and a stop of each node"),
        (ACTIVITY.replace("40.0", "later"), ":3: statement '\\$ns_ at later"),
        ("", ":1: the file has no statement"),
        ("puts hello\n", ":1: statement 'puts hello'"),
    ],
)
def test_a_wrong_activity_file_is_refused(save, activity, text, message):
    activity.write_text(text)
    with pytest.raises(handoff_traces.TraceError, match=message):
        handoff_traces.read_movement(save(SCENE.encode()), activity=activity)


def test_an_activity_file_belongs_to_ns2(save, activity):
    with pytest.raises(ValueError, match="leave out the activity file: it belongs to setdest, not to bonnmotion"):
        handoff_traces.read_movement(save(b"0 1 1\n"), activity=activity)
    with pytest.raises(handoff_traces.TraceError, match="an activity file of SUMO, which belongs to an ns-2 movement file"):
        handoff_traces.read_movement(activity)


def test_sumo_writes_what_its_vehicles_do(save, tmp_path):
    """Judge: sumolib's ns-2 writer. Four vehicles are present for 31 steps each; SUMO stops them one step after the last."""
    ns2 = pytest.importorskip("sumolib.output.convert.ns2")
    import sumolib.output

    def is_present(i, t):
        return 5 * i <= t <= 5 * i + 30

    steps = "".join(
        f'<timestep time="{t}.00">'
        + "".join(f'<vehicle id="v{i}" x="{10 * t}" y="{i}" speed="10"/>' for i in range(4) if is_present(i, t))
        + "</timestep>\n"
        for t in range(60)
    )
    path = tmp_path / "cars.xml"
    path.write_text(f"<fcd-export>\n{steps}</fcd-export>\n")
    moves, activity = tmp_path / "moves.tcl", tmp_path / "activity.tcl"
    with moves.open("w") as out, activity.open("w") as lives:
        numbers = {"time": float, "x": float, "y": float, "speed": float}
        read = list(sumolib.output.parse(str(path), "timestep", attr_conversions=numbers))
        _, vehicles, *_ = ns2.fcd2ns2mobility(read, out, {"orig-ids": False, "ignore-gaps": False})
        ns2.writeNS2activity(lives, vehicles)
    cars = handoff_traces.read_movement(path)
    assert len(cars) == sum(len(step.vehicle or ()) for step in read) == 4 * 31
    tracks = handoff_traces.read_movement(moves, activity=activity)
    assert int(np.diff(tracks.time_ps)[tracks.is_leg()].sum()) == 4 * 31 * S


def test_a_node_of_bonnmotion_stands_at_its_first_waypoint_before(save):
    tracks = handoff_traces.read_movement(save(b"5 10 20 15 110 20\n0 1 1\n"))
    assert tracks.time_ps.tolist() == [0, 5 * S, 15 * S, 0]
    assert tracks.x_mm.tolist() == [10_000, 10_000, 110_000, 1000]


@pytest.mark.parametrize(
    ("text", "format", "reason"),
    [
        (b"0 10 20 5 10 110 20 6 20 110 120 7\n", "bonnmotion-3d", "a guess: speeds vary by a factor of 14.1 as t x y, and of 1"),
        (b"0 10 20 5 10 110 20 6\n", "bonnmotion-3d", "a guess: the numbers fit groups of t x y z only"),
        (b"0 1 1 5 1 1 10 2 2 15 3 3\n", "bonnmotion", "a guess: speeds vary by a factor of 1 as t x y, and of 1.74"),
        (b"0 10 20 5 10 110\n", "bonnmotion", "its lines are numbers in groups of t x y"),
        (b"#3D\n0 10 20 5 10 110 20 6 20 110 120 7\n", "bonnmotion", "its first line is #3D"),
    ],
)
def test_waypoints_with_and_without_heights(save, text, format, reason):
    """Speeds of the other reading, by hand.

    As t x y, the first file moves 90 m in 5 s, 90.09 m in 15 s and 114.6 m in 90 s: 18 m/s is 14.1 times 1.27 m/s. As t x y z,
    the third one moves 9 m in 1 s and 15.65 m in 1 s: a factor of 1.74.
    """
    tracks = handoff_traces.read_movement(save(text))
    assert tracks.format == format
    assert tracks.format_reason.startswith(reason)


HIGH_WITH_ONE_BAD_RECORD = b"0 0 0 10 10 10 0 20 20 25 0 5\n0 abc 5 10 10 15 5 20\n"
"""As t x y z, x of the first record of line 2 is bad. As t x y, so are the third group of line 1, which goes back in time, the
first group of line 2, and the two numbers at its end."""


def test_waypoints_have_the_heights_with_which_fewer_records_are_bad(save):
    tracks = handoff_traces.read_movement(save(HIGH_WITH_ONE_BAD_RECORD), on_bad_record="skip")
    assert (tracks.format, tracks.format_reason) == ("bonnmotion-3d", "a guess: 3 bad records as t x y, and 1 as t x y z")
    assert tracks.time_ps.tolist() == [0, 10 * S, 20 * S, 0, 10 * S]
    assert tracks.skipped == {"a position that is missing or cannot be read": 1}


@pytest.mark.parametrize("policy", ["refuse", "keep-first"])
def test_a_bad_waypoint_is_refused_in_the_likelier_reading(save, policy):
    with pytest.raises(handoff_traces.TraceError) as caught:
        handoff_traces.read_movement(save(HIGH_WITH_ONE_BAD_RECORD), on_bad_record=policy)
    assert (caught.value.count, str(caught.value.problems[0][1])) == (1, 'x "abc"')


def test_waypoints_of_either_kind_need_a_format(save):
    """As t x y the node stands at (2, 3); as t x y z it has one speed above 0: both vary by a factor of 1."""
    path = save(b"0 2 3 1 2 3 2 2 3 3 2 3\n")
    with pytest.raises(handoff_traces.TraceError, match="the format too: bonnmotion or bonnmotion-3d"):
        handoff_traces.read_movement(path)
    assert len(handoff_traces.read_movement(path, "bonnmotion")) == 4
    assert len(handoff_traces.read_movement(path, "bonnmotion-3d")) == 3


def test_a_stated_number_of_coordinates_is_used(save):
    path = save(b"0 10 20 5 10 110 20 6 20 110 120 7\n")
    assert handoff_traces.read_movement(path, "bonnmotion").time_ps.tolist() == [0, 5 * S, 20 * S, 110 * S]
    assert handoff_traces.read_movement(path, "bonnmotion-3d").time_ps.tolist() == [0, 10 * S, 20 * S]


TWICE = gpx([point("00:01", 0), point("00:02", 1), point("00:02", 2), point("00:03", 3), point("00:00", 4)])
UNTIMED = gpx([point("00:01", 0), '<trkpt lat="0" lon="9"/>', point("00:03", 3)])
TWO_PLACES, BACK = "a second position at one time", "a time before that of an earlier record"


@pytest.mark.parametrize(
    ("content", "on_bad_record", "samples", "skipped"),
    [
        (TWICE, "skip", 3, {TWO_PLACES: 1, BACK: 1}),
        (TWICE, "keep-first", 3, {TWO_PLACES: 1, BACK: 1}),
        (UNTIMED, "skip", 2, {"a record without a time": 1}),
        (b"0 1 1 5 x y 9 1 1\n", "skip", 2, {"a position that is missing or cannot be read": 1}),
        (b"0 1 1 5 2\n", "skip", 1, {"a wrong number of fields": 1}),
        (JUMP.encode() + b'nonsense\n$ns_ at x "$node_(0) setdest 1 1 1"\n', "skip", 6,
         {"a line that cannot be read": 1, "a time that cannot be read": 1}),
        (b'<fcd-export><timestep time="x"><vehicle id="v" x="1" y="1"/></timestep><timestep time="1">'
         b'<vehicle id="v" x="1" y="1"/><vehicle x="1" y="1"/></timestep></fcd-export>', "skip", 1,
         {"a time that cannot be read": 1, "a record without a time": 1, "a position that is missing or cannot be read": 1}),
        (b"time,id,x,y\n0,v,1,1\n1,v\n1,v,inf,nan\n", "skip", 1,
         {"a wrong number of fields": 1, "a position that is missing or cannot be read": 1}),
    ],
)  # fmt: skip
def test_bad_records_are_left_out_and_counted_once(save, content, on_bad_record, samples, skipped):
    path = save(content)
    with pytest.raises(handoff_traces.TraceError):
        handoff_traces.read_movement(path)
    tracks = handoff_traces.read_movement(path, on_bad_record=on_bad_record)
    assert (len(tracks), tracks.skipped) == (samples, skipped)


def test_keep_first_refuses_a_record_that_is_bad_by_itself(save):
    with pytest.raises(handoff_traces.TraceError, match="a trkpt without time"):
        handoff_traces.read_movement(save(UNTIMED), on_bad_record="keep-first")


def test_a_file_of_bad_records_only_has_no_mobile_node(save):
    with pytest.raises(handoff_traces.TraceError, match="the file has no mobile node"):
        handoff_traces.read_movement(save(gpx(['<trkpt lat="0" lon="9"/>'])), on_bad_record="skip")


def test_a_node_without_a_good_record_is_left_out(save):
    text = b"time,id,x,y\n0,bad,x,1\n0,good,1,1\n1,good,2,1\n"
    tracks = handoff_traces.read_movement(save(text), on_bad_record="skip")
    assert (tracks.mobile_names, tracks.mobile.tolist()) == (["good"], [0, 0])


def test_an_unknown_way_with_bad_records_is_refused(save):
    with pytest.raises(ValueError, match="is not one of refuse, skip, keep-first"):
        handoff_traces.read_movement(save(UNTIMED), on_bad_record="ignore")
