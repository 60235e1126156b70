"""Language of the procedures: a procedure is a list of steps, each of which is one message.

A step reads: *on* an event, the first node of *path* applies *first* and sends *message*; each node on the path relays it, and
the last one applies *effect* before it replies. The event is one of ``EVENTS``, which happen at the mobile node, or the name of
a message. In the latter case every node that handles the message, as the last of its path or in passing, starts the steps whose
path begins with its role.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

EVENTS = ("predict", "move", "going-down", "attach", "refresh")
"""Events at the mobile node. ``predict``: layer 2 announces the move and its target. ``move``: the mobile node has discovered the
new router on the new link. ``going-down``: layer 2 warns that "the connection will be discarded in a very short time".

In prepared procedures ``attach`` is the arrival on the new link after a command, and ``move`` the arrival without one.
``refresh``: half of the lifetime of the registration is over."""
CONTROL_ROLES = ("AMF", "SMF", "CMD")
"""Roles of nodes that carry no data."""
ROLES = ("MN", "oAR", "nAR", "HA", "CN", "GFA", "MAP", "oGFA", "oMAP", "tHA", *CONTROL_ROLES)
"""Roles of the nodes on a path (``Step.path``)."""
EFFECTS = (
    "bind", "simultaneous", "delete", "forward", "hand-over", "registered", "expect", "command", "open", "release", "relay",
    "complete", "end",
)  # fmt: skip
"""Actions of the last node (``Step.effect``)."""
FIRST_ACTIONS = ("forward", "copy", "stop")
"""Actions of the first node (``Step.first``)."""


@dataclass(frozen=True)
class Step:
    """One message of a procedure.

    Attributes
    ----------
    on : str
        One of ``EVENTS``, or a message.
    message : str
        RQ registration request, RR registration reply, DRR deregistration reply (a reply with lifetime 0), BU and BA binding
        update and acknowledgement, DBU and DBA the same with lifetime 0, NA neighbour advertisement; in prepared procedures the
        kinds of ``handoff.protocol.messages.KINDS``. A trailing digit distinguishes messages of one kind.
    path : tuple of str
        Roles. MN: mobile node. oAR, nAR: old and new router. HA: home agent. CN: each correspondent of the mobile node. GFA,
        MAP: gateway of the new router's region. oGFA, oMAP: gateway of the old router's region. tHA: temporary home agent of the
        old router, which is the old router itself unless the setup names another node. AMF, SMF, CMD: control nodes, which carry
        no data: access and mobility management (AMF, MME), session management (SMF; in LTE a part of the anchor), database of
        RFC 8885. Each is the home agent's node unless the setup names another one.
    effect : str
        Action of the last node. ``bind``: bind the home address to the new care-of address, in place of the existing binding.
        ``simultaneous``: bind it in addition to the existing binding. ``delete``: remove the binding to the old care-of address.
        ``forward``: tunnel packets for the old care-of address to the new one (old router or its temporary home agent).
        ``hand-over``: pass these packets to the temporary home agent (old router). ``registered``: use the new router for
        upstream data (mobile node). Empty: none.

        In prepared procedures: ``expect``: buffer for a mobile node that will come (new router). ``command``: leave for the new
        link (mobile node). ``open``: deliver to the mobile node, behind a gate if the procedure has one (new router).
        ``release``: open the gate (new router). ``relay``: pass packets that the old router sends back on to the new one
        (anchor). ``complete``: the handoff is done (new router), also together with ``open``. ``end``: remove the context after
        the marker (old router).
    first : str
        Action of the first node as it sends: ``forward`` as above, ``copy``: forward copies and go on delivering, ``stop``:
        neither deliver nor forward (old router). Empty: none.
    format : str
        Name of the message in its own protocol (``handoff.protocol.message_formats``), from which size and encoding follow.
        Empty: both follow from the kind of the message.
    without_old_router : bool
        If true, the step is left out if the mobile node comes from another router.
    """

    on: str
    message: str
    path: tuple[str, ...]
    effect: str = ""
    first: str = ""
    format: str = ""
    without_old_router: bool = False


@dataclass(frozen=True)
class Procedure:
    """A handoff procedure as data.

    Attributes
    ----------
    name, family, summary : str
        Name; ``conventional``, ``bicasting`` or ``synchronized``, or ``lte``, ``5g`` or ``fast``; and one line for lists.
    figures : str
        Figures of the seed document; empty for a procedure of other documents.
    rfcs : tuple of str
        Documents that define the procedure.
    ip : int
        IP version, 4 or 6.
    anchor : str
        Role whose binding directs downstream data: HA, CN, GFA or MAP; oAR if the first router of a mobile node does, to which
        the home agent sends all its packets (RFC 8885).
    signalling : tuple of Step
        Messages of a handoff; in a hierarchical procedure, of a handoff within a region.
    marker : str
        Message that the anchor sends last on the old path; empty if the procedure has none.
    between : tuple of Step
        Messages of a handoff to another region; empty unless the procedure is hierarchical.
    rescue : tuple of Step
        Messages that make the old router forward: at ``going-down`` if the marker has not arrived, and at ``move`` if nothing was
        announced or the marker did not arrive (decision 30: as in the conventional procedure of the family).
    route_optimization : bool
        If true, correspondents have bindings (RFC 6275 6.1.7; draft-ietf-mobileip-optim).
    network_based : bool
        If true, routers register for the mobile node, which keeps one address (RFC 5213). Tunnels end at the routers, and no
        address is checked for duplicates.
    prepared : bool
        If true, the old router prepares the new one and commands the move (3GPP handovers, RFC 5568, RFC 5949).
    gate : bool
        If true, packets from the anchor wait at the new router until the marker, and forwarded ones pass. Requires ``prepared``.
    forwarding : str
        Way of forwarded packets: ``direct`` from the old to the new router, ``anchor`` back to the anchor first, or ``none``.
        Requires ``prepared``.
    conditional : bool
        If true, the mobile node leaves by itself when its condition holds, so that it reports its target as soon as it is
        predicted. Otherwise it reports when it can leave at the command (decision 37).
    lasting : bool
        If true, bindings last until they are replaced, and are not refreshed.
    tunnel_bytes : tuple of int or None
        Header bytes of a tunnel from the anchor, and from the old router. None: they follow from IP version and options.
    tunnel : str
        Tunnel of data packets. ``gtp-u``: GTP-U over UDP, in the form that its header bytes select. Empty: by IP version and
        options, RFC 2003, 2004, 2784 or 2473.
    mobile_node, agent : type or None
        Controller classes of the mobile nodes and of routers and anchors, in place of
        ``handoff.protocol.mobile_node.MobileNodeController`` and ``handoff.protocol.agent.Agent``: subclasses of them, for
        experiments with behaviour that rows cannot express.
    """

    name: str
    family: str
    summary: str
    figures: str
    rfcs: tuple[str, ...]
    ip: int
    anchor: str
    signalling: tuple[Step, ...]
    marker: str = ""
    between: tuple[Step, ...] = ()
    rescue: tuple[Step, ...] = ()
    route_optimization: bool = False
    network_based: bool = False
    prepared: bool = False
    gate: bool = False
    forwarding: str = "direct"
    conditional: bool = False
    lasting: bool = False
    tunnel_bytes: tuple[int, int] | None = None
    tunnel: str = ""
    mobile_node: type[Any] | None = None
    agent: type[Any] | None = None

    @cached_property
    def hierarchical(self) -> bool:
        """True if the gateway of a region handles moves within the region (RFC 4857, RFC 5380)."""
        return bool(self.between)

    @cached_property
    def predictive(self) -> bool:
        """True if the mobile node registers before the move."""
        return any(step.on == "predict" for step in self.signalling)


def predictive_path(*path: str) -> tuple[str, ...]:
    """Return a path over the old link: the old router relays the message to the new router, from where it takes ``path``."""
    return ("MN", "oAR", "nAR", *path)


def update_steps(on: str, number: str, path: tuple[str, ...], effect: str = "bind", reply: str = "") -> tuple[Step, Step]:
    """Return a binding update along ``path`` and its acknowledgement through the new router, which has the effect ``reply``."""
    last = path[-1]
    return Step(on, f"BU{number}", path, effect), Step(f"BU{number}", f"BA{number}", (last, "nAR", "MN"), reply)


def rescue_steps(number: str = "") -> tuple[Step, ...]:
    """Return the update to the old router and its acknowledgement through the new one.

    The update takes the old link at the warning (seed, II-4, III-3), and the new one after a move without it (as in the seed's
    figures 5 and 6).
    """
    update, acknowledgement = update_steps("going-down", number, ("MN", "oAR"), "forward")
    return update, replace(update, on="move", path=("MN", "nAR", "oAR")), acknowledgement
