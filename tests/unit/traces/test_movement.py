"""Movement files: exact positions, and an error with its line for every problem."""

import gzip
import math
import struct
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import handoff_traces

BOLOGNA = Path(__file__).parents[4] / "shared" / "data" / "bologna_acosta_600s.fcd.xml.gz"
S = 10**12

FCD = """\
<?xml version="1.0" encoding="UTF-8"?>
<!-- written by hand -->
<fcd-export xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
    <timestep time="0.00">
        <vehicle id="a" x="1518.38" y="-0.0005" angle="353.90" speed="13.55"/>
        <person id="p&amp;q" x="1e1" y="+20.0004" edge="e0"/>
        <container id="c" x="nowhere"/>
    </timestep>
    <timestep time="1.50"/>
    <timestep time="2.000000000001">
        <vehicle id="a" x="3" y="4"><!-- --></vehicle>
    </timestep>
</fcd-export>
"""

GPX = """\
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">
<metadata><time>1999-01-01T00:00:00Z</time></metadata>
<wpt lat="1" lon="1"/>
<trk><name>there</name>
<trkseg><trkpt lat="44.5" lon="11.25"><ele>3</ele><time>2026-11-24T09:47:00Z</time></trkpt></trkseg>
<trkseg><trkpt lon="11.26" lat="44.51"><time>2026-11-24T11:47:10.25+02:00</time></trkpt></trkseg></trk>
<trk><trkseg><trkpt lat="44.5" lon="11.25"><time>2026-11-24T09:46:58</time></trkpt></trkseg></trk>
</gpx>
"""


def rows(tracks):
    names = [tracks.mobile_names[m] for m in tracks.mobile]
    return list(zip(names, tracks.time_ps.tolist(), tracks.x_mm.tolist(), tracks.y_mm.tolist(), strict=True))


def read_problems(path, **options):
    with pytest.raises(handoff_traces.TraceError) as caught:
        handoff_traces.read_movement(path, **options)
    assert caught.value.unit == "line"
    return [(line, what) for line, what, _ in caught.value.problems]


def test_fcd_positions_are_rounded_decimals_and_sorted_by_mobile(save):
    tracks = handoff_traces.read_movement(save(FCD.encode()))
    assert (tracks.format, tracks.stays, tracks.projection, tracks.epoch_ps) == ("fcd", False, None, None)
    assert rows(tracks) == [
        ("a", 0, 1518380, -1), ("a", 2 * S + 1, 3000, 4000), ("p&q", 0, 10000, 20000),
    ]  # fmt: skip
    assert tracks.bounds().tolist() == [0, 2, 3]


def zstandard(content):
    """Build a frame with one raw block (RFC 8878 3.1.1): single segment, content size minus 256 in two bytes."""
    sizes = struct.pack("<HI", len(content) - 256, len(content) << 3 | 1)[:5]
    return b"\x28\xb5\x2f\xfd\x60" + sizes + content


@pytest.mark.parametrize("compress", [gzip.compress, zstandard])
def test_compressed_file_has_the_same_samples(save, compress):
    plain = rows(handoff_traces.read_movement(save(FCD.encode())))
    compressed = compress(FCD.encode())
    assert handoff_traces.detect_format(save(compressed)) == "movement"
    assert rows(handoff_traces.read_movement(save(compressed))) == plain
    assert "cannot be read" in read_problems(save(compressed[:-20]))[0][1]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("<fcd-export", '<!DOCTYPE f [<!ENTITY a "aaa">]>\n<fcd-export'), (3, "has a document type")),
        (('"p&amp;q"', '"&lol;"'), (6, "id: at 1..4: unrecognized entity `lol`")),
        (("<timestep time=\"1.50\"/>", "&lol;"), (9, 'entity "lol"')),
        (('x="1518.38"', 'x="nan"'), (5, 'x "nan"')),
        (('x="1518.38"', 'x="100000000.001"'), (5, 'x "100000000.001"')),
        (('x="1518.38"', ""), (5, "a vehicle or person without id, x or y")),
        (('x="1518.38"', 'x="1" x="1"'), (5, "x occurs twice")),
        (('id="a"', 'id=""'), (5, 'name ""')),
        (('time="0.00"', 'time="00:00:01"'), (4, 'time "00:00:01"')),
        (('time="0.00"', 'time="-1"'), (4, 'time "-1"')),
        (('time="0.00"', ""), (4, "a timestep without time")),
        (('time="0.00"', 'time="9"'), (11, '"a" goes back in time at 2.000000000001 s')),
        (('time="2.000000000001"', 'time="0"'), (11, '"a" is in two places at 0 s')),
        (("</fcd-export>", ""), (14, "the file ends inside an element")),
        (
            ("</timestep>", "</timestap>"),
            (8, "is not XML: ill-formed document: expected `</timestep>`, but `</timestap>` was found"),
        ),
        (("fcd-export", "html"), (3, 'root element "html"')),
        (("<timestep time=\"1.50\"/>", "<vehicle id='v' x='0' y='0'/>"), (9, "an element at the wrong depth")),
    ],
)  # fmt: skip
def test_wrong_fcd_file_is_refused_with_the_line(save, change, problem):
    assert change[0] in FCD
    text = FCD.replace(*change, 1) if change[0] != "fcd-export" else FCD.replace(*change)
    assert problem in read_problems(save(text.encode()))


