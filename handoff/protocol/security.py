"""Authentication, replay protection and return routability, as far as a simulation needs them.

An authenticator is a keyed 63-bit hash of what it protects, not the real HMAC: whoever lacks the key cannot make it.
"""

from __future__ import annotations

from engine.rng import combine, random_word
from handoff.protocol.constants import IDENTIFICATION_TOLERANCE, MAX_NONCE_LIFETIME, NONCE_INTERVAL, Status
from handoff.protocol.messages import MessageFields
from handoff.protocol.roles import PURPOSE_SECRET, RoleResolver

NONCE_BITS = 19
"""Enough for the nonces of 106 days; two indices travel in the status of a binding update (RFC 6275 6.2.6)."""
_POSITIVE = 2**63 - 1


def authenticator(key: int, fields: MessageFields) -> int:
    """Of everything that a request says but its way, under a key."""
    said = combine(combine(fields.old + 1, fields.new + 1), combine(fields.identification, fields.lifetime_s))
    return combine(key, said) & _POSITIVE


def home_key(places: RoleResolver, mobile: int) -> int:
    """What a mobile node shares with its home agent (and GFA or MAP, and the routers that forward for it)."""
    return random_word(places.seed, PURPOSE_SECRET, int(places.mobile_keys[mobile]), 0)


class Tokens:
    """A correspondent's keygen tokens (RFC 6275 5.2.4): it keeps no state for a mobile node, only nonces that grow old."""

    def __init__(self, places: RoleResolver, node: int) -> None:
        self.places = places
        self.secret = random_word(places.seed, PURPOSE_SECRET, places.node_keys[node], 1)

    def make(self, mobile: int, care_of: int, nonce: int) -> int:
        """Token for the home address (``care_of`` -1) or a care-of address; its low bits are the index of its nonce."""
        address = combine(int(self.places.mobile_keys[mobile]), care_of + 1)
        return combine(combine(self.secret, address), nonce) >> 20 << NONCE_BITS & _POSITIVE | nonce

    def current_token(self, mobile: int, care_of: int, time_ps: int) -> int:
        """The same with the nonce of an instant."""
        return self.make(mobile, care_of, time_ps // NONCE_INTERVAL)


def nonce_index(token: int) -> int:
    """Index of the nonce that a token was made with."""
    return token & (1 << NONCE_BITS) - 1


def management_key(home_token: int, care_of_token: int) -> int:
    """Kbm: what proves that a mobile node got both tokens (5.2.5); for a deregistration ``care_of_token`` is 0."""
    return combine(home_token, care_of_token)


class RequestVerifier:
    """Checks the requests that reach one anchor or router."""

    def __init__(self, places: RoleResolver, node: int, authenticates: bool, routability: bool) -> None:
        self.places, self.authenticates, self.routability = places, authenticates, routability
        self.tokens = Tokens(places, node)
        self.awake = authenticates or routability

    def verify(self, role: str, fields: MessageFields, mobile: int, time_ps: int) -> int:
        """Status of a refusal, 0 to accept."""
        if role == "CN" and self.places.row.ip == 6:
            return self._proved(fields, mobile, time_ps) if self.routability else Status.ACCEPTED
        if not self.authenticates:
            return Status.ACCEPTED
        if role == "CN":  # Mobile IPv4 route optimization: the home agent vouches, or the mobile node itself (decisions, 5)
            return Status.ACCEPTED
        if fields.proof != authenticator(home_key(self.places, mobile), fields):
            return Status.AUTHENTICATION_FAILED
        if self.places.row.ip == 4 and abs(time_ps - fields.identification) > IDENTIFICATION_TOLERANCE:
            return Status.IDENTIFICATION_MISMATCH
        return Status.ACCEPTED

    def _proved(self, fields: MessageFields, mobile: int, time_ps: int) -> int:
        """Whether the sender holds both tokens, or of a deregistration the home token, and they are not too old."""
        home, care_of = fields.status & (1 << NONCE_BITS) - 1, fields.status >> NONCE_BITS
        if not 0 <= time_ps - home * NONCE_INTERVAL <= MAX_NONCE_LIFETIME:
            return Status.EXPIRED_HOME_NONCE
        token = 0
        if fields.lifetime_s:
            if not 0 <= time_ps - care_of * NONCE_INTERVAL <= MAX_NONCE_LIFETIME:
                return Status.EXPIRED_CARE_OF_NONCE
            token = self.tokens.make(mobile, fields.new, care_of)
        key = management_key(self.tokens.make(mobile, -1, home), token)
        return Status.ACCEPTED if fields.proof == authenticator(key, fields) else Status.AUTHENTICATION_FAILED
