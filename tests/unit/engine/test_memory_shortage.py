"""A shortage of memory, wherever it comes, ends in one MemoryError; the process goes on and prints nothing else."""

import os
import subprocess
import sys

import pytest

SHORTAGE = """
import resource, sys
from engine import Engine
from tests.unit.engine.test_memory_shortage import busy_network, Sender

def address_space():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmSize")) * 1024

extra, phase, options = int(sys.argv[1]), sys.argv[2], eval(sys.argv[3])
engine = Engine(busy_network(), record="packets", **options)
engine.attach("b", Sender())
if phase != "build":
    engine.advance("10ms")
if phase == "result":
    engine.advance("1s")
resource.setrlimit(resource.RLIMIT_AS, (address_space() + extra, -1))
try:
    engine.run("1s") if phase == "build" else engine.advance("1s") if phase == "run" else engine.result()
    outcome = "done"
except MemoryError:
    outcome = "MemoryError"
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
del engine
print(outcome, Engine(busy_network(10)).run("10ms").fingerprint != 0)
"""


class Sender:
    """Controller that sends messages and sets timers and bindings."""

    def on_event(self, ctx, event):
        if event.kind == 0:
            for i in range(20):
                ctx.timer(event.time_ps + i, 1)
                ctx.send(1, 0, size_bytes=100)
            ctx.bind(0, simultaneous=True)


def busy_network(mobiles=2000):
    """Return a network whose queues grow without limit."""
    from engine import Network

    net = Network()
    net.node("a"), net.node("b")
    net.link("a", "b", rate="50Mbit/s", delay="1ms", both=True)
    net.cell("b", rate="10kbit/s", delay="1ms")
    phones = net.mobiles(mobiles, prefix="phone", home="b")
    net.attach(phones, "b")
    net.set_local("b", phones)
    net.cbr("a", phones, interval="10ms", size_bytes=100)
    net.poisson("a", phones, mean="50ms", size_bytes=100)
    net.schedule_event([10**9 * (i % 2000) for i in range(mobiles)], phones, 1, node="b")
    return net


def run_out(extra, phase, options="{}"):
    """Return what a run with ``extra`` bytes of address space prints."""
    done = subprocess.run(
        [sys.executable, "-c", SHORTAGE, str(extra), phase, options], capture_output=True, text=True, timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )  # fmt: skip
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-3000:]}"
    assert done.stderr == ""
    outcome, alive = done.stdout.split()
    assert alive == "True"
    return outcome


linux = pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of the process as Linux does")


@linux
@pytest.mark.parametrize("phase", ["run", "result"])
def test_a_shortage_ends_in_one_memory_error(phase):
    assert run_out(1 << 20, phase) == "MemoryError"


@linux
@pytest.mark.deep
@pytest.mark.parametrize(
    "options",
    [
        "{}", "{'scheduling': 'level'}", "{'scheduling': 'heap'}", "{'threads': 3, 'scheduling': 'window'}",
        "{'trace_links': ['a>b']}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("phase", ["build", "run", "result"])
def test_a_shortage_at_any_point_ends_in_one_memory_error(phase, options):
    outcomes = [run_out(extra << 18, phase, options) for extra in (0, 1, 3, 8, 21, 55, 144, 377, 987)]
    assert set(outcomes) <= {"MemoryError", "done"}
    has_room = phase == "result" and "threads" in options  # in the memory areas that ended threads leave
    assert has_room or "MemoryError" in outcomes
    assert outcomes[-1] == "done"
