"""Prepared handovers: LTE, 5G, fast handovers of Mobile IPv6, computed by hand from their documents (docs/handovers.md).

In scenario I the command leaves at 500 and is heard at 504, when the old link ends; the new one begins at 554, so that the new
router hears the mobile node at 559. Reports leave so much earlier that the command leaves at 500. Delays of the control nodes are
in ``two_router_scene``; AMF, SMF and home agent take 1 ms for a message, and none for a marker.

A packet that is sent at t reaches the home agent at t + 20, the old router at t + 30, the new one at t + 32, or through the old
one at t + 36, and through the old one and the home agent at t + 52.
"""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.cases import (
    BY_NEW,
    BY_OLD,
    FORWARDED,
    LOST,
    UP_NEW,
    UP_OLD,
    Case,
    arriving_at,
    path_changes,
    upstream_switch,
)  # fmt: skip
from tests.conformance.two_router_scene import Path, Scene, Stay, delivered, dropped


def commanded(predict: float, old_down: float = 504) -> Scene:
    return Scene([Stay("old", down=old_down, predict=predict), Stay("new", up=554)], control=True)


BY_ANCHOR = delivered("cn>ha", "ha>old", "old>ha", "ha>new", "new>*", delay=57)
DROPPED = dropped("cn>ha", "ha>old", fate="no visitor")
OPEN = arriving_at(564, FORWARDED)
"""Waits at the new router for the mobile node."""
UPSTREAM = path_changes(UP_OLD, (504, arriving_at(586, UP_NEW)), (554, UP_NEW))
"""Through the new router as soon as its link is up: 554 + 5 + 27."""

X2_PREPARATION = """
    MR mn old 484 488
    HRQ old new 488 494
    HRA new old 494 500
    HC old mn 500 504
    """
X2_SWITCH = """
    HOC mn new 554 559
    PSR new amf 559 569
    MBQ amf ha 569 575
    EM ha old 575 585
    MBR ha amf 575 581
    PSA amf new 581 590
    EM old new 585 591
    UCR new old 590 596
    """
