"""What a mobile node remembers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class PendingRequest(NamedTuple):
    """A message that waits for its answer: its step, correspondent (-1: none) and routers, and how long it waits.

    ``held``: it has not been sent yet, since too many have been sent just now.
    """

    step: int
    peer: int
    old: int
    new: int
    wait_ps: int
    held: bool = False


_NOTHING: Mapping[Any, Any] = {}


class MobileNodeState:
    """One mobile node, as long as something has happened to it: what it seldom has is shared while there is none of it.

    ``router`` is where it is registered, ``gateway`` that of the region whose gateway its home agent knows, ``links`` the
    attachments that are up; ``requests`` what waits for an answer, by identification, ``request`` the one among them that
    registers it (0: none), ``target`` the router of the last request; ``leaving`` the attachment whose handoff is under way (-1:
    none), ``aimed`` the attachment that the last request was for: what is heard on older ones is no reason to ask again.
    ``forgotten`` is the router that it told to forward: registered there or not, it has to ask again when it comes back.
    ``asked_ps`` is when it last registered over the link in use (not before a move).
    ``heard`` are the attachments whose router it knows; ``tokens`` are those of return routability, by (correspondent, router
    or -1), ``waiting`` the updates that want them; ``recent`` when messages of a type went to a node in the last second.
    """

    __slots__ = (
        "asked_ps",
        "delays",
        "detecting",
        "forwarding_router",
        "gateway",
        "handoff_attachment",
        "identification",
        "known_attachments",
        "links",
        "markers",
        "recent",
        "refresh",
        "request",
        "requests",
        "router",
        "target_attachment",
        "target_router",
        "tokens",
        "waiting",
    )  # fmt: skip

    def __init__(self) -> None:
        self.forwarding_router = self.router = self.gateway = self.target_router = self.handoff_attachment = self.target_attachment = self.detecting = -1
        self.identification = self.request = self.refresh = self.delays = 0
        self.asked_ps = -(2**62)
        self.links: tuple[int, ...] = ()
        self.requests: Mapping[int, PendingRequest] = _NOTHING
        self.markers: tuple[int, ...] = ()
        self.known_attachments: tuple[int, ...] = ()
        self.tokens: Mapping[tuple[int, int], tuple[int, int]] = _NOTHING
        self.recent: Mapping[tuple[str, int], tuple[int, ...]] = _NOTHING
        self.waiting: tuple[tuple[int, int, int, int], ...] = ()

    def learn_router(self, attachment: int) -> None:
        """Know the router of an attachment."""
        if attachment not in self.known_attachments:
            self.known_attachments = (*self.known_attachments, attachment)

    def drop_requests(self) -> None:
        """None waits any more."""
        self.requests, self.waiting, self.request = _NOTHING, (), 0

    def pop_request(self, identification: int) -> PendingRequest | None:
        """A request that waits no more; None if it did not."""
        request = self.requests.get(identification)
        if request is not None:
            self.requests = {k: r for k, r in self.requests.items() if k != identification} or _NOTHING
        return request
