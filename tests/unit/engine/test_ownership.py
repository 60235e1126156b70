"""An engine owns its inputs, serves one call at a time, and a refused call of a network changes nothing."""

import os
import signal
import subprocess
import sys
import threading
import traceback
from contextlib import suppress

import numpy as np
import pytest

from engine import FOREVER, Engine, EngineStateError, Network, NetworkError
from engine._checkpoint import save

MS = 10**9


def network(mobiles=2, interval="1ms"):
    net = Network()
    net.node("a"), net.node("b")
    net.link("a", "b", rate="10Mbit/s", delay="1ms", both=True)
    net.cell("b", rate="10Mbit/s", delay="1ms")
    phones = net.mobiles(mobiles, prefix="phone", home="b")
    net.attach(phones, "b")
    net.set_local("b", phones)
    net.cbr("a", phones, interval=interval, size_bytes=100)
    return net


def everything(net):
    """Return all that a network holds, as text."""
    columns = (net.flows(), net.attachments(), net.initial_bindings(), net.scheduled_events(), net.routes_up())
    names = (net.nodes, net.links, net.cells, net.groups, net.flow_labels, net._node_index, net._group_index)
    return repr((names, net.mobile_count, len(net.replays), [{f: v.tolist() for f, v in c.items()} for c in columns]))


# -- inputs -------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ask_window", [False, True])
def test_a_network_that_changes_later_does_not_change_its_engine(ask_window):
    net, expected = network(), Engine(network()).run("20ms").fingerprint
    engine = Engine(net)
    if ask_window:
        assert engine.window_ps > 0
    net.node("c")
    net.link("b", "c", delay=0, both=True)
    net.cell("c", delay=0)
    more = net.mobiles(1000, home="c")
    net.attach(more, "c")
    net.cbr("a", more, interval="1ms", size_bytes=100)
    net.nodes.clear(), net.links.clear(), net.groups.clear()
    assert engine.run("20ms").fingerprint == expected


def test_arrays_of_a_replay_may_be_changed_and_resized():
    def replayed(spoil):
        net = network()
        times, sizes = np.arange(1000, dtype=np.int64) * MS, np.full(1000, 100, np.uint32)
        net.replay("a", "phone0", times, sizes)
        engine = Engine(net)
        if spoil:
            times[:] = -1
            sizes[:] = 2**32 - 1
            times.resize(0, refcheck=False)
            sizes.resize(0, refcheck=False)
        return engine.run("1s").fingerprint

    assert replayed(spoil=True) == replayed(spoil=False)


def test_what_a_network_returns_does_not_change_it():
    net = network()
    looks = [net.flow_keys, net.flows, net.sorted_attachments, net.attachments, net.routes_up, net.initial_bindings]
    for look in looks:
        before = repr(look())
        columns = look()
        for column in columns.values() if isinstance(columns, dict) else [columns]:
            with suppress(ValueError):  # a column that is no copy is read-only
                column[:] = 77
        assert repr(look()) == before
    net.replay("a", 0, [0, 1], [5, 5])
    for column in (net.replays[0].times, net.replays[0].sizes):
        with pytest.raises(ValueError, match="read-only"):
            column[:] = 77


