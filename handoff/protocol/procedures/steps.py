"""The language of a procedure: steps, and rows made of them.

A step reads: *on* an event, the first node of *path* sends *message*; each node on the way passes it on, and the last one
applies *effect* before it answers. ``on`` is an event at the mobile node or the name of a message: every node that handles that
message (as the last of its path, or passing it on) starts the steps whose path begins with its role.
"""

from __future__ import annotations

from dataclasses import dataclass

EVENTS = ("predict", "move", "going-down")
"""``predict``: the move is known, and where to. ``move``: the mobile node has found the new router on the new link.
``going-down``: "the connection will be discarded in a very short time"."""

EFFECTS = ("", "bind", "simultaneous", "delete", "forward", "registered")


@dataclass(frozen=True)
class Step:
    """One message of a procedure.

    Attributes
    ----------
    on : str
        One of ``EVENTS`` or a message.
    message : str
        RQ registration request, RR registration reply, DRR deregistration reply (a reply with lifetime 0), BU and BA binding
        update and acknowledgement, DBU and DBA the same with lifetime 0. A trailing digit tells two of one kind apart.
    path : tuple of str
        Roles: MN; oAR, nAR old and new router; HA; CN (each correspondent of the mobile node); GFA or MAP, the gateway of the
        new router's region, oGFA or oMAP that of the old one's.
    effect : str
        What the last node does. ``bind``: home -> new care-of address replaces what an anchor has; ``simultaneous``: is put
        beside it; ``delete``: home -> old care-of address goes; ``forward``: the old router tunnels old -> new care-of address;
        ``registered``: the mobile node knows that it is, and may send upstream through the new router.
    """

    on: str
    message: str
    path: tuple[str, ...]
    effect: str = ""


@dataclass(frozen=True)
class Procedure:
    """One row.

    Attributes
    ----------
    name, family, summary, figures : str
        Figures are those of the seed document.
    rfcs : tuple of str
    ip : int
    anchor : str
        Whose binding steers the downstream data: HA, CN, GFA or MAP.
    marker : str
        The message that the anchor sends last on the old path; ``""`` if there is none.
    signalling : tuple of Step
        Within a region; where there are no regions, always.
    between : tuple of Step
        Instead of ``signalling`` when the move goes to another region (hierarchical procedures only).
    rescue : tuple of Step
        What the mobile node does at going-down when the marker has not come.
    upstream : str
        What the mobile node does with upstream data while it has no registered link: ``"hold"`` or ``"drop"``.
    route_optimization : bool
        Whether correspondents have bindings.
    network_based : bool
        Whether routers register for the mobile node, which keeps one address: tunnels end at them, and no address is checked.
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
    upstream: str = "hold"
    route_optimization: bool = False
    network_based: bool = False

    @property
    def hierarchical(self) -> bool:
        """Whether moves inside a region stay at its gateway."""
        return bool(self.between)

    @property
    def predictive(self) -> bool:
        """Whether it registers before the move."""
        return any(step.on == "predict" for step in self.signalling)


def predictive_path(*path: str) -> tuple[str, ...]:
    """From the mobile node over the old link, relayed by the old router to the new one, to ``path``."""
    return ("MN", "oAR", "nAR", *path)


def update_steps(on: str, number: str, path: tuple[str, ...], effect: str = "bind", reply: str = "") -> tuple[Step, Step]:
    """A binding update along ``path`` and its acknowledgement by the new router; ``reply`` is the acknowledgement's effect."""
    last = path[-1]
    return Step(on, f"BU{number}", path, effect), Step(f"BU{number}", f"BA{number}", (last, "nAR", "MN"), reply)


def rescue_steps(number: str = "") -> tuple[Step, ...]:
    """II-4 and III-3: update to the old router over the old link, acknowledgement by the new router."""
    return update_steps("going-down", number, ("MN", "oAR"), "forward")
