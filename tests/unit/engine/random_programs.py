"""Random programs against the public interface of the engine, run in a process of their own.

``python -m tests.unit.engine.random_programs SECONDS SEED LOG`` draws programs of calls with good and bad arguments until the
time is over. Each call is written to LOG before it is made, so that the program of a crash is known. A call may raise only the
named exceptions of ``ALLOWED``.
"""

import faulthandler
import io
import random
import resource
import sys
import threading
import time

import hypothesis.strategies as st
import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as with_seed
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from engine import FOREVER, Engine, Network
from engine._checkpoint import restore, save

MEMORY_BYTES = 8 << 30
HANG_SECONDS = 120
MAX_ACTIONS = 40


class Trouble(Exception):
    """Exception of a controller."""


ALLOWED = (ValueError, TypeError, MemoryError, Trouble)

BAD = [
    -1, -(2**31) - 1, 2**31, 2**32, 2**40, 2**63, 2**64, 10**400, -(2**63), -(2**63) - 1, 0.5, -0.5, float("nan"), float("inf"),
    True, None, "", "x", "-1ms", "1e99s", b"\xff", [], [[1]], {}, object(), np.float64(1.5), np.uint64(2**63), np.bool_(True),
    "\ud800",
]  # fmt: skip
bad = st.sampled_from(BAD)


def usually(*good):
    """Return a strategy that draws one of the good values four times out of five."""
    return st.integers(0, 4).flatmap(lambda i: bad if i == 0 else st.sampled_from(good))


NAMES = ["server", "gate", "left", "right", "n1", "n2"]
node = usually(*NAMES, 0, 1, 2, 3)
nodes = st.one_of(node, st.lists(node, max_size=3))
mobile = usually("phone0", "phone1", 0, 1, 2)
mobiles = st.one_of(mobile, st.lists(mobile, max_size=4), st.just(np.arange(3)), st.just(np.array([0, 2**40])))
count = usually(0, 1, 2, 100)
delay = usually(0, "1ms", "2us", 10**9, "1h", "2000h", 2**62, FOREVER - 10**10, FOREVER)
limit = usually(None, "unlimited", 1, 2, 100)
rate = usually(None, "infinite", 1, 7, "64kbit/s", "1Gbit/s", 2**62, FOREVER)
service = usually(0, 1, "1us", "2ms", "1h", "2000h", 2**62, FOREVER)
loss = usually(0, "1/3", 0.5, 0.999, "1/0")
gap = usually("1ms", "7ms", 10**9, "1h", FOREVER, 2**62)
size = usually(1, 100, 1500, 65_000, [100, 200], np.array([1, 2, 3]))
moment = usually(0, 1, 10**9, 5 * 10**9, 10**11, 2**62, FOREVER - 1, FOREVER, [0, 10**9])
code = usually(0, 1, 7, -(2**31), 2**31 - 1)
word = usually(0, 1, -1, 2**62, -(2**63), 2**63 - 1)
flag = st.booleans()
flow = {
    "mobiles": mobiles, "start_ps": moment, "stop_ps": moment, "up": flag, "label": usually("a", "b", "c"),
    "peers": st.none() | mobiles,
}  # fmt: skip
channel = {"rate": rate, "delay": delay, "buffer_packets": limit, "buffer_bytes": usually(None, 1500, "64kB"), "loss": loss}

