"""Control messages: their kinds, their representation as six engine arguments, and their sizes on the wire."""

from __future__ import annotations

from operator import itemgetter
from typing import Final

KINDS = (
    "RQ", "RR", "DRR", "BU", "BA", "DBU", "DBA",  # as in the seed
    "AS", "AA",  # solicitation and advertisement of an agent or router
    "HADQ", "HADR",  # dynamic home agent address discovery request and reply (RFC 6275 10.5)
    "HoTI", "CoTI", "HoT", "CoT",  # return routability (RFC 6275 5.2)
    "NA",  # neighbour advertisement for a care-of address (RFC 4861 4.4, RFC 6275 10.4.1)
    "MR", "HC", "HOC", "RRE", "REL", "CFG", "LR",  # RRC and MAC
    "FQ", "FR", "FC", "FA", "CSN",  # F1AP
    "RCQ", "RCR", "HRD", "HRQ", "HRA", "HCD", "SN", "EST", "MST",  # base stations and control nodes
    "HN", "UCC", "UCM", "UCR", "PSR", "PSA", "HS", "ES",
    "MBQ", "MBR", "CFQ", "CFR", "DFQ", "DFR", "SRQ", "SRR", "SMQ", "SMR", "EM",  # GTPv2-C, PFCP, N11, End Marker of GTP-U
    "RSP", "PRA", "FBU", "HI", "HAK", "FBA", "FBN", "UNA", "ATT", "HIE",  # RFC 5568, RFC 5949
    "BUT", "BAT", "BUS", "BAS", "BAP", "BUA",  # RFC 6058, RFC 8885
)  # fmt: skip


def message_kind(message: str) -> str:
    """Return the kind of a message: its name in the procedure without the trailing digit."""
    return message.rstrip("123456789")


CODES = {name: i for i, name in enumerate(KINDS, 1)}
"""Engine code of each kind of message."""

STEP_HOP_MASK: Final = 0xFFFFFF
"""Bits of a message's first argument that hold its step and its hop. A background message has all of them set."""
ONE_HOP: Final = 1 << 16
"""Difference of the first argument between one node of the path and the next."""
_STATUS_BITS: Final = 24
PEER_BITS: Final = 20
"""The fourth argument of a message is its correspondent + 1, of ``PEER_BITS`` bits, and above them its lifetime in seconds."""
_ATTACK_BIT: Final = 62
ATTACK_MARK: Final = 1 << _ATTACK_BIT
"""Bit of a message's first argument that says that an attacker caused it. It serves to count; no agent decides by it."""
_STATUS_MASK: Final = (1 << _ATTACK_BIT - _STATUS_BITS) - 1
STATUS_FIELD: Final = _STATUS_MASK << _STATUS_BITS
"""Bits of a message's first argument that hold its status."""
STEP_MASK: Final = ONE_HOP - 1
PEER_MASK: Final = (1 << PEER_BITS) - 1
"""Bits of a message's first argument that hold its step, and bits of its fourth one that hold its correspondent."""


OLD: Final = 1
NEW: Final = 2
PEER_LIFETIME: Final = 3
IDENTIFICATION: Final = 4
PROOF: Final = 5
"""Indices of the other arguments of a message."""


