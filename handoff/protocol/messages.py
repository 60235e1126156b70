"""Control messages: their kinds, their six arguments in the engine, their sizes on the wire."""

from __future__ import annotations

from operator import itemgetter

KINDS = (
    "RQ", "RR", "DRR", "BU", "BA", "DBU", "DBA",  # as in the seed
    "AS", "AA",  # solicitation and advertisement of an agent or router
    "HADQ", "HADR",  # dynamic home agent address discovery request and reply (RFC 6275 10.5)
    "HoTI", "CoTI", "HoT", "CoT",  # return routability (RFC 6275 5.2)
)  # fmt: skip


def message_kind(message: str) -> str:
    """Kind of a message of a row: its name without the number that tells two apart."""
    return message.rstrip("123456789")


CODES = {name: i for i, name in enumerate(KINDS, 1)}
MESSAGES = {i: name for name, i in CODES.items()}

STEP_HOP_MASK = 0xFFFFFF
"""Bits of the first argument of a message that say at which node of which step it is."""
ONE_HOP = _HOP = 1 << 16
"""Added to the first argument, it says the same of the next node of the path."""
_STATUS_BITS, _PEER_BITS = 24, 20
_STEP, _PEER = _HOP - 1, (1 << _PEER_BITS) - 1


class MessageFields(tuple[int, ...]):
    """What a control message says, as the six int64 that a message of the engine has.

    ``step`` and ``hop`` say where on its path it is; ``old`` and ``new`` are the routers of the handoff (-1: none); ``peer`` is
    the correspondent that it is about (-1: none); ``identification`` (RFC 5944) or sequence number (RFC 6275) matches replies to
    requests; ``lifetime_s`` 0 deregisters; ``status`` is the code of a reply; ``proof`` the authenticator, a token, or 0.
    """

    __slots__ = ()

    def __new__(
        cls, step: int, hop: int, old: int, new: int, peer: int, identification: int, lifetime_s: int, status: int = 0,
        proof: int = 0,
    ) -> MessageFields:  # fmt: skip
        """Pack them."""
        where, who = step | hop * _HOP | status << _STATUS_BITS, peer + 1 | lifetime_s << _PEER_BITS
        return tuple.__new__(cls, (where, old, new, who, identification, proof))

    @classmethod
    def unpack(cls, args: tuple[int, ...]) -> MessageFields:
        """From the arguments of a message."""
        return tuple.__new__(cls, args)

    def __getnewargs__(self) -> tuple[int, ...]:
        """For copies and pickles."""
        return self.step, self.hop, self.old, self.new, self.peer, self.identification, self.lifetime_s, self.status, self.proof

    OLD, NEW = 1, 2  # where they are among the arguments
    old: int = property(itemgetter(OLD))  # type: ignore[assignment]
    new: int = property(itemgetter(NEW))  # type: ignore[assignment]
    identification: int = property(itemgetter(4))  # type: ignore[assignment]
    proof: int = property(itemgetter(5))  # type: ignore[assignment]

    @property
    def step(self) -> int:
        """Number of the step in its program."""
        return self[0] & _STEP

    @property
    def hop(self) -> int:
        """Node of its path."""
        return (self[0] & STEP_HOP_MASK) // _HOP

    @property
    def status(self) -> int:
        """Code of a reply."""
        return self[0] >> _STATUS_BITS

    @property
    def peer(self) -> int:
        """Correspondent."""
        return (self[3] & _PEER) - 1

    @property
    def lifetime_s(self) -> int:
        """Lifetime asked for or granted."""
        return self[3] >> _PEER_BITS

    def _all(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in _NAMES}

    def __repr__(self) -> str:
        return f"Fields({', '.join(f'{name}={value}' for name, value in self._all().items())})"

    def replace(self, **changes: int) -> MessageFields:
        """The same with other values of some fields."""
        return MessageFields(**self._all() | changes)

    def for_new_step(self, step: int, lifetime_s: int) -> MessageFields:
        """What a node starts on this message: at the first node of a step, accepted, else as this says."""
        who = self[3] & _PEER | lifetime_s << _PEER_BITS
        return tuple.__new__(MessageFields, (step, self[1], self[2], who, self[4], self[5]))


