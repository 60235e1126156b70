"""Movement files on the command line: what they are, what is left out of them, what is not plausible, and damaged ones."""

from __future__ import annotations

import gzip
import io
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import handoff_traces
from handoff.cli.main import main

FIELD = Path(__file__).parents[3] / "shared" / "field"
field = pytest.mark.skipif(not FIELD.exists(), reason="../shared/field is missing")

SCENARIO = """name = "files"
duration = "{duration}"
[correspondent]
name = "cn"
[home_agent]
name = "ha"
[[link]]
between = ["cn", "ha"]
delay = "10ms"
[routers]
names = ["ap1", "ap2"]
wired_to = "ha"
[routers.wired]
delay = "5ms"
[routers.cell]
delay = "2ms"
[[traffic]]
interval = "20ms"
size_bytes = 200
[movement]
{movement}
"""
COVERAGE = '[coverage]\npositions_m = {{ ap1 = [0, 0], ap2 = [{x}, 0] }}\nminimum = "-110dBm"\n'
GEO_FCD = """<!-- <fcd-output value="a"/><fcd-output.geo value="true"/> -->
<fcd-export>
<timestep time="0"><vehicle id="a" x="9" y="50.55" speed="14.17"/></timestep>
<timestep time="60"><vehicle id="a" x="9.012" y="50.55" speed="14.17"/></timestep>
</fcd-export>
"""
FAST_FCD = GEO_FCD.replace("fcd-output.geo", "other").replace("9.012", "20009")


def point(second: int, x: str) -> str:
    return f'<trkpt lat="0" lon="{x}"><time>2026-01-01T00:00:{second:02}Z</time></trkpt>'


GPX = (
    '<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>\n'
    + "\n".join([point(0, "0"), point(5, "0.0001"), point(5, "0.0002"), point(10, "0.0003")])
    + "\n</trkseg><trkseg>"
    + point(30, "0.0080")
    + point(40, "0.0081")
    + "</trkseg></trk></gpx>\n"
)


def run(*args: object) -> tuple[int, list[str], str]:
    """Return the exit code, the lines of stdout, and stderr."""
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    return result.exit_code, result.stdout.splitlines(), result.stderr


def info(*args: object) -> dict:
    code, lines, errors = run("trace", "info", "--json", *args)
    assert code == 0, errors
    return json.loads("\n".join(lines))


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a movement file and a scenario with it, and returns the scenario's path."""

    def write(content, keys="", name="moves", x=850, duration="60s", coverage=True):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        source = "trace" if coverage else "associations"
        path = tmp_path / "s.toml"
        text = SCENARIO.format(duration=duration, movement=f'{source} = "{name}"\n{keys}')
        path.write_text(text + (COVERAGE.format(x=x) if coverage else ""))
        return path

    return write


@field
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # 0.012 degrees at 50.55 degrees north: 0.012 * cos 50.55 * 111.195 km = 0.848 km, in 60 s
        ("fcd_geo.xml", {"nodes": 1, "distance_km": 0.848, "mean_speed_m_s": 14.13}),
        # a vehicle travels 100 m in 10 s, a person 10 m in 10 s
        ("fcd_ids_merge.xml", {"nodes": 2, "distance_km": 0.11, "greatest_speed_m_s": 10}),
        # two segments of 0.001 degrees
        ("gpx_segments.gpx", {"nodes": 1, "distance_km": 0.2224, "greatest_speed_m_s": 11.12, "breaks": 1}),
        ("bonnmotion3d_header.movements", {"samples": 3, "distance_km": 0.2, "mean_speed_m_s": 10}),
        ("ns2_jump.tcl", {"distance_km": 0.2, "greatest_speed_m_s": 10}),
        ("sumo_fcd.csv", {"format": "fcd", "nodes": 1, "mean_speed_m_s": 10}),
        # 0.00001 degrees of longitude at 45 degrees north in a second
        ("gnettrack.csv", {"format": "gnettrack", "mean_speed_m_s": 0.786}),
    ],
)
def test_a_movement_file_of_the_field_is_what_it_is(name, expected):
    found = info(FIELD / name)
    assert {key: found[key] for key in expected} == {
        key: value if isinstance(value, str) else pytest.approx(value, rel=1e-3) for key, value in expected.items()
    }


@field
def test_the_field_in_a_study():
    """The geographic vehicle passes from one access point to the other; nothing happens across the break of the track."""
    assert ", 1 handoffs," in run("validate", FIELD / "fcd_geo.toml")[1][0]
    assert ", 0 handoffs, 2 flows," in run("validate", FIELD / "gpx_segments.toml")[1][0]
    code, lines, _ = run("run", FIELD / "gpx_segments.toml", "--procedure", "mipv4", "--json")
    row = json.loads("\n".join(lines))["runs"][0]
    assert (code, row["sent"], row["handoffs"]) == (0, 1000, 0)  # one packet each 20 ms of two segments of 10 s
    assert info(FIELD / "gnettrack.csv")["attachments"]["handoffs"] == 1