X2_HOPS = X2_PREPARATION + "SN old new 500 506\n" + X2_SWITCH
X2_OLD = [(499.999, "local"), (500, ["new"]), (595.999, ["new"]), (596, None)]
X2_NEW = [(493.999, None), (494, "hold"), (558.999, "hold")]
LTE = {
    "x2": Case(
        "x2", commanded(484), 1, X2_HOPS,
        {
            "ha": [(574.999, ["old"]), (575, ["new"])],
            "old": X2_OLD,
            "new": [*X2_NEW, (559, "gate"), (590.999, "gate"), (591, "local")],
        },
        path_changes(BY_OLD, (470, OPEN), (523, FORWARDED), (555, arriving_at(596, BY_NEW)), (559, BY_NEW)),
        UPSTREAM, 591,
    ),
    "x2-ungated": Case(
        "x2-ungated", commanded(484), 1, X2_HOPS,
        {"ha": [(574.999, ["old"]), (575, ["new"])], "old": X2_OLD, "new": [*X2_NEW, (559, "local")]},
        path_changes(BY_OLD, (470, OPEN), (523, FORWARDED), (555, BY_NEW)),
        UPSTREAM, 591,
    ),
    "x2-um": Case(
        "x2-um", commanded(484), 1, X2_PREPARATION + X2_SWITCH,
        {
            "ha": [(574.999, ["old"]), (575, ["new"])],
            "old": [(499.999, "local"), (500, None)],
            "new": [*X2_NEW, (559, "local")],
        },
        path_changes(BY_OLD, (470, DROPPED), (555, BY_NEW)),
        UPSTREAM, 591,
    ),
    "x2 II": Case(  # the old link ends 1 ms before the command would be heard; what is on the air is lost
        "x2", commanded(484, old_down=503), 2,
        X2_PREPARATION.replace("500 504", "500 -") + """
        SN old new 500 506
        RRE mn new 554 559
        RCQ new old 559 565
        RCR old new 565 571
        PSR new amf 571 581
        MBQ amf ha 581 587
        EM ha old 587 597
        MBR ha amf 587 593
        PSA amf new 593 602
        EM old new 597 603
        UCR new old 602 608
        """,
        {
            "ha": [(586.999, ["old"]), (587, ["new"])],
            "old": [(498.999, "local"), (499.001, "hold"), (499.999, "hold"), (500, ["new"]), (607.999, ["new"]), (608, None)],
            "new": [*X2_NEW, (559, "gate"), (602.999, "gate"), (603, "local")],
        },
        path_changes(  # a packet at the old router after 499 would not cross the old radio by 503
            BY_OLD, (469.001, OPEN), (523, FORWARDED), (567, arriving_at(608, BY_NEW)), (571, BY_NEW),
        ),
        path_changes(UP_OLD, (503, arriving_at(586, UP_NEW)), (554, UP_NEW)), 603,
    ),
    "x2 III": Case(  # no report: the new router fetches the context, and the old one forwards what waits since 499
        "x2", Scene([Stay("old", down=503), Stay("new", up=554)], control=True), 3,
        """
        RRE mn new 554 559
        RCQ new old 559 565
        RCR old new 565 571
        PSR new amf 571 581
        MBQ amf ha 581 587
        EM ha old 587 597
        MBR ha amf 587 593
        PSA amf new 593 602
        EM old new 597 603
        UCR new old 602 608
        """,
        {
            "ha": [(586.999, ["old"]), (587, ["new"])],
            "old": [(498.999, "local"), (499.001, "hold"), (564.999, "hold"), (565, ["new"]), (607.999, ["new"]), (608, None)],
            "new": [(558.999, None), (559, "gate"), (602.999, "gate"), (603, "local")],
        },
        path_changes(  # leaves the old router at 565: 565 + 6 + 5
            BY_OLD, (469.001, arriving_at(576, FORWARDED)), (535, FORWARDED), (567, arriving_at(608, BY_NEW)), (571, BY_NEW),
        ),
        path_changes(UP_OLD, (503, arriving_at(586, UP_NEW)), (554, UP_NEW)), 603,
    ),
    "s1-indirect": Case(
        "s1-indirect", commanded(448), 1,
        """
        MR mn old 448 452
        HRD old amf 452 461
        HRQ amf new 461 470
        HRA new amf 470 480
        CFQ amf ha 480 486
        CFR ha amf 486 492
        HCD amf old 492 500
        HC old mn 500 504
        EST old amf 500 509
        MST amf new 509 518
        HOC mn new 554 559
        HN new amf 559 569
        MBQ amf ha 569 575
        UCC amf old 569 577
        DFQ amf ha 569 576
        EM ha old 575 585
        MBR ha amf 575 581
        DFR ha amf 576 582
        UCM old amf 577 586
        EM old ha 585 595
        EM ha new 595 607
        """,  # the home agent serves DFQ after MBQ
        {
            "ha": [(485.999, ["old"]), (486, ["old", "new"]), (574.999, ["old", "new"]), (575, ["new"])],
            "old": [(499.999, "local"), (500, ["ha"]), (584.999, ["ha"]), (585, None)],
            "new": [(469.999, None), (470, "hold"), (558.999, "hold"), (559, "gate"), (606.999, "gate"), (607, "local")],
        },
        path_changes(
            BY_OLD, (470, arriving_at(564, BY_ANCHOR)), (507, BY_ANCHOR), (555, arriving_at(612, BY_NEW)), (575, BY_NEW)
        ),
        UPSTREAM, 607,
    ),
    "s1-indirect III": Case(  # base stations without a link: the core releases the old one, with what waits there
        "s1-indirect", Scene([Stay("old", down=503), Stay("new", up=554)], control=True), 3,
        """
        RRE mn new 554 559
        PSR new amf 559 569
        UCC amf old 569 577
        MBQ amf ha 569 575
        PSA amf new 569 578
        EM ha old 575 585
        MBR ha amf 575 581
        UCM old amf 577 586
        EM old ha 585 595
        EM ha new 595 607
        """,
        {
            "ha": [(574.999, ["old"]), (575, ["new"])],
            "old": [(499.001, "hold"), (576.999, "hold"), (577, None)],
            "new": [(558.999, None), (559, "gate"), (606.999, "gate"), (607, "local")],
        },
        path_changes(BY_OLD, (469.001, DROPPED), (555, arriving_at(612, BY_NEW)), (575, BY_NEW)),
        path_changes(UP_OLD, (503, arriving_at(586, UP_NEW)), (554, UP_NEW)), 607,
    ),
}  # fmt: skip