REFUSED = [
    ("node", ("c",), {"service": "soon"}),
    ("node", ("c",), {"service_queue": -1}),
    ("node", ("c",), {"service_queue": 0.5}),
    ("node", ("c",), {"service_queue": 0}),
    ("node", (5,), {}),
    ("node", ("\ud800",), {}),
    ("link", ("a", "b"), {"delay": -1}),
    ("link", ("a", "b"), {"delay": 0, "buffer_packets": -1}),
    ("link", ("a", "b"), {"delay": 0, "rate": 0}),
    ("link", ("a", "b"), {"delay": 0, "loss": "1/0"}),
    ("link", ("a", "b"), {"delay": 0, "name": 7, "both": True}),
    ("link", ("a", 0.5), {"delay": 0}),
    ("cell", ("a",), {"delay": 0, "up_loss": 1}),
    ("cell", ("a",), {"delay": 0, "up_buffer_packets": 2**63}),
    ("cell", ("a",), {"delay": 0, "up_buffer_bytes": 0}),
    ("mobile", ("m",), {"home": "nowhere"}),
    ("mobiles", (-1,), {"home": "a"}),
    ("mobiles", (1.5,), {"home": "a"}),
    ("mobiles", (2**33,), {"home": "a"}),
    ("attach", (0, "b", -1), {}),
    ("attach", (0, "b", 0.5), {}),
    ("attach", (0, "b", 0, 2**63), {}),
    ("attach", (0.5, "b"), {}),
    ("schedule_event", (-1, 0, 1), {}),
    ("schedule_event", (0, 0, 2**40), {}),
    ("schedule_event", (0, 0, 1, 2**63), {}),
    ("schedule_event", (0, 0, 1), {"node": 0.5}),
    ("bind", ("a", 0, "b"), {"header_bytes": 300}),
    ("bind", ("a", 0, "b"), {"header_bytes": 256}),
    ("bind", ("a", 0, "b"), {"header_bytes": -1}),
    ("bind", ("a", 0, "b"), {"header_bytes": 61}),
    ("bind", ("a", 0, "b"), {"end": 1}),
    ("set_local", ("b", 2**32), {}),
    ("cbr", ("a", 0), {"interval": 0, "size_bytes": 100}),
    ("cbr", ("a", 0), {"interval": 1, "size_bytes": 1.5}),
    ("cbr", ("a", 0), {"interval": 1, "size_bytes": 100, "count": -1}),
    ("cbr", ("a", 0), {"interval": 1, "size_bytes": 100, "start_ps": -1}),
    ("cbr", ("a", 0), {"interval": 1, "size_bytes": 100, "stop_ps": -1}),
    ("cbr", ("a", 0), {"interval": 1, "size_bytes": 100, "start_ps": [0, 1, 2]}),
    ("cbr", ("a", 0), {"interval": 1, "size_bytes": 100, "label": None}),
    ("poisson", ("a", 0), {"mean": 2**60, "size_bytes": 100}),
    ("replay", ("a", 0, [0, 1], [5, 5]), {"start_ps": -1}),
    ("replay", ("a", 0, [0, 1.5], [5, 5]), {}),
    ("replay", ("a", 0, [0, 1], [5, 5]), {"period_ps": -1}),
    ("replay", ("a", 0, [0, 1], [5, 5]), {"multiply": 1.5}),
    ("replay", ("a", 0, [0, 2**62], [5, 5]), {"origin": -(2**62), "divide": 2**62}),
]  # fmt: skip


@pytest.mark.parametrize("attribute", ["nodes", "cells", "groups", "cell_of_node"])
def test_a_list_that_was_changed_directly_is_refused(attribute):
    net = network()
    getattr(net, attribute).clear()
    with pytest.raises(NetworkError):
        Engine(net)


@pytest.mark.parametrize(("method", "positional", "named"), REFUSED)
def test_a_refused_call_changes_nothing(method, positional, named):
    net = network()
    before = everything(net)
    with pytest.raises((ValueError, TypeError)):
        getattr(net, method)(*positional, **named)
    assert everything(net) == before
    assert Engine(net).run("20ms").fingerprint == Engine(network()).run("20ms").fingerprint


def test_the_name_of_a_refused_node_is_free():
    net = network()
    with pytest.raises(ValueError, match="duration"):
        net.node("c", service="soon")
    with pytest.raises(NetworkError, match="no node 'c'"):
        net.link("a", "c", delay=0)
    assert net.node("c") == 2


def test_a_refused_engine_leaves_no_half():
    net = network()
    net.bind("b", "phone0", "b")  # the second entry of phone0 at b
    for _ in range(2):
        with pytest.raises(NetworkError, match="two entries"):
            Engine(net)
    lonely = network()
    lonely.node("c")
    lonely.bind("a", 0, "c")
    engine = Engine(lonely)
    for _ in range(2):
        with pytest.raises(ValueError, match="cannot be reached"):
            engine.run("1ms")


