"""Random scenarios as plain rows, and the networks built from them, unchanged or with a change of known effect."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from engine.network import Network
from engine.quantities import FOREVER
from engine.results import Result
from engine.rng import MAX_EXPONENTIAL_MEAN

from .controllers import Actor, Script


@dataclass(frozen=True)
class Pipe:
    """A channel: bits per second, ps, limits, loss probability as text. None is no limit."""

    rate: int | None
    delay: int
    packets: int | None = None
    bytes: int | None = None
    loss: str = "0"


@dataclass(frozen=True)
class NodeRow:
    name: str
    service: int = 0
    service_queue: int | None = None
    registration: int = 0
    registration_queue: int | None = None
    registration_answers: bool = False


@dataclass(frozen=True)
class LinkRow:
    src: str
    dst: str
    name: str
    pipe: Pipe


@dataclass(frozen=True)
class CellRow:
    node: str
    shared: bool
    down: Pipe
    up: Pipe


@dataclass(frozen=True)
class MobileRow:
    """One mobile, or ``count`` mobiles of a group."""

    name: str
    home: str
    count: int = 0

    def names(self) -> list[str]:
        return [f"{self.name}{i}" for i in range(self.count)] if self.count else [self.name]


@dataclass(frozen=True)
class AttachmentRow:
    mobile: str
    node: str
    up: int
    down: int


@dataclass(frozen=True)
class FlowRow:
    source: str  # cbr, poisson or replay
    node: str
    mobile: str
    up: bool
    label: str
    start: int
    stop: int
    step: int  # interval, mean gap or period; 0: a replay without repetition
    count: int
    size: int
    times: tuple[int, ...] = ()  # of a replay: by a clock of its own, which is (time - origin) * multiply // divide in ps
    sizes: tuple[int, ...] = ()
    origin: int = 0
    multiply: int = 1
    divide: int = 1
    peer: str | None = None  # mobile that is the correspondent in place of the node

    def in_ps(self) -> FlowRow:
        """Return the same replay by a clock that counts ps from the start."""
        times = tuple((t - self.origin) * self.multiply // self.divide for t in self.times)
        return replace(self, times=times, origin=0, multiply=1, divide=1)


@dataclass(frozen=True)
class EntryRow:
    node: str
    mobile: str
    coa: str | None  # None: local
    header: int = 0
    end: str = "router"


@dataclass(frozen=True)
class EventRow:
    time: int
    node: str | None
    mobile: str
    code: int
    arg: int


@dataclass(frozen=True)
class Change:
    """A change of the input with a known effect on the output."""

    shift: int = 0
    scale: int = 1
    shuffle: int | None = None
    idle: bool = False

    def moment(self, t: int) -> int:
        return FOREVER if t == FOREVER else t * self.scale + self.shift


UNCHANGED = Change()


@dataclass
class Scenario:
    seed: int
    ties: bool
    until: int
    tunnel_limit: int
    script: Script
    nodes: list[NodeRow] = field(default_factory=list)
    links: list[LinkRow] = field(default_factory=list)
    cells: list[CellRow] = field(default_factory=list)
    mobiles: list[MobileRow] = field(default_factory=list)
    attachments: list[AttachmentRow] = field(default_factory=list)
    flows: list[FlowRow] = field(default_factory=list)
    entries: list[EntryRow] = field(default_factory=list)
    routes_up: list[tuple[str, str]] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    still: str = ""  # "nodes" have no controllers, or there are none "everywhere"

    def network(self, change: Change = UNCHANGED) -> Network:
        """Build the network of the scenario, with ``change``."""
        net, k = Network(), change.scale
        order = Random(change.shuffle) if change.shuffle is not None else None

        def rows(given: list[Any]) -> list[Any]:
            return given if order is None else order.sample(given, len(given))

        if change.idle:
            net.node("idle")
        for n in rows(self.nodes):
            net.node(
                n.name,
                service=n.service * k,
                service_queue=n.service_queue,
                registration=n.registration * k,
                registration_queue=n.registration_queue,
                registration_answers=n.registration_answers,
            )
        for link in rows(self.links):
            net.link(link.src, link.dst, name=link.name, **_channel(link.pipe, k))
        for c in rows(self.cells):
            net.cell(c.node, shared=c.shared, **_channel(c.down, k), **{f"up_{f}": v for f, v in _channel(c.up, k).items()})
        if change.idle:
            _add_idle(net, self)
        for m in rows(self.mobiles):
            if m.count:
                net.mobiles(m.count, prefix=m.name, home=m.home)
            else:
                net.mobile(m.name, home=m.home)
        for a in rows(self.attachments):
            net.attach(a.mobile, a.node, change.moment(a.up), change.moment(a.down))
        for e in rows(self.entries):
            if e.coa is None:
                net.set_local(e.node, e.mobile)
            else:
                net.bind(e.node, e.mobile, e.coa, header_bytes=e.header, end=e.end)
        for mobile, node in rows(self.routes_up):
            net.set_upstream_route(mobile, node)
        for flow in rows(self.flows):
            _add_flow(net, flow, change)
        for event in rows(self.events):
            net.schedule_event(change.moment(event.time), event.mobile, event.code, event.arg, event.node)
        return net

    def ready(self, kind: Any, network: Network, change: Change = UNCHANGED, fleet: Actor | None = None, **options: Any) -> Any:
        """Return an ``Engine`` or ``Oracle`` of ``network`` with this scenario's controllers; in every fifth one a node has none.

        ``fleet`` is the mobiles' controller of an earlier engine, if this one continues its run: it alone has state.
        """
        options.setdefault("trace_links", self.recorded(network))
        if self.script.copy_in_flight:  # wants everything in the order of time
            options |= {"scheduling": "heap"}
        made = kind(network, seed=self.seed, tunnel_limit=self.tunnel_limit, record="packets", **options)
        quiet = Random(self.seed).choice(self.script.nodes) if self.seed % 5 == 0 else None
        for n in self.nodes:
            if n.name != quiet and not self.still:
                made.attach(n.name, Actor(self.script, network, n.name, change.shift, change.scale))
        if self.still != "everywhere":
            made.attach_mobiles(fleet or Actor(self.script, network, None, change.shift, change.scale))
        return made

    def recorded(self, network: Network) -> list[str]:
        """Return the traced links: none in half of the scenarios, all in a quarter, else some."""
        cells = [network.nodes[c.node].name + side for c in network.cells for side in (">*", "<*")]
        names = [link.name for link in network.links] + cells
        return [[], names, [], sorted(names)[::2]][self.seed // 2 % 4]

    def run(self, kind: Any, change: Change = UNCHANGED, **options: Any) -> tuple[Network, Result]:
        network, made = self.made(kind, change, **options)
        return network, made.run(change.moment(self.until))

    def made(self, kind: Any, change: Change = UNCHANGED, **options: Any) -> tuple[Network, Any]:
        network = self.network(change)
        return network, self.ready(kind, network, change, **options)

    def scalable(self, k: int) -> Scenario:
        """Return a similar scenario without rounding: delays times k and rates divided by k multiply all times by k exactly."""

        def exact(pipe: Pipe) -> Pipe:
            return replace(pipe, rate=None if pipe.rate is None else k * 10 ** (len(str(pipe.rate)) - 1))

        return replace(
            self,
            links=[replace(link, pipe=exact(link.pipe)) for link in self.links],
            cells=[replace(c, down=exact(c.down), up=exact(c.up)) for c in self.cells],
            flows=[replace(f.in_ps(), source="cbr" if f.source == "poisson" else f.source) for f in self.flows],
        )


def _channel(pipe: Pipe, k: int) -> dict[str, Any]:
    return {
        "rate": None if pipe.rate is None else max(pipe.rate // k, 1),
        "delay": pipe.delay * k,
        "buffer_packets": pipe.packets,
        "buffer_bytes": pipe.bytes,
        "loss": pipe.loss,
    }


def _add_flow(net: Network, f: FlowRow, change: Change) -> None:
    when: dict[str, Any] = {"start_ps": change.moment(f.start), "stop_ps": change.moment(f.stop), "up": f.up, "label": f.label}
    when["peers"], node = f.peer, f.node if f.peer is None else None
    k = change.scale
    if f.source == "cbr":
        net.cbr(node, f.mobile, interval=f.step * k, size_bytes=f.size, count=f.count, **when)
    elif f.source == "poisson":
        net.poisson(node, f.mobile, mean=min(f.step * k, MAX_EXPONENTIAL_MEAN), size_bytes=f.size, count=f.count, **when)
    else:
        clock = {"origin": f.origin, "multiply": f.multiply * k, "divide": f.divide}
        net.replay(node, f.mobile, f.times, f.sizes, period_ps=f.step * k or None, **clock, **when)


def _add_idle(net: Network, scenario: Scenario) -> None:
    """Add a node, links, a cell and a mobile that nothing uses."""
    first, last = scenario.nodes[0].name, scenario.nodes[-1].name
    net.link(first, "idle", delay="10s", rate="1Mbit/s")
    net.link("idle", last, delay="10s")
    net.link(first, last, delay="9s", name="idle link")
    net.cell("idle", delay="1ms", rate="1Mbit/s", buffer_packets=3)
    net.mobile("idle one", home="idle")
    net.attach("idle one", first if first in scenario.script.cells else "idle")
