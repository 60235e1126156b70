"""Synchronized procedures whose move nobody announced (decision 30): the messages of their conventional procedure.

Where the conventional procedure of the family has a case of its own, its case is that of the synchronized procedure.

The old link goes down at 500, and the new router is discovered at 800 (BREAK). The update to the old router goes over the new
link: there at 800 + 5 + 6 = 811. It forwards what it has kept since 496, which arrives at 811 + 6 + 5 = 822.
"""

from dataclasses import replace

from tests.conformance import cases_ipv4, cases_ipv6
from tests.conformance.cases import (
    BREAK,
    BY_NEW,
    BY_OLD,
    FORWARDED,
    REGION_FORWARDED,
    REGION_NEW,
    REGION_OLD,
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

MIPV6 = cases_ipv6.HOME["mipv6"]


def rename_messages(hops: str, **names: str) -> str:
    """Return lines of message hops with other names of messages."""
    lines = [line.split() for line in hops.split("\n") if line.strip()]
    return "\n".join(" ".join([names[message], *rest]) for message, *rest in lines)


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
    "sync-mipv4-ro unannounced": replace(  # smooth handoff: no deregistration, so that no marker comes
        cases_ipv4.ROUTE_OPTIMIZATION["mipv4-smooth"], procedure="sync-mipv4-ro"
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
    "sync-mipv6 unannounced": replace(  # as in figure 5B, where the old router is temporary home agent
        MIPV6, procedure="sync-mipv6", hops=rename_messages(MIPV6.hops, BU1="BU", BU3="BU2", BA1="BA", BA3="BA2")
    ),
    "sync-mipv6-ro unannounced": replace(  # as in figure 4B
        cases_ipv6.ROUTE_OPTIMIZATION["mipv6-ro"], procedure="sync-mipv6-ro"
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