XN_SWITCH = """
    HOC mn new 554 559
    PSR new amf 559 569
    SMQ amf smf 569 572
    SRQ smf ha 572 577.5
    EM ha old 577.5 587.5
    SRR ha smf 577.5 583
    SMR smf amf 583 586
    PSA amf new 586 595
    EM old new 587.5 593.5
    UCR new old 595 601
    """
SUCCESS = """
    HS new old 559 565
    SN old new 565 571
    """
XN_HA = [(577.499, ["old"]), (577.5, ["new"])]
XN_NEW = [*X2_NEW, (559, "gate"), (593.499, "gate"), (593.5, "local")]
XN_DIRECT = ((557.5, arriving_at(598.5, BY_NEW)), (561.5, BY_NEW))
N2_PREPARATION = """
    MR mn old 437 441
    HRD old amf 441 450
    SMQ1 amf smf 450 453
    SMR1 smf amf 453 456
    HRQ amf new 456 465
    HRA new amf 465 475
    SMQ2 amf smf 475 478
    SRQ2 smf ha 478 483.5
    SRR2 ha smf 483.5 489
    SMR2 smf amf 489 492
    HCD amf old 492 500
    HC old mn 500 504
    EST old amf 500 509
    MST amf new 509 518
    HOC mn new 554 559
    HN new amf 559 569
    SMQ3 amf smf 569 572
    SRQ3 smf ha 572 577.5
    SRR3 ha smf 577.5 583
    SMR3 smf amf 583 586
    DFQ smf ha 583 588.5
    UCC amf old 586 594
    DFR ha smf 588.5 594
    UCM old amf 594 603
    EM ha old 577.5 587.5
    """
