"""What an anchor (home agent, gateway foreign agent, mobility anchor point, correspondent) knows: its binding cache."""

from __future__ import annotations

from typing import NamedTuple

from engine import Context
from handoff.machine.constants import MAX_DELETE_BCE_TIMEOUT, MAX_RR_BINDING_LIFETIME_S, SECOND
from handoff.machine.messages import Fields
from handoff.machine.places import Places
from handoff.machine.program import RELEASE, Program


class Binding(NamedTuple):
    """Home address -> care-of address: node that packets are tunnelled to, and router of the mobile node."""

    care_of: int
    router: int


class Parked(NamedTuple):
    """A deregistration that waits, as it was sent last, and the number of the first one of this leave."""

    fields: Fields
    first: int


class Cache:
    """One anchor's bindings, keyed by (home address, care-of address): a late deregistration removes only its own."""

    def __init__(self, program: Program, places: Places) -> None:
        self.options, self.program, self.places = program.options, program, places
        self.bindings: dict[int, Binding | None] = {}  # None: removed; absent: as at time 0
        self.parked: dict[int, Parked] = {}  # deregistrations that overtook their registrations
        self.bound: dict[int, int] = {}  # identification of what made the last binding
        self.latest: dict[int, int] = {}  # and of anything accepted, for a shared counter

    def current(self, role: str, mobile: int) -> Binding | None:
        """Binding of a mobile node."""
        if mobile in self.bindings:
            return self.bindings[mobile]
        router = self.places.first_router[mobile]
        return None if router < 0 else Binding(self.places.care_of(role, router), router)

    def fresh(self, role: str, fields: Fields, mobile: int, deletes: bool) -> bool:
        """Whether a message is newer than what it would change; numbers count for each care-of address, or together."""
        if self.options.sequence == "shared":
            return fields.identification > self.latest.get(mobile, 0)
        if deletes:
            binding = self.current(role, mobile)
            if binding is None or binding.care_of != self.places.care_of(role, fields.old):
                return True
        return fields.identification > self.bound.get(mobile, 0)

    def bind(self, ctx: Context, role: str, fields: Fields, mobile: int, simultaneous: bool) -> None:
        """Bind to the new care-of address, in place of what is there or beside it."""
        new = self.places.care_of(role, fields.new)
        tunnel = self.places.tunnel(role)
        until = ctx.time_ps + self._lifetime_s(role, fields) * SECOND
        old = self.places.care_of(role, fields.old) if fields.old >= 0 else new
        beside = simultaneous and old != new
        if beside:
            self.places.simultaneous += 1
            ctx.bind(old, until_ps=ctx.time_ps + self.options.bicast_ps, **tunnel)  # type: ignore[arg-type]
        ctx.bind(new, until_ps=until, simultaneous=beside, **tunnel)  # type: ignore[arg-type]
        self.bindings[mobile] = Binding(new, fields.new)
        self.bound[mobile] = fields.identification
        self._count(fields, mobile)

    def delete(self, ctx: Context, role: str, fields: Fields, mobile: int) -> bool:
        """Remove the binding to the old care-of address; False if that has to wait (decisions, 1 and 3)."""
        binding, own = self.current(role, mobile), self.places.care_of(role, fields.old)
        race = self.options.correspondent_race if role == "CN" else self.options.race
        self._count(fields, mobile)
        if race == "hold" and self._overtook(binding, role, fields, mobile):
            self._park(ctx, fields, mobile)
            return False
        if binding is not None and (race == "rfc6275" or binding.care_of == own):  # rfc6275: one entry for each home address
            self.remove(ctx, mobile)
        return True

    def _park(self, ctx: Context, fields: Fields, mobile: int) -> None:
        """Let it wait; sent again, it waits no longer for that."""
        before = self.parked.get(mobile)
        if before is not None and (before.fields.old, before.fields.new) == (fields.old, fields.new):
            self.parked[mobile] = Parked(fields, before.first)
        else:
            self.parked[mobile] = Parked(fields, fields.identification)
            ctx.timer(ctx.time_ps + MAX_DELETE_BCE_TIMEOUT, RELEASE, fields.identification)

    def _overtook(self, binding: Binding | None, role: str, fields: Fields, mobile: int) -> bool:
        """Whether a deregistration is here before the registration that it belongs to."""
        if binding is not None and binding.care_of == self.places.care_of(role, fields.new):
            return False
        return fields.identification > self.bound.get(mobile, 0)

    def released(self, ctx: Context, role: str, mobile: int, identification: int | None = None) -> Fields | None:
        """The deregistration that need not wait any more: its registration has come, or (by its number) its time is over."""
        parked = self.parked.get(mobile)
        if parked is None or identification not in (None, parked.first):
            return None
        fields = self.parked.pop(mobile).fields
        binding = self.current(role, mobile)
        if identification is not None and binding is not None and binding.care_of == self.places.care_of(role, fields.old):
            self.remove(ctx, mobile)
        return fields

    def leave(self, ctx: Context, role: str, fields: Fields, mobile: int) -> None:
        """The marker of an old path has passed: its binding goes, if it has not been made anew since."""
        binding = self.current(role, mobile)
        if binding is not None and binding.care_of == fields.old and fields.identification > self.bound.get(mobile, 0):
            self.remove(ctx, mobile)

    def remove(self, ctx: Context, mobile: int) -> None:
        """No binding any more."""
        self.bindings[mobile] = None
        ctx.unbind()

    def restart(self, ctx: Context, mobile: int) -> None:
        """Everything is forgotten."""
        self.parked.pop(mobile, None)
        self.latest.pop(mobile, None)
        self.bound.pop(mobile, None)
        self.remove(ctx, mobile)

    def _count(self, fields: Fields, mobile: int) -> None:
        self.latest[mobile] = max(self.latest.get(mobile, 0), fields.identification)

    def _lifetime_s(self, role: str, fields: Fields) -> int:
        if role == "CN" and self.program.routability:
            return min(fields.lifetime_s, MAX_RR_BINDING_LIFETIME_S)
        return fields.lifetime_s
