"""Figures 4A-5B and 32A-45B of the seed document: Mobile IPv6, with and without route optimization; and pmipv6.

An IPv6 router delivers to every node on its link: its entry stays when the mobile node leaves. A marker is addressed to the old
care-of address, so that a forwarding router forwards it too: 533 + 6 + 5 = 544, that of a correspondent 555 + 11 = 566.
"""

from tests.conformance.cases import (
    BREAK,
    BY_HOME,
    BY_NEW,
    BY_OLD,
    FORWARDED,
    KEPT,
    LATE,
    SINGLE,
    STRAIGHT_FORWARDED,
    STRAIGHT_NEW,
    STRAIGHT_OLD,
    TIMELY,
    UNBOUND,
    Case,
    arriving_at,
    path_changes,
    upstream_switch,
    upstream_wait,
)  # fmt: skip

HOME = {
    "mipv6": Case(
        "mipv6", BREAK, 0,
        """
        BU1 mn new 800 805
        BU3 mn new 800 805
        BU1 new ha 805 818
        BU3 new old 805 811
        BA3 old new 811 817
        BA3 new mn 817 822
        BA1 ha new 818 830
        BA1 new mn 830 835
        """,
        {
            "ha": [(499, ["old"]), (817.999, ["old"]), (818, ["new"])],
            # buffer, then temporary home agent for 12 s
            "old": [(496, "local"), (496.001, "hold"), (810.999, "hold"), (811, ["new"]), (1900, ["new"])],
            "new": [(699.999, None), (700, "local")],
        },
        # what has been kept leaves at 811 and arrives at 811 + 6 + 5
        path_changes(BY_OLD, (466.001, arriving_at(822, FORWARDED)), (781, FORWARDED), (798, BY_NEW)),
        upstream_wait(500, 835),
    ),
    "mipv6, the temporary home agent is discovered": Case(  # so late that all packets wait for it: 833 + 6 + 5
        "mipv6", BREAK, 0,
        """
        BU1 mn new 800 805
        HADQ mn new 800 805
        BU1 new ha 805 818
        HADQ new old 805 811
        HADR old new 811 817
        HADR new mn 817 822
        BA1 ha new 818 830
        BU3 mn new 822 827
        BU3 new old 827 833
        BA1 new mn 830 835
        BA3 old new 833 839
        BA3 new mn 839 844
        """,
        {"ha": [(817.999, ["old"]), (818, ["new"])], "old": [(832.999, "hold"), (833, ["new"])]},
        path_changes(BY_OLD, (466.001, arriving_at(844, FORWARDED)), (798, BY_NEW)),
        upstream_wait(500, 835),
        options={"temporary_home_agent": "discovery"},
    ),
    "pmipv6": Case(  # RFC 5213 5.3, 6.9: the access router registers for the mobile node, which keeps its address
        "pmipv6", BREAK, 0,
        """
        AS mn new 800 805
        BU new ha 805 818
        BA ha new 818 830
        AA new mn 830 835
        """,
        {
            "ha": [(499, ["old"]), (817.999, ["old"]), (818, ["new"])],
            "old": [(496, "local"), (496.001, "hold"), (1900, "hold")],
            "new": [(699.999, None), (700, "local")],
        },
        path_changes(BY_OLD, (466.001, KEPT), (798, BY_NEW)),
        upstream_wait(500, 835),
    ),
    "sync-mipv6 I": Case(  # the deregistration reaches the home agent first and waits for the update
        "sync-mipv6", TIMELY, 1,
        """
        BU mn old 500 504
        DBU mn old 500 504
        BU old new 504 510
        DBU old ha 504 515
        BU new ha 510 523
        BA ha new 523 535
        DBA ha old 523 533
        DBA old mn 533 537
        BA new mn 535 540
        """,
        {
            "ha": [(499, ["old"]), (514.999, ["old"]), (515, ["old"]), (522.999, ["old"]), (523, ["new"])],
            "old": [(499, "local"), (600, "local"), (1900, "local")],
            "new": [(509.999, None), (510, "hold"), (520, "local")],
        },
        path_changes(BY_OLD, (503, BY_NEW)),
        upstream_switch(540),
        537,
    ),
    "sync-mipv6 I, deleted at once": Case(  # no binding from 515 until the update arrives
        "sync-mipv6", TIMELY, 1,
        """
        BU mn old 500 504
        DBU mn old 500 504
        BU old new 504 510
        DBU old ha 504 515
        BU new ha 510 523
        DBA ha old 515 525
        BA ha new 523 535
        DBA old mn 525 529
        BA new mn 535 540
        """,
        {"ha": [(514.999, ["old"]), (515, None), (522.999, None), (523, ["new"])]},
        path_changes(BY_OLD, (495, UNBOUND), (503, BY_NEW)),
        upstream_switch(540),
        529,
        {"race": "patent"},
    ),
    "sync-mipv6 II": Case(
        "sync-mipv6", LATE, 2,
        """
        BU mn old 500 504
        DBU mn old 500 504
        BU old new 504 510
        DBU old ha 504 515
        BU new ha 510 523
        BU2 mn old 520 524
        BA ha new 523 535
        DBA ha old 523 533
        BA2 old new 524 530
        BA2 new mn 530 535
        DBA old mn 533 544
        BA new mn 535 540
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "old": [(523.999, "local"), (524, ["new"]), (532.999, ["new"]), (533, None)],  # the marker ends it
            "new": [(504.999, None), (505, "local")],
        },
        path_changes(BY_OLD, (494, FORWARDED), (503, BY_NEW)),
        upstream_switch(540),
        544,
    ),
    "sync-mipv6 III": Case(
        "sync-mipv6", SINGLE, 3,
        """
        BU mn old 500 504
        DBU mn old 500 504
        BU2 mn old 500 504
        BU old new 504 510
        DBU old ha 504 515
        BA2 old new 504 510
        BU new ha 510 523
        BA2 new mn 510 518
        BA ha new 523 535
        DBA ha old 523 533
        DBA old mn 533 544
        BA new mn 535 540
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "old": [(503.999, "local"), (504, ["new"]), (532.999, ["new"]), (533, None)],
            "new": [(509.999, None), (510, "hold"), (512.999, "hold"), (513, "local")],
        },
        path_changes(BY_OLD, (474, arriving_at(518, FORWARDED)), (477, FORWARDED), (503, BY_NEW)),
        upstream_wait(510, 540),
        544,
    ),
}  # fmt: skip

