"""Figures 3A-3B, 6A-7B and 11A-24B of the seed document: Mobile IPv4, with and without route optimization."""

from tests.conformance.cases import (
    BREAK,
    BY_HOME,
    BY_NEW,
    BY_OLD,
    FORWARDED,
    KEPT,
    LATE,
    LOST,
    OVERLAP,
    SINGLE,
    STRAIGHT_FORWARDED,
    STRAIGHT_NEW,
    STRAIGHT_OLD,
    TIMELY,
    Case,
    arriving_at,
    bicast_paths,
    path_changes,
    upstream_loss,
    upstream_switch,
    upstream_wait,
)  # fmt: skip
from tests.conformance.two_router_scene import MS

MIPV4_HOPS = """
    RQ mn new 800 805
    RQ new ha 805 818
    RR ha new 818 830
    RR new mn 830 835
    """
BICAST_HOPS = """
    RQ mn old 500 504
    RQ old new 504 510
    RQ new ha 510 523
    RR ha new 523 535
    RR new mn 535 540
    """
HOME = {
    "mipv4": Case(
        "mipv4", BREAK, 0, MIPV4_HOPS,
        {
            "ha": [(499, ["old"]), (817.999, ["old"]), (818, ["new"])],
            "old": [(496, "local"), (496.001, "hold"), (1900, "hold")],  # not informed
            "new": [(804.999, None), (805, "local")],
        },
        path_changes(BY_OLD, (466.001, KEPT), (798, BY_NEW)),  # packets after 466 find no link; nobody asks for them
        upstream_wait(500, 835),
    ),
    "mipv4, without buffers": Case(  # what arrives after link down is X in figure 3B
        "mipv4", BREAK, 0, MIPV4_HOPS,
        {"ha": [(817.999, ["old"]), (818, ["new"])], "old": [(496.001, "local"), (1900, "local")]},
        path_changes(BY_OLD, (466.001, LOST), (798, BY_NEW)),
        upstream_loss(500, 835),
        options={"old_buffer_packets": 0, "upstream_hold": False},
    ),
    "mipv4-bicast": Case(
        "mipv4-bicast", OVERLAP, 0, BICAST_HOPS,
        {
            "ha": [(522.999, ["old"]), (523, ["old", "new"]), (799.999, ["old", "new"]), (800, ["new"])],  # 200 ms after 600
            "old": [(596, "local"), (596.001, "hold"), (1900, "hold")],
            "new": [(509.999, None), (510, "hold"), (530, "local")],
        },
        bicast_paths(BY_OLD, BY_NEW, 503, 780),
        upstream_switch(540),
    ),
    "mipv4-bicast, for 200 ms": Case(
        "mipv4-bicast", OVERLAP, 0, BICAST_HOPS,
        {"ha": [(522.999, ["old"]), (523, ["old", "new"]), (722.999, ["old", "new"]), (723, ["new"])]},
        bicast_paths(BY_OLD, BY_NEW, 503, 703),
        upstream_switch(540),
        options={"bicast_ps": 200 * MS},
    ),
    "sync-mipv4 I": Case(
        "sync-mipv4", TIMELY, 1,
        """
        RQ mn old 500 504
        RQ old new 504 510
        RQ new ha 510 523
        RR ha new 523 535
        DRR ha old 523 533
        DRR old mn 533 537
        RR new mn 535 540
        """,
        {
            "ha": [(499, ["old"]), (522.999, ["old"]), (523, ["new"])],  # I-3: replaced at once, no simultaneous binding
            "old": [(499, "local"), (599.999, "local"), (600, None)],  # I-5
            "new": [(509.999, None), (510, "hold"), (520, "local")],  # I-2: a pending visitor until it attaches
        },
        path_changes(BY_OLD, (503, BY_NEW)),
        upstream_switch(540),
        537,
    ),
    "sync-mipv4 II": Case(  # II-4: update and acknowledgement; the marker finds the old router forwarding and ends there
        "sync-mipv4", LATE, 2,
        """
        RQ mn old 500 504
        RQ old new 504 510
        RQ new ha 510 523
        BU mn old 520 524
        RR ha new 523 535
        DRR ha old 523 533
        BA old new 524 530
        BA new mn 530 535
        RR new mn 535 540
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "old": [(523.999, "local"), (524, ["new"]), (532.999, ["new"]), (533, None)],  # II-6: nothing follows the marker
            "new": [(509.999, None), (510, "local")],
        },
        path_changes(BY_OLD, (494, FORWARDED), (503, BY_NEW)),  # sent at 494 it meets the update at the old router
        upstream_switch(540),
    ),
    "sync-mipv4 III": Case(  # III-3, III-4: the acknowledgement is buffered; III-5: replies
        "sync-mipv4", SINGLE, 3,
        """
        RQ mn old 500 504
        BU mn old 500 504
        RQ old new 504 510
        BA old new 504 510
        RQ new ha 510 523
        BA new mn 510 518
        RR ha new 523 535
        DRR ha old 523 533
        RR new mn 535 540
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "old": [(503.999, "local"), (504, ["new"]), (532.999, ["new"]), (533, None)],
            "new": [(509.999, None), (510, "hold"), (512.999, "hold"), (513, "local")],
        },
        path_changes(BY_OLD, (474, arriving_at(518, FORWARDED)), (477, FORWARDED), (503, BY_NEW)),  # waits for the link
        upstream_wait(510, 540),
    ),
}  # fmt: skip

