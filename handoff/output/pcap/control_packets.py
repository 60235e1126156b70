"""Control messages of a run as packets. docs/export.md lists the contents of the fields."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache

from engine.rng import combine
from handoff.output.pcap.address_plan import ALL_NODES_V6, ALL_ROUTERS, AddressPlan
from handoff.output.pcap.core_packets import Endpoint, Session, encode, encode_opaque
from handoff.output.pcap.mobility_packets import MobilityFields, encode_mobility
from handoff.protocol.constants import RESTARTED, SECOND
from handoff.protocol.message_formats import FORMATS
from handoff.protocol.message_routing import FORWARDERS
from handoff.protocol.messages import MessageFields, in_home_tunnel
from handoff.protocol.program import Program, ProgramStep
from handoff.protocol.roles import RoleResolver
from handoff.protocol.security import NONCE_BITS, Tokens, home_key, nonce_index
from handoff_traces import wire

RR_REQUEST, RR_REPLY = 1, 3
REGIONAL_REQUEST, REGIONAL_REPLY = 18, 19
UPDATE, ACKNOWLEDGEMENT = 18, 19
"""Message types of draft-ietf-mobileip-optim. IANA gave them to regional registrations later."""
TYPE_OFFSET_WITH_REGIONS = 224
"""Added to the types of the draft in procedures that have regional registrations as well."""
_CACHED_PACKETS = 4096
_SIMULTANEOUS = 0x80
_ENCAPSULATION = {"ipip": 0, "minimal": 0x10, "gre": 0x08}
"""Flags M and G of a registration request (RFC 5944 3.3)."""
_UPDATE_ENCAPSULATION = {"ipip": 0, "minimal": 0x20, "gre": 0x10}
_AGENT = {"ipip": 0x1000, "minimal": 0x1800, "gre": 0x1400}
"""Flags F, M and G of an agent advertisement (RFC 5944 2.1.1)."""
_ACKNOWLEDGE_V4 = 0x80
_ACKNOWLEDGE, _HOME, _MAP, _PROXY = 0x8000, 0x4000, 0x0800, 0x0200
_PROXY_ACKNOWLEDGEMENT = 0x20
_LIFETIME_UNIT_S = 4
NTP_EPOCH_S = 2_208_988_800
"""Start of 1970, which is time 0 of a run, in NTP seconds (RFC 5944 5.7.1)."""
_MAX_REMEMBERED_UPDATES = 8
_NTP_SECONDS = 2**32


def derived_key(secret: int, use: str, size: int) -> bytes:
    """Return the key of an authenticator: the first bytes of SHA-256(use, secret in 8 bytes).

    The model has 64-bit random secrets. The capture needs keys of the length of the authentication algorithm.
    """
    return hashlib.sha256(use.encode() + secret.to_bytes(8, "big")).digest()[:size]


def _lifetime_units(lifetime_s: int) -> int:
    """Return a lifetime in units of 4 s (RFC 6275 6.1.7), rounded up since 0 would be a deregistration."""
    return -(-lifetime_s // _LIFETIME_UNIT_S)


def _access_identifier(mobile: int) -> str:
    """Return the network access identifier of a mobile node."""
    return f"{mobile:08d}@home"


class ControlPacketEncoder:
    """Encoder of control messages as IP packets.

    Parameters
    ----------
    program : Program
        Steps of the procedure.
    roles : RoleResolver
        Roles of the run.
    addresses : AddressPlan
        Addresses of nodes and mobile nodes.

    Attributes
    ----------
    nonces : dict
        Nonce indices of the last updates of each mobile node to each correspondent, by sequence number. An acknowledgement is
        authenticated with them but does not repeat them.
    """

    def __init__(self, program: Program, roles: RoleResolver, addresses: AddressPlan) -> None:
        self.program, self.roles, self.addresses = program, roles, addresses
        self.procedure, self.options = program.procedure, program.options
        self.nonces: dict[tuple[int, int], dict[int, int]] = {}
        self.packet = lru_cache(_CACHED_PACKETS)(self._packet)  # several links carry the same packet

    def _packet(self, args: tuple[int, ...], mobile: int) -> bytes:
        fields = MessageFields.unpack(args)
        step = self.program.steps[fields.step]
        if step.step.format:
            return self._formatted(step, fields, mobile)
        return _ENCODERS[self.procedure.ip][step.kind](self, step, fields, mobile)

    def _address(self, role: str, fields: MessageFields, mobile: int) -> bytes:
        if role == "MN":
            return self.addresses.home(mobile)
        return self.addresses.node(self.roles.node(role, fields))

    def _ends(self, step: ProgramStep, fields: MessageFields, mobile: int) -> tuple[bytes, bytes]:
        path = step.step.path
        return self._address(path[fields.hop - 1], fields, mobile), self._address(path[fields.hop], fields, mobile)

    def _care_of(self, role: str, router: int, mobile: int) -> bytes:
        """Return the care-of address to which an anchor in a role binds a mobile node at a router."""
        return self.addresses.care_of(mobile, self.roles.care_of(role, router))

    def _key(self, mobile: int, use: str, size: int) -> bytes:
        return derived_key(home_key(self.roles, mobile), use, size)

    def _seconds(self, ps: int) -> int:
        return min(-(-ps // SECOND), 0xFFFF)

    # Messages with a format of their own

    def _formatted(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        name = step.step.format
        format_ = FORMATS[name]
        if format_.carrier in ("mobility", "icmpv6"):
            return encode_mobility(name, *self._outermost_ends(step, fields, mobile), self._mobility_fields(fields, mobile))
        ends = self._ends(step, fields, mobile)
        if format_.carrier == "opaque":
            return encode_opaque(name, *ends)
        container = step.leg_bytes[fields.hop - 1] - format_.ip_bytes
        return encode(name, *ends, self._session(step, fields, mobile), container)

    def _session(self, step: ProgramStep, fields: MessageFields, mobile: int) -> Session:
        def endpoint(node: int, forwards: int) -> Endpoint:
            return Endpoint(self.addresses.node(node), self.addresses.tunnel_identifier(mobile, node, forwards))

        anchor, path = self.roles.home_agent, step.step.path
        next_node = anchor if path[fields.hop] == "MN" else self.roles.node(path[fields.hop], fields)
        return Session(
            mobile, fields.identification, anchor=endpoint(anchor, 1), target=endpoint(fields.new, 0), relay=endpoint(anchor, 1),
            forwarding=endpoint(fields.new, 1), marker=endpoint(next_node, int(fields.hop > 1)),
        )  # fmt: skip

    def _outermost_ends(self, step: ProgramStep, fields: MessageFields, mobile: int) -> tuple[bytes, bytes]:
        """Return source and destination of a message that is addressed to the last node of its path.

        The mobile node has the care-of address of the router on whose link it sends or receives.
        """
        path = step.step.path

        def address(role: str, neighbour: str) -> bytes:
            if role != "MN" or self.procedure.network_based:
                return self._address(role, fields, mobile)
            return self.addresses.care_of(mobile, fields.old if neighbour == "oAR" else fields.new)

        return address(path[0], path[1]), address(path[-1], path[-2])

    def _mobility_fields(self, fields: MessageFields, mobile: int) -> MobilityFields:
        addresses, home = self.addresses, self.addresses.home(mobile)
        return MobilityFields(
            home, addresses.care_of(mobile, fields.old), addresses.care_of(mobile, fields.new), addresses.node(fields.old),
            addresses.node(fields.new), addresses.node(self.roles.home_agent), link=b"\2" + home[-5:],
            name=_access_identifier(mobile), sequence=fields.identification & 0xFFFF, lifetime_s=fields.lifetime_s,
            key=self._key(mobile, "Handover", 20),
        )  # fmt: skip

    # Mobile IPv4

    def _identification(self, fields: MessageFields) -> int:
        """Return an NTP timestamp, or the counter of the model if messages are not authenticated."""
        if not self.options.authenticates:
            return fields.identification
        second, rest = divmod(fields.identification, SECOND)
        return (second + NTP_EPOCH_S) % _NTP_SECONDS << 32 | (rest << 32) // SECOND

    def _mobile_home(self, mobile: int) -> bytes:
        return self._key(mobile, "Mobile-Home", 16)

    def _request4(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        last = step.step.path[-1]
        flags = _ENCAPSULATION[self.options.encapsulation] | _SIMULTANEOUS * (step.step.effect == "simultaneous")
        return wire.registration_request(
            *self._ends(step, fields, mobile), REGIONAL_REQUEST if last == "GFA" else RR_REQUEST, flags, fields.lifetime_s,
            self.addresses.home(mobile), self._address(last, fields, mobile), self._care_of(last, fields.new, mobile),
            self._identification(fields), self._mobile_home(mobile),
        )  # fmt: skip

    def _reply4(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        first = step.step.path[0]
        return wire.registration_reply(
            *self._ends(step, fields, mobile), REGIONAL_REPLY if first == "GFA" else RR_REPLY, fields.status,
            fields.lifetime_s, self.addresses.home(mobile), self._address(first, fields, mobile), self._identification(fields),
            self._mobile_home(mobile),
        )  # fmt: skip

    def _draft_type(self, message_type: int) -> int:
        return message_type + TYPE_OFFSET_WITH_REGIONS * self.procedure.hierarchical

    def _update4(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        flags = _UPDATE_ENCAPSULATION[self.options.encapsulation] | _ACKNOWLEDGE_V4 * bool(step.replies)
        router = fields.old if step.kind == "DBU" else fields.new
        return wire.registration_request(
            *self._ends(step, fields, mobile), self._draft_type(UPDATE), flags, fields.lifetime_s,
            self.addresses.home(mobile), None, self.addresses.care_of(mobile, router), self._identification(fields),
            self._mobile_home(mobile),
        )  # fmt: skip

    def _acknowledgement4(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        return wire.optimization_acknowledgement(
            *self._ends(step, fields, mobile), self._draft_type(ACKNOWLEDGEMENT), fields.status > 0,
            self.addresses.home(mobile), self._identification(fields), self._mobile_home(mobile),
        )  # fmt: skip

    def _solicitation4(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        source, destination = self._ends(step, fields, mobile)
        return wire.agent_solicitation(source, ALL_ROUTERS[4] if step.step.path[0] == "MN" else destination)

    def _advertisement4(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        agent = self.addresses.node(fields.new)
        return wire.agent_advertisement(
            *self._ends(step, fields, mobile), self._seconds(self.roles.advertisements.lifetime_ps),
            0 if fields.status == RESTARTED else 256, self.options.lifetime_s, _AGENT[self.options.encapsulation], agent, agent,
        )  # fmt: skip

    # Mobile IPv6

    def _binding(self, anchor: str, delete: bool, fields: MessageFields, mobile: int) -> tuple[bytes, bytes, int]:
        """Return care-of address, home address and flags of a binding at an anchor."""
        router = fields.old if delete else fields.new
        if anchor in FORWARDERS:  # from the old care-of address to the new one
            return self._care_of("AR", fields.new, mobile), self._care_of("AR", fields.old, mobile), _HOME
        if anchor == "MAP":  # from the regional care-of address to the one on the link (RFC 5380 4.1)
            return self._care_of("AR", router, mobile), self._care_of("HA", fields.new, mobile), _MAP
        return self._care_of(anchor, router, mobile), self.addresses.home(mobile), _HOME * (anchor == "HA")

    def _update6(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        anchor, sequence = step.step.path[-1], fields.identification & 0xFFFF
        destination, lifetime = self._address(anchor, fields, mobile), _lifetime_units(fields.lifetime_s)
        acknowledge, esp = _ACKNOWLEDGE * bool(step.replies), self._security(anchor, 0, fields, mobile)
        if self.procedure.network_based:
            source, flags = self.addresses.node(fields.new), _ACKNOWLEDGE | _HOME | _PROXY
            return wire.binding_update(source, destination, None, sequence, flags, lifetime, proxy=self._proxy(mobile), esp=esp)
        care_of, home, flags = self._binding(anchor, step.kind == "DBU", fields, mobile)
        authorization = self._authorization(step, fields, mobile, care_of, destination) if anchor == "CN" else None
        return wire.binding_update(
            care_of, destination, home, sequence, flags | acknowledge, lifetime, care_of if anchor == "HA" else None,
            authorization, esp=esp,
        )  # fmt: skip

    def _acknowledgement6(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        anchor, sequence = step.step.path[0], fields.identification & 0xFFFF
        source, lifetime = self._address(anchor, fields, mobile), _lifetime_units(fields.lifetime_s)
        esp = self._security(anchor, 1, fields, mobile)
        if self.procedure.network_based:
            return wire.binding_acknowledgement(
                source, self.addresses.node(fields.new), None, fields.status, _PROXY_ACKNOWLEDGEMENT, sequence, lifetime,
                proxy=self._proxy(mobile), esp=esp,
            )  # fmt: skip
        care_of, home, _ = self._binding(anchor, step.kind == "DBA", fields, mobile)
        authorization = self._authorization(step, fields, mobile, care_of, source) if anchor == "CN" else None
        return wire.binding_acknowledgement(
            source, care_of, home, fields.status, 0, sequence, lifetime, authorization, esp=esp
        )

    def _security(self, anchor: str, back: int, fields: MessageFields, mobile: int) -> wire.Esp | None:
        """Return the ESP header between a mobile node or access router and the home agent, or None without IPsec."""
        if anchor != "HA" or not self.program.uses_ipsec:
            return None
        index = 256 + 2 * mobile + back
        return wire.Esp(index, fields.identification & 0xFFFFFFFF, self._key(mobile, "ESP", 20))

    def _proxy(self, mobile: int) -> wire.Proxy:
        return wire.Proxy(_access_identifier(mobile), self.addresses.home(mobile)[:8] + bytes(8))

    def _authorization(
        self, step: ProgramStep, fields: MessageFields, mobile: int, care_of: bytes, correspondent: bytes
    ) -> wire.Authorization | None:
        """Return authorization data under the key of return routability, or under a preconfigured key (RFC 4449)."""
        if not self.program.uses_ipsec:
            return None
        if not self.program.return_routability:
            return wire.Authorization(self._key(mobile, "Correspondent", 20), None, care_of, correspondent)
        nonces_of_updates = self.nonces.setdefault((mobile, fields.peer), {})
        update = step.kind in ("BU", "DBU")
        if update:
            nonces_of_updates[fields.identification] = fields.status
            if len(nonces_of_updates) > _MAX_REMEMBERED_UPDATES:
                del nonces_of_updates[min(nonces_of_updates)]
        status = nonces_of_updates.get(fields.identification, 0)
        home, care_of_nonce = status & (1 << NONCE_BITS) - 1, status >> NONCE_BITS
        tokens = Tokens(self.roles, fields.peer)
        second = None if step.kind in ("DBU", "DBA") else tokens.make(mobile, fields.new, care_of_nonce)
        key = wire.management_key(tokens.make(mobile, -1, home), second)
        nonces = (home & 0xFFFF, care_of_nonce & 0xFFFF) if update else None
        return wire.Authorization(key, nonces, care_of, correspondent)

    def _test6(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        """Encode a return routability test (RFC 6275 5.2.5). The home test travels in the home agent's tunnel."""
        path, is_home_test, is_init = step.step.path, step.kind.startswith("Ho"), step.kind.endswith("I")
        router = fields.old if is_home_test and "oAR" in path else fields.new
        care_of = self._care_of("CN", router, mobile)
        own_address, peer = self.addresses.home(mobile) if is_home_test else care_of, self.addresses.node(fields.peer)
        cookie = combine(combine(int(self.roles.mobile_keys[mobile]), fields.peer), 2 * fields.identification + is_home_test)
        if is_init:
            packet = wire.test_init(own_address, peer, is_home_test, cookie)
        else:
            packet = wire.test(peer, own_address, is_home_test, nonce_index(fields.proof) & 0xFFFF, cookie, fields.proof)
        if not in_home_tunnel(step.kind, path, fields.hop):
            return packet
        agent, care_of = self.addresses.node(self.roles.home_agent), self._care_of("HA", router, mobile)
        return wire.encapsulate(packet, wire.IP_IN_IP, *((care_of, agent) if is_init else (agent, care_of)))

    def _discovery6(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        """Encode dynamic home agent address discovery on the old link (RFC 6275 6.5)."""
        care_of, number = self._care_of("AR", fields.new, mobile), fields.identification & 0xFFFF
        if step.kind == "HADQ":
            return wire.home_agent_discovery(care_of, self.addresses.home_agents(fields.old), number)
        agent = self._address("tHA", fields, mobile)
        return wire.home_agent_discovery(agent, care_of, number, agent)

    def _neighbor6(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        """Encode the neighbour advertisement by which a temporary home agent asks for the packets of the old care-of address."""
        source, target = self._address("tHA", fields, mobile), self._care_of("AR", fields.old, mobile)
        return wire.neighbor_advertisement(source, ALL_NODES_V6, target, b"\2" + source[3:8])

    def _solicitation6(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        source, destination = self._ends(step, fields, mobile)
        if step.step.path[0] == "MN":
            source, destination = self.addresses.link_local(source), ALL_ROUTERS[6]
        return wire.router_solicitation(source, destination, b"\2" + source[-5:])

    def _advertisement6(self, step: ProgramStep, fields: MessageFields, mobile: int) -> bytes:
        source, destination = self._ends(step, fields, mobile)
        if step.step.path[fields.hop] == "MN":
            source, destination = self.addresses.link_local(source), self.addresses.link_local(destination)
        lifetime, network = self._seconds(self.roles.advertisements.lifetime_ps), self.procedure.network_based
        router = self.addresses.node(self.roles.home_agent if network else fields.new)
        return wire.router_advertisement(source, destination, b"\2" + router[3:8], lifetime, not network, router)


_Encode = Callable[[ControlPacketEncoder, ProgramStep, MessageFields, int], bytes]
_E = ControlPacketEncoder
_ENCODERS: dict[int, dict[str, _Encode]] = {
    4: {
        "RQ": _E._request4, "RR": _E._reply4, "DRR": _E._reply4, "BU": _E._update4, "DBU": _E._update4,
        "BA": _E._acknowledgement4, "DBA": _E._acknowledgement4, "AS": _E._solicitation4, "AA": _E._advertisement4,
    },
    6: {
        "BU": _E._update6, "DBU": _E._update6, "BA": _E._acknowledgement6, "DBA": _E._acknowledgement6,
        "AS": _E._solicitation6, "AA": _E._advertisement6, "HADQ": _E._discovery6, "HADR": _E._discovery6,
        "NA": _E._neighbor6, "HoTI": _E._test6, "CoTI": _E._test6, "HoT": _E._test6, "CoT": _E._test6,
    },
}  # fmt: skip
"""Encoder of each kind of message, by IP version."""