def test_all_problems_are_counted_and_twenty_listed(save):
    wrong = "".join(f'<timestep time="{i}"><vehicle id="v" x="one" y="1"/></timestep>\n' for i in range(50))
    with pytest.raises(handoff_traces.TraceError) as caught:
        handoff_traces.read_movement(save(f"<fcd-export>\n{wrong}</fcd-export>".encode()))
    assert (caught.value.count, len(caught.value.problems), caught.value.line) == (50, 20, 2)


def test_files_that_would_exhaust_memory_are_refused(save):
    bomb = gzip.compress(b"<fcd-export>" + b'<timestep time="0"/>' * 1_000_000)
    assert read_problems(save(bomb)) == [(1, "the file grows more than 100 times as it is decompressed")]
    assert read_problems(save(b"<fcd-export " + b"a" * 3_000_000)) == [(1, "a line or element of more than 1 MiB")]
    assert read_problems(save(b"<fcd-export>" + b"<a>" * 100)) == [(1, "elements 64 deep")]
    many = b"<fcd-export " + b"a='' " * 190_000 + b"/>"
    assert read_problems(save(many)) == [(1, "the file has no mobile node")]


def test_fcd_geo_is_read_only_if_it_is_stated(save):
    text = '<fcd-export><timestep time="0"><vehicle id="v" x="11.3" y="44.5"/></timestep></fcd-export>'
    assert rows(handoff_traces.read_movement(save(text.encode()))) == [("v", 0, 11300, 44500)]
    tracks = handoff_traces.read_movement(save(text.encode()), format="fcd-geo", origin=(44.4, 11.3))
    north = Fraction(1, 10) * Fraction(math.pi) * 6371008800 / 180
    assert rows(tracks)[0][2] == 0
    assert abs(rows(tracks)[0][3] - north) < 10
    text = text.replace('y="44.5"', 'y="90.1"')
    assert read_problems(save(text.encode()), format="fcd-geo") == [(1, 'y "90.1"')]


def test_gpx_tracks_are_projected_mobile_nodes(save):
    tracks = handoff_traces.read_movement(save(GPX.encode()))
    assert tracks.mobile_names == ["track0", "track1"]
    earliest = datetime(2026, 11, 24, 9, 46, 58, tzinfo=UTC)
    assert tracks.epoch_ps == int(earliest.timestamp()) * S
    assert tracks.time_ps.tolist() == [2 * S, 12 * S + S // 4, 0]
    assert tracks.projection == handoff_traces.Projection(44_500_000_000, 11_250_000_000)
    # the great-circle distance of two points near the origin agrees with that on the plane to two parts in ten thousand
    a, b = (math.radians(44.5), math.radians(11.25)), (math.radians(44.51), math.radians(11.26))
    central = 2 * math.asin(
        math.sqrt(math.sin((b[0] - a[0]) / 2) ** 2 + math.cos(a[0]) * math.cos(b[0]) * math.sin((b[1] - a[1]) / 2) ** 2)
    )
    assert math.hypot(*(int(c[1]) for c in (tracks.x_mm, tracks.y_mm))) == pytest.approx(6_371_008_800 * central, rel=2e-4)
    assert rows(tracks)[2][2:] == (0, 0)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("<time>2026-11-24T09:47:00Z</time>", ""), (5, "a trkpt without time")),
        (("2026-11-24T09:47:00Z", "2026-02-29T09:47:00Z"), (5, 'time "2026-02-29T09:47:00Z"')),
        (("2026-11-24T09:47:00Z", "2026-11-24 09:47:00Z"), (5, 'time "2026-11-24 09:47:00Z"')),
        (("2026-11-24T09:47:00Z", "2026-11-24T09:48:00Z"), (6, '"track0" goes back in time at 12.25 s')),
        (("2026-11-24T09:47:00Z", "2006-11-24T09:47:00Z"), (6, "is more than 106 days after the earliest point")),
        (('lat="44.5"', 'lat="90.5"'), (5, 'lat "90.5"')),
        (('lat="44.5"', ""), (5, "a trkpt without lat or lon")),
    ],
)
def test_wrong_gpx_file_is_refused_with_the_line(save, change, problem):
    assert change[0] in GPX
    assert problem in read_problems(save(GPX.replace(*change, 1).encode()))


