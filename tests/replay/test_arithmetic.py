"""The arithmetic of docs/replay.md: by hand, against a second reading of the page, and its laws on random streams."""

import functools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import handoff_traces
from engine import Network
from handoff.replay.assign import by_hash, round_robin
from handoff.replay.conversation import add_replay, conversations
from handoff.replay.spool import merged
from handoff.replay.stream import Piece, open_capture
from handoff.scenario.traffic import Traffic

from .packets import Packet, columns, pcap, pcapng
from .reference import replayed

EPOCH_NS = 1_795_442_716_000_000_000
MOBILE = "10.0.2.2"
PHONE, WEB, VOICE = (MOBILE, 4000), ("10.0.1.2", 80), ("10.0.1.3", 5004)


def scenario_keys(options):
    """Windows, durations and sizes as texts with a unit."""

    def window(value):
        return [f"{t}ns" for t in value if t is not None]

    def keys(table):
        changed = {}
        for name, value in table.items():
            texts = {"begins": window, "min_duration": "{}ns".format, "min_bytes": "{}B".format}
            changed[name] = texts[name](value) if name in texts else value
        return changed

    changed = dict(options)
    for name in ("clip", "clip_flows"):
        if name in options:
            changed[name] = window(options[name])
    for name in ("select", "exclude"):
        if name in options:
            changed[name] = [keys(table) for table in options[name]]
    return changed


def flows_of(captures, **options):
    """(name, packets as (ps, down, size), period) of each flow, as the product has them; [] if nothing is left."""
    names = [f"{i}.pcap" for i in range(len(captures))]
    traffic = Traffic(capture=names, **{"mobile_address": MOBILE} | scenario_keys(options))
    try:
        found, _ = conversations([columns(packets) for packets in captures], traffic)
    except ValueError:
        return []
    net = Network()
    net.node("cn"), net.mobile("mn", home="cn")
    add_replay(net, "cn", [[0]] * len(found), found, seed=1, traffic=traffic)
    rows = net.flows()
    told = []
    for conversation in found:
        numbers = [first for label, first, _ in net.flow_labels if label == conversation.name]
        packets = []
        for number in numbers:
            assert rows["start"][number] == traffic.shift
            assert rows["interval"][number] == conversation.period_ps
            replay = net.replays[rows["source"][number] - 2]
            packets += [(replay.time_ps(i), rows["up"][number] == 0, int(replay.sizes[i])) for i in range(len(replay))]
        told.append((conversation.name, sorted(packets), conversation.period_ps))
    return told


def same(captures, options):
    wanted = replayed(captures, {"mobile_address": MOBILE} | options)
    assert flows_of(captures, **options) == [(f.name, sorted(f.sent), f.period_ps) for f in wanted]


