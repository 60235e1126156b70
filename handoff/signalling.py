"""Registrations and binding updates of captures as attachments: where mobile nodes really were (docs/movement.md)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

import handoff_traces
from engine import FOREVER
from handoff.scenario.values import Prefix

REGISTRATION_REQUEST, BINDING_UPDATE = 2, 37  # handoff_traces.KINDS
SIMULTANEOUS = 0x80  # flag S of a registration request (RFC 5944, 3.3)
HOME_REGISTRATION = 0x4000  # flag H of a binding update (RFC 6275, 6.1.7)
ACKNOWLEDGE = 0x8000  # flag A
ACCEPTED = (0, 1)  # codes of a registration reply (RFC 5944, 3.4)
REFUSED = 128  # statuses of a binding acknowledgement from here on (RFC 6275, 6.1.8)
INFINITE_S = {4: 0xFFFF, 6: 4 * 0xFFFF}


@dataclass(frozen=True, order=True)
class Registration:
    """An accepted one, from when it was asked for; ``lifetime_s`` 0 ends it, None is infinite; ``beside`` others it may stay."""

    time_ns: int
    home: str
    care_of: str
    lifetime_s: int | None
    beside: bool


class Stay(NamedTuple):
    """From ``up_ns`` to ``down_ns`` (None: for ever) at a place: a care-of address, or ``AT_HOME``; or at a router."""

    up_ns: int
    down_ns: int | None
    place: str


AT_HOME = ""
NEVER = -1


def registrations(captures: Iterable[handoff_traces.Signalling]) -> list[Registration]:
    """What home agents accepted, each once, by time.

    A message that is seen at several places (before and behind a foreign agent, in several captures) counts where it was
    first; an acceptance that any of them has counts for it.
    """
    asked: dict[tuple[str, str, int, str], int] = {}
    granted: dict[tuple[str, str, int, str], tuple[int | None, bool]] = {}
    for capture in captures:
        m, answers = capture.messages, capture.messages.match_replies()
        for i in np.flatnonzero(np.isin(m.kind, (REGISTRATION_REQUEST, BINDING_UPDATE))).tolist():
            flags, lifetime = int(m.flags[i]), int(m.lifetime_s[i])
            ipv4 = m.kind[i] == REGISTRATION_REQUEST
            if not ipv4 and not flags & HOME_REGISTRATION:
                continue  # for a correspondent
            key = m.text("home", i) or m.text("source", i), m.text("care_of", i), int(m.identification[i]), m.text("agent", i)
            asked[key] = min(asked.get(key, int(m.time_ns[i])), int(m.time_ns[i]))
            reply = int(answers[i])
            if reply >= 0 and (m.code[reply] in ACCEPTED if ipv4 else m.code[reply] < REFUSED):
                lifetime = min(lifetime, int(m.lifetime_s[reply]))
            elif ipv4 or reply >= 0 or flags & ACKNOWLEDGE:
                continue
            infinite = lifetime >= INFINITE_S[int(m.version[i])]
            granted[key] = (None if infinite else lifetime), bool(ipv4 and flags & SIMULTANEOUS)
    return sorted(Registration(asked[key], key[0], key[1], *given) for key, given in granted.items())


def stays(accepted: Iterable[Registration], begin_ns: int) -> list[Stay]:
    """Where one mobile node was, from its registrations in order of time.

    It is where it is registered, from each request to the one that moves it away or until the lifetime ends; and at home
    before the first one, and when it has ended the last one itself.
    """
    found: list[Stay] = []
    here: dict[str, tuple[int, int | None]] = {AT_HOME: (begin_ns, None)}

    def leave(place: str, time_ns: int) -> None:
        found.append(Stay(here.pop(place)[0], time_ns, place))

    for r in accepted:
        for place, (_, end) in list(here.items()):
            if end is not None and end <= r.time_ns:
                leave(place, end)
        if r.lifetime_s == 0:
            for place in [place for place in here if place and r.care_of in (place, r.home)]:
                leave(place, r.time_ns)
            if not here:
                here[AT_HOME] = r.time_ns, None
            continue
        for place in [place for place in here if place != r.care_of and not (r.beside and place)]:
            leave(place, r.time_ns)
        up = here.get(r.care_of, (r.time_ns, None))[0]
        here[r.care_of] = up, None if r.lifetime_s is None else r.time_ns + r.lifetime_s * 10**9
    found += [Stay(up, end, place) for place, (up, end) in here.items()]
    return sorted(found, key=lambda stay: stay.up_ns)


def stays_of(
    captures: Sequence[handoff_traces.Signalling], routers: Mapping[Prefix, str], home: str | None, *, lead_ps: int | None = None,
    guard_ps: int | None = None, begin_ps: int = 0, until_ps: int,
) -> handoff_traces.Associations:  # fmt: skip
    """Attachments that the registrations of captures tell of; mobile nodes have their home address for a name.

    Parameters
    ----------
    captures : sequence of handoff_traces.Signalling
        Taken by one clock.
    routers : mapping of prefix to str
        Whose the care-of addresses are; of several prefixes the longest counts.
    home : str or None
        Router that stands for the home link; None: a mobile node at home is nowhere.
    lead_ps, guard_ps : int or None
        Layer 2's warning comes ``guard_ps`` before the end of a stay that another one follows at once, its prediction
        ``lead_ps`` before that; None: it gives none.
    begin_ps : int
        Time from the earliest packet that is 0 of the result.
    until_ps : int
        Later stays are left out.

    Raises
    ------
    ValueError
        If nobody registers, or a care-of address is nobody's.
    """
    accepted = registrations(captures)
    if not accepted:
        raise ValueError("no accepted registration or binding update in the capture")
    earliest = min(c.facts.times_ns[0] for c in captures if c.facts.times_ns is not None)
    places = {address: _router(address, routers) for address in dict.fromkeys(r.care_of for r in accepted if r.lifetime_s != 0)}
    if unknown := [address for address, router in places.items() if router is None]:
        raise ValueError(f"care-of addresses of no router: {', '.join(unknown[:20])}; give each a place in 'routers'")
    places[AT_HOME] = home
    rows: list[tuple[int, str, int, int, int, int]] = []
    names = sorted({r.home for r in accepted})
    for number, name in enumerate(names):
        mine = _joined(stays([r for r in accepted if r.home == name], earliest), places)
        for stay, following in zip(mine, [*mine[1:], None], strict=True):
            up = max(0, (stay.up_ns - earliest) * 1000 - begin_ps)
            down = FOREVER if stay.down_ns is None else (stay.down_ns - earliest) * 1000 - begin_ps
            if up >= until_ps or down <= up:
                continue
            moves = stay.down_ns is not None and following is not None and following.up_ns <= stay.down_ns
            warn = max(up, down - guard_ps) if moves and guard_ps is not None else NEVER
            sure = down if warn == NEVER else warn
            predict = max(up, sure - lead_ps) if moves and lead_ps is not None else NEVER
            rows.append((number, stay.place, up, NEVER if down == FOREVER else down, predict, warn))
    known = list(dict.fromkeys(row[1] for row in rows))
    here = sorted({row[0] for row in rows})
    mobile, router = [here.index(row[0]) for row in rows], [known.index(row[1]) for row in rows]
    up_ps, down_ps, predict_ps, warn_ps = (np.array([row[k] for row in rows], np.int64) for k in range(2, 6))
    return handoff_traces.Associations(
        np.array(mobile, np.uint32), np.array(router, np.uint32), up_ps, down_ps, predict_ps, warn_ps,
        [names[n] for n in here], known,
    )  # fmt: skip


def _router(care_of: str, routers: Mapping[Prefix, str]) -> str | None:
    """Whose a care-of address is."""
    address = ipaddress.ip_address(care_of)
    near = [prefix for prefix in routers if address in prefix]
    return routers[max(near, key=lambda prefix: prefix.prefixlen)] if near else None


def _joined(found: list[Stay], places: Mapping[str, str | None]) -> list[Stay]:
    """By routers: a stay that begins at one before another ends there is the same stay; those of no router are left out."""
    joined: dict[str, list[Stay]] = {}
    for up, down, place in found:
        router = places[place]
        if router is None:
            continue
        before = joined.setdefault(router, [])
        last = before[-1] if before else None
        if last is not None and (last.down_ns is None or up <= last.down_ns):
            end = None if last.down_ns is None or down is None else max(last.down_ns, down)
            before[-1] = Stay(last.up_ns, end, router)
        else:
            before.append(Stay(up, down, router))
    return sorted((stay for each in joined.values() for stay in each), key=lambda stay: (stay.up_ns, stay.place))
