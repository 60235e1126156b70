"""Movement detection: discovery of the router on a new link, and the decision that the mobile node has moved (RFC 5944 2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mypy_extensions import mypyc_attr

from engine import Context
from engine.rng import PURPOSE_USER, random_word
from handoff.protocol.constants import (
    MAX_RTR_SOLICITATION_DELAY,
    MAX_RTR_SOLICITATIONS,
    REGISTRATION_INTERVAL,
    RESTARTED,
    RTR_SOLICITATION_INTERVAL,
    SOLICITED,
)  # fmt: skip
from handoff.protocol.mobile_node_state import MobileNodeState
from handoff.protocol.program import DISCOVERED, SOLICIT, Program
from handoff.protocol.registration import RegistrationClient
from handoff.protocol.roles import RoleResolver

PURPOSE_DELAY = PURPOSE_USER + 4
"""Random numbers for the random delays of a mobile node, by its key and the number of the delay."""
_TRIES = 8  # the argument of a solicitation timer is attachment * _TRIES + number of earlier tries


class MobileNodes(Protocol):
    """Interface to the controller of the mobile nodes, which acts on what movement detection finds."""

    @property
    def router(self) -> Sequence[int]:
        """Router of each attachment."""

    @property
    def down_ps(self) -> Sequence[int]:
        """End of each attachment."""

    @property
    def first(self) -> Sequence[int]:
        """First attachment of each mobile node."""

    @property
    def client(self) -> RegistrationClient:
        """Sender of messages."""

    def on_router_discovered(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Register through the router of an attachment, if the mobile node has to."""

    def start_registration(self, ctx: Context, state: MobileNodeState, event: str, old: int, new: int) -> None:
        """Start the steps of a handoff or refresh."""


@mypyc_attr(allow_interpreted_subclasses=True)
class MovementDetector:
    """Solicitations and advertisements of all mobile nodes.

    Parameters
    ----------
    program : Program
        Program of the run.
    roles : RoleResolver
        Roles of the run.
    nodes : MobileNodes
        Controller of the mobile nodes.
    """

    def __init__(self, program: Program, roles: RoleResolver, nodes: MobileNodes) -> None:
        self.program, self.roles, self.nodes = program, roles, nodes
        self.options = program.options
        self.configuration_ps = self.options.address_configuration_ps(program.procedure)
        self.eager = self.options.detection == "eager"
        """True if the discovery of a new router suffices for a move although the current link works (RFC 5944 2.4.2.2)."""

    def on_link_up(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Start the discovery of the router on a new link."""
        if self.options.discovery == "layer2":
            ctx.timer(ctx.time_ps + self.options.agent_discovery_ps + self._configuration_ps(attachment), DISCOVERED, attachment)
        elif self.options.discovery == "solicitation":
            ctx.timer(ctx.time_ps + self._random_delay_ps(ctx, state), SOLICIT, attachment * _TRIES)

    def solicit(self, ctx: Context, state: MobileNodeState, arg: int) -> None:
        """Send a solicitation, at most three times for a link (RFC 4861 6.3.7, RFC 1256).

        Without a reply the mobile node waits for a periodic advertisement.
        """
        attachment, tries = divmod(arg, _TRIES)
        router = self.nodes.router[attachment]
        if attachment not in state.links or state.is_registering_or_registered(router) or state.detecting == attachment:
            return
        self.nodes.client.send(ctx, state, self.program.solicitation, -1, -1, router)
        if tries + 1 < MAX_RTR_SOLICITATIONS:
            ctx.timer(ctx.time_ps + RTR_SOLICITATION_INTERVAL, SOLICIT, arg + 1)

    def advertisement_received(self, ctx: Context, state: MobileNodeState, router: int, status: int) -> None:
        """Process an advertisement of a kind (``status``) that arrived over the link to ``router``."""
        attachment = next((i for i in reversed(state.links) if self.nodes.router[i] == router), -1)
        if attachment < 0:
            return
        state.learn_router(attachment)
        if status == RESTARTED and state.router == router:  # register again (RFC 5944 2.3.2, 3.6.1)
            if not state.registration_request:
                self.nodes.start_registration(ctx, state, "move", router, router)
            return
        if state.is_registering_or_registered(router) or state.detecting == attachment:
            return
        wait = self._configuration_ps(attachment)
        if status != SOLICITED and wait and self.program.procedure.ip == 6:
            # many nodes may form an address on one multicast advertisement (RFC 4862 5.4.2)
            wait += self._random_delay_ps(ctx, state)
        if self.options.detection == "lazy" and state.router >= 0 and state.router != router:
            if self.nodes.client.has_link(state, state.router):
                return  # the current router still advertises itself
            wait = max(wait, self._expiry_ps(ctx, state) - ctx.time_ps)
        if self.options.rfc and self.program.procedure.ip == 4:
            wait = max(wait, state.last_move_request_ps + REGISTRATION_INTERVAL - ctx.time_ps)
        state.detecting = attachment
        ctx.timer(ctx.time_ps + wait, DISCOVERED, attachment)

    def on_other_link_lost(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Consider a link that is up after another one has gone down: register through its router if that is known."""
        if attachment not in state.known_attachments:
            return
        if self.options.discovery == "layer2":
            self.nodes.on_router_discovered(ctx, state, attachment)
        elif not state.is_registering_or_registered(self.nodes.router[attachment]):
            lazy = self.options.detection == "lazy" and state.router >= 0 and not self.nodes.client.has_link(state, state.router)
            ctx.timer(max(ctx.time_ps, self._expiry_ps(ctx, state) if lazy else 0), DISCOVERED, attachment)

    def _configuration_ps(self, attachment: int) -> int:
        """Return the time that the address of a link takes. The home address exists already (RFC 6275 11.5.5)."""
        return 0 if self.nodes.router[attachment] == self.roles.home_agent else self.configuration_ps

    def _expiry_ps(self, ctx: Context, state: MobileNodeState) -> int:
        """Return the end of the lifetime of the current router's last advertisement (RFC 5944 2.4.2.1)."""
        last_down_ps = max(
            self.nodes.down_ps[i] for i in range(self.nodes.first[ctx.mobile], self.nodes.first[ctx.mobile + 1])
            if self.nodes.router[i] == state.router and self.nodes.down_ps[i] <= ctx.time_ps
        )  # fmt: skip
        advertisements = self.roles.advertisements
        return int(advertisements.last_before(state.router, last_down_ps) + advertisements.lifetime_ps)

    def _random_delay_ps(self, ctx: Context, state: MobileNodeState) -> int:
        """Return a random delay of up to 1 s in the profile ``rfc``, else 0."""
        if not self.options.rfc:
            return 0
        state.random_delays += 1
        key = int(self.roles.mobile_keys[ctx.mobile])
        return random_word(self.roles.seed, PURPOSE_DELAY, key, state.random_delays) * MAX_RTR_SOLICITATION_DELAY >> 64