ROUTE_OPTIMIZATION = {
    "sync-mipv4-ro I": Case(
        "sync-mipv4-ro", TIMELY, 1,
        """
        RQ mn old 500 504
        DBU mn old 500 504
        RQ old new 504 510
        DBU old cn 504 530
        RQ new ha 510 523
        RR ha new 523 535
        BU ha cn 523 544
        DBA cn old 530 555
        RR new mn 535 540
        DBA old mn 555 559
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "cn": [(499, ["old"]), (529.999, ["old"]), (530, None), (543.999, None), (544, ["new"])],
            "old": [(499, "local"), (599.999, "local"), (600, None)],
            "new": [(509.999, None), (510, "hold"), (520, "local")],
        },
        path_changes(STRAIGHT_OLD, (530, BY_HOME), (544, STRAIGHT_NEW)),
        upstream_switch(540),
        559,
    ),
    "sync-mipv4-ro I, the correspondent waits": Case(
        "sync-mipv4-ro", TIMELY, 1,
        """
        RQ mn old 500 504
        DBU mn old 500 504
        RQ old new 504 510
        DBU old cn 504 530
        RQ new ha 510 523
        RR ha new 523 535
        BU ha cn 523 544
        RR new mn 535 540
        DBA cn old 544 569
        DBA old mn 569 573
        """,
        {"ha": [(522.999, ["old"]), (523, ["new"])], "cn": [(543.999, ["old"]), (544, ["new"])]},
        path_changes(STRAIGHT_OLD, (544, STRAIGHT_NEW)),
        upstream_switch(540),
        573,
        {"correspondent_race": "hold"},
    ),
    "sync-mipv4-ro II": Case(
        "sync-mipv4-ro", LATE, 2,
        """
        RQ mn old 500 504
        DBU mn old 500 504
        RQ old new 504 510
        DBU old cn 504 530
        RQ new ha 510 523
        BU2 mn old 520 524
        RR ha new 523 535
        BU ha cn 523 544
        BA2 old new 524 530
        DBA cn old 530 555
        BA2 new mn 530 535
        RR new mn 535 540
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "cn": [(529.999, ["old"]), (530, None), (543.999, None), (544, ["new"])],
            # packets may follow the marker, so that forwarding ends with its lifetime of 10 s
            "old": [(523.999, "local"), (524, ["new"]), (555, ["new"]), (1900, ["new"])],
            "new": [(509.999, None), (510, "local")],
        },
        path_changes(STRAIGHT_OLD, (499, STRAIGHT_FORWARDED), (530, BY_HOME), (544, STRAIGHT_NEW)),
        upstream_switch(540),
    ),
    "sync-mipv4-ro III": Case(
        "sync-mipv4-ro", SINGLE, 3,
        """
        RQ mn old 500 504
        DBU mn old 500 504
        BU2 mn old 500 504
        RQ old new 504 510
        DBU old cn 504 530
        BA2 old new 504 510
        RQ new ha 510 523
        BA2 new mn 510 518
        RR ha new 523 535
        BU ha cn 523 544
        DBA cn old 530 555
        RR new mn 535 540
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "cn": [(529.999, ["old"]), (530, None), (543.999, None), (544, ["new"])],
            "old": [(503.999, "local"), (504, ["new"]), (1900, ["new"])],
            "new": [(509.999, None), (510, "hold"), (512.999, "hold"), (513, "local")],
        },
        path_changes(
            STRAIGHT_OLD,
            (479, arriving_at(518, STRAIGHT_FORWARDED)), (482, STRAIGHT_FORWARDED), (530, BY_HOME), (544, STRAIGHT_NEW),
        ),
        upstream_wait(510, 540),
    ),
    "mipv4-smooth": Case(
        "mipv4-smooth", BREAK, 0,
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
        {
            "ha": [(817.999, ["old"]), (818, ["new"])],
            "cn": [(838.999, ["old"]), (839, ["new"])],
            "old": [(496, "local"), (496.001, "hold"), (810.999, "hold"), (811, ["new"]), (1900, ["new"])],
            "new": [(804.999, None), (805, "local")],
        },
        # what has been kept leaves at 811 and arrives at 811 + 6 + 5
        path_changes(
            STRAIGHT_OLD,
            (471.001, arriving_at(822, STRAIGHT_FORWARDED)), (786, STRAIGHT_FORWARDED), (839, STRAIGHT_NEW),
        ),
        upstream_wait(500, 835),
    ),
    "mipv4-smooth, the new router tells the old one": Case(
        "mipv4-smooth", BREAK, 0,
        """
        RQ mn new 800 805
        RQ new ha 805 818
        BU2 new old 805 811
        BA2 old new 811 817
        BA2 new mn 817 822
        RR ha new 818 830
        BU ha cn 818 839
        RR new mn 830 835
        """,
        {"cn": [(838.999, ["old"]), (839, ["new"])], "old": [(810.999, "hold"), (811, ["new"])]},
        path_changes(
            STRAIGHT_OLD,
            (471.001, arriving_at(822, STRAIGHT_FORWARDED)), (786, STRAIGHT_FORWARDED), (839, STRAIGHT_NEW),
        ),
        upstream_wait(500, 835),
        options={"notification": "router"},
    ),
}  # fmt: skip