# -- by hand ---------------------------------------------------------------------------------------------------------------
HAND = [
    Packet(EPOCH_NS + 0, ("10.9.9.9", 1), ("10.9.9.8", 1), 17, 500),  # of nobody here; the stream begins with it
    Packet(EPOCH_NS + 10, PHONE, WEB, 6, 60),
    Packet(EPOCH_NS + 17, WEB, PHONE, 6, 1500),
    Packet(EPOCH_NS + 30, VOICE, PHONE, 17, 200),
    Packet(EPOCH_NS + 31, WEB, PHONE, 6, 1400),
    Packet(EPOCH_NS + 50, VOICE, PHONE, 17, 200),
    Packet(EPOCH_NS + 70, VOICE, PHONE, 17, 200),
    Packet(EPOCH_NS + 88, PHONE, VOICE, 17, 80),
]
TCP, UDP = "tcp 10.0.1.2:80 10.0.2.2:4000", "udp 10.0.1.3:5004 10.0.2.2:4000"
CASES = {
    # D = 21 ns, n = 3: g = 10500 ps; D = 58 ns, n = 4: g = 58000 div 3 = 19333 ps
    "plain": ({}, [(TCP, [0, 7000, 21000], 31500), (UDP, [0, 20000, 40000, 58000], 77333)]),
    # 7 * 1000 / 3 = 2333.3, 21000 / 3 = 7000; g = 3500; 58000 / 3 = 19333.3, g = 19333 div 3 = 6444
    "pace": ({"pace": "1/3"}, [(TCP, [0, 2333, 7000], 10500), (UDP, [0, 6666, 13333, 19333], 25777)]),
    "clip": ({"clip": (17, 70)}, [(TCP, [0, 14000], 28000), (UDP, [0, 20000], 40000)]),
    "clip of flows": ({"clip_flows": (7, 50)}, [(TCP, [0, 14000], 28000), (UDP, [0, 20000], 40000)]),
    # of the stream: D = 88 ns, 8 packets: g = 88000 div 7 = 12571
    "stream": ({"origin": "stream"}, [(TCP, [10000, 17000, 31000], 100571), (UDP, [30000, 50000, 70000, 88000], 100571)]),
    "stream from 20 ns": (
        {"origin": "stream", "clip": (20, None)}, [(UDP, [10000, 30000, 50000, 68000], 80571), (TCP, [11000], 80571)]
    ),
    "stream to 60 ns": ({"origin": "stream", "clip": (20, 60)}, [(UDP, [10000, 30000], 40000), (TCP, [11000], 40000)]),
    "one direction": ({"select": [{"direction": "up"}]}, [(TCP, [0], 0), (UDP, [0], 0)]),
    "by port": ({"select": [{"port": 80}]}, [(TCP, [0, 7000, 21000], 31500)]),
    "who began": ({"select": [{"source": MOBILE}]}, [(TCP, [0, 7000, 21000], 31500)]),
    "not who began": ({"exclude": [{"destination": "10.0.1.0/24"}]}, [(UDP, [0, 20000, 40000, 58000], 77333)]),
    "bytes": ({"select": [{"min_bytes": 681}]}, [(TCP, [0, 7000, 21000], 31500)]),
    "packets": ({"select": [{"min_packets": 4}]}, [(UDP, [0, 20000, 40000, 58000], 77333)]),
    "duration": ({"exclude": [{"min_duration": 58}]}, [(TCP, [0, 7000, 21000], 31500)]),
    "begin": ({"select": [{"begins": (10, 30)}]}, [(TCP, [0, 7000, 21000], 31500)]),
    "once": ({"loop": False, "exclude": [{"protocol": 17}]}, [(TCP, [0, 7000, 21000], 0)]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_by_hand(case):
    options, wanted = CASES[case]
    assert [(name, [t for t, _, _ in sent], period) for name, sent, period in flows_of([HAND], **options)] == wanted


def test_flows_that_begin_at_one_time_are_numbered_as_they_appear():
    """Web was earlier, but clipped both begin at 30 ns; voice stands first in the file."""
    packets = [
        Packet(EPOCH_NS + 30, VOICE, PHONE, 17, 200),
        Packet(EPOCH_NS, WEB, PHONE, 6, 60),
        Packet(EPOCH_NS + 30, WEB, PHONE, 6, 60),
    ]
    assert [name for name, _, _ in flows_of([packets])] == [TCP, UDP]
    assert [name for name, _, _ in flows_of([packets], clip=(1, None))] == [UDP, TCP]


def test_clocks_by_hand():
    """The second capture began 1000 ns later: by one clock its packets follow, by a clock each they fall among the others."""
    later = [Packet(p.time_ns + 1000, *(p.source, p.destination, p.protocol, p.length)) for p in HAND[1:3]]
    assert [t for t, _, _ in flows_of([HAND, later])[0][1]] == [0, 7000, 21000, 1_000_000, 1_007_000]
    assert [t for t, _, _ in flows_of([HAND, later], clocks="each")[0][1]] == [0, 7000, 10000, 17000, 31000]


# -- against a second reading ------------------------------------------------------------------------------------------------
ADDRESSES = ["10.0.1.2", "10.0.1.3", "10.0.3.1", MOBILE, "10.0.2.3"]
sides = st.tuples(st.sampled_from(ADDRESSES), st.integers(1, 3))
lengths = st.integers(28, 1500)
packet = st.builds(
    lambda t, a, b, protocol, length, turn: Packet(EPOCH_NS + t, *((b, a) if turn else (a, b)), protocol, length),
    st.integers(0, 300), st.tuples(st.just(MOBILE), st.integers(1, 2)), sides, st.sampled_from([6, 17]), lengths, st.booleans(),
).filter(lambda p: p.source != p.destination)  # fmt: skip
capture = st.lists(packet, min_size=1, max_size=25)
times = st.integers(0, 320)
windows = st.one_of(
    st.tuples(times, st.none()), st.tuples(times, st.integers(1, 200)).map(lambda w: (w[0], w[0] + w[1]))
)
prefixes = st.sampled_from(["10.0.1.2", "10.0.1.0/24", "10.0.0.0/16", MOBILE, "0.0.0.0/0"])
paces = st.sampled_from(["1", "2", "1/3", "0.7", "333.5", "0.001", "7/11"])
CONDITIONS = {
    "source": prefixes, "destination": prefixes, "address": prefixes, "source_port": st.integers(1, 3),
    "destination_port": st.integers(1, 3), "port": st.integers(1, 3), "protocol": st.sampled_from([6, 17]),
    "direction": st.sampled_from(["down", "up"]), "min_packets": st.integers(0, 6), "min_bytes": st.integers(0, 4000),
    "min_duration": times, "begins": windows,
}  # fmt: skip
condition = st.fixed_dictionaries({}, optional=CONDITIONS).filter(bool)
filters = st.lists(condition, min_size=1, max_size=2)
choices = st.fixed_dictionaries(
    {},
    optional={
        "clip": windows, "select": filters, "exclude": filters, "clip_flows": windows, "pace": paces, "loop": st.booleans(),
        "origin": st.sampled_from(["flow", "stream"]),
    },
)  # fmt: skip


@given(capture, choices)
def test_one_capture(packets, options):
    same([packets], options)


@given(st.lists(capture, min_size=2, max_size=3), choices, st.sampled_from(["absolute", "each"]))
def test_several_captures(captures, options, clocks):
    same(captures, options | {"clocks": clocks})


@settings(max_examples=25)
@given(capture, st.sampled_from([pcap, pcapng]))
def test_a_file_is_read_as_its_packets(tmp_path_factory, packets, write):
    """What stands for a compiled capture in these tests is one."""
    path = tmp_path_factory.mktemp("capture") / "capture"
    path.write_bytes(write(packets))
    made, read = columns(packets), open_capture(path)
    assert read.facts.times_ns == made.facts.times_ns
    for name in ("time_ns", "ip_length"):
        assert getattr(read, name).tolist() == getattr(made, name).tolist()
    for name in ("version", "protocol", "src", "dst", "sport", "dport", "first_time_ns"):
        assert getattr(read.flows, name).tolist() == getattr(made.flows, name).tolist()
    for flow in range(len(made.flows.version)):
        assert [read.flows.rows(flow, way) for way in (0, 1)] == [made.flows.rows(flow, way) for way in (0, 1)]


# -- laws --------------------------------------------------------------------------------------------------------------------
def packets_of(flows):
    return sorted((name, *packet) for name, sent, _ in flows for packet in sent)


def exact(flows, pace=Fraction(1)):
    """Times at the recorded pace, scaled as fractions, and rounded once."""
    return [(name, [(int(t * pace), down, size) for t, down, size in sent]) for name, sent, _ in flows]


@given(capture, windows, paces)
def test_clipping_and_scaling_commute(packets, window, pace):
    """Scaling first puts packet t at t f, the window at [p f, q f): the same packets stay, at the same times."""
    begin, end = window
    f = Fraction(pace)
    clipped = flows_of([packets], clip=window, origin="stream", pace=pace)
    everything = flows_of([packets], origin="stream")
    other = []
    for name, sent, _ in everything:
        rows = [(t * f, down, size) for t, down, size in sent]
        rows = [r for r in rows if begin * 1000 * f <= r[0] and (end is None or r[0] < end * 1000 * f)]
        other += [(name, int(t - begin * 1000 * f), down, size) for t, down, size in rows]
    assert packets_of(clipped) == sorted(other)


@given(capture, paces, paces)
def test_scaling_twice_is_scaling_by_the_product(packets, one, two):
    product = Fraction(one) * Fraction(two)
    if Fraction(1, 1000) <= product <= 1000:
        both = flows_of([packets], pace=str(product))
        assert [(name, sent) for name, sent, _ in both] == exact(flows_of([packets]), product)


@given(capture, choices, st.integers(0, 10**12))
def test_a_shift_shifts_and_nothing_else(packets, options, shift):
    """``flows_of`` asserts that the start of every flow is the shift."""
    assert flows_of([packets], **options, shift=f"{shift}ps") == flows_of([packets], **options)


@given(capture, st.lists(times, min_size=3, max_size=3, unique=True), st.sampled_from(["clip", "clip_flows"]))
def test_two_clips_that_touch_are_one(packets, cuts, which):
    p, q, r = sorted(cuts)
    counts = [sum(len(sent) for _, sent, _ in flows_of([packets], **{which: w})) for w in ((p, q), (q, r), (p, r))]
    assert counts[0] + counts[1] == counts[2]


@given(capture, filters)
def test_select_and_exclude_are_opposites(packets, wanted):
    ways = [flows_of([packets], origin="stream", **{key: wanted}) for key in ("select", "exclude")]
    assert sorted(packets_of(ways[0]) + packets_of(ways[1])) == packets_of(flows_of([packets], origin="stream"))


@given(capture, st.integers(0, 25), choices)
def test_a_capture_in_pieces_is_the_capture(packets, cut, options):
    packets = sorted(packets, key=lambda p: p.time_ns)
    parts = [part for part in (packets[:cut], packets[cut:]) if part]
    clocks = {"clocks": "absolute"} if len(parts) > 1 else {}
    assert flows_of(parts, **options, **clocks) == flows_of([packets], **options)


@given(st.lists(st.lists(packet, max_size=12), min_size=2, max_size=3), st.randoms(), choices)
def test_the_order_of_captures_means_nothing_to_different_times(captures, random, options):
    known = set()
    captures = [[p for p in part if not (p.time_ns in known or known.add(p.time_ns))] for part in captures]
    captures = [part for part in captures if part]
    if len(captures) > 1:
        shuffled = random.sample(captures, len(captures))
        assert flows_of(captures, **options) == flows_of(shuffled, **options)


@given(capture, choices)
def test_a_turn_is_one_period_after_the_one_before(packets, options):
    for flow in replayed([packets], {"mobile_address": MOBILE} | options):
        for down in (False, True):
            turn = [t for t, way, _ in flow.sent if way == down]
            if not flow.period_ps or not turn:
                continue
            found = [t for t, _ in flow.until(0, 3 * flow.period_ps + turn[0], down)]
            assert found == sorted(found)
            assert found == [t + m * flow.period_ps for m in range(3) for t in turn]


@given(st.lists(st.lists(st.integers(0, 40), max_size=30), min_size=1, max_size=4), st.integers(1, 5))
def test_merging_in_blocks_is_sorting(parts, block_rows):
    sizes = [np.arange(len(p), dtype=np.uint32) + 100 * k for k, p in enumerate(parts)]
    pieces = [Piece(np.sort(np.array(p, np.int64)) + 7, s, 7) for p, s in zip(parts, sizes, strict=True)]
    found = [(int(t), int(s)) for times, sizes in merged(pieces, block_rows) for t, s in zip(times, sizes, strict=True)]
    assert found == sorted(((t, 100 * k + i) for k, p in enumerate(parts) for i, t in enumerate(sorted(p))))


# -- mobile nodes --------------------------------------------------------------------------------------------------------------
FLOWS = [f"udp 10.0.1.2:{port} 10.0.2.2:{port}" for port in range(1000, 3000)]


@functools.cache
def keys_of(names):
    net = Network()
    net.node("ha")
    for name in names:
        net.mobile(name, home="ha")
    return net.mobile_keys()


@pytest.mark.parametrize("count", [1, 2, 9])
def test_one_more_mobile_node_takes_flows_and_gives_none(count):
    """About one in count + 1 moves, within five standard deviations of the binomial."""
    names = tuple(f"mn{i}" for i in range(count))
    before = [names[who[0]] for who in by_hash(FLOWS, keys_of(names))]
    after = [(*names, "new")[who[0]] for who in by_hash(FLOWS, keys_of((*names, "new")))]
    moved = [b for a, b in zip(before, after, strict=True) if a != b]
    assert set(moved) == {"new"}
    p, n = 1 / (count + 1), len(FLOWS)
    assert abs(len(moved) - n * p) < 5 * (n * p * (1 - p)) ** 0.5
    assert {name: before.count(name) for name in names} == pytest.approx(dict.fromkeys(names, n / count), rel=0.35)


def test_the_order_of_mobile_nodes_and_flows_means_nothing_to_the_hash():
    names = ("a", "b", "c", "d")
    one = {f: names[who[0]] for f, who in zip(FLOWS, by_hash(FLOWS, keys_of(names)), strict=True)}
    other = {f: names[::-1][who[0]] for f, who in zip(FLOWS[::-1], by_hash(FLOWS[::-1], keys_of(names[::-1])), strict=True)}
    assert one == other


@given(st.integers(1, 12), st.integers(0, 30), st.data())
def test_round_robin(flows, mobiles, data):
    k = data.draw(st.one_of(st.integers(1, flows), st.just("all")))
    who = round_robin(flows, mobiles, k)
    k = flows if k == "all" else k
    assert sorted(m for each in who for m in each) == sorted(list(range(mobiles)) * k)
    assert {len(each) for each in who} <= {mobiles * k // flows, -(-mobiles * k // flows)}
    assert all(len(set(each)) == len(each) for each in who)


def test_a_capture_that_cannot_be_read_is_said(tmp_path):
    with pytest.raises(handoff_traces.TraceError, match="cannot be opened"):
        open_capture(tmp_path / "none")