@field
@pytest.mark.parametrize(
    ("name", "on_bad_record", "samples", "skipped"),
    [
        ("gpx_dup.gpx", "keep-first", 3, {"a second position at one time": 1}),
        ("gpx_dup.gpx", "skip", 3, {"a second position at one time": 1}),
        ("gpx_untimed.gpx", "skip", 2, {"a record without a time": 1}),
    ],
)
def test_blemishes_of_the_field_are_left_out(name, on_bad_record, samples, skipped):
    assert run("trace", "info", FIELD / name)[0] == 2
    found = info(FIELD / name, "--on-bad-record", on_bad_record)
    assert (found["samples"], found["skipped"]) == (samples, skipped)


def test_degrees_are_a_study_in_metres(write):
    path = write(GEO_FCD)
    code, lines, _ = run("validate", path)
    assert (code, len(lines)) == (0, 2)
    assert ", 1 handoffs," in lines[0]
    assert lines[1].endswith("coverage.positions_m counts from the first sample, 50.55, 9: movement.origin states it")
    assert lines[1].startswith(f"{path}: warning: coverage.positions_m")
    assert len(run("validate", write(GEO_FCD, "origin = [50.55, 9.0]"))[1]) == 1


def test_trace_info_reads_a_file_once_and_has_the_warnings_of_the_coverage(write, tmp_path, monkeypatch):
    reads = []
    read = handoff_traces.read_movement
    monkeypatch.setattr(handoff_traces, "read_movement", lambda *args, **keys: reads.append(args) or read(*args, **keys))
    path = write(GEO_FCD)
    found = info(tmp_path / "moves", "--scenario", path)
    assert found["warnings"] == ["coverage.positions_m counts from the first sample, 50.55, 9: movement.origin states it"]
    assert (found["attachments"]["handoffs"], len(reads)) == (1, 1)


def test_left_out_records_are_counted_everywhere(write, tmp_path):
    """One of the two positions at 5 s; the counts are in validate, in the warnings of run, and with its tables."""
    path = write(GPX)
    code, lines, errors = run("validate", path)
    assert (code, lines) == (2, [])
    assert '"track0" is in two places at 5 s' in errors
    path = write(GPX, 'on_bad_record = "keep-first"\norigin = [0, 0]')
    what = "moves: records left out: 1 (a second position at one time)"
    assert run("validate", path)[1][1].endswith(what)
    code, _, errors = run("run", path, "--procedure", "mipv4", "-o", tmp_path / "out")
    assert (code, errors) == (0, f"handoff: {what}\n")
    metadata = pq.read_schema(tmp_path / "out" / "runs.parquet").metadata
    assert json.loads(metadata[b"skipped_records"]) == {"moves": {"a second position at one time": 1}}
    assert run("trace", "info", tmp_path / "moves", "--on-bad-record", "skip")[1][-1] == what.removeprefix("moves: ")


def test_neither_traffic_nor_a_handoff_crosses_a_break(write):
    """10 s and 10 s of a packet each 20 ms; the two segments are at different access points."""
    path = write(GPX, 'on_bad_record = "keep-first"\norigin = [0, 0]', x=890)
    row = json.loads("\n".join(run("run", path, "--procedure", "mipv4", "--json")[1]))["runs"][0]
    assert (row["sent"], row["handoffs"]) == (1000, 0)


def test_what_is_not_plausible_is_a_warning_and_strictly_an_error(write, tmp_path):
    """20 km in 60 s are 333 m/s; the speed says 850.2 m."""
    path = write(FAST_FCD)
    warnings = [
        "1 of 1 legs are faster than 150 m/s, at most 333.3 m/s",
        "the positions are 2e+04 m apart, the speeds in the file make 850.2 m",
    ]
    found = info(tmp_path / "moves")
    assert found["warnings"] == warnings
    assert found["speed_ratio"] == pytest.approx(20_000 / 850.2)
    assert [line for line in run("trace", "info", tmp_path / "moves")[1] if line.startswith("warning")] == [
        f"warning: {warning}" for warning in warnings
    ]
    assert [line.partition("moves: ")[2] for line in run("validate", path)[1][1:]] == warnings
    for args in (("trace", "info", tmp_path / "moves", "--strict"), ("validate", path, "--strict")):
        code, lines, errors = run(*args)
        assert (code, lines) == (2, [])
        assert warnings[0] in errors
        assert warnings[1] in errors
    assert run("run", path, "--procedure", "mipv4", "--set", "movement.strict=true")[0] == 2


