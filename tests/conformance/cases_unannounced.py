"""Synchronized procedures whose move nobody announced (decision 30): the messages of their conventional procedure.

The old link goes down at 500, and the new router is discovered at 800 (BREAK). The update to the old router goes over the new
link: there at 800 + 5 + 6 = 811. It forwards what it has kept since 496, which arrives at 811 + 6 + 5 = 822.
"""

from tests.conformance.cases import (
    BREAK,
    BY_NEW,
    BY_OLD,
    FORWARDED,
    REGION_FORWARDED,
    REGION_NEW,
    REGION_OLD,
    STRAIGHT_FORWARDED,
    STRAIGHT_NEW,
    STRAIGHT_OLD,
    Case,
    arriving_at,
    path_changes,
    upstream_wait,
)  # fmt: skip

KEPT_UNTIL_UPDATE = [(496, "local"), (496.001, "hold"), (810.999, "hold"), (811, ["new"])]
OLD_UNTIL_LIFETIME = [*KEPT_UNTIL_UPDATE, (1900, ["new"])]
NEW_AGENT = [(804.999, None), (805, "local")]
NEW_ROUTER = [(699.999, None), (700, "local")]
HOME_AGENT = [(817.999, ["old"]), (818, ["new"])]
GATEWAY = [(810.999, ["old"]), (811, ["new"])]

HOME_PATHS = path_changes(BY_OLD, (466.001, arriving_at(822, FORWARDED)), (781, FORWARDED), (798, BY_NEW))
REGION_PATHS = path_changes(
    REGION_OLD, (465.501, arriving_at(822, REGION_FORWARDED)), (780.5, REGION_FORWARDED), (783.5, REGION_NEW)
)
STRAIGHT_CHANGES = (471.001, arriving_at(822, STRAIGHT_FORWARDED)), (786, STRAIGHT_FORWARDED)

UNANNOUNCED = {
    "sync-mipv4 unannounced": Case(  # the marker ends forwarding and goes no further
        "sync-mipv4", BREAK, 0,
        """
        RQ mn new 800 805
        BU mn new 800 805
        RQ new ha 805 818
        BU new old 805 811
        BA old new 811 817
        BA new mn 817 822
        RR ha new 818 830
        DRR ha old 818 828
        RR new mn 830 835
        """,
        {"ha": HOME_AGENT, "old": [*KEPT_UNTIL_UPDATE, (827.999, ["new"]), (828, None)], "new": NEW_AGENT},
        HOME_PATHS,
        upstream_wait(500, 835),
    ),
    "sync-mipv4-ro unannounced": Case(  # as smooth handoff: no deregistration, so that no marker comes
        "sync-mipv4-ro", BREAK, 0,
        """
        RQ mn new 800 805
        BU2 mn new 800 805
        RQ new ha 805 818
        BU2 new old 805 811
        BA2 old new 811 817
        BA2 new mn 817 822
        RR ha new 818 830
        BU ha cn 818 839
        RR new mn 830 835
        """,
        {"ha": HOME_AGENT, "cn": [(838.999, ["old"]), (839, ["new"])], "old": OLD_UNTIL_LIFETIME, "new": NEW_AGENT},
        path_changes(STRAIGHT_OLD, *STRAIGHT_CHANGES, (839, STRAIGHT_NEW)),
        upstream_wait(500, 835),
    ),
    "sync-hmipv4 unannounced": Case(
        "sync-hmipv4", BREAK, 0,
        """
        RQ mn new 800 805
        BU mn new 800 805
        RQ new gw 805 811
        BU new old 805 811
        BA old new 811 817
        RR gw new 811 816
        DRR gw old 811 814
        RR new mn 816 821
        BA new mn 817 822
        """,
        {
            "ha": [(1900, ["gw"])],
            "gw": GATEWAY,
            "old": [*KEPT_UNTIL_UPDATE, (813.999, ["new"]), (814, None)],
            "new": NEW_AGENT,
        },
        REGION_PATHS,
        upstream_wait(500, 821),
    ),
    "sync-mipv6 unannounced": Case(  # the old router is temporary home agent, as in figure 5B
        "sync-mipv6", BREAK, 0,
        """
        BU mn new 800 805
        BU2 mn new 800 805
        BU new ha 805 818
        BU2 new old 805 811
        BA2 old new 811 817
        BA2 new mn 817 822
        BA ha new 818 830
        BA new mn 830 835
        """,
        {"ha": HOME_AGENT, "old": OLD_UNTIL_LIFETIME, "new": NEW_ROUTER},
        HOME_PATHS,
        upstream_wait(500, 835),
    ),
    "sync-mipv6-ro unannounced": Case(  # as in figure 4B
        "sync-mipv6-ro", BREAK, 0,
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
        {"ha": HOME_AGENT, "cn": [(832.999, ["old"]), (833, ["new"])], "old": OLD_UNTIL_LIFETIME, "new": NEW_ROUTER},
        path_changes(STRAIGHT_OLD, *STRAIGHT_CHANGES, (833, STRAIGHT_NEW)),
        upstream_wait(500, 835),
    ),
    "sync-hmipv6 unannounced": Case(
        "sync-hmipv6", BREAK, 0,
        """
        BU mn new 800 805
        BU2 mn new 800 805
        BU new gw 805 811
        BU2 new old 805 811
        BA gw new 811 816
        BA2 old new 811 817
        BA new mn 816 821
        BA2 new mn 817 822
        """,
        {"ha": [(1900, ["gw"])], "gw": GATEWAY, "old": OLD_UNTIL_LIFETIME, "new": NEW_ROUTER},
        REGION_PATHS,
        upstream_wait(500, 821),
    ),
}  # fmt: skip