def test_projection_wraps_at_the_date_line():
    x, y = handoff_traces.Projection.from_degrees(0, 179.5).millimetres([0, 0], [180 * 10**9, -179 * 10**9])
    assert y.tolist() == [0, 0]
    degree = math.pi * 6371008800 / 180
    assert x == pytest.approx([degree / 2, 3 * degree / 2], rel=1e-7)


SETDEST = """\
#
# nodes: 2, pause: 0.00
$node_(0) set X_ 100.0
$node_(0) set Y_ 50.0
$node_(0) set Z_ 0.000000000000
$node_(7) set X_ 0.0005
$node_(7) set Y_ 0
$god_ set-dist 0 7 1
$ns_ at 10.0 "$node_(0) setdest 103.0 54.0 2.0"
$ns_ at 11.0 "$god_ set-dist 0 7 2"
$ns_ at 20.0 "$node_(0) setdest 103.0 44.0 1.0"
$ns_ at 23.0 "$node_(0) setdest 203.0 51.0 4.0"
$ns_ at 33.0 "$node_(0) setdest 1.0 1.0 0.0"
"""


def test_setdest_is_piecewise_linear_and_exact(save):
    tracks = handoff_traces.read_movement(save(SETDEST.encode()))
    assert (tracks.format, tracks.stays) == ("setdest", True)
    assert rows(tracks) == [
        ("node0", 0, 100_000, 50_000),
        ("node0", 10 * S, 100_000, 50_000),
        ("node0", 12_500_000_000_000, 103_000, 54_000),  # 5 m at 2 m/s
        ("node0", 20 * S, 103_000, 54_000),
        ("node0", 23 * S, 103_000, 51_000),  # 3 of the 10 m of this movement
        ("node0", 33 * S, 143_000, 51_000),  # 40 of 100 m; speed 0 stops it
        ("node7", 0, 1, 0),
    ]


def test_setdest_arrival_time_is_exact(save):
    moves = '$node_(0) set X_ 0\n$node_(0) set Y_ 0\n$ns_ at 0.25 "$node_(0) setdest 1 1 0.3"\n'
    arrives = rows(handoff_traces.read_movement(save(moves.encode())))[-1][1]
    exact = Decimal("0.25") + Decimal(2).sqrt() / Decimal("0.3")
    assert abs(arrives - exact * S) < 4_000  # a nanometre at 0.3 m/s is 3.3 ns


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('$ns_ at 1 "$node_(1) setdest 1 1 1"', "a node without a place moves"),
        ('$ns_ at 22 "$node_(0) setdest 1 1 1"', '"node0" goes back in time'),
        ('$ns_ at nan "$node_(0) setdest 1 1 1"', 'time "nan"'),
        ('$ns_ at 50 "$node_(0) setdest 1 1 -1"', 'speed "-1"'),
        ('$ns_ at 50 "$node_(0) setdest 1 1"', 'speed ""'),
        ('$ns_ at 50 "$node_(0) set W_ 5"', "statement"),
        ("$node_(0) set X_ 5", "a moving node is set to a new place"),
        ("$node_(x) set X_ 5", 'node "$node_(x)"'),
        ("exec rm -rf /", "statement"),
        ('$ns_ at 50 "$node_(0) setdest 1000 1 0.000001"', "a movement of more than 106 days"),
    ],
)
def test_wrong_setdest_line_is_refused(save, line, problem):
    problems = read_problems(save(f"{SETDEST}{line}\n".encode()))
    assert [number for number, _ in problems][:1] == [14]
    assert problems[0][1].startswith(problem)


