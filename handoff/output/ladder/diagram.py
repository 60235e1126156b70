"""Contents of a ladder diagram: messages, events and data packets between columns."""

from __future__ import annotations

from collections.abc import Iterator
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
        Reason for a missing arrival, or the router of the radio if the sender forwarded the message.
    size_bytes : int
        IP length of the message on this hop; 0 if it is not known.
    facts : tuple of (str, str)
        Names and texts of its fields.
    """

    message: str
    source: str
    target: str
    sent_ps: int
    arrival_ps: int | None
    phase: str
    note: str = ""
    size_bytes: int = 0
    facts: tuple[tuple[str, str], ...] = ()


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
        ``"delivered"``, ``"duplicate"``, ``"lost: "`` with the reason, or ``"discarded: "`` for a copy of a packet of which
        another copy arrived.
    """

    phase: str
    begin_ps: int
    end_ps: int
    direction: str
    path: tuple[str, ...]
    packets: int
    outcome: str


@dataclass(frozen=True)
class Header:
    """Line above the rows of a phase; ``continued`` if another phase has interrupted it."""

    phase: str
    continued: bool


Row = Header | Traffic | Arrow | LadderEvent


@dataclass(frozen=True)
class Ladder:
    """Complete diagram, with its phases in time order.

    Attributes
    ----------
    title : str
    columns : tuple of str
        From left to right.
    arrows, events, traffic : tuple
    phases : tuple of str
        Phases that are shown, in the order in which they begin.
    intervals : tuple of (int, int, str)
        Begin, end and phase of each interval of the phases that are shown, sorted.
    end_ps : int
        End of the time that is shown.
    """

    title: str
    columns: tuple[str, ...]
    arrows: tuple[Arrow, ...]
    events: tuple[LadderEvent, ...]
    traffic: tuple[Traffic, ...]
    phases: tuple[str, ...]
    intervals: tuple[tuple[int, int, str], ...] = ()
    end_ps: int = 0

    def rows(self) -> Iterator[Row]:
        """Yield the rows in order of time. A header starts each phase; data packets follow the first header of their phase."""
        order = {phase: i for i, phase in enumerate(self.phases)}
        things: list[Arrow | LadderEvent] = [*self.events, *self.arrows]
        timed = sorted(things, key=lambda x: (time_of(x), order[x.phase], isinstance(x, Arrow)))
        later = list(self.phases)
        current = ""
        for thing in [*timed, None]:
            until = len(self.phases) if thing is None else order[thing.phase] + 1
            while later and order[later[0]] < until:
                current = later.pop(0)
                yield Header(current, continued=False)
                yield from (t for t in self.traffic if t.phase == current)
            if thing is not None and thing.phase != current:
                current = thing.phase
                yield Header(current, continued=True)
            if thing is not None:
                yield thing


def time_of(thing: Arrow | LadderEvent) -> int:
    """Return the time at which a message is sent or an event happens."""
    return thing.sent_ps if isinstance(thing, Arrow) else thing.time_ps


def format_time(ps: int) -> str:
    """Return a time in milliseconds with three decimals, that is to the microsecond, without the unit."""
    return f"{ps / DURATION.units['ms']:.3f}"
