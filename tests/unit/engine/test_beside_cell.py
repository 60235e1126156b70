"""Copies beside the cell of a node end as the other care-of node is unbound, in oracle and engine."""

import pytest

from engine import Engine, Network
from tests.differential.oracle import Oracle

MS = 10**9
BEGIN, END = 1, 2


class Router:
    """Controller that sends copies to another node between two events."""

    def __init__(self, other):
        self.other = other

    def on_event(self, ctx, event):
        if event.code == BEGIN:
            ctx.bind(self.other, beside_cell=True)
        elif event.code == END:
            ctx.unbind(self.other)


@pytest.mark.parametrize("kind", [Engine, Oracle])
def test_the_cell_alone_is_a_local_entry_again(kind):
    """A packet is at the router half a ms after each full one. Copies of 5 of the 20 go to the other one, without a visitor."""
    net = Network()
    for name in ("server", "router", "other"):
        net.node(name)
    net.link("server", "router", delay="1ms", both=True)
    net.link("router", "other", delay="1ms", both=True)
    net.cell("router", delay="1ms")
    net.cell("other", delay="1ms")
    phone = net.mobile("phone", home="server")
    net.bind("server", "phone", "router"), net.set_local(["router"], "phone")
    net.attach("phone", "router", 0)
    net.replay("server", phone, [k * MS + MS // 2 for k in range(20)], [100] * 20)
    for at_ms, code in ((5, BEGIN), (10, END)):
        net.schedule_event(at_ms * MS, phone, code, -1, node="router")
    engine = kind(net)
    engine.attach("router", Router(net.node_index("other")))
    result = engine.run("40ms")
    assert result.fate_counts() == {"delivered": 20, "no visitor": 5}
    assert result.flows["duplicate"].sum() == 0
    row = net.node_index("router")
    assert (result.nodes["binding_ps"][row], result.nodes["visitor_ps"][row]) == (2 * 5 * MS, 35 * MS)
