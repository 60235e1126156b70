"""Bindings, visitors and held bytes over time: peaks and integrals by hand (docs/model.md, 6)."""

import pytest

from engine import Engine, Network

MS = 10**9
ONE, TWO = 1, 2  # routers


class Script:
    """Controller that performs ``actions``: scheduled event code -> function of the context."""

    def __init__(self, actions):
        self.actions = actions

    def on_event(self, ctx, event):
        self.actions[event.code](ctx)


def run(actions, until="1s", mobiles=1, bound=True, **options):
    """Run a home agent with five routers; ``actions`` maps a time in ms to what the home agent then does about mobile 0."""
    net = Network()
    net.node("ha")
    for i in range(5):
        net.node(f"ar{i}")
        net.link("ha", f"ar{i}", rate="1Gbit/s", delay="1ms")
        net.cell(f"ar{i}", rate="10Mbit/s", delay="1ms")
    nodes = net.mobiles(mobiles, home="ha")
    if bound:
        net.bind("ha", nodes, "ar0")
    for ms in actions:
        net.schedule_event(ms * MS, int(nodes[0]), ms, 0, "ha")
    engine = Engine(net, **options)
    engine.attach("ha", Script(actions))
    return engine.run(until)


def at_home(result, *names):
    return tuple(int(result.nodes[name][0]) for name in names)


def test_a_simultaneous_binding_counts_two():
    """One from 0 to 1 s, the other one from 200 to 500 ms."""
    result = run({200: lambda ctx: ctx.bind(TWO, simultaneous=True), 500: lambda ctx: ctx.unbind(TWO)})
    assert at_home(result, "binding_ps", "bindings_peak", "entries_peak") == (1300 * MS, 2, 1)


def test_an_entry_counts_to_its_end():
    """Bound at 100 ms until 300 ms, then at 400 ms a second care-of node: never two at once, although the table keeps both."""
    result = run({
        100: lambda ctx: ctx.bind(ONE, until_ps=300 * MS),
        400: lambda ctx: ctx.bind(TWO, until_ps=600 * MS, simultaneous=True),
    }, bound=False)  # fmt: skip
    assert at_home(result, "binding_ps", "bindings_peak", "entries_peak") == (400 * MS, 1, 1)


def test_a_renewed_entry_counts_once_and_to_its_new_end():
    """Bound at 100 ms until 300 ms, renewed at 200 ms until 450 ms; what is bound at 500 ms until then never counts."""
    result = run({
        100: lambda ctx: ctx.bind(ONE, until_ps=300 * MS, simultaneous=True),
        200: lambda ctx: ctx.bind(ONE, until_ps=450 * MS, simultaneous=True),
        500: lambda ctx: ctx.bind(ONE, until_ps=500 * MS),
    }, bound=False)  # fmt: skip
    assert at_home(result, "binding_ps", "bindings_peak") == (350 * MS, 1)


def test_a_fifth_care_of_node_replaces_the_oldest():
    """The one of time 0 counts until the fifth comes at 400 ms; four are there at most."""
    binds = {100 * i: lambda ctx, coa=i + 1: ctx.bind(coa, simultaneous=True) for i in range(1, 5)}
    assert at_home(run(binds), "binding_ps", "bindings_peak") == ((400 + 900 + 800 + 700 + 600) * MS, 4)


def test_a_hold_is_a_visitor_and_its_bytes_count_while_they_wait():
    """Packets of 100 B come at 10, 20, ... ms; held from 95 to 135 ms, four wait 35, 25, 15 and 5 ms, then they are tunnelled."""
    actions = {95: lambda ctx: ctx.buffer(), 135: lambda ctx: ctx.bind(ONE)}
    result = run_with_packets(actions)
    assert at_home(result, "held_byte_ps") == (100 * (35 + 25 + 15 + 5) * MS,)
    assert at_home(result, "visitor_ps", "visitors_peak", "binding_ps") == (40 * MS, 1, 960 * MS)


def test_packets_that_time_out_waited_until_then():
    """Held from 95 ms until 115 ms: two packets wait 15 and 5 ms, whenever the engine drops them."""
    result = run_with_packets({95: lambda ctx: ctx.buffer(until_ps=115 * MS)})
    assert at_home(result, "held_byte_ps", "visitor_ps", "binding_ps") == (100 * 20 * MS, 20 * MS, 95 * MS)


def test_packets_that_still_wait_count_to_the_end():
    """Held from 985 ms to the end at 1 s: the packet of 990 ms waits 10 ms."""
    assert at_home(run_with_packets({985: lambda ctx: ctx.buffer()}), "held_byte_ps") == (100 * 10 * MS,)


def run_with_packets(actions):
    net = Network()
    net.node("ha"), net.node("ar0"), net.link("ha", "ar0", delay="1ms"), net.cell("ar0", delay="1ms")
    phone = net.mobile("phone", home="ha")
    net.bind("ha", phone, "ar0")
    net.cbr("ha", phone, interval="10ms", size_bytes=100)
    for ms in actions:
        net.schedule_event(ms * MS, phone, ms, 0, "ha")
    engine = Engine(net)
    engine.attach("ha", Script(actions))
    return engine.run("1s")


@pytest.mark.parametrize("mobiles", [1, 1000])
def test_integrals_exceed_64_bits(mobiles):
    """A hundred days are 8.64e18 ps: those of two bindings exceed 2**63."""
    result = run({}, until=8_640_000 * 10**12, mobiles=mobiles)
    assert at_home(result, "binding_ps", "bindings_peak") == (mobiles * 8_640_000 * 10**12, mobiles)


def test_renewals_need_no_memory():
    """A binding that is renewed 1,000 times, each time long before its end, leaves a few ends."""
    renewals = {ms: lambda ctx: ctx.bind(ONE, until_ps=ctx.time_ps + 10**6 * MS) for ms in range(1, 1001)}
    net = Network()
    net.node("ha"), net.node("ar0"), net.link("ha", "ar0", delay="1ms"), net.cell("ar0", delay="1ms")
    phone = net.mobile("phone", home="ha")
    for ms in renewals:
        net.schedule_event(ms * MS, phone, ms, 0, "ha")
    engine = Engine(net)
    engine.attach("ha", Script(renewals))
    engine.advance("2s")
    assert engine.memory["bindings"] < 1000
    assert int(engine.result().nodes["binding_ps"][0]) == 1999 * MS