NETWORK = {
    "node": {
        "name": usually(*NAMES), "service": service, "service_queue": limit, "registration": service,
        "registration_queue": limit, "registration_answers": flag,
    },
    "link": {"src": node, "dst": node, **channel, "name": usually(None, "l1", "l2"), "both": flag},
    "cell": {"node": node, **channel, "shared": flag, "up_rate": rate, "up_delay": delay, "up_loss": loss},
    "mobile": {"name": usually("m1", "m2"), "home": node},
    "mobiles": {"count": count, "prefix": usually("p", "q"), "home": node},
    "attach": {"mobiles": mobiles, "node": nodes, "up_ps": moment, "down_ps": moment},
    "schedule_event": {"times_ps": moment, "mobiles": mobiles, "code": code, "arg": word, "node": st.none() | nodes},
    "bind": {
        "node": node, "mobiles": mobiles, "coa": nodes, "header_bytes": usually(0, 20, 60, 61, 256),
        "end": usually("router", "mobile"),
    },
    "set_local": {"node": nodes, "mobiles": mobiles},
    "set_upstream_route": {"mobiles": mobiles, "node": nodes},
    "cbr": {"node": st.none() | node, **flow, "interval": gap, "size_bytes": size, "count": count},
    "poisson": {"node": st.none() | node, **flow, "mean": gap, "size_bytes": size, "count": count},
    "node_index": {"node": node},
    "mobile_name": {"mobile": usually(0, 1, 2)},
    "mobile_index": {"name": usually("phone0", "nobody")},
}  # fmt: skip
CONTEXT = {
    "send": {
        "code": code, "to": usually(0, 1, 2, 3), "size_bytes": usually(1, 60, 65_000), "args": usually((), (1, 2), [2**62] * 6),
        "for_mobile": flag, "via": usually(-1, 2, 3), "radio": flag, "like_data": flag,
    },
    "bind": {
        "coa": usually(0, 1, 2, 3), "header_bytes": usually(0, 20, 60, 61), "end": usually("router", "mobile"),
        "until_ps": usually(None, 10**10, -5, FOREVER), "simultaneous": flag, "copy_in_flight": flag,
        "relayed": flag, "beside_cell": flag,
    },
    "deliver_locally": {"until_ps": usually(None, 10**10, FOREVER)},
    "buffer": {
        "packets": usually(None, 0, 3), "bytes": usually(None, 0, 3000), "until_ps": usually(None, 10**10, FOREVER),
        "gate": usually(None, 0, 1, 4), "copy_in_flight": flag,
    },
    "unbind": {"coa": usually(None, 0, 2, 77)},
    "timer": {"at_ps": usually(10**10, 2 * 10**10, 2**62, FOREVER), "code": code, "arg": word},
    "reject": {"fate": usually(12, 13, 0)},
    "set_upstream_route": {"node": usually(0, 2, 3)},
    "buffer_upstream": {"packets": usually(None, 0, 3), "bytes": usually(None, 0, 3000)},
    "clear_upstream_route": {},
    "begin_measurement": {"id": word},
    "end_measurement": {},
    "count_after_marker": {"node": usually(0, 2, 3)},
}  # fmt: skip
until = usually(0, "1ms", "5ms", "20ms", 10**11)
ENGINE = {
    "advance": [until], "run": [until], "memory_estimate": [until], "result": [], "take_trace": [], "release_controllers": [],
    "window_ps": None, "memory": None, "profile": None, "time_ps": None,
}  # fmt: skip
options = st.fixed_dictionaries(
    {},
    optional={
        "seed": usually(0, 7, 2**64 - 1), "tunnel_limit": usually(1, 4), "window_ps": usually(None, 1, 12_345, 10**9),
        "scheduling": st.sampled_from(["auto", "window", "level", "heap", "x"]),
        "record": st.sampled_from(["none", "drops", "packets", 1]),
        "memory_limit_bytes": usually(None, 10**6, 10**9), "trace_links": usually((), ["left>*"], ["server>gate", "gate>left"]),
        "threads": usually(1, 2, 3),
    },
)  # fmt: skip


def keywords(table, data, method):
    """Draw the keyword arguments of a method; one in eight is left out."""
    return {
        name: data.draw(strategy, label=name)
        for name, strategy in table[method].items()
        if data.draw(st.integers(0, 7)) or name in ("name", "home", "delay", "mobiles", "node", "coa", "count")
    }


class Actor:
    """Controller that carries out a list of drawn actions, one or two at each event."""

    def __init__(self, machine, actions, trouble):
        self.machine, self.actions, self.trouble, self.calls = machine, actions, trouble, 0

    def on_event(self, ctx, event):
        repr(event)
        for _ in range(2):
            self.calls += 1
            if self.calls > MAX_ACTIONS or not self.actions:
                return
            if self.calls == self.trouble:
                raise Trouble
            method, arguments = self.actions[self.calls % len(self.actions)]
            self.machine.call(f"ctx.{method}", getattr(ctx, method), arguments)
        for engine in self.machine.engines[-1:]:
            self.machine.call("engine.result", engine.result, {})
        self.machine.contexts[:] = [ctx]


