"""Recorded packet sequences: exact for any clock, read in place, refused with the reason."""

import mmap
import os
import sys
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine import Engine, Network, NetworkError
from engine.replay import Replay

NS = 1000  # ps
EPOCH_NS = 1_795_442_716_571_701_377


def network():
    net = Network()
    net.node("ap")
    net.cell("ap", delay="2ms")
    phone = net.mobile("phone", home="ap")
    net.attach(phone, "ap")
    net.set_local("ap", phone)
    return net, phone


def sent(times, sizes, *, until, start_ps=0, **clock):
    """Return times and sizes of the replayed packets, from the packet records."""
    net, phone = network()
    net.replay("ap", phone, times, sizes, start_ps=start_ps, **clock)
    packets = Engine(net, record="packets").run(until).packets
    return packets["sent_ps"].tolist()


def test_by_hand():
    """(T - origin) 1000 a div b with a/b = 7/3: 0, 1, 5, 10 ns become 0, 2333, 11666, 23333 ps; each period is 30 ns later."""
    times = EPOCH_NS + np.array([0, 1, 5, 10])
    turns = sent(times, [100] * 4, until=65_000, origin=EPOCH_NS, multiply=7 * NS, divide=3, period_ps=30_000)
    assert turns == [0, 2333, 11666, 23333, 30000, 32333, 41666, 53333, 60000, 62333]
    later = sent(times, [100] * 4, until=65_000, origin=EPOCH_NS - 2, multiply=NS, start_ps=50_000)
    assert later == [52_000, 53_000, 57_000, 62_000]


@given(
    ticks=st.lists(st.integers(0, 10**15), min_size=1, max_size=8),
    origin=st.integers(-(2**62), 2**62),
    multiply=st.integers(1, 2**63 - 1),
    divide=st.integers(1, 2**63 - 1),
    start_ps=st.integers(0, 10**12),
)
@example(ticks=[1490, 1490], origin=3380, multiply=2**63 - 1, divide=1490, start_ps=1490)  # after 2**63 ps
def test_any_clock(ticks, origin, multiply, divide, start_ps):
    """Compare with fractions: products up to 2**113, always rounded down."""
    ticks = sorted(ticks)
    exact = [int(Fraction(t * multiply, divide)) for t in ticks]
    if exact[-1] >= 2**63:
        with pytest.raises(NetworkError, match=r"2\*\*63 ps or more after"):
            sent([origin + t for t in ticks], [1] * len(ticks), until=1, origin=origin, multiply=multiply, divide=divide)
        return
    until = 10**17
    found = sent(
        [origin + t for t in ticks], [1] * len(ticks), until=until, origin=origin, multiply=multiply, divide=divide,
        start_ps=start_ps,
    )  # fmt: skip
    assert found == [start_ps + t for t in exact if start_ps + t < until]


REFUSED = [
    ([0, 2, 1], [9, 9, 9], {}, "times must be sorted"),
    ([0, 1], [9], {}, r"a replay needs one size for each time, at least one; got shapes \(2,\) and \(1,\)"),
    ([], [], {}, "at least one"),
    ([5], [9], {"origin": 6}, "times must not be before their origin"),
    ([0], [0], {}, "a packet has 1 to 65000 bytes, not 0"),
    ([0], [65_001], {}, "a packet has 1 to 65000 bytes, not 65001"),
    ([0], [-3], {}, "sizes_bytes is out of range: it is 0 to"),
    ([0], [9], {"multiply": 0}, "multiply is out of range"),
    ([0], [9], {"divide": 2**63}, "divide is out of range"),
    ([0, 10], [9, 9], {"period_ps": 10}, "a period of 10 ps is not longer than the sequence"),
    ([0, 10], [9, 9], {"period_ps": 5, "divide": 2}, "a period of 5 ps is not longer than the sequence"),
]


@pytest.mark.parametrize(("times", "sizes", "clock", "message"), REFUSED)
def test_refused(times, sizes, clock, message):
    net, phone = network()
    with pytest.raises(NetworkError, match=f"replay 'replay': .*{message}"):
        net.replay("ap", phone, times, sizes, **clock)
    assert net.flow_count == 0


def test_disorder_between_two_blocks_is_detected(monkeypatch):
    monkeypatch.setattr("engine.replay.BLOCK_ROWS", 2)
    with pytest.raises(ValueError, match="sorted"):
        Replay.of([3, 4, 2, 5], [9] * 4, 0, 1, 1, None)


def columns(folder, packets):
    """Return mapped columns of times 1 us apart and sizes."""
    np.save(folder / "times.npy", np.arange(packets, dtype=np.int64) * 1000 + EPOCH_NS)
    np.save(folder / "sizes.npy", np.full(packets, 100, np.uint32))
    return tuple(np.load(folder / name, mmap_mode="r") for name in ("times.npy", "sizes.npy"))


def test_mapped_columns_are_not_copied(tmp_path):
    times, sizes = columns(tmp_path, 1000)
    replay = Replay.of(times, sizes, EPOCH_NS, NS, 1, SimpleNamespace(drop_pages=lambda: None))
    assert np.shares_memory(replay.times, times)
    assert np.shares_memory(replay.sizes, sizes)
    assert not replay.times.flags.writeable
    assert replay.bytes_in_memory == 0
    half = Replay.of(times[500:], sizes[500:], EPOCH_NS, NS, 1, None)
    assert not np.shares_memory(half.times, times)
    assert half.bytes_in_memory == 500 * (8 + 4)


@pytest.mark.skipif(sys.platform != "linux", reason="counts resident pages as Linux does")
@pytest.mark.parametrize("scheduling", ["window", "level", "heap"])
def test_a_long_run_releases_pages_it_has_read(tmp_path, scheduling):
    """Six million packets are 72 MB of columns; at most a third of them is resident at any time."""
    times, sizes = columns(tmp_path, 6_000_000)
    given_back = []

    def resident():
        with open(f"/proc/{os.getpid()}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("RssFile:"))  # kB

    class Columns:
        def drop_pages(self):
            given_back.append(resident())
            for column in (times, sizes):
                column._mmap.madvise(mmap.MADV_DONTNEED)

    net, phone = network()
    net.replay("ap", phone, times, sizes, origin=EPOCH_NS, multiply=NS, mapping=Columns())
    given_back.clear()
    before = resident()
    result = Engine(net, scheduling=scheduling).run("6s")
    assert int(result.flows["sent"][0]) == 6_000_000
    assert len(given_back) == 2
    assert max(given_back) - before < 32_000


def test_a_period_beyond_int64_is_refused():
    net, phone = network()
    with pytest.raises(ValueError, match="period_ps is out of range: it is 0 to 9223372036854775807, not 9223372036854775808"):
        net.replay("ap", phone, [0, 1], [100, 100], period_ps=2**63)
