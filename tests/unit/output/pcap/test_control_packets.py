"""Keys and fields of control packets."""

import hashlib
import logging

import pytest

from handoff.output.pcap.address_plan import AddressPlan
from handoff.output.pcap.control_packets import ControlPacketEncoder, derived_key
from handoff.protocol.messages import MessageFields
from handoff.protocol.program import compile_program
from tests.unit.output.pcap.recorded_runs import roles_of, setup_of

logging.getLogger("scapy").setLevel(logging.ERROR)
inet6 = pytest.importorskip("scapy.layers.inet6")
S = 10**12


def test_a_derived_key_is_the_beginning_of_a_sha_256():
    digest = hashlib.sha256(b"ESP" + bytes([0, 0, 0, 0, 0, 0, 1, 2])).digest()
    assert derived_key(258, "ESP", 20) == digest[:20]


def encoder_of(procedure, profile="rfc", **options):
    setup = setup_of(3, profile, **options)
    program = compile_program(setup, procedure)
    roles = roles_of(setup, procedure)
    return setup, program, ControlPacketEncoder(program, roles, AddressPlan(roles, len(setup.network.nodes), 4))


def packet(setup, program, encoder, kind, hop=1, identification=7, lifetime_s=600, status=0):
    number = next(i for i, step in enumerate(program.steps) if step.kind == kind)
    old, new, peer = (setup.network.node_index(name) for name in ("r0", "r2", "cn"))
    return encoder.packet(MessageFields(number, hop, old, new, peer, identification, lifetime_s, status, 0), 1)


@pytest.mark.parametrize(("encapsulation", "flags"), [("ipip", 0), ("minimal", 0x10), ("gre", 0x08)])
def test_a_registration_request(encapsulation, flags):
    """RFC 5944 3.3: type, flags, lifetime; 5.7.1: identification in NTP format."""
    message = packet(*encoder_of("mipv4", encapsulation=encapsulation), "RQ", identification=3 * S // 2)[28:]
    assert message[0] == 1
    assert message[1] & 0x18 == flags
    assert int.from_bytes(message[2:4], "big") == 600
    assert message[4:8] == bytes([10, 0, 0, 2]), "home address of mobile node 1"
    seconds, fraction = int.from_bytes(message[16:20], "big"), int.from_bytes(message[20:24], "big")
    assert (seconds, fraction) == (2_208_988_800 + 1, 2**31)


@pytest.mark.parametrize(("lifetime_s", "units"), [(0, 0), (1, 1), (4, 1), (5, 2), (600, 150)])
def test_lifetimes_of_binding_updates_are_rounded_up_to_units_of_4_s(lifetime_s, units):
    """RFC 6275 6.1.7."""
    update = packet(*encoder_of("mipv6", profile="patent", authentication=False), "BU", lifetime_s=lifetime_s)
    header = inet6.IPv6(update)[inet6.MIP6MH_BU]
    assert header.mhtime == units


def test_only_the_last_8_updates_are_remembered():
    setup, program, encoder = encoder_of("mipv6-ro")
    number = next(i for i, step in enumerate(program.steps) if step.kind == "BU" and step.step.path[-1] == "CN")
    old, new, peer = (setup.network.node_index(name) for name in ("r0", "r2", "cn"))
    for sequence in range(1, 12):
        encoder.packet(MessageFields(number, 1, old, new, peer, sequence, 600, 0, 0), 1)
    assert sorted(encoder.nonces[1, peer]) == list(range(4, 12))


@pytest.mark.parametrize(
    ("name", "source", "destination"),
    [  # on the old link the mobile node has the old care-of address, on the new link the new one (RFC 5568 6.2.2, 6.2.3)
        ("MH FBU", "old", "r0"),
        ("MH FBack", "r0", "old"),
        ("MH HI", "r0", "r2"),
        ("ICMPv6 UNA", "new", "r2"),
    ],
)
def test_messages_of_fast_handovers_have_the_care_of_address_of_their_link(name, source, destination):
    setup, program, encoder = encoder_of("fmipv6-predictive")
    number = next(i for i, step in enumerate(program.steps) if step.step.format == name)
    nodes = {n: setup.network.node_index(n) for n in ("r0", "r2")}
    fields = MessageFields(number, 1, nodes["r0"], nodes["r2"], -1, 7, 600)
    addresses = {n: encoder.addresses.node(i) for n, i in nodes.items()}
    addresses |= {"old": encoder.addresses.care_of(2, nodes["r0"]), "new": encoder.addresses.care_of(2, nodes["r2"])}
    octets = encoder.packet(tuple(fields), 2)
    assert (octets[8:24], octets[24:40]) == (addresses[source], addresses[destination])
