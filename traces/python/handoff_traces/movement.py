"""Movement files: where mobiles are when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from traces import _native

Format = Literal["fcd", "fcd-geo", "gpx", "setdest", "bonnmotion"]

_EARTH_MM_PER_DEGREE = 111_195_080
"""Of a great circle on the sphere with the mean radius of the Earth, 6371.0088 km."""
_SHIFT = 28
_HALF_TURN = 180 * 10**9


@dataclass(frozen=True, slots=True)
class Projection:
    """Degrees to a plane: east and north of an origin, on a sphere, with the scale of the origin's latitude.

    x = R cos(latitude of the origin) (longitude - longitude of the origin), y = R (latitude - latitude of the origin), with
    R = 6371.0088 km. Away from the origin, x is wrong by the factor cos(latitude) / cos(latitude of the origin): 0.16 % for
    each 10 km north or south at 45 degrees.

    Attributes
    ----------
    latitude, longitude : int
        Of the origin, in nanodegrees.
    """

    latitude: int
    longitude: int

    @classmethod
    def of_degrees(cls, latitude: float, longitude: float) -> Projection:
        """With its origin in degrees."""
        return cls(round(latitude * 10**9), round(longitude * 10**9))

    def millimetres(self, latitude: Any, longitude: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """East and north of the origin in millimetres, of nanodegrees.

        The cosine is the one floating-point number; it is rounded to 2**-28 mm per nanodegree before it is used, so that the
        result is the same on every machine.
        """
        per_nanodegree = _EARTH_MM_PER_DEGREE * 2**_SHIFT / 10**9
        east = round(per_nanodegree * math.cos(math.radians(self.latitude / 10**9)))
        turn = np.asarray(longitude, np.int64) - self.longitude
        turn = (turn + _HALF_TURN) % (2 * _HALF_TURN) - _HALF_TURN
        up = np.asarray(latitude, np.int64) - self.latitude
        half = 1 << (_SHIFT - 1)
        return (turn * east + half) >> _SHIFT, (up * round(per_nanodegree) + half) >> _SHIFT


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Positions of mobiles at times, one entry of each column a sample, sorted by (mobile, time).

    Between two samples of a mobile it moves on a straight line at constant speed.

    Attributes
    ----------
    format : str
        What they come from.
    mobile : ndarray of int64, shape (n,)
        Index into ``mobile_names``; not falling.
    time_ps : ndarray of int64, shape (n,)
        Picoseconds, not negative, strictly rising for each mobile.
    x_mm, y_mm : ndarray of int64, shape (n,)
        Millimetres, at most 10**11 from 0.
    mobile_names : list of str
        In order of first appearance in the file; each has a sample.
    stays : bool
        Whether a mobile stays at its last place after its last sample, or is gone.
    projection : Projection or None
        How degrees became millimetres.
    epoch_ps : int or None
        Picoseconds since 1970 (UTC) of time 0, for files with dates.
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
        """First sample of each mobile, and one past the last: int64 of shape (mobiles + 1,)."""
        return np.searchsorted(self.mobile, np.arange(len(self.mobile_names) + 1))


def read_movement(
    path: str | PathLike[str], format: Format | None = None, origin: tuple[float, float] | None = None
) -> Tracks:
    """Read a movement file.

    SUMO floating car data (XML), ns-2 setdest, BonnMotion or GPX; plain, gzip or Zstandard. It is streamed: memory is needed
    for the samples alone, 28 bytes each while it is read.

    Parameters
    ----------
    path : path
        The file.
    format : {"fcd", "fcd-geo", "gpx", "setdest", "bonnmotion"}, optional
        What it is; found from its content if not given. "fcd-geo" has to be given: floating car data with longitude and
        latitude look like those in metres.
    origin : (float, float), optional
        Latitude and longitude, in degrees, of x = y = 0 for GPX and "fcd-geo"; the first sample of the first mobile if not
        given.

    Returns
    -------
    Tracks
        All samples. Numbers are read as decimals, not as floats, and rounded to the nearest millimetre and picosecond.

    Raises
    ------
    TraceError
        If the file cannot be read or anything in it is wrong; names the first 20 of all problems and their count.
    ValueError
        If an origin is given for a file that is in metres.
    """
    columns = _native.read_movement(path, format)
    x, y = columns.pop("x"), columns.pop("y")
    columns["mobile"] = columns["mobile"].astype(np.int64)
    if not columns.pop("geographic"):
        if origin is not None:
            raise ValueError(f"{path}: an origin means nothing for {columns['format']}, which is in metres: leave it out")
        return Tracks(**columns, x_mm=x, y_mm=y)
    projection = Projection.of_degrees(*origin) if origin is not None else Projection(int(y[0]), int(x[0]))
    x_mm, y_mm = projection.millimetres(y, x)
    return Tracks(**columns, x_mm=x_mm, y_mm=y_mm, projection=projection)


def look(path: str | PathLike[str]) -> Literal["movement", "associations", "other"]:
    """Say what the first bytes of a file look like, decompressed if need be: movement, an association log, or something else.

    Raises
    ------
    TraceError
        If the file cannot be read.
    """
    kind: Literal["movement", "associations", "other"] = _native.look(path)
    return kind
