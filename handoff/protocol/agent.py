"""Agents: the behaviour of home agents, gateways, routers and correspondents."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from mypy_extensions import mypyc_attr

from engine import Context, Event, EventKind, Fate
from handoff.protocol.background import BACKGROUND, BACKGROUND_CODE
from handoff.protocol.binding_cache import BindingCache
from handoff.protocol.constants import PERIODIC, RESTARTED, Status
from handoff.protocol.home_link import HomeLink
from handoff.protocol.message_routing import REQUESTS, MessageHop
from handoff.protocol.messages import ATTACK_MARK, NEW, OLD, ONE_HOP, PEER_MASK, STATUS_FIELD, STEP_HOP_MASK, MessageFields
from handoff.protocol.program import ADVERTISE, DELAYED, DOWN, FADE, LINGER, PREDICT, RELEASE, RESTART, UP, Program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.security import RequestVerifier, authenticator, home_key
from handoff.protocol.visitor_list import VisitorList, lifetime_ps

if TYPE_CHECKING:
    from handoff.protocol.context_table import ContextTable

_BINDING_EFFECTS = ("bind", "simultaneous", "delete")
_TESTS = ("HoTI", "CoTI")
_NOT_NEWER = (Status.IDENTIFICATION_MISMATCH, Status.SEQUENCE_OUT_OF_WINDOW)

# plain integers, since every event is compared with them
_MESSAGE: Final = int(EventKind.MESSAGE)
_REFUSED: Final = int(EventKind.REFUSED_MESSAGE)


@mypyc_attr(allow_interpreted_subclasses=True)
class Agent:
    """Controller of one node, in all the roles that it plays in handoffs.

    It relays messages along their paths, applies the effect of messages that end at its node, and starts the steps that follow.

    Parameters
    ----------
    program : Program
        Program of the run.
    roles : RoleResolver
        Roles of the run.
    message_hops : dict of int to MessageHop
        Hops of the program (``message_routing.build_message_hops``).
    node : int
        The agent's node.

    Attributes
    ----------
    visitor_list : VisitorList
        State of the node as a router.
    binding_cache : BindingCache
        State of the node as an anchor.
    verifier : RequestVerifier
        Verification of requests.
    configuration_ps : int
        Time that a new care-of address takes (``Options.address_configuration_ps``).
    is_anchor : bool
        True if the node has a binding cache under this procedure.
    is_router : bool
        True if the node has a radio cell. Other nodes have no visitors, whatever a message says.
    delayed_messages : dict of int to tuple of int
        Arguments of the messages that wait for the end of duplicate address detection, by serial number.
    event_handlers : dict of int to callable
        Method for each code of a layer-2 event or timer, of the class.
    dad_end_ps : dict of int to int
        End of duplicate address detection for the new care-of address of each mobile node.
    """

    event_handlers: ClassVar[dict[int, Callable[..., None]]]

    def __init__(self, program: Program, roles: RoleResolver, message_hops: dict[int, MessageHop], node: int) -> None:
        self.program, self.roles, self.message_hops, self.node = program, roles, message_hops, node
        home_link = HomeLink(program, roles, node) if node == roles.home_agent and roles.has_home_link else None
        self.visitor_list: VisitorList | ContextTable = home_link or VisitorList(program, roles, node)
        self.binding_cache = BindingCache(program, roles, home_link)
        self.verifier = RequestVerifier(roles, node, program.options.authenticates, bool(program.return_routability))
        self.configuration_ps = program.options.address_configuration_ps(program.procedure)
        self.is_anchor = roles.is_anchor(node)
        self.is_router = node in roles.network.cell_of_node
        self._checks_home_address = program.options.rfc and self.configuration_ps > 0 and program.procedure.ip == 6
        self._defers = any(step.step.effect == "delete" for step in program.steps)
        self.delayed_messages: dict[int, tuple[int, ...]] = {}
        self.dad_end_ps: dict[int, int] = {}
        self._last_serial = 0

    def on_event(self, ctx: Context, event: Event) -> None:
        """Handle a layer-2 event, timer or message."""
        kind, args = event.kind, event.args
        if kind == _MESSAGE:
            hop = self.message_hops.get(args[0] & STEP_HOP_MASK)
            if hop is not None:  # a background message has only loaded the registration server
                _MESSAGE_HANDLERS[hop.handler](self, ctx, hop, args)
        elif kind == _REFUSED:
            self._refuse_overload(ctx, MessageFields.unpack(args))
        else:
            self.event_handlers[event.code](self, ctx, args[0])

    # -- layer 2 --------------------------------------------------------------------------------------------------------
    def _on_link_up(self, ctx: Context, _: int) -> None:
        self.visitor_list.on_link_up(ctx)
        if self.program.options.discovery != "layer2":
            self._schedule_advertisement(ctx)

    def _on_link_down(self, ctx: Context, _: int) -> None:
        self.visitor_list.on_link_down(ctx)

    def _on_link_draining(self, ctx: Context, _: int) -> None:
        self.visitor_list.on_link_draining(ctx)

    def _on_linger_end(self, ctx: Context, _: int) -> None:
        self.visitor_list.remove_after_marker(ctx)

    # -- discovery ------------------------------------------------------------------------------------------------------
    def _on_prediction(self, ctx: Context, routers: int) -> None:
        """Fetch the advertisement of the predicted router, or let layer 2 carry it. The argument is ``old | new << 16``."""
        old, new = routers & 0xFFFF, routers >> 16
        for number in self.program.prelude:
            self._send(ctx, self.message_hops[number], MessageFields(number, 0, old, new, -1, 0, 0))

    def _schedule_advertisement(self, ctx: Context) -> None:
        ctx.timer(self.roles.advertisements.next_after(self.node, ctx.time_ps), ADVERTISE)

    def _on_advertisement_due(self, ctx: Context, _: int) -> None:
        """Advertise to a mobile node that has not registered here since its link came up; if it was registered, three times."""
        if self.visitor_list.count_advertisement(ctx.mobile):
            self._advertise(ctx, PERIODIC)
            self._schedule_advertisement(ctx)

    def _advertise(self, ctx: Context, status: int) -> None:
        number = self.program.advertisement
        self._send(ctx, self.message_hops[number], MessageFields(number, 0, -1, self.node, -1, 0, 0, status))

    def _on_restart(self, ctx: Context, _: int) -> None:
        """Forget everything. Mobile nodes on a restarted router's link notice it in the next advertisement (RFC 5944 2.3.2)."""
        self.delayed_messages.clear()
        self.dad_end_ps.pop(ctx.mobile, None)
        if self.is_anchor:
            self.binding_cache.restart(ctx)
        else:
            self.visitor_list.restart(ctx)
            procedure, options = self.program.procedure, self.program.options
            has_visitors = options.has_foreign_agents(procedure) or procedure.network_based  # other access routers have none
            if has_visitors and self.visitor_list.count_advertisement(ctx.mobile, always=True):
                self._advertise(ctx, RESTARTED)

    def _send_background(self, ctx: Context, number: int) -> None:
        load = self.roles.background[number]
        ctx.send(BACKGROUND_CODE, load.node, size_bytes=load.size_bytes, args=(STEP_HOP_MASK,))

    # -- messages -------------------------------------------------------------------------------------------------------
    def _relay(self, ctx: Context, hop: MessageHop, args: tuple[int, ...], radio: bool = False) -> None:
        self._send(ctx, hop, args, radio)
        if hop.starts:
            self._start_steps(ctx, hop.starts, args)

    def _relay_request(self, ctx: Context, hop: MessageHop, args: tuple[int, ...]) -> None:
        """Relay a request as the new router: expect the mobile node, and check its new address first (decision 22)."""
        if hop.effect != "forward" and self.is_router:
            self.visitor_list.on_request(ctx, args)
        wait = 0
        if self.configuration_ps and hop.over_old_link and args[NEW] != self.roles.home_agent:
            dad_end = self.dad_end_ps.get(ctx.mobile, -1)
            if dad_end < ctx.time_ps:
                dad_end = self.dad_end_ps[ctx.mobile] = ctx.time_ps + self.configuration_ps
            wait = dad_end - ctx.time_ps
        if wait:
            self._delay(ctx, args, wait)
            return
        self._relay(ctx, hop, args)

    def _relay_request_and_bind(self, ctx: Context, hop: MessageHop, args: tuple[int, ...]) -> None:
        """Relay a request between regions as the gateway of the new region, which binds too (RFC 4857)."""
        at_home = args[NEW] == self.roles.home_agent  # and so in no region
        if not at_home and self.binding_cache.is_newer(hop.role, args, ctx.mobile, deletes=False):
            self.binding_cache.bind(ctx, hop.role, args, simultaneous=False)
        self._relay(ctx, hop, args)

    def _relay_marker_out_of_region(self, ctx: Context, hop: MessageHop, args: tuple[int, ...]) -> None:
        """Relay the marker as the gateway of the old region. Its binding is of no use after that."""
        self._relay(ctx, hop, args)
        if args[OLD] != self.roles.home_agent and self.roles.gateways.get(args[NEW]) != self.node:
            self.binding_cache.end_old_binding(ctx, "GFA", args)

    def _relay_reply(self, ctx: Context, hop: MessageHop, args: tuple[int, ...]) -> None:
        if self.is_router and not args[0] & STATUS_FIELD:
            self.visitor_list.on_reply(ctx, lifetime_ps(args))
        self._relay(ctx, hop, args)

    def _relay_acknowledgement(self, ctx: Context, hop: MessageHop, args: tuple[int, ...]) -> None:
        if self.is_router:
            self.visitor_list.on_acknowledgement(ctx)
        self._relay(ctx, hop, args)

    def _relay_marker(self, ctx: Context, hop: MessageHop, args: tuple[int, ...]) -> None:
        relay, remove = self.visitor_list.on_marker(ctx, args)
        if relay:
            self._relay(ctx, hop, args, radio=self.visitor_list.takes_marker_past_table(ctx.mobile))
        if remove:
            self.visitor_list.remove(ctx)

    def _delay(self, ctx: Context, args: tuple[int, ...], wait_ps: int) -> None:
        """Continue with a message after duplicate address detection."""
        self._last_serial += 1
        self.delayed_messages[self._last_serial] = args
        ctx.timer(ctx.time_ps + wait_ps, DELAYED, self._last_serial)

    def _on_delay_end(self, ctx: Context, serial: int) -> None:
        args = self.delayed_messages.pop(serial, None)
        if args is None:
            return  # lost in a restart
        hop = self.message_hops[args[0] & STEP_HOP_MASK]
        if hop.last:
            self._reply(ctx, hop, args)
        else:
            self._relay(ctx, hop, args)

    def _send(self, ctx: Context, hop: MessageHop, args: tuple[int, ...], radio: bool = False) -> None:
        """Send a message to the next node of its path. The mobile node is reached through this node's own table, like data.

        A node with several roles in a row, as a home agent with its own link, handles the message in all of them at once. With
        ``radio`` the message takes this node's own radio, whatever its table says.
        """
        position, old, new, peer_lifetime, identification, proof = args
        next_args = (position + ONE_HOP, old, new, peer_lifetime, identification, proof)
        if hop.to_mobile:
            radio = radio or hop.by_radio or (hop.is_broadcast and new == self.node)
            ctx.send(hop.code, self.node, size_bytes=hop.size_bytes, args=next_args, for_mobile=True, radio=radio)
            return
        node = stop = hop.next_node(args)
        if node == self.node:
            next_hop = self.message_hops[next_args[0] & STEP_HOP_MASK]
            _MESSAGE_HANDLERS[next_hop.handler](self, ctx, next_hop, next_args)
            return
        taps, like_data = self.roles.taps, hop.like_data
        if taps is not None:
            stop = taps.next_stop(self.node, node)
            like_data = like_data or stop != node
        hostile = position >= ATTACK_MARK
        ctx.send(hop.code, stop, size_bytes=hop.size_bytes, args=next_args, like_data=like_data, hostile=hostile)

    def _start_steps(self, ctx: Context, numbers: tuple[int, ...], args: tuple[int, ...]) -> None:
        """Start steps that follow a message at this node: accepted, with its routers, correspondent and identification."""
        position, old, new, peer_lifetime, identification, proof = args
        attack = position & ATTACK_MARK
        for number in numbers:
            hop = self.message_hops[number]
            if hop.is_conditional and not self.roles.applies(hop.program_step, old, new):
                continue
            lifetime = peer_lifetime & PEER_MASK if hop.ends_lifetime else peer_lifetime
            first_args: tuple[int, ...] = (number | attack, old, new, lifetime, identification, proof)
            if self.verifier.authenticates and hop.is_request:
                fields = MessageFields.unpack(first_args)
                first_args = fields.replace(proof=authenticator(home_key(self.roles, ctx.mobile), fields))
            if attack:
                self._count_answer(hop)
            if hop.acts_first:
                self._act_first(ctx, hop, first_args)
            if hop.per_peer and not peer_lifetime & PEER_MASK:
                for peer in self.roles.peers[ctx.mobile]:
                    self._send(ctx, hop, MessageFields.unpack(first_args).replace(peer=peer))
            else:
                self._send(ctx, hop, first_args)

    # -- the last node of a path ---------------------------------------------------------------------------------------------
    def _process(self, ctx: Context, hop: MessageHop, args: tuple[int, ...]) -> None:
        """Verify a message that ends here, apply its effect and reply."""
        effect = hop.effect
        if self.verifier.enabled and hop.is_request and not self._verify(ctx, hop, args):
            return
        if effect in _BINDING_EFFECTS:
            if not self._change_binding(ctx, hop, args):
                return
        elif effect:
            self._apply_effect(ctx, effect, args)
        self._reply(ctx, hop, args)

    def _apply_effect(self, ctx: Context, effect: str, args: tuple[int, ...]) -> None:
        """Apply an effect at a router."""
        if effect == "forward":
            self.visitor_list.start_forwarding(ctx, args)
            self._count_attack("attack_accepted", args)
        elif effect == "hand-over":
            self.visitor_list.hand_over(ctx, args, self.roles.node_of_role["tHA"](args))

    def _act_first(self, ctx: Context, hop: MessageHop, args: tuple[int, ...]) -> None:
        """Apply the action of the first node of a step, which only prepared procedures have (``PreparedAgent``)."""

    def _verify(self, ctx: Context, hop: MessageHop, args: tuple[int, ...]) -> bool:
        """Return whether a request is genuine; refuse it if it is not."""
        fields = MessageFields.unpack(args)
        refusal = self.verifier.verify(hop.role, fields, ctx.mobile, ctx.time_ps)
        if not refusal:
            return True
        self._count_attack("attack_refused", args)
        ctx.reject(Fate.REPLAYED if refusal == Status.IDENTIFICATION_MISMATCH else Fate.AUTHENTICATION_FAILED)
        if refusal != Status.AUTHENTICATION_FAILED or self.program.procedure.ip == 4:
            self._refuse(ctx, hop, fields, refusal)
        return False

    def _change_binding(self, ctx: Context, hop: MessageHop, args: tuple[int, ...]) -> bool:
        """Bind or delete as a message says. Return whether a reply is due now."""
        role, effect, cache, home = hop.role, hop.effect, self.binding_cache, self.roles.home_agent
        if not cache.is_newer(role, args, ctx.mobile, deletes=effect == "delete"):
            self._refuse_stale(ctx, hop, MessageFields.unpack(args))
            return False
        if effect == "delete":
            return cache.delete(ctx, role, MessageFields.unpack(args))
        new = args[NEW]
        if new != home and self.roles.care_of(role, new) == self.node:  # packets would never leave this anchor
            self._count_attack("attack_refused", args)
            return False
        first_binding = self._checks_home_address and role == "HA" and new != home and not cache.is_bound(role, ctx.mobile)
        cache.bind(ctx, role, args, effect == "simultaneous")
        self._count_attack("attack_accepted", args)
        if first_binding:
            self._delay(ctx, args, self.configuration_ps)  # the home agent checks the home address (RFC 6275 10.3.1)
        return not first_binding

    def _reply(self, ctx: Context, hop: MessageHop, args: tuple[int, ...]) -> None:
        if hop.kind in _TESTS:
            care_of = -1 if hop.kind == "HoTI" else args[NEW]
            token = self.verifier.tokens.current_token(ctx.mobile, care_of, ctx.time_ps)
            args = MessageFields.unpack(args).replace(proof=token)
        self._start_steps(ctx, hop.starts, args)
        if self._defers and hop.effect in ("bind", "simultaneous"):
            self._reply_to_deferred(ctx)

    def _reply_to_deferred(self, ctx: Context, identification: int | None = None) -> None:
        """Reply to a deferred deregistration whose registration has arrived, or whose longest wait is over."""
        fields = self.binding_cache.pop_deferred(ctx, self.node, identification)
        if fields is not None:
            self._start_steps(ctx, self.program.steps[fields.step].starts[-1], fields)

    # -- refusals ---------------------------------------------------------------------------------------------------------
    def _refuse_stale(self, ctx: Context, hop: MessageHop, fields: MessageFields) -> None:
        """Refuse a message that a newer one of the mobile node has overtaken."""
        self._count_attack("attack_refused", fields)
        options = self.program.options
        if (options.rfc or options.sequence == "shared") and hop.program_step.step.path[0] == "MN":
            ctx.reject(Fate.REPLAYED)
            is_ipv4 = self.program.procedure.ip == 4
            self._refuse(ctx, hop, fields, Status.IDENTIFICATION_MISMATCH if is_ipv4 else Status.SEQUENCE_OUT_OF_WINDOW)

    def _refuse_overload(self, ctx: Context, fields: MessageFields) -> None:
        """Refuse a request that found the registration queue full (RFC 5944 3.4, RFC 6275 6.1.8)."""
        hop = self.message_hops.get(fields.step | fields.hop << 16)
        if hop is None or hop.program_step.kind not in REQUESTS or hop.program_step.step.path[0] != "MN":
            return
        while not hop.last and hop.next_node(fields) == self.node:  # it would have handled the message in its last role
            fields = fields.replace(hop=fields.hop + 1)
            hop = self.message_hops[fields.step | fields.hop << 16]
        if self.program.procedure.ip == 4:
            code = Status.HA_INSUFFICIENT_RESOURCES if hop.role in ("HA", "CN") else Status.FA_INSUFFICIENT_RESOURCES
            self._refuse(ctx, hop, fields, code)
        elif hop.last:  # a router that only relays an IPv6 message does not answer it
            self._refuse(ctx, hop, fields, Status.BA_INSUFFICIENT_RESOURCES)

    def _refuse(self, ctx: Context, hop: MessageHop, fields: MessageFields, status: int) -> None:
        """Send the reply with a code, from this node along the rest of the reply's path."""
        for number in hop.program_step.starts[-1]:
            path = self.program.steps[number].step.path
            if path[-1] == "MN" and hop.role in path:
                index = path.index(hop.role)
                latest = self.binding_cache.entries[ctx.mobile].latest_identification if status in _NOT_NEWER else 0
                reply = fields.replace(step=number, hop=index, lifetime_s=0, status=status, proof=latest)
                if fields.attack:
                    self._count_answer(self.message_hops[number | index << 16])
                self._send(ctx, self.message_hops[number | index << 16], reply)
                return


    # -- attacks ----------------------------------------------------------------------------------------------------------
    def _count_attack(self, name: str, args: tuple[int, ...]) -> None:
        if args[0] >= ATTACK_MARK:
            self.roles.attack_counts[name] += 1

    def _count_answer(self, hop: MessageHop) -> None:
        """Count a message that this agent starts because of an attacker's message."""
        self.roles.attack_counts["attack_answers"] += 1
        self.roles.attack_counts["attack_answer_bytes"] += hop.size_bytes


Agent.event_handlers = {
    UP: Agent._on_link_up,
    DOWN: Agent._on_link_down,
    FADE: Agent._on_link_draining,
    LINGER: Agent._on_linger_end,
    PREDICT: Agent._on_prediction,
    ADVERTISE: Agent._on_advertisement_due,
    DELAYED: Agent._on_delay_end,
    RELEASE: Agent._reply_to_deferred,
    RESTART: Agent._on_restart,
    BACKGROUND: Agent._send_background,
}
_MESSAGE_HANDLERS: Final = {
    "send": Agent._send,
    "relay": Agent._relay,
    "process": Agent._process,
    "request": Agent._relay_request,
    "bind": Agent._relay_request_and_bind,
    "leave": Agent._relay_marker_out_of_region,
    "reply": Agent._relay_reply,
    "acknowledgement": Agent._relay_acknowledgement,
    "marker": Agent._relay_marker,
}