def test_the_format_may_be_stated(write, tmp_path):
    write("0 10 20 5 10 110 20 6 20 110 120 7\n")
    assert info(tmp_path / "moves")["format"] == "bonnmotion-3d"
    found = info(tmp_path / "moves", "--format", "bonnmotion")
    assert (found["format"], found["samples"], "format_reason" in found) == ("bonnmotion", 4, False)
    code, _, errors = run("trace", "info", tmp_path / "moves", "--format", "gpx")
    assert (code, "is not XML" in errors or "no element" in errors) == (2, True)


ACTIVITY = '$ns_ at 10 "$g(0) start"; # SUMO-ID: a\n$ns_ at 40 "$g(0) stop"; # SUMO-ID: a\n'
SETDEST = '$node_(0) set X_ 0\n$node_(0) set Y_ 0\n$ns_ at 0 "$node_(0) setdest 850 0 10"\n'


def test_who_leaves_by_the_activity_file_leaves(write, tmp_path):
    (tmp_path / "lives").write_text(ACTIVITY)
    found = info(write(SETDEST).parent / "moves", "--activity", tmp_path / "lives")
    assert (found["node_hours"], found["distance_km"]) == (pytest.approx(30 / 3600), 0.3)
    path = write(SETDEST, 'activity = "lives"')
    row = json.loads("\n".join(run("run", path, "--procedure", "mipv4", "--json")[1]))["runs"][0]
    assert row["sent"] == 1500  # one packet each 20 ms for 30 s
    code, _, errors = run("run", path, "--procedure", "mipv4", "-o", tmp_path / "lives")
    assert code == 2, errors


def test_an_association_log_of_another_program_is_a_study(write):
    """The drive is at cell 77 for 20 s and then at cell 78, which belong to the two access points."""
    log = "user,cid,when\nu,77,1700000000\nu,77,1700000010\nu,78,1700000020\n"
    columns = 'columns = { mobile = "user", cell = "cid", time = "when" }\ncells = { 77 = "ap1", 78 = "ap2" }\n'
    path = write(log, columns + 'begin = "1700000000s"', coverage=False)
    assert ": valid: 1 mobile nodes, 2 routers, 1 handoffs, 1 flows, 60 s" in run("validate", path)[1][0]
    within = run("validate", path, "--set", "duration=20s")[1][0]  # the link to ap1 ends at 20 s, when the run has ended
    assert ": valid: 1 mobile nodes, 2 routers, 0 handoffs, 1 flows, 20 s" in within
    overlap = "mobile,router,up_s,down_s,predict_s,going_down_s\nu,ap1,0,11,,\nu,ap2,9,,,\n"  # the new link comes up before 10 s
    for duration, handoffs in (("9s", 0), ("10s", 1)):
        valid = run("validate", write(overlap, coverage=False), "--set", f"duration={duration}")[1][0]
        assert f" {handoffs} handoffs, " in valid
    code, _, errors = run("validate", write(log, columns, coverage=False))
    assert (code, 'for UNIX times a begin such as "1700000000s"' in errors) == (2, True)
    unmapped = write(log, columns.splitlines()[0] + '\nbegin = "1700000000s"', coverage=False)
    assert "unknown routers 77, 78; there are ap1, ap2" in run("validate", unmapped)[2]
    found = info(path.parent / "moves", "--columns", "mobile=user,cell=cid,time=when")
    assert (found["format"], found["handoffs"]) == ("csv", 1)
    assert run("trace", "info", path.parent / "moves", "--columns", "cell=cid")[0] == 2


def test_unix_times_of_an_association_log_are_described(write):
    log = "mobile,router,up_s,down_s,predict_s,going_down_s\nm,ap1,1700000000,1700000010,,\nm,ap2,1700000011,,,\n"
    path = write(log, 'begin = "1700000000s"', coverage=False)
    assert ", 1 handoffs," in run("validate", path)[1][0]
    assert info(path.parent / "moves")["handoffs"] == 1


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("stop_id,stop_name\n1,a\n", "by its columns stop_id, stop_name it is a table of GTFS"),
        ("hello\n", "its first line is 'hello'"),
        ("", "it is empty"),
        ("<osm/>", "by its root element 'osm' it is a map of OpenStreetMap: it has no movement"),
    ],
)
def test_a_file_in_no_known_format_is_never_called_a_capture(write, tmp_path, content, what):
    write(content)
    code, lines, errors = run("trace", "info", tmp_path / "moves")
    assert (code, lines) == (2, [])
    assert what in errors
    assert "known formats are capture: pcap, pcapng; movement: SUMO floating car data" in errors
    assert "a capture begins" not in errors


