"""The procedure machine with one rule broken: the conformance tests must catch each (see test_mutants.py).

Each is one replacement of text in one file of handoff/; the text must stand there exactly once.
"""

from __future__ import annotations

from tests.oracle.oracle_mutants import Mutant

MACHINE_MUTANTS = (
    Mutant(
        "marker before the new binding", "machine/cache.py", 'if race == "hold" and self._overtook', "if False and self._overtook"
    ),
    Mutant("rescue too late", "begin.py", "(GOING_DOWN, move.going_down_ps,", "(GOING_DOWN, move.going_down_ps + 10**9,"),
    Mutant(
        "deregistration deletes the new binding",
        "machine/cache.py",
        '(race == "rfc6275" or binding.care_of == own)',
        "(race or binding.care_of == own)",
    ),
    Mutant(
        "forwards for an attached mobile node",
        "machine/visitors.py",
        "kept or mobile in self.forwarding or self.row.ip == 6:",
        "kept or (self.row.ip == 6 and mobile not in self.forwarding):",
    ),
    Mutant("simultaneous binding", "machine/cache.py", "beside = simultaneous and old != new", "beside = old != new"),
    Mutant("bicasting that does not copy", "machine/cache.py", "beside = simultaneous and old != new", "beside = False"),
    Mutant("a request before the warning counts for nothing", "machine/mobile.py", "2 if asked and not single else 3", "3"),
    Mutant(
        "single access leaves without an update once the marker is there",
        "machine/mobile.py",
        '(self.records["marker_ps"][row] >= 0 and not single)',
        '(self.records["marker_ps"][row] >= 0)',
    ),
    Mutant("one marker is enough", "machine/mobile.py", "if len(state.markers) < due:", "if not state.markers:"),
    Mutant(
        "marker in IPv6 ends at the old router",
        "machine/visitors.py",
        'return self.row.ip == 6, self.options.forwarding_end == "marker" and not self.row.route_optimization',
        'return False, self.options.forwarding_end == "marker" and not self.row.route_optimization',
    ),
    Mutant(
        "marker ends forwarding with route optimization",
        "machine/visitors.py",
        'self.options.forwarding_end == "marker" and not self.row.route_optimization',
        'self.options.forwarding_end == "marker"',
    ),
    Mutant(
        "no buffer at the new router",
        "machine/visitors.py",
        "if mobile in self.attached:\n            self._deliver(ctx, until)\n        else:",
        "if True:\n            self._deliver(ctx, until)\n        else:",
    ),
    Mutant("home agent hears of regional moves", "machine/mobile.py", "return REGIONAL", "return HOME"),
    Mutant("gateway of the new region does not bind", "machine/agent.py", 'if role == "GFA" and name == "RQ":', 'if role == "":'),
    Mutant(
        "gateway of the old region keeps its binding",
        "machine/agent.py",
        'self.cache.leave(ctx, "GFA", fields, mobile)',
        "pass",
    ),
    Mutant(
        "update to the first correspondent only",
        "machine/mobile.py",
        "self.places.peers[ctx.mobile] if",
        "self.places.peers[ctx.mobile][:1] if",
    ),
    Mutant(
        "home agent updates one correspondent",
        "machine/agent.py",
        "in self.places.peers[ctx.mobile]:",
        "in self.places.peers[ctx.mobile][:1]:",
    ),
    Mutant("upstream changes with the link", "machine/mobile.py", "if state.router == router or early:", "if True:"),
    Mutant(
        "upstream waits although it is registered",
        "machine/mobile.py",
        "        if self.sender.has_link(state, fields.new):\n            ctx.route_up(fields.new)\n        state.refresh",
        "        state.refresh",
    ),
    Mutant("waits that do not grow", "machine/sender.py", "min(2 * request.wait_ps,", "min(request.wait_ps,"),
    Mutant(
        "identification that stays",
        "machine/sender.py",
        "count = state.identification + 1",
        "count = max(1, state.identification)",
    ),
    Mutant(
        "refresh at the end of the lifetime",
        "machine/mobile.py",
        "fields.lifetime_s * SECOND // 2, REFRESH",
        "fields.lifetime_s * SECOND, REFRESH",
    ),
    Mutant(
        "temporary home agent never asked",
        "procedures/ipv6.py",
        '_TEMPORARY = update("move", "3", (*AFTER, "oAR"), "forward")',
        '_TEMPORARY = update("never", "3", (*AFTER, "oAR"), "forward")',
    ),
    Mutant(
        "forwarding that never ends",
        "machine/visitors.py",
        "until = ctx.time_ps + self.options.forwarding_lifetime(self.row.ip)\n        ctx.bind",
        "until = None\n        ctx.bind",
    ),
    Mutant(
        "old router of an earlier leave forgets a visitor",
        "machine/visitors.py",
        "            return False, False  # of an earlier",
        "            pass  # of an earlier",
    ),
    Mutant(
        "stale request binds",
        "machine/cache.py",
        "return fields.identification > self.bound.get(mobile, 0)\n\n    def bind",
        "return True\n\n    def bind",
    ),
)
