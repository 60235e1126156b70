"""A row made ready to run: numbered steps, what each message answers, sizes on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from handoff.procedures import Procedure, Step
from handoff.setup import Options

UDP_IPV4 = 28
AUTHENTICATION = 22
SIZES = {
    "RQ": UDP_IPV4 + 24 + AUTHENTICATION,
    "RR": UDP_IPV4 + 20 + AUTHENTICATION,
    "DRR": UDP_IPV4 + 20 + AUTHENTICATION,
    "BU": UDP_IPV4 + 20 + AUTHENTICATION,
    "BA": UDP_IPV4 + 16 + AUTHENTICATION,
}
"""IP lengths: registration request 24 B, reply 20 B (RFC 5944, 3.3 and 3.4), each with the Mobile-Home authentication
extension of 22 B (3.5.2); binding update 20 B and acknowledgement 16 B as in the route optimization draft."""

TUNNEL_HEADER = 20
"""IP in IP (RFC 2003)."""

CODES = {name: i for i, name in enumerate(SIZES, 1)}
MESSAGES = {i: name for name, i in CODES.items()}

PREDICT, UP, GOING_DOWN, DOWN, DISCOVERED, RETRANSMIT, REFRESH, SETTLED = range(100, 108)
"""Codes of layer-2 events (scheduled) and timers."""


class Fields(NamedTuple):
    """The six arguments of every control message.

    ``step`` and ``hop`` say where on its path the message is; ``old`` and ``new`` are the routers of the handoff (-1:
    none); ``identification`` matches replies to requests; ``lifetime_s`` 0 deregisters.
    """

    step: int
    hop: int
    old: int
    new: int
    identification: int
    lifetime_s: int


@dataclass(frozen=True)
class Program:
    """Steps of one row by number; the last one is the plain request through the router the mobile node is at.

    Attributes
    ----------
    steps : tuple of Step
    answers : tuple of tuple of int
        Steps that the last node of each step starts.
    by_event : dict of str to tuple of int
        Steps that the mobile node starts on a layer-2 event.
    direct : int
        The step of a request sent through the current router: after a move without warning, to refresh, to retransmit.
    """

    row: Procedure
    options: Options
    steps: tuple[Step, ...]
    answers: tuple[tuple[int, ...], ...]
    by_event: dict[str, tuple[int, ...]]
    direct: int

    @property
    def rescue_steps(self) -> tuple[int, ...]:
        """What the mobile node sends at going-down when the marker has not come."""
        return self.by_event["going-down"]

    @classmethod
    def of(cls, row: Procedure, options: Options) -> Program:
        """Number the steps of a row under the options of a study."""
        rows = row.signalling + row.rescue
        steps = [Step(s.on, s.message, _carried(s.path, options.relay), s.effect) for s in rows]
        request = next(s for s in row.signalling if s.message == "RQ")
        steps.append(Step("", "RQ", ("MN", "nAR", request.path[-1]), "replace"))
        answers = tuple(
            tuple(k for k, a in enumerate(steps) if a.on == s.message and a.path[0] == s.path[-1]) for s in steps
        )
        events = ("predict", "going-down")
        by_event = {e: tuple(k for k, s in enumerate(steps) if s.on == e) for e in events}
        return cls(row, options, tuple(steps), answers, by_event, len(steps) - 1)


def _carried(path: tuple[str, ...], relay: str) -> tuple[str, ...]:
    """With layer-2 relay the old router carries the message as a frame: it does not process it (yaml, path)."""
    if relay == "l2" and path[:3] == ("MN", "oAR", "nAR"):
        return path[:1] + path[2:]
    return path
