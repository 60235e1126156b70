"""Figures 8A-8B and 25A-31B of the seed document: hierarchical Mobile IPv4, inside a region and between two."""

from tests.conformance.cases import (
    BETWEEN,
    LATE_BETWEEN,
    OVERLAP,
    OVERLAP_BETWEEN,
    REGION2_NEW,
    REGION_FORWARDED,
    REGION_NEW,
    REGION_OLD,
    REGIONAL_LATE,
    SINGLE,
    TIMELY,
    Case,
    arriving_at,
    bicast_paths,
    path_changes,
    upstream_switch,
    upstream_wait,
)  # fmt: skip

HIERARCHY = {
    "sync-hmipv4 I": Case(
        "sync-hmipv4", TIMELY, 1,
        """
        RQ mn old 500 504
        RQ old new 504 510
        RQ new gw 510 516
        RR gw new 516 521
        DRR gw old 516 519
        DRR old mn 519 523
        RR new mn 521 526
        """,
        {
            "ha": [(499, ["gw"]), (1900, ["gw"])],  # it is not informed
            "gw": [(499, ["old"]), (515.999, ["old"]), (516, ["new"])],
            "old": [(599.999, "local"), (600, None)],
            "new": [(509.999, None), (510, "hold"), (520, "local")],
        },
        path_changes(REGION_OLD, (488.5, REGION_NEW)),
        upstream_switch(526),
        523,
    ),
    "sync-hmipv4 II": Case(
        "sync-hmipv4", REGIONAL_LATE, 2,
        """
        RQ mn old 500 504
        RQ old new 504 510
        BU mn old 508 512
        RQ new gw 510 516
        BA old new 512 518
        RR gw new 516 521
        DRR gw old 516 519
        BA new mn 518 523
        RR new mn 521 526
        """,
        {
            "ha": [(1900, ["gw"])],
            "gw": [(515.999, ["old"]), (516, ["new"])],
            "old": [(511.999, "local"), (512, ["new"]), (518.999, ["new"]), (519, None)],
            "new": [(509.999, None), (510, "local")],
        },
        path_changes(REGION_OLD, (481.5, REGION_FORWARDED), (488.5, REGION_NEW)),
        upstream_switch(526),
    ),
    "sync-hmipv4 III": Case(
        "sync-hmipv4", SINGLE, 3,
        """
        RQ mn old 500 504
        BU mn old 500 504
        RQ old new 504 510
        BA old new 504 510
        RQ new gw 510 516
        BA new mn 510 518
        RR gw new 516 521
        DRR gw old 516 519
        RR new mn 521 526
        """,
        {
            "ha": [(1900, ["gw"])],
            "gw": [(515.999, ["old"]), (516, ["new"])],
            "old": [(503.999, "local"), (504, ["new"]), (518.999, ["new"]), (519, None)],
            "new": [(509.999, None), (510, "hold"), (512.999, "hold"), (513, "local")],
        },
        path_changes(REGION_OLD, (473.5, arriving_at(518, REGION_FORWARDED)), (476.5, REGION_FORWARDED), (488.5, REGION_NEW)),
        upstream_wait(510, 526),
    ),
    "sync-hmipv4 I between regions": Case(  # gw2 binds when it relays the request; gw relays the marker at once and forgets
        "sync-hmipv4", BETWEEN, 1,
        """
        RQ mn old 500 504
        RQ old new 504 510
        RQ new gw2 510 515
        RQ gw2 ha 515 524.5
        RR ha gw2 524.5 534
        DRR ha gw 524.5 532
        DRR gw old 532 535
        RR gw2 new 534 538
        DRR old mn 535 539
        RR new mn 538 543
        """,
        {
            "ha": [(524.499, ["gw"]), (524.5, ["gw2"])],
            "gw": [(531.999, ["old"]), (532, None)],
            "gw2": [(514.999, None), (515, ["new"])],
            "old": [(599.999, "local"), (600, None)],
            "new": [(509.999, None), (510, "hold"), (520, "local")],
        },
        path_changes(REGION_OLD, (504.5, REGION2_NEW)),
        upstream_switch(543),
        539,
    ),
    "sync-hmipv4 II between regions": Case(
        "sync-hmipv4", LATE_BETWEEN, 2,
        """
        RQ mn old 500 504
        RQ old new 504 510
        RQ new gw2 510 515
        RQ gw2 ha 515 524.5
        BU mn old 520 524
        BA old new 524 530
        RR ha gw2 524.5 534
        DRR ha gw 524.5 532
        BA new mn 530 535
        DRR gw old 532 535
        RR gw2 new 534 538
        RR new mn 538 543
        """,
        {
            "ha": [(524.499, ["gw"]), (524.5, ["gw2"])],
            "gw": [(531.999, ["old"]), (532, None)],
            "gw2": [(514.999, None), (515, ["new"])],
            "old": [(523.999, "local"), (524, ["new"]), (534.999, ["new"]), (535, None)],
            "new": [(509.999, None), (510, "local")],
        },
        path_changes(REGION_OLD, (493.5, REGION_FORWARDED), (504.5, REGION2_NEW)),
        upstream_switch(543),
    ),
    "hmipv4-bicast": Case(
        "hmipv4-bicast", OVERLAP, 0,
        """
        RQ mn old 500 504
        RQ old new 504 510
        RQ new gw 510 516
        RR gw new 516 521
        RR new mn 521 535
        """,  # the mobile node attaches at 530
        {
            "ha": [(1900, ["gw"])],
            "gw": [(515.999, ["old"]), (516, ["old", "new"]), (799.999, ["old", "new"]), (800, ["new"])],
            "old": [(596, "local"), (596.001, "hold"), (1900, "hold")],
            "new": [(509.999, None), (510, "hold"), (530, "local")],
        },
        bicast_paths(REGION_OLD, REGION_NEW, 488.5, 772.5),
        upstream_switch(535),
    ),
    "hmipv4-bicast between regions": Case(
        "hmipv4-bicast", OVERLAP_BETWEEN, 0,
        """
        RQ mn old 500 504
        RQ old new 504 510
        RQ new gw2 510 515
        RQ gw2 ha 515 524.5
        RR ha gw2 524.5 534
        RR gw2 new 534 538
        RR new mn 538 543
        """,
        {
            "ha": [(524.499, ["gw"]), (524.5, ["gw", "gw2"]), (799.999, ["gw", "gw2"]), (800, ["gw2"])],
            "gw": [(1900, ["old"])],  # not informed: its lifetime ends it
            "gw2": [(514.999, None), (515, ["new"])],
            "old": [(596, "local"), (596.001, "hold"), (1900, "hold")],
            "new": [(509.999, None), (510, "hold"), (530, "local")],
        },
        bicast_paths(REGION_OLD, REGION2_NEW, 504.5, 780),
        upstream_switch(543),
    ),
}  # fmt: skip
