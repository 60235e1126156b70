"""Control messages of a run as packets (docs/export.md says which fields hold what)."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from engine.keys import mix2
from handoff.export.addresses import ALL_ROUTERS, Addresses
from handoff.machine.constants import SECOND
from handoff.machine.messages import Fields, in_home_tunnel
from handoff.machine.places import Places
from handoff.machine.program import Numbered, Program
from handoff.machine.security import NONCE_BITS, Tokens, home_key, nonce_of
from handoff_traces import wire

RR_REQUEST, RR_REPLY = 1, 3
REGIONAL_REQUEST, REGIONAL_REPLY = 18, 19
UPDATE, ACKNOWLEDGEMENT = 18, 19
"""Types of draft-ietf-mobileip-optim, which are regional registrations at IANA: rows with these have ``BEYOND`` added."""
BEYOND = 224
_SIMULTANEOUS = 0x80
_ENCAPSULATION = {"ipip": 0, "minimal": 0x10, "gre": 0x08}
"""M and G of a request (RFC 5944 3.3)."""
_UPDATE_ENCAPSULATION = {"ipip": 0, "minimal": 0x20, "gre": 0x10}
_AGENT = {"ipip": 0x1000, "minimal": 0x1800, "gre": 0x1400}
"""F, M and G of an advertisement (2.1.1)."""
_ACKNOWLEDGE_V4 = 0x80
_ACKNOWLEDGE, _HOME, _MAP, _PROXY = 0x8000, 0x4000, 0x0800, 0x0200
_PROXY_ACKNOWLEDGEMENT = 0x20
_UNIT_S = 4
NTP_EPOCH_S = 2_208_988_800
"""1970 in the seconds of NTP (RFC 5944 5.7.1): time 0 of a run is the beginning of 1970."""
_REMEMBERED = 8


def derived_key(secret: int, use: str, size: int) -> bytes:
    """Key for an authenticator: the first bytes of SHA-256(use, secret in 8 bytes); the model's secret is a draw."""
    return hashlib.sha256(use.encode() + secret.to_bytes(8, "big")).digest()[:size]


