"""Attachments from the registrations and binding updates in captures: real movement (docs/movement.md)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

import handoff_traces
from engine import FOREVER

REGISTRATION_REQUEST, BINDING_UPDATE = 2, 37  # numbers of handoff_traces.KINDS
SIMULTANEOUS = 0x80  # flag S of a registration request (RFC 5944, 3.3)
HOME_REGISTRATION = 0x4000  # flag H of a binding update (RFC 6275, 6.1.7)
ACKNOWLEDGE = 0x8000  # flag A of a binding update
ACCEPTED_CODES = (0, 1)  # of a registration reply (RFC 5944, 3.4)
MIN_REJECTED_STATUS = 128  # of a binding acknowledgement (RFC 6275, 6.1.8)
INFINITE_S = {4: 0xFFFF, 6: 4 * 0xFFFF}
"""Lifetime that means infinity, by version of Mobile IP."""
MAX_ADDRESSES_LISTED = 20
"""Addresses that an error message lists."""
AT_HOME = ""
"""Place of a mobile node that has no registration."""
NEVER = -1
Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, order=True)
class Registration:
    """An accepted registration or binding update.

    Attributes
    ----------
    time_ns : int
        Time of the request.
    home, care_of : str
        Home address and care-of address.
    lifetime_s : int or None
        Lifetime in seconds; 0 ends the registration, None is infinite.
    simultaneous : bool
        If true, the registration leaves the mobile node's other registrations in place.
    """

    time_ns: int
    home: str
    care_of: str
    lifetime_s: int | None
    simultaneous: bool


class Residence(NamedTuple):
    """Time from ``up_ns`` to ``down_ns`` (None: no end) at a place: a care-of address or ``AT_HOME``; later a router."""

    up_ns: int
    down_ns: int | None
    place: str


class _Attachment(NamedTuple):
    mobile: int
    router: str
    up_ps: int
    down_ps: int
    predict_ps: int
    going_down_ps: int


def accepted_registrations(captures: Iterable[handoff_traces.Signalling]) -> list[Registration]:
    """Return the registrations that home agents accepted, each once, by time.

    A message that was captured at several places (before and after a foreign agent, in several captures) counts at its earliest
    time. A reply to any of its copies counts for all of them.
    """
    request_ns: dict[tuple[str, str, int, str], int] = {}
    accepted: dict[tuple[str, str, int, str], tuple[int | None, bool]] = {}
    for capture in captures:
        m, replies = capture.messages, capture.messages.match_replies()
        for i in np.flatnonzero(np.isin(m.kind, (REGISTRATION_REQUEST, BINDING_UPDATE))).tolist():
            flags, lifetime = int(m.flags[i]), int(m.lifetime_s[i])
            ipv4 = m.kind[i] == REGISTRATION_REQUEST
            if not ipv4 and not flags & HOME_REGISTRATION:
                continue  # for a correspondent
            home, care_of, agent = (m.format_address(name, i) for name in ("home", "care_of", "agent"))
            key = home or m.format_address("source", i), care_of, int(m.identification[i]), agent
            request_ns[key] = min(request_ns.get(key, int(m.time_ns[i])), int(m.time_ns[i]))
            reply = int(replies[i])
            if reply >= 0 and (m.code[reply] in ACCEPTED_CODES if ipv4 else m.code[reply] < MIN_REJECTED_STATUS):
                lifetime = min(lifetime, int(m.lifetime_s[reply]))
            elif ipv4 or reply >= 0 or flags & ACKNOWLEDGE:
                continue
            infinite = lifetime >= INFINITE_S[int(m.version[i])]
            accepted[key] = (None if infinite else lifetime), bool(ipv4 and flags & SIMULTANEOUS)
    return sorted(Registration(request_ns[key], key[0], key[1], *reply) for key, reply in accepted.items())


def residences(accepted: Iterable[Registration], begin_ns: int) -> list[Residence]:
    """Return the residences of one mobile node from its registrations, which are in order of time.

    The mobile node is at a care-of address from the request for it until a request that moves it away, or until the lifetime
    ends. It is at home before its first registration, and after it has ended its last one itself.
    """
    ended: list[Residence] = []
    current: dict[str, tuple[int, int | None]] = {AT_HOME: (begin_ns, None)}

    def leave(place: str, time_ns: int) -> None:
        ended.append(Residence(current.pop(place)[0], time_ns, place))

    for r in accepted:
        for place, (_, end) in list(current.items()):
            if end is not None and end <= r.time_ns:
                leave(place, end)
        if r.lifetime_s == 0:
            for place in [place for place in current if place and r.care_of in (place, r.home)]:
                leave(place, r.time_ns)
            if not current:
                current[AT_HOME] = r.time_ns, None
            continue
        for place in [place for place in current if place != r.care_of and not (r.simultaneous and place)]:
            leave(place, r.time_ns)
        up = current.get(r.care_of, (r.time_ns, None))[0]
        current[r.care_of] = up, None if r.lifetime_s is None else r.time_ns + r.lifetime_s * 10**9
    remaining = [Residence(up, end, place) for place, (up, end) in current.items()]
    return sorted(ended + remaining, key=lambda residence: residence.up_ns)


def attachments_from_registrations(
    captures: Sequence[handoff_traces.Signalling], routers: Mapping[Prefix, str], home: str | None, *, lead_ps: int | None = None,
    guard_ps: int | None = None, begin_ps: int = 0, until_ps: int,
) -> handoff_traces.Associations:  # fmt: skip
    """Return the attachments that the registrations in captures show; the name of a mobile node is its home address.

    Parameters
    ----------
    captures : sequence of handoff_traces.Signalling
        Captures with a common clock.
    routers : mapping of prefix to str
        Router of each care-of address; the longest matching prefix counts.
    home : str or None
        Router that represents the home link. None: a mobile node at home has no attachment.
    lead_ps, guard_ps : int or None
        If another residence follows at once, layer 2 warns ``guard_ps`` before the end of a residence and predicts the move
        ``lead_ps`` before the warning. None: no such event.
    begin_ps : int
        Time after the earliest packet that becomes 0 in the result.
    until_ps : int
        End of the result; later residences are left out.

    Raises
    ------
    ValueError
        If there is no accepted registration, or a care-of address belongs to no router.
    """
    accepted = accepted_registrations(captures)
    if not accepted:
        raise ValueError("no accepted registration or binding update in the capture")
    earliest_ns = min(c.facts.times_ns[0] for c in captures if c.facts.times_ns is not None)
    addresses = dict.fromkeys(r.care_of for r in accepted if r.lifetime_s != 0)
    router_at = {address: _router(address, routers) for address in addresses}
    if unknown := [address for address, router in router_at.items() if router is None]:
        listed = ", ".join(unknown[:MAX_ADDRESSES_LISTED])
        raise ValueError(f"care-of addresses of no router: {listed}; give each a place in 'routers'")
    router_at[AT_HOME] = home
    rows: list[_Attachment] = []
    names = sorted({r.home for r in accepted})
    for mobile, name in enumerate(names):
        at_routers = _merge_by_router(residences([r for r in accepted if r.home == name], earliest_ns), router_at)
        for residence, following in zip(at_routers, [*at_routers[1:], None], strict=True):
            up = max(0, (residence.up_ns - earliest_ns) * 1000 - begin_ps)
            down = FOREVER if residence.down_ns is None else (residence.down_ns - earliest_ns) * 1000 - begin_ps
            if up >= until_ps or down <= up:
                continue
            hands_off = residence.down_ns is not None and following is not None and following.up_ns <= residence.down_ns
            going_down = max(up, down - guard_ps) if hands_off and guard_ps is not None else NEVER
            before_ps = down if going_down == NEVER else going_down
            predict = max(up, before_ps - lead_ps) if hands_off and lead_ps is not None else NEVER
            rows.append(_Attachment(mobile, residence.place, up, NEVER if down == FOREVER else down, predict, going_down))
    router_names = list(dict.fromkeys(row.router for row in rows))
    attached = sorted({row.mobile for row in rows})
    return handoff_traces.Associations(
        mobile=np.array([attached.index(row.mobile) for row in rows], np.uint32),
        router=np.array([router_names.index(row.router) for row in rows], np.uint32),
        up_ps=np.array([row.up_ps for row in rows], np.int64),
        down_ps=np.array([row.down_ps for row in rows], np.int64),
        predict_ps=np.array([row.predict_ps for row in rows], np.int64),
        going_down_ps=np.array([row.going_down_ps for row in rows], np.int64),
        mobile_names=[names[mobile] for mobile in attached],
        router_names=router_names,
    )


def _router(care_of: str, routers: Mapping[Prefix, str]) -> str | None:
    address = ipaddress.ip_address(care_of)
    matching = [prefix for prefix in routers if address in prefix]
    return routers[max(matching, key=lambda prefix: prefix.prefixlen)] if matching else None


def _merge_by_router(at_addresses: Sequence[Residence], router_at: Mapping[str, str | None]) -> list[Residence]:
    """Replace addresses by routers, merge residences at one router that touch or overlap, drop those without a router."""
    by_router: dict[str, list[Residence]] = {}
    for up, down, place in at_addresses:
        router = router_at[place]
        if router is None:
            continue
        earlier = by_router.setdefault(router, [])
        last = earlier[-1] if earlier else None
        if last is not None and (last.down_ns is None or up <= last.down_ns):
            end = None if last.down_ns is None or down is None else max(last.down_ns, down)
            earlier[-1] = Residence(last.up_ns, end, router)
        else:
            earlier.append(Residence(up, down, router))
    merged = [residence for each in by_router.values() for residence in each]
    return sorted(merged, key=lambda residence: (residence.up_ns, residence.place))
