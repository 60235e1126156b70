"""The format of a file from its first bytes, and what a file in no known format is called."""

import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import handoff_traces

FCD = b'<fcd-export><timestep time="0"/></fcd-export>'
SETDEST = b"$node_(0) set X_ 1\n$node_(0) set Y_ 1\n"
PCAP = b"\xd4\xc3\xb2\xa1\x02\0\4\0" + bytes(16)


def parquet():
    out = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "format"),
    [
        (PCAP, "capture", "pcap"),
        (PCAP[::-1][-4:] + PCAP[4:], "capture", "pcap"),
        (b"\x0a\x0d\x0d\x0a" + bytes(24), "capture", "pcapng"),
        (gzip.compress(PCAP, mtime=0), "capture", "pcap"),
        (FCD, "movement", "fcd"),
        (b"\xef\xbb\xbf<?xml?>\n<!-- a --> <!-- b -->\n" + FCD, "movement", "fcd"),
        (b"<gpx:gpx xmlns:gpx='x'/>", "movement", "gpx"),
        (parquet(), "movement", "fcd-parquet"),
        (b"timestep_time;vehicle_id;vehicle_x;vehicle_y\n", "movement", "fcd-csv"),
        (b"time,id,x,y\n", "movement", "fcd-csv"),
        (b"timestep_time;person_id;person_x;person_y\n", "movement", "fcd-csv"),
        (SETDEST, "movement", "setdest"),
        (b"# a comment\n" * 1000 + SETDEST, "movement", "setdest"),
        (b"# ns-2\nset val(nn) 3\nset ns_ [new Simulator]\n" + b"puts hello\n" * 1000 + SETDEST, "movement", "setdest"),
        (b"0.0 1 2 3.5 4 5\n", "movement", "bonnmotion"),
        (b"#3D\n0 1 2 3\n", "movement", "bonnmotion"),
        (b"mobile,router,up_s,down_s,predict_s,going_down_s\n", "associations", "associations"),
        (b"Timestamp,Longitude,Latitude,Speed,Operatorname,CellID\n", "associations", "gnettrack"),
        (b"Jan  1 00:00:00 ap1 Station 00:11:22:33:44:55 associated\n", "associations", "syslog"),
        (b"<30>Jan  1 00:00:00 ap1 hostapd: STA 0011.2233.4455 IEEE 802.11: associated\n", "associations", "syslog"),
        (b"1016558393\tAcadBldg8AP3\n1016558400\tOFF\n", "associations", "crawdad"),
    ],
)
def test_a_known_format_is_named(save, content, kind, format):
    guess = handoff_traces.guess_format(save(content))
    assert (guess.kind, guess.format) == (kind, format)
    assert guess.reason


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the file is not in a known format: it is empty"),
        (b"# nothing\n", "it begins with comments only"),
        (b"hello\n", "its first line is 'hello'"),
        (b"\x00\x01\x02\x03", "its first bytes are no text"),
        (b"stop_id,stop_name,stop_lat,stop_lon\n", "by its columns stop_id, stop_name, stop_lat, stop_lon it is a table of GTFS"),
        (b"PK\x03\x04stops.txt", "by its first bytes it is a ZIP archive: unpack it"),
        (b"a,b,c\n1,2,3\n", "by its columns a, b, c it is a CSV file: if it is an association log, give its 'columns'"),
        (b"<kml/>", "by its root element 'kml' it is KML; convert the track to GPX"),
        (b"<routes/>", "it is SUMO routes: the positions of vehicles are in its --fcd-output"),
        (b"snoop\0\0\0\0\0\0\2", "it is a snoop capture: convert it with editcap -F pcapng"),
        (b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\n", "it is NMEA 0183; convert it to GPX"),
        ("mobile,router\n".encode("utf-16"), "by its first bytes it is text in UTF-16: save it in UTF-8"),
        (b'{"type": "FeatureCollection"}', "by its first bytes it is JSON"),
        (b"set ns [new Simulator]\nputs hello\n", "it is a Tcl script without the movement of ns-2 nodes"),
        (b'$ns_ at 1.0 "$g(0) start"; # SUMO-ID: a\n', "it is an activity file of SUMO"),
    ],
)
def test_an_unknown_format_has_the_nearest_guess_and_the_reason(save, content, what):
    path = save(content)
    guess = handoff_traces.guess_format(path)
    assert guess.kind == "unknown"
    text = str(handoff_traces.unknown_format_error(path, guess))
    assert what in text
    assert "known formats are capture: pcap, pcapng; movement: SUMO floating car data (XML, CSV, Parquet)" in text
    with pytest.raises(handoff_traces.TraceError, match="not in a known format"):
        handoff_traces.read_cell_log(path)
    with pytest.raises(handoff_traces.TraceError, match="not in a known format"):
        handoff_traces.read_movement(path)


def test_a_broken_prolog_does_not_take_long(save):
    """Each comment could end at any later end of a comment: a search that goes back would take forever."""
    assert handoff_traces.guess_format(save(b"<!--" + b"-->\n<!--" * 20_000)).kind == "unknown"


def test_a_file_that_cannot_be_decompressed_is_refused(save):
    with pytest.raises(handoff_traces.TraceError, match="cannot be read"):
        handoff_traces.guess_format(save(b"\x1f\x8bnothing"))
    with pytest.raises(handoff_traces.TraceError, match="cannot be opened"):
        handoff_traces.guess_format("no such file")
