"""Samples: counters at any time of a run, the same for every order of processing."""

import numpy as np
import pytest

from engine import Engine, Network
from engine.results import FLOW_SAMPLE, LINK_SAMPLE, NODE_SAMPLE, SAMPLE_STATES, EngineStateError
from tests.unit.engine.two_cell_network import MS, UNTIL_MS, Anchor, Router, Walker, network

US = 10**6


def burst(*, slow, shared=False, up=False):
    """Return an engine in which eight packets of 1,000 bytes, 250 us apart, enter a queue of 8 Mbit/s: each takes 1 ms."""
    net, rate = Network(), {True: "8Mbit/s", False: "8Gbit/s"}
    net.node("server"), net.node("ap")
    net.link("server", "ap", rate=rate[slow == "link"], delay="2ms", both=True)
    net.cell("ap", rate=rate[slow == "cell"], delay="3ms", shared=shared)
    phone = net.mobile("phone", home="ap")
    net.attach(phone, "ap"), net.set_local("ap", phone), net.set_upstream_route(phone, "ap")
    net.cbr("server", phone, interval="250us", count=8, size_bytes=1000, up=up)
    return Engine(net)


def queue_at(engine, time_ps, link):
    engine.advance(time_ps)
    rows = engine.sample().links
    columns = dict(zip(LINK_SAMPLE, rows[["server>ap", "ap>server", "ap>*", "ap<*"].index(link)].tolist(), strict=True))
    assert columns["busy_high"] == 0
    return columns["packets"], columns["bytes"], columns["queue_packets"], columns["busy_low"]


@pytest.mark.parametrize(
    ("slow", "shared", "up", "link", "first_us"),
    [
        ("link", False, False, "server>ap", 0),
        ("cell", False, False, "ap>*", 2001),  # 1 us on the link of 8 Gbit/s, and its delay
        ("cell", True, False, "ap>*", 2001),
        ("cell", False, True, "ap<*", 0),
    ],
)
def test_a_burst_is_served_packet_by_packet(slow, shared, up, link, first_us):
    engine, first = burst(slow=slow, shared=shared, up=up), first_us * US
    # Packet k enters at k * 250 us and its transmission ends at (k + 1) ms. At 1.5 ms, the packet of that time is not there yet.
    assert queue_at(engine, first + 1500 * US, link) == (6, 6000, 5, 1500 * US)
    assert queue_at(engine, first + 2000 * US, link) == (8, 8000, 6, 2000 * US)  # the second one has just left
    assert queue_at(engine, first + 7999 * US, link) == (8, 8000, 1, 7999 * US)
    assert queue_at(engine, first + 8000 * US, link) == (8, 8000, 0, 8000 * US)
    assert queue_at(engine, first + 20000 * US, link) == (8, 8000, 0, 8000 * US)
    assert engine.sample().flows == (8, 8, 0)


def sampled(times, **options):
    net = network()
    net.schedule_event(190 * MS, "walker", 2, node="east")
    engine = Engine(net, seed=3, **options)
    engine.attach_mobiles(Walker(net)), engine.attach("anchor", Anchor(net)), engine.attach("east", Router())
    samples = []
    for time_ps in times:
        engine.advance(time_ps)
        samples.append(engine.sample())
    return samples, engine.result()


TIMES = [*range(7 * MS + 1, UNTIL_MS * MS, 7 * MS + 1), UNTIL_MS * MS]


@pytest.fixture(scope="module")
def reference():
    return sampled(TIMES, scheduling="heap")


