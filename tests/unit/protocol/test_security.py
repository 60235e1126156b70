"""Tests of handoff.protocol.security. Tolerances are those of RFC 5944 5.7.1 and RFC 6275 5.2 and 12."""

import pytest

from handoff.protocol.constants import Status
from handoff.protocol.messages import MessageFields
from handoff.protocol.security import NONCE_BITS, RequestVerifier, Tokens, authenticator, home_key, management_key, nonce_index
from tests.unit.protocol.parts import SECOND, build_parts

REQUEST = MessageFields(3, 2, 5, 6, -1, 100 * SECOND, 600)


@pytest.mark.parametrize("change", [{"old": 4}, {"new": 5}, {"identification": 1}, {"lifetime_s": 0}])
def test_an_authenticator_covers_every_field_that_matters(change):
    assert authenticator(7, REQUEST.replace(**change)) != authenticator(7, REQUEST)


def test_an_authenticator_depends_on_the_key_but_not_on_the_position_on_the_path():
    assert authenticator(8, REQUEST) != authenticator(7, REQUEST)
    assert authenticator(7, REQUEST.replace(hop=1, proof=9)) == authenticator(7, REQUEST)


def make_verifier(procedure="mipv4", authenticates=True, routability=False):
    p = build_parts(procedure)
    return p, RequestVerifier(p.roles, p.cn if procedure.endswith("ro") else p.ha, authenticates, routability)


def signed(p, fields):
    return fields.replace(proof=authenticator(home_key(p.roles, 0), fields))


def test_only_the_key_of_the_mobile_node_is_accepted():
    p, verifier = make_verifier()
    assert verifier.verify("HA", signed(p, REQUEST), 0, 100 * SECOND) == Status.ACCEPTED
    assert verifier.verify("HA", REQUEST.replace(proof=1), 0, 100 * SECOND) == Status.AUTHENTICATION_FAILED


@pytest.mark.parametrize(
    ("offset", "status"),
    [
        (7 * SECOND, Status.ACCEPTED),
        (7 * SECOND + 1, Status.IDENTIFICATION_MISMATCH),
        (-7 * SECOND - 1, Status.IDENTIFICATION_MISMATCH),
    ],
)
def test_a_timestamp_is_valid_within_seven_seconds(offset, status):
    p, verifier = make_verifier()
    assert verifier.verify("HA", signed(p, REQUEST), 0, 100 * SECOND + offset) == status


def test_ipv6_has_no_timestamps():
    p, verifier = make_verifier("mipv6")
    assert verifier.verify("HA", signed(p, REQUEST), 0, 10_000 * SECOND) == Status.ACCEPTED


def test_without_authentication_everything_is_accepted():
    _, verifier = make_verifier(authenticates=False)
    assert not verifier.enabled
    assert verifier.verify("HA", REQUEST, 0, 0) == Status.ACCEPTED


def test_a_correspondent_of_mobile_ipv4_does_not_verify():
    """Decision 5: the home agent vouches for the mobile node."""
    _, verifier = make_verifier("sync-mipv4-ro")
    assert verifier.verify("CN", REQUEST, 0, 0) == Status.ACCEPTED


def test_a_token_contains_its_nonce_and_depends_on_mobile_node_address_and_correspondent():
    p = build_parts("mipv6-ro")
    tokens = Tokens(p.roles, p.cn)
    token = tokens.current_token(0, -1, 95 * SECOND)
    assert nonce_index(token) == 3, "a nonce every 30 s"
    assert tokens.current_token(0, -1, 119 * SECOND) == token
    assert tokens.current_token(0, -1, 120 * SECOND) != token
    assert token != tokens.current_token(0, p.new, 95 * SECOND)
    assert token != Tokens(p.roles, p.peer).current_token(0, -1, 95 * SECOND)


def update(p, verifier, home_time, care_of_time, lifetime_s=420):
    """Binding update with tokens of two instants; a deregistration carries no care-of token (RFC 6275 5.2.5)."""
    home = verifier.tokens.current_token(0, -1, home_time)
    care_of = verifier.tokens.current_token(0, p.new, care_of_time) if lifetime_s else 0
    status = nonce_index(home) | nonce_index(care_of) << NONCE_BITS
    fields = MessageFields(3, 2, p.old, p.new, p.cn, 1, lifetime_s, status)
    return fields.replace(proof=authenticator(management_key(home, care_of), fields))


@pytest.mark.parametrize(
    ("home_time", "care_of_time", "status"),
    [
        (900, 900, Status.ACCEPTED),
        (780, 780, Status.ACCEPTED),  # the nonce of 780 is 240 s old at 1020
        (779, 900, Status.EXPIRED_HOME_NONCE),
        (900, 779, Status.EXPIRED_CARE_OF_NONCE),
    ],
)
def test_a_nonce_is_accepted_for_240_s(home_time, care_of_time, status):
    p, verifier = make_verifier("mipv6-ro", authenticates=False, routability=True)
    fields = update(p, verifier, home_time * SECOND, care_of_time * SECOND)
    assert verifier.verify("CN", fields, 0, 1020 * SECOND) == status


def test_an_update_must_prove_both_tokens():
    p, verifier = make_verifier("mipv6-ro", authenticates=False, routability=True)
    fields = update(p, verifier, 900 * SECOND, 900 * SECOND)
    assert verifier.verify("CN", fields.replace(proof=fields.proof ^ 1), 0, 900 * SECOND) == Status.AUTHENTICATION_FAILED
    assert verifier.verify("CN", fields.replace(new=p.old), 0, 900 * SECOND) == Status.AUTHENTICATION_FAILED


def test_a_deregistration_requires_only_the_home_token():
    p, verifier = make_verifier("mipv6-ro", authenticates=False, routability=True)
    fields = update(p, verifier, 900 * SECOND, 0, lifetime_s=0)
    assert verifier.verify("CN", fields, 0, 1000 * SECOND) == Status.ACCEPTED