def test_intervals_near_the_largest_time_end_with_the_run():
    net = network(interval=FOREVER)
    net.cbr("a", 0, interval=2**62 + 1, size_bytes=100, start_ps=1, label="long")
    result = Engine(net).run(9_200_000_000_000_000_000)
    assert result.flows["sent"].tolist() == [1, 1, 2]


# -- threads ------------------------------------------------------------------------------------------------------------------
class Pause:
    """Controller that waits within the run."""

    def __init__(self):
        self.reached, self.go = threading.Event(), threading.Event()

    def on_event(self, ctx, event):
        self.reached.set()
        self.go.wait(60)


USES = [
    lambda engine: engine.advance("30ms"), lambda engine: engine.run("30ms"), lambda engine: engine.result(),
    lambda engine: engine.take_trace(), lambda engine: engine.memory, lambda engine: engine.window_ps,
    lambda engine: engine.release_controllers(), lambda engine: engine.attach("a", Pause()), lambda engine: save(engine, None),
]  # fmt: skip


def test_a_second_thread_is_refused():
    net = network()
    net.schedule_event(5 * MS, 0, 1, node="b")
    engine, pause = Engine(net), Pause()
    engine.attach("b", pause)
    thread = threading.Thread(target=engine.advance, args=("20ms",))
    thread.start()
    assert pause.reached.wait(60)
    try:
        for use in USES:
            with pytest.raises(EngineStateError, match="one call at a time"):
                use(engine)
    finally:
        pause.go.set()
        thread.join()
    assert engine.result().fingerprint == Engine(network()).run("20ms").fingerprint


def test_threads_that_start_an_engine_together():
    for _ in range(10):
        engine, results, barrier = Engine(network(50)), [], threading.Barrier(4)

        def start(engine=engine, results=results, barrier=barrier):
            barrier.wait()
            try:
                results.append(engine.run("20ms").fingerprint)
            except EngineStateError:
                results.append(None)

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results, key=str)[:1] == [Engine(network(50)).run("20ms").fingerprint]
        assert results.count(None) == 3


# -- exceptions and signals ---------------------------------------------------------------------------------------------------
class Own(BaseException):
    """Exception that is no ``Exception``."""


@pytest.mark.parametrize("kind", [Own, StopIteration, GeneratorExit, SystemExit, OverflowError, MemoryError, KeyError])
@pytest.mark.parametrize("options", [{}, {"scheduling": "level"}, {"scheduling": "heap"}, {"threads": 2, "scheduling": "window"}])
def test_an_exception_of_a_controller_keeps_type_and_traceback(kind, options):
    class Faulty:
        def on_event(self, ctx, event):
            raise kind("mine")

    net = network()
    net.schedule_event(5 * MS, 0, 1, node="b")
    engine = Engine(net, **options)
    engine.attach("b", Faulty())
    with pytest.raises(BaseException) as raised:  # noqa: PT011
        engine.run("20ms")
    assert type(raised.value) is kind
    assert raised.value.args == ("mine",)
    assert traceback.extract_tb(raised.value.__traceback__)[-1].name == "on_event"


INTERRUPTED = """
import sys
from engine import Engine
from tests.unit.engine.test_ownership import network

engine = Engine(network(), **eval(sys.argv[1]))
print("ready", flush=True)
try:
    engine.run("100h")
except KeyboardInterrupt:
    print("interrupted", engine.time_ps)
"""


@pytest.mark.parametrize("options", [
    "{}",
    pytest.param("{'scheduling': 'heap'}", marks=pytest.mark.deep),
    pytest.param("{'threads': 2, 'scheduling': 'window'}", marks=pytest.mark.deep),
])  # fmt: skip
def test_an_interrupt_ends_a_long_run(options):
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert (output, errors, process.returncode) == ("interrupted 0\n", "", 0)
