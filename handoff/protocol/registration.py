"""Registration client of the mobile nodes: requests with retransmission, return routability tests and authenticators."""

from __future__ import annotations

from collections.abc import Sequence

from mypy_extensions import mypyc_attr

from engine import Context
from handoff.protocol.constants import (
    DHAAD_RETRIES,
    DHAAD_TIMEOUT,
    INITIAL_BINDACK_TIMEOUT_FIRST_REG,
    MAX_BINDACK_TIMEOUT,
    MAX_RR_BINDING_LIFETIME_S,
    MAX_TOKEN_LIFETIME,
    MAX_UPDATE_RATE,
    SECOND,
)  # fmt: skip
from handoff.protocol.message_routing import REQUESTS, MessageHop
from handoff.protocol.messages import IDENTIFICATION, ONE_HOP, PEER_BITS, STEP_MASK, MessageFields
from handoff.protocol.mobile_node_state import MobileNodeState, PendingRequest
from handoff.protocol.program import RETRANSMIT, Program, ProgramStep
from handoff.protocol.roles import RoleResolver
from handoff.protocol.security import NONCE_BITS, authenticator, home_key, management_key, nonce_index

LASTING_S = 2_000_000
"""Lifetime in s in messages about a binding that lasts until it is replaced: more than their field holds, so infinite."""
_HOME_ADDRESS = -1  # stands for a router in the keys of tokens


