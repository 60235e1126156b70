"""``handoff view``: open the server, print its address, serve until Ctrl-C."""

from __future__ import annotations

import sys
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from handoff.cli.log import Level, log
from handoff.cli.terminal import show
from handoff.cli.view.pages import FolderPages
from handoff.cli.view.server import ViewServer
from handoff.scenario import ScenarioError


def view_command(folder: Path, port: int, opens: bool, slo: Sequence[str], scenario: Path | None) -> None:
    """Serve the results in a folder until a signal ends the process.

    Raises
    ------
    ValueError
        If the folder has no results, a table is damaged, or a target is wrong.
    ScenarioError
        If the port cannot be used.
    """
    pages = FolderPages(folder, slo, scenario)
    try:
        server = ViewServer(port, pages)
    except OSError as error:
        raise ScenarioError([f"--port {port}: {error.strerror}: give another port, or none for a free one"]) from None
    with server:
        show(server.access.url)
        sys.stdout.flush()
        log(Level.INFO, "handoff: the address works on this machine only; end with Ctrl-C")
        if opens:
            threading.Thread(target=_open_browser, args=(server.access.make_ticket(),), daemon=True, name="browser").start()
        server.serve_forever()


def _open_browser(url: str) -> None:
    try:
        browser = webbrowser.get()
        if type(browser) is webbrowser.GenericBrowser:  # one for text, which would take the terminal
            return
        browser.open(url)
    except webbrowser.Error:
        log(Level.DEBUG, "handoff: view: no browser")
