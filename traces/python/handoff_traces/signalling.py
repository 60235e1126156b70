"""Mobile IP signalling in a capture."""

from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from handoff_traces import _native
from handoff_traces.bad_records import OnBadRecord
from handoff_traces.capture import Facts, Limits, TunnelLayer, format_address, native_arguments, pop_facts

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
"""Names of the kinds of messages. Kinds from 32 on are Mobility Headers, plus their type (RFC 6275 6.1, RFC 5568)."""
_MOBILITY_HEADER = 32
_REGISTRATIONS = (2, 3, 4, 5)
"""Registration requests and replies, the regional ones included."""
_REQUEST_OF_REPLY = {3: 2, 5: 4, 7: 6, 10: 9, 12: 11, 14: 13, 35: 33, 36: 34, 38: 37, 41: 40, 47: 46}
_LOW_BITS = (1 << 32) - 1
_MAX_WAITING = 8
"""Identical requests that can wait for their replies at the same time; older ones are dropped."""
_FLAGS = {
    0: (16, "RBHFMGrTUXI"), 2: (8, "SBDMGrTx"), 4: (8, "SBDMGrTx"), 6: (16, "AI"), 7: (16, "I"), 12: (16, "MO"),
    37: (16, "AHLKMRP"), 38: (8, "KRP"), 40: (16, "AHLK"), 41: (8, "K"), 46: (8, "SU"),
}  # fmt: skip
"""Width of the flag field of each kind, and the letters of its bits from the first on: RFC 5944 2.1.1 and 3.3, RFC 4857 3.1,
RFC 3543 3.3 and 3.4, RFC 6275 6.1.7, 6.1.8 and 6.8, RFC 5380 4.1, RFC 3963 4.1, RFC 5213 8.1, RFC 5568 6.2."""
MAX_MESSAGES = 1 << 20


def name_kind(kind: int) -> str:
    """Return the name of a kind of messages."""
    return KINDS.get(kind, f"mobility header of type {kind - _MOBILITY_HEADER}")


@dataclass(frozen=True, slots=True, eq=False)
class Messages:
    """Columns of signalling messages. Each entry is a message, in the order of the file.

    Attributes
    ----------
    packet : ndarray of uint64, shape (n,)
        Position of its packet in the file, from 0: one less than Wireshark's frame number.
    time_ns : ndarray of int64, shape (n,)
        Nanoseconds since 1970.
    kind : ndarray of uint8, shape (n,)
        A key of ``KINDS``.
    version : ndarray of uint8, shape (n,)
        IP version of the addresses.
    source, destination, home, agent, care_of : ndarray of uint8, shape (n, 16)
        Addresses of the packet; home address, home agent (or gateway, or advertising agent) and care-of address in the message,
        zeros for an absent one. An IPv4 address fills the first four bytes.
    lifetime_s : ndarray of int64, shape (n,)
        Lifetime in seconds; -1 if the message has none. 0 deregisters, and 65,535 is infinite in Mobile IPv4.
    code : ndarray of int16, shape (n,)
        Code of a reply (RFC 5944 3.4) or status of an acknowledgement (RFC 6275 6.1.8); -1 if the message has none.
    identification : ndarray of uint64, shape (n,)
        Identification (RFC 5944 3.3), sequence number (RFC 6275 6.1.7; RFC 5944 2.1.1) or cookie (RFC 6275 6.1.3).
    flags : ndarray of uint16, shape (n,)
        Flag field of the message; the nonce index of a home or care-of test, the type of another registration message.
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

    def kind_name(self, i: int) -> str:
        """Return the name of a message's kind."""
        return name_kind(int(self.kind[i]))

    def format_address(self, column: str, i: int) -> str:
        """Format the address of a message in a column; empty if it is absent."""
        raw = getattr(self, column)[i]
        return format_address(int(self.version[i]), raw) if raw.any() else ""

    def flag_letters(self, i: int) -> str:
        """Return the letters of the flags that are set, in the order of the RFC."""
        width, letters = _FLAGS.get(int(self.kind[i]), (0, ""))
        flags = int(self.flags[i])
        return "".join(letter for place, letter in enumerate(letters, 1) if flags >> (width - place) & 1)

    def match_replies(self) -> NDArray[np.int64]:
        """Return the row of the reply to each request, -1 for a request without a reply and for other messages.

        A registration reply has the home address of its request and the low half of its identification (RFC 5944 5.7), an
        acknowledgement the sequence number, a test the cookie. It is sent to the source of the request (0 while the mobile node
        has no address), so in a capture on both sides of a foreign agent each reply is matched with the request on its own link.
        Among several matching requests, the latest one that was sent to the source of the reply is chosen, else the latest
        one: an agent may reply from another of its addresses, as does a member of a multicast group or an anycast address.
        """
        replies = np.full(len(self), -1, np.int64)
        waiting: dict[tuple[object, ...], list[int]] = {}
        for i, kind in enumerate(self.kind.tolist()):
            request_kind = _REQUEST_OF_REPLY.get(kind)
            if request_kind is not None:
                rows = waiting.get((request_kind, *self._matching_fields(i)), [])
                row = self._choose_request(i, rows)
                if row is not None:
                    rows.remove(row)
                    replies[row] = i
            elif kind in _REQUEST_OF_REPLY.values():
                rows = waiting.setdefault((kind, *self._matching_fields(i)), [])
                rows.append(i)
                del rows[:-_MAX_WAITING]
        return replies

    def _matching_fields(self, i: int) -> tuple[object, ...]:
        identification = int(self.identification[i])
        if self.version[i] == 4 and self.kind[i] in _REGISTRATIONS:
            return self.home[i].tobytes(), identification & _LOW_BITS
        return (identification,)

    def _choose_request(self, reply: int, rows: list[int]) -> int | None:
        source, destination = self.source[reply], self.destination[reply]
        rows = [row for row in rows if not self.source[row].any() or np.array_equal(self.source[row], destination)]
        sent_to_source = [row for row in rows if np.array_equal(self.destination[row], source)]
        return max(sent_to_source or rows, default=None)