class Program(RuleBasedStateMachine):
    """One program: a network with two cells, and random calls of networks, engines, contexts and checkpoints."""

    log = None

    def note(self, text):
        print(text, file=self.log, flush=True)

    def call(self, name, function, arguments, positional=()):
        self.note(f"{name}(*{positional!r:.300}, **{arguments!r:.600})")
        try:
            return function(*positional, **arguments)
        except ALLOWED as error:
            self.note(f"  {type(error).__name__}: {error!s:.200}")
            return None

    @initialize()
    def begin(self):
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        self.note("-- a program")
        self.engines, self.contexts, self.arrays, self.states = [], [], [], []
        self.net = net = Network()
        for name in NAMES[:4]:
            net.node(name)
        net.link("server", "gate", rate="10Mbit/s", delay="1ms", both=True)
        for name in ("left", "right"):
            net.link("gate", name, rate="1Mbit/s", delay="2ms", buffer_packets=5, both=True)
            net.cell(name, rate="1Mbit/s", delay="1ms", shared=name == "left")
        phones = net.mobiles(3, prefix="phone", home="gate")
        net.attach(phones, "left", 0, 8 * 10**9)
        net.attach(phones, "right", 6 * 10**9)
        net.set_local("left", phones)
        net.bind("gate", phones, "left")
        net.set_upstream_route(phones, "left")
        net.cbr("server", phones, interval="1ms", size_bytes=200)
        for place in ("gate", "left", None):
            net.schedule_event(np.arange(3) * 10**9, phones, 1, 2, node=place)

    @rule(method=st.sampled_from(sorted(NETWORK)), data=st.data())
    def network(self, method, data):
        """Call a method of the network; a refused call must leave it as it was."""
        before = self.state()
        arguments = keywords(NETWORK, data, method)
        done = []
        self.call(f"net.{method}", lambda **a: done.append(getattr(self.net, method)(**a)), arguments)
        assert done or self.state() == before, "a refused call has changed the network"

    def state(self):
        """Return everything that describes the network, as text."""
        net = self.net
        tables = [vars(net)[name].parts for name in sorted(vars(net)) if hasattr(vars(net)[name], "parts")]
        return repr(
            (net.nodes, net.links, net.cells, net.groups, net.flow_labels, net.mobile_count, net.flow_count, len(net.replays),
             net._node_index, net.cell_of_node, net._group_index, [len(parts) for parts in tables])
        )  # fmt: skip

    @rule(data=st.data(), arguments=st.fixed_dictionaries(
        {"node": node, **flow},
        optional={"origin": usually(0, -5, 2**62), "multiply": usually(10**6, 10**9), "divide": usually(1, 3, 2**62),
                  "period_ps": usually(None, 10**10, 10**9)},
    ))  # fmt: skip
    def replay(self, data, arguments):
        """Replay arrays that are changed and resized afterwards."""
        times = np.cumsum(np.array(data.draw(st.lists(st.integers(0, 10**4), min_size=1, max_size=5))), dtype=np.int64)
        sizes = np.full(len(times), data.draw(st.sampled_from([1, 100, 65_000, 0, 65_001])), np.uint32)
        before, done = self.state(), []
        self.call("net.replay", lambda *p, **a: done.append(self.net.replay(p[0], *p[1:], **a)), {
            name: value for name, value in arguments.items() if name not in ("node", "mobiles")
        }, (arguments["node"], arguments["mobiles"], times, sizes))  # fmt: skip
        assert done or self.state() == before, "a refused call has changed the network"
        self.arrays += [times, sizes]

    @rule()
    def spoil_arrays(self):
        """Write to arrays that replays were made of, and free their memory."""
        self.note("spoil arrays")
        for array in self.arrays:
            array[:] = 2**31
            array.resize(0, refcheck=False)
        self.arrays.clear()

    @rule(arguments=options)
    def engine(self, arguments):
        engine = self.call("Engine", lambda **a: Engine(self.net, **a), arguments)
        if engine is not None:
            self.engines = [*self.engines[-2:], engine]

    @rule(where=st.none() | node, data=st.data(), trouble=st.integers(-20, 20))
    def controller(self, where, data, trouble):
        methods = data.draw(st.lists(st.sampled_from(sorted(CONTEXT)), max_size=6))
        actor = Actor(self, [(method, keywords(CONTEXT, data, method)) for method in methods], trouble)
        for engine in self.engines[-1:]:
            if where is None:
                self.call("engine.attach_mobiles", engine.attach_mobiles, {}, (actor,))
            else:
                self.call("engine.attach", engine.attach, {}, (where, actor))

    def use(self, engine, method, data):
        if ENGINE[method] is None:
            return self.call(f"engine.{method}", lambda: getattr(engine, method), {})
        return self.call(f"engine.{method}", getattr(engine, method), {}, tuple(data.draw(s) for s in ENGINE[method]))

    @precondition(lambda self: self.engines)
    @rule(method=st.sampled_from(sorted(ENGINE)), which=st.integers(0, 2), data=st.data())
    def engine_call(self, method, which, data):
        self.use(self.engines[which % len(self.engines)], method, data)

    @precondition(lambda self: self.engines)
    @rule(methods=st.lists(st.sampled_from(sorted(ENGINE)), min_size=2, max_size=3), data=st.data())
    def threads(self, methods, data):
        """Call one engine from several threads at once; all arguments are drawn before."""
        engine = self.engines[-1]
        calls = [(m, () if ENGINE[m] is None else tuple(data.draw(s) for s in ENGINE[m])) for m in methods]
        surprises = []

        def work(method, arguments):
            try:
                if ENGINE[method] is None:
                    self.call(f"engine.{method}", lambda: getattr(engine, method), {})
                else:
                    self.call(f"engine.{method}", getattr(engine, method), {}, arguments)
            except BaseException as error:
                surprises.append(error)

        self.note("in threads:")
        workers = [threading.Thread(target=work, args=one) for one in calls]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if surprises:
            raise surprises[0]

    @precondition(lambda self: self.engines)
    @rule(which=st.integers(0, 2))
    def save_state(self, which):
        file = io.BytesIO()
        self.call("save", save, {}, (self.engines[which % len(self.engines)], file))
        self.states = [*self.states[-2:], file.getvalue()]

    @precondition(lambda self: self.engines and self.states)
    @rule(end=st.integers(0, 10), which=st.integers(0, 2))
    def restore_state(self, end, which):
        """Restore a state that is whole or ends too early."""
        state = self.states[which % len(self.states)]
        self.call("restore", restore, {}, (self.engines[-1], io.BytesIO(state if end > 2 else state[: len(state) * end // 3])))

    @precondition(lambda self: self.contexts)
    @rule(method=st.sampled_from(sorted(CONTEXT)), data=st.data())
    def late_context(self, method, data):
        """Use a context after its event."""
        self.call(f"late ctx.{method}", getattr(self.contexts[0], method), keywords(CONTEXT, data, method))

    @rule()
    def forget(self):
        self.note("forget")
        self.engines.clear()
        self.net = self.net.fork()

    def teardown(self):
        faulthandler.cancel_dump_traceback_later()


def main(seconds: float, seed: int, log: str) -> None:
    faulthandler.enable()
    if "--no-limit" not in sys.argv:  # an address sanitizer reserves terabytes
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    end, programs, numbers = time.monotonic() + seconds, 0, random.Random(seed)
    while time.monotonic() < end:
        with open(log, "w") as Program.log:
            batch = with_seed(numbers.getrandbits(32))(Program)
            run_state_machine_as_test(batch, settings=settings(
                max_examples=20, stateful_step_count=25, deadline=None, database=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck), print_blob=False,
            ))  # fmt: skip
        programs += 20
    print(f"{programs} programs")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
