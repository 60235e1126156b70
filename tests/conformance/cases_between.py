"""Synchronized handoffs between regions with single access, announced and unannounced: an extension of the seed (decision 36).

The marker of the home agent passes the gateway of the old region, 7.5 + 3 ms. The gateway of the new region is 4 ms from the new
router and 8.5 ms from the home agent.
"""

from dataclasses import replace

from tests.conformance.cases import (
    BREAK,
    REGION2_NEW,
    REGION_FORWARDED,
    REGION_OLD,
    SINGLE,
    Case,
    arriving_at,
    path_changes,
    upstream_wait,
)  # fmt: skip

SINGLE_BETWEEN, BREAK_BETWEEN = replace(SINGLE, regions=2), replace(BREAK, regions=2)

NEW_III = [(509.999, None), (510, "hold"), (512.999, "hold"), (513, "local")]
KEPT_UNTIL_UPDATE = [(496, "local"), (496.001, "hold"), (810.999, "hold"), (811, ["new"])]

BETWEEN_REGIONS = {
    "sync-hmipv4 III between regions": Case(
        "sync-hmipv4", SINGLE_BETWEEN, 3,
        """
        RQ mn old 500 504
        BU mn old 500 504
        RQ old new 504 510
        BA old new 504 510
        RQ new gw2 510 515
        BA new mn 510 518
        RQ gw2 ha 515 524.5
        RR ha gw2 524.5 534
        DRR ha gw 524.5 532
        DRR gw old 532 535
        RR gw2 new 534 538
        RR new mn 538 543
        """,
        {
            "ha": [(524.499, ["gw"]), (524.5, ["gw2"])],
            "gw": [(531.999, ["old"]), (532, None)],
            "gw2": [(514.999, None), (515, ["new"])],
            "old": [(503.999, "local"), (504, ["new"]), (534.999, ["new"]), (535, None)],
            "new": NEW_III,
        },
        path_changes(REGION_OLD, (473.5, arriving_at(518, REGION_FORWARDED)), (476.5, REGION_FORWARDED), (504.5, REGION2_NEW)),
        upstream_wait(510, 543),
    ),
    "sync-hmipv6 III between regions": Case(  # the marker is forwarded: 533.5 + 6 + 5
        "sync-hmipv6", SINGLE_BETWEEN, 3,
        """
        BU mn old 500 504
        BU3 mn old 500 504
        DBU mn old 500 504
        BU2 mn old 500 504
        BU old new 504 510
        BU3 old new 504 510
        DBU old ha 504 515
        BA2 old new 504 510
        BU new gw2 510 515
        BU3 new ha 510 523
        BA2 new mn 510 518
        BA gw2 new 515 519
        BA new mn 519 524
        BA3 ha new 523 535
        DBA ha gw 523 530.5
        DBA gw old 530.5 533.5
        DBA old mn 533.5 544.5
        BA3 new mn 535 540
        """,
        {
            "ha": [(522.999, ["gw"]), (523, ["gw2"])],
            "gw": [(530.499, ["old"]), (530.5, None)],
            "gw2": [(514.999, None), (515, ["new"])],
            "old": [(503.999, "local"), (504, ["new"]), (533.499, ["new"]), (533.5, None)],
            "new": NEW_III,
        },
        path_changes(REGION_OLD, (473.5, arriving_at(518, REGION_FORWARDED)), (476.5, REGION_FORWARDED), (503, REGION2_NEW)),
        upstream_wait(510, 540),
        544.5,
    ),
    "sync-hmipv4 unannounced between regions": Case(
        "sync-hmipv4", BREAK_BETWEEN, 0,
        """
        RQ mn new 800 805
        BU mn new 800 805
        RQ new gw2 805 810
        BU new old 805 811
        RQ gw2 ha 810 819.5
        BA old new 811 817
        BA new mn 817 822
        RR ha gw2 819.5 829
        DRR ha gw 819.5 827
        DRR gw old 827 830
        RR gw2 new 829 833
        RR new mn 833 838
        """,
        {
            "ha": [(819.499, ["gw"]), (819.5, ["gw2"])],
            "gw": [(826.999, ["old"]), (827, None)],
            "gw2": [(809.999, None), (810, ["new"])],
            "old": [*KEPT_UNTIL_UPDATE, (829.999, ["new"]), (830, None)],
            "new": [(804.999, None), (805, "local")],
        },
        path_changes(REGION_OLD, (465.501, arriving_at(822, REGION_FORWARDED)), (780.5, REGION_FORWARDED), (799.5, REGION2_NEW)),
        upstream_wait(500, 838),
    ),
    "sync-hmipv6 unannounced between regions": Case(  # no deregistration: the binding of the old gateway ends with its lifetime
        "sync-hmipv6", BREAK_BETWEEN, 0,
        """
        BU mn new 800 805
        BU3 mn new 800 805
        BU2 mn new 800 805
        BU new gw2 805 810
        BU3 new ha 805 818
        BU2 new old 805 811
        BA gw2 new 810 814
        BA2 old new 811 817
        BA new mn 814 819
        BA2 new mn 817 822
        BA3 ha new 818 830
        BA3 new mn 830 835
        """,
        {
            "ha": [(817.999, ["gw"]), (818, ["gw2"])],
            "gw": [(1900, ["old"])],
            "gw2": [(809.999, None), (810, ["new"])],
            "old": [*KEPT_UNTIL_UPDATE, (1900, ["new"])],
            "new": [(699.999, None), (700, "local")],
        },
        path_changes(REGION_OLD, (465.501, arriving_at(822, REGION_FORWARDED)), (780.5, REGION_FORWARDED), (798, REGION2_NEW)),
        upstream_wait(500, 835),
    ),
}  # fmt: skip
