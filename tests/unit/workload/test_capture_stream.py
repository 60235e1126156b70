"""Captures as one stream: opening, common clock, flows of the mobile side, selection."""

import gzip
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import handoff_traces
from handoff.scenario.traffic import Traffic
from handoff.workload import capture_stream
from handoff.workload.capture_stream import CaptureStream, open_capture

from .capture_packets import Packet, compiled_capture, pcap, pcapng
from .replay_strategies import EPOCH_NS, MOBILE, capture

PHONE, WEB, VOICE, OTHER = (MOBILE, 4000), ("10.0.1.2", 80), ("10.0.1.3", 5004), ("10.0.9.9", 7)


def packet(time_ns, source, destination, protocol=6, length=100):
    return Packet(EPOCH_NS + time_ns, source, destination, protocol, length)


ONE = [packet(0, OTHER, WEB), packet(10, PHONE, WEB), packet(17, WEB, PHONE), packet(30, VOICE, PHONE, 17)]
TWO = [packet(1000, WEB, PHONE, 6, 200), packet(1007, PHONE, PHONE, 17)]


@settings(max_examples=25, deadline=None)
@given(capture, st.sampled_from([pcap, pcapng]))
def test_compiled_files_equal_the_columns_of_their_packets(tmp_path_factory, packets, write):
    """This justifies ``compiled_capture`` as a substitute for ``handoff_traces.CompiledCapture``."""
    path = tmp_path_factory.mktemp("capture") / "capture"
    path.write_bytes(write(packets))
    expected, compiled = compiled_capture(packets), open_capture(path)
    assert compiled.facts.times_ns == expected.facts.times_ns
    for name in ("time_ns", "ip_length"):
        assert getattr(compiled, name).tolist() == getattr(expected, name).tolist()
    for name in ("version", "protocol", "src", "dst", "sport", "dport", "first_time_ns"):
        assert getattr(compiled.flows, name).tolist() == getattr(expected.flows, name).tolist()
    for flow in range(len(expected.flows.version)):
        for direction in (0, 1):
            assert compiled.flows.rows(flow, direction) == expected.flows.rows(flow, direction)


def test_a_capture_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(handoff_traces.TraceError, match="cannot be opened"):
        open_capture(tmp_path / "none")


def test_a_small_capture_is_compiled_once_until_it_changes(tmp_path):
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap(ONE))
    first = open_capture(path)
    assert open_capture(path) is first
    path.write_bytes(pcap(ONE + TWO))
    assert open_capture(path).facts.packets == len(ONE + TWO)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_columns_of_a_large_capture_stay_in_the_cache_on_disk(tmp_path, monkeypatch, compress):
    """For compressed captures, the size that they may expand to counts."""
    content = compress(pcap(ONE))
    monkeypatch.setattr(capture_stream, "MAX_CACHED_BYTES", 99 * len(content) if compress is not bytes else len(content) - 1)
    monkeypatch.setenv("HANDOFF_CACHE", str(tmp_path / "cache"))
    (tmp_path / "capture").write_bytes(content)
    opened = open_capture(tmp_path / "capture")
    assert opened.folder.is_relative_to(tmp_path / "cache")
    assert opened.facts.packets == len(ONE)


@pytest.mark.parametrize(("absolute", "clocks", "length"), [(True, [0, 0], 1007), (False, [0, 1000], 30)])
def test_time_0_is_the_earliest_packet_of_all_captures_or_of_each(absolute, clocks, length):
    stream = CaptureStream([compiled_capture(ONE), compiled_capture(TWO), compiled_capture([])], absolute)
    assert stream.clock_ns == [EPOCH_NS + clock for clock in clocks]
    assert (stream.length_ns, stream.packets) == (length, 6)


def test_flows_have_the_mobile_side_at_exactly_one_end():
    """Other packets to the web server and packets from the phone to itself are no flows of the mobile side."""
    stream = CaptureStream([compiled_capture(ONE), compiled_capture(TWO)])
    web, voice = stream.flows((ip_network(MOBILE),))
    assert (web.name, web.from_mobile) == ("tcp 10.0.1.2:80 10.0.2.2:4000", True)
    assert ([s.first_ns for s in web.down], [s.first_ns for s in web.up]) == ([17, 1000], [10])
    assert (voice.name, voice.from_mobile, len(voice.up)) == ("udp 10.0.1.3:5004 10.0.2.2:4000", False, 0)


def select(captures=(ONE, TWO), **keys):
    traffic = Traffic(capture=[f"{i}.pcap" for i in range(len(captures))], **{"mobile_address": MOBILE} | keys)
    return CaptureStream([compiled_capture(packets) for packets in captures]).select_flows(traffic)


def test_selected_flows_have_one_segment_a_direction():
    web, voice = select()
    assert [len(segments) for flow in (web, voice) for segments in (flow.down, flow.up)] == [1, 1, 1, 0]
    assert (web.down[0].times - web.down[0].clock_ns).tolist() == [17, 1000]
    assert (web.first_ns, web.last_ns, web.packets) == (10, 1000, 3)


def test_selected_flows_are_ordered_by_their_first_packet():
    assert [flow.protocol for flow in select(clip=["20ns"])] == [17, 6]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"mobile_address": "10.9.9.9"}, r"no packet of 0\.pcap, 1\.pcap has 10\.9\.9\.9 as source or destination"),
        ({"clip": ["2us"]}, r"'clip' leaves nothing of 0\.pcap, 1\.pcap, which lasts 1\.007e-06 s"),
        ({"select": {"port": 9}}, r"'select' and 'exclude' leave none of the 2 flows of 0\.pcap, 1\.pcap"),
        ({"clip_flows": ["2us"]}, r"'clip_flows' leaves nothing of any flow of 0\.pcap, 1\.pcap"),
    ],
)
def test_an_empty_selection_is_an_error_that_names_the_key(keys, message):
    with pytest.raises(ValueError, match=message):
        select(**keys)


def test_pages_of_all_captures_are_dropped():
    captures = [compiled_capture(ONE), compiled_capture(TWO)]
    dropped = []
    for number, compiled in enumerate(captures):
        compiled.release = lambda number=number: dropped.append(number)
    CaptureStream(captures).drop_pages()
    assert dropped == [0, 1]
