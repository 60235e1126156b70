"""Arithmetic of a replay (docs/replay.md): cases by hand, a second implementation, and invariants on random captures."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Network
from handoff.scenario.traffic import Traffic
from handoff.workload.conversation import add_replay, load_conversations, loop_period, scale_to_ps
from handoff.workload.flow_ends import FlowEnds

from .capture_packets import Packet, compiled_capture
from .replay_reference import replay_flows
from .replay_strategies import EPOCH_NS, EXAMPLES, MOBILE, capture, choices, filters, paces, packet, times, windows

PHONE, WEB, VOICE = (MOBILE, 4000), ("10.0.1.2", 80), ("10.0.1.3", 5004)


def scenario_keys(options):
    """Write windows, durations and sizes as texts with a unit."""

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


def flows_in_network(captures, **options):
    """Return (name, packets as (ps, down, size), period) of each flow that the product adds; [] if none is left."""
    names = [f"{i}.pcap" for i in range(len(captures))]
    traffic = Traffic(capture=names, **{"mobile_address": MOBILE} | scenario_keys(options))
    try:
        conversations, _ = load_conversations([compiled_capture(packets) for packets in captures], traffic)
    except ValueError:
        return []
    net = Network()
    net.node("cn"), net.mobile("mn", home="cn")
    add_replay(net, FlowEnds.with_node("cn", 1), [[0]] * len(conversations), conversations, seed=1, traffic=traffic)
    rows = net.flows()
    flows = []
    for conversation in conversations:
        numbers = [first for label, first, _ in net.flow_labels if label == conversation.name]
        packets = []
        for number in numbers:
            assert rows["start"][number] == traffic.shift
            assert rows["interval"][number] == (conversation.period_ps or 0)
            replay = net.replays[rows["source"][number] - 2]
            packets += [(replay.time_ps(i), rows["up"][number] == 0, int(replay.sizes[i])) for i in range(len(replay))]
        flows.append((conversation.name, sorted(packets), conversation.period_ps))
    return flows


def assert_same_as_reference(captures, options):
    expected = replay_flows(captures, {"mobile_address": MOBILE} | options)
    assert flows_in_network(captures, **options) == [(f.name, sorted(f.sent), f.period_ps) for f in expected]


# -- by hand -----------------------------------------------------------------------------------------------------------------
HAND = [
    Packet(EPOCH_NS + 0, ("10.9.9.9", 1), ("10.9.9.8", 1), 17, 500),  # of no mobile node; the stream begins with it
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
    "one direction": ({"select": [{"direction": "up"}]}, [(TCP, [0], None), (UDP, [0], None)]),
    "by port": ({"select": [{"port": 80}]}, [(TCP, [0, 7000, 21000], 31500)]),
    "who began": ({"select": [{"source": MOBILE}]}, [(TCP, [0, 7000, 21000], 31500)]),
    "not who began": ({"exclude": [{"destination": "10.0.1.0/24"}]}, [(UDP, [0, 20000, 40000, 58000], 77333)]),
    "bytes": ({"select": [{"min_bytes": 681}]}, [(TCP, [0, 7000, 21000], 31500)]),
    "packets": ({"select": [{"min_packets": 4}]}, [(UDP, [0, 20000, 40000, 58000], 77333)]),
    "duration": ({"exclude": [{"min_duration": 58}]}, [(TCP, [0, 7000, 21000], 31500)]),
    "begin": ({"select": [{"begins": (10, 30)}]}, [(TCP, [0, 7000, 21000], 31500)]),
    "once": ({"loop": False, "exclude": [{"protocol": 17}]}, [(TCP, [0, 7000, 21000], None)]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_times_and_periods_by_hand(case):
    options, expected = CASES[case]
    assert [(name, [t for t, _, _ in sent], period) for name, sent, period in flows_in_network([HAND], **options)] == expected


def test_flows_that_begin_at_one_time_are_in_the_order_of_the_capture():
    """Web begins first, but clipped both begin at 30 ns, and voice is first in the file."""
    packets = [
        Packet(EPOCH_NS + 30, VOICE, PHONE, 17, 200),
        Packet(EPOCH_NS, WEB, PHONE, 6, 60),
        Packet(EPOCH_NS + 30, WEB, PHONE, 6, 60),
    ]
    assert [name for name, _, _ in flows_in_network([packets])] == [TCP, UDP]
    assert [name for name, _, _ in flows_in_network([packets], clip=(1, None))] == [UDP, TCP]


def test_clocks_by_hand():
    """The second capture begins 1000 ns later: with one clock its packets come last, with a clock each among the others."""
    later = [Packet(p.time_ns + 1000, *(p.source, p.destination, p.protocol, p.length)) for p in HAND[1:3]]
    assert [t for t, _, _ in flows_in_network([HAND, later])[0][1]] == [0, 7000, 21000, 1_000_000, 1_007_000]
    assert [t for t, _, _ in flows_in_network([HAND, later], clocks="each")[0][1]] == [0, 7000, 10000, 17000, 31000]


# -- against a second implementation -----------------------------------------------------------------------------------------
@settings(max_examples=EXAMPLES, deadline=None)
@given(capture, choices)
def test_one_capture_is_replayed_as_by_the_reference(packets, options):
    assert_same_as_reference([packets], options)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(capture, min_size=2, max_size=3), choices, st.sampled_from(["absolute", "each"]))
def test_several_captures_are_replayed_as_by_the_reference(captures, options, clocks):
    assert_same_as_reference(captures, options | {"clocks": clocks})


# -- invariants --------------------------------------------------------------------------------------------------------------
def packets_of(flows):
    return sorted((name, *packet) for name, sent, _ in flows for packet in sent)


def exact(flows, pace=Fraction(1)):
    """Scale times at the recorded pace as fractions, and round once."""
    return [(name, [(int(t * pace), down, size) for t, down, size in sent]) for name, sent, _ in flows]


@settings(max_examples=EXAMPLES, deadline=None)
@given(capture, windows, paces)
def test_clipping_and_scaling_commute(packets, window, pace):
    """Scaling moves packet t to t f and the window to [p f, q f): the same packets remain, at the same times."""
    begin, end = window
    f = Fraction(pace)
    clipped = flows_in_network([packets], clip=window, origin="stream", pace=pace)
    unclipped = flows_in_network([packets], origin="stream")
    other = []
    for name, sent, _ in unclipped:
        rows = [(t * f, down, size) for t, down, size in sent]
        rows = [r for r in rows if begin * 1000 * f <= r[0] and (end is None or r[0] < end * 1000 * f)]
        other += [(name, int(t - begin * 1000 * f), down, size) for t, down, size in rows]
    assert packets_of(clipped) == sorted(other)


@settings(max_examples=EXAMPLES, deadline=None)
@given(capture, paces, paces)
def test_scaling_twice_is_scaling_by_the_product(packets, one, two):
    product = Fraction(one) * Fraction(two)
    if Fraction(1, 1000) <= product <= 1000:
        both = flows_in_network([packets], pace=str(product))
        assert [(name, sent) for name, sent, _ in both] == exact(flows_in_network([packets]), product)


@settings(max_examples=EXAMPLES, deadline=None)
@given(capture, choices, st.integers(0, 10**12))
def test_a_shift_changes_only_the_starts(packets, options, shift):
    """``flows_in_network`` asserts that every flow starts at the shift."""
    assert flows_in_network([packets], **options, shift=f"{shift}ps") == flows_in_network([packets], **options)


@settings(max_examples=EXAMPLES, deadline=None)
@given(capture, st.lists(times, min_size=3, max_size=3, unique=True), st.sampled_from(["clip", "clip_flows"]))
def test_two_adjacent_clips_hold_the_packets_of_their_union(packets, cuts, which):
    p, q, r = sorted(cuts)
    counts = [sum(len(sent) for _, sent, _ in flows_in_network([packets], **{which: w})) for w in ((p, q), (q, r), (p, r))]
    assert counts[0] + counts[1] == counts[2]


@settings(max_examples=EXAMPLES, deadline=None)
@given(capture, filters)
def test_select_and_exclude_are_complements(packets, conditions):
    ways = [flows_in_network([packets], origin="stream", **{key: conditions}) for key in ("select", "exclude")]
    assert sorted(packets_of(ways[0]) + packets_of(ways[1])) == packets_of(flows_in_network([packets], origin="stream"))


@settings(max_examples=EXAMPLES, deadline=None)
@given(capture, st.integers(0, 25), choices)
def test_a_split_capture_is_replayed_as_the_whole_one(packets, cut, options):
    packets = sorted(packets, key=lambda p: p.time_ns)
    parts = [part for part in (packets[:cut], packets[cut:]) if part]
    clocks = {"clocks": "absolute"} if len(parts) > 1 else {}
    assert flows_in_network(parts, **options, **clocks) == flows_in_network([packets], **options)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.lists(packet, max_size=12), min_size=2, max_size=3), st.randoms(), choices)
def test_the_order_of_captures_does_not_matter_if_all_times_differ(captures, random, options):
    known = set()
    captures = [[p for p in part if not (p.time_ns in known or known.add(p.time_ns))] for part in captures]
    captures = [part for part in captures if part]
    if len(captures) > 1:
        shuffled = random.sample(captures, len(captures))
        assert flows_in_network(captures, **options) == flows_in_network(shuffled, **options)


@settings(max_examples=EXAMPLES, deadline=None)
@given(capture, choices)
def test_repetitions_are_one_period_apart(packets, options):
    for flow in replay_flows([packets], {"mobile_address": MOBILE} | options):
        for down in (False, True):
            once = [t for t, is_down, _ in flow.sent if is_down == down]
            if not flow.period_ps or not once:
                continue
            repeated = [t for t, _ in flow.until(0, 3 * flow.period_ps + once[0], down)]
            assert repeated == sorted(repeated)
            assert repeated == [t + m * flow.period_ps for m in range(3) for t in once]


# -- formulas ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("time_ns", "pace", "expected"),
    [(7, Fraction(1), 7000), (7, Fraction(1, 3), 2333), (0, Fraction(5), 0), (1, Fraction(1, 1001), 0)],
)
def test_times_are_scaled_exactly_and_rounded_down(time_ns, pace, expected):
    assert scale_to_ps(time_ns, pace) == expected


@pytest.mark.parametrize(("length_ps", "packets", "expected"), [(21_000, 3, 31_500), (0, 5, None), (2, 4, 3)])
def test_a_loop_adds_the_mean_gap_of_at_least_a_picosecond(length_ps, packets, expected):
    assert loop_period(length_ps, packets) == expected
