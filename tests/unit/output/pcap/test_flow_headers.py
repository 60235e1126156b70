"""Headers of data packets: the rules of docs/export.md."""

import numpy as np
import pytest

from engine import Network
from handoff.output.pcap.flow_headers import FlowHeaderTable, short_packet_errors

MS = 10**9


class Addresses:
    def __init__(self, ip, nodes):
        self.ip, self.nodes = ip, nodes


def network(*labels, sizes=(1500, 60, 700), ups=(False, True), mobiles=2):
    """Return a network in which each mobile node replays each conversation in both directions."""
    net = Network()
    for name in ("cn", "ar"):
        net.node(name)
    net.link("cn", "ar", delay=MS)
    net.link("ar", "cn", delay=MS)
    net.cell("ar", delay=MS)
    mobile = net.mobiles(mobiles, home="cn")
    for label in labels:
        for up in ups:
            times = [(10 * i + 5 * up) * MS for i in range(len(sizes))]
            net.replay("cn", mobile, times, list(sizes), period_ps=100 * MS, up=up, label=label)
    return net


def headers_of(net, ip=4):
    headers = FlowHeaderTable(net, Addresses(ip, len(net.nodes))).headers
    columns = (headers.source, headers.destination, headers.protocol, headers.source_port, headers.destination_port)
    return [tuple(int(column[i]) for column in columns) for i in range(net.flow_count)]


def test_replayed_flows_keep_protocol_and_ports():
    """Node 0 is the correspondent; the mobile nodes follow the two nodes."""
    assert headers_of(network("tcp 10.0.1.2:80 10.0.2.2:40000")) == [
        (0, 2, 6, 80, 40000), (0, 3, 6, 80, 40000), (2, 0, 6, 40000, 80), (3, 0, 6, 40000, 80),
    ]  # fmt: skip


def test_ipv6_endpoints_and_other_protocols():
    assert {h[2:] for h in headers_of(network("udp [2001:db8::1]:53 [2001:db8::2]:1000", mobiles=1), ip=6)} == {
        (17, 53, 1000), (17, 1000, 53),
    }  # fmt: skip
    assert {h[2:] for h in headers_of(network("50 10.0.1.2 10.0.2.2", mobiles=1))} == {(50, 0, 0)}


@pytest.mark.parametrize(("ip", "protocol", "request_type", "reply_type"), [(4, 1, 8, 0), (6, 58, 128, 129)])
def test_the_mobile_node_sends_echo_requests(ip, protocol, request_type, reply_type):
    down, up = headers_of(network("icmp 10.0.1.2 10.0.2.2", mobiles=1), ip)
    assert (down[2], down[4]) == (protocol, reply_type)
    assert (up[2], up[4]) == (protocol, request_type)
    assert down[3] == up[3], "one identifier"


def test_equal_ports_at_one_correspondent_node_get_another_mobile_port():
    labels = ("udp 10.0.1.3:5004 10.0.2.2:5004", "udp 10.0.1.4:5004 10.0.2.2:5004")
    headers = headers_of(network(*labels, ups=(False,), mobiles=1))
    assert [(source, destination) for _, _, _, source, destination in headers] == [(5004, 5004), (5004, 5005)]


def test_generated_flows_get_ports_by_label():
    net = network()
    net.cbr("cn", np.arange(2), interval="20ms", size_bytes=200, label="video")
    net.cbr("cn", np.arange(2), interval="20ms", size_bytes=200, label="audio")
    assert [h[2:] for h in headers_of(net)] == [(17, 5001, 5001)] * 2 + [(17, 5000, 5000)] * 2


def test_a_mobile_correspondent_has_the_ports_of_the_correspondent():
    """Mobile nodes 0 and 1 (addresses 2 and 3) replay a conversation; the correspondent of each is the other one."""
    net = network("tcp 10.0.1.2:80 10.0.2.2:40000", mobiles=2)
    for up in (False, True):
        net.replay(None, [0, 1], [0, 5 * MS], [60, 100], peers=[1, 0], up=up, label="tcp 10.0.1.2:80 10.0.2.2:40000")
    assert headers_of(net)[4:] == [(3, 2, 6, 80, 40000), (2, 3, 6, 80, 40000), (2, 3, 6, 40000, 80), (3, 2, 6, 40000, 80)]
    sequence, acknowledgement = FlowHeaderTable(net, Addresses(4, 2)).tcp_numbers(np.array([4, 4, 6]), np.array([0, 1, 1]))
    assert sequence.tolist() == [1, 1 + 20, 1 + 20], "payloads of 20 and 60 bytes, those of the mobile correspondent alone"
    assert acknowledgement.tolist() == [1, 1 + 20, 1 + 20]


def test_tcp_numbers_count_the_payload_of_both_directions():
    """Payloads are 1460, 20 and 660 bytes; the replies leave 5 ms after each packet, and a turn has 2140 bytes."""
    net = network("tcp 10.0.1.2:80 10.0.2.2:40000", mobiles=1)
    table = FlowHeaderTable(net, Addresses(4, 2))
    sequence, acknowledgement = table.tcp_numbers(np.array([0, 0, 0, 0, 1]), np.array([0, 1, 2, 4, 1]))
    assert sequence.tolist() == [1, 1461, 1481, 2140 + 1461, 1461]
    assert acknowledgement.tolist() == [1, 1461, 1481, 2140 + 1461, 1481]


def test_tcp_numbers_wrap_at_32_bits_and_are_0_for_other_protocols():
    net = network("tcp 10.0.1.2:80 10.0.2.2:40000", "udp 10.0.1.2:80 10.0.2.2:40000", ups=(False,), mobiles=1)
    table = FlowHeaderTable(net, Addresses(4, 2))
    turns = 2**32 // 2140 + 1
    sequence, acknowledgement = table.tcp_numbers(np.array([0, 1]), np.array([3 * turns, 5]))
    assert sequence.tolist() == [1 + turns * 2140 - 2**32, 0]
    assert acknowledgement.tolist() == [0, 0]


def test_packets_shorter_than_an_ip_header_are_reported():
    net = network("udp 10.0.1.2:80 10.0.2.2:40000", sizes=(39, 100), ups=(False,))
    assert short_packet_errors(net, 4) == []
    (error,) = short_packet_errors(net, 6)
    assert error == "flow 'udp 10.0.1.2:80 10.0.2.2:40000' has packets of 39 bytes; an IPv6 packet has at least 40"
