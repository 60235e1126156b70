"""What a study leaves open about its procedures (docs/procedures.md, "Options")."""

from __future__ import annotations

from dataclasses import dataclass

from handoff.protocol import constants
from handoff.protocol.messages import ENCAPSULATIONS
from handoff.protocol.procedures import Procedure

MS = 10**9

CHOICES = {
    "profile": ("patent", "rfc"),
    "relay": ("router", "l2"),
    "prediction": ("layer2", "solicitation", "piggyback"),
    "discovery": ("layer2", "advertisement", "solicitation"),
    "detection": ("eager", "lazy"),
    "temporary_home_agent": ("list", "discovery"),
    "notification": ("mn", "router"),
    "race": ("hold", "patent", "rfc6275"),
    "correspondent_race": ("patent", "hold", "rfc6275"),
    "sequence": ("care_of", "shared"),
    "forwarding_end": ("marker", "lifetime"),
    "encapsulation": tuple(ENCAPSULATIONS),
}
"""Options that are one of a few words; the first is the default."""


@dataclass(frozen=True)
class Options:
    """Options of the procedures; times in picoseconds. ``None`` leaves a value to the profile.

    Attributes
    ----------
    profile : {"patent", "rfc"}
        Nothing but the seed, or duplicate address detection, return routability, RFC timers, authentication, replay protection.
    relay : {"router", "l2"}
        Way of messages before the move: relayed by the old router, or carried by layer 2 past it.
    prediction : {"layer2", "solicitation", "piggyback"}
        How the mobile node learns of the new router before the move: layer 2 tells; the old router solicits the new one's
        advertisement; or layer 2 carries that advertisement.
    discovery : {"layer2", "advertisement", "solicitation"}
        How it finds the router of a new link: ``agent_discovery_ps`` after the link is up; by the periodic advertisement (RFC
        5944 2.3.1, RFC 6275 7.5); or by soliciting one.
    detection : {"eager", "lazy"}
        Of an advertisement by a new router while the present one's lifetime lasts: register at once, or wait (eager and lazy
        cell switching; RFC 5944 2.4.2).
    advertisement_min_ps, advertisement_max_ps : int
        Advertisements of a router come at random intervals between these.
    agent_discovery_ps : int
        From link up to the first advertisement heard, if discovery is ``layer2``.
    temporary_home_agent : {"list", "discovery"}
        Known from router advertisements, or found by dynamic home agent address discovery (RFC 6275 10.5).
    notification : {"mn", "router"}
        Who sends the update of ``mipv4-smooth`` to the old router.
    lifetime_s : int
        Requested lifetime of a registration; refreshed at half of it.
    retransmit_ps : int
        First wait for a reply, doubled each time.
    retransmit_max_ps : int or None
        The most that it grows to: 32 s (RFC 6275 11.8); of IPv4 in the profile ``rfc`` the lifetime (RFC 5944 3.6.3).
    new_buffer_packets, new_buffer_bytes : int
        Buffer of the new router for a mobile node that is not attached yet; 0 = unlimited (decisions, 9 and 13).
    old_buffer_packets : int
        How many packets the old router keeps that its dying link does not carry to the mobile node any more, until forwarding
        begins, the mobile node is back, or as long as a forwarding entry would last; 0 = none: they are lost. Of these its layer
        2 knows, as one with acknowledgements does.
    linger_ps : int
        How long a visitor entry stays after the marker has passed and the link is gone (decisions, 10).
    forwarding_lifetime_ps : int or None
        Lifetime of the old router's forwarding entry (decisions, 12): 10 s in IPv4, 12 s in IPv6.
    forwarding_end : {"marker", "lifetime"}
        Whether the marker ends forwarding early.
    forward_unacked : bool
        Whether frames on the old radio's air are forwarded too as forwarding begins (decisions, 15).
    race, correspondent_race : {"hold", "patent", "rfc6275"}
        What a deregistration that overtakes its registration does at home agent and MAP, and at a correspondent (decisions, 1
        and 3): waits; deletes the old binding at once; or finds one entry for each home address and deletes it, whatever it is.
    sequence : {"care_of", "shared"}
        Sequence numbers for each care-of address, or one counter for all (decisions, 2; RFC 5648 4.1).
    upstream_early : bool
        Upstream data take the new link as soon as it is up, not after the reply (decisions, 14).
    upstream_packets : int
        How many upstream packets a mobile node holds between two links; 0 = unlimited.
    bicast_ps : int
        How long the old binding stays beside the new one.
    tunnel_limit : int
        Most encapsulations of a packet (decisions, 25).
    encapsulation : {"ipip", "minimal", "gre"}
        Tunnels of IPv4.
    dad_ps : int or None
        Duplicate address detection of a new care-of address (decisions, 22): 0 in ``patent``, 1 s in ``rfc``.
    return_routability : bool or None
        Whether correspondents test both addresses first (decisions, 23).
    authentication : bool or None
        Whether registrations are authenticated and protected against replay.
    authentication_service_ps : int
        What that costs an anchor for each message, beside its registration service time.
    resequence_ps : int
        Longest wait of a resequencing buffer at the mobile node and its correspondents (decisions, 16); 0: as they arrive.
    settle_ps : int
        How long after a handoff is done its deliveries still count as its own.
    """

    profile: str = "patent"
    relay: str = "router"
    prediction: str = "layer2"
    discovery: str = "layer2"
    detection: str = "eager"
    advertisement_min_ps: int = constants.ADVERTISEMENT_INTERVAL
    advertisement_max_ps: int = constants.ADVERTISEMENT_INTERVAL
    agent_discovery_ps: int = 100 * MS
    temporary_home_agent: str = "list"
    notification: str = "mn"
    lifetime_s: int = 600
    retransmit_ps: int = constants.INITIAL_BINDACK_TIMEOUT
    retransmit_max_ps: int | None = None
    new_buffer_packets: int = 50
    new_buffer_bytes: int = 0
    old_buffer_packets: int = 0
    linger_ps: int = 0
    forwarding_lifetime_ps: int | None = None
    forwarding_end: str = "marker"
    forward_unacked: bool = False
    race: str = "hold"
    correspondent_race: str = "patent"
    sequence: str = "care_of"
    upstream_early: bool = False
    upstream_packets: int = 50
    bicast_ps: int = 200 * MS
    tunnel_limit: int = 4
    encapsulation: str = "ipip"
    dad_ps: int | None = None
    return_routability: bool | None = None
    authentication: bool | None = None
    authentication_service_ps: int = 0
    resequence_ps: int = 0
    settle_ps: int = 100 * MS

    def problems(self) -> list[str]:
        """What is wrong with the options, each with what would be right."""
        found = []
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                words = ", ".join(map(repr, allowed[:-1])) + f" or {allowed[-1]!r}"
                found.append(f"{name} is {words}, not {getattr(self, name)!r}")
        if not 1 <= self.lifetime_s <= constants.MAX_LIFETIME_S:
            found.append(f"lifetime is 1 s to {constants.MAX_LIFETIME_S} s (RFC 5944, 3.3), not {self.lifetime_s} s")
        if self.retransmit_ps < constants.REGISTRATION_RETRANSMIT:
            found.append("the first retransmission comes after at least 1 s (RFC 5944, 3.6.3)")
        if self.retransmit_max_ps is not None and self.retransmit_max_ps < self.retransmit_ps:
            found.append("retransmit_max is at least retransmit")
        if not 0 < self.advertisement_min_ps <= self.advertisement_max_ps:
            found.append("advertisements come at intervals from advertisement_min, above 0, to advertisement_max, at least that")
        if not 1 <= self.tunnel_limit <= 4:
            found.append(f"tunnel_limit is 1 to 4, not {self.tunnel_limit}")
        return found

    # -- what the profile says where nothing else does -------------------------------------------------------------------
    @property
    def rfc(self) -> bool:
        """Whether the profile is ``rfc``."""
        return self.profile == "rfc"

    @property
    def authenticates(self) -> bool:
        """Whether registrations are authenticated."""
        return self.rfc if self.authentication is None else self.authentication

    def needs_return_routability(self, ip: int) -> bool:
        """Whether correspondents want return routability; there is none in IPv4."""
        return ip == 6 and (self.rfc if self.return_routability is None else self.return_routability)

    def duplicate_address_detection_ps(self, row: Procedure) -> int:
        """Duplicate address detection of a care-of address, in ps; a router's own address needs none."""
        if row.ip == 4 or row.network_based:
            return 0
        return (constants.DUPLICATE_ADDRESS_DETECTION if self.rfc else 0) if self.dad_ps is None else self.dad_ps

    def forwarding_lifetime(self, ip: int) -> int:
        """Lifetime of a forwarding entry, in ps."""
        return constants.FORWARDING_LIFETIME[ip] if self.forwarding_lifetime_ps is None else self.forwarding_lifetime_ps
