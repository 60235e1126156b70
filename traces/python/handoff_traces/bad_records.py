"""Bad records: the file is refused, or they are left out and counted. The rules of logs that are read in Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike, fspath
from typing import Literal, get_args

from handoff_traces.errors import TraceError

OnBadRecord = Literal["refuse", "skip", "keep-first"]
"""Treatment of a bad record: refuse the file, leave the record out, or, of records that contradict each other, keep the first.
Of a capture, ``"keep-first"`` keeps the records before the bad one."""
_MAX_LISTED = 20

TIME = "a time that cannot be read"
NAME = "a name that is missing or cannot be used"
FIELDS = "a wrong number of fields"
BACK_IN_TIME = "a time before that of an earlier record"


def check_on_bad_record(value: str) -> None:
    """Raise a ValueError if a value is no ``OnBadRecord``."""
    if value not in get_args(OnBadRecord):
        raise ValueError(f"on_bad_record {value!r} is not one of {', '.join(get_args(OnBadRecord))}")


@dataclass
class BadRecords:
    """Problems of the records of a file.

    Attributes
    ----------
    path : path
        The file.
    on_bad_record : {"refuse", "skip", "keep-first"}
        What happens to a bad record, as in ``read_movement``.
    skipped : dict of str to int
        Numbers of records that are left out, by reason.
    """

    path: str | PathLike[str]
    on_bad_record: OnBadRecord = "refuse"
    skipped: dict[str, int] = field(default_factory=dict)
    _problems: list[tuple[int, str, str]] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        check_on_bad_record(self.on_bad_record)

    def add(self, reason: str, line: int, problem: str, expected: str) -> None:
        """Leave out a record, or note its problem."""
        if self.on_bad_record == "skip" or (self.on_bad_record == "keep-first" and reason == BACK_IN_TIME):
            self.skipped[reason] = self.skipped.get(reason, 0) + 1
        else:
            self.refuse(line, problem, expected)

    def refuse(self, line: int, problem: str, expected: str) -> None:
        """Note a problem that refuses the file."""
        self._count += 1
        if len(self._problems) < _MAX_LISTED:
            self._problems.append((line, problem, expected))

    def check(self) -> None:
        """Raise a TraceError with all problems, if there are any."""
        if self._problems:
            raise TraceError(fspath(self.path), "line", sorted(self._problems), self._count)


def quote(text: str) -> str:
    """Return text of a file for a message, shortened to 60 characters."""
    return repr(text if len(text) <= 60 else text[:60] + "…")