class MessageFields(tuple[int, ...]):
    """Fields of a control message, packed into the six int64 arguments of an engine message.

    Controllers handle a message for each step of each handoff. They unpack its arguments where that suffices, and interpret them
    with this class where they need the fields of the first argument or make a changed copy.

    Attributes
    ----------
    step : int
        Number of the step in the program.
    hop : int
        Index of a node on the path of the step.
    old, new : int
        Routers of the handoff; -1 for none.
    peer : int
        Correspondent that the message is about; -1 for none.
    identification : int
        Identification (RFC 5944) or sequence number (RFC 6275), which matches replies to requests.
    lifetime_s : int
        Requested or granted lifetime; 0 in a deregistration.
    status : int
        Code of a reply; two nonce indices in a binding update to a correspondent.
    proof : int
        Authenticator or keygen token; 0 for none. In a refusal for its identification: the latest one that was accepted.
    attack : int
        1 if an attacker caused the message, else 0 (``ATTACK_MARK``).
    """

    __slots__ = ()

    def __new__(
        cls, step: int, hop: int, old: int, new: int, peer: int, identification: int, lifetime_s: int, status: int = 0,
        proof: int = 0, attack: int = 0,
    ) -> MessageFields:  # fmt: skip
        """Pack the fields."""
        position = step | hop * ONE_HOP | status << _STATUS_BITS | attack << _ATTACK_BIT
        peer_lifetime = peer + 1 | lifetime_s << PEER_BITS
        return tuple.__new__(cls, (position, old, new, peer_lifetime, identification, proof))

    @classmethod
    def unpack(cls, args: tuple[int, ...]) -> MessageFields:
        """Interpret the arguments of an engine message."""
        return tuple.__new__(cls, args)

    def __getnewargs__(self) -> tuple[int, ...]:
        """Return the arguments of the constructor, for copies and pickles."""
        return tuple(self._as_dict().values())

    old: int = property(itemgetter(OLD))  # type: ignore[assignment]
    new: int = property(itemgetter(NEW))  # type: ignore[assignment]
    identification: int = property(itemgetter(IDENTIFICATION))  # type: ignore[assignment]
    proof: int = property(itemgetter(PROOF))  # type: ignore[assignment]

    @property
    def step(self) -> int:
        """Number of the step in the program."""
        return self[0] & STEP_MASK

    @property
    def hop(self) -> int:
        """Index of a node on the path of the step."""
        return (self[0] & STEP_HOP_MASK) // ONE_HOP

    @property
    def status(self) -> int:
        """Code of a reply."""
        return self[0] >> _STATUS_BITS & _STATUS_MASK

    @property
    def attack(self) -> int:
        """1 if an attacker caused the message, else 0."""
        return self[0] >> _ATTACK_BIT

    @property
    def peer(self) -> int:
        """Correspondent that the message is about; -1 for none."""
        return (self[PEER_LIFETIME] & PEER_MASK) - 1

    @property
    def lifetime_s(self) -> int:
        """Requested or granted lifetime in seconds."""
        return self[PEER_LIFETIME] >> PEER_BITS

    def _as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in _FIELD_NAMES}

    def __repr__(self) -> str:
        return f"MessageFields({', '.join(f'{name}={value}' for name, value in self._as_dict().items())})"

    def replace(self, **changes: int) -> MessageFields:
        """Return a copy with other values of some fields."""
        return MessageFields(**self._as_dict() | changes)


_FIELD_NAMES = ("step", "hop", "old", "new", "peer", "identification", "lifetime_s", "status", "proof", "attack")


IPV4, UDP, IPV6 = 20, 8, 40
MOBILE_HOME_AUTHENTICATION = 22
"""Mobile-Home authentication extension with 16 bytes of HMAC-MD5 (RFC 5944 3.5.2)."""
_V4 = {
    "RQ": IPV4 + UDP + 24 + MOBILE_HOME_AUTHENTICATION,  # RFC 5944 3.3; RFC 4857 9 has the same layout
    "RR": IPV4 + UDP + 20 + MOBILE_HOME_AUTHENTICATION,  # 3.4
    "DRR": IPV4 + UDP + 20 + MOBILE_HOME_AUTHENTICATION,
    "BU": IPV4 + UDP + 20 + MOBILE_HOME_AUTHENTICATION,  # route optimization draft
    "DBU": IPV4 + UDP + 20 + MOBILE_HOME_AUTHENTICATION,
    "BA": IPV4 + UDP + 16 + MOBILE_HOME_AUTHENTICATION,
    "DBA": IPV4 + UDP + 16 + MOBILE_HOME_AUTHENTICATION,
    "AS": IPV4 + 8,  # RFC 1256
    "AA": IPV4 + 8 + 8 + 2 + 10,  # RFC 1256 with one address; mobility extension with one care-of address (RFC 5944 2.1.1)
}
HOME_ADDRESS = 24
"""Home address option or type 2 routing header, with padding (RFC 6275 6.3, 6.4)."""
_ESP = 24
"""Transport mode ESP around a message to or from the home agent (RFC 3776): 8 + 2 to 5 + 12 bytes, with padding."""
_V6 = {
    "BU": IPV6 + HOME_ADDRESS + 16,  # RFC 6275 6.1.7, padded
    "DBU": IPV6 + HOME_ADDRESS + 16,
    "BA": IPV6 + HOME_ADDRESS + 16,  # 6.1.8
    "DBA": IPV6 + HOME_ADDRESS + 16,
    "AS": IPV6 + 16,  # RFC 4861 4.1 with the link-layer address
    "AA": IPV6 + 16 + 8 + 32,  # 4.2 with link-layer address and one prefix
    "NA": IPV6 + 24 + 8,  # RFC 4861 4.4 with the link-layer address
    "HADQ": IPV6 + 8,  # RFC 6275 6.5
    "HADR": IPV6 + 8 + 16,  # 6.6 with one address
    "HoTI": IPV6 + 16,  # 6.1.3
    "CoTI": IPV6 + 16,
    "HoT": IPV6 + 24,  # 6.1.5
    "CoT": IPV6 + 24,
}
PROXY = 16
"""Bytes that a proxy update or acknowledgement has more: it lacks the home address option or routing header, but carries the
options of RFC 5213 8.1, so that 56 bytes follow the IPv6 header instead of 40."""
ALTERNATE_CARE_OF = 16
"""Alternate care-of address option with its padding: 12 + 2 + 18 = 32 bytes instead of 16 (RFC 6275 6.2.5)."""
BINDING_AUTHORIZATION = 16
"""Nonce indices and binding authorization data with their padding: 32 bytes instead of 16 (RFC 6275 6.2.6, 6.2.7)."""


