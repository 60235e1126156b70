"""Length of control packets: the same on the wire as in the model, for every procedure, profile and hop."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handoff.output.pcap.address_plan import AddressPlan
from handoff.output.pcap.control_packets import ControlPacketEncoder
from handoff.protocol.messages import MessageFields
from handoff.protocol.procedures import PROCEDURES
from handoff.protocol.program import compile_program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import CorrespondentTable
from handoff_traces import wire
from tests.unit.output.pcap.recorded_runs import setup_of

OPTIONS = (
    {"profile": "patent"},
    {"profile": "rfc"},
    {"profile": "patent", "authentication": True},
    {"profile": "rfc", "return_routability": False},
    {"profile": "rfc", "encapsulation": "gre", "prediction": "solicitation", "temporary_home_agent": "discovery"},
    {"profile": "patent", "encapsulation": "minimal", "prediction": "piggyback", "notification": "router", "relay": "l2"},
)


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_a_message_has_the_length_of_the_model(procedure):
    base = setup_of(3, "patent")
    kinds = set()
    for options in OPTIONS:
        setup = replace(base, options=replace(base.options, **options))
        program = compile_program(setup, procedure)
        roles = RoleResolver(setup, program, CorrespondentTable(setup.network), 1)
        addresses = AddressPlan(roles, len(setup.network.nodes), setup.network.mobile_count)
        encoder = ControlPacketEncoder(program, roles, addresses)
        r0, r2, ha, peer = (setup.network.node_index(n) for n in ("r0", "r2", "ha", "cn"))
        for old, new in ((r0, r2), (r0, ha), (ha, r2)):
            for number, step in enumerate(program.steps):
                for hop in range(1, len(step.step.path)):
                    fields = MessageFields(number, hop, old, new, peer, 10**12 + 7, 600 * (new != ha), 0, 12345)
                    packet = encoder.packet(fields, 1)
                    assert len(packet) == step.leg_bytes[hop - 1], (options, step.step, hop)
                    kinds.add(step.kind)
    assert len(kinds) >= 4


def test_the_neighbour_advertisement_of_a_temporary_home_agent_has_a_valid_checksum():
    """RFC 4443 2.3: the one's complement sum over pseudo-header and message is all ones. RFC 4861 4.4: type 136."""
    source, target = bytes(range(16)), bytes(range(16, 32))
    packet = wire.neighbor_advertisement(source, b"\xff\x02" + bytes(13) + b"\x01", target, b"\2\0\0\0\0\7")
    assert (packet[6], packet[7], packet[40], packet[48:64], len(packet)) == (58, 255, 136, target, 72)
    covered = packet[8:40] + len(packet[40:]).to_bytes(4, "big") + (58).to_bytes(4, "big") + packet[40:]
    total = sum(int.from_bytes(covered[i : i + 2], "big") for i in range(0, len(covered), 2))
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF
