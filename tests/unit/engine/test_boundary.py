"""Invalid arguments at the compiled boundary: each is refused with one clear error, and nothing crashes."""

import gc

import pytest

from engine import FOREVER, ConservationError, Context, Engine, Fate, MemoryLimitError, Network, NetworkError

MS = 10**9
LAST_PS = 9_200_000_000_000_000_000


def pair():
    """Return node 0 (a) without a cell and node 1 (b) with one; an event at b and at the mobile at 5 ms."""
    net = Network()
    net.node("a"), net.node("b"), net.node("island")
    net.link("a", "b", rate="10Mbit/s", delay="1ms", both=True)
    net.cell("b", rate="1Mbit/s", delay="1ms")
    mobile = net.mobile("m", home="b")
    net.attach(mobile, "b")
    net.set_local("b", mobile)
    net.set_upstream_route(mobile, "b")
    net.cbr("a", mobile, interval="1ms", size_bytes=100)
    net.schedule_event(5 * MS, mobile, 7, 70, node="b")
    net.schedule_event(5 * MS, mobile, 7, 70)
    return net


class Do:
    """Controller that calls one function for each event."""

    def __init__(self, act):
        self.act = act

    def on_event(self, ctx, event):
        self.act(ctx, event)


def run(controller, where="b", **options):
    engine = Engine(pair(), **options)
    if where == "mobiles":
        engine.attach_mobiles(controller)
    else:
        engine.attach(where, controller)
    return engine.run("10ms")


# -- making an engine ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("what", [None, "network", 5, Network])
def test_an_engine_runs_a_network_and_nothing_else(what):
    with pytest.raises(TypeError, match="an engine runs a Network"):
        Engine(what)


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"window_ps": 0}, ValueError, "window_ps is out of range: it is 1 to"),
        ({"window_ps": -5}, ValueError, "window_ps is out of range: it is 1 to"),
        ({"window_ps": "1ms"}, TypeError, "window_ps is an integer"),
        ({"scheduling": "calendar"}, ValueError, "'auto', 'window', 'level', 'heap'"),
        ({"scheduling": []}, TypeError, "unhashable"),
        ({"record": 1}, ValueError, "'none', 'drops', 'packets'"),
        ({"tunnel_limit": 0}, ValueError, "1 to 4"),
        ({"tunnel_limit": 5}, ValueError, "1 to 4"),
        ({"tunnel_limit": "4"}, TypeError, "integer"),
        ({"seed": "seven"}, TypeError, "seven"),
        ({"seed": 1.5}, TypeError, "seed is an integer"),
        ({"seed": -1}, ValueError, "seed is out of range"),
        ({"seed": 2**64}, ValueError, "seed is out of range"),
        ({"threads": 0}, ValueError, "threads is out of range: it is 1 to 64"),
        ({"memory_limit_bytes": 1e9}, TypeError, "memory_limit_bytes is an integer"),
        ({"trace_links": ["a>c"]}, ValueError, "no link 'a>c'"),
        ({"windows": 5}, TypeError, "windows"),
    ],
)
def test_invalid_options_are_refused(options, error, told):
    with pytest.raises(error, match=told):
        Engine(pair(), **options)


def test_an_invalid_network_is_refused_with_all_errors():
    net = pair()
    net.attach("m", "b", 0, MS)
    net.set_local("b", "m")
    with pytest.raises(NetworkError, match=r"(?s)attached to 'b' twice.*two entries at time 0"):
        Engine(net)


def test_an_engine_is_initialised_once():
    engine = Engine(pair())
    with pytest.raises(ValueError, match="made once"):
        engine.__init__(pair())
    assert engine.run("10ms").flows["sent"][0] == 10


def test_an_engine_without_its_init_is_refused():
    blank = Engine.__new__(Engine)
    for use in (lambda: blank.run("1s"), blank.result, lambda: blank.attach("a", Do(None)), lambda: blank.window_ps):
        with pytest.raises((AttributeError, TypeError, ValueError)):
            use()


# -- controllers --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("node", "controller", "error"), [
    ("nowhere", Do(None), NetworkError), (9, Do(None), NetworkError), (-1, Do(None), NetworkError),
    ("a", None, TypeError), ("a", object(), TypeError),
])  # fmt: skip
def test_invalid_controllers_are_refused(node, controller, error):
    with pytest.raises(error):
        Engine(pair()).attach(node, controller)


def test_controllers_are_attached_before_the_run():
    engine = Engine(pair())
    engine.advance("1ms")
    with pytest.raises(ValueError, match="before the run"):
        engine.attach("a", Do(None))
    with pytest.raises(ValueError, match="before the run"):
        engine.attach_mobiles(Do(None))


class Trouble(Exception):
    """Exception that nothing else raises."""


@pytest.mark.parametrize("where", ["b", "mobiles"])
@pytest.mark.parametrize("scheduling", ["window", "level", "heap"])
def test_an_exception_of_a_controller_propagates_and_ends_the_engine(where, scheduling):
    def act(ctx, event):
        raise Trouble("mine")

    engine = Engine(pair(), scheduling=scheduling)
    if where == "b":
        engine.attach("b", Do(act))
    else:
        engine.attach_mobiles(Do(act))
    with pytest.raises(Trouble, match="mine"):
        engine.run("10ms")
    for use in (lambda: engine.advance("20ms"), engine.result, lambda: engine.run("20ms")):
        with pytest.raises(ValueError, match="broke its run off"):
            use()


def test_an_interrupt_in_a_controller_propagates():
    def act(ctx, event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Do(act))


def test_a_controller_cannot_run_its_own_engine():
    engine = Engine(pair())
    tried = []

    def act(ctx, event):
        for use in (lambda: engine.advance("20ms"), lambda: engine.run("20ms"), engine.result):
            with pytest.raises(ValueError, match="running"):
                use()
            tried.append(use)

    engine.attach("b", Do(act))
    assert engine.run("10ms").flows["sent"][0] == 10
    assert len(tried) == 3


def test_a_controller_can_run_another_engine():
    inner = []
    result = run(Do(lambda ctx, event: inner.append(Engine(pair()).run("10ms").fingerprint)))
    assert inner == [result.fingerprint]


# -- actions ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("act", "error", "told"),
    [
        (lambda c, e: c.bind("a"), TypeError, "integer"),
        (lambda c, e: c.bind(99), ValueError, "cannot be reached"),
        (lambda c, e: c.bind(-1), ValueError, "cannot be reached"),
        (lambda c, e: c.bind(2), ValueError, "cannot be reached"),
        (lambda c, e: c.bind(1), ValueError, "cannot be reached"),
        (lambda c, e: c.bind(0, header_bytes=61), ValueError, "0 to 60"),
        (lambda c, e: c.bind(0, header_bytes=-1), ValueError, "0 to 60"),
        (lambda c, e: c.bind(0, end="home"), ValueError, "'router' or the 'mobile'"),
        (lambda c, e: c.bind(0, end=3), TypeError, "expected str"),
        (lambda c, e: c.bind(0, until_ps=2**70), ValueError, "until_ps is out of range"),
        (lambda c, e: c.deliver_locally(until_ps=6e9), TypeError, "until_ps is an integer"),
        (lambda c, e: c.buffer(packets=-1), ValueError, "packets is out of range: it is 0 to"),
        (lambda c, e: c.buffer(bytes=1.5), TypeError, "bytes is an integer"),
        (lambda c, e: c.unbind("a"), TypeError, "integer"),
        (lambda c, e: c.timer(e.time_ps - 1, 1), ValueError, "in the past"),
        (lambda c, e: c.timer(6e9, 1), TypeError, "at_ps is an integer"),
        (lambda c, e: c.timer(2**63, 1), ValueError, "at_ps is out of range"),
        (lambda c, e: c.reject(Fate.REPLAYED), ValueError, "only a message"),
        (lambda c, e: c.send(1, 1, size_bytes=10), ValueError, "to itself"),
        (lambda c, e: c.send(1, 2, size_bytes=10), ValueError, "no way from"),
        (lambda c, e: c.send(1, 3, size_bytes=10), ValueError, "no node with index 3"),
        (lambda c, e: c.send(1, 0, size_bytes=0), ValueError, "size_bytes is out of range: it is 1 to 65000"),
        (lambda c, e: c.send(1, 0, size_bytes=65_001), ValueError, "size_bytes is out of range: it is 1 to 65000"),
        (lambda c, e: c.send(1, 0), TypeError, "size_bytes"),
        (lambda c, e: c.send(1, 0, size_bytes=10, args=range(7)), ValueError, "at most six"),
        (lambda c, e: c.send(1, 0, size_bytes=10, args=["one"]), TypeError, "integer"),
        (lambda c, e: c.send(1, 0, size_bytes=10, args=[0.5]), TypeError, "an argument of a message is an integer"),
        (lambda c, e: c.send(1, 0, size_bytes=10, args=[2**63]), ValueError, "an argument of a message is out of range"),
        (lambda c, e: c.send(1, 0, size_bytes=10, args=None), TypeError, "NoneType"),
        (lambda c, e: c.send(2**40, 0, size_bytes=10), ValueError, "code is out of range"),
        (lambda c, e: c.set_upstream_route(1), ValueError, "only the controller of the mobile nodes"),
        (lambda c, e: c.buffer_upstream(), ValueError, "only the controller of the mobile nodes"),
        (lambda c, e: c.clear_upstream_route(), ValueError, "only the controller of the mobile nodes"),
        (lambda c, e: c.begin_measurement(1), ValueError, "only the controller of the mobile nodes"),
        (lambda c, e: c.end_measurement(), ValueError, "only the controller of the mobile nodes"),
        (lambda c, e: c.count_after_marker(1), ValueError, "only the controller of the mobile nodes"),
        (lambda c, e: Context().deliver_locally(), ValueError, "while its controller"),
        (lambda c, e: setattr(c, "mobile", 5), AttributeError, "readonly"),
        (lambda c, e: setattr(e, "time_ps", 0), AttributeError, "readonly"),
    ],
)
def test_invalid_actions_of_a_node_are_refused(act, error, told):
    with pytest.raises(error, match=told):
        run(Do(act))


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda c, e: c.bind(0), "the mobile nodes have no table"),
        (lambda c, e: c.deliver_locally(), "the mobile nodes have no table"),
        (lambda c, e: c.buffer(), "the mobile nodes have no table"),
        (lambda c, e: c.unbind(), "the mobile nodes have no table"),
        (lambda c, e: c.send(1, 0, size_bytes=10), "via the cell"),
        (lambda c, e: c.send(1, 0, size_bytes=10, via=0), "via the cell"),
        (lambda c, e: c.send(1, 0, size_bytes=10, via=77), "via the cell"),
        (lambda c, e: c.set_upstream_route(0), "no cell"),
        (lambda c, e: c.set_upstream_route(77), "no cell"),
        (lambda c, e: c.count_after_marker(-2), "no cell"),
        (lambda c, e: c.buffer_upstream(packets=-1), "packets is out of range: it is 0 to"),
    ],
)
def test_invalid_actions_of_the_mobiles_are_refused(act, told):
    with pytest.raises(ValueError, match=told):
        run(Do(act), "mobiles")


def test_a_refused_action_has_no_effect():
    def act(ctx, event):
        for wrong in (lambda: ctx.bind(99), lambda: ctx.send(1, 0, size_bytes=10, args=["x"]), lambda: ctx.timer(0, 1)):
            with pytest.raises((ValueError, TypeError)):
                wrong()

    assert run(Do(act)).fingerprint == Engine(pair()).run("10ms").fingerprint


def test_a_context_is_invalid_after_its_event():
    kept = []
    engine = Engine(pair())
    engine.attach("b", Do(lambda ctx, event: kept.append((ctx, event))))
    engine.run("10ms")
    ctx, event = kept[0]
    del engine
    gc.collect()
    for use in (ctx.deliver_locally, lambda: ctx.send(1, 0, size_bytes=10), lambda: ctx.timer(MS, 1)):
        with pytest.raises(ValueError, match="called"):
            use()
    assert event.args == (70, 0, 0, 0, 0, 0)


def test_an_event_that_a_controller_keeps_stays_as_it_is():
    """The loop uses an event again for the next one unless somebody has kept it."""
    kept, passed = [], []

    def act(ctx, event):
        number = event.args[0]
        passed.append((event.time_ps, number))
        if number % 2 == 0:
            kept.append(event)
        if number < 74:
            ctx.timer(ctx.time_ps + MS // 10, 8, number + 1)

    run(Do(act))
    assert passed == [(5 * MS + i * MS // 10, 70 + i) for i in range(5)]
    assert [(e.time_ps, e.args[0]) for e in kept] == passed[::2]


# -- running ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "until", [-1, 1.5, True, None, "10", "10 parsec", "-1ms", "1e-3ps", 2**63, 2**80, LAST_PS + 1, FOREVER, "2568h"]
)
def test_invalid_end_times_are_refused(until):
    engine = Engine(pair())
    with pytest.raises(ValueError, match=r"duration|106 days|out of range|smallest"):
        engine.run(until)
    assert engine.run("10ms").flows["sent"][0] == 10  # the refusal did no harm


def test_a_run_may_last_106_days():
    net = Network()
    net.node("a")
    assert Engine(net).run(LAST_PS).until_ps == LAST_PS


def test_an_engine_runs_once_and_forwards():
    engine = Engine(pair())
    engine.run("10ms")
    with pytest.raises(ValueError, match="runs once"):
        engine.run("20ms")
    with pytest.raises(ValueError, match="has reached 10000000000 ps"):
        engine.advance("9ms")
    assert engine.advance("10ms") == engine.time_ps == 10 * MS


def test_a_result_before_the_run_is_empty():
    result = Engine(pair()).result()
    assert result.until_ps == 0
    assert result.flows["sent"][0] == 0


def test_an_empty_network_runs():
    result = Engine(Network()).run("1s")
    assert (result.events, result.fingerprint, len(result.flows["sent"])) == (0, 0, 0)


def test_memory_over_the_limit_is_refused_before_the_run():
    need = Engine(pair()).memory_estimate("10ms")
    engine = Engine(pair(), memory_limit_bytes=need - 1)
    with pytest.raises(MemoryLimitError, match=f"{need:,} bytes, the limit is {need - 1:,}"):
        engine.run("10ms")
    assert engine.time_ps == 0
    assert Engine(pair(), memory_limit_bytes=need).run("10ms").flows["sent"][0] == 10


def test_memory_is_checked_once_for_the_slices_up_to_a_time(monkeypatch):
    ends = []
    monkeypatch.setattr("engine._core.memory_upper_bound", lambda network, until: ends.append(until) or until)
    engine = Engine(pair(), memory_limit_bytes=20 * MS)
    engine.check_memory(10 * MS)
    for t in range(1, 11):
        engine.advance(t * MS)
    assert ends == [10 * MS]
    engine.advance(20 * MS)
    engine.advance_by_intervals(20 * MS, MS)
    with pytest.raises(MemoryLimitError, match="limit is 20,000,000,000"):
        engine.advance(20 * MS + 1)
    assert ends == [10 * MS, 20 * MS, 20 * MS + 1]
    with pytest.raises(MemoryLimitError, match="limit is 20,000,000,000"):
        engine.check_memory(30 * MS)
    assert engine.time_ps == 20 * MS


def test_errors_have_the_documented_base_classes():
    assert issubclass(MemoryLimitError, MemoryError)
    assert issubclass(NetworkError, ValueError)
    assert issubclass(ConservationError, RuntimeError)
