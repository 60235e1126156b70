"""Where in a scenario file something stands: for messages that name the line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

Place = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[\s,]|#[^\n]*)*")
_KEY = re.compile(r"[ \t]*(?:([A-Za-z0-9_-]+)|\"((?:[^\"\\]|\\.)*)\"|'([^']*)')[ \t]*(\.)?")
_SCALAR = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\])*"' r"|'[^']*'" r"|[^,\]}\n#]+", re.DOTALL
)


class ScenarioError(ValueError):
    """All problems of a scenario, one a line of the message.

    Attributes
    ----------
    problems : list of str
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Source:
    """A scenario file as it was read.

    Attributes
    ----------
    path : Path
        The file; what it names is found beside it.
    text : str
        Its content, without what ``--set`` changed.
    lines : dict of tuple to int
        Line of each table, key and list element by its path.
    changed : frozenset of tuple of str
        Paths that were changed from outside.
    """

    path: Path
    text: str
    lines: dict[Place, int]
    changed: frozenset[tuple[str, ...]] = frozenset()

    def problem(self, place: Place, message: str) -> str:
        """One line: file and line (or ``--set``), path, message."""
        dotted = ".".join(map(str, place))
        where = f"{self.path}:{self.line(place)}" if self.line(place) else "--set"
        return f"{where}: {dotted}: {message}" if dotted else f"{where}: {message}"

    def line(self, place: Place) -> int:
        """Line of the place, or of the innermost table around it that the file has; 0 if it came from ``--set``."""
        names = tuple(map(str, place))
        for change in self.changed:
            if names[: len(change)] == change or (change[: len(names)] == names and place not in self.lines):
                return 0
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def line_numbers(text: str) -> dict[Place, int]:
    """Line of everything in a TOML text that is known to be sound; numbers count the elements of lists."""
    return _Scanner(text).lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.counted = (0, 1)  # newlines are counted once, on the way
        self.lines: dict[Place, int] = {}
        self.tables: dict[Place, int] = {}  # arrays of tables: number of the last one
        table: Place = ()
        while self._skip():
            line = self._line()
            if text[self.at] == "[":
                several = text.startswith("[[", self.at)
                self.at += 1 + several
                table = self._table(self._key(), several)
                self.at += 1 + several
                self.lines.setdefault(table, line)
            else:
                self._pair(table)

    def _skip(self) -> bool:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at < len(self.text)

    def _line(self) -> int:
        before, line = self.counted
        self.counted = self.at, line + self.text.count("\n", before, self.at)
        return self.counted[1]

    def _key(self) -> list[str]:
        parts = []
        while match := _KEY.match(self.text, self.at):
            self.at = match.end()
            parts.append(next(part for part in match.groups()[:3] if part is not None))
            if not match[4]:
                break
        return parts

    def _table(self, parts: list[str], several: bool) -> Place:
        table: Place = ()
        for i, part in enumerate(parts):
            table = (*table, part)
            if several and i == len(parts) - 1:
                self.tables[table] = self.tables.get(table, -1) + 1
            if table in self.tables:
                self.lines.setdefault(table, self._line())
                table = (*table, self.tables[table])
        return table

    def _pair(self, table: Place) -> None:
        line = self._line()
        key = self._key()
        for i in range(len(key)):
            self.lines.setdefault((*table, *key[: i + 1]), line)
        self.at += 1  # the equals sign
        self._value((*table, *key))

    def _value(self, place: Place) -> None:
        self._skip()
        self.lines.setdefault(place, self._line())
        opening = self.text[self.at]
        if opening not in "[{":
            match = _SCALAR.match(self.text, self.at)
            self.at = match.end() if match else self.at + 1
            return
        self.at += 1
        element = 0
        while self._skip() and self.text[self.at] not in "]}":
            if opening == "[":
                self._value((*place, element))
                element += 1
            else:
                self._pair(place)
        self.at += 1


def meant(word: object, allowed: Iterable[str]) -> str:
    """What would have been right: the nearest of the allowed words, or all of them."""
    words = list(allowed)
    near = difflib.get_close_matches(str(word), words, 1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(words)}"


__all__ = ["Place", "ScenarioError", "Source", "line_numbers", "meant"]