def test_bonnmotion_has_a_line_for_each_node(save):
    text = "0.0 83.36481 141.82 60.0 83.36 141.82 9.35E1 1.0E2 20\n0.0 1 1\n\n"
    tracks = handoff_traces.read_movement(save(text.encode()))
    assert (tracks.format, tracks.stays) == ("bonnmotion", True)
    assert rows(tracks) == [
        ("node0", 0, 83_365, 141_820), ("node0", 60 * S, 83_360, 141_820), ("node0", 93 * S + S // 2, 100_000, 20_000),
        ("node1", 0, 1000, 1000),
    ]  # fmt: skip
    in_3d = handoff_traces.read_movement(save(b"#3D\n0 1 2 9 5 3 4 9\n0 5 6 9"))
    assert rows(in_3d) == [("node0", 0, 1000, 2000), ("node0", 5 * S, 3000, 4000), ("node1", 0, 5000, 6000)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0 1 1\n0 1 1 5 1\n", (2, "2 numbers too many")),
        ("0 1 1\n\n0 1 1\n", (2, "a line without a waypoint")),
        ("0 1 1 5 1 1 4 2 2\n", (1, '"node0" goes back in time at 4 s')),
        ("0 1 1 5 1 1 5 2 2\n", (1, '"node0" is in two places at 5 s')),
        ("0 1 1\n0 1 Infinity\n", (2, 'y "Infinity"')),
    ],
)
def test_wrong_bonnmotion_line_is_refused(save, text, problem):
    assert read_problems(save(text.encode())) == [problem]


def test_format_is_detected(save):
    for text, kind in [
        (FCD, "movement"), (GPX, "movement"), (SETDEST, "movement"), ("0 1 1\n", "movement"), ("\ufeff" + GPX, "movement"),
        ("mobile,router,up_s,down_s,predict_s,going_down_s\n", "associations"), ("hello\n", "other"), ("", "other"),
    ]:  # fmt: skip
        assert handoff_traces.detect_format(save(text.encode())) == kind, text
    assert read_problems(save(b"mobile,router,up_s\n")) == [(1, "the file is an association log")]
    assert read_problems(save(b"\xd4\xc3\xb2\xa1 capture")) == [(1, "the file is not in a known movement format")]
    assert read_problems(save(GPX.encode()), format="fcd") == [(1, 'root element "gpx"')]
    with pytest.raises(ValueError, match="setdest is in metres: leave out the origin"):
        handoff_traces.read_movement(save(SETDEST.encode()), origin=(1, 1))


@pytest.mark.skipif(not BOLOGNA.exists(), reason="../shared/data is missing")
def test_bologna_agrees_with_another_xml_parser():
    samples_by_name = {}
    with gzip.open(BOLOGNA) as file:
        time = None
        for event, element in ET.iterparse(file, events=("start", "end")):
            if event == "start" and element.tag == "timestep":
                time = int(Decimal(element.get("time")) * S)
            elif event == "end" and element.tag in ("vehicle", "person"):
                place = (int((Decimal(element.get(axis)) * 1000).quantize(1, ROUND_HALF_UP)) for axis in "xy")
                samples_by_name.setdefault(element.get("id"), []).append((time, *place))
            elif event == "end":
                element.clear()
    tracks = handoff_traces.read_movement(BOLOGNA)
    assert tracks.mobile_names == list(samples_by_name)
    assert (len(samples_by_name), len(tracks)) == (1397, 250_493)
    expected = np.array([(i, *sample) for i, samples in enumerate(samples_by_name.values()) for sample in samples])
    for column, values in zip(("mobile", "time_ps", "x_mm", "y_mm"), expected.T, strict=True):
        assert np.array_equal(getattr(tracks, column), values), column


@pytest.mark.parametrize("line", ["0 x 1\n", '$node_(0) set X_ x\n', '<timestep time="x"/>\n'])
def test_reading_stops_after_1000_problems(save, line):
    head = "<fcd-export>\n" if line.startswith("<") else ""
    with pytest.raises(handoff_traces.TraceError) as caught:
        handoff_traces.read_movement(save((head + line * 100_000).encode()))
    assert caught.value.count == 1000