# Damaged files


def make_parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"time": [0.0, 1.0], "id": ["v", "v"], "x": [0.0, 9.0], "y": [0.0, 0.0]}), out)
    return out.getvalue()


SYSLOG = "".join(
    f"Jan  1 00:00:0{i} ap{i} Station 00:11:22:33:44:5{i % 2} {word}\n"
    for i, word in enumerate(["associated", "associated", "reassociated", "disassociated"])
)
FILES: dict[str, bytes] = {
    "fcd": GEO_FCD.encode(),
    "gpx": GPX.encode(),
    "gzip": gzip.compress(GPX.encode()),
    "setdest": SETDEST.encode(),
    "bonnmotion": b"0 10 20 5 10 110 20 6 20 110 120 7\n0 1 1 5 2 2 9 3 3 11 4 4\n",
    "csv": b"timestep_time;vehicle_id;vehicle_x;vehicle_y;vehicle_speed\n0.00;a;0;0;10\n1.00;a;10;0;10\n",
    "parquet": make_parquet(),
    "gnettrack": b"Timestamp,Longitude,Latitude,Speed,CellID,NetworkMode\n2020.01.01_00.00.00,7.0,45.0,2,1,LTE\n"
    b"2020.01.01_00.00.01,7.00001,45.0,2,2,LTE\n",
    "associations": b"mobile,router,up_s,down_s,predict_s,going_down_s\nm,a,1,2,,\nm,b,2.5,,,\n",
    "syslog": SYSLOG.encode(),
    "crawdad": b"1016558393\tAP3\n1016558400\tOFF\n1016558500\tAP1\n",
}  # fmt: skip
WORDS = [
    b"\n", b"\0", b"\xff", b"<", b">", b'"', b";", b",", b"-1", b"1e99", b"nan", b"9" * 30, b"</trkseg><trkseg>", b"$node_(1)",
]  # fmt: skip


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Change a file in one to four places."""
    file = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(file) + 1)
        match rng.randrange(5):
            case 0:
                file[at : at + 1] = rng.randbytes(1)
            case 1:
                file[at:at] = rng.choice(WORDS)
            case 2:
                del file[at : at + rng.randint(1, 20)]
            case 3:
                end = min(at + rng.randint(1, 40), len(file))
                file[at:at] = file[at:end]
            case _:
                del file[at:]
    return bytes(file)


@pytest.mark.parametrize("count", [6, pytest.param(200, marks=pytest.mark.deep)])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_described_or_refused(write, tmp_path, name, count):
    """Each file in one of the three ways to treat bad records: exit code 0 or 2, a line for each problem, and no traceback."""
    for seed in range(count):
        content = mutate(FILES[name], random.Random(f"{name} {seed}"))
        path = tmp_path / "moves"
        write(content)
        treatment = ("refuse", "skip", "keep-first")[seed % 3]
        start = time.process_time()
        result = CliRunner().invoke(main, ["trace", "info", str(path), "--on-bad-record", treatment])
        case = (name, seed, treatment, content, result.stderr)
        assert result.exit_code in (0, 2), case
        assert result.exception is None or isinstance(result.exception, SystemExit), case
        assert "Traceback" not in result.stdout + result.stderr, case
        assert time.process_time() - start < 5, case
        problems = result.stderr.splitlines()
        assert bool(problems) == (result.exit_code == 2), case
        assert all(line.startswith(f"{path}:") for line in problems), case


WITH_PEAK = """
import atexit, pathlib, re
def write():
    status = pathlib.Path("/proc/self/status").read_text()
    pathlib.Path("peak").write_text(re.search(r"VmHWM:\\s+(\\d+)", status)[1])
atexit.register(write)
from handoff.cli.main import main
main()
"""
"""The program, which writes its own peak in kB. The usage that the kernel reports begins with the memory of the parent."""


@pytest.mark.deep
def test_damaged_files_in_processes_of_their_own(write, tmp_path):
    """The same with the whole program, in 5 s and 200 MB each, without the libraries that Parquet needs."""
    limits = 200 * 2**20
    for seed in range(8):
        name = sorted(FILES.keys() - {"parquet"})[seed]
        write(mutate(FILES[name], random.Random(f"process {seed}")))
        command = [sys.executable, "-c", WITH_PEAK, "trace", "info", "moves", "--on-bad-record", "skip"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
        assert result.returncode in (0, 2), (name, seed, result.stderr)
        assert "Traceback" not in result.stderr, (name, seed, result.stderr)
        assert int((tmp_path / "peak").read_text()) * 1024 < limits, (name, seed)
        (tmp_path / "peak").unlink()
