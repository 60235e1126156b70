"""The procedures, as rows of data for the one machine in ``handoff.machine``.

A step reads: *on* an event, send *message* along *path*; each node on the way passes it on, and the last one applies
*effect* before it answers. ``on`` is a layer-2 event (``predict``, ``going-down``, ``up``) or the name of a message
that the first node of the path has just processed as the last node of that message's path.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One message of a procedure.

    Attributes
    ----------
    on : str
        ``"predict"``, ``"up"``, ``"going-down"``, or a message.
    message : str
        RQ registration request, RR registration reply, DRR deregistration reply (a reply with lifetime 0), BU binding
        update, BA binding acknowledgement.
    path : tuple of str
        Roles: MN, oAR and nAR (old and new router), HA.
    effect : str
        What the last node does: ``"replace"`` and ``"simultaneous"`` bind home -> new care-of address at an anchor,
        ``"forward"`` makes the old router forward old -> new care-of address; ``""`` nothing.
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
        Whose binding steers the downstream data.
    marker : str
        The message that the anchor sends last on the old path; ``""`` if there is none.
    signalling, rescue : tuple of Step
        ``rescue`` is what the mobile node does at going-down when the marker has not come.
    upstream : str
        What the mobile node does with upstream data while it has no registered link: ``"hold"`` or ``"drop"``.
    """

    name: str
    family: str
    summary: str
    figures: str
    rfcs: tuple[str, ...]
    ip: int
    anchor: str
    marker: str
    signalling: tuple[Step, ...]
    rescue: tuple[Step, ...] = ()
    upstream: str = "hold"

    @property
    def predictive(self) -> bool:
        """Whether it registers before the move."""
        return any(step.on == "predict" for step in self.signalling)


_ROWS = (
    Procedure(
        name="mipv4",
        family="conventional",
        summary="registers through the new foreign agent after the move",
        figures="3A-3B",
        rfcs=("RFC 5944",),
        ip=4,
        anchor="HA",
        marker="",
        signalling=(
            Step("up", "RQ", ("MN", "nAR", "HA"), "replace"),
            Step("RQ", "RR", ("HA", "nAR", "MN")),
        ),
        upstream="drop",
    ),
    Procedure(
        name="mipv4-bicast",
        family="bicasting",
        summary="simultaneous bindings: the home agent copies every packet to both routers for a while",
        figures="7A-7B",
        rfcs=("RFC 5944 3.8.2.2 (S bit)",),
        ip=4,
        anchor="HA",
        marker="",
        signalling=(
            Step("predict", "RQ", ("MN", "oAR", "nAR", "HA"), "simultaneous"),
            Step("RQ", "RR", ("HA", "nAR", "MN")),
        ),
    ),
    Procedure(
        name="sync-mipv4",
        family="synchronized",
        summary="the home agent ends the old path with a marker; without it the old router forwards what it holds",
        figures="11A-17B",
        rfcs=("RFC 5944", "RFC 5944 3.8.2.2 (second reply)"),
        ip=4,
        anchor="HA",
        marker="DRR",
        signalling=(
            Step("predict", "RQ", ("MN", "oAR", "nAR", "HA"), "replace"),
            Step("RQ", "RR", ("HA", "nAR", "MN")),
            Step("RQ", "DRR", ("HA", "oAR", "MN")),
        ),
        rescue=(
            Step("going-down", "BU", ("MN", "oAR"), "forward"),
            Step("BU", "BA", ("oAR", "nAR", "MN")),
        ),
    ),
)

PROCEDURES = {row.name: row for row in _ROWS}
"""All procedures by name, in the order of the seed: conventional ones first."""