@pytest.mark.parametrize(
    "options",
    [{}, {"threads": 2, "scheduling": "window"}, {"scheduling": "window", "window_ps": MS // 3}, {"scheduling": "level"}],
)
def test_samples_do_not_depend_on_the_order_of_processing(reference, options):
    samples, result = sampled(TIMES, **options)
    assert result.fingerprint == reference[1].fingerprint
    for sample, expected in zip(samples, reference[0], strict=True):
        assert sample.flows == expected.flows
        assert np.array_equal(sample.links, expected.links), sample.time_ps
        assert np.array_equal(sample.nodes, expected.nodes), sample.time_ps


def test_samples_do_not_change_the_run(reference):
    last, result = sampled(TIMES[-1:])
    assert result.fingerprint == reference[1].fingerprint
    assert np.array_equal(last[0].links, reference[0][-1].links)


def test_the_last_sample_has_the_counts_of_the_result(reference):
    samples, result = reference
    last = samples[-1]
    for i, name in enumerate(LINK_SAMPLE[: LINK_SAMPLE.index("queue_packets")]):
        assert last.links[:, i].tolist() == result.links[name].tolist(), name
    nodes = dict(zip(NODE_SAMPLE, last.nodes.T, strict=True))
    assert nodes["registrations"].tolist() == result.nodes["registered"].tolist()
    assert nodes["dropped"].tolist() == (result.nodes["forwarding_dropped"] + result.nodes["registration_dropped"]).tolist()
    assert dict(zip(FLOW_SAMPLE, last.flows, strict=True)) == {name: result.flows[name].sum() for name in FLOW_SAMPLE}
    assert all(result.flows[name].sum() > 0 for name in FLOW_SAMPLE)


def test_links_transmit_at_most_all_the_time_and_what_they_accepted(reference):
    samples, result = reference
    columns = {name: np.array([sample.links[:, i] for sample in samples]) for i, name in enumerate(LINK_SAMPLE)}
    assert (columns["busy_high"] == 0).all()
    work, times = np.diff(columns["busy_low"], axis=0), np.diff(np.array(TIMES))[:, None]
    unshared = [name.endswith("*") for name in result.link_names]
    assert (work >= 0).all()
    assert (work <= times)[:, np.logical_not(unshared)].all()
    rest = result.links["busy_ps"] - columns["busy_low"][-1]
    queue = columns["queue_packets"]
    assert ((rest > 0) == (queue[-1] > 0)).all()
    assert queue.max() > 3
    full = (queue[1:] > 0) & (queue[:-1] > 0) & (columns["packets"][1:] == columns["packets"][:-1])
    assert (work[full] > 0).all()


def test_bindings_and_messages_of_nodes_are_those_at_the_time():
    samples, result = sampled([189 * MS, UNTIL_MS * MS])
    row = {name: i for i, name in enumerate(NODE_SAMPLE)}
    anchor, east = result.node_names.index("anchor"), result.node_names.index("east")
    before, after = samples
    # Both mobile nodes are bound from the start; the walker's request replaces its binding and admits it at the new router.
    assert [s.nodes[anchor, row["bindings"]] for s in samples] == [2, 2]
    assert [s.nodes[east, row["visitors"]] for s in samples] == [0, 1]
    assert [s.nodes[anchor, row["registrations"]] for s in samples] == [0, 1]
    assert (before.nodes[anchor, row["busy_low"]], after.nodes[anchor, row["busy_low"]]) == (0, MS)  # registration = "1ms"


def rows_between(before, after, names, element_count):
    """Return the rows of the interval between two samples: growth of the counters, states at its end, and the busy time in ps."""
    rows = {}
    for element in range(element_count):
        old, new = (dict(zip(names, np.atleast_2d(table)[element].tolist(), strict=True)) for table in (before, after))
        row = {name: new[name] if name in SAMPLE_STATES else new[name] - old[name] for name in names}
        if "busy_low" in names:
            row["busy_low"] = row["busy_low"] + (row.pop("busy_high") << 64)
        if any(row.values()):
            rows[element] = list(row.values())
    return rows


@pytest.mark.parametrize("options", [{}, {"threads": 2, "scheduling": "window"}, {"scheduling": "heap"}])
@pytest.mark.parametrize("start_ms", [0, 9])
def test_intervals_are_recorded_from_sample_to_sample(options, start_ms):
    net = network()
    sliced, recording = (Engine(net, seed=3, **options) for _ in range(2))
    for engine in (sliced, recording):
        engine.attach_mobiles(Walker(net)), engine.attach("anchor", Anchor(net)), engine.attach("east", Router())
        engine.advance(start_ms * MS)
    stops = [stop * MS for stop in (10, 21, 28, 28, 30, 60)]
    assert [recording.advance_by_intervals(stop, 7 * MS) for stop in stops] == stops
    tables = recording.take_intervals()
    last = sliced.sample()
    for end in [*(t * MS for t in range(7, 60, 7) if t > start_ms), 60 * MS]:
        begin, before = last.time_ps, last
        sliced.advance(end)
        last = sliced.sample()
        for names, kind in ((LINK_SAMPLE, "links"), (NODE_SAMPLE, "nodes"), (FLOW_SAMPLE, "flows")):
            rows = np.concatenate(getattr(tables, kind))
            rows = rows[rows[:, 1] == end]
            assert (rows[:, 0] == begin).all()
            columns = len(names) - ("busy_high" in names)
            actual = {row[2]: row[3 : 3 + columns] for row in rows.tolist()}
            expected = rows_between(getattr(before, kind), getattr(last, kind), names, len(np.atleast_2d(getattr(last, kind))))
            assert actual == expected, kind
    assert recording.result().fingerprint == sliced.result().fingerprint
    assert [len(block) for blocks in recording.take_intervals() for block in blocks] == [0, 0, 0]


def test_intervals_need_a_length():
    with pytest.raises(ValueError, match="interval"):
        Engine(network()).advance_by_intervals("1s", 0)


def test_no_intervals_are_taken_before_some_are_recorded():
    engine = Engine(network())
    engine.advance("1s")
    with pytest.raises(EngineStateError, match="advance_by_intervals has recorded no interval"):
        engine.take_intervals()


def test_the_rows_of_many_intervals_are_kept():
    engine = burst(slow="link")
    engine.advance_by_intervals("20ms", "400ns")  # the queue has packets, or the link transmits, in the first 8 ms
    blocks = engine.take_intervals().links
    rows = np.concatenate(blocks)[:, [0, 2, 3 + LINK_SAMPLE.index("busy_low")]]
    assert len(blocks) > 2
    assert [row for row in rows.tolist() if row[1] == 0] == [[t * US * 2 // 5, 0, US * 2 // 5] for t in range(20_000)]


def test_the_busy_time_of_pooled_queues_may_pass_64_bits():
    net = Network()
    net.node("server"), net.node("ap")
    net.link("server", "ap", rate="1Gbit/s", delay="1ms", both=True)
    net.cell("ap", rate="1bit/s", delay="1ms")
    for i in range(64):  # each is sent 520,000 bits
        phone = net.mobile(f"phone{i}", home="ap")
        net.attach(phone, "ap"), net.set_local("ap", phone)
        net.cbr("server", phone, interval="1s", count=1, size_bytes=65_000)
    engine = Engine(net)
    engine.advance_by_intervals(500_000 * 10**12, 10_000 * 10**12)
    rows = np.concatenate(engine.take_intervals().links)
    low, high = rows[rows[:, 2] == 2][1:, [3 + LINK_SAMPLE.index(name) for name in ("busy_low", "busy_high")]].T.tolist()
    assert 64 * 500_000 * 10**12 > 2**64
    assert [(a & 2**64 - 1) + (b << 64) for a, b in zip(low, high, strict=True)] == [64 * 10_000 * 10**12] * 49
