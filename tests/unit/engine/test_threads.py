"""Threads: the result does not depend on their number, and none remains after a slice."""

from pathlib import Path

import numpy as np
import pytest

from bench.w1 import workload
from engine import Engine
from tests.unit.engine.two_cell_network import network, run

TASKS = Path("/proc/self/task")


def threads_now() -> int:
    return len(list(TASKS.iterdir()))


@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize("window_ps", [None, 1_000_000_007])
def test_small_network(threads, window_ps):
    alone = run(network())
    beside = run(network(), threads=threads, scheduling="window", window_ps=window_ps)
    assert beside.fingerprint == alone.fingerprint
    assert (beside.fates == alone.fates).all()
    assert (beside.delay_histogram == alone.delay_histogram).all()
    for table in ("flows", "links", "nodes", "spans", "packets"):
        for column, values in getattr(alone, table).items():
            np.testing.assert_array_equal(getattr(beside, table)[column], values, err_msg=f"{table}.{column}")


@pytest.mark.parametrize("case", [{"tunnel": True}, {"correspondents": 8}, {"poisson": True}])
def test_thousands_of_mobiles(case):
    alone, beside = Engine(workload(4000, scale=4, **case)), Engine(workload(4000, scale=4, **case), threads=3)
    assert beside.run("500ms").fingerprint == alone.run("500ms").fingerprint
    assert beside.profile["parallel_windows"] > 0
    assert alone.profile["parallel_windows"] == 0


def test_a_quiet_network_uses_one_thread():
    engine = Engine(workload(10, few=True), threads=2)
    assert engine.run("20s").fingerprint == Engine(workload(10, few=True)).run("20s").fingerprint
    assert engine.profile["parallel_windows"] == 0


def test_a_link_without_delay_uses_one_thread():
    net = workload(100)
    net.link("ha", net.node("beside"), rate="1Gbit/s", delay=0)
    engine = Engine(net, threads=2, scheduling="window")
    engine.run("100ms")
    assert engine.profile["parallel_windows"] == 0


@pytest.mark.skipif(not TASKS.exists(), reason="counts this process's threads in /proc")
def test_no_thread_remains_after_a_slice_or_an_exception():
    class Seen:
        most = 0

        def on_event(self, ctx, event):
            Seen.most = max(Seen.most, threads_now())
            if event.code == 2:
                raise ArithmeticError("a controller of its own")

    before = threads_now()
    net = workload(100)
    for t, code in ((10**9, 1), (50 * 10**9, 2)):
        net.schedule_event(t, 0, code, node="ha")
    engine = Engine(net, threads=5, scheduling="window")
    engine.attach("ha", Seen())
    engine.advance("20ms")
    assert (Seen.most, threads_now()) == (before + 4, before)
    with pytest.raises(ArithmeticError):
        engine.advance("100ms")
    assert threads_now() == before


@pytest.mark.parametrize("threads", [0, -1, 65])
def test_refused(threads):
    with pytest.raises(ValueError, match=f"threads is out of range: it is 1 to 64, not {threads}"):
        Engine(network(), threads=threads)
