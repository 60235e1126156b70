"""Authentication, replay protection and return routability, as far as a simulation needs them.

An authenticator is a keyed 63-bit hash of the protected fields instead of a real HMAC. A node without the key cannot compute it.
"""

from __future__ import annotations

from engine.rng import PURPOSE_USER, combine, random_word
from handoff.protocol.constants import IDENTIFICATION_TOLERANCE, MAX_NONCE_LIFETIME, NONCE_INTERVAL, Status
from handoff.protocol.messages import MessageFields
from handoff.protocol.roles import RoleResolver

PURPOSE_SECRET = PURPOSE_USER + 5
"""Random numbers for the keys that mobile nodes share with their home agents, and for the secrets of correspondents."""
NONCE_BITS = 19
"""Bits of a nonce index, enough for the longest run (2^63 ps). A binding update carries two indices (RFC 6275 6.2.6)."""
_NONCE_MASK = (1 << NONCE_BITS) - 1
_INT63_MASK = 2**63 - 1
_HOME_KEY, _CORRESPONDENT_SECRET = 0, 1  # counters of the random numbers


def authenticator(key: int, fields: MessageFields) -> int:
    """Return the authenticator of a request: a hash of routers, identification and lifetime under a key."""
    content = combine(combine(fields.old + 1, fields.new + 1), combine(fields.identification, fields.lifetime_s))
    return combine(key, content) & _INT63_MASK


def home_key(roles: RoleResolver, mobile: int) -> int:
    """Return the key that a mobile node shares with its home agent, its gateway, and the routers that forward for it."""
    return random_word(roles.seed, PURPOSE_SECRET, int(roles.mobile_keys[mobile]), _HOME_KEY)


class Tokens:
    """Keygen tokens of a correspondent, which keeps nonces but no state for a mobile node (RFC 6275 5.2.4).

    Parameters
    ----------
    roles : RoleResolver
        Roles of the run.
    node : int
        Node of the correspondent.
    """

    def __init__(self, roles: RoleResolver, node: int) -> None:
        self.roles = roles
        self.secret = random_word(roles.seed, PURPOSE_SECRET, roles.node_keys[node], _CORRESPONDENT_SECRET)

    def make(self, mobile: int, care_of: int, nonce: int) -> int:
        """Return the token for a care-of address, or for the home address if ``care_of`` is -1.

        The low ``NONCE_BITS`` of a token are the index of its nonce.
        """
        address = combine(int(self.roles.mobile_keys[mobile]), care_of + 1)
        return combine(combine(self.secret, address), nonce) >> 20 << NONCE_BITS & _INT63_MASK | nonce

    def current_token(self, mobile: int, care_of: int, time_ps: int) -> int:
        """Return the token that is made with the nonce of an instant."""
        return self.make(mobile, care_of, time_ps // NONCE_INTERVAL)


def nonce_index(token: int) -> int:
    """Return the index of the nonce that a token was made with."""
    return token & _NONCE_MASK


def management_key(home_token: int, care_of_token: int) -> int:
    """Return Kbm, which proves that a mobile node has received both tokens (RFC 6275 5.2.5).

    In a deregistration ``care_of_token`` is 0, since the home token suffices.
    """
    return combine(home_token, care_of_token)


class RequestVerifier:
    """Verification of the requests that reach one anchor or router.

    Parameters
    ----------
    roles : RoleResolver
        Roles of the run.
    node : int
        Node of the anchor or router.
    authenticates : bool
        If true, requests must carry an authenticator and, in IPv4, a recent timestamp.
    routability : bool
        If true, updates to an IPv6 correspondent must prove return routability.

    Attributes
    ----------
    enabled : bool
        True if any verification takes place.
    tokens : Tokens
        Keygen tokens of this node as a correspondent.
    """

    def __init__(self, roles: RoleResolver, node: int, authenticates: bool, routability: bool) -> None:
        self.roles, self.authenticates, self.routability = roles, authenticates, routability
        self.tokens = Tokens(roles, node)
        self.enabled = authenticates or routability

    def verify(self, role: str, fields: MessageFields, mobile: int, time_ps: int) -> int:
        """Return the status of a refusal, or ``Status.ACCEPTED``."""
        if role == "CN" and self.roles.procedure.ip == 6:
            return self._verify_tokens(fields, mobile, time_ps) if self.routability else Status.ACCEPTED
        if not self.authenticates:
            return Status.ACCEPTED
        if role == "CN":  # Mobile IPv4 route optimization: the home agent vouches, or the mobile node itself (decision 5)
            return Status.ACCEPTED
        if fields.proof != authenticator(home_key(self.roles, mobile), fields):
            return Status.AUTHENTICATION_FAILED
        if self.roles.procedure.ip == 4 and abs(time_ps - fields.identification) > IDENTIFICATION_TOLERANCE:
            return Status.IDENTIFICATION_MISMATCH
        return Status.ACCEPTED

    def _verify_tokens(self, fields: MessageFields, mobile: int, time_ps: int) -> int:
        home_nonce, care_of_nonce = fields.status & _NONCE_MASK, fields.status >> NONCE_BITS
        if not 0 <= time_ps - home_nonce * NONCE_INTERVAL <= MAX_NONCE_LIFETIME:
            return Status.EXPIRED_HOME_NONCE
        care_of_token = 0
        if fields.lifetime_s:
            if not 0 <= time_ps - care_of_nonce * NONCE_INTERVAL <= MAX_NONCE_LIFETIME:
                return Status.EXPIRED_CARE_OF_NONCE
            care_of_token = self.tokens.make(mobile, fields.new, care_of_nonce)
        key = management_key(self.tokens.make(mobile, -1, home_nonce), care_of_token)
        return Status.ACCEPTED if fields.proof == authenticator(key, fields) else Status.AUTHENTICATION_FAILED
