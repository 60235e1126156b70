"""Mutants of the protocol: one rule broken each. A conformance test has to notice every one of them."""

from __future__ import annotations

from tests.mutation.mutant import Mutant

PROTOCOL_MUTANTS = (
    Mutant(
        "marker before the new binding",
        "protocol/binding_cache.py",
        'if race == "hold" and self._overtakes_registration',
        "if False and self._overtakes_registration",
    ),
    Mutant(
        "rescue too late",
        "simulation/initial_state.py",
        "(GOING_DOWN, movement.going_down_ps,",
        "(GOING_DOWN, movement.going_down_ps + 10**9,",
    ),
    Mutant(
        "deregistration deletes the new binding",
        "protocol/binding_cache.py",
        '(race == "rfc6275" or care_of == own)',
        "(race or care_of == own)",
    ),
    Mutant(
        "forwards for an attached mobile node",
        "protocol/visitor_list.py",
        "returns or visitor.forwarding or self.procedure.ip == 6:",
        "returns or (self.procedure.ip == 6 and not visitor.forwarding):",
    ),
    Mutant(
        "simultaneous binding", "protocol/binding_cache.py", "keeps_old = simultaneous and old != new", "keeps_old = old != new"
    ),
    Mutant(
        "bicasting that does not copy",
        "protocol/binding_cache.py",
        "keeps_old = simultaneous and old != new",
        "keeps_old = False",
    ),
    Mutant(
        "a request before the warning counts for nothing", "protocol/mobile_node.py", "2 if requested and not single else 3", "3"
    ),
    Mutant(
        "single access leaves without an update once the marker is there",
        "protocol/mobile_node.py",
        '(self.records["marker_ps"][row] >= 0 and not single)',
        '(self.records["marker_ps"][row] >= 0)',
    ),
    Mutant("one marker is enough", "protocol/mobile_node.py", "if len(markers) < due:", "if not markers:"),
    Mutant(
        "marker in IPv6 ends at the old router",
        "protocol/visitor_list.py",
        'return self.procedure.ip == 6, self.options.forwarding_end == "marker" and not self.procedure.route_optimization',
        'return False, self.options.forwarding_end == "marker" and not self.procedure.route_optimization',
    ),
    Mutant(
        "marker ends forwarding with route optimization",
        "protocol/visitor_list.py",
        'self.options.forwarding_end == "marker" and not self.procedure.route_optimization',
        'self.options.forwarding_end == "marker"',
    ),
    Mutant(
        "no buffer at the new router",
        "protocol/visitor_list.py",
        "if visitor.attached:\n            self._deliver(ctx, until_ps)\n        else:",
        "if True:\n            self._deliver(ctx, until_ps)\n        else:",
    ),
    Mutant("home agent hears of regional moves", "protocol/mobile_node.py", "return REGIONAL", "return HOME"),
    Mutant(
        "gateway of the new region does not bind",
        "protocol/message_routing.py",
        'if role == "GFA" and kind == "RQ":',
        'if role == "":',
    ),
    Mutant(
        "gateway of the old region keeps its binding",
        "protocol/agent.py",
        'self.binding_cache.end_old_binding(ctx, "GFA", fields)',
        "pass",
    ),
    Mutant(
        "update to the first correspondent only",
        "protocol/mobile_node.py",
        "self.roles.peers[ctx.mobile] if",
        "self.roles.peers[ctx.mobile][:1] if",
    ),
    Mutant(
        "home agent updates one correspondent",
        "protocol/agent.py",
        "in self.roles.peers[ctx.mobile]:",
        "in self.roles.peers[ctx.mobile][:1]:",
    ),
    Mutant("upstream changes with the link", "protocol/mobile_node.py", "if state.router == router or early:", "if True:"),
    Mutant(
        "upstream waits although it is registered",
        "protocol/mobile_node.py",
        "        if self.client.has_link(state, fields.new):\n            ctx.set_upstream_route(fields.new)\n"
        "        if self.program",
        "        if self.program",
    ),
    Mutant("waits that do not grow", "protocol/registration.py", "min(2 * request.wait_ps,", "min(request.wait_ps,"),
    Mutant(
        "identification that stays",
        "protocol/registration.py",
        "count = state.identification + 1",
        "count = max(1, state.identification)",
    ),
    Mutant(
        "refresh at the end of the lifetime",
        "protocol/program.py",
        "return shortest * SECOND // 2",
        "return shortest * SECOND",
    ),
    Mutant(
        "regional handoffs put off the refresh at the home agent",
        "protocol/mobile_node.py",
        "if self.program.steps[fields.step].variant == HOME:",
        "if True:",
    ),
    Mutant(
        "an overtaken refresh is forgotten",
        "protocol/mobile_node.py",
        "if not self.program.procedure.hierarchical:\n                return",
        "return",
    ),
    Mutant(
        "temporary home agent never asked",
        "protocol/procedures/mipv6.py",
        '*update_steps("move", "3", (*_NEW_LINK, "tHA"), "forward")',
        '*update_steps("never", "3", (*_NEW_LINK, "tHA"), "forward")',
    ),
    Mutant(
        "forwarding that never ends",
        "protocol/visitor_list.py",
        "until = ctx.time_ps + self._forwarding_ps\n        in_flight",
        "until = None\n        in_flight",
    ),
    Mutant(
        "old router of an earlier leave forgets a visitor",
        "protocol/visitor_list.py",
        "            return False, False  # of an earlier",
        "            pass  # of an earlier",
    ),
    Mutant(
        "stale request binds",
        "protocol/binding_cache.py",
        "return fields.identification > entry.identification\n\n    def bind",
        "return True\n\n    def bind",
    ),
    Mutant("marker by the new router", "protocol/procedures/mipv4.py", '("HA", "oAR", "MN")', '("HA", "nAR", "MN")'),
    Mutant(
        "marker of IPv6 by the new router", "protocol/procedures/mipv6.py", '*gateway, "oAR", "MN")', '*gateway, "nAR", "MN")'
    ),
    Mutant("marker past the old gateway", "protocol/procedures/mipv4.py", '("HA", "oGFA", "oAR", "MN")', '("HA", "oAR", "MN")'),
    Mutant(
        "deregistration by the new router",
        "protocol/procedures/mipv6.py",
        '("MN", "oAR", anchor), "delete")',
        '("MN", "oAR", "nAR", anchor), "delete")',
    ),
    Mutant(
        "deregistration of a correspondent by the new router",
        "protocol/procedures/mipv4.py",
        '("MN", "oAR", "CN"), "delete")',
        '("MN", "oAR", "nAR", "CN"), "delete")',
    ),
    Mutant(
        "deregistration before the update",
        "protocol/procedures/mipv6.py",
        '"", predictive_path("HA"), reply="registered"), *_deregistration_steps("HA")',
        '"", predictive_path("HA"), reply="registered")[:0], *_deregistration_steps("HA"), '
        '*update_steps("predict", "", predictive_path("HA"), reply="registered")',
    ),
    Mutant(
        "acknowledgement by the old router, whose link still works",
        "protocol/procedures/steps.py",
        '(last, "nAR", "MN"), reply)',
        '(last, "MN") if last == "oAR" else (last, "nAR", "MN"), reply)',
    ),
    Mutant(
        "acknowledgement is not expected at the new router",
        "protocol/visitor_list.py",
        "if visitor.until_ps < 0:\n            self._expect",
        "if False:\n            self._expect",
    ),
    Mutant(
        "update to the correspondent is left out",
        "protocol/procedures/mipv6.py",
        '            *update_steps("predict", "2", predictive_path("CN")),\n',
        "",
    ),
    Mutant(
        "correspondents wait as home agents do",
        "protocol/binding_cache.py",
        'if role == "CN" else self.options.race',
        "if False else self.options.race",
    ),
    Mutant(
        "waits without end",
        "protocol/binding_cache.py",
        "ctx.time_ps + MAX_DELETE_BCE_TIMEOUT",
        "ctx.time_ps + 2 * MAX_DELETE_BCE_TIMEOUT",
    ),
    Mutant(
        "rescue without knowing where to",
        "protocol/mobile_node.py",
        '["known_ps"][self.row_of[attachment]] >= 0',
        '["known_ps"][self.row_of[attachment]] >= -1',
    ),
    Mutant("marker after the warning is in time", "protocol/mobile_node.py", 'if self.records["scenario"][row] == 0 and', "if"),
    Mutant("upstream lost while it waits", "protocol/procedures/steps.py", 'upstream: str = "hold"', 'upstream: str = "drop"'),
    Mutant(
        "upstream of the conventional procedures waits",
        "protocol/mobile_node.py",
        'elif self.program.procedure.upstream == "hold":',
        "elif True:",
    ),
    Mutant(
        "upstream does not wait for the reply",
        "protocol/mobile_node.py",
        "early = self.program.options.upstream_early and attachment + 1 in state.links",
        "early = attachment + 1 in state.links",
    ),
    Mutant(
        "foreign agent keeps its visitor after marker and link",
        "protocol/visitor_list.py",
        "if visitor.ends_with_link:\n            if",
        "if False:\n            if",
    ),
    Mutant(
        "correspondents send to the router, not to its gateway",
        "protocol/roles.py",
        'role in ("HA", "CN") else router',
        'role == "HA" else router',
    ),
    Mutant(
        "mobility anchor point of the old region keeps its binding",
        "protocol/message_routing.py",
        'if role in ("oGFA", "oMAP"):',
        'if role == "oGFA":',
    ),
    Mutant(
        "request that the relay lost goes the same way again",
        "protocol/registration.py",
        "step.fallback_step >= 0 and self.has_link(state, request.new)",
        "False",
    ),
    Mutant(
        "temporary home agent may not come last",
        "protocol/mobile_node.py",
        "        if matched:\n            self",
        "        if False:\n            self",
    ),
    Mutant("old router is not told by the new one", "protocol/program.py", 'options.notification == "router"', "False"),
    Mutant("layer 2 carries nothing", "protocol/program.py", 'if relay == "l2" and', "if False and"),
)
