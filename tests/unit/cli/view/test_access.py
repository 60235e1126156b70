"""Tokens, tickets, cookies and hosts of ``handoff view``."""

import hmac
from urllib.parse import parse_qs, urlsplit

import pytest

from handoff.cli.view import access as module
from handoff.cli.view.access import Access


def token_of(url):
    return parse_qs(urlsplit(url).query)["token"][0]


@pytest.fixture
def access():
    return Access(8000)


def test_the_token_is_long_and_different_each_time(access):
    tokens = {token_of(Access(8000).url) for _ in range(50)}
    assert len(tokens) == 50
    assert min(map(len, tokens)) >= 43  # 32 bytes in base64
    assert access.url.startswith("http://127.0.0.1:8000/?token=")


def test_only_the_token_is_admitted_and_compared_in_constant_time(access, monkeypatch):
    calls, compare_digest = [], hmac.compare_digest

    def compare(a, b):
        calls.append((a, b))
        return compare_digest(a, b)

    monkeypatch.setattr(module.hmac, "compare_digest", compare)
    token = token_of(access.url)
    assert access.admits_token(token)
    for wrong in ("", token[:-1], token + "x", token.swapcase(), "ü\ud800"):
        assert not access.admits_token(wrong)
        assert not access.admits_cookies([f"handoff-view-8000={wrong}"], [])
    assert len(calls) == 11


def test_a_ticket_is_valid_once(access):
    ticket = token_of(access.make_ticket())
    assert not access.admits_cookies([f"handoff-view-8000={ticket}"], [])
    assert access.admits_token(ticket)
    assert not access.admits_token(ticket)
    assert access.admits_token(token_of(access.url))


def test_the_cookie_is_found_among_those_of_other_servers(access):
    pair = access.set_cookie().partition(";")[0]
    assert pair.startswith("handoff-view-8000=")
    for header in (pair, f"a=b; {pair}", f'x="{{:;,\u00e9; {pair}; handoff-view-9=1', f"handoff-view-8000=old; {pair}"):
        assert access.admits_cookies([header], [])
    assert access.admits_cookies(["a=b", pair], ["same-origin"])
    assert access.admits_cookies([pair], ["none"])
    for headers in ([], ["a=b"], [pair.replace("8000", "8001")], [pair.partition("=")[2]]):
        assert not access.admits_cookies(headers, [])


def test_a_page_of_another_origin_is_refused_though_it_has_the_cookie(access):
    pair = access.set_cookie().partition(";")[0]
    for site in ("cross-site", "same-site"):  # a page on another port counts as the same site
        assert not access.admits_cookies([pair], [site])


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(access):
    assert access.set_cookie().split("; ")[1:] == ["HttpOnly", "SameSite=Strict", "Path=/"]


def test_only_the_address_of_the_server_is_its_host(access):
    assert access.is_addressed(["127.0.0.1:8000"])
    wrong = ["evil.example", "evil.example:8000", "127.0.0.1", "127.0.0.1:80", "localhost:8000", "127.0.0.1:8000.evil.example"]
    assert not any(access.is_addressed([host]) for host in wrong)
    assert not access.is_addressed([])
    assert not access.is_addressed(["127.0.0.1:8000", "127.0.0.1:8000"])
    assert Access(80).is_addressed(["127.0.0.1"])  # browsers leave out the port of HTTP
