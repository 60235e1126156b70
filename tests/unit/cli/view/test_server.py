"""HTTP of ``handoff view``: which requests are answered, and with which headers. The pages of this server are made up."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.error
import urllib.request

import pytest

from handoff.cli.view.server import ViewServer
from handoff.output.html_page import content_policy
from handoff.output.view.frame import ViewPage

POLICY = content_policy("", "")


def pages(path, parameters):
    if path == "/":
        return ViewPage("<h1>räport</h1>", POLICY)
    if path == "/list":
        return ViewPage(repr(dict(parameters)), POLICY)
    if path == "/fails":
        raise TypeError("odd <b>\u202etable</b>")
    if path == "/wrong":
        raise ValueError("page: \x1b[31m<script>")
    raise KeyError("no")


@pytest.fixture(scope="module")
def server():
    with ViewServer(0, pages) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def ask(server):
    """Return a function that sends a request with the cookie and returns status, headers and body."""
    cookie = server.access.set_cookie().partition(";")[0]

    def request(path, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
        headers = {"Cookie": cookie} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={name: value for name, value in headers.items() if value is not None})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, body

    return request


def raw(server, text):
    """Send bytes and return the answer."""
    with socket.create_connection(server.server_address, timeout=20) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def test_the_token_becomes_a_cookie_and_leaves_the_address(server):
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(server.access.url, timeout=20) as answer:
        assert answer.url == f"http://127.0.0.1:{server.server_address[1]}/"
        assert answer.read().decode() == "<h1>räport</h1>"
    with opener.open(answer.url + "list?a=b", timeout=20) as answer:
        assert answer.read().decode() == "{'a': 'b'}"


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=x", "/list?token=x", "/nothing"])
def test_without_the_token_nothing_is_told(ask, path):
    status, headers, body = ask(path, Cookie=None)
    assert (status, body) == (403, "403 The token is missing or wrong: open the address that the terminal shows.\n")
    assert "Set-Cookie" not in headers
    assert ask(path, Cookie="handoff-view-1=x; handoff-view=x")[0] == 403


def test_the_token_counts_at_the_first_page_only(server, ask):
    query = server.access.url.partition("?")[2]
    assert ask(f"/list?{query}", Cookie=None)[0] == 403
    assert ask(f"//evil.example/?{query}", Cookie=None)[0] == 403  # no address of a redirection comes from a request
    status, headers, _ = ask(f"/?{query}", Cookie=None)
    assert (status, headers["Location"]) == (303, "/")


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1", "127.0.0.1@evil.example"])
def test_another_host_is_refused_with_the_cookie_too(ask, host):
    status, _, body = ask("/", Host=host)
    assert status == 403
    assert "names another host" in body
    assert "räport" not in body


def test_no_host_and_two_hosts_are_refused(server):
    cookie = server.access.set_cookie().partition(";")[0]
    host = f"Host: 127.0.0.1:{server.server_address[1]}\n"
    assert " 200 " in raw(server, f"GET / HTTP/1.1\n{host}Cookie: {cookie}\n\n").splitlines()[0]
    for hosts in ("", host + host, host + "Host: evil.example\n"):
        assert " 403 " in raw(server, f"GET / HTTP/1.1\n{hosts}Cookie: {cookie}\n\n").splitlines()[0]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_only_get_and_head_are_answered(ask, method):
    status, headers, _ = ask("/", method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert ask("/", method, Cookie=None)[0] == 405


def test_an_unknown_method_and_what_is_no_http_are_refused_without_an_echo(server):
    for text in ("FETCH <b> HTTP/1.1\n\n", "<script>\n\n", "GET / HTTP/9.9\n\n", "GET / HTTP/x<b>\n\n", "GET /" + "a" * 70_000):
        answer = raw(server, text)
        assert "<script>" not in answer
        assert "<b>" not in answer
        assert "räport" not in answer


def test_a_head_has_the_headers_and_no_body(ask):
    (status, headers, body), whole = ask("/", "HEAD"), ask("/")
    assert (status, body) == (200, "")
    assert headers["Content-Length"] == whole[1]["Content-Length"] == "16"  # ä is two bytes
    assert headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["/../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/list/../x", "/x.parquet"]
)
def test_no_path_leads_to_a_file(ask, path):
    status, _, body = ask(path)
    assert status == 404
    assert "<p>No such page: no</p>" in body


def test_every_answer_has_the_policy_and_is_not_stored(ask):
    for path, headers in (("/", {}), ("/nothing", {}), ("/", {"Cookie": None}), ("/wrong", {}), ("/fails", {})):
        _, found, _ = ask(path, **headers)
        assert found["Content-Security-Policy"].startswith("default-src 'none'")
        assert found["Content-Security-Policy"].endswith("frame-ancestors 'none'")
        assert found["X-Content-Type-Options"] == "nosniff"
        assert found["Cache-Control"] == "no-store"
        assert found["Referrer-Policy"] == "no-referrer"
        assert "Access-Control-Allow-Origin" not in found
    assert ask("/")[1]["Content-Security-Policy"] == f"{POLICY}; frame-ancestors 'none'"


def test_errors_are_inert_pages_that_lead_back(ask):
    """The address of the report needs no token: the cookie goes with it, and the token is nowhere in the page."""
    for path, status, title, problem in (
        ("/wrong", 400, "400 Bad Request", "page: \\x1b[31m&lt;script&gt;"),
        ("/fails", 500, "500 Internal Server Error", "The page cannot be made: TypeError: odd &lt;b&gt;\\u202etable&lt;/b&gt;"),
        ("/nothing", 404, "404 Not Found", "No such page: no"),
    ):
        found, headers, body = ask(path)
        assert (found, headers["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'sha256-")
        assert f"<h1>{title}</h1>" in body
        assert f"<p>{problem}</p>" in body
        assert '<p><a href="/">Back to the report</a></p>' in body
        assert "token" not in body
    assert ask("/")[0] == 200


def test_too_many_parameters_are_refused(ask):
    assert ask("/list?" + "&".join(f"a{i}=1" for i in range(21)))[0] == 400
    assert ask("/list?" + "&".join(f"a{i}=1" for i in range(20)))[0] == 200


def test_a_page_of_another_origin_gets_nothing(ask):
    assert ask("/list", Sec_Fetch_Site="same-site")[0] == 403
    assert ask("/list", Sec_Fetch_Site="same-origin")[0] == 200


def test_the_log_has_no_token(server, ask, monkeypatch):
    lines = []
    monkeypatch.setattr("handoff.cli.view.server.log", lambda level, text: lines.append(text))
    token = server.access.url.partition("=")[2]
    ask(f"/?token={token}")
    assert lines == ["handoff: view: GET / 303"]
