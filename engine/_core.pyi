"""The compiled engine's documented face. ``docs/model.md`` says exactly what it computes."""

from collections.abc import Sequence
from typing import Literal, Protocol

from engine.network import Network
from engine.results import Result

class Event:
    """One event for a controller (phase 1 of docs/model.md, section 4).

    Attributes
    ----------
    time_ps : int
        When it happens.
    node : int
        Where: a node's index, or -1 for the fleet of mobiles.
    mobile : int
        The mobile that it concerns.
    kind : int
        0 scheduled, 1 timer, 2 message.
    code : int
        The code given to ``Network.schedule``, ``Context.timer`` or ``Context.send``.
    source : int
        For a message: the node that sent it, -1 if the mobile did; else -1. For the fleet, a message's source cell is ``via``.
    via : int
        For a message to a mobile: the node whose cell it came through; else -1.
    args : tuple of int
        For a message its six arguments; otherwise (arg, 0, 0, 0, 0, 0).
    """

    @property
    def time_ps(self) -> int: ...
    @property
    def node(self) -> int: ...
    @property
    def mobile(self) -> int: ...
    @property
    def kind(self) -> int: ...
    @property
    def code(self) -> int: ...
    @property
    def source(self) -> int: ...
    @property
    def via(self) -> int: ...
    @property
    def args(self) -> tuple[int, int, int, int, int, int]: ...

class Context:
    """What a controller may do, at the time of its current event, for that event's mobile."""

    time_ps: int
    node: int
    mobile: int

    def select(self, event: Event) -> None:
        """Make ``event`` current; ``on_batch`` calls it before acting on one of its events."""

    def send(
        self, code: int, to: int, *, size_bytes: int, args: Sequence[int] = (), for_mobile: bool = False, via: int = -1
    ) -> None:
        """Send a control message about the current mobile.

        Parameters
        ----------
        code : int
            Meaning of the message, the controller's own.
        to : int
            Node that it is addressed to. With ``for_mobile`` the table of that node takes it on to the mobile, like a data
            packet that came through a tunnel; ``to`` may then be this node itself.
        size_bytes : int
            IP length.
        args : sequence of int
            Up to six int64.
        via : int
            Fleet only, and needed there: the node through whose cell the mobile sends.

        Raises
        ------
        ValueError
            If ``to`` cannot be reached, is this node (and not ``for_mobile``), or ``via`` has no cell.
        """

    def bind(
        self, coa: int, *, header_bytes: int = 20, end: Literal["router", "mobile"] = "router",
        until_ps: int | None = None, simultaneous: bool = False,
    ) -> None:  # fmt: skip
        """Tunnel the current mobile's packets to the node ``coa`` from now on (docs/model.md, section 6)."""

    def local(self, *, until_ps: int | None = None) -> None:
        """Deliver the current mobile's packets into this node's own cell from now on."""

    def hold(self, *, packets: int = 0, bytes: int = 0, until_ps: int | None = None) -> None:
        """Hold the current mobile's packets in a buffer of this node; 0 means unlimited."""

    def unbind(self, coa: int | None = None) -> None:
        """Remove one care-of node, or (None) the whole entry; nothing happens if there is none."""

    def timer(self, at_ps: int, code: int, arg: int = 0) -> None:
        """An event of kind 1 for this controller and the current mobile, at ``at_ps`` (not before now)."""

    def reject(self, fate: int) -> None:
        """Give the current message the fate ``AUTHENTICATION_FAILED`` or ``REPLAYED`` instead of delivered."""

    def route_up(self, node: int) -> None:
        """Fleet: send the mobile's upstream data through the cell of ``node``; what it held goes first."""

    def hold_up(self, *, packets: int = 0, bytes: int = 0) -> None:
        """Fleet: hold upstream data at the mobile; 0 means unlimited."""

    def unroute_up(self) -> None:
        """Fleet: no upstream route; what it held and sends is dropped as detached."""

    def open_span(self, id: int) -> None:
        """Fleet: measure deliveries to this mobile (all its down flows) from now on as a row of ``Result.spans``.

        An open span of the mobile ends first.
        """

    def close_span(self) -> None:
        """Fleet: the span ends with the first delivery at or after now (which it still counts)."""

    def mark(self, node: int) -> None:
        """Fleet: deliveries through the cell of ``node`` from now on count as ``after_marker`` in the open span."""

class Controller(Protocol):
    """Python code at a node or at the fleet. Define ``on_event``, or ``on_batch``, or both (equal in effect).

    ``on_batch`` gets events in order, each mobile at most once in a batch; what one mobile's event does may not depend
    on another mobile's event in the same batch.
    """

    def on_event(self, ctx: Context, event: Event) -> None: ...
    def on_batch(self, ctx: Context, events: list[Event]) -> None: ...

class Engine:
    """An exact packet engine for networks of FIFO queues with moving endpoints.

    Parameters
    ----------
    network : Network
        What to run; checked here.
    seed : int
        Seed of every draw.
    tunnel_limit : int
        How often one packet may be encapsulated.
    window_ps : int or None
        Largest window to use; None takes the largest exact one that fits the cache. The result is the same for any.
    scheduling : {"auto", "window", "heap"}
        How events are ordered inside; the result is the same for any.
    dispatch : {"event", "batch"}
        Whether controllers that have both get ``on_event`` or ``on_batch``.
    record : {"none", "drops", "packets"}
        Per-packet records to keep.
    memory_limit_bytes : int or None
        Refuse to run, or stop, above it.

    Examples
    --------
    >>> from engine import Engine, Network
    >>> net = Network()
    >>> _ = net.node("server"), net.node("ap")
    >>> net.link("server", "ap", rate="100Mbit/s", delay="10ms", buffer_packets=100)
    >>> net.cell("ap", rate="10Mbit/s", delay="2ms", buffer_packets=100)
    >>> phone = net.mobile("phone", home="ap")
    >>> net.attach(phone, "ap"); net.local("ap", phone)
    >>> _ = net.cbr("server", phone, interval="20ms", size_bytes=250)
    >>> result = Engine(net).run("1s")
    >>> result.fate_counts()
    {'delivered': 50}
    >>> int(result.flows["delay_max_ps"][0])
    12220000000
    """

    def __init__(
        self, network: Network, *, seed: int = 1, tunnel_limit: int = 4, window_ps: int | None = None,
        scheduling: Literal["auto", "window", "heap"] = "auto", dispatch: Literal["event", "batch"] = "event",
        record: Literal["none", "drops", "packets"] = "none", memory_limit_bytes: int | None = None,
    ) -> None: ...  # fmt: skip
    def attach(self, node: str | int, controller: object) -> None:
        """Put a controller at a node, before the run."""

    def attach_mobiles(self, controller: object) -> None:
        """Put a controller at the fleet of mobiles, before the run."""

    def run(self, until: int | str) -> Result:
        """Run from 0 to ``until`` and return the columns; an engine runs once."""

    def advance(self, to: int | str) -> int:
        """Run one slice up to ``to`` and return the time reached (ps); the GIL is free meanwhile, but for controllers."""

    def result(self) -> Result:
        """Columns up to the time reached; checks every law."""

    def memory_estimate(self, until: int | str) -> int:
        """Upper bound, in bytes, of what a run until then takes; see docs/model.md for the bound of a ring."""

    @property
    def time_ps(self) -> int:
        """Time reached."""

    @property
    def window_ps(self) -> int:
        """The largest exact window, W*."""

    @property
    def profile(self) -> dict[str, int]:
        """Counters of the run's own work: windows, visits, heap steps, controller calls, controller_ns."""
