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
        '(race == "rfc6275" or care_of == own)',
        "(race or care_of == own)",
    ),
    Mutant(
        "forwards for an attached mobile node",
        "machine/visitors.py",
        "kept or visitor.forwarding or self.row.ip == 6:",
        "kept or (self.row.ip == 6 and not visitor.forwarding):",
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
    Mutant("one marker is enough", "machine/mobile.py", "if len(markers) < due:", "if not markers:"),
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
        "if visitor.attached:\n            self._deliver(ctx, until_ps)\n        else:",
        "if True:\n            self._deliver(ctx, until_ps)\n        else:",
    ),
    Mutant("home agent hears of regional moves", "machine/mobile.py", "return REGIONAL", "return HOME"),
    Mutant(
        "gateway of the new region does not bind", "machine/waypoints.py", 'if role == "GFA" and name == "RQ":', 'if role == "":'
    ),
    Mutant(
        "gateway of the old region keeps its binding",
        "machine/agent.py",
        'self.cache.leave(ctx, "GFA", fields)',
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
        "        if self.sender.has_link(state, fields.new):\n            ctx.route_up(fields.new)\n        if self.program",
        "        if self.program",
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
        "machine/program.py",
        "return shortest * SECOND // 2",
        "return shortest * SECOND",
    ),
    Mutant(
        "regional handoffs put off the refresh at the home agent",
        "machine/mobile.py",
        "if self.program.steps[fields.step].variant == HOME:",
        "if True:",
    ),
    Mutant(
        "an overtaken refresh is forgotten",
        "machine/mobile.py",
        "if not self.program.row.hierarchical:\n                return",
        "return",
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
        "until = ctx.time_ps + self._forwarding_ps\n        ctx.bind",
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
        "return fields.identification > entry.bound\n\n    def bind",
        "return True\n\n    def bind",
    ),
    Mutant("marker by the new router", "procedures/ipv4.py", '("HA", "oAR", "MN")', '("HA", "nAR", "MN")'),
    Mutant("marker of IPv6 by the new router", "procedures/ipv6.py", '*way, "oAR", "MN")', '*way, "nAR", "MN")'),
    Mutant("marker past the old gateway", "procedures/ipv4.py", '("HA", "oGFA", "oAR", "MN")', '("HA", "oAR", "MN")'),
    Mutant(
        "deregistration by the new router",
        "procedures/ipv6.py",
        '("MN", "oAR", anchor), "delete")',
        '("MN", "oAR", "nAR", anchor), "delete")',
    ),
    Mutant(
        "deregistration of a correspondent by the new router",
        "procedures/ipv4.py",
        '("MN", "oAR", "CN"), "delete")',
        '("MN", "oAR", "nAR", "CN"), "delete")',
    ),
    Mutant(
        "deregistration before the update",
        "procedures/ipv6.py",
        '"", before("HA"), reply="registered"), *_deregister("HA")',
        '"", before("HA"), reply="registered")[:0], *_deregister("HA"), *update("predict", "", before("HA"), reply="registered")',
    ),
    Mutant(
        "acknowledgement by the old router, whose link still works",
        "procedures/language.py",
        '(last, "nAR", "MN"), reply)',
        '(last, "MN") if last == "oAR" else (last, "nAR", "MN"), reply)',
    ),
    Mutant(
        "acknowledgement is not expected at the new router",
        "machine/visitors.py",
        "if visitor.until < 0:\n            self._expect",
        "if False:\n            self._expect",
    ),
    Mutant(
        "update to the correspondent is left out",
        "procedures/ipv6.py",
        '            *update("predict", "2", before("CN")),\n',
        "",
    ),
    Mutant(
        "correspondents wait as home agents do",
        "machine/cache.py",
        'if role == "CN" else self.options.race',
        "if False else self.options.race",
    ),
    Mutant(
        "waits for ever", "machine/cache.py", "ctx.time_ps + MAX_DELETE_BCE_TIMEOUT", "ctx.time_ps + 2 * MAX_DELETE_BCE_TIMEOUT"
    ),
    Mutant(
        "rescue without knowing where to",
        "machine/mobile.py",
        '["known_ps"][self.row_of[attachment]] >= 0',
        '["known_ps"][self.row_of[attachment]] >= -1',
    ),
    Mutant("marker after the warning is in time", "machine/mobile.py", 'if self.records["scenario"][row] == 0 and', "if"),
    Mutant("upstream lost while it waits", "procedures/language.py", 'upstream: str = "hold"', 'upstream: str = "drop"'),
    Mutant(
        "upstream of the conventional procedures waits",
        "machine/mobile.py",
        'elif self.program.row.upstream == "hold":',
        "elif True:",
    ),
    Mutant(
        "upstream does not wait for the reply",
        "machine/mobile.py",
        "early = self.program.options.upstream_early and attachment + 1 in state.links",
        "early = attachment + 1 in state.links",
    ),
    Mutant(
        "foreign agent keeps its visitor after marker and link",
        "machine/visitors.py",
        "if visitor.leaving:\n            if",
        "if False:\n            if",
    ),
    Mutant(
        "correspondents send to the router, not to its gateway",
        "machine/places.py",
        'role in ("HA", "CN") else router',
        'role == "HA" else router',
    ),
    Mutant(
        "mobility anchor point of the old region keeps its binding",
        "machine/waypoints.py",
        'if role in ("oGFA", "oMAP"):',
        'if role == "oGFA":',
    ),
    Mutant(
        "request that the relay lost goes the same way again",
        "machine/sender.py",
        "numbered.twin >= 0 and self.has_link(state, request.new)",
        "False",
    ),
    Mutant(
        "temporary home agent may not come last",
        "machine/mobile.py",
        "        if awaited:\n            self",
        "        if False:\n            self",
    ),
    Mutant("old router is not told by the new one", "machine/program.py", 'options.notification == "router"', "False"),
    Mutant("layer 2 carries nothing", "machine/program.py", 'if relay == "l2" and', "if False and"),
)
