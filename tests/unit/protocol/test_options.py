"""Tests of handoff.protocol.options."""

import pytest

from handoff.protocol.options import CHOICES, Options
from handoff.protocol.procedures import PROCEDURES

SECOND = 10**12


def test_the_defaults_are_valid_and_the_first_choices():
    assert Options().problems() == []
    assert all(getattr(Options(), name) == words[0] for name, words in CHOICES.items())


@pytest.mark.parametrize("name", CHOICES)
def test_only_the_listed_words_are_valid(name):
    assert all(Options(**{name: word}).problems() == [] for word in CHOICES[name])
    (problem,) = Options(**{name: "x"}).problems()
    assert problem.startswith(f"{name} is ")
    assert "not 'x'" in problem


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lifetime_s": 0}, "lifetime is 1 s to 65534 s"),
        ({"lifetime_s": 65_535}, "lifetime is 1 s to 65534 s"),  # infinity (RFC 5944 3.3)
        ({"retransmit_ps": SECOND - 1}, "at least 1 s"),  # RFC 5944 3.6.3
        ({"retransmit_ps": 2 * SECOND, "retransmit_max_ps": SECOND}, "retransmit_max"),
        ({"retransmit_first_ps": 0}, "retransmit_first must be above 0"),
        ({"retransmit_first_ps": 3 * SECOND, "retransmit_max_ps": 2 * SECOND}, "retransmit_max must be at least"),
        ({"advertisement_min_ps": 0}, "advertisement_min"),
        ({"advertisement_min_ps": 2, "advertisement_max_ps": 1}, "advertisement_max"),
        ({"tunnel_limit": 0}, "tunnel_limit is 1 to 4, not 0"),
        ({"tunnel_limit": 5}, "tunnel_limit is 1 to 4, not 5"),
    ],
)
def test_values_out_of_range_are_reported(options, words):
    (problem,) = Options(**options).problems()
    assert words in problem


@pytest.mark.parametrize(
    "options",
    [{"lifetime_s": 1}, {"lifetime_s": 65_534}, {"retransmit_max_ps": SECOND}, {"tunnel_limit": 1}, {"tunnel_limit": 4}],
)
def test_limits_are_valid(options):
    assert Options(**options).problems() == []


def test_all_problems_are_reported_together():
    assert len(Options(profile="x", lifetime_s=0, tunnel_limit=9).problems()) == 3


@pytest.mark.parametrize(
    ("options", "authenticates", "routability"),
    [
        ({}, False, False),
        ({"profile": "rfc"}, True, True),
        ({"profile": "rfc", "authentication": False, "return_routability": False}, False, False),
        ({"authentication": True, "return_routability": True}, True, True),
    ],
)
def test_security_follows_the_profile_unless_it_is_set(options, authenticates, routability):
    assert Options(**options).authenticates == authenticates
    assert Options(**options).needs_return_routability(6) == routability
    assert not Options(**options).needs_return_routability(4)


@pytest.mark.parametrize(
    ("procedure", "options", "seconds"),
    [
        ("mipv6", {}, 0),
        ("mipv6", {"profile": "rfc"}, 1),  # RFC 4862 5.1
        ("mipv6", {"profile": "rfc", "dad_ps": 0}, 0),
        ("mipv6", {"dad_ps": 2 * SECOND}, 2),
        ("mipv4", {"profile": "rfc", "address_time_ps": 3 * SECOND}, 0),  # the address of the foreign agent
        ("mipv4", {"care_of_address": "co-located", "address_time_ps": 3 * SECOND}, 3),  # DHCP or PPP
        ("mipv4", {"care_of_address": "co-located", "profile": "rfc"}, 0),
        ("mipv6", {"care_of_address": "co-located", "address_time_ps": 3 * SECOND}, 0),  # an option of IPv4
        ("pmipv6", {"profile": "rfc"}, 0),  # the mobile node keeps its address
    ],
)
def test_the_time_that_a_new_care_of_address_takes(procedure, options, seconds):
    assert Options(**options).address_configuration_ps(PROCEDURES[procedure]) == seconds * SECOND


@pytest.mark.parametrize(
    ("options", "buffers"),
    [
        ({}, True),
        ({"old_buffer_packets": None}, True),
        ({"old_buffer_bytes": 1}, True),
        ({"old_buffer_packets": 0}, False),
        ({"old_buffer_bytes": 0}, False),
    ],
)
def test_an_old_router_has_a_buffer_unless_it_has_no_room(options, buffers):
    assert Options(**options).buffers_at_old_router == buffers


def test_the_lifetime_of_a_forwarding_entry_depends_on_the_ip_version():
    """Decision 12: 10 s, and in IPv6, which counts in units of 4 s, 12 s."""
    assert [Options().forwarding_lifetime(ip) for ip in (4, 6)] == [10 * SECOND, 12 * SECOND]
    assert Options(forwarding_lifetime_ps=5).forwarding_lifetime(6) == 5
