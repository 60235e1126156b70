"""How a mobile node sends: requests with retransmission, return routability before correspondents, authenticators."""

from __future__ import annotations

from collections.abc import Sequence

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
from handoff.protocol.messages import MessageFields
from handoff.protocol.mobile_node_state import MobileNodeState, PendingRequest
from handoff.protocol.program import RETRANSMIT, Program, ProgramStep
from handoff.protocol.roles import RoleResolver
from handoff.protocol.security import NONCE_BITS, authenticator, home_key, management_key, nonce_index


class RegistrationClient:
    """Sends for all mobile nodes.

    Parameters
    ----------
    program : Program
    places : Places
    laid_out : dict of int to Waypoint
    router : sequence of int
        Router of each attachment.
    """

    def __init__(self, program: Program, places: RoleResolver, laid_out: dict[int, MessageHop], router: Sequence[int]) -> None:
        self.program, self.places, self.waypoints, self.router = program, places, laid_out, router
        self.options, self.ip = program.options, program.row.ip
        self.timestamps = self.ip == 4 and self.options.authenticates  # identifications are (RFC 5944 5.7.1)
        self.limited = self.options.rfc and self.ip == 6  # in how often it sends (RFC 6275 11.8)
        self.signs = self.options.authenticates or bool(program.routability)
        self.rfc = self.options.rfc
        self.lifetime_s = [self._lifetime(numbered) for numbered in program.steps]
        self.first_wait = [self._least_wait(numbered) for numbered in program.steps]

    def has_link(self, state: MobileNodeState, router: int) -> bool:
        """Whether a link to the router is up."""
        return router in [self.router[i] for i in state.links]

    # -- requests -------------------------------------------------------------------------------------------------------
    def send_request(self, ctx: Context, state: MobileNodeState, number: int, peer: int, old: int, new: int) -> None:
        """Send a request and wait for its answer; to a correspondent only when both addresses have been tested."""
        numbered = self.program.steps[number]
        if numbered.over_old and numbered.fallback_step >= 0 and not self.has_link(state, old) and self.has_link(state, new):
            number, numbered = numbered.fallback_step, self.program.steps[numbered.fallback_step]
        if self.program.routability and self._untested(ctx, state, numbered, peer, new):
            state.waiting = (*state.waiting, (number, peer, old, new))
            self._test(ctx, state, numbered, peer, old, new)
            return
        if not numbered.needs_reply:
            if self.timestamps:
                state.identification = self._next(ctx, state)
            self.send(ctx, state, number, peer, old, new)
            return
        wait = self.first_wait[number]
        if self.rfc:
            wait = self._longer_wait(state, numbered, new, wait)
        self._issue(ctx, state, PendingRequest(number, peer, old, new, wait))

    def _issue(self, ctx: Context, state: MobileNodeState, request: PendingRequest) -> None:
        """Send a request that wants an answer, now or when that is allowed."""
        if self.limited:
            allowed = self._allowed(ctx, state, request)
            if allowed > ctx.time_ps:
                self._await(ctx, state, request._replace(held=True), allowed)
                return
        number, peer, old, new, wait, _ = request
        self._await(ctx, state, request, ctx.time_ps + wait)
        self.send(ctx, state, number, peer, old, new)

    def _await(self, ctx: Context, state: MobileNodeState, request: PendingRequest, until_ps: int) -> None:
        """Give a request a number, and come back to it unless it is answered until then."""
        state.identification = identification = self._next(ctx, state)
        state.requests = {**state.requests, identification: request}
        if self.program.steps[request.step].registers:
            state.request = identification
        ctx.timer(until_ps, RETRANSMIT, identification)

    def _least_wait(self, numbered: ProgramStep) -> int:
        """How long the first answer to a step may take, whatever its way."""
        if numbered.kind == "HADQ":
            return DHAAD_TIMEOUT
        wait = self.options.retransmit_ps
        if numbered.over_old and numbered.kind in ("BU", "DBU"):
            wait += self.options.duplicate_address_detection_ps(self.program.row)  # the new router checks the address, and the anchor waits for that
        return wait

    def _longer_wait(self, state: MobileNodeState, numbered: ProgramStep, new: int, wait: int) -> int:
        """The same for this way, in the profile ``rfc``."""
        if numbered.kind == "HADQ":
            return wait
        if self.ip == 4:
            return max(wait, self.places.min_reply_wait_ps(new, numbered.leg_bytes[0]))
        first = state.router < 0 and numbered.registers
        return max(wait, INITIAL_BINDACK_TIMEOUT_FIRST_REG) if first else wait

    def _most_wait(self, numbered: ProgramStep) -> int:
        """What the wait grows to: by RFC 5944 3.6.3 the requested lifetime, by RFC 6275 11.8 ``MAX_BINDACK_TIMEOUT``."""
        if numbered.kind == "HADQ":
            return DHAAD_TIMEOUT << DHAAD_RETRIES
        if self.options.retransmit_max_ps is not None:
            return self.options.retransmit_max_ps
        return self.options.lifetime_s * SECOND if self.options.rfc and self.ip == 4 else MAX_BINDACK_TIMEOUT

    def _allowed(self, ctx: Context, state: MobileNodeState, request: PendingRequest) -> int:
        """When a message may be sent: at most ``MAX_UPDATE_RATE`` of a type a second to one node (RFC 6275 11.8)."""
        numbered = self.program.steps[request.step]
        if numbered.kind == "HADQ":
            return ctx.time_ps
        number, peer, old, new = request[:4]
        node = self.places.node(numbered.step.path[-1], MessageFields(number, 0, old, new, peer, 0, 0))
        what = numbered.kind.removeprefix("D"), node
        recent = [t for t in state.recent.get(what, ()) if t > ctx.time_ps - SECOND]
        if len(recent) >= MAX_UPDATE_RATE:
            return recent[-MAX_UPDATE_RATE] + SECOND
        state.recent = {**state.recent, what: (*recent, ctx.time_ps)}
        return ctx.time_ps

    def _next(self, ctx: Context, state: MobileNodeState) -> int:
        """Next identification: a timestamp where that protects against replay, else a count."""
        count = state.identification + 1
        return max(count, ctx.time_ps) if self.timestamps else count

    def match_reply(self, state: MobileNodeState, fields: MessageFields) -> bool:
        """Whether a message answers a request that still waits, which then waits no more."""
        request = state.requests.get(fields.identification)
        if request is None or fields.step not in self.program.steps[request.step].replies:
            return False
        state.pop_request(fields.identification)
        return True

    def retransmit(self, ctx: Context, state: MobileNodeState, identification: int, now: bool = False) -> bool:
        """No answer yet: ask again with a new identification and twice the wait (RFC 5944 3.6.3, RFC 6275 11.8).

        Returns whether the request still waited; ``now`` keeps the wait as it is.
        """
        request = state.pop_request(identification)
        if request is None:
            return False
        numbered = self.program.steps[request.step]
        most = self._most_wait(numbered)
        if numbered.kind == "HADQ" and request.wait_ps >= most:
            return False  # DHAAD_RETRIES are done
        wait = request.wait_ps if now or request.held else min(2 * request.wait_ps, max(most, request.wait_ps))
        if numbered.over_old and numbered.fallback_step >= 0 and self.has_link(state, request.new):
            request = request._replace(step=numbered.fallback_step)
        elif numbered.over_old and numbered.fallback_step < 0 and not self.has_link(state, request.old):
            return True  # it makes no sense over another link
        numbered = self.program.steps[request.step]
        request = request._replace(wait_ps=wait, held=False)
        if self.program.routability and self._untested(ctx, state, numbered, request.peer, request.new):
            state.waiting = (*state.waiting, request[:4])
            self._test(ctx, state, numbered, *request[1:4])
        elif self.has_link(state, request.old if numbered.over_old else request.new):
            self._issue(ctx, state, request)
        else:  # later, on whatever link there is
            self._await(ctx, state, request, ctx.time_ps + wait)
        return True

    def send(self, ctx: Context, state: MobileNodeState, number: int, peer: int, old: int, new: int) -> None:
        """One message along its path, over the old or the new link."""
        begin = self.waypoints[number]
        fields = MessageFields(number, 1, old, new, peer, state.identification, self.lifetime_s[number])
        if self.signs and begin.numbered.kind in REQUESTS:
            fields = self._signed(ctx, state, fields, begin.numbered)
        via = old if begin.numbered.over_old else new
        ctx.send(begin.code, begin.next_node(fields), size_bytes=begin.size_bytes, args=fields, via=via)

    def _lifetime(self, numbered: ProgramStep) -> int:
        """What a step asks for, in s."""
        if numbered.kind == "DBU":
            return 0
        if numbered.step.path[-1] == "CN" and self.program.routability:
            return min(self.options.lifetime_s, MAX_RR_BINDING_LIFETIME_S)
        return self.options.lifetime_s

    def _signed(self, ctx: Context, state: MobileNodeState, fields: MessageFields, numbered: ProgramStep) -> MessageFields:
        """With the authenticator that its receiver wants."""
        if numbered.step.path[-1] == "CN" and self.program.routability:
            home = state.tokens[fields.peer, -1][0]
            care_of = state.tokens[fields.peer, fields.new][0] if fields.lifetime_s else 0
            fields = fields.replace(status=nonce_index(home) | nonce_index(care_of) << NONCE_BITS)
            return fields.replace(proof=authenticator(management_key(home, care_of), fields))
        if self.options.authenticates:
            return fields.replace(proof=authenticator(home_key(self.places, ctx.mobile), fields))
        return fields

    # -- return routability (RFC 6275 5.2.5) ---------------------------------------------------------------------------
    def _untested(self, ctx: Context, state: MobileNodeState, numbered: ProgramStep, peer: int, new: int) -> bool:
        """Whether a message to a correspondent has to wait for tokens; a deregistration wants the home token only."""
        if numbered.step.path[-1] != "CN" or numbered.kind not in ("BU", "DBU"):
            return False
        wanted = [(peer, -1)] if numbered.kind == "DBU" else [(peer, -1), (peer, new)]
        return any(not self._fresh(ctx, state, which) for which in wanted)

    def _fresh(self, ctx: Context, state: MobileNodeState, which: tuple[int, int]) -> bool:
        token = state.tokens.get(which)
        return token is not None and ctx.time_ps - token[1] <= MAX_TOKEN_LIFETIME

    def _test(self, ctx: Context, state: MobileNodeState, numbered: ProgramStep, peer: int, old: int, new: int) -> None:
        """Send the tests whose tokens are missing and not under way; the home test over a new link wants a registration there."""
        link = "1" if numbered.over_old else "2"
        under_way = {(self.program.steps[r.step].kind, r.peer) for r in state.requests.values()}
        home_works = numbered.over_old or state.router == new
        if home_works and ("HoTI", peer) not in under_way and not self._fresh(ctx, state, (peer, -1)):
            self.send_request(ctx, state, self.program.routability["HoTI" + link], peer, old, new)
        wants = numbered.kind == "BU" and not self._fresh(ctx, state, (peer, new))
        if wants and ("CoTI", peer) not in under_way:
            self.send_request(ctx, state, self.program.routability["CoTI" + link], peer, old, new)

    def on_token(self, ctx: Context, state: MobileNodeState, fields: MessageFields) -> None:
        """A token has come."""
        if self.match_reply(state, fields):
            care_of = -1 if self.program.steps[fields.step].kind == "HoT" else fields.new
            state.tokens = {**state.tokens, (fields.peer, care_of): (fields.proof, ctx.time_ps)}
            self.retry_waiting(ctx, state)

    def retry_waiting(self, ctx: Context, state: MobileNodeState) -> None:
        """What waited for tokens, or for the registration that their tests want, is tried again."""
        waiting, state.waiting = state.waiting, ()
        for entry in waiting:
            self.send_request(ctx, state, *entry)
