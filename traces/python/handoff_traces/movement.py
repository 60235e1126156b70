"""Movement files: positions of mobile nodes over time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handoff_traces import _native

Format = Literal["fcd", "fcd-geo", "gpx", "setdest", "bonnmotion"]

_EARTH_MM_PER_DEGREE = 111_195_080
"""Length of a degree of a great circle on a sphere with the mean radius of the Earth, 6371.0088 km."""
_SCALE_BITS = 28
_NANODEGREES_PER_DEGREE = 10**9
_HALF_TURN = 180 * _NANODEGREES_PER_DEGREE


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

    def __len__(self) -> int:
        return len(self.mobile)

    def bounds(self) -> NDArray[np.int64]:
        """Return the first sample of each mobile node, and the number of all samples: int64 of shape (mobile nodes + 1,)."""
        return np.searchsorted(self.mobile, np.arange(len(self.mobile_names) + 1))


def read_movement(
    path: str | PathLike[str], format: Format | None = None, origin: tuple[float, float] | None = None
) -> Tracks:
    """Read a movement file.

    The file is SUMO floating car data (XML), ns-2 setdest, BonnMotion or GPX; plain or compressed with gzip or Zstandard. It is
    streamed, so only the samples take memory: 28 bytes each while the file is read.

    Parameters
    ----------
    path : path
        The file.
    format : {"fcd", "fcd-geo", "gpx", "setdest", "bonnmotion"}, optional
        Format of the file; by default detected from its content. "fcd-geo" cannot be detected: floating car data in longitude
        and latitude look like those in metres.
    origin : (float, float), optional
        Latitude and longitude in degrees of x = y = 0, for GPX and "fcd-geo"; by default the first sample of the first mobile
        node.

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
        If the file is in metres and an origin is given.
    """
    columns = _native.read_movement(path, format)
    x, y = columns.pop("x"), columns.pop("y")
    columns["mobile"] = columns["mobile"].astype(np.int64)
    if not columns.pop("geographic"):
        if origin is not None:
            raise ValueError(f"{path}: {columns['format']} is in metres: leave out the origin")
        return Tracks(**columns, x_mm=x, y_mm=y)
    projection = Projection.from_degrees(*origin) if origin is not None else Projection(int(y[0]), int(x[0]))
    x_mm, y_mm = projection.millimetres(y, x)
    return Tracks(**columns, x_mm=x_mm, y_mm=y_mm, projection=projection)


def detect_format(path: str | PathLike[str]) -> Literal["movement", "associations", "other"]:
    """Return the kind of a file, plain or compressed, from its first bytes: movement, an association log, or neither.

    Raises
    ------
    TraceError
        If the file cannot be read.
    """
    kind: Literal["movement", "associations", "other"] = _native.detect_format(path)
    return kind
