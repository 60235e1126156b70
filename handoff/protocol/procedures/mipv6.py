"""Procedures of Mobile IPv6, hierarchical Mobile IPv6 and Proxy Mobile IPv6."""

from __future__ import annotations

from handoff.protocol.procedures.steps import Procedure, Step, predictive_path, rescue_steps, update_steps

_NEW_LINK = ("MN", "nAR")

_TEMPORARY = (
    *update_steps("move", "3", (*_NEW_LINK, "tHA"), "forward"),
    Step("BU3", "NA", ("tHA", "oAR"), "hand-over"),
)
"""Update with the H bit, which makes a router of the old sub-network the temporary home agent, and its acknowledgement.

The temporary home agent asks the old router for the packets of the old care-of address (RFC 6275 10.4.1). If it is the old router
itself, there is no such message.
"""

_HIERARCHY = ("RFC 5380", "draft-soliman-mobileip-hmipv6")


def _deregistration_steps(anchor: str, *gateway: str) -> tuple[Step, Step]:
    """Return the update with lifetime 0 through the old router, and its acknowledgement, which is the marker."""
    return Step("predict", "DBU", ("MN", "oAR", anchor), "delete"), Step("DBU", "DBA", (anchor, *gateway, "oAR", "MN"))


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
            *update_steps("move", "1", (*_NEW_LINK, "HA"), reply="registered"),
            *update_steps("move", "2", (*_NEW_LINK, "CN")),
            *_TEMPORARY,
        ),
    ),
    Procedure(
        name="mipv6",
        family="conventional",
        summary="updates the home agent after the move; a temporary home agent on the old sub-network forwards",
        figures="5A-5B",
        rfcs=("RFC 6275",),
        ip=6,
        anchor="HA",
        signalling=(*update_steps("move", "1", (*_NEW_LINK, "HA"), reply="registered"), *_TEMPORARY),
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
        summary="simultaneous bindings at the mobility anchor point, to which correspondents send directly",
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

PROXY = (
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
            Step("move", "AS", _NEW_LINK),
            Step("AS", "BU", ("nAR", "HA"), "bind"),
            Step("BU", "BA", ("HA", "nAR")),
            Step("BA", "AA", ("nAR", "MN"), "registered"),
        ),
    ),
)
"""Proxy Mobile IPv6, which the seed document does not contain."""

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
        signalling=(*update_steps("predict", "", predictive_path("HA"), reply="registered"), *_deregistration_steps("HA")),
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
            *_deregistration_steps("CN"),
        ),
        rescue=rescue_steps("3"),
    ),
    Procedure(
        name="sync-hmipv6",
        family="synchronized",
        summary="the mobility anchor point ends the old path with a marker; between regions the home agent does (extension)",
        figures="46A-52B",
        rfcs=("RFC 5380", "RFC 6275"),
        ip=6,
        anchor="MAP",
        marker="DBA",
        signalling=(*update_steps("predict", "", predictive_path("MAP"), reply="registered"), *_deregistration_steps("MAP")),
        between=(
            *update_steps("predict", "", predictive_path("MAP")),
            *update_steps("predict", "3", predictive_path("HA"), reply="registered"),
            *_deregistration_steps("HA", "oMAP"),
        ),
        rescue=rescue_steps("2"),
    ),
)

EXTENSIONS = (
    Procedure(
        name="sync-hmipv6-ro",
        family="synchronized",
        summary="extension: as sync-hmipv6, with correspondents that send to the mobility anchor point and mark their own paths",
        figures="",
        rfcs=("RFC 5380", "RFC 6275"),
        ip=6,
        anchor="MAP",
        route_optimization=True,
        marker="DBA",
        signalling=(*update_steps("predict", "", predictive_path("MAP"), reply="registered"), *_deregistration_steps("MAP")),
        between=(
            *update_steps("predict", "", predictive_path("MAP")),
            *update_steps("predict", "3", predictive_path("HA"), reply="registered"),
            *update_steps("predict", "4", predictive_path("CN")),
            *_deregistration_steps("CN", "oMAP"),
        ),
        rescue=rescue_steps("2"),
    ),
)
"""Hierarchical Mobile IPv6 with route optimization, which the seed document does not synchronize (decision 19)."""
