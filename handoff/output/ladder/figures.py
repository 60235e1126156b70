"""Figures of the seed document as data: the procedure, scenario and phase of each number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One figure of the seed document.

    Attributes
    ----------
    number : str
        As in the document: ``"13"``, ``"11A"``.
    procedure : str
        A key of ``PROCEDURES``.
    scenario : str
        ``"I"``, ``"II"`` or ``"III"``; empty for the conventional procedures.
    phase : str
        Name of the phase. The figures of a first registration have the phases ``"registration"`` and ``"data"``.
    access : str
        ``"dual"`` or ``"single"``: the kind of handoff that is shown; empty for a first registration.
    """

    number: str
    procedure: str
    scenario: str
    phase: str
    access: str


_BASIC = (Figure("1", "mipv4", "", "data", ""), Figure("2", "mipv4", "", "registration", ""))
"""Routing and registration in Mobile IPv4, of a mobile node that has just come up."""
_CONVENTIONAL = {
    3: ("mipv4", "single"), 4: ("mipv6-ro", "single"), 5: ("mipv6", "single"), 6: ("mipv4-smooth", "single"),
    7: ("mipv4-bicast", "dual"), 8: ("hmipv4-bicast", "dual"), 9: ("hmipv6-bicast", "dual"), 10: ("hmipv6-ro-bicast", "dual"),
}  # fmt: skip
"""Figure A shows phase 1, and figure B phase 2. A conventional handoff loses packets if it has a single access."""
_SYNCHRONIZED = {
    11: "sync-mipv4", 18: "sync-mipv4-ro", 25: "sync-hmipv4", 32: "sync-mipv6", 39: "sync-mipv6-ro", 46: "sync-hmipv6",
}  # fmt: skip
"""First of the seven figures of each variant."""
_PHASES = (
    (0, "A", "I-1"), (0, "B", "I-2"), (1, "A", "I-3"), (1, "B", "I-4"), (2, "", "I-5"),
    (3, "", "II-4"), (4, "A", "II-5"), (4, "B", "II-6"),
    (5, "A", "III-3"), (5, "B", "III-4"), (6, "A", "III-5"), (6, "B", "III-6"),
)  # fmt: skip
"""Phases of a variant by figure. The seed does not show II-1 to II-3 nor III-1 and III-2, which are identical to those of I."""


def _figures() -> Iterator[Figure]:
    yield from _BASIC
    for number, (procedure, access) in _CONVENTIONAL.items():
        yield Figure(f"{number}A", procedure, "", "1", access)
        yield Figure(f"{number}B", procedure, "", "2", access)
    for first, procedure in _SYNCHRONIZED.items():
        for offset, letter, phase in _PHASES:
            scenario = phase.partition("-")[0]
            yield Figure(f"{first + offset}{letter}", procedure, scenario, phase, "single" if scenario == "III" else "dual")


FIGURES = {figure.number: figure for figure in _figures()}
"""All figures of the seed document by number, in its order."""


def find_figure(number: str) -> Figure:
    """Return the figure with a number, in upper or lower case.

    Raises
    ------
    ValueError
        If there is no such figure.
    """
    figure = FIGURES.get(number.upper())
    if figure is None:
        pair = [n for n in FIGURES if n.rstrip("AB") == number.upper().rstrip("AB")]
        hint = f"there is {' and '.join(pair)}" if pair else "give 1 to 52B, or all"
        raise ValueError(f"no figure {number!r}: {hint}")
    return figure
