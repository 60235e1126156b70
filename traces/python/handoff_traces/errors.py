"""The error that all readers of this package raise."""

from collections.abc import Sequence


class TraceError(ValueError):
    """Error of a file that cannot be read or has wrong content.

    The message has a line for each problem: file, position, problem; a description of valid input.

    Parameters
    ----------
    path : str
        The file.
    unit : {"byte", "line"}
        Unit of the positions: bytes from 0 or lines from 1.
    problems : sequence of (int, str, str)
        Position, problem and description of valid input, for the first problems in the order of the file.
    count : int
        Number of all problems, which may exceed ``len(problems)``.

    Attributes
    ----------
    path, unit, problems, count
        The parameters.
    offset : int or None
        Byte offset of the first problem, if the unit is the byte.
    line : int or None
        Line of the first problem, if the unit is the line.
    lines : list of str
        Lines of the message.
    """

    def __init__(self, path: str, unit: str, problems: Sequence[tuple[int, str, str]], count: int) -> None:
        self.path = path
        self.unit = unit
        self.problems = tuple(problems)
        self.count = count
        first = self.problems[0][0]
        self.offset = first if unit == "byte" else None
        self.line = first if unit == "line" else None
        prefix = " byte " if unit == "byte" else ""
        lines = [f"{path}:{prefix}{position}: {problem}; {expected}" for position, problem, expected in self.problems]
        if count > len(self.problems):
            lines.append(f"{path}: {count} problems in all, of which these are the first {len(self.problems)}")
        self.lines = lines
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type["TraceError"], tuple[str, str, tuple[tuple[int, str, str], ...], int]]:
        return type(self), (self.path, self.unit, self.problems, self.count)
