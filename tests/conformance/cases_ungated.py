"""Prepared handovers whose new router waits for no marker: cell switch, late path switch, distributed mobility, ignored markers.

Computed by hand from their documents (docs/handovers.md). Times as in ``cases_handovers``. The database of distributed mobility
is at the AMF, 9 ms from the new router and 8 ms from the old one; it takes 1 ms for a message.
"""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.cases import BY_NEW, BY_OLD, FORWARDED, KEPT, LOST, Case, arriving_at, path_changes, upstream_switch
from tests.conformance.cases_handovers import BY_ANCHOR, CASES, UPSTREAM
from tests.conformance.two_router_scene import Scene, Stay, dropped

MOVE = Scene([Stay("old", down=504), Stay("new", up=554)], control=True)
"""Without a prediction: the new router hears the mobile node at 559."""
UNKNOWN = dropped("cn>ha", "ha>old", "old>new", fate="no visitor")
"""At the new router before it knows the tunnel."""

N2 = CASES["n2-indirect"]
SWITCHES = {
    "n2-indirect-ungated": replace(  # the first direct packet arrives at 594.5
        N2, procedure="n2-indirect-ungated",
        tables={
            **N2.tables, "new": [(464.999, None), (465, "hold"), (558.999, "hold"), (559, "local"), (1900, "local")],
        },
        down=path_changes(BY_OLD, (470, arriving_at(564, BY_ANCHOR)), (507, BY_ANCHOR), (557.5, BY_NEW)),
    ),
    "ltm-intra-cu": Case(  # the central unit is the anchor: it sends to the new cell from 511 on, and what comes back at once
        "ltm-intra-cu", Scene([Stay("old", down=504, predict=400, warn=496), Stay("new", up=554)], control=True), 1,
        """
        MR mn old 400 404
        MR old ha 404 415
        FQ ha new 415 427
        FR new ha 427 440
        CFG ha old 440 450
        CFG old mn 450 454
        LR mn old 496 500
        HC old mn 500 504
        CSN old ha 500 511
        HOC mn new 554 559
        HOC1 new ha 559 572
        FA ha new 572 584
        """,
        {
            "ha": [(439.999, ["old"]), (440, ["old", "new"]), (510.999, ["old", "new"]), (511, ["new"]), (1900, ["new"])],
            "old": [(499.999, "local"), (500, ["ha"]), (1900, ["ha"])],
            "new": [(426.999, None), (427, "hold"), (558.999, "hold"), (559, "local")],
        },
        path_changes(BY_OLD, (470, arriving_at(564, BY_ANCHOR)), (491, arriving_at(564, BY_NEW)), (527, BY_NEW)),
        UPSTREAM, options={"request": "auto"},
    ),
    "pmipv6-transient": Case(  # both links are up: upstream over the new one from the transient binding on
        "pmipv6-transient", Scene([Stay("old", down=700), Stay("new", up=554)], control=True), 3,
        """
        ATT mn new 554 559
        BUT new ha 559 572
        BAT ha new 572 584
        BU new ha 584 597
        BA ha new 597 609
        """,
        {
            "ha": [(572, ["old"]), (596.999, ["old"]), (597, ["new"])],
            "old": [(559, "local"), (690, "local")],
            "new": [(558.999, None), (559, "local")],
        },
        path_changes(BY_OLD, (577, BY_NEW)),
        upstream_switch(554),
    ),
}  # fmt: skip
LATE_SWITCH = SWITCHES["pmipv6-transient"]
SWITCHES |= {
    "pmipv6-transient, one link at a time": replace(  # the path switches as late, and nobody asks the old router for its packets
        LATE_SWITCH, scene=MOVE, down=path_changes(BY_OLD, (470.001, KEPT), (577, BY_NEW)), up=UPSTREAM,
        tables={**LATE_SWITCH.tables, "old": [(500, "local"), (500.001, "hold"), (1900, "hold")]},
    ),
    "pmipv6-transient, without a buffer": replace(
        LATE_SWITCH, scene=MOVE, down=path_changes(BY_OLD, (470.001, LOST), (577, BY_NEW)), up=UPSTREAM,
        tables={}, options={"old_buffer_packets": 0},
    ),
}  # fmt: skip

UPDATE = """
    ATT mn new 554 559
    BU new amf 559 569
    BUS amf old 569 577
    BAS old amf 577 586
    """
ANCHOR = {  # the first router remains the anchor
    "ha": [(1900, ["old"])],
    "old": [(500, "local"), (500.001, "hold"), (576.999, "hold"), (577, ["new"]), (1900, ["new"])],
}
DISTRIBUTED = {
    "dmm-relay": Case(  # what is forwarded before 589 arrives before the answer
        "dmm-relay", MOVE, 3, UPDATE + "BAP amf new 586 595\n", {**ANCHOR, "new": [(594.999, None), (595, "local")]},
        path_changes(BY_OLD, (470.001, UNKNOWN), (559, FORWARDED)), UPSTREAM,
    ),
    "dmm-locator": Case(  # the old router answers before it forwards what waits
        "dmm-locator", MOVE, 3, UPDATE + "BAP old new 577 583\n", {**ANCHOR, "new": [(582.999, None), (583, "local")]},
        path_changes(BY_OLD, (470.001, arriving_at(588, FORWARDED)), (547, FORWARDED)), UPSTREAM,
    ),
    "dmm-proxy": Case(  # the new router knows the tunnel at 578, 5 ms before the first packet comes out of it
        "dmm-proxy", MOVE, 3, UPDATE + "BAP amf new 569 578\n", {**ANCHOR, "new": [(577.999, None), (578, "local")]},
        path_changes(BY_OLD, (470.001, arriving_at(588, FORWARDED)), (547, FORWARDED)), UPSTREAM,
    ),
}  # fmt: skip
UNGATED_CASES = {
    name: replace(case, options={"request": "predict", **case.options}) for name, case in (SWITCHES | DISTRIBUTED).items()
}
