"""What a message ladder shows: one handoff as arrows, marks and traffic between columns."""

from __future__ import annotations

from dataclasses import dataclass

from engine.quantities import DURATION


@dataclass(frozen=True)
class Arrow:
    """One hop of a control message.

    Attributes
    ----------
    message, source, to : str
        Name, and columns.
    sent_ps : int
    got_ps : int or None
        None: lost, and ``note`` says why.
    phase, note : str
    """

    message: str
    source: str
    to: str
    sent_ps: int
    got_ps: int | None
    phase: str
    note: str = ""


@dataclass(frozen=True)
class LadderEvent:
    """Something that happens at a column: a layer-2 event, a change of a binding table."""

    time_ps: int
    column: str
    text: str
    phase: str


@dataclass(frozen=True)
class Traffic:
    """Data packets sent in one phase that went the same way and ended alike.

    Attributes
    ----------
    phase : str
    begin_ps, end_ps : int
        Sending of the first and the last.
    direction : str
        ``"down"`` to the mobile node, or ``"up"``.
    path : tuple of str
        Columns.
    packets : int
    outcome : str
        ``"delivered"``, ``"duplicate"``, or ``"lost: "`` and why.
    """

    phase: str
    begin_ps: int
    end_ps: int
    direction: str
    path: tuple[str, ...]
    packets: int
    outcome: str


@dataclass(frozen=True)
class Ladder:
    """A whole diagram; phases in the order of time."""

    title: str
    columns: tuple[str, ...]
    arrows: tuple[Arrow, ...]
    marks: tuple[LadderEvent, ...]
    traffic: tuple[Traffic, ...]
    phases: tuple[str, ...]


def format_time(ps: int) -> str:
    """Return a time in milliseconds with three decimals, that is to the microsecond, without the unit."""
    return f"{ps / DURATION.units['ms']:.3f}"
