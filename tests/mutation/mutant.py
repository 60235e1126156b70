"""A mutant: one replacement of text in one source file, which some test has to notice."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Mutant(NamedTuple):
    """Replace ``old`` by ``new`` in ``file``; ``old`` occurs in the file exactly once."""

    name: str
    file: str
    old: str
    new: str


def apply_mutant(mutant: Mutant, folder: Path) -> None:
    """Replace the mutant's text in a copy of the sources.

    Raises
    ------
    ValueError
        If the text does not occur exactly once.
    """
    file = folder / mutant.file
    text = file.read_text()
    if (count := text.count(mutant.old)) != 1:
        raise ValueError(f"mutant {mutant.name!r}: {mutant.old!r} occurs {count} times in {mutant.file}, not once")
    file.write_text(text.replace(mutant.old, mutant.new))
