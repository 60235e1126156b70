"""Two procedures of one's own beside two that come with Handoff, on the same packets.

    python examples/python/own_procedure.py

The first is a procedure in rows: the mobile node registers before the move, but nobody marks the end of the old path. The second
is ``sync-mipv4`` with a mobile node that ignores the warning of layer 2, so that the old router never forwards.
"""

from dataclasses import replace
from pathlib import Path

import handoff
from handoff.protocol.mobile_node import MobileNodeController
from handoff.protocol.program import GOING_DOWN

early = handoff.Procedure(
    name="mipv4-early",
    family="conventional",
    summary="registers through the old link before the move, without a marker",
    figures="",
    rfcs=("RFC 5944",),
    ip=4,
    anchor="HA",
    signalling=(
        # on an event, the first node of the path sends a message; the last node applies the effect
        handoff.Step("predict", "RQ", ("MN", "oAR", "nAR", "HA"), "bind"),
        handoff.Step("RQ", "RR", ("HA", "nAR", "MN"), "registered"),
    ),
)


class DeafMobileNode(MobileNodeController):
    """Mobile nodes that get no warning before their link goes down."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.event_handlers[GOING_DOWN] = lambda ctx, state, attachment: None


deaf = replace(handoff.PROCEDURES["sync-mipv4"], name="sync-mipv4-deaf", mobile_node=DeafMobileNode)

if __name__ == "__main__":
    scenario = handoff.load(Path(__file__).parents[1] / "commute.toml", duration="60s")
    result = handoff.compare(scenario, ["mipv4", early, deaf, "sync-mipv4"])
    print(result)
