"""Format of a file from its first bytes: movement, associations or capture, with the reason; the only place that guesses it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Literal

from handoff_traces import _native
from handoff_traces.errors import TraceError

Kind = Literal["movement", "associations", "capture", "unknown"]

KNOWN_FORMATS = {
    "capture": "pcap, pcapng",
    "movement": "SUMO floating car data (XML, CSV, Parquet), GPX tracks, ns-2 setdest, BonnMotion, G-NetTrack Pro",
    "associations": "association log (mobile,router,up_s,…), G-NetTrack Pro, syslog of access points, CRAWDAD (time and access "
    "point), any CSV with 'columns'",
}
"""Readable formats by kind; each plain or compressed with gzip or Zstandard, except Parquet."""

_HEAD_BYTES = 4096
_LONG_HEAD_BYTES = (1 << 20) + _HEAD_BYTES
"""The comment that SUMO writes before the root element has its whole configuration."""
_MAX_LINES = 50
_CAPTURES = {
    b"\xa1\xb2\xc3\xd4": "pcap", b"\xd4\xc3\xb2\xa1": "pcap", b"\xa1\xb2\x3c\x4d": "pcap", b"\x4d\x3c\xb2\xa1": "pcap",
    b"\x0a\x0d\x0d\x0a": "pcapng",
}  # fmt: skip
_FOREIGN_MAGIC = {
    b"snoop\0\0\0": "a snoop capture: convert it with editcap -F pcapng",
    b"GMBU": "a capture of Network Monitor: convert it with editcap -F pcapng",
    b"PK\x03\x04": "a ZIP archive: unpack it; of a GTFS feed, shapes and stop times are no positions of mobile nodes",
    b"%PDF": "a PDF document",
    b"SQLite format 3\0": "an SQLite database: export a table as CSV",
    b"\xd0\xcf\x11\xe0": "a document of an office program: export it as CSV",
    b"\xff\xfe": "text in UTF-16: save it in UTF-8",
    b"\xfe\xff": "text in UTF-16: save it in UTF-8",
    b"{": "JSON",
    b"[": "JSON",
}
_FOREIGN_ROOTS = {
    b"kml": "KML; convert the track to GPX",
    b"TrainingCenterDatabase": "TCX; convert the track to GPX",
    b"osm": "a map of OpenStreetMap: it has no movement",
    b"net": "a SUMO network: the positions of vehicles are in its --fcd-output",
    b"routes": "SUMO routes: the positions of vehicles are in its --fcd-output",
    b"sumo-netstate": "a SUMO network state: it has no coordinates, unlike --fcd-output",
    b"netstate": "a SUMO network state: it has no coordinates, unlike --fcd-output",
    b"scenario": "a scenario of another program",
}
_GTFS_COLUMNS = {"stop_id", "trip_id", "route_id", "shape_id", "service_id", "agency_id"}
_TIME_COLUMNS = {"timestep_time", "time", "timestep"}
_GEO_OPTION = re.compile(rb"<fcd-output\.geo\s+value\s*=\s*[\"'](\w+)[\"']")
_TRUE = {b"true", b"1", b"yes", b"on", b"x", b"t"}
"""Words that SUMO reads as true."""
_NUMBER = rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
_ACTIVITY = re.compile(rb"\$ns_? at \S+ \"\$\w+\(\S+\) (start|stop)\"")
_SETDEST = re.compile(rb"\$(node_\(|ns_? at )")
_SETDEST_LINE = re.compile(rb"^\s*\$node_\(\S+ set [XYZ]_|^\s*\$ns_? at \S+ \"\$node_\(\S+ setdest ")
_TCL = re.compile(rb"(set|proc|puts|source|global|if|for|foreach) ")
_NMEA = re.compile(rb"[$!][A-Z][A-Z0-9]{4},")
_CRAWDAD = re.compile(rb"\d+(\.\d+)?[ \t]+[A-Za-z]\S*")
MAC_ADDRESS = r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}|\b[0-9A-Fa-f]{12}\b"
ASSOCIATION_EVENT = r"\b(?:re-?|dis-?)?associat(?:ed|ion|e|ing)|\broamed\b|\b(?:de)?authenticated\b|\bdeauthenticat(?:ion|ing|e)"
_SYSLOG = re.compile(rb"(?i:" + ASSOCIATION_EVENT.encode() + rb")")
_MAC = re.compile(MAC_ADDRESS.encode())


@dataclass(frozen=True, slots=True)
class FormatGuess:
    """The format of a file, as its first bytes show it.

    Attributes
    ----------
    kind : {"movement", "associations", "capture", "unknown"}
        Subject of the file.
    format : str
        Name of the format; the nearest guess if the kind is unknown, "" without any.
    reason : str
        What in the file shows the format.
    """

    kind: Kind
    format: str
    reason: str


def guess_format(path: str | PathLike[str]) -> FormatGuess:
    """Return the format of a file, plain or compressed.

    Raises
    ------
    TraceError
        If the file cannot be read or decompressed.
    """
    head = _native.read_bytes(path, _HEAD_BYTES, True)
    if head[:4] in _CAPTURES:
        return FormatGuess("capture", _CAPTURES[head[:4]], "its first four bytes")
    if head[:4] == b"PAR1":
        return FormatGuess("movement", "fcd-parquet", "it is a Parquet file")
    for magic, name in _FOREIGN_MAGIC.items():
        if head.startswith(magic):
            return FormatGuess("unknown", name, "its first bytes")
    head = head.removeprefix(b"\xef\xbb\xbf")
    if re.match(rb"\s*<(?!\d+>)", head):  # a line of syslog may begin with <30>
        return _guess_xml(_native.read_bytes(path, _LONG_HEAD_BYTES, True).removeprefix(b"\xef\xbb\xbf"))
    if len(head) >= _HEAD_BYTES - 3 and (not list(_significant_lines(head)) or _TCL.match(next(_significant_lines(head)))):
        # a long comment, or a script, whose movement begins later
        head = _native.read_bytes(path, _LONG_HEAD_BYTES, True).removeprefix(b"\xef\xbb\xbf")
    return _guess_text(head)


def unknown_format_error(path: str | PathLike[str], guess: FormatGuess) -> TraceError:
    """Return the error of a file in no known format: the nearest guess, the reason, and the formats that can be read."""
    what = "the file is not in a known format"
    if guess.format:
        what += f": by {guess.reason} it is {guess.format}"
    elif guess.reason:
        what += f": {guess.reason}"
    known = "; ".join(f"{kind}: {formats}" for kind, formats in KNOWN_FORMATS.items())
    return TraceError(fspath(path), "line", [(1, what, f"known formats are {known}")], 1)


def _guess_xml(head: bytes) -> FormatGuess:
    root, comments = _find_root(head)
    name = root.rpartition(b":")[2]
    if name == b"gpx":
        return FormatGuess("movement", "gpx", "its root element is gpx")
    if name == b"fcd-export":
        option = next((match[1].lower() for match in map(_GEO_OPTION.search, comments) if match), None)
        if option in _TRUE:
            return FormatGuess("movement", "fcd-geo", "SUMO's header says fcd-output.geo")
        if option is not None or any(b"<fcd-output " in comment for comment in comments):
            return FormatGuess("movement", "fcd", "SUMO's header says nothing of fcd-output.geo")
        return FormatGuess("movement", "fcd", "its root element is fcd-export")
    return FormatGuess("unknown", _FOREIGN_ROOTS.get(name, "XML"), f"its root element {name.decode('ascii', 'replace')[:60]!r}")


def _find_root(head: bytes) -> tuple[bytes, list[bytes]]:
    """Return the name of the root element, b"" if it is not found, and the comments before it."""
    at, comments = 0, []
    while at < len(head):
        if head[at : at + 1].isspace():
            at += 1
        elif head.startswith((b"<!--", b"<?"), at):
            is_comment = head.startswith(b"<!--", at)
            mark = b"-->" if is_comment else b"?>"
            end = head.find(mark, at + 2)
            if end < 0:
                break
            if is_comment:
                comments.append(head[at:end])
            at = end + len(mark)
        else:
            match = re.compile(rb"<([^\s/>!?<]{1,200})").match(head, at)
            return (match[1] if match else b""), comments
    return b"", comments


def _guess_text(head: bytes) -> FormatGuess:
    lines = list(_significant_lines(head))
    if not lines:
        return FormatGuess("unknown", "", "it is empty" if not head.strip() else "it begins with comments only")
    first = lines[0]
    if _TCL.match(first) and any(map(_SETDEST_LINE.search, head.splitlines())):
        return FormatGuess("movement", "setdest", "its lines with $node_ and $ns_")
    if _TCL.match(first):
        return FormatGuess("unknown", "a Tcl script without the movement of ns-2 nodes", "its first line")
    if first.startswith(b"mobile,"):
        return FormatGuess("associations", "associations", "its header begins with mobile,")
    if any(_SETDEST.match(line) for line in lines):
        if all(_ACTIVITY.match(line) for line in lines[: -1 or None] if line.startswith(b"$")) and _ACTIVITY.match(first):
            activity = "an activity file of SUMO, which belongs to an ns-2 movement file: name it as its 'activity'"
            return FormatGuess("unknown", activity, "its lines with start and stop")
        return FormatGuess("movement", "setdest", "its lines with $node_ and $ns_")
    if _SYSLOG.search(first) and _MAC.search(first):
        return FormatGuess("associations", "syslog", "its first line has a MAC address and an association")
    if sum(map(bool, map(_CRAWDAD.fullmatch, lines))) == len(lines):
        return FormatGuess("associations", "crawdad", "its lines are a time and a name")
    if first == b"#3D":
        return FormatGuess("movement", "bonnmotion", "its first line is #3D")
    words = first.split()
    if len(words) > 1 and re.fullmatch(_NUMBER, words[0]):
        return FormatGuess("movement", "bonnmotion", "its lines are numbers")
    if _NMEA.match(first):
        return FormatGuess("unknown", "NMEA 0183; convert it to GPX", "its first sentence")
    if first.startswith(b"$"):
        return FormatGuess("movement", "setdest", "its first line is a Tcl statement")
    return _guess_table(first)


def _significant_lines(head: bytes) -> Iterator[bytes]:
    """Yield the first lines that are neither empty nor comments."""
    lines = head.splitlines()
    whole = lines if head.endswith((b"\n", b"\r")) or len(lines) == 1 or len(head) < _HEAD_BYTES else lines[:-1]
    texts = (line.strip() for line in whole)
    yield from [line for line in texts if line and (not line.startswith(b"#") or line == b"#3D")][:_MAX_LINES]


def split_header(line: bytes) -> tuple[list[str], str]:
    """Return the column names of the header of a CSV file and the separator."""
    separator = max((b";", b",", b"\t", b"|"), key=lambda mark: (line.count(mark), mark == b";"))
    names = [name.strip().strip('"') for name in line.decode("utf-8", "replace").split(separator.decode())]
    return names, separator.decode()


def _guess_table(first: bytes) -> FormatGuess:
    names, _ = split_header(first)
    columns = {name.lower() for name in names}
    for prefix in ("vehicle_", "person_", ""):
        if columns & _TIME_COLUMNS and {prefix + name for name in ("id", "x", "y")} <= columns:
            return FormatGuess("movement", "fcd-csv", f"its header has the columns {prefix}id, {prefix}x and {prefix}y")
    if {"timestamp", "longitude", "latitude"} <= columns and columns & {"cellid", "cgi", "operatorname", "networkmode"}:
        return FormatGuess("associations", "gnettrack", "its header has the columns of G-NetTrack")
    if len(names) < 2:
        text = first[:60].decode("ascii", "replace")
        return FormatGuess("unknown", "", f"its first line is {text!r}" if text.isprintable() else "its first bytes are no text")
    listed = ", ".join(names[:8])
    if len(columns & _GTFS_COLUMNS) > 0:
        return FormatGuess("unknown", "a table of GTFS: a timetable, not positions", f"its columns {listed[:200]}")
    return FormatGuess("unknown", "a CSV file: if it is an association log, give its 'columns'", f"its columns {listed[:200]}")
