"""Figures 9A-10B and 46A-52B of the seed document: hierarchical Mobile IPv6, inside a region and between two.

The mobility anchor point has processed the deregistration at 504 + 3 + 1 = 508 and the update at 516. Between regions the home
agent has processed the deregistration at 515 and the update at 523; its marker reaches the old mobility anchor point at 530.5 and
goes on at once.
"""

from tests.conformance.cases import (
    BETWEEN,
    LATE_BETWEEN,
    OVERLAP,
    OVERLAP_BETWEEN,
    REGION2_NEW,
    REGION_FORWARDED,
    REGION_NEW,
    REGION_OLD,
    REGION_UNBOUND,
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
from tests.conformance.two_router_scene import delivered

SYNCHRONIZED = {
    "sync-hmipv6 I": Case(
        "sync-hmipv6", TIMELY, 1,
        """
        BU mn old 500 504
        DBU mn old 500 504
        BU old new 504 510
        DBU old gw 504 508
        BU new gw 510 516
        BA gw new 516 521
        DBA gw old 516 519
        DBA old mn 519 523
        BA new mn 521 526
        """,
        {
            "ha": [(499, ["gw"]), (1900, ["gw"])],
            "gw": [(499, ["old"]), (507.999, ["old"]), (508, ["old"]), (515.999, ["old"]), (516, ["new"])],
            "old": [(499, "local"), (600, "local"), (1900, "local")],
            "new": [(509.999, None), (510, "hold"), (520, "local")],
        },
        path_changes(REGION_OLD, (488.5, REGION_NEW)),
        upstream_switch(526),
        523,
    ),
    "sync-hmipv6 I, deleted at once": Case(
        "sync-hmipv6", TIMELY, 1,
        """
        BU mn old 500 504
        DBU mn old 500 504
        BU old new 504 510
        DBU old gw 504 508
        DBA gw old 508 511
        BU new gw 510 516
        DBA old mn 511 515
        BA gw new 516 521
        BA new mn 521 526
        """,
        {"gw": [(507.999, ["old"]), (508, None), (515.999, None), (516, ["new"])]},
        path_changes(REGION_OLD, (480.5, REGION_UNBOUND), (488.5, REGION_NEW)),
        upstream_switch(526),
        515,
        {"race": "patent"},
    ),
    "sync-hmipv6 II": Case(  # the marker is forwarded: 519 + 6 + 5
        "sync-hmipv6", REGIONAL_LATE, 2,
        """
        BU mn old 500 504
        DBU mn old 500 504
        BU old new 504 510
        DBU old gw 504 508
        BU2 mn old 508 512
        BU new gw 510 516
        BA2 old new 512 518
        BA gw new 516 521
        DBA gw old 516 519
        BA2 new mn 518 523
        DBA old mn 519 530
        BA new mn 521 526
        """,
        {
            "ha": [(1900, ["gw"])],
            "gw": [(515.999, ["old"]), (516, ["new"])],
            "old": [(511.999, "local"), (512, ["new"]), (518.999, ["new"]), (519, None)],
            "new": [(504.999, None), (505, "local")],
        },
        path_changes(REGION_OLD, (481.5, REGION_FORWARDED), (488.5, REGION_NEW)),
        upstream_switch(526),
        530,
    ),
    "sync-hmipv6 III": Case(
        "sync-hmipv6", SINGLE, 3,
        """
        BU mn old 500 504
        DBU mn old 500 504
        BU2 mn old 500 504
        BU old new 504 510
        DBU old gw 504 508
        BA2 old new 504 510
        BU new gw 510 516
        BA2 new mn 510 518
        BA gw new 516 521
        DBA gw old 516 519
        DBA old mn 519 530
        BA new mn 521 526
        """,
        {
            "ha": [(1900, ["gw"])],
            "gw": [(515.999, ["old"]), (516, ["new"])],
            "old": [(503.999, "local"), (504, ["new"]), (518.999, ["new"]), (519, None)],
            "new": [(509.999, None), (510, "hold"), (512.999, "hold"), (513, "local")],
        },
        path_changes(REGION_OLD, (473.5, arriving_at(518, REGION_FORWARDED)), (476.5, REGION_FORWARDED), (488.5, REGION_NEW)),
        upstream_wait(510, 526),
        530,
    ),
    "sync-hmipv6 I between regions": Case(
        "sync-hmipv6", BETWEEN, 1,
        """
        BU mn old 500 504
        BU3 mn old 500 504
        DBU mn old 500 504
        BU old new 504 510
        BU3 old new 504 510
        DBU old ha 504 515
        BU new gw2 510 515
        BU3 new ha 510 523
        BA gw2 new 515 519
        BA new mn 519 525
        BA3 ha new 523 535
        DBA ha gw 523 530.5
        DBA gw old 530.5 533.5
        DBA old mn 533.5 537.5
        BA3 new mn 535 540
        """,  # the mobile node attaches at 520
        {
            "ha": [(514.999, ["gw"]), (515, ["gw"]), (522.999, ["gw"]), (523, ["gw2"])],
            "gw": [(530.499, ["old"]), (530.5, None)],
            "gw2": [(514.999, None), (515, ["new"])],
            "old": [(1900, "local")],
            "new": [(509.999, None), (510, "hold"), (520, "local")],
        },
        path_changes(REGION_OLD, (503, REGION2_NEW)),
        upstream_switch(540),
        537.5,
    ),
    "sync-hmipv6 II between regions": Case(
        "sync-hmipv6", LATE_BETWEEN, 2,
        """
        BU mn old 500 504
        BU3 mn old 500 504
        DBU mn old 500 504
        BU old new 504 510
        BU3 old new 504 510
        DBU old ha 504 515
        BU new gw2 510 515
        BU3 new ha 510 523
        BA gw2 new 515 519
        BA new mn 519 524
        BU2 mn old 520 524
        BA3 ha new 523 535
        DBA ha gw 523 530.5
        BA2 old new 524 530
        BA2 new mn 530 535
        DBA gw old 530.5 533.5
        DBA old mn 533.5 544.5
        BA3 new mn 535 540
        """,
        {
            "ha": [(522.999, ["gw"]), (523, ["gw2"])],
            "gw": [(530.499, ["old"]), (530.5, None)],
            "gw2": [(514.999, None), (515, ["new"])],
            "old": [(523.999, "local"), (524, ["new"]), (533.499, ["new"]), (533.5, None)],
            "new": [(504.999, None), (505, "local")],
        },
        path_changes(REGION_OLD, (493.5, REGION_FORWARDED), (503, REGION2_NEW)),
        upstream_switch(540),
        544.5,
    ),
}  # fmt: skip

REGIONAL = """
    BU mn old 500 504
    BU old new 504 510
    BU new gw 510 516
    BA gw new 516 521
    BA new mn 521 535
    """  # the mobile node attaches at 530
TWO_BINDINGS = [(499, ["old"]), (515.999, ["old"]), (516, ["old", "new"]), (799.999, ["old", "new"]), (800, ["new"])]
ROUTERS = {"old": [(596, "local"), (596.001, "hold"), (1900, "hold")], "new": [(509.999, None), (510, "hold"), (530, "local")]}

TO_MAP_OLD = delivered("cn>gw", "gw>old", "old>*", delay=31)  # 24 + 3 + 4
TO_MAP_NEW = delivered("cn>gw", "gw>new", "new>*", delay=34)
TO_MAP2_NEW = delivered("cn>gw2", "gw2>new", "new>*", delay=35)  # 26 + 4 + 5

BICASTING = {
    "hmipv6-bicast": Case(
        "hmipv6-bicast", OVERLAP, 0, REGIONAL,
        {"ha": [(1900, ["gw"])], "gw": TWO_BINDINGS, **ROUTERS},
        bicast_paths(REGION_OLD, REGION_NEW, 488.5, 772.5),
        upstream_switch(535),
    ),
    "hmipv6-bicast between regions": Case(
        "hmipv6-bicast", OVERLAP_BETWEEN, 0,
        """
        BU mn old 500 504
        BU2 mn old 500 504
        BU old new 504 510
        BU2 old new 504 510
        BU new gw2 510 515
        BU2 new ha 510 523
        BA gw2 new 515 519
        BA new mn 519 535
        BA2 ha new 523 535
        BA2 new mn 535 540
        """,
        {
            "ha": [(522.999, ["gw"]), (523, ["gw", "gw2"]), (799.999, ["gw", "gw2"]), (800, ["gw2"])],
            "gw": [(1900, ["old"])],
            "gw2": [(514.999, None), (515, ["new"])],
            **ROUTERS,
        },
        bicast_paths(REGION_OLD, REGION2_NEW, 503, 780),
        upstream_switch(540),
    ),
    "hmipv6-ro-bicast": Case(
        "hmipv6-ro-bicast", OVERLAP, 0, REGIONAL,
        {"ha": [(1900, ["gw"])], "cn": [(499, ["gw"]), (1900, ["gw"])], "gw": TWO_BINDINGS, **ROUTERS},
        bicast_paths(TO_MAP_OLD, TO_MAP_NEW, 492, 776),
        upstream_switch(535),
    ),
    "hmipv6-ro-bicast between regions": Case(
        "hmipv6-ro-bicast", OVERLAP_BETWEEN, 0,
        """
        BU mn old 500 504
        BU2 mn old 500 504
        BU3 mn old 500 504
        BU old new 504 510
        BU2 old new 504 510
        BU3 old new 504 510
        BU new gw2 510 515
        BU2 new ha 510 523
        BU3 new cn 510 538
        BA gw2 new 515 519
        BA new mn 519 535
        BA2 ha new 523 535
        BA2 new mn 535 540
        BA3 cn new 538 565
        BA3 new mn 565 570
        """,
        {
            "ha": [(522.999, ["gw"]), (523, ["gw", "gw2"]), (799.999, ["gw", "gw2"]), (800, ["gw2"])],
            "cn": [(537.999, ["gw"]), (538, ["gw", "gw2"]), (799.999, ["gw", "gw2"]), (800, ["gw2"])],
            "gw": [(1900, ["old"])],
            "gw2": [(514.999, None), (515, ["new"])],
            **ROUTERS,
        },
        bicast_paths(TO_MAP_OLD, TO_MAP2_NEW, 538, 800),
        upstream_switch(540),
    ),
}  # fmt: skip

HIERARCHY = SYNCHRONIZED | BICASTING
