"""Binding cache of an anchor: home agent, gateway foreign agent, mobility anchor point or correspondent (RFC 6275 9.1)."""

from __future__ import annotations

from typing import NamedTuple

from mypy_extensions import mypyc_attr

from engine import FOREVER, Context, PerMobileState
from handoff.protocol.constants import MAX_DELETE_BCE_TIMEOUT, MAX_RR_BINDING_LIFETIME_S, SECOND
from handoff.protocol.home_link import HomeLink
from handoff.protocol.messages import ATTACK_MARK, IDENTIFICATION, NEW, OLD, PEER_BITS, PEER_LIFETIME, PEER_MASK, MessageFields
from handoff.protocol.program import RELEASE, Program
from handoff.protocol.roles import RoleResolver

NO_BINDING = -2
_NO_MARKERS: frozenset[int] = frozenset()
_INITIAL = -3  # the binding of time 0, which the first router of the mobile node determines


class DeferredDeregistration(NamedTuple):
    """A deregistration that waits for its registration (decision 1).

    Attributes
    ----------
    fields : MessageFields
        The deregistration as it was last received.
    first_identification : int
        Identification of its first transmission, which the timer of the longest wait carries.
    """

    fields: MessageFields
    first_identification: int


@mypyc_attr(allow_interpreted_subclasses=True)
class BindingEntry:
    """Binding of one mobile node.

    Attributes
    ----------
    care_of : int
        Node to which packets are tunnelled (RFC 6275 9.1, care-of address); the home agent for a mobile node at home;
        ``NO_BINDING``.
    identification : int
        Identification of the message that made the current binding (RFC 6275 9.1, sequence number; RFC 5944 5.7).
    latest_identification : int
        Highest identification of any accepted message, for the option ``sequence = "shared"``.
    deferred : DeferredDeregistration or None
        Deregistration that has overtaken its registration and waits for it (decisions 1 and 3).
    markers : frozenset of int
        Correspondents whose marker has passed this gateway since the current binding was made; -1 for the home agent.
    relayed_to : int
        New router to which packets that come back from the old one are passed on; ``NO_BINDING`` for none.
    """

    __slots__ = ("care_of", "deferred", "identification", "latest_identification", "markers", "relayed_to")

    def __init__(self) -> None:
        self.care_of = _INITIAL
        self.identification = self.latest_identification = 0
        self.deferred: DeferredDeregistration | None = None
        self.markers = _NO_MARKERS
        self.relayed_to = NO_BINDING


