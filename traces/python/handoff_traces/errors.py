"""The one error of this package."""

from collections.abc import Sequence


class TraceError(ValueError):
    """A file is not what it should be.

    The message has a line for each problem: file, place, what is wrong; what would be right.

    Parameters
    ----------
    path : str
        The file.
    unit : {"byte", "line"}
        What the places count: bytes from 0 or lines from 1.
    problems : sequence of (int, str, str)
        Place, what is wrong and what would be right, of the first problems in order of place.
    count : int
        All problems found; may exceed ``len(problems)``.

    Attributes
    ----------
    path, unit, problems, count
        As given.
    offset : int or None
        Byte offset of the first problem, if places are bytes.
    line : int or None
        Line of the first problem, if places are lines.
    """

    def __init__(self, path: str, unit: str, problems: Sequence[tuple[int, str, str]], count: int) -> None:
        self.path = path
        self.unit = unit
        self.problems = tuple(problems)
        self.count = count
        first = self.problems[0][0]
        self.offset = first if unit == "byte" else None
        self.line = first if unit == "line" else None
        where = " byte " if unit == "byte" else ""
        lines = [f"{path}:{where}{place}: {what}; {right}" for place, what, right in self.problems]
        if count > len(self.problems):
            lines.append(f"{path}: {count} problems in all, of which these are the first {len(self.problems)}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type["TraceError"], tuple[str, str, tuple[tuple[int, str, str], ...], int]]:
        return type(self), (self.path, self.unit, self.problems, self.count)