TWO_COPIES = Path({"cn>ha": 1, "ha>old": 1, "old>*": 1, "old>new": 1, "new>*": 1}, {"delivered": 1, "duplicate": 1}, 34)
ONE_LOST = Path(TWO_COPIES.links, {"delivered": 1, "detached": 1}, 41)
NR = {
    "xn": Case(
        "xn", commanded(484), 1, X2_PREPARATION + "SN old new 500 506\n" + XN_SWITCH,
        {"ha": XN_HA, "old": [(499.999, "local"), (500, ["new"]), (600.999, ["new"]), (601, None)], "new": XN_NEW},
        path_changes(BY_OLD, (470, OPEN), (523, FORWARDED), *XN_DIRECT),
        UPSTREAM, 593.5,
    ),
    "n2-indirect": Case(
        "n2-indirect", commanded(437), 1, N2_PREPARATION + """
        EM old ha 587.5 597.5
        EM ha new 597.5 609.5
        """,
        {
            "ha": [(483.499, ["old"]), (483.5, ["old", "new"]), (577.499, ["old", "new"]), (577.5, ["new"])],
            "old": [(499.999, "local"), (500, ["ha"]), (593.999, ["ha"]), (594, None)],
            "new": [(464.999, None), (465, "hold"), (558.999, "hold"), (559, "gate"), (609.499, "gate"), (609.5, "local")],
        },
        path_changes(
            BY_OLD, (470, arriving_at(564, BY_ANCHOR)), (507, BY_ANCHOR), (557.5, arriving_at(614.5, BY_NEW)), (577.5, BY_NEW)
        ),
        UPSTREAM, 609.5,
    ),
    "n2-unforwarded": Case(
        "n2-unforwarded", commanded(437), 1, N2_PREPARATION + """
        EM old ha 587.5 597.5
        EM ha new 597.5 609.5
        """,
        {
            "ha": [(577.5, ["new"])],
            "old": [(499.999, "local"), (500, None)],
            "new": [(464.999, None), (465, "hold"), (558.999, "hold"), (559, "local")],
        },
        path_changes(BY_OLD, (470, DROPPED), (557.5, BY_NEW)),
        UPSTREAM, 609.5,
    ),
    "cho-late": Case(  # the old router sends on, in vain after 500, until HANDOVER SUCCESS at 565; 565 + 6 + 5
        "cho-late", commanded(484), 1, X2_PREPARATION + XN_SWITCH + SUCCESS,
        {
            "ha": XN_HA,
            "old": [(500, "local"), (500.001, "hold"), (564.999, "hold"), (565, ["new"]), (600.999, ["new"]), (601, None)],
            "new": XN_NEW,
        },
        path_changes(BY_OLD, (470.001, arriving_at(576, FORWARDED)), (535, FORWARDED), *XN_DIRECT),
        UPSTREAM, 593.5,
    ),
    "cho-late, without a buffer": Case(
        "cho-late", commanded(484), 1, X2_PREPARATION + XN_SWITCH + SUCCESS,
        {"old": [(564.999, "local"), (565, ["new"])]},
        path_changes(BY_OLD, (470.001, LOST), (535, FORWARDED), *XN_DIRECT),
        UPSTREAM, 593.5, options={"old_buffer_packets": 0},
    ),
    "cho-early": Case(  # the copy that the old router sends reaches the mobile node until 504
        "cho-early", commanded(484), 1, X2_PREPARATION + "ES old new 500 506\n" + XN_SWITCH + SUCCESS,
        {
            "ha": XN_HA,
            "old": [(499.999, "local"), (500, ["old", "new"]), (564.999, ["old", "new"]), (565, ["new"]), (601, None)],
            "new": XN_NEW,
        },
        path_changes(
            BY_OLD, (470, TWO_COPIES), (470.001, arriving_at(564, ONE_LOST)), (523, ONE_LOST), (535, FORWARDED), *XN_DIRECT
        ),
        UPSTREAM, 593.5,
    ),
    "daps": Case(  # both links are up: the old router delivers until HANDOVER SUCCESS at 565
        "daps", commanded(484, old_down=700), 1,
        X2_PREPARATION + "ES old new 500 506\n" + XN_SWITCH + SUCCESS + "REL new mn 595 600\n",
        {
            "ha": XN_HA,
            "old": [(564.999, "local"), (565, ["new"]), (600.999, ["new"]), (601, None)],
            "new": [*X2_NEW, (570.999, "hold"), (571, "gate"), (593.499, "gate"), (593.5, "local")],
        },
        path_changes(BY_OLD, (535, FORWARDED), *XN_DIRECT),
        upstream_switch(554), 593.5,
    ),
}  # fmt: skip

