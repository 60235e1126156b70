"""Dual access without a prediction (decision 31): the new router is discovered on its link at 500, while the old one works.

The conventional procedures register at once, 300 ms earlier than in their own cases, and lose no packet: the old link lasts until
600. The predictive procedures start their predicted handoff, so that their messages are those of scenario I and of bicasting. The
new link has been up since 400, so that nothing waits at the new router.
"""

from dataclasses import replace

from tests.conformance import cases_hmipv4, cases_hmipv6, cases_ipv4, cases_ipv6
from tests.conformance.cases import (
    BY_NEW,
    BY_OLD,
    DISCOVERED,
    FORWARDED,
    STRAIGHT_FORWARDED,
    STRAIGHT_NEW,
    STRAIGHT_OLD,
    Case,
    PathsByTime,
    earlier,
    path_changes,
    upstream_switch,
)  # fmt: skip

_PREDICTED = {
    **cases_ipv4.HOME, **cases_ipv4.ROUTE_OPTIMIZATION, **cases_hmipv4.HIERARCHY,
    **cases_ipv6.HOME, **cases_ipv6.ROUTE_OPTIMIZATION, **cases_hmipv6.HIERARCHY,
}  # fmt: skip

NEW_ROUTER = [(399.999, None), (400, "local")]  # an IPv6 router delivers to any node on its link
NEW_AGENT = [(400, None), (509.999, None), (510, "local")]  # a foreign agent delivers to its visitors
AT_HOME = {"ha": [(517.999, ["old"]), (518, ["new"])]}
NOT_INFORMED = {"old": [(596, "local"), (596.001, "hold"), (1900, "hold")]}
FORWARDING = {"old": [(510.999, "local"), (511, ["new"]), (1900, ["new"])]}


def registered_at_once(
    procedure: str, old: dict[str, list[tuple[float, object]]], down: PathsByTime, cn_bound: float | None = None
) -> Case:
    """Return the case of a conventional procedure, whose request leaves at 500 instead of 800."""
    case = _PREDICTED[procedure]
    new = {"new": NEW_ROUTER if case.tables["new"][-1][0] == 700 else [(400, None), (504.999, None), (505, "local")]}
    cn = {} if cn_bound is None else {"cn": [(cn_bound - 0.001, ["old"]), (cn_bound, ["new"])]}
    return replace(
        case, scene=DISCOVERED, hops=earlier(case.hops, 300), tables=AT_HOME | old | new | cn, down=down, up=upstream_switch(535)
    )


def predicted_at_discovery(name: str, hops: tuple[str, str] = ("", ""), reply: float | None = None) -> Case:
    """Return a predictive case in the same scene. ``hops``: a text in the hops that changes; ``reply``: the time it arrives."""
    case = _PREDICTED[name]
    assert not hops[0] or case.hops.count(hops[0]) == 1
    return replace(
        case,
        scene=DISCOVERED,
        hops=case.hops.replace(*hops),
        tables=case.tables | {"new": NEW_AGENT if "ipv4" in name else NEW_ROUTER},
        up=case.up if reply is None else upstream_switch(reply),
    )


CONVENTIONAL = {
    "mipv4 discovered": registered_at_once("mipv4", NOT_INFORMED, path_changes(BY_OLD, (498, BY_NEW))),
    "pmipv6 discovered": registered_at_once("pmipv6", NOT_INFORMED, path_changes(BY_OLD, (498, BY_NEW))),
    "mipv6 discovered": registered_at_once("mipv6", FORWARDING, path_changes(BY_OLD, (481, FORWARDED), (498, BY_NEW))),
    "mipv6-ro discovered": registered_at_once(
        "mipv6-ro", FORWARDING, path_changes(STRAIGHT_OLD, (486, STRAIGHT_FORWARDED), (533, STRAIGHT_NEW)), 533
    ),
    "mipv4-smooth discovered": registered_at_once(
        "mipv4-smooth", FORWARDING, path_changes(STRAIGHT_OLD, (486, STRAIGHT_FORWARDED), (539, STRAIGHT_NEW)), 539
    ),
}

_AT_ONCE = ("new mn 521 535", "new mn 521 526")  # the mobile node is attached

BICASTING = {
    "mipv4-bicast discovered": predicted_at_discovery("mipv4-bicast"),
    "hmipv4-bicast discovered": predicted_at_discovery("hmipv4-bicast", _AT_ONCE, 526),
    "hmipv6-bicast discovered": predicted_at_discovery("hmipv6-bicast", _AT_ONCE, 526),
    "hmipv6-ro-bicast discovered": predicted_at_discovery("hmipv6-ro-bicast", _AT_ONCE, 526),
}

SYNCHRONIZED = {
    f"{procedure} I, discovered": predicted_at_discovery(f"{procedure} I")
    for procedure in ("sync-mipv4", "sync-mipv4-ro", "sync-hmipv4", "sync-mipv6", "sync-mipv6-ro", "sync-hmipv6")
}

WITHOUT_PREDICTION = CONVENTIONAL | BICASTING | SYNCHRONIZED
