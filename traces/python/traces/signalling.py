"""Mobile IP signalling found in a capture."""

from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from traces import _native
from traces.capture import Facts, Limits, Side, address_text, choices, facts_of

KINDS = {
    0: "agent advertisement", 1: "agent solicitation", 2: "registration request", 3: "registration reply",
    4: "regional registration request", 5: "regional registration reply", 6: "registration revocation",
    7: "revocation acknowledgement", 8: "other registration message", 9: "home agent address discovery request",
    10: "home agent address discovery reply",
    32: "binding refresh request", 33: "home test init", 34: "care-of test init", 35: "home test", 36: "care-of test",
    37: "binding update", 38: "binding acknowledgement", 39: "binding error", 40: "fast binding update",
    41: "fast binding acknowledgement", 42: "fast neighbor advertisement",
}  # fmt: skip
"""Kinds of messages; from 32 on, Mobility Headers by their type (RFC 6275 6.1, RFC 5568)."""
_MOBILITY_HEADER = 32
_ANSWERS = {3: 2, 5: 4, 38: 37, 35: 33, 36: 34, 10: 9}
_LOW_BITS = (1 << 32) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Messages:
    """Signalling messages, one entry of each column a message, in the order of the file.

    Attributes
    ----------
    time_ns : ndarray of int64, shape (n,)
        Nanoseconds since 1970.
    kind : ndarray of uint8, shape (n,)
        A key of ``KINDS``.
    version : ndarray of uint8, shape (n,)
        IP version of the addresses.
    source, destination, home, agent, care_of : ndarray of uint8, shape (n, 16)
        Addresses of the packet; home address, home agent (or gateway, or advertising agent) and care-of address that it
        names, zeros where it names none. IPv4 fills the first four bytes.
    lifetime_s : ndarray of int64, shape (n,)
        Seconds; 65,535 is infinite in Mobile IPv4, 0 deregisters; -1 where there is none.
    code : ndarray of int16, shape (n,)
        Code of a reply (RFC 5944 3.4) or status of an acknowledgement (RFC 6275 6.1.8), -1 where there is none.
    identification : ndarray of uint64, shape (n,)
        Identification (RFC 5944 3.3), sequence number (RFC 6275 6.1.7; RFC 5944 2.1.1) or cookie (RFC 6275 6.1.3).
    flags : ndarray of uint16, shape (n,)
        As in the message; the nonce index of tests, the type of other registration messages.
    """

    time_ns: NDArray[np.int64]
    kind: NDArray[np.uint8]
    version: NDArray[np.uint8]
    source: NDArray[np.uint8]
    destination: NDArray[np.uint8]
    home: NDArray[np.uint8]
    agent: NDArray[np.uint8]
    care_of: NDArray[np.uint8]
    lifetime_s: NDArray[np.int64]
    code: NDArray[np.int16]
    identification: NDArray[np.uint64]
    flags: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.time_ns)

    def kind_text(self, i: int) -> str:
        """Name of a message's kind."""
        kind = int(self.kind[i])
        return KINDS.get(kind, f"mobility header of type {kind - _MOBILITY_HEADER}")

    def text(self, column: str, i: int) -> str:
        """Write an address; empty where the message names none."""
        raw = getattr(self, column)[i]
        return address_text(int(self.version[i]), raw) if raw.any() else ""

    def answers(self) -> NDArray[np.int64]:
        """Row of the answer to each request, -1 if there is none.

        A registration reply has the home address of its request and the low half of its identification (RFC 5944 5.7); an
        acknowledgement the sequence number and a test the cookie, between the same two addresses. An answer belongs to the
        last request before it that it fits and that has none: so a capture that holds a request twice, before and behind a
        foreign agent, has its replies in the reverse order.
        """
        found = np.full(len(self), -1, np.int64)
        waiting: dict[tuple[object, ...], list[int]] = {}
        for i, kind in enumerate(self.kind.tolist()):
            asked = _ANSWERS.get(kind)
            if asked is not None:
                rows = waiting.get((asked, *self._matching(i)))
                if rows:
                    found[rows.pop()] = i
            elif kind in _ANSWERS.values():
                waiting.setdefault((kind, *self._matching(i)), []).append(i)
        return found

    def _matching(self, i: int) -> tuple[object, ...]:
        identification = int(self.identification[i])
        if self.version[i] == 4:
            return self.home[i].tobytes(), identification & _LOW_BITS
        return identification, frozenset({self.source[i].tobytes(), self.destination[i].tobytes()})


@dataclass(frozen=True, slots=True)
class Echo:
    """Echo requests (ping) from one address to another under one identifier.

    Attributes
    ----------
    asking, asked : str
        Addresses.
    identifier, requests, replies : int
        Requests and replies seen; one that is seen again inside a tunnel counts once.
    unanswered : list of int
        Sequence numbers of requests without a reply in the capture.
    """

    asking: str
    asked: str
    identifier: int
    requests: int
    replies: int
    unanswered: list[int]


@dataclass(frozen=True, slots=True, eq=False)
class Signalling:
    """What a capture holds of Mobile IP.

    Attributes
    ----------
    facts : Facts
        Of the capture.
    messages : Messages
        All signalling; of more than a million messages the first.
    unlisted : int
        Messages beyond these.
    echoes : list of Echo
        Pings, in the order of their first request.
    """

    facts: Facts
    messages: Messages
    unlisted: int
    echoes: list[Echo]


def read_signalling(path: str | PathLike[str], *, tunnels: Side = "inner", limits: Limits | None = None) -> Signalling:
    """Read a capture's facts, flow table and signalling, in memory that does not grow with its packets.

    Agent advertisements and solicitations (RFC 5944 2), registrations (3, RFC 4857, RFC 3543), Mobility Headers (RFC 6275
    6.1), home agent address discovery (6.5, 6.6), in tunnels too.

    Parameters
    ----------
    path, tunnels, limits
        See ``read_capture``; signalling is looked for in every layer, whichever flows are counted.

    Raises
    ------
    TraceError
        If the file cannot be read or is not a capture.
    """
    columns = _native.read_signalling(path, choices(tunnels, limits))
    facts = Facts(**facts_of(columns))
    echoes = [
        Echo(*(address_text(version, np.frombuffer(end, np.uint8)) for end in (asking, asked)), identifier, *counts)
        for (version, asking, asked, identifier), counts in columns["echoes"]
    ]
    return Signalling(facts, Messages(**columns["messages"]), columns["unlisted"], echoes)