def leg_bytes(message: str, path: tuple[str, ...], ip: int, secured: bool) -> tuple[int, ...]:
    """Return the IP length of a message without a format of its own on each leg of its path.

    Parameters
    ----------
    message : str
        Name of the message in its procedure.
    path : tuple of str
        Roles of the nodes that handle the message.
    ip : int
        IP version, 4 or 6.
    secured : bool
        If true, messages of the IPv6 home agent travel in ESP, and messages of a correspondent carry authorization data
        (profile ``rfc``). The Mobile-Home authentication extension of IPv4 is always present.

    Returns
    -------
    tuple of int
        Bytes from each node to the next; one element less than ``path``.
    """
    kind = message_kind(message)
    if ip == 4:
        return (_V4[kind],) * (len(path) - 1)
    size = _V6[kind]
    if kind in ("BU", "DBU", "BA", "DBA"):
        anchor = path[-1] if kind in ("BU", "DBU") else path[0]
        if "MN" not in path:
            size += PROXY
        elif anchor == "HA" and kind in ("BU", "DBU"):
            size += ALTERNATE_CARE_OF
        if secured:
            size += {"HA": _ESP, "CN": BINDING_AUTHORIZATION}.get(anchor, 0)
    return tuple(size + IPV6 * in_home_tunnel(kind, path, hop) for hop in range(1, len(path)))


def known_kinds(ip: int) -> tuple[str, ...]:
    """Return the kinds of messages that need no format of their own in an IP version."""
    return tuple(_V4 if ip == 4 else _V6)


def in_home_tunnel(kind: str, path: tuple[str, ...], hop: int) -> bool:
    """Return whether the leg to node ``hop`` of a path lies in the tunnel between mobile node and home agent (RFC 6275 5.2.5)."""
    return (kind == "HoTI" and hop <= path.index("HA")) or (kind == "HoT" and hop > path.index("HA"))


HEADERS = {"HA": 40, "MAP": 40, "CN": HOME_ADDRESS, "AR": 40}
"""Bytes that each role adds to an IPv6 data packet: a tunnel header (RFC 2473), or a type 2 routing header at a correspondent."""
ENCAPSULATIONS = {"ipip": 20, "minimal": 12, "gre": 24}
"""Header bytes of IPv4 tunnels: RFC 2003, RFC 2004 (with the address of the source), RFC 2784."""


def header_bytes(role: str, ip: int, encapsulation: str) -> int:
    """Return the bytes that a tunnel from a node in ``role`` adds to a data packet."""
    return ENCAPSULATIONS[encapsulation] if ip == 4 else HEADERS[role]
