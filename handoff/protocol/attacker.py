"""Controller of an attacker's node, in front of the agent that the node has, if any."""

from __future__ import annotations

from dataclasses import dataclass

from engine import Context, Event, EventKind
from handoff.protocol.agent import Agent
from handoff.protocol.attacks import FLOOD, FORGED, LOOP, REFLECTION, REPLAYED, UPDATE, Attack
from handoff.protocol.constants import MAX_RR_BINDING_LIFETIME_S, NONCE_INTERVAL
from handoff.protocol.message_routing import FORWARDERS, REQUESTS, MessageHop
from handoff.protocol.messages import CODES, STEP_HOP_MASK, MessageFields
from handoff.protocol.program import ATTACK, RESEND, Program, ProgramStep
from handoff.protocol.roles import RoleResolver
from handoff.protocol.security import NONCE_BITS, authenticator, management_key, nonce_index

_MESSAGE = int(EventKind.MESSAGE)
_SCHEDULED = int(EventKind.SCHEDULED)
_TIMER = int(EventKind.TIMER)
_BINDS = ("bind", "simultaneous")


@dataclass
class _AddressTest:
    """Return routability tests of a forged update: the tokens that the attacker expects and has read."""

    attack: int
    expected: frozenset[str]
    tokens: dict[str, int]


