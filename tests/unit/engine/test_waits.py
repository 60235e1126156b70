"""Waiting times at the servers of a node, computed by hand, in engine and oracle."""

import pytest

from engine import Engine, Network
from tests.differential.oracle import Oracle

MS = 10**9
both = pytest.mark.parametrize("kind", [Engine, Oracle])


class Asker:
    """Controller that sends a message at each event."""

    def on_event(self, ctx, event):
        ctx.send(1, 1, size_bytes=50)


def run(kind, service_ps, times, until, **server):
    """Send messages over 1 ms to an agent."""
    net = Network()
    net.node("asker")
    net.node("agent", **server, registration=service_ps)
    net.link("asker", "agent", delay="1ms")
    phone = net.mobile("phone", home="agent")
    net.schedule_event(times, phone, 0, range(len(times)), node="asker")
    engine = kind(net)
    engine.attach("asker", Asker())
    nodes = engine.run(until).nodes
    return {name: int(values[1]) for name, values in nodes.items()}


@both
def test_messages_wait_for_earlier_ones(kind):
    """Arrivals at 1, 2 and 9 ms with a service time of 3 ms wait 0, 2 and 0 ms, also without a controller."""
    agent = run(kind, 3 * MS, [0, MS, 8 * MS], "20ms")
    assert (agent["registered"], agent["messages"]) == (3, 0)
    assert (agent["registration_wait_ps"], agent["registration_wait_max_ps"]) == (2 * MS, 2 * MS)


@both
def test_dropped_messages_do_not_wait(kind):
    agent = run(kind, 3 * MS, [0] * 5, "20ms", registration_queue=2)
    assert (agent["registered"], agent["registration_dropped"]) == (2, 3)
    assert agent["registration_wait_ps"] == 3 * MS


@both
def test_the_forwarding_server_counts_separately(kind):
    """Three messages at 1 ms wait 0, 2, 4 ms at the forwarding server of 2 ms, then 0, 1, 2 ms at the registration server."""
    agent = run(kind, 3 * MS, [0] * 3, "20ms", service=2 * MS)
    assert (agent["forwarded"], agent["forwarding_wait_ps"], agent["forwarding_wait_max_ps"]) == (3, 6 * MS, 4 * MS)
    assert (agent["registered"], agent["registration_wait_ps"], agent["registration_wait_max_ps"]) == (3, 3 * MS, 2 * MS)
