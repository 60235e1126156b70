"""Rows of Mobile IPv6 and hierarchical Mobile IPv6."""

from __future__ import annotations

from handoff.protocol.procedures.steps import Procedure, Step, predictive_path, rescue_steps, update_steps

AFTER = ("MN", "nAR")
"""From the mobile node over the new link."""

_TEMPORARY = update_steps("move", "3", (*AFTER, "oAR"), "forward")
"""The update with H that makes a router of the old sub-network the temporary home agent."""

_HIERARCHY = ("RFC 5380", "draft-soliman-mobileip-hmipv6")


def _deregister(anchor: str, *way: str) -> tuple[Step, Step]:
    """Update with lifetime 0 by the old router, and its acknowledgement, the marker."""
    return Step("predict", "DBU", ("MN", "oAR", anchor), "delete"), Step("DBU", "DBA", (anchor, *way, "oAR", "MN"))


CONVENTIONAL = (
    Procedure(
        name="mipv6-ro",
        family="conventional",
        summary="updates home agent and correspondents after the move; a temporary home agent forwards; route optimization",
        figures="4A-4B",
        rfcs=("RFC 6275",),
        ip=6,
        anchor="CN",
        route_optimization=True,
        signalling=(
            *update_steps("move", "1", (*AFTER, "HA"), reply="registered"),
            *update_steps("move", "2", (*AFTER, "CN")),
            *_TEMPORARY,
        ),
        upstream="drop",
    ),
    Procedure(
        name="mipv6",
        family="conventional",
        summary="updates the home agent after the move; a temporary home agent on the old sub-network forwards",
        figures="5A-5B",
        rfcs=("RFC 6275",),
        ip=6,
        anchor="HA",
        signalling=(*update_steps("move", "1", (*AFTER, "HA"), reply="registered"), *_TEMPORARY),
        upstream="drop",
    ),
    Procedure(
        name="hmipv6-bicast",
        family="bicasting",
        summary="simultaneous bindings at the mobility anchor point",
        figures="9A-9B",
        rfcs=_HIERARCHY,
        ip=6,
        anchor="MAP",
        signalling=update_steps("predict", "", predictive_path("MAP"), "simultaneous", "registered"),
        between=(
            *update_steps("predict", "", predictive_path("MAP")),
            *update_steps("predict", "2", predictive_path("HA"), "simultaneous", "registered"),
        ),
    ),
    Procedure(
        name="hmipv6-ro-bicast",
        family="bicasting",
        summary="simultaneous bindings at the mobility anchor point, to which correspondents send straight",
        figures="10A-10B",
        rfcs=_HIERARCHY,
        ip=6,
        anchor="MAP",
        route_optimization=True,
        signalling=update_steps("predict", "", predictive_path("MAP"), "simultaneous", "registered"),
        between=(
            *update_steps("predict", "", predictive_path("MAP")),
            *update_steps("predict", "2", predictive_path("HA"), "simultaneous", "registered"),
            *update_steps("predict", "3", predictive_path("CN"), "simultaneous"),
        ),
    ),
)

BEYOND = (
    Procedure(
        name="pmipv6",
        family="conventional",
        summary="Proxy Mobile IPv6: the access router registers for the mobile node, which keeps its address",
        figures="",
        rfcs=("RFC 5213",),
        ip=6,
        anchor="HA",
        network_based=True,
        signalling=(
            Step("move", "AS", AFTER),
            Step("AS", "BU", ("nAR", "HA"), "bind"),
            Step("BU", "BA", ("HA", "nAR")),
            Step("BA", "AA", ("nAR", "MN"), "registered"),
        ),
        upstream="drop",
    ),
)
"""Not of the seed."""

SYNCHRONIZED = (
    Procedure(
        name="sync-mipv6",
        family="synchronized",
        summary="the home agent ends the old path with a marker; without it the old router becomes temporary home agent",
        figures="32A-38B",
        rfcs=("RFC 6275",),
        ip=6,
        anchor="HA",
        marker="DBA",
        signalling=(*update_steps("predict", "", predictive_path("HA"), reply="registered"), *_deregister("HA")),
        rescue=rescue_steps("2"),
    ),
    Procedure(
        name="sync-mipv6-ro",
        family="synchronized",
        summary="each correspondent ends its old path with a marker",
        figures="39A-45B",
        rfcs=("RFC 6275",),
        ip=6,
        anchor="CN",
        route_optimization=True,
        marker="DBA",
        signalling=(
            *update_steps("predict", "1", predictive_path("HA"), reply="registered"),
            *update_steps("predict", "2", predictive_path("CN")),
            *_deregister("CN"),
        ),
        rescue=rescue_steps("3"),
    ),
    Procedure(
        name="sync-hmipv6",
        family="synchronized",
        summary="the mobility anchor point ends the old path with a marker; between regions the home agent does",
        figures="46A-52B",
        rfcs=("RFC 5380", "RFC 6275"),
        ip=6,
        anchor="MAP",
        marker="DBA",
        signalling=(*update_steps("predict", "", predictive_path("MAP"), reply="registered"), *_deregister("MAP")),
        between=(
            *update_steps("predict", "", predictive_path("MAP")),
            *update_steps("predict", "3", predictive_path("HA"), reply="registered"),
            *_deregister("HA", "oMAP"),
        ),
        rescue=rescue_steps("2"),
    ),
)
