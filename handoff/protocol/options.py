"""Options of the procedures that a study chooses (docs/procedures.md, "Options")."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

from handoff.protocol import constants
from handoff.protocol.message_formats import CONTAINERS, MIN_CONTAINER_BYTES
from handoff.protocol.messages import ENCAPSULATIONS
from handoff.protocol.procedures import Procedure

MS = 10**9

CHOICES = {
    "profile": ("patent", "rfc"),
    "relay": ("router", "l2"),
    "prediction": ("layer2", "solicitation", "piggyback"),
    "request": ("auto", "predict", "going-down"),
    "discovery": ("layer2", "advertisement", "solicitation"),
    "detection": ("eager", "lazy"),
    "care_of_address": ("agent", "co-located"),
    "temporary_home_agent": ("list", "discovery"),
    "notification": ("mn", "router"),
    "race": ("hold", "patent", "rfc6275"),
    "correspondent_race": ("patent", "hold", "rfc6275"),
    "sequence": ("care_of", "shared"),
    "forwarding_end": ("marker", "lifetime"),
    "encapsulation": tuple(ENCAPSULATIONS),
}
"""Values of the options that are words. The first one is the default."""
MAX_CONTAINER_BYTES = 60_000
MAX_TUNNELS = 4
"""Largest ``tunnel_limit`` that the engine supports."""


@dataclass(frozen=True)
class Options:
    """Options of the procedures. Times are in picoseconds; ``None`` stands for the value of the profile.

    Attributes
    ----------
    profile : {"patent", "rfc"}
        ``patent``: only the mechanisms of the seed document. ``rfc``: also duplicate address detection, return routability, RFC
        timers, authentication and replay protection.
    relay : {"router", "l2"}
        Path of messages before the move. ``router``: the old router relays them. ``l2``: layer 2 carries them past it.
    prediction : {"layer2", "solicitation", "piggyback"}
        Source of the new router's address before the move. ``layer2``: layer 2 names the router. ``solicitation``: the old router
        solicits an advertisement of the new one. ``piggyback``: layer 2 carries an advertisement of the new one.
    request : {"auto", "predict", "going-down"}
        Time of the request before the move (decision 27). ``predict``: as soon as the new router is known. ``going-down``: at the
        warning, together with the update to the old router. ``auto``: at the warning with single access if the procedure has such
        an update, else as soon as the router is known. Without a warning from layer 2 the request never waits for one. A prepared
        procedure whose old router stops at the command reports with single access at the warning, and else when the new link is
        up (decision 37).
    discovery : {"layer2", "advertisement", "solicitation"}
        Source of the router's address on a new link. ``layer2``: layer 2, ``agent_discovery_ps`` after the link comes up.
        ``advertisement``: the next periodic advertisement (RFC 5944 2.3.1, RFC 6275 7.5). ``solicitation``: a solicited one.
    detection : {"eager", "lazy"}
        Reaction to the discovery of a new router while the lifetime of the current router lasts (RFC 5944 2.4.2; decision 31).
        ``eager``: begin the handoff at once. ``lazy``: wait until that lifetime is over.
    advertisement_min_ps, advertisement_max_ps : int
        Shortest and longest interval between a router's advertisements; each interval is drawn at random.
    agent_discovery_ps : int
        Time from link up to the first advertisement, if ``discovery`` is ``layer2``.
    care_of_address : {"agent", "co-located"}
        Care-of address in IPv4. ``agent``: the address of the foreign agent. ``co-located``: an address of the mobile node's own
        (DHCP, PPP; RFC 5944 1.7), where tunnels end at the mobile node and routers keep no visitor list.
    address_time_ps : int
        Time in which a mobile node obtains a co-located care-of address.
    temporary_home_agent : {"list", "discovery"}
        ``list``: the mobile node knows it from router advertisements. ``discovery``: it runs dynamic home agent address discovery
        (RFC 6275 10.5).
    notification : {"mn", "router"}
        Sender of the update of ``mipv4-smooth`` to the old router: the mobile node or the new router.
    lifetime_s : int
        Requested lifetime of a registration. The mobile node refreshes it at half the lifetime.
    retransmit_ps : int
        First wait for a reply. Each further wait is twice as long.
    retransmit_first_ps : int or None
        First wait for the reply to a first registration in IPv6, for which the home agent checks the home address first
        (InitialBindackTimeoutFirstReg; RFC 6275 11.8, 13). Default: ``retransmit_ps``; in the profile ``rfc`` at least 1.5 s.
    retransmit_max_ps : int or None
        Longest wait for a reply. Default: 32 s (RFC 6275 11.8); in IPv4 with the profile ``rfc`` the lifetime (RFC 5944 3.6.3).
    new_buffer_packets, new_buffer_bytes : int or None
        Buffer of the new router for a mobile node that has registered but not attached yet (decisions 9 and 13).
        Unlimited (None), or 0: no buffer.
    old_buffer_packets, old_buffer_bytes : int or None
        Buffer of the old router for packets that its link cannot carry to the mobile node any longer (decision 28). It keeps them
        until forwarding starts or the mobile node returns, at most for the lifetime of a forwarding entry. Unlimited (None),
        or 0: the packets are lost. Another value requires a layer 2 that reports undelivered frames, for instance one with
        acknowledgements.
    linger_ps : int
        Time that a visitor entry remains after the marker has passed and the link is down (decision 10).
    forwarding_lifetime_ps : int or None
        Lifetime of the old router's forwarding entry (decision 12). Default: 10 s in IPv4, 12 s in IPv6.
    forwarding_end : {"marker", "lifetime"}
        ``marker``: the marker ends forwarding early. ``lifetime``: it does not.
    forward_unacked : bool
        If true, frames in transmission on the old radio are forwarded too when forwarding starts (decision 15).
    race, correspondent_race : {"hold", "patent", "rfc6275"}
        Treatment of a deregistration that overtakes its registration, at home agent and MAP and at a correspondent (decisions 1
        and 3). ``hold``: it waits for the registration. ``patent``: it deletes the old binding at once. ``rfc6275``: the cache
        has one entry per home address, which the deregistration deletes whatever its care-of address is.
    sequence : {"care_of", "shared"}
        Scope of sequence numbers: each care-of address, or all messages of a mobile node (decision 2; RFC 5648 4.1).
    upstream_early : bool
        If true, upstream data use the new link as soon as it is up, and not only after the reply (decision 14).
    upstream_hold : bool
        If true, a mobile node without a registered link buffers its upstream packets (decision 28). Otherwise it drops them.
    upstream_packets : int or None
        Number of upstream packets that a mobile node buffers: unlimited (None), or 0: none.
    bicast_ps : int or None
        Time that the old binding remains in addition to the new one. Default: until the old link is down, and
        ``bicast_linger_ps`` longer (decision 29).
    bicast_linger_ps : int
        Time that the old binding remains after the old link is down, without ``bicast_ps``.
    tunnel_limit : int
        Largest number of encapsulations of a packet (decision 25).
    encapsulation : {"ipip", "minimal", "gre"}
        Tunnel format of IPv4.
    dad_ps : int or None
        Duration of duplicate address detection of a new care-of address (decision 22). Default: 0 in ``patent``, 1 s in ``rfc``.
    return_routability : bool or None
        If true, both addresses are tested before an update to a correspondent (decision 23). Default: true in ``rfc``.
    authentication : bool or None
        If true, registrations are authenticated and protected against replay. Default: true in ``rfc``.
    authentication_service_ps : int
        Additional service time of an anchor for each authenticated message.
    resequence_ps : int
        Longest wait of the resequencing buffers at the mobile node and its correspondents (decision 16); 0 = no buffer.
    settle_ps : int
        Time after the end of a handoff during which deliveries still count for it.
    gate_timer_ps : int
        Time after the arrival of the mobile node at which the new router opens its gate without a marker (prepared procedures).
    request_container_bytes, command_container_bytes : int or None
        Size of the radio container in a handover request, and in a handover command (prepared procedures). Default: 300 and 120
        bytes in LTE, 1,200 and 300 in 5G, which are guesses: a container has no fixed size.
    """

    profile: str = "patent"
    relay: str = "router"
    prediction: str = "layer2"
    request: str = "auto"
    discovery: str = "layer2"
    detection: str = "eager"
    advertisement_min_ps: int = constants.ADVERTISEMENT_INTERVAL
    advertisement_max_ps: int = constants.ADVERTISEMENT_INTERVAL
    agent_discovery_ps: int = 100 * MS
    care_of_address: str = "agent"
    address_time_ps: int = 0
    temporary_home_agent: str = "list"
    notification: str = "mn"
    lifetime_s: int = 600
    retransmit_ps: int = constants.INITIAL_BINDACK_TIMEOUT
    retransmit_first_ps: int | None = None
    retransmit_max_ps: int | None = None
    new_buffer_packets: int | None = 50
    new_buffer_bytes: int | None = None
    old_buffer_packets: int | None = 50
    old_buffer_bytes: int | None = None
    linger_ps: int = 0
    forwarding_lifetime_ps: int | None = None
    forwarding_end: str = "marker"
    forward_unacked: bool = False
    race: str = "hold"
    correspondent_race: str = "patent"
    sequence: str = "care_of"
    upstream_early: bool = False
    upstream_hold: bool = True
    upstream_packets: int | None = 50
    bicast_ps: int | None = None
    bicast_linger_ps: int = 200 * MS
    tunnel_limit: int = 4
    encapsulation: str = "ipip"
    dad_ps: int | None = None
    return_routability: bool | None = None
    authentication: bool | None = None
    authentication_service_ps: int = 0
    resequence_ps: int = 0
    settle_ps: int = 100 * MS
    gate_timer_ps: int = constants.SECOND
    request_container_bytes: int | None = None
    command_container_bytes: int | None = None

    @classmethod
    def descriptions(cls) -> dict[str, str]:
        """Return the text of each option, by the name of its field: the docstring of the class is the place of the texts."""
        texts: dict[str, list[str]] = {}
        names: list[str] = []
        for line in inspect.cleandoc(cls.__doc__ or "").partition("----------\n")[2].splitlines():
            if line.startswith("    "):
                for name in names:
                    texts[name].append(line.strip())
            else:
                names = line.partition(" : ")[0].split(", ")
                texts |= {name: [] for name in names}
        return {name: re.sub(r"``(\w+?)(_ps)?``", r"'\1'", " ".join(lines)) for name, lines in texts.items()}

    def problems(self) -> list[str]:
        """Return an error message for each invalid option."""
        errors = []
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                words = ", ".join(map(repr, choices[:-1])) + f" or {choices[-1]!r}"
                errors.append(f"{name} is {words}, not {getattr(self, name)!r}")
        if not 1 <= self.lifetime_s <= constants.MAX_LIFETIME_S:
            errors.append(f"lifetime is 1 s to {constants.MAX_LIFETIME_S} s (RFC 5944, 3.3), not {self.lifetime_s} s")
        if self.retransmit_ps < constants.REGISTRATION_RETRANSMIT:
            errors.append("the first retransmission comes after at least 1 s (RFC 5944, 3.6.3)")
        if self.retransmit_first_ps == 0:
            errors.append("retransmit_first must be above 0: 1.5 s by default in the profile 'rfc' (RFC 6275, 13)")
        if self.retransmit_max_ps is not None and self.retransmit_max_ps < max(self.retransmit_ps, self.retransmit_first_ps or 0):
            errors.append("retransmit_max must be at least retransmit and retransmit_first")
        if not 0 < self.advertisement_min_ps <= self.advertisement_max_ps:
            errors.append("advertisement_min must be above 0 and at most advertisement_max")
        if not 1 <= self.tunnel_limit <= MAX_TUNNELS:
            errors.append(f"tunnel_limit is 1 to {MAX_TUNNELS}, not {self.tunnel_limit}")
        for kind in CONTAINERS:
            size = getattr(self, f"{kind}_container_bytes")
            if size and not (MIN_CONTAINER_BYTES <= size <= MAX_CONTAINER_BYTES and size % 4 == 0):
                allowed = f"0 or a multiple of 4 from {MIN_CONTAINER_BYTES} to {MAX_CONTAINER_BYTES:,}"
                errors.append(f"{kind}_container_bytes is {allowed}, not {size}")
        return errors

    @property
    def buffers_at_old_router(self) -> bool:
        """True if an old router keeps packets that its link cannot carry any longer."""
        return self.old_buffer_packets != 0 and self.old_buffer_bytes != 0

    def container_bytes(self, family: str) -> tuple[int, int]:
        """Return the sizes of the radio containers of a request and of a command in LTE (``lte``) or 5G."""
        request, command = (300, 120) if family == "lte" else (1200, 300)
        if self.request_container_bytes is not None:
            request = self.request_container_bytes
        return request, command if self.command_container_bytes is None else self.command_container_bytes

    # -- values that depend on the profile -------------------------------------------------------------------------------
    @property
    def rfc(self) -> bool:
        """True in the profile ``rfc``."""
        return self.profile == "rfc"

    @property
    def authenticates(self) -> bool:
        """True if registrations are authenticated."""
        return self.rfc if self.authentication is None else self.authentication

    def needs_return_routability(self, ip: int) -> bool:
        """Return whether correspondents require return routability, which exists only in IPv6."""
        return ip == 6 and (self.rfc if self.return_routability is None else self.return_routability)

    def has_foreign_agents(self, procedure: Procedure) -> bool:
        """Return whether the care-of address is that of a foreign agent."""
        return procedure.ip == 4 and self.care_of_address == "agent"

    def address_configuration_ps(self, procedure: Procedure) -> int:
        """Return the time in ps that a new care-of address takes: DHCP or PPP, or duplicate address detection (decision 22).

        It is 0 where the care-of address is the router's own.
        """
        if procedure.network_based or self.has_foreign_agents(procedure):
            return 0
        if procedure.ip == 4:
            return self.address_time_ps
        return (constants.DUPLICATE_ADDRESS_DETECTION if self.rfc else 0) if self.dad_ps is None else self.dad_ps

    def forwarding_lifetime(self, ip: int) -> int:
        """Return the lifetime of a forwarding entry in ps."""
        return constants.FORWARDING_LIFETIME[ip] if self.forwarding_lifetime_ps is None else self.forwarding_lifetime_ps
