"""State of a mobile node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mypy_extensions import mypyc_attr


class PendingRequest(NamedTuple):
    """A message that waits for its reply.

    Attributes
    ----------
    step : int
        Step of the program.
    peer : int
        Correspondent that the message is about; -1 for none.
    old, new : int
        Routers of the handoff.
    wait_ps : int
        Time until the next retransmission (RFC 5944 3.6.3, RFC 6275 11.8).
    rate_limited : bool
        The message has not been sent yet, because the rate limit forbids it for now (RFC 6275 11.8).
    """

    step: int
    peer: int
    old: int
    new: int
    wait_ps: int
    rate_limited: bool = False


_EMPTY: dict[Any, Any] = {}  # never changed


@mypyc_attr(allow_interpreted_subclasses=True)
class MobileNodeState:
    """State of one mobile node, created at its first event. Empty mappings are shared to save memory.

    Attributes
    ----------
    router : int
        Router through which the mobile node is registered (RFC 6275 11.1, binding update list); -1 for none.
    gateway : int
        Gateway of the region that the home agent knows (RFC 4857, RFC 5380), or router that anchors the prefix (RFC 8885); -1
        for none.
    links : tuple of int
        Attachments whose link is up, in the order in which they came up.
    known_attachments : tuple of int
        Attachments whose router the mobile node knows.
    handoff_attachment : int
        Attachment that the current handoff leaves; -1 for no handoff.
    target_attachment : int
        Attachment that the last request was for. An advertisement on an older one starts no new request.
    target_router : int
        Router that the last request was for.
    commanded_attachment : int
        Attachment that the old router has commanded the mobile node to move to, in prepared procedures; -1 for none.
    forwarding_router : int
        Router that received a request to forward (seed, phases II-4 and III-3), so that the mobile node has to register there
        again if it returns; -1 for none.
    detecting : int
        Attachment whose router has advertised itself and is about to be accepted as discovered (RFC 5944 2.4); -1 for none.
    identification : int
        Last identification or sequence number used (RFC 5944 5.7, RFC 6275 11.1).
    requests : dict of int to PendingRequest
        Messages that wait for a reply, by identification. ``add_request`` and ``pop_request`` change it.
    registration_request : int
        Identification of the pending request that registers the mobile node; 0 for none.
    last_move_request_ps : int
        Time of the last registration over a new link (RFC 5944 3.6.1, at most one per second).
    refresh_timer : int
        Number of the refresh timer that is valid; earlier ones are ignored (RFC 5944 3.6.1).
    random_delays : int
        Number of random delays drawn so far (RFC 4861 6.3.7, RFC 4862 5.4.2).
    markers : tuple of int
        Correspondents whose marker has arrived in the current handoff; -1 stands for the home agent or gateway.
    tokens : mapping
        Maps (correspondent, router or -1 for the home address) to a keygen token and the time of its arrival (RFC 6275 5.2.4).
    updates_without_tokens : tuple
        Updates (step, correspondent, old, new) that wait for keygen tokens (RFC 6275 5.2.5).
    recent_sends : mapping
        Maps (kind of message, node) to the times of sending within the last second (RFC 6275 11.8).
    """

    __slots__ = (
        "commanded_attachment",
        "detecting",
        "forwarding_router",
        "gateway",
        "handoff_attachment",
        "identification",
        "known_attachments",
        "last_move_request_ps",
        "links",
        "markers",
        "random_delays",
        "recent_sends",
        "refresh_timer",
        "registration_request",
        "requests",
        "router",
        "target_attachment",
        "target_router",
        "tokens",
        "updates_without_tokens",
    )

    def __init__(self) -> None:
        self.router = self.gateway = self.target_router = self.forwarding_router = -1
        self.handoff_attachment = self.target_attachment = self.detecting = self.commanded_attachment = -1
        self.identification = self.registration_request = self.refresh_timer = self.random_delays = 0
        self.last_move_request_ps = -(2**62)
        self.links: tuple[int, ...] = ()
        self.requests: dict[int, PendingRequest] = _EMPTY
        self.markers: tuple[int, ...] = ()
        self.known_attachments: tuple[int, ...] = ()
        self.tokens: Mapping[tuple[int, int], tuple[int, int]] = _EMPTY
        self.recent_sends: Mapping[tuple[str, int], tuple[int, ...]] = _EMPTY
        self.updates_without_tokens: tuple[tuple[int, int, int, int], ...] = ()

    def learn_router(self, attachment: int) -> None:
        """Record that the mobile node knows the router of an attachment."""
        if attachment not in self.known_attachments:
            self.known_attachments = (*self.known_attachments, attachment)

    def is_registering_or_registered(self, router: int) -> bool:
        """Return whether the mobile node is registered through ``router``, or has sent its pending request for it.

        A pending request for another router may have moved the binding even if no reply arrives; so may an update that made
        ``router`` forward. In both cases the mobile node has to register again.
        """
        if self.registration_request:
            return self.target_router == router
        return (self.router if self.router != self.forwarding_router else -1) == router

    def drop_requests(self) -> None:
        """Forget all pending requests and waiting updates."""
        self.requests, self.updates_without_tokens, self.registration_request = _EMPTY, (), 0

    def add_request(self, identification: int, request: PendingRequest) -> None:
        """Add a pending request."""
        if self.requests:
            self.requests[identification] = request
        else:
            self.requests = {identification: request}

    def pop_request(self, identification: int) -> PendingRequest | None:
        """Remove and return a pending request; None if there is no such request."""
        requests = self.requests
        if identification not in requests:
            return None
        request = requests.pop(identification)
        if not requests:
            self.requests = _EMPTY
        return request
