"""Memory of a mobile node, as counted by the engine and as measured from outside."""

import json
import os
import subprocess
import sys

import pytest

from engine import Engine, Network

IDLE = """
import json, sys
from tests.unit.engine.test_memory import idle
from engine import Engine

engine = Engine(idle(int(sys.argv[1])))
counted = sum(engine.memory.values())
resident = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) * 1024
print(json.dumps([counted, resident]))
"""


def idle(mobiles):
    """Return a network with mobile nodes that are attached and bound at a home agent and receive nothing."""
    net = Network()
    net.node("ha")
    for i in range(8):
        net.node(f"ar{i}")
        net.link("ha", f"ar{i}", rate="1Gbit/s", delay="10ms", buffer_packets=100)
        net.cell(f"ar{i}", rate="10Mbit/s", delay="2ms", buffer_packets=100)
    nodes = net.mobiles(mobiles, home="ha")
    for i in range(8):
        net.attach(nodes[i::8], f"ar{i}")
        net.set_local(f"ar{i}", nodes[i::8])
        net.bind("ha", nodes[i::8], f"ar{i}")
    return net


def test_an_idle_mobile_takes_64_bytes_besides_its_queue():
    """State (32, and 4 for its first attachment) and binding (24, and a seventh for free slots)."""
    memory = Engine(idle(100_000)).memory
    assert 60 <= (memory["mobiles"] + memory["bindings"]) / 100_000 <= 64


def test_a_queue_has_no_ring_before_a_packet_waits_in_it():
    """64 bytes for a FIFO, allocated in blocks, and one entry each at the router and at its cell."""
    memory = Engine(idle(65_536)).memory
    assert memory["visitors"] / 65_536 == pytest.approx(24 * 8 / 7, rel=0.01)
    assert 64 + 27 <= memory["queues"] / 65_536 <= 2 * 64 + 28
    assert memory["flows"] == 0


def test_equal_flows_share_a_schedule():
    """State 64, key 8; node, schedule, mobile and counter 4 each; source 32, twice before the flow has started."""
    net = idle(10_000)
    net.cbr("ha", range(10_000), interval="20ms", size_bytes=200, start_ps=range(10_000))
    engine = Engine(net)
    assert engine.memory["flows"] / 10_000 == pytest.approx(88 + 2 * 32, abs=0.1)
    engine.advance("100ms")
    assert engine.memory["flows"] / 10_000 == pytest.approx(88 + 32, abs=0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_count_agrees_with_the_process_memory():
    """Difference between two sizes; the description takes 32 bytes a node, allocators and page tables some more."""
    found = []
    for mobiles in (100_000, 400_000):
        done = subprocess.run([sys.executable, "-c", IDLE, str(mobiles)], capture_output=True, check=True, text=True)
        found.append(json.loads(done.stdout))
    counted, resident = ((b - a) / 300_000 for a, b in zip(*found, strict=True))
    assert counted <= resident <= 1.25 * counted + 32


@pytest.mark.parametrize("rate", ["1kbit/s", "infinite"])
def test_the_estimate_covers_uplinks(rate):
    """20 mobile nodes send 1,000 packets each, which all wait at the mobile node or are on their way to the router."""
    net = Network()
    net.node("ap")
    net.cell("ap", delay="1h", up_rate=rate)
    phones = net.mobiles(20, home="ap")
    net.attach(phones, "ap")
    net.set_upstream_route(phones, "ap")
    net.cbr("ap", phones, interval="1ms", size_bytes=1000, up=True)
    engine = Engine(net)
    engine.advance("1s")
    assert engine.result().flows["in_flight"].sum() == 20_000
    assert 20_000 * 32 < engine.memory["queues"] < engine.memory_estimate("1s")


KEPT_HEAP = """
from tests.unit.engine.test_memory import idle
from engine import Engine
from engine.memory import keep_freed_memory

def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def run_engine():
    engine = Engine(idle(10))
    engine.advance(1)
    engine.release_controllers()

run_engine()
keep_freed_memory()
before = resident_bytes()
blocks = [bytearray(1 << 20) for _ in range(64)]
large = bytearray(64 << 20)  # the C library would map it by itself
del blocks, large
run_engine()
print(resident_bytes() - before)
"""


@pytest.mark.skipif(sys.platform != "linux" or "glibc" not in os.confstr("CS_GNU_LIBC_VERSION"), reason="a setting of glibc")
def test_freed_memory_stays_with_the_process():
    """128 MB are allocated and freed; at least 100 of them stay, and a small engine does not return them."""
    output = subprocess.run([sys.executable, "-c", KEPT_HEAP], capture_output=True, text=True, check=True).stdout
    assert int(output) > 100 << 20


def line(delay="1us", **limits):
    """Return a link to a router with one mobile node; the other queues hold one packet, so that they hardly count."""
    net = Network()
    for name in ("cn", "ar"):
        net.node(name)
    net.link("cn", "ar", delay=delay, **limits)
    net.link("ar", "cn", rate="1Gbit/s", delay="1us", buffer_packets=1)
    net.cell("ar", rate="1Gbit/s", delay="1us", buffer_packets=1, shared=True)
    net.attach(net.mobiles(1, home="ar"), "ar")
    net.set_local("ar", 0)
    return net


def add_replays(net, count):
    for i in range(count):
        net.replay("cn", [0], [0], [100], label=f"f{i}")


def add_poisson(net, count):
    for i in range(count):
        net.poisson("cn", [0], mean="1s", size_bytes=100, label=f"f{i}")


@pytest.mark.parametrize("add_flows", [add_replays, add_poisson])
def test_the_estimate_counts_the_calendar_of_sources(add_flows):
    """One source more than a power of two needs the most buckets for each; replays are due at one instant."""
    net = line(rate="1Gbit/s", buffer_packets=1)
    add_flows(net, 1025)
    engine = Engine(net)
    assert 0.6 * engine.memory_estimate("1ms") < sum(engine.memory.values()) < engine.memory_estimate("1ms")


def test_the_estimate_counts_what_is_looked_up_for_arrivals():
    """A level looks up the packets of a long link that arrive in a window."""
    net = line("1s")
    net.cbr("cn", [0], interval="10us", size_bytes=100, count=16_385)
    engine = Engine(net, scheduling="level", window_ps=10**8)
    for until in ("500ms", "999900us", "1010ms"):
        engine.advance(until)
        assert sum(engine.memory.values()) < engine.memory_estimate(until)
