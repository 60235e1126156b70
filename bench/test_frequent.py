"""Group *frequent*: operations of every packet."""

from __future__ import annotations

from typing import Any

import pytest

from bench.small import PACKETS, line, ready, run
from engine import Network


def timed(benchmark: Any, network: Network, **options: Any) -> Any:
    benchmark.group = "frequent"
    engine = benchmark.pedantic(run, setup=lambda: ready(network, **options), rounds=5)
    result = engine.result()
    assert result.fate_counts() == {"delivered": PACKETS}
    return result


@pytest.mark.parametrize("links", [1, 8])
def test_transmit(benchmark: Any, links: int) -> None:
    assert timed(benchmark, line(links)).events == (links + 1) * PACKETS


def test_transmit_into_a_bounded_queue(benchmark: Any) -> None:
    assert timed(benchmark, line(buffer_packets=100)).links["peak_packets"][0] == 1


@pytest.mark.parametrize("mobiles", [10, 1_000, 100_000])
def test_table_look_up(benchmark: Any, mobiles: int) -> None:
    timed(benchmark, line(mobiles=mobiles))


@pytest.mark.parametrize("mobiles", [10, 1_000, 100_000])
def test_poisson_gaps(benchmark: Any, mobiles: int) -> None:
    net = line()
    more = net.mobiles(mobiles, prefix="poisson", home=1)
    net.attach(more, 1)
    net.set_local([1] * mobiles, more)
    net.poisson("n0", more, mean=mobiles * 10**6, size_bytes=1000, count=PACKETS // mobiles)
    benchmark.group = "frequent"
    engine = benchmark.pedantic(lambda e: e.advance("2s") and e, setup=lambda: ready(net), rounds=5)
    assert engine.result().fate_counts()["delivered"] > 1.9 * PACKETS


@pytest.mark.parametrize("record", ["none", "drops", "packets"])
def test_records(benchmark: Any, record: str) -> None:
    packets = timed(benchmark, line(), record=record).packets
    assert {"none": packets is None, "drops": packets is not None and len(packets["seq"]) == 0}.get(record, packets is not None)
