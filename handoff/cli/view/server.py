"""HTTP server of ``handoff view``: GET and HEAD on 127.0.0.1, with the checks of ``handoff.cli.view.access``.

It is the one of the standard library: one reader on one machine asks for one page at a time, each page is complete in itself, and
no file is served by its path. A framework would add a router for four pages, and a second handling of signals beside that of
``handoff.cli.interrupt``, but none of these checks.
"""

from __future__ import annotations

import socketserver
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from handoff.cli.log import Level, log
from handoff.cli.view.access import HOST, Access
from handoff.output.printable import printable
from handoff.output.view.error_page import render_error
from handoff.output.view.frame import ViewPage

IDLE_SECONDS = 30
"""Time that a connection may wait for its request."""
MAX_PARAMETERS = 20
_NO_PAGE = "default-src 'none'"
_ALWAYS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
Pages = Callable[[str, Mapping[str, str]], ViewPage]
"""Returns the page of a path and its parameters; KeyError if there is none, and ValueError if a parameter or a table is wrong."""


class ViewServer(socketserver.ThreadingTCPServer):
    """Server of pages, which listens on 127.0.0.1 when it is made.

    Parameters
    ----------
    port : int
        Port; 0 for a free one.
    pages : callable
        Makes the pages (``Pages``).

    Raises
    ------
    OSError
        If the port cannot be used.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, pages: Pages) -> None:
        super().__init__((HOST, port), _Handler)
        self.pages = pages
        self.access = Access(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log a failed connection: the browser may leave before its page is complete."""
        error = sys.exc_info()[1]
        log(Level.DEBUG if isinstance(error, OSError) else Level.WARNING, f"handoff: view: {type(error).__name__}: {error}")


class _Handler(BaseHTTPRequestHandler):
    server: ViewServer
    timeout = IDLE_SECONDS
    server_version, sys_version = "handoff", ""

    def do_GET(self) -> None:
        """Answer a request."""
        access, headers = self.server.access, self.headers
        if not access.is_addressed(headers.get_all("Host", [])):
            self._refuse(HTTPStatus.FORBIDDEN, "The request names another host: open the address that the terminal shows.")
            return
        if self.command not in ("GET", "HEAD"):
            self._send(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are answered.\n", {"Allow": "GET, HEAD"})
            return
        try:
            target = urlsplit(self.path)
            parameters = dict(parse_qsl(target.query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS))
        except ValueError:
            self._refuse(HTTPStatus.BAD_REQUEST, "The address is wrong.")
            return
        if target.path == "/" and access.admits_token(parameters.get("token", "")):
            self._send(HTTPStatus.SEE_OTHER, "", {"Location": "/", "Set-Cookie": access.set_cookie()})
            return
        if not access.admits_cookies(headers.get_all("Cookie", []), headers.get_all("Sec-Fetch-Site", [])):
            self._refuse(HTTPStatus.FORBIDDEN, "The token is missing or wrong: open the address that the terminal shows.")
            return
        self._show_page(target.path, parameters)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = do_GET

    def _show_page(self, path: str, parameters: Mapping[str, str]) -> None:
        try:
            page = self.server.pages(path, parameters)
        except KeyError as error:
            self._show_error(HTTPStatus.NOT_FOUND, f"No such page: {error.args[0]}")
        except ValueError as error:
            self._show_error(HTTPStatus.BAD_REQUEST, str(error))
        except Exception as error:  # the server goes on, whatever a table of another person contains
            log(Level.WARNING, f"handoff: view: {path}: {type(error).__name__}: {error}")
            self._show_error(HTTPStatus.INTERNAL_SERVER_ERROR, f"The page cannot be made: {type(error).__name__}: {error}")
        else:
            self._send_page(HTTPStatus.OK, page)

    def _show_error(self, status: HTTPStatus, text: str) -> None:
        """Answer the user of the pages, who has the cookie, with a page that leads back to the report."""
        self._send_page(status, render_error(f"{status.value} {status.phrase}", text))

    def _send_page(self, status: HTTPStatus, page: ViewPage) -> None:
        self._send(status, page.html, {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": page.policy})

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        self._send(status, f"{status.value} {printable(text, chr(10))}\n")

    def _send(self, status: HTTPStatus, text: str, more: Mapping[str, str] | None = None) -> None:
        body = text.encode(errors="replace")
        headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Security-Policy": _NO_PAGE} | _ALWAYS | dict(more or {})
        headers["Content-Security-Policy"] += "; frame-ancestors 'none'"
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no HTTP, or has an unknown method; the text of the request is not repeated."""
        if not hasattr(self, "command") or self.command is None:
            self.command = ""
        self._refuse(HTTPStatus(code), HTTPStatus(code).phrase)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log a request without its parameters, which may have the token."""
        path = getattr(self, "path", "").partition("?")[0]
        log(Level.DEBUG, f"handoff: view: {getattr(self, 'command', '')} {path} {int(code)}")

    def log_message(self, format: str, *values: Any) -> None:
        """Log other events of the connection."""
        log(Level.DEBUG, f"handoff: view: {format % values}")