FAST = {
    "fmipv6-predictive": Case(  # FBack over the new link waits with the data
        "fmipv6-predictive", commanded(476), 1,
        """
        RSP mn old 476 480
        PRA old mn 480 484
        FBU mn old 484 488
        HI old new 488 494
        HAK new old 494 500
        FBA old mn 500 504
        FBN old new 500 506
        FBN new mn 506 564
        UNA mn new 554 559
        BU1 mn new 554 559
        BU1 new ha 559 572
        BA1 ha new 572 584
        BA1 new mn 584 589
        """,
        {
            "ha": [(571.999, ["old"]), (572, ["new"])],
            "old": [(499.999, "local"), (500, ["new"]), (1900, ["new"])],
            "new": [(493.999, None), (494, "hold"), (558.999, "hold"), (559, "local")],
        },
        path_changes(BY_OLD, (470, OPEN), (523, FORWARDED), (552, BY_NEW)),
        UPSTREAM,
    ),
    "fmipv6-predictive III": Case(  # no FBack was heard: as in the reactive one
        "fmipv6-predictive", commanded(490, old_down=503), 3,
        """
        RSP mn old 490 494
        PRA old mn 494 498
        FBU mn old 498 502
        HI old new 502 508
        HAK new old 508 514
        FBA old mn 514 -
        FBN old new 514 520
        FBN new mn 520 564
        UNA mn new 554 559
        FBU2 mn new 554 559
        FBU2 new old 559 565
        FBA2 old new 565 571
        HI2 old new 565 571
        FBA2 new mn 571 576
        HAK2 new old 571 577
        BU1 mn new 576 581
        BU1 new ha 581 594
        BA1 ha new 594 606
        BA1 new mn 606 611
        """,
        {
            "ha": [(593.999, ["old"]), (594, ["new"])],
            "old": [(499.001, "hold"), (513.999, "hold"), (514, ["new"]), (1900, ["new"])],
            "new": [(507.999, None), (508, "hold"), (558.999, "hold"), (559, "local")],
        },
        path_changes(BY_OLD, (469.001, OPEN), (523, FORWARDED), (574, BY_NEW)),
        path_changes(UP_OLD, (503, arriving_at(586, UP_NEW)), (554, UP_NEW)),
    ),
    "fmipv6-reactive": Case(
        "fmipv6-reactive", Scene([Stay("old", down=504), Stay("new", up=554)]), 3,
        """
        UNA mn new 554 559
        FBU2 mn new 554 559
        FBU2 new old 559 565
        FBA2 old new 565 571
        HI2 old new 565 571
        FBA2 new mn 571 576
        HAK2 new old 571 577
        BU1 mn new 576 581
        BU1 new ha 581 594
        BA1 ha new 594 606
        BA1 new mn 606 611
        """,
        {
            "ha": [(593.999, ["old"]), (594, ["new"])],
            "old": [(500.001, "hold"), (564.999, "hold"), (565, ["new"]), (1900, ["new"])],
            "new": [(558.999, None), (559, "local")],
        },
        path_changes(BY_OLD, (470.001, arriving_at(576, FORWARDED)), (535, FORWARDED), (574, BY_NEW)),
        UPSTREAM,
    ),
    "pfmipv6-predictive": Case(
        "pfmipv6-predictive", commanded(484), 1,
        """
        MR mn old 484 488
        HI old new 488 494
        HAK new old 494 500
        HC old mn 500 504
        ATT1 mn new 554 559
        BU new ha 559 572
        BA ha new 572 584
        """,
        {
            "ha": [(571.999, ["old"]), (572, ["new"])],
            "old": [(499.999, "local"), (500, ["new"]), (1900, ["new"])],
            "new": [(493.999, None), (494, "hold"), (558.999, "hold"), (559, "local")],
        },
        path_changes(BY_OLD, (470, OPEN), (523, FORWARDED), (552, BY_NEW)),
        UPSTREAM,
    ),
    "pfmipv6-reactive": Case(
        "pfmipv6-reactive", Scene([Stay("old", down=504), Stay("new", up=554)]), 3,
        """
        ATT mn new 554 559
        HI2 new old 559 565
        HAK2 old new 565 571
        BU new ha 571 584
        BA ha new 584 596
        """,
        {
            "ha": [(583.999, ["old"]), (584, ["new"])],
            "old": [(500.001, "hold"), (564.999, "hold"), (565, ["new"]), (1900, ["new"])],
            "new": [(558.999, None), (559, "local")],
        },
        path_changes(BY_OLD, (470.001, arriving_at(576, FORWARDED)), (535, FORWARDED), (564, BY_NEW)),
        UPSTREAM,
    ),
}  # fmt: skip
CASES = {
    name: replace(case, options={"request": "predict", **case.options}) for name, case in (LTE | NR | FAST).items()
}  # the report leaves at the prediction
