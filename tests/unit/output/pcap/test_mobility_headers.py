"""Mobility Headers as scapy decodes them, and authenticators computed again from the capture alone."""

from __future__ import annotations

import hashlib
import hmac
import logging
import struct

import pytest

from tests.unit.output.pcap.recorded_runs import frames, record, setup_of

logging.getLogger("scapy").setLevel(logging.ERROR)
inet6 = pytest.importorskip("scapy.layers.inet6")
IPV6, ROUTING, ESP, DESTINATION_OPTIONS, MOBILITY = 41, 43, 50, 60, 135
TOKENS = {3: "home", 4: "care-of"}


def with_mobility_header(packet):
    """Return the innermost IPv6 packet without ESP, or None if it has no Mobility Header.

    The encryption is NULL, but scapy does not look into ESP.
    """
    place, at = 6, 40
    while packet[place] in (ROUTING, DESTINATION_OPTIONS):
        place, at = at, at + 8 * (packet[at + 1] + 1)
    kind = packet[place]
    if kind == IPV6:
        return with_mobility_header(packet[at:])
    if kind != ESP:
        return packet if kind == MOBILITY else None
    inside = packet[at + 8 : -12]
    padding, following = inside[-2], inside[-1]
    assert list(inside[-2 - padding : -2]) == list(range(1, padding + 1))
    unprotected = bytearray(packet[:at] + inside[: -2 - padding])
    unprotected[place] = following
    unprotected[4:6] = struct.pack(">H", len(unprotected) - 40)
    return bytes(unprotected)


def mobility_headers(path):
    """Yield IPv6 layer and Mobility Header of every frame that has one."""
    for frame in frames(path):
        packet = with_mobility_header(frame.bytes)
        if packet is not None:
            layer = inet6.IPv6(packet)
            header = layer.lastlayer()
            while not isinstance(header, inet6._MobilityHeader):
                header = header.underlayer
            yield layer, header


@pytest.fixture(scope="module")
def headers(tmp_path_factory):
    """Return the headers of procedures that use every kind of Mobility Header, ESP and authorization data."""
    path = tmp_path_factory.mktemp("headers") / "run.pcapng"
    runs = []
    for number, procedure in enumerate(("mipv6-ro", "sync-mipv6-ro", "sync-hmipv6", "hmipv6-ro-bicast", "pmipv6")):
        record(setup_of(42 + number, "rfc"), procedure, path)
        runs.append(list(mobility_headers(path)))
    assert all(runs)
    return runs


def test_checksums_agree_with_scapy(headers):
    kinds = set()
    for layer, header in (pair for run in headers for pair in run):
        option, route = layer.getlayer(inet6.HAO), layer.getlayer(inet6.IPv6ExtHdrRouting)
        # scapy heeds a home address option only if no padding stands before it (RFC 6275 6.3 wants 8n + 6): give it the ends
        ends = inet6.IPv6(src=option.hoa if option else layer.src, dst=route.addresses[0] if route else layer.dst)
        body = bytes(header)
        assert inet6.in6_chksum(135, ends, body[:4] + b"\0\0" + body[6:]) == header.cksum, layer.show(dump=True)
        assert len(header) == 8 * (header.len + 1)
        kinds.add(header.mhtype)
    assert kinds == {1, 2, 3, 4, 5, 6}


def test_updates_and_acknowledgements_carry_the_home_address(headers):
    """Home address option or type 2 routing header, alternate care-of address to home agents (RFC 6275 6.1.7, 11.7.1)."""
    updates = acknowledgements = 0
    for layer, header in (pair for run in headers[:4] for pair in run):
        if header.mhtype == 5:
            updates += 1
            option = layer.getlayer(inet6.HAO)
            assert option.hoa != layer.src
            alternate = [o.acoa for o in header.options if isinstance(o, inet6.MIP6OptAltCoA)]
            assert not alternate or alternate == [layer.src]
        elif header.mhtype == 6:
            acknowledgements += 1
            route = layer.getlayer(inet6.IPv6ExtHdrRouting)
            assert (route.type, route.segleft, len(route.addresses)) == (2, 1, 1)
            assert route.addresses[0] != layer.dst
    assert updates > 50
    assert acknowledgements > 50


def test_correspondents_can_verify_updates_with_their_own_tokens(headers):
    checked = 0
    for run in headers[:2]:
        tokens = {}  # (what, correspondent, address, nonce index) -> token
        for layer, header in run:
            if header.mhtype in TOKENS:
                nonce, _, token = struct.unpack(">HQQ", bytes(header)[6:24])
                tokens[TOKENS[header.mhtype], layer.src, layer.dst, nonce] = token
            if header.mhtype != 5 or not any(isinstance(o, inet6.MIP6OptNonceIndices) for o in header.options):
                continue
            body = bytes(header)
            home, care_of = next((o.hni, o.coni) for o in header.options if isinstance(o, inet6.MIP6OptNonceIndices))
            secret = struct.pack(">Q", tokens["home", layer.dst, layer.getlayer(inet6.HAO).hoa, home])
            if header.mhtime:
                secret += struct.pack(">Q", tokens["care-of", layer.dst, layer.src, care_of])
            key = hashlib.sha1(secret).digest()
            protected = bytes(layer)[8:24] + bytes(layer)[24:40] + body[:4] + b"\0\0" + body[6:-12]
            assert hmac.new(key, protected, "sha1").digest()[:12] == body[-12:]
            checked += 1
    assert checked > 20
