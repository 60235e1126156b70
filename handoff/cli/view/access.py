"""Who may ask the server of ``handoff view``: the browser of the user who started it, and no page of another site.

Other users of the machine reach the server too, and so does every page in the browser. Therefore each request needs a token that
only the terminal shows, and its header ``Host`` has to be the address of the server: the name of a site that resolves to
127.0.0.1 (DNS rebinding) is refused.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Sequence

HOST = "127.0.0.1"
_HTTP_PORT = 80
_TOKEN_BYTES = 32
_OTHER_ORIGINS = ("cross-site", "same-site")


class Access:
    """Tokens of a server.

    The token in the address becomes a cookie at the first request, so that it does not stay in the address bar. A program that
    opens the browser gets a ticket instead, which is valid once: other users see the arguments of a program.

    Parameters
    ----------
    port : int
        Port of the server.
    """

    def __init__(self, port: int) -> None:
        self._hosts = (f"{HOST}:{port}", *([HOST] if port == _HTTP_PORT else []))
        self._token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._tickets: set[str] = set()
        self._lock = threading.Lock()
        self._cookie = f"handoff-view-{port}"  # cookies do not distinguish ports
        self.url = self._url(self._token)

    def make_ticket(self) -> str:
        """Return an address that admits one request."""
        ticket = secrets.token_urlsafe(_TOKEN_BYTES)
        self._tickets.add(ticket)
        return self._url(ticket)

    def is_addressed(self, hosts: Sequence[str]) -> bool:
        """Return whether the headers ``Host`` of a request, exactly one, name this server."""
        return len(hosts) == 1 and hosts[0] in self._hosts

    def admits_token(self, token: str) -> bool:
        """Return whether a token in an address is right. A ticket is right once."""
        if _is_equal(token, self._token):
            return True
        with self._lock:
            used = [ticket for ticket in self._tickets if _is_equal(token, ticket)]
            self._tickets.difference_update(used)
        return bool(used)

    def admits_cookies(self, cookies: Sequence[str], fetch_sites: Sequence[str]) -> bool:
        """Return whether a request has the cookie, and no page of another origin made it.

        Parameters
        ----------
        cookies : sequence of str
            Headers ``Cookie``. Servers on other ports of this machine set cookies too.
        fetch_sites : sequence of str
            Headers ``Sec-Fetch-Site``: a page on another port counts as the same site, so that its requests have the cookie.
        """
        if any(site in _OTHER_ORIGINS for site in fetch_sites):
            return False
        pairs = (pair.strip().partition("=") for header in cookies for pair in header.split(";"))
        return any([_is_equal(value, self._token) for name, _, value in pairs if name == self._cookie])

    def set_cookie(self) -> str:
        """Return the header ``Set-Cookie``: scripts do not see the cookie, and requests of other sites do not have it."""
        return f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"

    def _url(self, token: str) -> str:
        return f"http://{self._hosts[0]}/?token={token}"


def _is_equal(token: str, expected: str) -> bool:
    return hmac.compare_digest(token.encode(errors="replace"), expected.encode())
