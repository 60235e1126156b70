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
    10: "home agent address discovery reply", 11: "mobile prefix solicitation", 12: "mobile prefix advertisement",
    13: "router solicitation for proxy advertisement", 14: "proxy router advertisement",
    32: "binding refresh request", 33: "home test init", 34: "care-of test init", 35: "home test", 36: "care-of test",
    37: "binding update", 38: "binding acknowledgement", 39: "binding error", 40: "fast binding update",
    41: "fast binding acknowledgement", 42: "fast neighbor advertisement", 46: "handover initiate", 47: "handover acknowledge",
}  # fmt: skip
"""Kinds of messages; from 32 on, Mobility Headers by their type (RFC 6275 6.1, RFC 5568)."""
_MOBILITY_HEADER = 32
_ANSWERS = {3: 2, 5: 4, 7: 6, 10: 9, 12: 11, 14: 13, 35: 33, 36: 34, 38: 37, 41: 40, 47: 46}
_LOW_BITS = (1 << 32) - 1
_MOST_WAITING = 8
"""Requests alike that wait for their answers at once; older ones are given up."""
_FLAGS = {
    0: (16, "RBHFMGrTUXI"), 2: (8, "SBDMGrTx"), 4: (8, "SBDMGrTx"), 6: (16, "AI"), 7: (16, "I"), 12: (16, "MO"),
    37: (16, "AHLKMRP"), 38: (8, "KRP"), 40: (16, "AHLK"), 41: (8, "K"), 46: (8, "SU"),
}  # fmt: skip
"""Width of the field, and the letters of its bits from the first on: RFC 5944 2.1.1 and 3.3, RFC 4857 3.1, RFC 3543 3.3 and 3.4,
RFC 6275 6.1.7, 6.1.8 and 6.8, RFC 5380 4.1, RFC 3963 4.1, RFC 5213 8.1, RFC 5568 6.2."""
MOST_MESSAGES = 1 << 20


def kind_text(kind: int) -> str:
    """Name of a kind of messages."""
    return KINDS.get(kind, f"mobility header of type {kind - _MOBILITY_HEADER}")


@dataclass(frozen=True, slots=True, eq=False)
class Messages:
    """Signalling messages, one entry of each column a message, in the order of the file.

    Attributes
    ----------
    packet : ndarray of uint64, shape (n,)
        Number of its packet in the file, from 0: one less than the frame number that Wireshark shows.
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

    packet: NDArray[np.uint64]
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
        return kind_text(int(self.kind[i]))

    def text(self, column: str, i: int) -> str:
        """Write an address; empty where the message names none."""
        raw = getattr(self, column)[i]
        return address_text(int(self.version[i]), raw) if raw.any() else ""

    def flag_letters(self, i: int) -> str:
        """Letters of the flags that are set, in the order of the RFC."""
        width, letters = _FLAGS.get(int(self.kind[i]), (0, ""))
        flags = int(self.flags[i])
        return "".join(letter for place, letter in enumerate(letters, 1) if flags >> (width - place) & 1)

    def answers(self) -> NDArray[np.int64]:
        """Row of the answer to each request, -1 if there is none.

        A registration reply has the home address of its request and the low half of its identification (RFC 5944 5.7); an
        acknowledgement the sequence number, a test the cookie. It goes back where the request came from (who has no address yet
        asks from 0), so of a capture before and behind a foreign agent each reply belongs to the request on the same
        link. It is taken to answer the last request alike that went to where it comes from, else the last one alike: an agent
        may answer from another of its addresses, and so does a member of a group or an anycast address.
        """
        found = np.full(len(self), -1, np.int64)
        waiting: dict[tuple[object, ...], list[int]] = {}
        for i, kind in enumerate(self.kind.tolist()):
            asked = _ANSWERS.get(kind)
            if asked is not None:
                rows = waiting.get((asked, *self._matching(i)), [])
                row = self._asked(i, rows)
                if row is not None:
                    rows.remove(row)
                    found[row] = i
            elif kind in _ANSWERS.values():
                rows = waiting.setdefault((kind, *self._matching(i)), [])
                rows.append(i)
                del rows[:-_MOST_WAITING]
        return found

    def _matching(self, i: int) -> tuple[object, ...]:
        identification = int(self.identification[i])
        if self.version[i] == 4 and self.kind[i] in (2, 3, 4, 5):
            return self.home[i].tobytes(), identification & _LOW_BITS
        return (identification,)

    def _asked(self, reply: int, rows: list[int]) -> int | None:
        """The request of these that a reply answers."""
        there, back = self.source[reply], self.destination[reply]
        rows = [row for row in rows if not self.source[row].any() or np.array_equal(self.source[row], back)]
        same = [row for row in rows if np.array_equal(self.destination[row], there)]
        return max(same or rows, default=None)


@dataclass(frozen=True, slots=True)
class Echo:
    """Echo requests (ping) from one address to another under one identifier.

    Attributes
    ----------
    asking, asked : str
        Addresses.
    identifier, requests, replies : int
        Requests, and those of them with a reply; one that is seen again within a minute, on another link or in a tunnel, counts
        once.
    unanswered : list of int
        Sequence numbers of requests without a reply in the capture; the first 1,000.
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
        The signalling, at the most so much as was asked for.
    kinds : dict of str to int
        How many messages of each kind there are, those that are not listed too.
    damaged : int
        Messages that are cut or wrong inside; they are in no other figure.
    echoes : list of Echo
        Pings, in the order of their first request.
    unfollowed : int
        Echo requests that were not followed, because a million others waited for their replies.
    """

    facts: Facts
    messages: Messages
    kinds: dict[str, int]
    damaged: int
    echoes: list[Echo]
    unfollowed: int

    @property
    def unlisted(self) -> int:
        """Messages that are not in the table."""
        return sum(self.kinds.values()) - len(self.messages)


def read_signalling(
    path: str | PathLike[str], *, tunnels: Side = "inner", limits: Limits | None = None, most_messages: int = MOST_MESSAGES
) -> Signalling:
    """Read a capture's facts, flow table and signalling, in memory that does not grow with its packets.

    Agent advertisements and solicitations (RFC 5944 2), registrations (3, RFC 4857, RFC 3543), Mobility Headers (RFC 6275
    6.1), home agent address discovery (6.5, 6.6), in tunnels too.

    Parameters
    ----------
    path, tunnels, limits
        See ``read_capture``; signalling is looked for in every layer, whichever flows are counted.
    most_messages : int
        List so many, in about 250 bytes each; the others are counted.

    Raises
    ------
    TraceError
        If the file cannot be read or is not a capture.
    """
    columns = _native.read_signalling(path, choices(tunnels, limits), most_messages)
    facts = Facts(**facts_of(columns))
    echoes = [
        Echo(_text(version, asking), _text(version, asked), identifier, *counts)
        for (version, asking, asked, identifier), counts in columns["echoes"]
    ]
    kinds = {kind_text(int(kind)): int(columns["counts"][kind]) for kind in np.flatnonzero(columns["counts"])}
    return Signalling(facts, Messages(**columns["messages"]), kinds, columns["damaged"], echoes, columns["unfollowed"])


def _text(version: int, address: bytes) -> str:
    return address_text(version, np.frombuffer(bytes(address), np.uint8))
