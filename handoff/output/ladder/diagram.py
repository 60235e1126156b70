"""Contents of a ladder diagram: messages, events and data packets between columns."""

from __future__ import annotations

from dataclasses import dataclass

from engine.quantities import DURATION


@dataclass(frozen=True)
class Arrow:
    """One hop of a control message.

    Attributes
    ----------
    message, source, target : str
        Name of the message, and the columns of sender and receiver.
    sent_ps : int
        Time of sending.
    arrival_ps : int or None
        Time of arrival; None for a lost message.
    phase : str
        Phase in which the message is sent.
    note : str
        Reason for a missing arrival.
    """

    message: str
    source: str
    target: str
    sent_ps: int
    arrival_ps: int | None
    phase: str
    note: str = ""


@dataclass(frozen=True)
class LadderEvent:
    """Event at a column: a layer-2 event, or a change of a binding table."""

    time_ps: int
    column: str
    text: str
    phase: str


@dataclass(frozen=True)
class Traffic:
    """Data packets of one phase with the same path and outcome.

    Attributes
    ----------
    phase : str
        Phase in which the packets are sent.
    begin_ps, end_ps : int
        Times at which the first and the last packet are sent.
    direction : str
        ``"down"`` to the mobile node, or ``"up"`` from it.
    path : tuple of str
        Columns on the way of the packets.
    packets : int
        Number of packets.
    outcome : str
        ``"delivered"``, ``"duplicate"``, or ``"lost: "`` with the reason.
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
    """Complete diagram, with its phases in time order."""

    title: str
    columns: tuple[str, ...]
    arrows: tuple[Arrow, ...]
    events: tuple[LadderEvent, ...]
    traffic: tuple[Traffic, ...]
    phases: tuple[str, ...]


def format_time(ps: int) -> str:
    """Return a time in milliseconds with three decimals, that is to the microsecond, without the unit."""
    return f"{ps / DURATION.units['ms']:.3f}"