class Attacker:
    """Attacks from one node on the mobile nodes that execute one program.

    Parameters
    ----------
    program : Program
        Program of the run.
    roles : RoleResolver
        Roles of the run.
    message_hops : dict of int to MessageHop
        Hops of the program (``message_routing.build_message_hops``).
    node : int
        The attacker's node.
    attacks : dict of int to Attack
        Attacks from this node by their number in the setup.
    agent : Agent or None
        Agent of the node, which gets all other events.

    Attributes
    ----------
    requests : list of (int, ProgramStep)
        Requests that bind a mobile node, over its new link.
    held : dict of int to tuple of int
        Arguments of the recorded messages that it will send, by serial number.
    tests : dict of (int, int, int) to _AddressTest
        Tests in progress by mobile node, identification and correspondent.
    """

    def __init__(
        self, program: Program, roles: RoleResolver, message_hops: dict[int, MessageHop], node: int, attacks: dict[int, Attack],
        agent: Agent | None,
    ) -> None:  # fmt: skip
        self.program, self.roles, self.message_hops, self.node = program, roles, message_hops, node
        self.attacks, self.agent = attacks, agent
        self.recorders = [(attack, frozenset(attack.mobiles)) for attack in attacks.values() if attack.records]
        self.requests = [
            (i, s) for i, s in enumerate(program.steps) if s.kind in REQUESTS and s.step.effect in _BINDS and not s.over_old_link
        ]
        self.held: dict[int, tuple[int, ...]] = {}
        self.tests: dict[tuple[int, int, int], _AddressTest] = {}
        self._last_serial = 0

    def on_event(self, ctx: Context, event: Event) -> None:
        """Handle an event of an attack, read a passing message, or pass the event to the agent."""
        if event.kind == _MESSAGE:
            self._on_message(ctx, event)
        elif event.kind == _SCHEDULED and event.code == ATTACK:
            self._attack(ctx, event.args[0])
        elif event.kind == _TIMER and event.code == RESEND:
            self._resend(ctx, self.held.pop(event.args[0]))
        elif self.agent is not None:
            self.agent.on_event(ctx, event)

    # -- messages of others ---------------------------------------------------------------------------------------------
    def _on_message(self, ctx: Context, event: Event) -> None:
        fields = MessageFields.unpack(event.args)
        hop = self.message_hops[event.args[0] & STEP_HOP_MASK]
        destination = self.roles.node_of_role[hop.role](event.args)
        if fields.attack and hop.program_step.kind in ("HoT", "CoT"):
            self._read_token(ctx, hop.program_step.kind, fields)
            if destination == self.node:
                return
        delayed = False
        for attack in self._recorders_of(ctx, hop, fields):
            self._last_serial += 1
            self.held[self._last_serial] = event.args
            ctx.timer(ctx.time_ps + attack.delay_ps, RESEND, self._last_serial)
            delayed = delayed or not attack.kind.startswith(REPLAYED)
        if delayed:
            return
        if destination != self.node:
            self._pass_on(ctx, destination, fields)
        elif self.agent is not None:
            self.agent.on_event(ctx, event)

    def _recorders_of(self, ctx: Context, hop: MessageHop, fields: MessageFields) -> list[Attack]:
        """Return the attacks that record a message: a request of a mobile node, to an anchor or to a correspondent."""
        step = hop.program_step
        if fields.attack or step.kind not in REQUESTS or step.step.effect not in _BINDS:
            return []
        is_update = step.step.path[-1] == "CN"
        return [
            attack
            for attack, mobiles in self.recorders
            if attack.start_ps <= ctx.time_ps < attack.stop_ps and ctx.mobile in mobiles
            and attack.kind.endswith(UPDATE) == is_update
        ]

    def _pass_on(self, ctx: Context, destination: int, fields: MessageFields) -> None:
        """Send a message on towards the agent that it is for, as if this node had only forwarded it."""
        last = self.message_hops[fields.step | fields.hop - 1 << 16]
        stop = self.roles.taps.next_stop(self.node, destination) if self.roles.taps is not None else destination
        ctx.send(
            last.code, stop, size_bytes=last.size_bytes, args=fields, like_data=last.like_data or stop != destination,
            hostile=bool(fields.attack),
        )  # fmt: skip

    def _resend(self, ctx: Context, args: tuple[int, ...]) -> None:
        """Send a recorded message again: towards its receiver, or to the node after this one on its path."""
        fields = MessageFields.unpack(args).replace(attack=1)
        hop = self.message_hops[fields.step | fields.hop << 16]
        destination = self.roles.node_of_role[hop.role](fields)
        if destination == self.node and hop.last:
            return
        if destination == self.node:
            fields = fields.replace(hop=fields.hop + 1)
            destination = hop.next_node(fields)
        self._count(self.message_hops[fields.step | fields.hop - 1 << 16].size_bytes)
        if destination != self.node:
            self._pass_on(ctx, destination, fields)

    # -- messages of its own ----------------------------------------------------------------------------------------------
    def _attack(self, ctx: Context, number: int) -> None:
        attack = self.attacks[number]
        if attack.kind == f"{FORGED} {UPDATE}":
            peers = [attack.target] if attack.target >= 0 else self.roles.peers[ctx.mobile]
            for peer in peers:
                self._forge_update(ctx, number, attack, peer)
        elif attack.kind == LOOP:
            self._point(ctx, attack.target, attack.care_of)
            self._point(ctx, attack.care_of, attack.target)
        elif attack.kind == REFLECTION and attack.target in self.roles.network.cell_of_node:
            number = self.program.solicitation
            self._send(ctx, attack.target, MessageFields(number, 1, -1, attack.target, -1, 0, 0, attack=1))
        elif attack.kind == REFLECTION and self.roles.role(attack.target) == "CN" and self.program.return_routability:
            number = self.program.return_routability["CoTI2"]
            self._send(ctx, attack.target, MessageFields(number, 2, -1, attack.care_of, attack.target, 0, 0, attack=1))
        else:
            identification = 0 if attack.kind in (FLOOD, REFLECTION) else _new_identification(ctx)
            self._forge_registration(ctx, attack.target, attack.care_of, identification)

    def _forge_registration(self, ctx: Context, target: int, care_of: int, identification: int) -> None:
        """Send a request to an anchor, or to a router as if a mobile node on its link had sent it."""
        request = self._find_request(target)
        if request is None:
            return
        number, step = request
        path, lifetime_s = step.step.path, self.program.options.lifetime_s
        is_router = target >= 0 and self._role(target) == "nAR"
        hop, new = (path.index("nAR"), target) if is_router else (len(path) - 1, care_of)
        peer = target if path[-1] == "CN" else -1
        fields = MessageFields(number, hop, -1, new, peer, identification, lifetime_s, attack=1)
        self._send(ctx, self.roles.node(path[hop], fields) if target < 0 else target, fields)

    def _find_request(self, target: int) -> tuple[int, ProgramStep] | None:
        """Return the request that an agent takes; for -1 the one that registers a mobile node. None: the procedure has none."""
        registering = sorted(self.requests, key=lambda s: (not s[1].registers, -s[1].variant))
        if target < 0:
            return next(((i, s) for i, s in registering if s.step.path[-1] != "CN"), None)
        role = self._role(target)
        on_path = [(i, s) for i, s in registering if s.step.path[-1] == role or role == "nAR" == s.step.path[1]]
        return on_path[0] if on_path else None

    def _role(self, node: int) -> str:
        """Return the role in which an agent takes forged requests."""
        if node != self.roles.home_agent and node in self.roles.network.cell_of_node:
            return "nAR"
        return self.roles.role(node)

    def _point(self, ctx: Context, agent: int, other: int) -> None:
        """Ask an agent to send the mobile node's packets to another one: bind at an anchor, forward at a router."""
        if self._role(agent) != "nAR":
            self._forge_registration(ctx, agent, other, _new_identification(ctx))
            return
        forwarding = [
            i for i, s in enumerate(self.program.steps)
            if s.kind in REQUESTS and s.step.effect == "forward" and s.step.path[-1] in FORWARDERS
        ]  # fmt: skip
        if forwarding:
            hop = len(self.program.steps[forwarding[0]].step.path) - 1
            identification, lifetime_s = _new_identification(ctx), self.program.options.lifetime_s
            self._send(ctx, agent, MessageFields(forwarding[0], hop, -1, other, -1, identification, lifetime_s, attack=1))

    def _send(self, ctx: Context, to: int, fields: MessageFields) -> None:
        step = self.program.steps[fields.step]
        if to < 0 or to == self.node:
            return  # the procedure has no such agent for the mobile node, or it is the attacker's own node
        size_bytes = step.leg_bytes[max(0, fields.hop - 1)]
        self._count(size_bytes)
        ctx.send(CODES[step.kind], to, size_bytes=size_bytes, args=fields, hostile=True)

    def _count(self, size_bytes: int) -> None:
        self.roles.attack_counts["attack_messages"] += 1
        self.roles.attack_counts["attack_bytes"] += size_bytes

    # -- forged updates to correspondents (RFC 6275 15.4) -------------------------------------------------------------------
    def _forge_update(self, ctx: Context, number: int, attack: Attack, peer: int) -> None:
        """Test both addresses as the mobile node would, if the correspondent requires it, or send the update at once.

        The tests are answered to the mobile node's home address and to the care-of address. The attacker reads an answer only if
        its node is on the way, and guesses the token otherwise.
        """
        steps = self.program.return_routability
        if not any(s.step.path[-1] == "CN" for _, s in self.requests):
            return
        if not steps:
            self._send_update(ctx, attack, peer, {})
            return
        identification, roles = ctx.time_ps, self.roles
        ways = {"HoT": roles.home_agent, "CoT": attack.care_of}
        assert roles.taps is not None
        expected = frozenset(kind for kind, end in ways.items() if roles.taps.overhears(self.node, peer, end))
        for message in ("HoTI2", "CoTI2"):
            hop = len(self.program.steps[steps[message]].step.path) - 1
            self._send(ctx, peer, MessageFields(steps[message], hop, -1, attack.care_of, peer, identification, 0, attack=1))
        if expected:
            self.tests[ctx.mobile, identification, peer] = _AddressTest(number, expected, {})
        else:
            self._send_update(ctx, attack, peer, {})

    def _read_token(self, ctx: Context, kind: str, fields: MessageFields) -> None:
        """Read a token. A home token that comes in the tunnel of the home agent is encrypted (RFC 6275 5.2.5)."""
        test = self.tests.get((ctx.mobile, fields.identification, fields.peer))
        if test is None or kind not in test.expected:
            return
        test.tokens[kind] = fields.proof
        if test.tokens.keys() == test.expected:
            del self.tests[ctx.mobile, fields.identification, fields.peer]
            self._send_update(ctx, self.attacks[test.attack], fields.peer, test.tokens)

    def _send_update(self, ctx: Context, attack: Attack, peer: int, tokens: dict[str, int]) -> None:
        number, step = next((i, s) for i, s in self.requests if s.step.path[-1] == "CN")
        lifetime_s = self.program.options.lifetime_s
        if self.program.return_routability:
            lifetime_s = min(lifetime_s, MAX_RR_BINDING_LIFETIME_S)
        current = self._current_nonce(ctx)
        home, care_of = tokens.get("HoT", current), tokens.get("CoT", current)
        nonces = nonce_index(home) | nonce_index(care_of) << NONCE_BITS
        hop = len(step.step.path) - 1
        identification = _new_identification(ctx)
        fields = MessageFields(number, hop, -1, attack.care_of, peer, identification, lifetime_s, nonces, attack=1)
        self._send(ctx, peer, fields.replace(proof=authenticator(management_key(home, care_of), fields)))

    def _current_nonce(self, ctx: Context) -> int:
        """Return a guessed token: the index of the current nonce, which is no secret, and nothing else."""
        return nonce_index(ctx.time_ps // NONCE_INTERVAL) if self.program.return_routability else 0


def _new_identification(ctx: Context) -> int:
    """Return a valid timestamp, which also exceeds every count of the mobile node."""
    return max(1, ctx.time_ps)