ROUTE_OPTIMIZATION = {
    "mipv6-ro": Case(
        "mipv6-ro", BREAK, 0,
        """
        BU1 mn new 800 805
        BU2 mn new 800 805
        BU3 mn new 800 805
        BU1 new ha 805 818
        BU2 new cn 805 833
        BU3 new old 805 811
        BA3 old new 811 817
        BA3 new mn 817 822
        BA1 ha new 818 830
        BA1 new mn 830 835
        BA2 cn new 833 860
        BA2 new mn 860 865
        """,
        {
            "ha": [(817.999, ["old"]), (818, ["new"])],
            "cn": [(499, ["old"]), (832.999, ["old"]), (833, ["new"])],
            "old": [(496, "local"), (496.001, "hold"), (810.999, "hold"), (811, ["new"]), (1900, ["new"])],
            "new": [(699.999, None), (700, "local")],
        },
        path_changes(
            STRAIGHT_OLD,
            (471.001, arriving_at(822, STRAIGHT_FORWARDED)), (786, STRAIGHT_FORWARDED), (833, STRAIGHT_NEW),
        ),
        upstream_wait(500, 835),
    ),
    "sync-mipv6-ro I": Case(
        "sync-mipv6-ro", TIMELY, 1,
        """
        BU1 mn old 500 504
        BU2 mn old 500 504
        DBU mn old 500 504
        BU1 old new 504 510
        BU2 old new 504 510
        DBU old cn 504 530
        BU1 new ha 510 523
        BU2 new cn 510 538
        BA1 ha new 523 535
        DBA cn old 530 555
        BA1 new mn 535 540
        BA2 cn new 538 565
        DBA old mn 555 559
        BA2 new mn 565 570
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "cn": [(499, ["old"]), (529.999, ["old"]), (530, None), (537.999, None), (538, ["new"])],
            "old": [(499, "local"), (600, "local"), (1900, "local")],
            "new": [(509.999, None), (510, "hold"), (520, "local")],
        },
        path_changes(STRAIGHT_OLD, (530, BY_HOME), (538, STRAIGHT_NEW)),
        upstream_switch(540),
        559,
    ),
    "sync-mipv6-ro I, the correspondent waits": Case(
        "sync-mipv6-ro", TIMELY, 1,
        """
        BU1 mn old 500 504
        BU2 mn old 500 504
        DBU mn old 500 504
        BU1 old new 504 510
        BU2 old new 504 510
        DBU old cn 504 530
        BU1 new ha 510 523
        BU2 new cn 510 538
        BA1 ha new 523 535
        BA1 new mn 535 540
        BA2 cn new 538 565
        DBA cn old 538 563
        DBA old mn 563 567
        BA2 new mn 565 570
        """,
        {"cn": [(529.999, ["old"]), (530, ["old"]), (537.999, ["old"]), (538, ["new"])]},
        path_changes(STRAIGHT_OLD, (538, STRAIGHT_NEW)),
        upstream_switch(540),
        567,
        {"correspondent_race": "hold"},
    ),
    "sync-mipv6-ro II": Case(
        "sync-mipv6-ro", LATE, 2,
        """
        BU1 mn old 500 504
        BU2 mn old 500 504
        DBU mn old 500 504
        BU1 old new 504 510
        BU2 old new 504 510
        DBU old cn 504 530
        BU1 new ha 510 523
        BU2 new cn 510 538
        BU3 mn old 520 524
        BA1 ha new 523 535
        BA3 old new 524 530
        DBA cn old 530 555
        BA3 new mn 530 535
        BA1 new mn 535 540
        BA2 cn new 538 565
        DBA old mn 555 566
        BA2 new mn 565 570
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "cn": [(529.999, ["old"]), (530, None), (537.999, None), (538, ["new"])],
            # packets may follow the marker, so that forwarding ends with its lifetime of 12 s
            "old": [(523.999, "local"), (524, ["new"]), (555, ["new"]), (1900, ["new"])],
            "new": [(504.999, None), (505, "local")],
        },
        path_changes(STRAIGHT_OLD, (499, STRAIGHT_FORWARDED), (530, BY_HOME), (538, STRAIGHT_NEW)),
        upstream_switch(540),
        566,
    ),
    "sync-mipv6-ro III": Case(
        "sync-mipv6-ro", SINGLE, 3,
        """
        BU1 mn old 500 504
        BU2 mn old 500 504
        DBU mn old 500 504
        BU3 mn old 500 504
        BU1 old new 504 510
        BU2 old new 504 510
        DBU old cn 504 530
        BA3 old new 504 510
        BU1 new ha 510 523
        BU2 new cn 510 538
        BA3 new mn 510 518
        BA1 ha new 523 535
        DBA cn old 530 555
        BA1 new mn 535 540
        BA2 cn new 538 565
        DBA old mn 555 566
        BA2 new mn 565 570
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "cn": [(529.999, ["old"]), (530, None), (537.999, None), (538, ["new"])],
            "old": [(503.999, "local"), (504, ["new"]), (1900, ["new"])],
            "new": [(509.999, None), (510, "hold"), (512.999, "hold"), (513, "local")],
        },
        path_changes(
            STRAIGHT_OLD,
            (479, arriving_at(518, STRAIGHT_FORWARDED)), (482, STRAIGHT_FORWARDED), (530, BY_HOME), (538, STRAIGHT_NEW),
        ),
        upstream_wait(510, 540),
        566,
    ),
}  # fmt: skip
