"""What an anchor (home agent, gateway foreign agent, mobility anchor point, correspondent) knows: its binding cache."""

from __future__ import annotations

from typing import NamedTuple

from engine import Context
from handoff.protocol.constants import MAX_DELETE_BCE_TIMEOUT, MAX_RR_BINDING_LIFETIME_S, SECOND
from handoff.protocol.lazy_state import PerMobileState
from handoff.protocol.messages import MessageFields
from handoff.protocol.program import RELEASE, Program
from handoff.protocol.roles import RoleResolver

NO_BINDING = -2
_AS_AT_START = -3


class DeferredDeregistration(NamedTuple):
    """A deregistration that waits, as it was sent last, and the number of the first one of this leave."""

    fields: MessageFields
    first: int


class BindingEntry:
    """What an anchor knows of one mobile node.

    ``care_of``: node that its packets are tunnelled to; ``bound``: identification of what made the last binding, ``latest`` that
    of anything accepted, for a shared counter; ``parked``: a deregistration that overtook its registration.
    """

    __slots__ = ("bound", "care_of", "latest", "parked")

    def __init__(self) -> None:
        self.care_of = _AS_AT_START
        self.bound = self.latest = 0
        self.parked: DeferredDeregistration | None = None


class BindingCache:
    """One anchor's bindings, keyed by (home address, care-of address): a late deregistration removes only its own.

    A mobile node of which it has heard nothing since time 0 has no entry.
    """

    def __init__(self, program: Program, places: RoleResolver) -> None:
        self.options, self.program, self.places = program.options, program, places
        self.entries = PerMobileState(self._at_start)
        self._shared = program.options.sequence == "shared"

    def _at_start(self, _: int) -> BindingEntry:
        return BindingEntry()

    def current(self, role: str, mobile: int) -> int:
        """Care-of address that a mobile node is bound to, or ``NO_BINDING``."""
        care_of = self.entries[mobile].care_of
        if care_of != _AS_AT_START:
            return care_of
        router = self.places.first_router[mobile]
        return NO_BINDING if router < 0 else self.places.care_of(role, router)

    def is_newer(self, role: str, fields: MessageFields, mobile: int, deletes: bool) -> bool:
        """Whether a message is newer than what it would change; numbers count for each care-of address, or together."""
        entry = self.entries[mobile]
        if self._shared:
            return fields.identification > entry.latest
        if deletes and self.current(role, mobile) != self.places.care_of(role, fields.old):
            return True
        return fields.identification > entry.bound

    def bind(self, ctx: Context, role: str, fields: MessageFields, simultaneous: bool) -> None:
        """Bind to the new care-of address, in place of what is there or beside it."""
        care_of, tunnel = self.places.care_of, self.places.tunnel(role)
        new, before = care_of(role, fields.new), fields.old
        old = care_of(role, before) if before >= 0 else new
        beside = simultaneous and old != new
        if beside:
            self.places.simultaneous += 1
            ctx.bind(old, until_ps=ctx.time_ps + self.options.bicast_ps, **tunnel)  # type: ignore[arg-type]
        until = ctx.time_ps + self._lifetime_s(role, fields) * SECOND
        ctx.bind(new, until_ps=until, simultaneous=beside, **tunnel)  # type: ignore[arg-type]
        entry = self.entries[ctx.mobile]
        entry.care_of = new
        entry.bound = identification = fields.identification
        entry.latest = max(entry.latest, identification)

    def delete(self, ctx: Context, role: str, fields: MessageFields) -> bool:
        """Remove the binding to the old care-of address; False if that has to wait (decisions, 1 and 3)."""
        care_of, own = self.current(role, ctx.mobile), self.places.care_of(role, fields.old)
        race = self.options.correspondent_race if role == "CN" else self.options.race
        entry = self.entries[ctx.mobile]
        entry.latest = max(entry.latest, fields.identification)
        if race == "hold" and self._overtook(entry, care_of, role, fields):
            self._park(ctx, entry, fields)
            return False
        if care_of != NO_BINDING and (race == "rfc6275" or care_of == own):  # rfc6275: one entry for each home address
            self.remove(ctx, entry)
        return True

    def _park(self, ctx: Context, entry: BindingEntry, fields: MessageFields) -> None:
        """Let it wait; sent again, it waits no longer for that."""
        before = entry.parked
        if before is not None and (before.fields.old, before.fields.new) == (fields.old, fields.new):
            entry.parked = DeferredDeregistration(fields, before.first)
        else:
            entry.parked = DeferredDeregistration(fields, fields.identification)
            ctx.timer(ctx.time_ps + MAX_DELETE_BCE_TIMEOUT, RELEASE, fields.identification)

    def _overtook(self, entry: BindingEntry, care_of: int, role: str, fields: MessageFields) -> bool:
        """Whether a deregistration is here before the registration that it belongs to."""
        return care_of != self.places.care_of(role, fields.new) and fields.identification > entry.bound

    def pop_deferred(self, ctx: Context, node: int, identification: int | None = None) -> MessageFields | None:
        """The deregistration that need not wait any more: its registration has come, or (by its number) its time is over."""
        entry = self.entries[ctx.mobile]
        parked = entry.parked
        if parked is None or identification not in (None, parked.first):
            return None
        entry.parked = None
        fields, role = parked.fields, self.places.role(node)
        if identification is not None and self.current(role, ctx.mobile) == self.places.care_of(role, fields.old):
            self.remove(ctx, entry)
        return fields

    def end_old_binding(self, ctx: Context, role: str, fields: MessageFields) -> None:
        """The marker of an old path has passed: its binding goes, if it has not been made anew since."""
        entry = self.entries[ctx.mobile]
        if self.current(role, ctx.mobile) == fields.old and fields.identification > entry.bound:
            self.remove(ctx, entry)

    def remove(self, ctx: Context, entry: BindingEntry) -> None:
        """No binding any more."""
        entry.care_of = NO_BINDING
        ctx.unbind()

    def restart(self, ctx: Context) -> None:
        """Everything is forgotten."""
        entry = self.entries[ctx.mobile] = BindingEntry()
        self.remove(ctx, entry)

    def _lifetime_s(self, role: str, fields: MessageFields) -> int:
        if role == "CN" and self.program.routability:
            return min(fields.lifetime_s, MAX_RR_BINDING_LIFETIME_S)
        return fields.lifetime_s
