"""Tests of handoff.protocol.messages. Sizes are computed from the message formats of the RFCs."""

import pickle

import pytest

from handoff.protocol.messages import ONE_HOP, STEP_HOP_MASK, MessageFields, header_bytes, in_home_tunnel, leg_bytes, message_kind

FIELDS = {
    "step": 21, "hop": 3, "old": -1, "new": 17, "peer": -1, "identification": 2**62, "lifetime_s": 65_534, "status": 135,
    "proof": 99,
}  # fmt: skip


def test_fields_are_packed_into_six_arguments_without_loss():
    fields = MessageFields(**FIELDS)
    assert len(fields) == 6
    assert {name: getattr(fields, name) for name in FIELDS} == FIELDS
    assert MessageFields.unpack(tuple(fields)) == fields
    assert pickle.loads(pickle.dumps(fields)) == fields


def test_one_hop_moves_a_message_along_its_path():
    fields = MessageFields(**FIELDS)
    following = MessageFields.unpack((fields[0] + ONE_HOP, *fields[1:]))
    assert following == fields.replace(hop=4)
    assert following[0] & STEP_HOP_MASK == 21 | 4 << 16, "without the status"


def test_replace_changes_only_the_named_fields():
    fields = MessageFields(**FIELDS).replace(peer=5, status=0)
    assert {name: getattr(fields, name) for name in FIELDS} == FIELDS | {"peer": 5, "status": 0}


@pytest.mark.parametrize(("message", "kind"), [("RQ", "RQ"), ("BU3", "BU"), ("HoTI1", "HoTI"), ("AA9", "AA")])
def test_the_kind_of_a_message_has_no_digit(message, kind):
    assert message_kind(message) == kind


@pytest.mark.parametrize(
    ("message", "size"),
    [
        ("RQ", 20 + 8 + 24 + 22),  # IPv4, UDP, RFC 5944 3.3, Mobile-Home authentication extension 3.5.2
        ("RR", 20 + 8 + 20 + 22),  # 3.4
        ("DRR", 20 + 8 + 20 + 22),
        ("BU2", 20 + 8 + 20 + 22),
        ("BA2", 20 + 8 + 16 + 22),
    ],
)
def test_sizes_of_mobile_ipv4_do_not_depend_on_the_leg(message, size):
    assert leg_bytes(message, ("MN", "oAR", "nAR", "HA"), 4, secured=False) == (size,) * 3
    assert leg_bytes(message, ("MN", "nAR"), 4, secured=True) == (size,)


@pytest.mark.parametrize(
    ("message", "path", "plain", "secured"),
    [
        # IPv6, home address option, binding update 6.1.7 padded; to the home agent an alternate care-of address, and ESP
        ("BU1", ("MN", "nAR", "HA"), 40 + 24 + 16 + 16, 40 + 24 + 16 + 16 + 24),
        ("BA1", ("HA", "nAR", "MN"), 40 + 24 + 16, 40 + 24 + 16 + 24),
        # to a correspondent nonce indices and binding authorization data (6.2.6, 6.2.7)
        ("BU2", ("MN", "nAR", "CN"), 40 + 24 + 16, 40 + 24 + 16 + 16),
        ("BA2", ("CN", "nAR", "MN"), 40 + 24 + 16, 40 + 24 + 16 + 16),
        ("BU3", ("MN", "oAR"), 40 + 24 + 16, 40 + 24 + 16),
        ("HADQ", ("MN", "nAR", "oAR"), 40 + 8, 40 + 8),  # 6.5
        ("HADR", ("oAR", "nAR", "MN"), 40 + 8 + 16, 40 + 8 + 16),  # 6.6
    ],
)
def test_sizes_of_mobile_ipv6(message, path, plain, secured):
    assert leg_bytes(message, path, 6, secured=False) == (plain,) * (len(path) - 1)
    assert leg_bytes(message, path, 6, secured=True) == (secured,) * (len(path) - 1)


def test_a_proxy_update_has_56_bytes_after_the_ipv6_header():
    """RFC 5213 8.1; no home address option."""
    assert leg_bytes("BU", ("nAR", "HA"), 6, secured=False) == (96,)


def test_a_home_test_is_tunnelled_between_mobile_node_and_home_agent():
    """RFC 6275 5.2.5; HoTI has 56 bytes (6.1.3), HoT 64 (6.1.5), the tunnel 40."""
    assert leg_bytes("HoTI2", ("MN", "nAR", "HA", "CN"), 6, secured=False) == (96, 96, 56)
    assert leg_bytes("HoT2", ("CN", "HA", "nAR", "MN"), 6, secured=False) == (64, 104, 104)
    assert not in_home_tunnel("CoTI", ("MN", "nAR", "CN"), 1)


@pytest.mark.parametrize(
    ("role", "ip", "encapsulation", "size"),
    [
        ("HA", 4, "ipip", 20),  # RFC 2003
        ("CN", 4, "minimal", 12),  # RFC 2004
        ("AR", 4, "gre", 24),  # RFC 2784
        ("HA", 6, "ipip", 40),  # RFC 2473
        ("CN", 6, "gre", 24),  # type 2 routing header, RFC 6275 6.4
    ],
)
def test_headers_of_tunnels(role, ip, encapsulation, size):
    assert header_bytes(role, ip, encapsulation) == size
