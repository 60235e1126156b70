"""The procedures, as rows of data for the one machine in ``handoff.machine``."""

from handoff.procedures import ipv4, ipv6
from handoff.procedures.language import EVENTS, Procedure, Step

_ROWS = (*ipv4.CONVENTIONAL, *ipv6.CONVENTIONAL, *ipv4.SYNCHRONIZED, *ipv6.SYNCHRONIZED, *ipv6.BEYOND)

PROCEDURES = {row.name: row for row in sorted(_ROWS, key=lambda row: int(row.figures.partition("A")[0] or 99))}
"""All procedures by name, in the order of the seed's figures: conventional ones first; those of other documents last."""

__all__ = ["EVENTS", "PROCEDURES", "Procedure", "Step"]