@mypyc_attr(allow_interpreted_subclasses=True)
class BindingCache:
    """Bindings at one anchor, keyed by home address and care-of address, so that a late deregistration removes only its own.

    An entry is created when the first message about a mobile node arrives.

    Parameters
    ----------
    program : Program
        Program of the run.
    roles : RoleResolver
        Roles of the run.
    home_link : HomeLink or None
        Home link of this anchor if it is a home agent that has one. The link takes over when a binding ends.
    """

    def __init__(self, program: Program, roles: RoleResolver, home_link: HomeLink | None = None) -> None:
        self.options, self.roles, self.home_link = program.options, roles, home_link
        self.entries = PerMobileState(self._initial_entry)
        self._shared_sequence = program.options.sequence == "shared"
        self._limits_lifetime = bool(program.return_routability)

    def _initial_entry(self, _: int) -> BindingEntry:
        return BindingEntry()

    def current(self, role: str, mobile: int) -> int:
        """Return the node that a mobile node is bound to, the home agent if it is at home, or ``NO_BINDING``."""
        care_of = self.entries[mobile].care_of
        if care_of != _INITIAL:
            return care_of
        router = self.roles.first_router[mobile]
        return NO_BINDING if router < 0 else self.roles.care_of(role, router)

    def is_bound(self, role: str, mobile: int) -> bool:
        """Return whether a mobile node has a binding; at home it has none."""
        return self.current(role, mobile) not in (NO_BINDING, self.roles.home_agent)

    def is_newer(self, role: str, args: tuple[int, ...], mobile: int, deletes: bool) -> bool:
        """Return whether a message is newer than the binding it would change.

        Sequence numbers are compared per care-of address, or globally if ``sequence = "shared"`` (decision 2).
        """
        entry = self.entries[mobile]
        if self._shared_sequence:
            return args[IDENTIFICATION] > entry.latest_identification
        if deletes and self.current(role, mobile) != self.roles.care_of(role, args[OLD]):
            return True
        return args[IDENTIFICATION] > entry.identification

    def bind(self, ctx: Context, role: str, args: tuple[int, ...], simultaneous: bool) -> None:
        """Bind the mobile node to its new care-of address. A mobile node that returns home loses its binding instead.

        Parameters
        ----------
        ctx : Context
            Context of the request.
        role : str
            Role of this anchor.
        args : tuple of int
            Arguments of the request.
        simultaneous : bool
            If true, the old binding remains for a time (RFC 5944, S bit; decision 29). Otherwise the new binding replaces it.
            There is no second binding beside the home link.
        """
        position, old_router, new_router, peer_lifetime, identification, _ = args
        roles, entry = self.roles, self.entries[ctx.mobile]
        home = roles.home_agent
        entry.care_of = new = roles.care_of(role, new_router)
        entry.markers = _NO_MARKERS
        entry.relayed_to = NO_BINDING
        entry.identification = identification
        if identification > entry.latest_identification:
            entry.latest_identification = identification
        if new == home:
            self._deregister(ctx)
            return
        header, end = roles.tunnel_end(role)
        old = roles.care_of(role, old_router) if simultaneous and old_router >= 0 else new
        keeps_old = old not in (new, home)
        if keeps_old:
            roles.simultaneous_bindings += 1
            ctx.bind(old, header_bytes=header, end=end, until_ps=self._bicast_end_ps(ctx, old_router))
        lifetime_s = peer_lifetime >> PEER_BITS
        if role == "CN" and self._limits_lifetime:
            lifetime_s = min(lifetime_s, MAX_RR_BINDING_LIFETIME_S)
        until_ps = None if roles.procedure.lasting else ctx.time_ps + lifetime_s * SECOND
        ctx.bind(
            new, header_bytes=header, end=end, until_ps=until_ps, simultaneous=keeps_old,
            hostile=position >= ATTACK_MARK,
        )  # fmt: skip
        if self.home_link is not None:
            self.home_link.on_bound(ctx)

    def relay_forwarded(self, ctx: Context, args: tuple[int, ...]) -> None:
        """Pass packets that the old router sends back on to the new one, until the binding moves there.

        A mobile node that has arrived at the new router by itself meanwhile needs no relay.
        """
        entry, new = self.entries[ctx.mobile], args[NEW]
        if self.current("HA", ctx.mobile) != args[OLD] or args[IDENTIFICATION] <= entry.identification:
            return
        if entry.relayed_to not in (NO_BINDING, new):
            ctx.unbind(entry.relayed_to)
        entry.relayed_to = new
        header, end = self.roles.tunnel_end("AR")
        until_ps = ctx.time_ps + self.options.forwarding_lifetime(self.roles.procedure.ip)
        ctx.bind(new, header_bytes=header, end=end, until_ps=until_ps, simultaneous=True, relayed=True)

    def _deregister(self, ctx: Context) -> None:
        """End a binding because the mobile node is at home (RFC 5944 3.6.1, RFC 6275 10.3.2)."""
        if self.home_link is not None:
            self.home_link.on_deregistered(ctx)
        else:
            ctx.unbind()

    def _bicast_end_ps(self, ctx: Context, old: int) -> int:
        """Return when the old binding of a simultaneous one ends (decision 29).

        The end of the old link stands for the lifetime that the mobile node requests for its old binding.
        """
        if self.options.bicast_ps is not None:
            return ctx.time_ps + self.options.bicast_ps
        down_ps = max(ctx.time_ps, self.roles.link_down_ps(ctx.mobile, old, ctx.time_ps))
        return min(down_ps, FOREVER - self.options.bicast_linger_ps) + self.options.bicast_linger_ps

    def delete(self, ctx: Context, role: str, fields: MessageFields) -> bool:
        """Process a deregistration of the old care-of address.

        Returns
        -------
        bool
            False if the deregistration waits for its registration (decisions 1 and 3), so that no reply is due yet.
        """
        care_of, own = self.current(role, ctx.mobile), self.roles.care_of(role, fields.old)
        race = self.options.correspondent_race if role == "CN" else self.options.race
        entry = self.entries[ctx.mobile]
        entry.latest_identification = max(entry.latest_identification, fields.identification)
        if race == "hold" and self._overtakes_registration(entry, care_of, role, fields):
            self._defer(ctx, entry, fields)
            return False
        if self.is_bound(role, ctx.mobile) and (race == "rfc6275" or care_of == own):  # rfc6275: one entry for each home address
            self.remove(ctx, entry)
        return True

    def _defer(self, ctx: Context, entry: BindingEntry, fields: MessageFields) -> None:
        """Store a deregistration. A retransmission replaces it without extending the wait."""
        deferred = entry.deferred
        if deferred is not None and (deferred.fields.old, deferred.fields.new) == (fields.old, fields.new):
            entry.deferred = DeferredDeregistration(fields, deferred.first_identification)
        else:
            entry.deferred = DeferredDeregistration(fields, fields.identification)
            ctx.timer(ctx.time_ps + MAX_DELETE_BCE_TIMEOUT, RELEASE, fields.identification)

    def _overtakes_registration(self, entry: BindingEntry, care_of: int, role: str, fields: MessageFields) -> bool:
        return care_of != self.roles.care_of(role, fields.new) and fields.identification > entry.identification

    def pop_deferred(self, ctx: Context, node: int, identification: int | None = None) -> MessageFields | None:
        """Remove and return the deferred deregistration if its wait is over.

        Parameters
        ----------
        ctx : Context
            Context of the event.
        node : int
            Node of this anchor.
        identification : int or None
            None if the registration has arrived. Otherwise the argument of the timer that has expired; the old binding then ends.

        Returns
        -------
        MessageFields or None
            The deregistration, whose reply is now due.
        """
        entry = self.entries[ctx.mobile]
        deferred = entry.deferred
        if deferred is None or identification not in (None, deferred.first_identification):
            return None
        entry.deferred = None
        fields, role = deferred.fields, self.roles.role(node)
        if identification is not None and self.current(role, ctx.mobile) == self.roles.care_of(role, fields.old):
            self.remove(ctx, entry)
        return fields

    def end_old_binding(self, ctx: Context, role: str, args: tuple[int, ...]) -> None:
        """Remove the binding of an old path whose last marker has passed, unless a newer message has made it again.

        With route optimization each correspondent sends a marker of its own.
        """
        entry = self.entries[ctx.mobile]
        peer = (args[PEER_LIFETIME] & PEER_MASK) - 1
        entry.markers = frozenset((*entry.markers, peer))
        if peer >= 0 and len(entry.markers) < len(self.roles.peers[ctx.mobile]):
            return
        is_newer = args[IDENTIFICATION] > entry.identification
        if is_newer and self.current(role, ctx.mobile) == args[OLD]:
            self.remove(ctx, entry)

    def remove(self, ctx: Context, entry: BindingEntry) -> None:
        """Remove a binding."""
        entry.care_of = NO_BINDING
        if self.home_link is not None:
            self.home_link.on_unbound(ctx)
        else:
            ctx.unbind()

    def restart(self, ctx: Context) -> None:
        """Forget everything about a mobile node."""
        entry = self.entries[ctx.mobile] = BindingEntry()
        self.remove(ctx, entry)
