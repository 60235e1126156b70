"""Procedures of Mobile IPv4 and hierarchical Mobile IPv4."""

from __future__ import annotations

from handoff.protocol.procedures.steps import Procedure, Step, predictive_path, rescue_steps

_NEW_LINK = ("MN", "nAR")

_REPLY = Step("RQ", "RR", ("HA", "nAR", "MN"), "registered")
_REGIONAL_REPLY = Step("RQ", "RR", ("GFA", "nAR", "MN"), "registered")
_HOME_REPLY = Step("RQ", "RR", ("HA", "GFA", "nAR", "MN"), "registered")

CONVENTIONAL = (
    Procedure(
        name="mipv4",
        family="conventional",
        summary="registers through the new foreign agent after the move",
        figures="3A-3B",
        rfcs=("RFC 5944",),
        ip=4,
        anchor="HA",
        signalling=(Step("move", "RQ", (*_NEW_LINK, "HA"), "bind"), _REPLY),
    ),
    Procedure(
        name="mipv4-smooth",
        family="conventional",
        summary="smooth handoff: the old foreign agent forwards once an update has reached it; route optimization",
        figures="6A-6B",
        rfcs=("RFC 5944", "draft-ietf-mobileip-optim"),
        ip=4,
        anchor="CN",
        route_optimization=True,
        signalling=(
            Step("move", "RQ", (*_NEW_LINK, "HA"), "bind"),
            Step("move", "BU2", (*_NEW_LINK, "oAR"), "forward"),
            _REPLY,
            Step("RQ", "BU", ("HA", "CN"), "bind"),
            Step("BU2", "BA2", ("oAR", "nAR", "MN")),
        ),
    ),
    Procedure(
        name="mipv4-bicast",
        family="bicasting",
        summary="simultaneous bindings: the home agent copies every packet to both routers for a while",
        figures="7A-7B",
        rfcs=("RFC 5944 3.8.2.2 (S bit)",),
        ip=4,
        anchor="HA",
        signalling=(Step("predict", "RQ", predictive_path("HA"), "simultaneous"), _REPLY),
    ),
    Procedure(
        name="hmipv4-bicast",
        family="bicasting",
        summary="simultaneous bindings at the gateway foreign agent (hierarchical fast handoff)",
        figures="8A-8B",
        rfcs=("RFC 4857", "RFC 5944 3.8.2.2 (S bit)"),
        ip=4,
        anchor="GFA",
        signalling=(Step("predict", "RQ", predictive_path("GFA"), "simultaneous"), _REGIONAL_REPLY),
        between=(Step("predict", "RQ", predictive_path("GFA", "HA"), "simultaneous"), _HOME_REPLY),
    ),
)

SYNCHRONIZED = (
    Procedure(
        name="sync-mipv4",
        family="synchronized",
        summary="the home agent ends the old path with a marker; without it the old router forwards its packets",
        figures="11A-17B",
        rfcs=("RFC 5944", "RFC 5944 3.8.2.2 (second reply)"),
        ip=4,
        anchor="HA",
        marker="DRR",
        signalling=(
            Step("predict", "RQ", predictive_path("HA"), "bind"),
            _REPLY,
            Step("RQ", "DRR", ("HA", "oAR", "MN")),
        ),
        rescue=rescue_steps(),
    ),
    Procedure(
        name="sync-mipv4-ro",
        family="synchronized",
        summary="each correspondent ends its old path with a marker",
        figures="18A-24B",
        rfcs=("RFC 5944", "draft-ietf-mobileip-optim"),
        ip=4,
        anchor="CN",
        route_optimization=True,
        marker="DBA",
        signalling=(
            Step("predict", "RQ", predictive_path("HA"), "bind"),
            Step("predict", "DBU", ("MN", "oAR", "CN"), "delete"),
            Step("DBU", "DBA", ("CN", "oAR", "MN")),
            _REPLY,
            Step("RQ", "BU", ("HA", "CN"), "bind"),
        ),
        rescue=rescue_steps("2"),
    ),
    Procedure(
        name="sync-hmipv4",
        family="synchronized",
        summary="the gateway foreign agent ends the old path with a marker; between regions the home agent does (extension)",
        figures="25A-31B",
        rfcs=("RFC 4857", "RFC 5944 3.8.2.2 (second reply)"),
        ip=4,
        anchor="GFA",
        marker="DRR",
        signalling=(
            Step("predict", "RQ", predictive_path("GFA"), "bind"),
            _REGIONAL_REPLY,
            Step("RQ", "DRR", ("GFA", "oAR", "MN")),
        ),
        between=(
            Step("predict", "RQ", predictive_path("GFA", "HA"), "bind"),
            _HOME_REPLY,
            Step("RQ", "DRR", ("HA", "oGFA", "oAR", "MN")),
        ),
        rescue=rescue_steps(),
    ),
)
