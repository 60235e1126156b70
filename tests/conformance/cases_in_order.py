"""The seed's phases in the order of their numbers: II-3 before II-4, and III-4 before III-5, for all six variants.

II: the warning comes after the anchor has switched (II-3, at 523 for a home agent, 516 for a gateway, 530 to 544 for a
correspondent), and the update is at the old router before the marker. III: the new link is up, and the acknowledgement of the
update is there (III-4, at 515), before the anchor switches (III-5, at 516 or later).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.conformance import cases_hmipv4, cases_hmipv6, cases_ipv4, cases_ipv6
from tests.conformance.cases import (
    BY_HOME,
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
    PathsByTime,
    arriving_at,
    later,
    path_changes,
    upstream_switch,
    upstream_wait,
)  # fmt: skip
from tests.conformance.two_router_scene import Scene, Stay

WARNED_AT_HOME = Scene([Stay("old", down=545, predict=500, warn=528), Stay("new", up=505)])
"""The update is at the old router at 532, the marker of the home agent at 533."""
WARNED_STRAIGHT = Scene([Stay("old", down=570, predict=500, warn=548), Stay("new", up=505)])
"""The update is at the old router at 552, the marker of the correspondent at 555; the reply has arrived at 540."""
WARNED_IN_REGION = Scene([Stay("old", down=535, predict=500, warn=518), Stay("new", up=505)], delays={"gw>old": 8})
"""The update is at the old router at 522, the marker of the gateway at 516 + 8 = 524; the old path takes 5 ms longer."""
EARLY = Scene([Stay("old", down=503, predict=490, warn=500), Stay("new", up=505)])
"""The old router's buffer takes packets that arrive after 503 - 4 = 499, and the update makes it forward them at 504."""

REGION_SLOW, REGION_SLOW_FORWARDED = later(REGION_OLD, 5), later(REGION_FORWARDED, 5)