@dataclass(frozen=True, slots=True)
class Echo:
    """Echo requests (ping) from one address to another under one identifier.

    Attributes
    ----------
    asking, asked : str
        Addresses of the requester and the responder.
    identifier : int
        Identifier of the requests.
    requests, replies : int
        Number of requests, and of those with a reply. A request that is captured again within a minute, on another link or in a
        tunnel, counts once.
    unanswered : list of int
        Sequence numbers of the requests without a reply in the capture, at most 1,000.
    """

    asking: str
    asked: str
    identifier: int
    requests: int
    replies: int
    unanswered: list[int]


@dataclass(frozen=True, slots=True, eq=False)
class Signalling:
    """Mobile IP messages and pings of a capture.

    Attributes
    ----------
    facts : Facts
        Properties of the capture.
    messages : Messages
        The first messages, at most ``max_messages`` of ``read_signalling``.
    kinds : dict of str to int
        Number of messages of each kind, whether they are listed or not.
    damaged : int
        Number of messages that are cut or malformed. No other value counts them.
    echoes : list of Echo
        Pings, in the order of their first requests.
    unfollowed : int
        Number of echo requests that were not tracked because a million others waited for their replies.
    """

    facts: Facts
    messages: Messages
    kinds: dict[str, int]
    damaged: int
    echoes: list[Echo]
    unfollowed: int

    @property
    def unlisted(self) -> int:
        """Return the number of messages that are not in the table."""
        return sum(self.kinds.values()) - len(self.messages)


def read_signalling(
    path: str | PathLike[str], *, tunnels: TunnelLayer = "inner", limits: Limits | None = None,
    on_bad_record: OnBadRecord = "refuse", max_messages: int = MAX_MESSAGES,
) -> Signalling:  # fmt: skip
    """Read the facts, flow table and signalling of a capture, in memory that does not grow with its packets.

    Signalling comprises agent advertisements and solicitations (RFC 5944 2), registrations (RFC 5944 3, RFC 4857, RFC 3543),
    Mobility Headers (RFC 6275 6.1) and home agent address discovery (RFC 6275 6.5, 6.6), in tunnels too. A message counts only
    where its RFC allows it: agents advertise and are solicited with a TTL of 1 (RFC 5944 2.1, 2.2), registrations go to port 434
    and replies come from there (RFC 5944 3.3, 3.4), and nothing follows a Mobility Header (RFC 6275 6.1.1).

    Parameters
    ----------
    path, tunnels, limits, on_bad_record
        See ``read_capture``. Signalling is searched in all layers of a tunnelled packet, whichever determines its flow.
    max_messages : int
        Maximum number of messages listed, which take about 250 bytes each. Further messages are counted.

    Returns
    -------
    Signalling
        Messages and pings.

    Raises
    ------
    TraceError
        If the file cannot be read or is not a capture.
    """
    columns = _native.read_signalling(path, native_arguments(tunnels, limits, on_bad_record), max_messages)
    facts = Facts(**pop_facts(columns))
    echoes = [
        Echo(_format_raw(version, requester), _format_raw(version, responder), identifier, *counts)
        for (version, requester, responder, identifier), counts in columns["echoes"]
    ]
    kinds = {name_kind(int(kind)): int(columns["counts"][kind]) for kind in np.flatnonzero(columns["counts"])}
    return Signalling(facts, Messages(**columns["messages"]), kinds, columns["damaged"], echoes, columns["unfollowed"])


def _format_raw(version: int, address: bytes) -> str:
    return format_address(version, np.frombuffer(bytes(address), np.uint8))