def _units(lifetime_s: int) -> int:
    """A lifetime in units of 4 s (RFC 6275 6.1.7), rounded up: 0 would be a deregistration."""
    return -(-lifetime_s // _UNIT_S)


class Signalling:
    """Makes the packet of each control message.

    Parameters
    ----------
    program : Program
    places : Places
    addresses : Addresses
    """

    def __init__(self, program: Program, places: Places, addresses: Addresses) -> None:
        self.program, self.places, self.addresses = program, places, addresses
        self.row, self.options = program.row, program.options
        self.nonces: dict[tuple[int, int], dict[int, int]] = {}  # of a mobile node's last updates to a correspondent
        self.packet = lru_cache(4096)(self._packet)  # a leg has several links

    def _packet(self, args: tuple[int, ...], mobile: int) -> bytes:
        fields = Fields.unpack(args)
        numbered = self.program.steps[fields.step]
        return (_V4 if self.row.ip == 4 else _V6)[numbered.kind](self, numbered, fields, mobile)

    # -- who is who -----------------------------------------------------------------------------------------------------
    def _at(self, role: str, fields: Fields, mobile: int) -> bytes:
        """Address at which a node of the path is reached on one leg of it."""
        if role == "MN":
            return self.addresses.home(mobile)
        return self.addresses.node(self.places.node(role, fields))

    def _ends(self, numbered: Numbered, fields: Fields, mobile: int) -> tuple[bytes, bytes]:
        """Of this leg."""
        path = numbered.step.path
        return self._at(path[fields.hop - 1], fields, mobile), self._at(path[fields.hop], fields, mobile)

    def _care_of(self, role: str, router: int, mobile: int) -> bytes:
        """What an anchor in this role binds a mobile node at a router to."""
        return self.addresses.care_of(mobile, self.places.care_of(role, router))

    def _key(self, mobile: int, use: str, size: int) -> bytes:
        return derived_key(home_key(self.places, mobile), use, size)

    def _seconds(self, ps: int) -> int:
        return min(-(-ps // SECOND), 0xFFFF)

    # -- Mobile IPv4 ----------------------------------------------------------------------------------------------------
    def _identification(self, fields: Fields) -> int:
        """A timestamp in the format of NTP, or the count that the model has in its place."""
        if not self.options.authenticates:
            return fields.identification
        second, rest = divmod(fields.identification, SECOND)
        return (second + NTP_EPOCH_S) % 2**32 << 32 | (rest << 32) // SECOND

    def _mobile_home(self, mobile: int) -> bytes:
        return self._key(mobile, "Mobile-Home", 16)

    def _request4(self, numbered: Numbered, fields: Fields, mobile: int) -> bytes:
        last = numbered.step.path[-1]
        flags = _ENCAPSULATION[self.options.encapsulation] | _SIMULTANEOUS * (numbered.step.effect == "simultaneous")
        return wire.registration_request(
            *self._ends(numbered, fields, mobile), REGIONAL_REQUEST if last == "GFA" else RR_REQUEST, flags, fields.lifetime_s,
            self.addresses.home(mobile), self._at(last, fields, mobile), self._care_of(last, fields.new, mobile),
            self._identification(fields), self._mobile_home(mobile),
        )  # fmt: skip

    def _reply4(self, numbered: Numbered, fields: Fields, mobile: int) -> bytes:
        first = numbered.step.path[0]
        return wire.registration_reply(
            *self._ends(numbered, fields, mobile), REGIONAL_REPLY if first == "GFA" else RR_REPLY, fields.status,
            fields.lifetime_s, self.addresses.home(mobile), self._at(first, fields, mobile), self._identification(fields),
            self._mobile_home(mobile),
        )  # fmt: skip

    def _update4(self, numbered: Numbered, fields: Fields, mobile: int) -> bytes:
        flags = _UPDATE_ENCAPSULATION[self.options.encapsulation] | _ACKNOWLEDGE_V4 * bool(numbered.replies)
        router = fields.old if numbered.kind == "DBU" else fields.new
        return wire.registration_request(
            *self._ends(numbered, fields, mobile), UPDATE + BEYOND * self.row.hierarchical, flags, fields.lifetime_s,
            self.addresses.home(mobile), None, self.addresses.care_of(mobile, router), self._identification(fields),
            self._mobile_home(mobile),
        )  # fmt: skip

    def _acknowledgement4(self, numbered: Numbered, fields: Fields, mobile: int) -> bytes:
        return wire.optimization_acknowledgement(
            *self._ends(numbered, fields, mobile), ACKNOWLEDGEMENT + BEYOND * self.row.hierarchical, fields.status > 0,
            self.addresses.home(mobile), self._identification(fields), self._mobile_home(mobile),
        )  # fmt: skip

    def _solicitation4(self, numbered: Numbered, fields: Fields, mobile: int) -> bytes:
        source, destination = self._ends(numbered, fields, mobile)
        return wire.agent_solicitation(source, ALL_ROUTERS[4] if numbered.step.path[0] == "MN" else destination)

    def _advertisement4(self, numbered: Numbered, fields: Fields, mobile: int) -> bytes:
        agent = self.addresses.node(fields.new)
        return wire.agent_advertisement(
            *self._ends(numbered, fields, mobile), self._seconds(self.places.advertisement_lifetime_ps),
            0 if fields.status else 256, self.options.lifetime_s, _AGENT[self.options.encapsulation], agent, agent,
        )  # fmt: skip

    # -- Mobile IPv6 ----------------------------------------------------------------------------------------------------
    def _binding(self, anchor: str, delete: bool, fields: Fields, mobile: int) -> tuple[bytes, bytes, int]:
        """Care-of address, home address and flags of a binding at an anchor."""
        router = fields.old if delete else fields.new
        if anchor == "oAR":  # from the old care-of address to the new one
            return self._care_of("AR", fields.new, mobile), self._care_of("AR", fields.old, mobile), _HOME
        if anchor == "MAP":  # from the regional care-of address to the one on the link (RFC 5380 4.1)
            return self._care_of("AR", router, mobile), self._care_of("HA", fields.new, mobile), _MAP
        return self._care_of(anchor, router, mobile), self.addresses.home(mobile), _HOME * (anchor == "HA")

    def _update6(self, numbered: Numbered, fields: Fields, mobile: int) -> bytes:
        anchor, sequence = numbered.step.path[-1], fields.identification & 0xFFFF
        destination, lifetime = self._at(anchor, fields, mobile), _units(fields.lifetime_s)
        acknowledge, esp = _ACKNOWLEDGE * bool(numbered.replies), self._security(anchor, 0, fields, mobile)
        if self.row.network_based:
            source, flags = self.addresses.node(fields.new), _ACKNOWLEDGE | _HOME | _PROXY
            return wire.binding_update(source, destination, None, sequence, flags, lifetime, proxy=self._proxy(mobile), esp=esp)
        care_of, home, flags = self._binding(anchor, numbered.kind == "DBU", fields, mobile)
        authorization = self._authorization(numbered, fields, mobile, care_of, destination) if anchor == "CN" else None
        return wire.binding_update(
            care_of, destination, home, sequence, flags | acknowledge, lifetime, care_of if anchor == "HA" else None,
            authorization, esp=esp,
        )  # fmt: skip

    def _acknowledgement6(self, numbered: Numbered, fields: Fields, mobile: int) -> bytes:
        anchor, sequence = numbered.step.path[0], fields.identification & 0xFFFF
        source, lifetime = self._at(anchor, fields, mobile), _units(fields.lifetime_s)
        esp = self._security(anchor, 1, fields, mobile)
        if self.row.network_based:
            return wire.binding_acknowledgement(
                source, self.addresses.node(fields.new), None, fields.status, _PROXY_ACKNOWLEDGEMENT, sequence, lifetime,
                proxy=self._proxy(mobile), esp=esp,
            )  # fmt: skip
        care_of, home, _ = self._binding(anchor, numbered.kind == "DBA", fields, mobile)
        authorization = self._authorization(numbered, fields, mobile, care_of, source) if anchor == "CN" else None
        return wire.binding_acknowledgement(
            source, care_of, home, fields.status, 0, sequence, lifetime, authorization, esp=esp
        )

    def _security(self, anchor: str, back: int, fields: Fields, mobile: int) -> wire.Esp | None:
        """ESP between mobile node (or access router) and home agent, in the profile that has it."""
        if anchor != "HA" or not self.program.secured:
            return None
        index = 256 + 2 * mobile + back
        return wire.Esp(index, fields.identification & 0xFFFFFFFF, self._key(mobile, "ESP", 20))

    def _proxy(self, mobile: int) -> wire.Proxy:
        return wire.Proxy(f"{mobile:08d}@home", self.addresses.home(mobile)[:8] + bytes(8))

    def _authorization(
        self, numbered: Numbered, fields: Fields, mobile: int, care_of: bytes, correspondent: bytes
    ) -> wire.Authorization | None:
        """Under the key that both tokens of the tests give, or (RFC 4449) one that both ends have."""
        if not self.program.secured:
            return None
        if not self.program.routability:
            return wire.Authorization(self._key(mobile, "Correspondent", 20), None, care_of, correspondent)
        known = self.nonces.setdefault((mobile, fields.peer), {})
        update = numbered.kind in ("BU", "DBU")
        if update:
            known[fields.identification] = fields.status
            if len(known) > _REMEMBERED:
                del known[min(known)]
        status = known.get(fields.identification, 0)  # an acknowledgement does not repeat them
        home, care_of_nonce = status & (1 << NONCE_BITS) - 1, status >> NONCE_BITS
        tokens = Tokens(self.places, fields.peer)
        second = None if numbered.kind in ("DBU", "DBA") else tokens.make(mobile, fields.new, care_of_nonce)
        key = wire.management_key(tokens.make(mobile, -1, home), second)
        nonces = (home & 0xFFFF, care_of_nonce & 0xFFFF) if update else None
        return wire.Authorization(key, nonces, care_of, correspondent)

    def _test6(self, numbered: Numbered, fields: Fields, mobile: int) -> bytes:
        """Return routability (RFC 6275 5.2.5); the home test in the home agent's tunnel."""
        path, of_home, init = numbered.step.path, numbered.kind.startswith("Ho"), numbered.kind.endswith("I")
        router = fields.old if of_home and "oAR" in path else fields.new
        care_of = self._care_of("CN", router, mobile)
        mine, peer = self.addresses.home(mobile) if of_home else care_of, self.addresses.node(fields.peer)
        cookie = mix2(mix2(int(self.places.mobile_keys[mobile]), fields.peer), 2 * fields.identification + of_home)
        if init:
            packet = wire.test_init(mine, peer, of_home, cookie)
        else:
            packet = wire.test(peer, mine, of_home, nonce_of(fields.proof) & 0xFFFF, cookie, fields.proof)
        if not in_home_tunnel(numbered.kind, path, fields.hop):
            return packet
        agent, care_of = self.addresses.node(self.places.home_agent), self._care_of("HA", router, mobile)
        return wire.encapsulate(packet, wire.IP_IN_IP, *((care_of, agent) if init else (agent, care_of)))

    def _discovery6(self, numbered: Numbered, fields: Fields, mobile: int) -> bytes:
        """Dynamic home agent address discovery on the old link."""
        care_of, number = self._care_of("AR", fields.new, mobile), fields.identification & 0xFFFF
        if numbered.kind == "HADQ":
            return wire.home_agent_discovery(care_of, self.addresses.home_agents(fields.old), number)
        agent = self.addresses.node(fields.old)
        return wire.home_agent_discovery(agent, care_of, number, agent)

    def _solicitation6(self, numbered: Numbered, fields: Fields, mobile: int) -> bytes:
        source, destination = self._ends(numbered, fields, mobile)
        if numbered.step.path[0] == "MN":
            source, destination = self.addresses.link_local(source), ALL_ROUTERS[6]
        return wire.router_solicitation(source, destination, b"\2" + source[-5:])

    def _advertisement6(self, numbered: Numbered, fields: Fields, mobile: int) -> bytes:
        source, destination = self._ends(numbered, fields, mobile)
        if numbered.step.path[fields.hop] == "MN":
            source, destination = self.addresses.link_local(source), self.addresses.link_local(destination)
        lifetime, network = self._seconds(self.places.advertisement_lifetime_ps), self.row.network_based
        router = self.addresses.node(self.places.home_agent if network else fields.new)
        return wire.router_advertisement(source, destination, b"\2" + router[3:8], lifetime, not network, router)


_V4 = {
    "RQ": Signalling._request4, "RR": Signalling._reply4, "DRR": Signalling._reply4,
    "BU": Signalling._update4, "DBU": Signalling._update4,
    "BA": Signalling._acknowledgement4, "DBA": Signalling._acknowledgement4,
    "AS": Signalling._solicitation4, "AA": Signalling._advertisement4,
}  # fmt: skip
_V6 = {
    "BU": Signalling._update6, "DBU": Signalling._update6,
    "BA": Signalling._acknowledgement6, "DBA": Signalling._acknowledgement6,
    "AS": Signalling._solicitation6, "AA": Signalling._advertisement6,
    "HADQ": Signalling._discovery6, "HADR": Signalling._discovery6,
    "HoTI": Signalling._test6, "CoTI": Signalling._test6, "HoT": Signalling._test6, "CoT": Signalling._test6,
}  # fmt: skip