_NAMES = ("step", "hop", "old", "new", "peer", "identification", "lifetime_s", "status", "proof")


IPV4, UDP, IPV6 = 20, 8, 40
MOBILE_HOME_AUTHENTICATION = 22
"""RFC 5944 3.5.2 with the 16 bytes of HMAC-MD5."""
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
"""Home address option or type 2 routing header, padded (RFC 6275 6.3, 6.4)."""
_ESP = 24
"""Transport mode ESP around a message to or from the home agent (RFC 3776): 8 + 2 to 5 + 12 bytes, padded."""
_V6 = {
    "BU": IPV6 + HOME_ADDRESS + 16,  # RFC 6275 6.1.7, padded
    "DBU": IPV6 + HOME_ADDRESS + 16,
    "BA": IPV6 + HOME_ADDRESS + 16,  # 6.1.8
    "DBA": IPV6 + HOME_ADDRESS + 16,
    "AS": IPV6 + 16,  # RFC 4861 4.1 with the link-layer address
    "AA": IPV6 + 16 + 8 + 32,  # 4.2 with link-layer address and one prefix
    "HADQ": IPV6 + 8,  # RFC 6275 6.5
    "HADR": IPV6 + 8 + 16,  # 6.6 with one address
    "HoTI": IPV6 + 16,  # 6.1.3
    "CoTI": IPV6 + 16,
    "HoT": IPV6 + 24,  # 6.1.5
    "CoT": IPV6 + 24,
}
PROXY = 16
"""A proxy update or acknowledgement has no home address option or routing header, but the options of RFC 5213 8.1: 56 bytes after
IPv6 instead of 40."""
ALTERNATE_CARE_OF = 16
"""Alternate care-of address option with its padding: 12 + 2 + 18 = 32 bytes instead of 16 (RFC 6275 6.2.5)."""
BINDING_AUTHORIZATION = 16
"""Nonce indices and binding authorization data with their padding: 32 bytes instead of 16 (RFC 6275 6.2.6, 6.2.7)."""


def leg_bytes(message: str, path: tuple[str, ...], ip: int, secured: bool) -> tuple[int, ...]:
    """IP length of a message between each two nodes of its path.

    Parameters
    ----------
    message : str
        Its name in a row.
    path : tuple of str
        Roles.
    ip : int
        Version.
    secured : bool
        Whether the home agent's messages travel in ESP and a correspondent's carry authorization data (profile ``rfc``);
        the Mobile-Home authentication extension of IPv4 is always there.
    """
    name = message_kind(message)
    if ip == 4:
        return (_V4[name],) * (len(path) - 1)
    size = _V6[name]
    if name in ("BU", "DBU", "BA", "DBA"):
        anchor = path[-1] if name in ("BU", "DBU") else path[0]
        if "MN" not in path:
            size += PROXY
        elif anchor == "HA" and name in ("BU", "DBU"):
            size += ALTERNATE_CARE_OF
        if secured:
            size += {"HA": _ESP, "CN": BINDING_AUTHORIZATION}.get(anchor, 0)
    return tuple(size + IPV6 * in_home_tunnel(name, path, hop) for hop in range(1, len(path)))


def in_home_tunnel(name: str, path: tuple[str, ...], hop: int) -> bool:
    """Whether the leg to node ``hop`` of the path lies in the tunnel between mobile node and home agent (RFC 6275 5.2.5)."""
    return (name == "HoTI" and hop <= path.index("HA")) or (name == "HoT" and hop > path.index("HA"))


HEADERS = {"HA": 40, "MAP": 40, "CN": HOME_ADDRESS, "AR": 40}
"""Bytes that each role puts on an IPv6 data packet: tunnel header (RFC 2473), or type 2 routing header at a correspondent."""
ENCAPSULATIONS = {"ipip": 20, "minimal": 12, "gre": 24}
"""IPv4 tunnels: RFC 2003, RFC 2004 (with the source's address), RFC 2784."""


def header_bytes(role: str, ip: int, encapsulation: str) -> int:
    """Bytes that a tunnel from a node in this role adds to a data packet."""
    return ENCAPSULATIONS[encapsulation] if ip == 4 else HEADERS[role]
