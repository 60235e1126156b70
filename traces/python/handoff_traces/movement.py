"""Movement files: positions of mobile nodes over time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from os import PathLike, fspath
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from handoff_traces import _native
from handoff_traces.activity import limit_to_activity
from handoff_traces.bad_records import OnBadRecord
from handoff_traces.errors import TraceError
from handoff_traces.fcd_tables import read_gnettrack_positions, read_parquet
from handoff_traces.format_guess import FormatGuess, guess_format, unknown_format_error

Format = Literal["fcd", "fcd-geo", "gpx", "setdest", "bonnmotion", "bonnmotion-3d", "gnettrack"]

_EARTH_MM_PER_DEGREE = 111_195_080
"""Length of a degree of a great circle on a sphere with the mean radius of the Earth, 6371.0088 km."""
_SCALE_BITS = 28
_NANODEGREES_PER_DEGREE = 10**9
_HALF_TURN = 180 * _NANODEGREES_PER_DEGREE
_STILL_M_S, _SLOWEST_M_S, _FASTEST_M_S = 0.01, 0.1, 150.0
"""Mean speeds that show degrees without the attribute speed: nearly still in one reading, a vehicle in the other."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Equirectangular projection of degrees to metres east and north of an origin.

    x = R cos(latitude of the origin) (longitude - longitude of the origin), y = R (latitude - latitude of the origin), with
    R = 6371.0088 km. Away from the origin, x is wrong by the factor cos(latitude) / cos(latitude of the origin): 0.16 % for
    each 10 km north or south at 45 degrees.

    Attributes
    ----------
    latitude, longitude : int
        The origin in nanodegrees.
    """

    latitude: int
    longitude: int

    @classmethod
    def from_degrees(cls, latitude: float, longitude: float) -> Projection:
        """Build a projection with the origin in degrees."""
        return cls(round(latitude * _NANODEGREES_PER_DEGREE), round(longitude * _NANODEGREES_PER_DEGREE))

    def millimetres(self, latitude: Any, longitude: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the millimetres east and north of the origin for positions in nanodegrees.

        The scales are rounded to multiples of 2**-28 mm per nanodegree before they are applied to the integers, so that the
        result is the same on every machine.
        """
        scale_north = _EARTH_MM_PER_DEGREE * 2**_SCALE_BITS / _NANODEGREES_PER_DEGREE
        scale_east = round(scale_north * math.cos(math.radians(self.latitude / _NANODEGREES_PER_DEGREE)))
        east = np.asarray(longitude, np.int64) - self.longitude
        east = (east + _HALF_TURN) % (2 * _HALF_TURN) - _HALF_TURN
        north = np.asarray(latitude, np.int64) - self.latitude
        half = 1 << (_SCALE_BITS - 1)
        return (east * scale_east + half) >> _SCALE_BITS, (north * round(scale_north) + half) >> _SCALE_BITS


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Columns of samples, which are positions of mobile nodes at times, sorted by mobile node and time.

    Between two samples a mobile node moves on a straight line at constant speed.

    Attributes
    ----------
    format : str
        Format of the file, or name of the model.
    mobile : ndarray of int64, shape (n,)
        Index into ``mobile_names``, non-decreasing.
    time_ps : ndarray of int64, shape (n,)
        Picoseconds, non-negative, strictly increasing for each mobile node.
    x_mm, y_mm : ndarray of int64, shape (n,)
        Millimetres, at most 10**11 from 0.
    mobile_names : list of str
        Names in the order of first appearance in the file. Each has a sample.
    stays : bool
        If true, a mobile node stays at the position of its last sample; else it disappears.
    projection : Projection or None
        Projection of degrees to millimetres; None if the file is in metres.
    epoch_ps : int or None
        Time 0 in picoseconds since 1970 (UTC); None if the file has no dates.
    breaks : ndarray of int64
        Rows before which the mobile node was absent since its previous sample, ascending: it did not move between the two.
    skipped : dict of str to int
        Numbers of bad records that were left out, by reason.
    format_reason : str
        What in the file shows the format; "" if the format was stated.
    stated_distance_m : (float, float) or None
        Distance by the speeds in floating car data, and distance by the positions between the same samples; None without speeds.
    """

    format: str
    mobile: NDArray[np.int64]
    time_ps: NDArray[np.int64]
    x_mm: NDArray[np.int64]
    y_mm: NDArray[np.int64]
    mobile_names: list[str]
    stays: bool = False
    projection: Projection | None = None
    epoch_ps: int | None = None
    breaks: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    skipped: dict[str, int] = field(default_factory=dict)
    format_reason: str = ""
    stated_distance_m: tuple[float, float] | None = None

    def __len__(self) -> int:
        return len(self.mobile)

    def bounds(self) -> NDArray[np.int64]:
        """Return the first sample of each mobile node, and the number of all samples: int64 of shape (mobile nodes + 1,)."""
        return np.searchsorted(self.mobile, np.arange(len(self.mobile_names) + 1))

    def is_leg(self) -> NDArray[np.bool_]:
        """Return for each pair of neighbouring rows whether a mobile node moves from one to the other: bool of shape (n - 1,)."""
        legs: NDArray[np.bool_] = np.diff(self.mobile) == 0
        legs[self.breaks - 1] = False
        return legs


def read_movement(
    path: str | PathLike[str],
    format: Format | None = None,
    origin: tuple[float, float] | None = None,
    *,
    activity: str | PathLike[str] | None = None,
    on_bad_record: OnBadRecord = "refuse",
) -> Tracks:
    """Read a movement file.

    The file is SUMO floating car data (XML, CSV, Parquet), ns-2 setdest, BonnMotion, GPX or a log of G-NetTrack Pro; plain or
    compressed with gzip or Zstandard. It is streamed, so only the samples take memory: 28 bytes each while the file is read.

    Parameters
    ----------
    path : path
        The file.
    format : {"fcd", "fcd-geo", "gpx", "setdest", "bonnmotion", "bonnmotion-3d", "gnettrack"}, optional
        Format of the file; by default detected from its content, with the reason in ``Tracks.format_reason``. Floating car data
        are in longitude and latitude if SUMO's header says so, or else if that is what the speeds show. Waypoints of BonnMotion
        without the header ``#3D`` have heights if fewer records are bad with them, or as many and the speeds vary less.
    origin : (float, float), optional
        Latitude and longitude in degrees of x = y = 0, for a file in degrees; by default the first sample of the first mobile
        node.
    activity : path, optional
        SUMO's activity file of an ns-2 movement file: who is present when.
    on_bad_record : {"refuse", "skip", "keep-first"}
        What happens to a record that is wrong: the file is refused; the record is left out; or only a record that contradicts an
        earlier one is left out (a second position at one time, a time that goes back). ``Tracks.skipped`` has the counts.

    Returns
    -------
    Tracks
        All samples. Numbers are parsed as decimals, without floating point, and rounded to the nearest millimetre and
        picosecond.

    Raises
    ------
    TraceError
        If the file cannot be read or its content is wrong. The error lists the first 20 problems and the number of all.
    ValueError
        If the file is in metres and an origin is given, or an activity file with another format than setdest.
    """
    guess = guess_format(path)
    _check_format(path, format, guess)
    if guess.format == "fcd-parquet" and format in (None, "fcd", "fcd-geo"):
        tracks = _read_fcd(path, format, guess, on_bad_record, origin, read_parquet(path))
    elif format == "gnettrack" or (format is None and guess.format == "gnettrack"):
        content, epoch_ps, skipped = read_gnettrack_positions(path, on_bad_record)
        tracks = _read_native(path, "fcd-csv-geo", on_bad_record, origin, content)
        assert epoch_ps is not None  # a file without a record is refused
        begin_ps = int(tracks.time_ps[0])  # above 0 if the first records are left out
        tracks = replace(
            tracks, format="gnettrack", time_ps=tracks.time_ps - begin_ps, epoch_ps=epoch_ps + begin_ps,
            skipped=skipped | tracks.skipped,
        )  # fmt: skip
    elif format in ("fcd", "fcd-geo") or (format is None and guess.format.startswith("fcd")):
        tracks = _read_fcd(path, format, guess, on_bad_record, origin)
    elif format is None and guess.format == "bonnmotion":
        tracks = _read_bonnmotion(path, guess, on_bad_record, origin)
    else:
        # an XML file of another kind is refused by the native reader, at its root element
        known = guess.format if guess.kind == "movement" else "fcd"
        tracks = _read_native(path, format or known, on_bad_record, origin)
    if not tracks.format_reason and format is None:
        tracks = replace(tracks, format_reason=guess.reason)
    if activity is not None:
        if tracks.format != "setdest":
            raise ValueError(f"{fspath(path)}: leave out the activity file: it belongs to setdest, not to {tracks.format}")
        tracks = limit_to_activity(tracks, activity)
    return tracks


def detect_format(path: str | PathLike[str]) -> Literal["movement", "associations", "other"]:
    """Return the kind of a file, plain or compressed, from its first bytes: movement, an association log, or neither.

    Raises
    ------
    TraceError
        If the file cannot be read.
    """
    kind = guess_format(path).kind
    return kind if kind in ("movement", "associations") else "other"


def _check_format(path: str | PathLike[str], format: str | None, guess: FormatGuess) -> None:
    """Refuse a format that the file contradicts, and without a format a file that is not in a format of movement."""
    if format is not None:
        if format not in get_args(Format):
            raise ValueError(f"unknown movement format {format!r}")
        if format == "fcd" and guess.format == "fcd-geo":
            expected = "format fcd-geo, or none"
            raise TraceError(fspath(path), "line", [(1, f"{guess.reason}, but the format is stated as fcd", expected)], 1)
        return
    if guess.format == "gnettrack" or guess.kind == "movement" or guess.format == "XML":
        return
    if guess.kind == "associations":
        problem = ("the file is an association log", "a file of positions; pass this one as associations")
    elif guess.kind == "capture":
        problem = ("the file is not in a known movement format", f"a file of positions; this one is a capture ({guess.format})")
    else:
        raise unknown_format_error(path, guess)
    raise TraceError(fspath(path), "line", [(1, *problem)], 1)


def _read_fcd(
    path: str | PathLike[str],
    format: str | None,
    guess: FormatGuess,
    on_bad_record: OnBadRecord,
    origin: tuple[float, float] | None,
    content: bytes | None = None,
) -> Tracks:
    """Read floating car data; in degrees if the format or the file says so, or else if the speeds show it."""
    notation = "fcd-csv" if guess.format in ("fcd-csv", "fcd-parquet") else "fcd"
    geographic = "fcd-geo" in (format, guess.format)
    if not geographic:
        columns = _native.read_movement(path, notation, on_bad_record, content)
        judges = format is None and not guess.reason.startswith("SUMO's header")
        reason = _degrees_reason(columns["distances"]) if judges else ""
        if not reason:
            return _build_tracks(path, columns, origin)
    else:
        reason = ""
    tracks = _read_native(path, f"{notation}-geo", on_bad_record, origin, content)
    return replace(tracks, format="fcd-geo", format_reason=reason)


def _degrees_reason(distances: tuple[tuple[float, ...], tuple[float, ...], bool]) -> str:
    """Return why floating car data are in degrees, by their speeds; "" if they are in metres or show neither."""
    (seconds, all_metres, all_degrees), (stated, metres, degrees), within_degrees = distances
    if not within_degrees:
        return ""
    if stated > 0:
        # a degree is 111,195 m: one of the two readings is wrong by a factor of more than 300
        if min(metres, degrees) > 0 and abs(math.log(degrees / stated)) < abs(math.log(metres / stated)):
            return f"its speeds make {stated:.4g} m; as degrees the positions are {degrees:.4g} m apart, as metres {metres:.4g} m"
        return ""
    if seconds > 0 and _SLOWEST_M_S <= all_degrees / seconds <= _FASTEST_M_S and all_metres / seconds < _STILL_M_S:
        return (
            f"a guess: as degrees the nodes move at {all_degrees / seconds:.3g} m/s, as metres at {all_metres / seconds:.3g} m/s"
        )
    return ""


def _read_bonnmotion(
    path: str | PathLike[str], guess: FormatGuess, on_bad_record: OnBadRecord, origin: tuple[float, float] | None
) -> Tracks:
    """Read waypoints: with heights if that leaves out fewer records, or as many and the speeds vary less."""
    if guess.reason.endswith("#3D"):
        return _read_native(path, "bonnmotion", on_bad_record, origin)
    readings: list[Tracks] = []
    errors: list[TraceError] = []
    for name in ("bonnmotion", "bonnmotion-3d"):
        try:
            readings.append(_read_native(path, name, on_bad_record, origin))
        except TraceError as error:
            errors.append(error)
    if not readings:
        raise min(errors, key=lambda error: error.count)
    if errors:
        (tracks,) = readings
        flat = tracks.format == "bonnmotion"
        reason = "its lines are numbers in groups of t x y" if flat else "a guess: the numbers fit groups of t x y z only"
        return replace(tracks, format_reason=reason)
    skipped = [sum(tracks.skipped.values()) for tracks in readings]
    if skipped[0] != skipped[1]:
        reason = f"a guess: {skipped[0]:,} bad records as t x y, and {skipped[1]:,} as t x y z"
        return replace(readings[skipped[1] < skipped[0]], format_reason=reason)
    spreads = [_speed_spread(tracks) for tracks in readings]
    if spreads[0] == spreads[1] and not _have_same_samples(*readings):
        problem = ("its numbers fit groups of t x y and of t x y z alike", "the format too: bonnmotion or bonnmotion-3d")
        raise TraceError(fspath(path), "line", [(1, *problem)], 1)
    reason = f"a guess: speeds vary by a factor of {spreads[0]:.3g} as t x y, and of {spreads[1]:.3g} as t x y z"
    return replace(readings[spreads[1] < spreads[0]], format_reason=reason)


def _have_same_samples(a: Tracks, b: Tracks) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("mobile", "time_ps", "x_mm", "y_mm"))


def _speed_spread(tracks: Tracks) -> float:
    """Return the greatest speed divided by the smallest above 0."""
    legs = tracks.is_leg()
    ways = np.hypot(np.diff(tracks.x_mm), np.diff(tracks.y_mm))[legs]
    speeds = (ways / np.diff(tracks.time_ps)[legs])[ways > 0]
    return float(speeds.max() / speeds.min()) if len(speeds) else 1.0


def _read_native(
    path: str | PathLike[str],
    format: str,
    on_bad_record: OnBadRecord,
    origin: tuple[float, float] | None,
    content: bytes | None = None,
) -> Tracks:
    return _build_tracks(path, _native.read_movement(path, format, on_bad_record, content), origin)


def _build_tracks(path: str | PathLike[str], columns: dict[str, Any], origin: tuple[float, float] | None) -> Tracks:
    x, y = columns.pop("x"), columns.pop("y")
    columns["mobile"] = columns["mobile"].astype(np.int64)
    columns["format"] = columns["format"].replace("-csv", "")
    geographic, distances = columns.pop("geographic"), columns.pop("distances")
    if distances is not None and distances[1][0] > 0:
        stated, metres, degrees = distances[1]
        columns["stated_distance_m"] = (stated, degrees if geographic else metres)
    if not geographic:
        if origin is not None:
            raise ValueError(f"{path}: {columns['format']} is in metres: leave out the origin")
        return Tracks(**columns, x_mm=x, y_mm=y)
    projection = Projection.from_degrees(*origin) if origin is not None else Projection(int(y[0]), int(x[0]))
    x_mm, y_mm = projection.millimetres(y, x)
    return Tracks(**columns, x_mm=x_mm, y_mm=y_mm, projection=projection)
