"""Movement detection: how a mobile node finds the router of a new link, and when it believes that it has moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import Context
from handoff.protocol.constants import (
    MAX_RTR_SOLICITATION_DELAY,
    MAX_RTR_SOLICITATIONS,
    REGISTRATION_INTERVAL,
    RTR_SOLICITATION_INTERVAL,
    Status,
)  # fmt: skip
from handoff.protocol.mobile_node_state import MobileNodeState
from handoff.protocol.program import DISCOVERED, SOLICIT, Program
from handoff.protocol.roles import RoleResolver

if TYPE_CHECKING:
    from handoff.protocol.mobile_node import MobileNodeController

_TRIES = 8


class MovementDetector:
    """For all mobile nodes: solicitations sent, advertisements heard.

    Parameters
    ----------
    program : Program
    places : Places
    nodes : MobileNodes
        Told of each router found.
    """

    def __init__(self, program: Program, places: RoleResolver, nodes: MobileNodeController) -> None:
        self.program, self.places, self.nodes = program, places, nodes
        self.options = program.options
        self.dad_ps = self.options.duplicate_address_detection_ps(program.row)

    @property
    def eager(self) -> bool:
        """Whether an advertisement of a new router is reason enough, though the present one still works (RFC 5944 2.4.2.2)."""
        by_advertisement = self.options.discovery != "layer2" and self.options.detection == "eager"
        return by_advertisement and not self.program.row.predictive

    def up(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """A link is up whose router nobody has named."""
        if self.options.discovery == "layer2":
            ctx.timer(ctx.time_ps + self.options.agent_discovery_ps + self.dad_ps, DISCOVERED, attachment)
        elif self.options.discovery == "solicitation":
            ctx.timer(ctx.time_ps + self._random(ctx, state), SOLICIT, attachment * _TRIES)

    def solicit(self, ctx: Context, state: MobileNodeState, arg: int) -> None:
        """Ask for an advertisement, three times at most (RFC 4861 6.3.7, RFC 1256); after that the periodic one will come."""
        attachment, tries = divmod(arg, _TRIES)
        router = self.nodes.router[attachment]
        if attachment not in state.links or self.nodes.is_registering_or_registered(state, router) or state.detecting == attachment:
            return
        self.nodes.sender.send(ctx, state, self.program.solicitation, -1, -1, router)
        if tries + 1 < MAX_RTR_SOLICITATIONS:
            ctx.timer(ctx.time_ps + RTR_SOLICITATION_INTERVAL, SOLICIT, arg + 1)

    def advertisement_received(self, ctx: Context, state: MobileNodeState, router: int, status: int) -> None:
        """An advertisement, over the link to a router."""
        attachment = next((i for i in reversed(state.links) if self.nodes.router[i] == router), -1)
        if attachment < 0:
            return
        state.learn_router(attachment)
        if status != Status.ACCEPTED and state.router == router:  # it has restarted: register again (RFC 5944 2.3.2, 3.6.1)
            if not state.request:
                self.nodes.start_registration(ctx, state, "move", router, router)
            return
        if self.nodes.is_registering_or_registered(state, router) or state.detecting == attachment:
            return
        wait = self.dad_ps
        if self.options.discovery == "advertisement" and self.dad_ps:
            wait += self._random(ctx, state)  # before the check of an address that everyone formed at once (RFC 4862 5.4.2)
        if self.options.detection == "lazy" and state.router >= 0 and state.router != router:
            if self.nodes.sender.has_link(state, state.router):
                return  # it is still heard
            wait = max(wait, self._expiry(ctx, state) - ctx.time_ps)
        if self.options.rfc and self.program.row.ip == 4:
            wait = max(wait, state.asked_ps + REGISTRATION_INTERVAL - ctx.time_ps)
        state.detecting = attachment
        ctx.timer(ctx.time_ps + wait, DISCOVERED, attachment)

    def on_other_link_lost(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Another link has gone, and this one is up: if its router is known, it may be the one to register with now."""
        if attachment not in state.known_attachments:
            return
        if self.options.discovery == "layer2":
            self.nodes.on_router_discovered(ctx, state, attachment)
        elif not self.nodes.is_registering_or_registered(state, self.nodes.router[attachment]):
            lazy = self.options.detection == "lazy" and state.router >= 0 and not self.nodes.sender.has_link(state, state.router)
            ctx.timer(max(ctx.time_ps, self._expiry(ctx, state) if lazy else 0), DISCOVERED, attachment)

    def _expiry(self, ctx: Context, state: MobileNodeState) -> int:
        """When the last advertisement of the present router is no longer believed (RFC 5944 2.4.2.1)."""
        gone = max(
            self.nodes.down_ps[i] for i in range(self.nodes.first[ctx.mobile], self.nodes.first[ctx.mobile + 1])
            if self.nodes.router[i] == state.router and self.nodes.down_ps[i] <= ctx.time_ps
        )  # fmt: skip
        return int(self.places.last_advertisement(state.router, gone) + self.places.advertisement_lifetime_ps)

    def _random(self, ctx: Context, state: MobileNodeState) -> int:
        """0 to 1 s in the profile ``rfc``."""
        if not self.options.rfc:
            return 0
        state.delays += 1
        return self.places.random_delay_ps(ctx.mobile, state.delays, MAX_RTR_SOLICITATION_DELAY)