@mypyc_attr(allow_interpreted_subclasses=True)
class RegistrationClient:
    """Sender of the messages of all mobile nodes.

    Parameters
    ----------
    program : Program
        Program of the run.
    roles : RoleResolver
        Roles of the run.
    message_hops : dict of int to MessageHop
        Hops of the program (``message_routing.build_message_hops``).
    router : sequence of int
        Router of each attachment.
    """

    def __init__(self, program: Program, roles: RoleResolver, message_hops: dict[int, MessageHop], router: Sequence[int]) -> None:
        self.program, self.roles, self.message_hops, self.router = program, roles, message_hops, router
        self.options, self.ip = program.options, program.procedure.ip
        self.uses_timestamps = self.ip == 4 and self.options.authenticates  # as identifications (RFC 5944 5.7.1)
        self.limits_rate = self.options.rfc and self.ip == 6  # RFC 6275 11.8
        self.tests_addresses = bool(program.return_routability)
        self.signs = self.options.authenticates or self.tests_addresses
        self.adjusts_first_wait = self.options.rfc or (self.ip == 6 and self.options.retransmit_first_ps is not None)
        self.registers = [step.registers for step in program.steps]
        self.lifetime_field = [self._requested_lifetime_s(step) << PEER_BITS for step in program.steps]  # of the fourth argument
        self.first_wait_ps = [self._first_wait_ps(step) for step in program.steps]

    def has_link(self, state: MobileNodeState, router: int) -> bool:
        """Return whether a link to the router is up."""
        for attachment in state.links:  # noqa: SIM110 - several times each handoff: a generator would take longer
            if self.router[attachment] == router:
                return True
        return False

    # -- requests -------------------------------------------------------------------------------------------------------
    def send_request(self, ctx: Context, state: MobileNodeState, number: int, peer: int, old: int, new: int) -> None:
        """Send a request and wait for its reply.

        A request to a correspondent waits until both addresses have been tested. If the old link is down, the request takes the
        new link.

        Parameters
        ----------
        ctx : Context
            Context of the event.
        state : MobileNodeState
            State of the mobile node.
        number : int
            Step of the program.
        peer : int
            Correspondent that the request is about; -1 for none.
        old, new : int
            Routers of the handoff.
        """
        hop = self.message_hops[number]
        if hop.fallback_step >= 0 and not self.has_link(state, old) and self.has_link(state, new):
            number = hop.fallback_step
            hop = self.message_hops[number]
        if self.tests_addresses and self._lacks_tokens(ctx, state, hop.program_step, peer, new):
            state.updates_without_tokens = (*state.updates_without_tokens, (number, peer, old, new))
            self._test_addresses(ctx, state, hop.program_step, peer, old, new)
            return
        if not hop.needs_reply:
            if self.uses_timestamps:
                state.identification = self.next_identification(ctx, state)
            self.send(ctx, state, number, peer, old, new)
            return
        wait = self.first_wait_ps[number]
        if self.adjusts_first_wait:
            wait = self._adjusted_first_wait_ps(state, hop.program_step, new, wait)
        self._send_or_hold(ctx, state, tuple.__new__(PendingRequest, (number, peer, old, new, wait, False)))

    def _send_or_hold(self, ctx: Context, state: MobileNodeState, request: PendingRequest) -> None:
        """Send a request that needs a reply, or hold it until the rate limit permits it."""
        if self.limits_rate and self._holds(ctx, state, request):
            return
        number, peer, old, new, wait_ps, _ = request
        self._await_reply(ctx, state, request, ctx.time_ps + wait_ps)
        self.send(ctx, state, number, peer, old, new)

    def _holds(self, ctx: Context, state: MobileNodeState, request: PendingRequest) -> bool:
        """Hold a request that needs a reply until the rate limit permits it. Return whether it has to wait."""
        permitted = self._permitted_ps(ctx, state, request)
        if permitted <= ctx.time_ps:
            return False
        self._await_reply(ctx, state, request._replace(rate_limited=True), permitted)
        return True

    def _await_reply(self, ctx: Context, state: MobileNodeState, request: PendingRequest, until_ps: int) -> None:
        state.identification = identification = self.next_identification(ctx, state)
        state.add_request(identification, request)
        if self.registers[request.step]:
            state.registration_request = identification
        ctx.timer(until_ps, RETRANSMIT, identification)

    def _first_wait_ps(self, step: ProgramStep) -> int:
        """Return the first wait for a reply as far as it does not depend on the path."""
        if step.kind == "HADQ":
            return DHAAD_TIMEOUT
        wait = self.options.retransmit_ps
        if step.over_old_link and step.kind in REQUESTS:
            # the address is configured before the new router relays the request, and the anchor's reply waits for the request
            wait += self.options.address_configuration_ps(self.program.procedure)
        return wait

    def _adjusted_first_wait_ps(self, state: MobileNodeState, step: ProgramStep, new: int, wait: int) -> int:
        """Return the first wait for a reply: at least two round trips in IPv4, longer for a first registration in IPv6."""
        if step.kind == "HADQ":
            return wait
        if self.ip == 4:
            return max(wait, self.roles.min_reply_wait_ps(new, step.leg_bytes[0]))
        if state.router not in (-1, self.roles.home_agent) or not step.registers:
            return wait
        configured = self.options.retransmit_first_ps
        return max(wait, INITIAL_BINDACK_TIMEOUT_FIRST_REG) if configured is None else configured

    def _longest_wait_ps(self, step: ProgramStep) -> int:
        """Return the limit of the wait: the requested lifetime (RFC 5944 3.6.3), or ``MAX_BINDACK_TIMEOUT`` (RFC 6275 11.8)."""
        if step.kind == "HADQ":
            return DHAAD_TIMEOUT << DHAAD_RETRIES
        if self.options.retransmit_max_ps is not None:
            return self.options.retransmit_max_ps
        return self.options.lifetime_s * SECOND if self.options.rfc and self.ip == 4 else MAX_BINDACK_TIMEOUT

    def _permitted_ps(self, ctx: Context, state: MobileNodeState, request: PendingRequest) -> int:
        """Return when a message may be sent: at most ``MAX_UPDATE_RATE`` of a kind per second to one node (RFC 6275 11.8)."""
        step = self.program.steps[request.step]
        if step.kind == "HADQ":
            return ctx.time_ps
        number, peer, old, new = request[:4]
        node = self.roles.node(step.step.path[-1], MessageFields(number, 0, old, new, peer, 0, 0))
        destination = step.kind.removeprefix("D"), node
        recent = [t for t in state.recent_sends.get(destination, ()) if t > ctx.time_ps - SECOND]
        if len(recent) >= MAX_UPDATE_RATE:
            return recent[-MAX_UPDATE_RATE] + SECOND
        state.recent_sends = {**state.recent_sends, destination: (*recent, ctx.time_ps)}
        return ctx.time_ps

    def next_identification(self, ctx: Context, state: MobileNodeState) -> int:
        """Return a timestamp that exceeds all earlier ones if timestamps protect against replay, else the next number."""
        count = state.identification + 1
        return max(count, ctx.time_ps) if self.uses_timestamps else count

    def match_reply(self, state: MobileNodeState, args: tuple[int, ...]) -> bool:
        """Remove the pending request that a message answers. Return whether there was one."""
        identification = args[IDENTIFICATION]
        request = state.requests.get(identification)
        if request is None or args[0] & STEP_MASK not in self.program.steps[request.step].replies:
            return False
        state.pop_request(identification)
        return True

    def retransmit(self, ctx: Context, state: MobileNodeState, identification: int, now: bool = False) -> bool:
        """Send a request without a reply again, with a new identification and twice the wait (RFC 5944 3.6.3, RFC 6275 11.8).

        Parameters
        ----------
        ctx : Context
            Context of the event.
        state : MobileNodeState
            State of the mobile node.
        identification : int
            Identification of the request.
        now : bool
            If true, the wait stays as it is, since a refusal arrived and not a timeout.

        Returns
        -------
        bool
            False if the request was no longer pending, or has reached its number of retransmissions.
        """
        request = state.pop_request(identification)
        if request is None:
            return False
        step = self.program.steps[request.step]
        longest = self._longest_wait_ps(step)
        if step.kind == "HADQ" and request.wait_ps >= longest:
            return False
        keeps_wait = now or request.rate_limited
        wait = request.wait_ps if keeps_wait else min(2 * request.wait_ps, max(longest, request.wait_ps))
        if step.over_old_link and step.fallback_step >= 0 and self.has_link(state, request.new):
            request = request._replace(step=step.fallback_step)
        elif step.over_old_link and step.fallback_step < 0 and not self.has_link(state, request.old):
            return True  # a message about the old link is of no use over another link
        step = self.program.steps[request.step]
        request = request._replace(wait_ps=wait, rate_limited=False)
        if self.tests_addresses and self._lacks_tokens(ctx, state, step, request.peer, request.new):
            state.updates_without_tokens = (*state.updates_without_tokens, request[:4])
            self._test_addresses(ctx, state, step, *request[1:4])
        elif self.has_link(state, request.old if step.over_old_link else request.new):
            self._send_or_hold(ctx, state, request)
        else:  # try again later, when a link may be up
            self._await_reply(ctx, state, request, ctx.time_ps + wait)
        return True

    def send(self, ctx: Context, state: MobileNodeState, number: int, peer: int, old: int, new: int) -> None:
        """Send one message along its path, over the old or the new link, with the current identification."""
        hop = self.message_hops[number]
        deregisters = new == self.roles.home_agent and hop.effect != "forward"
        lifetime = 0 if deregisters else self.lifetime_field[number]  # RFC 5944 3.6.1, RFC 6275 11.5.5
        args: tuple[int, ...] = (number + ONE_HOP, old, new, peer + 1 + lifetime, state.identification, 0)
        if self.signs and hop.is_request:
            args = self._sign(ctx, state, MessageFields.unpack(args), hop.program_step)
        via = old if hop.over_old_link else new
        to = hop.next_node(args)
        taps = self.roles.taps
        stop = to if taps is None else taps.next_stop(via, to)
        ctx.send(hop.code, stop, size_bytes=hop.size_bytes, args=args, via=via, like_data=stop != to)

    def _requested_lifetime_s(self, step: ProgramStep) -> int:
        if step.kind == "DBU":
            return 0
        if self.program.procedure.lasting:
            return LASTING_S
        if step.step.path[-1] == "CN" and self.tests_addresses:
            return min(self.options.lifetime_s, MAX_RR_BINDING_LIFETIME_S)
        return self.options.lifetime_s

    def _sign(self, ctx: Context, state: MobileNodeState, fields: MessageFields, step: ProgramStep) -> MessageFields:
        """Add the authenticator that the receiver requires."""
        if step.step.path[-1] == "CN" and self.tests_addresses:
            home = state.tokens[fields.peer, _HOME_ADDRESS][0]
            care_of = state.tokens[fields.peer, fields.new][0] if fields.lifetime_s else 0
            fields = fields.replace(status=nonce_index(home) | nonce_index(care_of) << NONCE_BITS)
            return fields.replace(proof=authenticator(management_key(home, care_of), fields))
        if self.options.authenticates:
            return fields.replace(proof=authenticator(home_key(self.roles, ctx.mobile), fields))
        return fields

    # -- return routability (RFC 6275 5.2.5) ---------------------------------------------------------------------------
    def _lacks_tokens(self, ctx: Context, state: MobileNodeState, step: ProgramStep, peer: int, new: int) -> bool:
        """Return whether a message to a correspondent has to wait for tokens; a deregistration requires only the home token.

        A return home is a deregistration too.
        """
        if step.step.path[-1] != "CN" or step.kind not in ("BU", "DBU"):
            return False
        addresses = [_HOME_ADDRESS] if step.kind == "DBU" or new == self.roles.home_agent else [_HOME_ADDRESS, new]
        return any(not self._has_valid_token(ctx, state, peer, address) for address in addresses)

    def _has_valid_token(self, ctx: Context, state: MobileNodeState, peer: int, address: int) -> bool:
        token = state.tokens.get((peer, address))
        return token is not None and ctx.time_ps - token[1] <= MAX_TOKEN_LIFETIME

    def _test_addresses(self, ctx: Context, state: MobileNodeState, step: ProgramStep, peer: int, old: int, new: int) -> None:
        """Start the tests whose tokens are missing and that are not in progress.

        The home test over a new link goes through the home agent, so that it requires a registration through that link.
        """
        link = "1" if step.over_old_link else "2"
        in_progress = {(self.program.steps[r.step].kind, r.peer) for r in state.requests.values()}
        home_agent_reachable = step.over_old_link or state.router == new
        lacks_home_token = not self._has_valid_token(ctx, state, peer, _HOME_ADDRESS)
        if home_agent_reachable and ("HoTI", peer) not in in_progress and lacks_home_token:
            self.send_request(ctx, state, self.program.return_routability["HoTI" + link], peer, old, new)
        at_home = new == self.roles.home_agent
        lacks_care_of_token = step.kind == "BU" and not at_home and not self._has_valid_token(ctx, state, peer, new)
        if lacks_care_of_token and ("CoTI", peer) not in in_progress:
            self.send_request(ctx, state, self.program.return_routability["CoTI" + link], peer, old, new)

    def on_token(self, ctx: Context, state: MobileNodeState, fields: MessageFields) -> None:
        """Store a token that has arrived, and retry the updates that wait for it."""
        if self.match_reply(state, fields):
            address = _HOME_ADDRESS if self.program.steps[fields.step].kind == "HoT" else fields.new
            state.tokens = {**state.tokens, (fields.peer, address): (fields.proof, ctx.time_ps)}
            self.retry_waiting(ctx, state)

    def retry_waiting(self, ctx: Context, state: MobileNodeState) -> None:
        """Retry the updates that wait for tokens, or for the registration that the home test requires."""
        waiting, state.updates_without_tokens = state.updates_without_tokens, ()
        for update in waiting:
            self.send_request(ctx, state, *update)