II = {
    "sync-mipv4 II, in order": Case(
        "sync-mipv4", WARNED_AT_HOME, 2,
        """
        RQ mn old 500 504
        RQ old new 504 510
        RQ new ha 510 523
        RR ha new 523 535
        DRR ha old 523 533
        BU mn old 528 532
        BA old new 532 538
        RR new mn 535 540
        BA new mn 538 543
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "old": [(531.999, "local"), (532, ["new"]), (532.999, ["new"]), (533, None)],
            "new": [(509.999, None), (510, "local")],
        },
        path_changes(BY_OLD, (502, FORWARDED), (503, BY_NEW)),  # sent at 502 it meets the update at the old router
        upstream_switch(540),
    ),
    "sync-mipv4-ro II, in order": Case(
        "sync-mipv4-ro", WARNED_STRAIGHT, 2,
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
        BU2 mn old 548 552
        BA2 old new 552 558
        BA2 new mn 558 563
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "cn": [(529.999, ["old"]), (530, None), (543.999, None), (544, ["new"])],
            "old": [(551.999, "local"), (552, ["new"]), (555, ["new"]), (1900, ["new"])],  # until the end of its lifetime
            "new": [(509.999, None), (510, "local")],
        },
        path_changes(STRAIGHT_OLD, (527, STRAIGHT_FORWARDED), (530, BY_HOME), (544, STRAIGHT_NEW)),
        upstream_switch(540),
    ),
    "sync-hmipv4 II, in order": Case(
        "sync-hmipv4", WARNED_IN_REGION, 2,
        """
        RQ mn old 500 504
        RQ old new 504 510
        RQ new gw 510 516
        RR gw new 516 521
        DRR gw old 516 524
        BU mn old 518 522
        RR new mn 521 526
        BA old new 522 528
        BA new mn 528 533
        """,
        {
            "ha": [(1900, ["gw"])],
            "gw": [(515.999, ["old"]), (516, ["new"])],
            "old": [(521.999, "local"), (522, ["new"]), (523.999, ["new"]), (524, None)],
            "new": [(509.999, None), (510, "local")],
        },
        path_changes(REGION_SLOW, (486.5, REGION_SLOW_FORWARDED), (488.5, REGION_NEW)),  # 35.5 ms to the old router
        upstream_switch(526),
    ),
    "sync-mipv6 II, in order": Case(
        "sync-mipv6", WARNED_AT_HOME, 2,
        """
        BU mn old 500 504
        DBU mn old 500 504
        BU old new 504 510
        DBU old ha 504 515
        BU new ha 510 523
        BA ha new 523 535
        DBA ha old 523 533
        BU2 mn old 528 532
        BA2 old new 532 538
        DBA old mn 533 544
        BA new mn 535 540
        BA2 new mn 538 543
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "old": [(531.999, "local"), (532, ["new"]), (532.999, ["new"]), (533, None)],
            "new": [(504.999, None), (505, "local")],
        },
        path_changes(BY_OLD, (502, FORWARDED), (503, BY_NEW)),
        upstream_switch(540),
        544,
    ),
    "sync-mipv6-ro II, in order": Case(
        "sync-mipv6-ro", WARNED_STRAIGHT, 2,
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
        BU3 mn old 548 552
        BA3 old new 552 558
        DBA old mn 555 566
        BA3 new mn 558 563
        BA2 new mn 565 570
        """,
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "cn": [(529.999, ["old"]), (530, None), (537.999, None), (538, ["new"])],
            "old": [(551.999, "local"), (552, ["new"]), (555, ["new"]), (1900, ["new"])],
            "new": [(504.999, None), (505, "local")],
        },
        path_changes(STRAIGHT_OLD, (527, STRAIGHT_FORWARDED), (530, BY_HOME), (538, STRAIGHT_NEW)),
        upstream_switch(540),
        566,
    ),
    "sync-hmipv6 II, in order": Case(
        "sync-hmipv6", WARNED_IN_REGION, 2,
        """
        BU mn old 500 504
        DBU mn old 500 504
        BU old new 504 510
        DBU old gw 504 508
        BU new gw 510 516
        BA gw new 516 521
        DBA gw old 516 524
        BU2 mn old 518 522
        BA new mn 521 526
        BA2 old new 522 528
        DBA old mn 524 535
        BA2 new mn 528 533
        """,
        {
            "ha": [(1900, ["gw"])],
            "gw": [(515.999, ["old"]), (516, ["new"])],
            "old": [(521.999, "local"), (522, ["new"]), (523.999, ["new"]), (524, None)],
            "new": [(504.999, None), (505, "local")],
        },
        path_changes(REGION_SLOW, (486.5, REGION_SLOW_FORWARDED), (488.5, REGION_NEW)),
        upstream_switch(526),
        535,
    ),
}  # fmt: skip

OLD_UNTIL_MARKER = [(499, "local"), (499.001, "hold"), (503.999, "hold"), (504, ["new"]), (532.999, ["new"]), (533, None)]
OLD_UNTIL_REGIONAL_MARKER = [*OLD_UNTIL_MARKER[:4], (518.999, ["new"]), (519, None)]
OLD_UNTIL_LIFETIME = [*OLD_UNTIL_MARKER[:4], (1900, ["new"])]
NEW_AGENT = [(505, None), (509.999, None), (510, "local")]
NEW_ROUTER = [(504.999, None), (505, "local")]

# what has been kept leaves the old router at 504 and arrives at 504 + 6 + 5
HOME_PATHS = path_changes(BY_OLD, (469.001, arriving_at(515, FORWARDED)), (474, FORWARDED), (503, BY_NEW))
REGION_PATHS = path_changes(
    REGION_OLD, (468.501, arriving_at(515, REGION_FORWARDED)), (473.5, REGION_FORWARDED), (488.5, REGION_NEW)
)
STRAIGHT_CHANGES = (474.001, arriving_at(515, STRAIGHT_FORWARDED)), (479, STRAIGHT_FORWARDED), (530, BY_HOME)


def with_link_up_early(
    case: Case, tables: Mapping[str, Sequence[tuple[float, object]]], down: PathsByTime, up: PathsByTime
) -> Case:
    """Return a case of scenario III in the scene EARLY: the acknowledgement finds the new link up and does not wait until 518."""
    waits, passes = "new mn 510 518", "new mn 510 515"
    assert case.hops.count(waits) == 1
    return replace(case, scene=EARLY, hops=case.hops.replace(waits, passes), tables=tables, down=down, up=up)


III = {
    "sync-mipv4 III, in order": with_link_up_early(
        cases_ipv4.HOME["sync-mipv4 III"],
        {"ha": [(522.999, ["old"]), (523, ["new"])], "old": OLD_UNTIL_MARKER, "new": NEW_AGENT},
        HOME_PATHS,
        upstream_wait(503, 540),
    ),
    "sync-mipv4-ro III, in order": with_link_up_early(
        cases_ipv4.ROUTE_OPTIMIZATION["sync-mipv4-ro III"],
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "cn": [(529.999, ["old"]), (530, None), (543.999, None), (544, ["new"])],
            "old": OLD_UNTIL_LIFETIME,
            "new": NEW_AGENT,
        },
        path_changes(STRAIGHT_OLD, *STRAIGHT_CHANGES, (544, STRAIGHT_NEW)),
        upstream_wait(503, 540),
    ),
    "sync-hmipv4 III, in order": with_link_up_early(
        cases_hmipv4.HIERARCHY["sync-hmipv4 III"],
        {
            "ha": [(1900, ["gw"])],
            "gw": [(515.999, ["old"]), (516, ["new"])],
            "old": OLD_UNTIL_REGIONAL_MARKER,
            "new": NEW_AGENT,
        },
        REGION_PATHS,
        upstream_wait(503, 526),
    ),
    "sync-mipv6 III, in order": with_link_up_early(
        cases_ipv6.HOME["sync-mipv6 III"],
        {"ha": [(522.999, ["old"]), (523, ["new"])], "old": OLD_UNTIL_MARKER, "new": NEW_ROUTER},
        HOME_PATHS,
        upstream_wait(503, 540),
    ),
    "sync-mipv6-ro III, in order": with_link_up_early(
        cases_ipv6.ROUTE_OPTIMIZATION["sync-mipv6-ro III"],
        {
            "ha": [(522.999, ["old"]), (523, ["new"])],
            "cn": [(529.999, ["old"]), (530, None), (537.999, None), (538, ["new"])],
            "old": OLD_UNTIL_LIFETIME,
            "new": NEW_ROUTER,
        },
        path_changes(STRAIGHT_OLD, *STRAIGHT_CHANGES, (538, STRAIGHT_NEW)),
        upstream_wait(503, 540),
    ),
    "sync-hmipv6 III, in order": with_link_up_early(
        cases_hmipv6.HIERARCHY["sync-hmipv6 III"],
        {
            "ha": [(1900, ["gw"])],
            "gw": [(515.999, ["old"]), (516, ["new"])],
            "old": OLD_UNTIL_REGIONAL_MARKER,
            "new": NEW_ROUTER,
        },
        REGION_PATHS,
        upstream_wait(503, 526),
    ),
}  # fmt: skip

IN_ORDER = II | III
